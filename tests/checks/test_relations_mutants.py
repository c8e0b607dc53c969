"""Facts of the relations that a mutant once broke without a test's notice."""

import math

import pytest
import torch

from course_utils.checks import noise
from course_utils.checks.relations import multiple, relation

CASES = [(noise(seed, 4, 4),) for seed in (2, 3)]
EYE = torch.eye(4, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4)])
def test_one_number_along_the_diagonal_is_found(shape):
    right = [(noise(seed, *shape),) for seed in (5, 6)]
    steps = torch.arange(1.0, 5.0, dtype=torch.float64)
    unequal, all_over = torch.diag_embed(steps), EYE + 0.1 * noise(9, 4, 4)

    def words(added):
        return relation([(r[0] + added,) for r in right], right, CASES, 0)

    assert "added to the diagonal" in words(0.37 * EYE)
    assert words(unequal) == words(all_over) == ""


def test_a_vector_has_no_diagonal():
    right = [(noise(seed, 4),) for seed in (5, 6)]
    came = [(r[0] + 0.37 * EYE[0],) for r in right]
    assert relation(came, right, CASES, 0) == ""


@pytest.mark.parametrize(
    ("added", "words"), [(0.25, "¼ too large"), (-math.pi, "π too small")]
)
def test_a_constant_with_a_name_is_a_relation_and_others_are_not(added, words):
    """Any other constant has no reason: it is told only if no slip explains it."""
    right = [(noise(seed, 5, 3),) for seed in (0, 1)]
    cases = [(noise(seed, 7),) for seed in (0, 1)]
    came = [(r[0] + added,) for r in right]
    assert words in relation(came, right, cases, 0)
    other = [(r[0] + 1.234,) for r in right]
    assert relation(other, right, cases, 0) == ""
    assert "1.234 too large" in multiple(other, right, 0)


@pytest.mark.parametrize(
    ("last_step", "words"),
    [
        (torch.sum, "add them all up"),
        (torch.mean, "take the mean over all of them"),
        (lambda r: r.mean(0), "take the mean over dim=0"),
        (lambda r: r.mean(1), "take the mean over dim=1"),
        (lambda r: r[0], "only its first entry is asked"),
        (lambda r: r[..., 0], "only its first column is asked"),
        (lambda r: r[-1], "only its last entry is asked"),
        (torch.diagonal, "only its diagonal is asked"),
    ],
)
def test_the_step_that_is_still_to_be_done_is_said(last_step, words):
    right = [(last_step(r[0]),) for r in CASES]
    assert words in relation(CASES, right, CASES, 0)
