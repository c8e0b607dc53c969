"""One step between two results: each is found, and none is found where none is."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks import noise
from course_utils.checks.relations import ONE_STEP, REDUCED, multiple, relation

CASES = [(noise(seed, 5, 3),) for seed in (0, 1)]
RIGHT = [(case[0] - 0.1,) for case in CASES]
SQUARE = [(noise(seed, 4, 4),) for seed in (2, 3)]


def found(change, right=RIGHT):
    came = [(change(r[0]),) for r in right]
    return relation(came, right, CASES, 0) or multiple(came, right, 0)


@pytest.mark.parametrize(("words", "change"), ONE_STEP)
def test_one_step(words, change):
    right = [(r[0].abs() / 9,) for r in RIGHT] if "logit" in words else RIGHT
    if "root" in words or "logarithm of" in words:
        right = [(r[0].abs() + 1.1,) for r in RIGHT]
    assert found(change, right) == words


@pytest.mark.parametrize(("words", "change"), REDUCED)
def test_reductions(words, change):
    assert found(change, SQUARE) == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r / math.log(2), "bits"),
        (lambda r: 2 * r, "twice the right value"),
        (
            lambda r: -r / 2,
            "half the right value: a factor ½ is too much, or a 2 is mi",
        ),
        (lambda r: 15 * r, "15 times the right value: a sum stands where the mean"),
        (lambda r: r / 5, "1/5 of the right value: a mean stands where the sum"),
        (lambda r: r * 5 / 4, "you divided by 5 − 1"),
        (lambda r: 1.7 * r, "it is 1.7 times the right value, in every case"),
        (lambda r: r + 0.5, "it is ½ too large in every case"),
        (lambda r: r - 1.25, "it is 1.25 too small"),
        (lambda r: r + math.log(5), "log 5"),
        (lambda r: r - 0.5 * math.log(2 * math.pi), "½ log 2π"),
        (lambda r: r * 5 / 6, "you divided by 5 + 1"),
        (lambda r: r.round(decimals=2), "rounded"),
        (lambda r: 0 * r, "it is 0 in every case"),
    ],
)
def test_factors_and_constants(change, words):
    assert words in found(change)


@pytest.mark.parametrize("dim", [0, 1])
def test_what_is_still_to_be_done(dim):
    came = [(r[0],) for r in RIGHT]
    right = [(r[0].sum(dim),) for r in RIGHT]
    assert f"add up over dim={dim}" in relation(came, right, CASES, 0)


@given(st.integers(0, 1000))
def test_nothing_is_found_between_unrelated_results(seed):
    came = [(noise(seed + 10 + i, 5, 3),) for i in range(2)]
    assert relation(came, RIGHT, CASES, 0) == ""


def test_nan_everywhere_is_no_relation():
    came = [(torch.full_like(r[0], math.nan),) for r in RIGHT]
    assert relation(came, [(-r[0].abs(),) for r in RIGHT], CASES, 0) == ""


def test_a_single_number_is_no_index_of_the_largest():
    """Its argmax would be 0, like so many wrong answers."""
    right = [(r[0].mean(),) for r in RIGHT]
    assert "0 in every case" in relation([(0 * r[0],) for r in right], right, CASES, 0)
    assert not relation([(0 * r[0] + 3,) for r in right], right, CASES, 0)
