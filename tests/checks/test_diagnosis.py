"""What is said of a wrong answer: the simplest thing that explains it."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.checks import exercise
from tests.checks.cases import MEAN, PAIR, spread


@pytest.fixture(autouse=True)
def _no_hint_was_read(monkeypatch):
    monkeypatch.setattr(exercise, "_given", exercise.Counter())


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (lambda x: (x.min() + x.max()) / 2, "mean: this is the middle of the largest"),
        (lambda x: x.min() + x.max(), "the middle of the largest and the smallest; be"),
        (lambda x: x.sum() / (len(x) - 1), "you divided by 5 − 1 (the unbiased"),
        (lambda x: x.sum(), "divide by their number"),
        (lambda x: -x.mean(), "✗ mean: the sign is turned round"),
        (lambda x: 3 * x.mean(), "3 times the right value, in every case"),
        (lambda x: x, "take the mean over all of them"),
        (lambda x: x.mean() / 0, "infinite: look for log 0 or a division by 0"),
        (lambda x: math.nan, "log, root or power of a negative number"),
        (lambda x: x.mean() + 1, "it is 1 too large in every case"),
        (lambda x: x.mean() / math.log(2), "✗ mean: this is in bits"),
        (lambda x: x.mean() + torch.rand(()), "draws random numbers of its own"),
        (lambda x: x > 3, "shape (5,); expected is one number"),
        (lambda x: torch.tensor(2.5), "does not depend on x, the argument"),
        (lambda x: math.log(x), "For a tensor use torch.log"),
        (lambda x: x + x[:2], "Two shapes do not fit"),
        (lambda x: torch.log(3), "For a plain number use math.log"),
        (lambda x: x.requires_grad_().add_(1), "Write x = x + …"),
        (lambda x: x.requires_grad_().exp().backward(), "take the mean first"),
        (lambda x: x.mean().item().backward(), "item() comes after backward()"),
        (lambda x: F.binary_cross_entropy(x / 9, x[:2] / 9), "the shape of the logits"),
        (lambda x: "seven", "it returned a str; expected is one number"),
        (
            lambda x: (x.mean(), x.std()),
            "of 2 values; return one: one number (number 1",
        ),
        (lambda x: torch.distributions.Normal(x, x), "a distribution (Normal)"),
        (lambda x: None if x[0] > 4 else print(x), "prints its result; use `return`"),
        (lambda x: [][0] if x[0] > 9 else [1][len(x) - 9], "Indices count from 0"),
        (lambda x: undefined, "Import it first"),  # noqa: F821
        (lambda x: np.mean(x), "`import numpy as np`"),  # noqa: F821
        (lambda x: x.mean() + 2e-3 * x[0], "nearly right, less than 1 % off"),
        (lambda x: x.mean() + 2e-2 * x[0], "differ from the reference"),
        (lambda: 1.0, "Keep the arguments of the stub"),
        (lambda x: x.numpy().nothing, "It was called with x: shape (5,)"),
    ],
)
def test_verdicts(answer, verdict):
    line = MEAN.verdict(answer)
    assert verdict in line
    assert "✗ mean: " in line


def test_nothing_returned():
    def forgets(x):
        x.mean()

    line = MEAN.verdict(forgets)
    assert line == "✗ mean: your function returned None: is `return` missing?"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (lambda *a: spread(*a)[::-1], "spread and log-scale have changed places"),
        (lambda *a: spread(*a)[0], "returned one number; expected are 2 values"),
        (lambda *a: (*spread(*a), 1), "it returned 3 values; expected are 2"),
        (lambda *a: (spread(*a)[0], None), "log-scale is None: this entry is missing"),
        (lambda *a: ("one", spread(*a)[1]), "spread is no number but a str"),
        (lambda x, s, c: spread(x, c, s), "σ".replace("σ", "centre and scale")),
        (lambda x, c, s: (x.var(), spread(x, c, s)[1]), "spread: your result does not"),
        (lambda x, c, s: spread(x, c, s**0.5), "root of scale"),
        (
            lambda x, c, s: (spread(x, c, s)[0], -spread(x, c, s)[1]),
            "log-scale: the sign is turned round",
        ),
        (
            lambda x, c, s: (spread(x, c, s)[0], -math.log(2 * math.pi) - s.log()),
            "log-scale: it is ½ log 2π too small in every case",
        ),
        (
            lambda x, c, s: (spread(x, c, s)[0], s.log() - math.log(2 * math.pi)),
            "two slips at once",
        ),
    ],
)
def test_entries_are_judged_one_by_one(answer, verdict):
    assert verdict in PAIR.verdict(answer)


def test_the_first_wrong_entry_counts_and_later_ones_may_follow_from_it():
    def both(x, c, s):
        first, second = spread(x, c, s)
        return 2 * first, second + first

    assert "pair: spread: it is twice the right value" in PAIR.verdict(both)


def test_an_error_in_a_later_case_names_the_shapes_of_that_call():
    def sometimes(x):
        if abs(x[0] - MEAN.cases[1][0][0]) < 1e-5:
            raise KeyError("here")
        return x.mean()

    line = MEAN.verdict(sometimes)
    assert "it stopped with KeyError: 'here'. It was called with x: shape (5,)" in line


def test_an_unknown_answer_takes_no_long_search():
    import time

    begin = time.process_time()
    assert "differ from the reference" in MEAN.verdict(lambda x: x.sin().mean() + x[0])
    assert time.process_time() - begin < 10
