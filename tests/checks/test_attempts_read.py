"""Reading what came back: every wrapping of numbers, and what is none."""

import math

import numpy as np
import pytest
import torch

from course_utils.checks.attempts import Unfit, exchanged, read, same, strange, tensor

ONE, ROW = torch.tensor(2.0).double(), torch.tensor([1.0, 2.0, 3.0]).double()


@pytest.mark.parametrize(
    "value",
    [
        2,
        2.0,
        np.float32(2),
        np.array([2.0]),
        torch.tensor([[2]]),
        [2],
        True + 1,
    ],
)
def test_one_number_in_any_wrapping(value):
    assert read(value, (ONE,), (), "one number")[0].equal(ONE)


def test_a_tuple_is_no_number_even_with_one_entry():
    """Such as ``torch.autograd.grad`` returns, or a comma after ``return``."""
    with pytest.raises(Unfit, match="first entry"):
        read((2.0,), (ONE,), (), "one number")


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        (1.0, ONE, 3),
        ROW.float(),
        ROW.numpy(),
        [torch.tensor(i) for i in (1, 2, 3)],
    ],
)
def test_a_row_in_any_wrapping(value):
    assert read(value, (ROW,), (), "shape (3,)")[0].equal(ROW)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("two", "it returned a str"),
        ({1: 2}, "it returned a dict"),
        ((1.0, 2.0), "a tuple of 2 values; return one: one number (number 2 of yours"),
        (1j, "it returned a complex"),
        (torch.tensor(1j), "it returned a Tensor"),
    ],
)
def test_what_is_no_number(value, words):
    with pytest.raises(Unfit) as why:
        read(value, (ONE,), (), "one number")
    assert words in str(why.value)


def test_entries():
    right, names = (ONE, ROW), ("a", "b")
    for value in ([2, [1, 2, 3]], (ONE[None], ROW), (np.float64(2), ROW.tolist())):
        a, b = read(value, right, names, "two")
        assert a.equal(ONE)
        assert b.equal(ROW)
    for value, words in (
        (ONE, "it returned one number; expected are 2 values, as a tuple: a, b"),
        ("ab", "it returned one str"),
        ((ONE,), "it returned 1 values"),
        ((ONE, None), "b is None"),
        ((ONE, "x"), "b is no number but a str"),
    ):
        with pytest.raises(Unfit, match=words):
            read(value, right, names, "two")


def test_same_is_relative_to_the_largest_and_knows_nan():
    assert same(ROW, ROW * (1 + 1e-8))
    assert not same(ROW, ROW * (1 + 1e-4))
    assert not same(ROW, ROW[:2])
    assert same(ROW * math.nan, ROW * math.nan)
    assert not same(ROW * math.inf, ROW)
    assert same(tensor([0.0]), tensor([0.0]))


def test_exchanged():
    results = [(ONE, ROW, 2 * ROW), (3 * ONE, ROW + 1, ROW)]
    turned = [(a, c, b) for a, b, c in results]
    assert "b and c have changed places" in exchanged(turned, results, ("a", "b", "c"))
    assert not exchanged(results, results, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("came", "right", "words"),
    [
        (math.nan, 1.0, "NaN"),
        (math.inf, 1.0, "infinite"),
        (math.nan, math.inf, "NaN where the right value is infinite"),
        (1e9, math.inf, "finite where the right value is infinite"),
        (2.0, 1.0, ""),
    ],
)
def test_strange(came, right, words):
    said = strange(tensor([came]), tensor([right]))
    assert words in said
    assert bool(words) == bool(said)
