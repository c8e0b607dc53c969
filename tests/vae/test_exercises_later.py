"""Exercises 4 and 6 of notebook 04: each usual mistake gets its hint."""

import math

import numpy as np
import pytest
import torch

from course_utils.vae.exercises import check_iwae, check_walk
from tests.exercise_rules import rules


def walk(a, b, steps):
    return torch.stack([a + i / (steps - 1) * (b - a) for i in range(steps)])


WALK = [
    (lambda a, b, n: walk(b, a, n), "from end to start"),
    (
        lambda a, b, n: torch.stack([a + i / n * (b - a) for i in range(n)]),
        "one step before",
    ),
    (
        lambda a, b, n: torch.stack([a + (i + 1) / n * (b - a) for i in range(n)]),
        "leaves out the start",
    ),
    (lambda a, b, n: walk(a, b, n).T, "it is turned"),
    (lambda a, b, n: torch.linspace(0, 1, n).double()[:, None] * (b - a), "add start"),
    (lambda a, b, n: a + torch.linspace(0, 1, n)[:, None] * b, "not subtracted"),
    (lambda a, b, n: walk(a, 2 * a - b, n), "not start − end"),
    (lambda a, b, n: walk(b, 2 * b - a, n), "begins at end"),
    (lambda a, b, n: a + torch.arange(n)[:, None] * (b - a), "divide them"),
    (lambda a, b, n: walk(a, b, n + 1), "too many points"),
    (lambda a, b, n: walk(a, b, n - 1), "too few points"),
    (lambda a, b, n: a + torch.linspace(0, 1, n) * (b - a), "a column"),
    (lambda a, b, n: torch.linspace(a, b, n), "takes two numbers"),
    (lambda a, b, n: walk(a, b, 10), "does not depend on steps"),
    (lambda a, b, n: walk(a, b, n + 2)[1:-1], "both ends are left out"),
    (lambda a, b, n: torch.stack([a, b]), "between them are missing"),
    (lambda a, b, n: torch.cat(list(walk(a, b, n))), "it is flat"),
    (lambda a, b, n: walk(a, b, n)[:, 0], "one coordinate only"),
    (lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n)), "a column"),
    (
        lambda a, b, n: a + torch.linspace(0, 1, n).square()[:, None] * (b - a),
        "not equally spaced",
    ),
    (lambda a, b, n: a + (torch.arange(n) // (n - 1))[:, None] * (b - a), "not by //"),
    (lambda a, b, n: a + torch.linspace(0, 0.9, n)[:, None] * (b - a), "not reach"),
    (lambda a, b, n: (a + torch.linspace(0, 1, n)[:, None]) * (b - a), "brackets"),
    (lambda a, b, n: a + torch.rand(n, 1) * (b - a), "from call to call"),
    (lambda a, b, n: a.repeat(n, 1), "all points are the same"),
    (lambda a, b, n: [a.add_((b - a) / n) for _ in range(n)], "in place"),
    (lambda a, b, n: [i for i in range(0, 1, 1 / n)], "whole numbers"),
    (
        lambda a, b, n: torch.lerp(b, a, torch.linspace(0, 1, n)[:, None]),
        "end to start",
    ),
    (lambda a, b, n: torch.cat([walk(a, b, n), b[None]]), "there twice"),
    (lambda a, b, n: walk(a, 2 * b - a, n), "beyond the end"),
]

IWAE = [
    (lambda w: w.sum(0) / len(w), "mean of the logs"),
    (lambda w: torch.logsumexp(w, 0), "subtract log k"),
    (lambda w: torch.logsumexp(w, 0) + torch.tensor(float(len(w))).log(), "is added"),
    (lambda w: torch.logsumexp(w, 0) / len(w), "do not divide"),
    (
        lambda w: torch.logsumexp(w, 1) - torch.tensor(float(w.shape[1])).log(),
        "in one column",
    ),
    (
        lambda w: (torch.logsumexp(w, 0) - torch.tensor(len(w)).double().log()).mean(),
        "already averaged",
    ),
    (lambda w: torch.log(torch.exp(w).mean(0)), "Use logsumexp"),
    (lambda w: torch.log(torch.exp(w).sum(0)), "1/k is missing"),
    (lambda w: torch.log(torch.exp(w).mean(0) + 1e-8), "a small number inside"),
    (lambda w: torch.exp(w - w.max(0).values).mean(0).log(), "not put back"),
    (lambda w: w.logsumexp(0) - torch.tensor(w.shape[1]).log(), "number of rows"),
    (lambda w: w.logsumexp(0) - torch.tensor(w.numel()).log(), "number of rows"),
    (lambda w: torch.logsumexp(w), "dim=0"),
    (lambda w: (w.exp() + 1e-300).mean(0).log(), "underflow"),
    (lambda w: w.clamp(-80).exp().mean(0).log(), "underflow"),
    (lambda w: w.max() + (w - w.max()).exp().mean(0).log(), "Each example needs"),
    (lambda w: w.mean(0) + (w - w.mean(0)).exp().mean(0).log(), "far apart"),
    (lambda w: (w.softmax(0) * w).sum(0), "softmax weights"),
    (lambda w: w.log_softmax(0).mean(0), "log_softmax"),
    (lambda w: w.max(0).values, "best draw"),
    (lambda w: w.exp().mean(0), "the log is missing"),
    (lambda w: w.logsumexp(0) - len(w), "you subtracted k"),
    (lambda w: w.logsumexp(0) - math.log2(len(w)), "natural"),
    (lambda w: math.log(len(w)) - w.logsumexp(0), "the loss"),
    (lambda w: [row.logsumexp(0) - math.log(len(row)) for row in w], "in one column"),
    (lambda w: w.logsumexp(0, keepdim=True) - math.log(len(w)), "but in shape"),
    (lambda w: w.logsumexp((0, 1)) - math.log(len(w)), "all numbers of w at once"),
    (lambda w: w.logsumexp(0) - torch.log(len(w)), "For a plain number use math.log"),
]

ANSWERS = [
    (check_walk, walk, WALK),
    (
        check_iwae,
        lambda w: w.amax(0) + (w - w.amax(0)).exp().mean(0).log(),
        IWAE,
    ),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (
            check_walk,
            lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n)[:, None]),
        ),
        (check_walk, lambda a, b, n: np.linspace(a, b, n)),
        (check_walk, lambda a, b, n: walk(a, b, n).tolist()),
        (check_iwae, lambda w: w.float().logcumsumexp(0)[-1] - np.log(len(w))),
        (
            check_iwae,
            lambda w: [column.logsumexp(0) - math.log(len(w)) for column in w.T],
        ),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out
