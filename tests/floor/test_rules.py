"""Rules for the arguments of a picture: what passes, what comes out, what is said."""

import math

import numpy as np
import pytest
import torch

from course_utils import rules
from course_utils.rules import Given
from tests.hostile import refuses


def passed(rule, value, given=None):
    return rule(value, "x", given or Given({}, {}))


def test_numbers_stay_or_become_floats():
    assert passed(rules.number, 3) == 3 and isinstance(passed(rules.number, 3), int)
    with_gradient = torch.tensor(2.0, requires_grad=True)
    for value in (np.float32(2), np.int64(2), torch.tensor(2), with_gradient):
        got = passed(rules.number, value)
        assert type(got) is float and got == 2
    assert passed(rules.whole(), np.int64(2)) == 2


@pytest.mark.parametrize(
    ("rule", "bad", "said"),
    [
        (rules.number, math.nan, "x must be finite"),
        (rules.between(0, 1), 1.5, "x must be at least 0 and at most 1, got 1.5"),
        (rules.positive, 0, "x must be above 0, got 0"),
        (rules.whole(2), 1, "x must be at least 2"),
        (rules.whole(), 10**7, "x must be at most 1000000"),
        (rules.one(("a", "b")), "c", "x must be one of"),
        (rules.word, 3, "x must be a text, got 3"),
        (rules.switch, 1, "x must be True or False"),
        (rules.colour, "nothing", "x must be a colour, got 'nothing'"),
        (rules.array("n", 2), [1.0], "x must be of shape (n, 2), got shape (1,)"),
        (rules.array(None), [], "x must be of shape (any,), not empty"),
        (rules.array(2), [1.0, math.inf], "x must be finite, got 1 values"),
        (rules.array(1, low=0), [-1.0], "x must be in [0, inf], got values from -1"),
        (rules.shares(1), [1.1], "x must be in [0, 1], got values from 1.1"),
        (rules.digits(), torch.ones(1, 784).byte(), "use x / 255"),
        (rules.wholes(0, 3, 1), [1.5], "x must be whole numbers, got [1.5]"),
        (rules.truths(1), [2], "x must be in [0, 1]"),
        (rules.growing("n"), [1.0, 1.0], "x must be 2 numbers or more that grow"),
        (rules.density, torch.distributions.Normal, "x must have .log_prob"),
    ],
)
def test_what_does_not_pass_is_told(rule, bad, said):
    refuses(lambda: passed(rule, bad), said)


def test_arrays_keep_their_type_and_lose_their_gradient():
    x = torch.ones(2, requires_grad=True)
    got = passed(rules.array("n"), x)
    assert got.dtype == torch.float32 and not got.requires_grad
    assert passed(rules.wholes(0, 1, None), [0.0, 1.0]).dtype == torch.int64
    assert passed(rules.truths(None), [0, 1]).tolist() == [False, True]
    assert passed(rules.shares(None), [1.0005]).item() == pytest.approx(1.0005)
    assert passed(rules.array(None, gaps=True), [math.nan]).isnan().all()


def test_a_letter_is_learned_once():
    given = Given({}, {})
    rules.array("n")([1.0, 2.0], "first", given)
    assert given.sizes == {"n": (2, "first")}
    told = "x must be of shape (n, n), n = 2 as first has, got shape (1, 2)"
    refuses(lambda: passed(rules.array("n", "n"), [[1.0, 2.0]], given), told)
