"""Notebook 07: typical answers for the log-probability of a text, with their hints."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.beyond.exercises import check_text_log_prob
from tests.exercise_rules import rules


def picked(log_p, x):
    places = torch.arange(x.shape[1])
    return torch.stack([row[places, text] for row, text in zip(log_p, x, strict=True)])


def of(scores, x):
    return picked(F.log_softmax(scores, 2), x)


def right(scores, x):
    """A loop over texts and places, with Categorical."""
    made = torch.distributions.Categorical(logits=scores)
    return torch.stack([each for each in made.log_prob(x).sum(1)])


WRONG = [
    (lambda s, x: picked(s, x).sum(1), "not yet log-probabilities"),
    (lambda s, x: F.cross_entropy(s.transpose(1, 2), x), "give one per text"),
    (
        lambda s, x: F.cross_entropy(s.transpose(1, 2), x, reduction="none").sum(1),
        "a loss: log p itself is negative",
    ),
    (
        lambda s, x: F.cross_entropy(s.transpose(1, 2), x, reduction="none").mean(1),
        "loss per character",
    ),
    (lambda s, x: of(s, x).mean(1), "took the mean over the characters"),
    (lambda s, x: of(s, x).sum(), "give one per text"),
    (lambda s, x: of(s, x).sum(0), "over the texts (dim=0)"),
    (of, "add up each row"),
    (lambda s, x: picked(s.log_softmax(1), x).sum(1), "places of the text (dim=1)"),
    (lambda s, x: picked(s.log_softmax(0), x).sum(1), "over the texts (dim=0)"),
    (lambda s, x: of(s[:, :-1], x[:, 1:]).sum(1), "first character"),
    (lambda s, x: of(s, x)[:, 1:].sum(1), "first character"),
    (lambda s, x: of(s[:, 1:], x[:, :-1]).sum(1), "shifted the wrong way"),
    (lambda s, x: of(s, x).sum(1).exp(), "without the log"),
    (lambda s, x: of(s, x).exp().prod(1), "without the log"),
    (lambda s, x: of(s, x).exp().sum(1), "probabilities that are added"),
    (lambda s, x: of(s, x).exp().sum(1).log(), "the chain rule multiplies"),
    (lambda s, x: of(s, x).exp().mean(1).log(), "mean probability"),
    (lambda s, x: of(s, x).sum(1) / math.log(2), "in bits"),
    (lambda s, x: s.log_softmax(2).sum(2).sum(1), "not only the one that came"),
    (lambda s, x: s.log_softmax(2).max(2).values.sum(1), "most probable text"),
    (lambda s, x: of(s, x)[:, -1], "only the last character"),
    (lambda s, x: of(s, x)[:, :-1].sum(1), "last character of each text is left out"),
    (lambda s, x: of(s.softmax(2), x).sum(1), "taken twice"),
    (lambda s, x: of(s, x).exp().prod(1).log(), "short texts only"),
    (lambda s, x: picked(s.softmax(2).log(), x).sum(1), "moderate scores only"),
    (lambda s, x: picked((s.softmax(2) + 1e-9).log(), x).sum(1), "moderate scores"),
    (lambda s, x: of(s, x).sum(1)[:, None], "(5, 1)"),
    (lambda s, x: of(s.detach(), x).sum(1), "no gradient flows back"),
    (lambda s, x: s.log_softmax(2).gather(2, x).sum(1), "x[:, :, None]"),
    (lambda s, x: picked(F.logsigmoid(s), x).sum(1), "a sigmoid of each score"),
    (
        lambda s, x: picked(s, x).sum(1) - x.shape[1] * math.log(s.shape[2]),
        "equal scores only",
    ),
    (
        lambda s, x: (
            picked(s, x) - (s - s.max(2, keepdim=True).values).exp().sum(2).log()
        ).sum(1),
        "taken out before exp()",
    ),
    (
        lambda s, x: picked(s, x).sum(1) - s.flatten(1).logsumexp(1),
        "a log Σ exp of its own",
    ),
    (lambda s, x: of(s, x[:1].expand_as(x)).sum(1), "of the first text"),
    (lambda s, x: of(s[:, :1].expand_as(s), x).sum(1), "of the first place"),
    (
        lambda s, x: of(s.transpose(0, 1).reshape(s.shape), x).sum(1),
        "texts and places are mixed up",
    ),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules([(check_text_log_prob, right, WRONG)])

RIGHT = [
    lambda s, x: of(s, x).sum(1),
    lambda s, x: -F.cross_entropy(s.transpose(1, 2), x, reduction="none").sum(1),
    lambda s, x: (F.one_hot(x, s.shape[2]) * s.log_softmax(2)).sum((1, 2)),
    lambda s, x: (picked(s, x) - s.logsumexp(2)).sum(dim=1),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_right_answers_in_other_forms(answer, capsys):
    check_text_log_prob(answer)
    assert "✓" in capsys.readouterr().out
