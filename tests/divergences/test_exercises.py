"""The checks of notebook 06 on a grid: each usual mistake gets its hint."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from course_utils.divergences.exercises import check_js, check_kl
from tests.exercise_rules import rules

LOG_2 = math.log(2)


def kl(p, q, dx):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx


def naive(p, q, dx):
    return torch.sum(p * torch.log(p / q)) * dx


def both(f):
    return lambda p, q, dx: (f(p, q, dx), f(q, p, dx))


def smoothed(eps):
    return both(lambda a, b, dx: (a * ((a + eps) / (b + eps)).log()).sum() * dx)


def looped(p, q, dx):
    pairs = zip(p.tolist(), q.tolist(), strict=True)
    return sum(a * math.log(a / b) * dx for a, b in pairs if a)


KL = [
    (both(lambda p, q, dx: kl(q, p, dx)), "changed places"),
    (both(lambda p, q, dx: kl(p, q, 1.0)), "dx of a cell is missing"),
    (both(lambda p, q, dx: kl(p, q, 1.0) / len(p)), "the mean over"),
    (both(naive), "0 · log 0"),
    (
        lambda p, q, dx: (
            (p * (p.log() - q.log())).nansum() * dx,
            (q * torch.log((q / p).nan_to_num(1.0, 1.0))).sum() * dx,
        ),
        "leave out only",
    ),
    (
        both(lambda p, q, dx: (p * ((p + 1e-10).log() - (q + 1e-10).log())).sum() * dx),
        "no small number",
    ),
    (
        both(lambda p, q, dx: naive(p.clamp(1e-12), q.clamp(1e-12), dx)),
        "no small number",
    ),
    (lambda p, q, dx: 2 * (kl(p, q, dx),), "both are KL(p‖q)"),
    (lambda p, q, dx: 2 * (kl(q, p, dx),), "in place of KL(p‖q)"),
    (both(lambda p, q, dx: kl(p, q, dx) / LOG_2), "in bits"),
    (both(lambda p, q, dx: -kl(p, q, dx)), "upside down"),
    (both(lambda p, q, dx: -kl(q, p, dx)), "wrong density"),
    (both(lambda p, q, dx: (p / q).log().sum() * dx), "must be weighted"),
    (kl, "two numbers in nats"),
    (smoothed(1e-3), "a small number in the logs"),
    (smoothed(1e-7), "no small number"),
    (
        both(lambda p, q, dx: torch.sum(p * (p / q).log() * (p * q > 0)) * dx),
        "a product with a mask",
    ),
    (
        lambda p, q, dx: (kl(p, q, dx), torch.sum(q * (q / p).log() * (p > 0)) * dx),
        "a product with a mask",
    ),
    (both(lambda p, q, dx: -torch.xlogy(p, q).sum() * dx), "cross-entropy"),
    (both(lambda p, q, dx: F.kl_div(p, q, reduction="sum") * dx), "F.kl_div wants"),
    (both(lambda *case: kl(*case).nan_to_num()), "do not replace ∞"),
    (both(lambda *case: kl(*case).nan_to_num(posinf=math.nan)), "product with a mask"),
    (both(looped), "Python's numbers"),
    (both(lambda p, q, dx: -looped(q, p, dx)), "wrong density"),
    # a formula that is wrong, and stops at the zeros as well: first the formula
    (both(lambda p, q, dx: naive(p, q, 1)), "dx of a cell is missing"),
    (both(lambda p, q, dx: kl(p, q, dx**2)), "dx is there twice"),
    (both(lambda p, q, dx: naive(p, q * dx, dx)), "dx stands inside the log"),
    (both(lambda p, q, dx: torch.trapezoid(p * (p / q).log()) * dx), "trapezoid"),
    (both(lambda p, q, dx: torch.xlogy(p, p / q) * dx), ".sum() is missing"),
    (both(lambda p, q, dx: (p / q * p).sum() * dx), "log of the ratio is missing"),
    (both(lambda p, q, dx: (p / q * p).sum().mul(dx).log()), "log of an average"),
    (both(lambda p, q, dx: (p * (p / q).log()).abs().sum() * dx), "absolute value"),
    (lambda *case: (kl(*case), -kl(*case)), "the second is minus the first"),
    (lambda p, q, dx: (kl(p, q, dx), kl(q, p, 1)), "KL(q‖p): the width dx"),
    (both(lambda p, q, dx: kl(p, (p + q) / 2, dx)), "KLs to m"),
    (both(lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx)), "keep the two KLs apart"),
    (both(lambda p, q, dx: ((p - q) ** 2 / q).sum() * dx), "another divergence"),
    (both(lambda p, q, dx: kl(p.softmax(0), q.softmax(0), dx)), "no softmax"),
]


def parts(p, q, dx, m=lambda p, q: (p + q) / 2):
    return kl(p, m(p, q), dx), kl(q, m(p, q), dx)


def js(*case):
    return sum(parts(*case)) / 2


JS = [
    (lambda *case: sum(parts(*case)), "on the slide"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.add)) / 2, "its ½ is missing"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.add)), "both halves"),
    (lambda *case: js(*case) ** 0.5, "the root"),
    (lambda *case: js(*case) / LOG_2, "in bits"),
    (lambda p, q, dx: js(p, q, 1), "dx of a cell"),
    (lambda p, q, dx: js(p, q, 1 / len(p)), "the mean over"),
    (
        lambda p, q, dx: (naive(p, (p + q) / 2, dx) + naive(q, (p + q) / 2, dx)) / 2,
        "0 · log 0",
    ),
    (
        lambda p, q, dx: (kl((p + q) / 2, p, dx) + kl((p + q) / 2, q, dx)) / 2,
        "changed places",
    ),
    (lambda p, q, dx: (kl(p, q, dx) + kl(q, p, dx)) / 2, "(p + q)/2 instead"),
    (lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx), "(p + q)/2 instead"),
    (lambda *case: parts(*case)[0] / 2, "add that of q"),
    (lambda *case: parts(*case)[0], "KL(p‖m) only"),
    (lambda *case: parts(*case)[1] / 2, "add that of p"),
    (lambda *case: parts(*case)[1], "KL(q‖m) only"),
    (lambda *case: parts(*case)[0] + parts(*case)[1] / 2, "gave it to one"),
    (lambda *case: parts(*case)[0] / 2 + parts(*case)[1], "gave it to one"),
    (
        lambda p, q, dx: sum(parts(p, q, dx, lambda p, q: p + q / 2)) / 2,
        "brackets are missing",
    ),
    (lambda p, q, dx: js(p[p * q > 0], q[p * q > 0], dx), "count, too"),
    (lambda *case: [part / 2 for part in parts(*case)], "return one"),
    (lambda *case: sum(parts(*case)) / 4, "a quarter stands"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.mul)) / 2, "the product"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.maximum)) / 2, "the larger one"),
    (lambda *case: -js(*case), "the sign is turned round"),
    (lambda p, q, dx: (kl(p, (p + q) / 2, dx) + kl(p, q, dx)) / 2, "one of your KLs"),
    (lambda *case: parts(*case)[0] * parts(*case)[1], "no product"),
    (lambda p, q, dx: js(p, q, dx**2), "dx is there twice"),
    (lambda p, q, dx: kl(p, q, dx), "KL(p‖q) alone"),
    (lambda p, q, dx: -torch.xlogy(p + q, (p + q) / 2).sum() * dx / 2, "entropy of m"),
    (lambda *case: LOG_2 - js(*case), "log 2 (or 1) minus the JSD"),
    (lambda p, q, dx: js(p + 0.01, q + 0.01, dx), "a small number"),
    (lambda *case: parts(*case)[0] / 2 - parts(*case)[1] / 2, "not subtracted"),
    (lambda p, q, dx: (p - q).abs().sum() / 2 * dx, "total variation"),
]


ANSWERS = [(check_kl, both(kl), KL), (check_js, js, JS)]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


def divided(p, q, dx):
    """Loops over Python's numbers."""

    def kl_of(a, b):
        total = 0.0
        for u, v in zip(a.tolist(), b.tolist(), strict=True):
            if u > 0:
                total += u * math.log(u / v) if v > 0 else math.inf
        return total * float(dx)

    return [kl_of(p, q), kl_of(q, p)]


def of_cells(p, q, dx):
    """The JSD of two categorical distributions over the cells."""
    a, b, m = (Categorical(probs=w * dx) for w in (p, q, (p + q) / 2))
    return (kl_divergence(a, m) + kl_divergence(b, m)) / 2


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_kl, divided),
        (check_kl, lambda *case: torch.stack(both(kl)(*case))),
        (check_kl, both(lambda p, q, dx: F.kl_div(q.log(), p, reduction="sum") * dx)),
        (check_kl, both(lambda p, q, dx: (p * (p / q).log()).nansum() * dx)),
        (check_kl, both(lambda p, q, dx: kl(p[p > 0], q[p > 0], dx).float())),
        (check_js, of_cells),
        (check_js, lambda *case: js(*case).item()),
        (check_js, lambda p, q, dx: js(q, p, dx).reshape(1)),
        (check_js, lambda p, q, dx: np.float64(js(p, q, dx))),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out


@pytest.mark.parametrize("check", [check_kl, check_js])
@pytest.mark.parametrize("seed", range(5))
def test_the_cases_on_a_grid_are_densities(check, seed):
    exercise = check.__self__
    for p, q, dx in (exercise.draw(seed), *(each.case for each in exercise.extremes)):
        assert p.sum() * dx == pytest.approx(1)
        assert q.sum() * dx == pytest.approx(1)
