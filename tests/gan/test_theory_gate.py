"""The game's integrals meet hostile input: grids, densities, discriminators."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Categorical,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Uniform,
)

from course_utils.gan import optimal_discriminator, value
from course_utils.mixture.model import GaussianMixture
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

TICKS = [k / 2 for k in range(-28, 29)]
GRID = torch.tensor(TICKS, dtype=torch.float64)
quiet = settings(deadline=None, max_examples=40, derandomize=True, database=None)


def normal(mean=0.0, sigma=1.0):
    return Normal(torch.tensor(mean, dtype=torch.float64), sigma)


P, Q = normal(0.0, 1.5), normal(0.5, 1.75)
BEST = optimal_discriminator(P, Q)
DOORS = {
    "value": Door("grid", lambda grid: value(P, Q, BEST, grid), TICKS),
    "half": Door("grid", lambda grid: value(P, Q, lambda x: x * 0 + 0.5, grid), TICKS),
    "D*": Door("x", BEST, [0.5, -1.0, 3.0], ("column", "infinite", "empty")),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)
    same_in_all_clothes(door, [float(k) for k in range(-14, 15)])  # whole numbers, too


def test_grids_that_are_no_line_are_named():
    for grid in (GRID[None], GRID[0], GRID[:1], torch.cartesian_prod(GRID, GRID)):
        refuses(lambda grid=grid: value(P, Q, BEST, grid), "grid must be (n,)")
    refuses(lambda: value(P, Q, BEST, GRID.flip(0)), "grid must grow")
    refuses(lambda: value(P, Q, BEST, GRID[::9]), "p: the grid [-14,")


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (lambda x: None, "what d returns must be numbers"),
        (lambda x: "half", "what d returns must be numbers"),
        (lambda x: x * 1j, "what d returns must be real numbers"),
        (lambda x: 0.5, "d must be a function that returns shape (57,), got ()"),
        (lambda x: x[:, None].sigmoid(), "that returns shape (57,), got (57, 1)"),
        (lambda x: x.sigmoid()[:-1], "that returns shape (57,), got (56,)"),
        (lambda x: x * math.nan, "d must be in [0, 1], got values from nan"),
        (lambda x: x.sigmoid() + 1e-3, "d must be in [0, 1]"),
        (lambda x: -x.sigmoid(), "d must be in [0, 1]"),
    ],
)
def test_discriminators_that_return_something_else_are_named(returns, words):
    refuses(lambda: value(P, Q, returns, GRID), words)


@pytest.mark.parametrize("bad", [None, 0.5, "D", GRID.sigmoid()])
def test_what_is_no_discriminator_is_named(bad):
    refuses(lambda: value(P, Q, bad, GRID), "d must be a function")


class Strange:
    """A density whose logarithm is not what it should be."""

    def __init__(self, returns):
        self.returns = returns

    def log_prob(self, x):
        return self.returns(x)


@pytest.mark.parametrize(
    "returns",
    [
        lambda x: None,
        lambda x: 0.0,
        lambda x: x.numpy(),
        lambda x: x.long(),
        lambda x: x * 1j,
        lambda x: x * math.nan,
        lambda x: x[:, None] - x,
        lambda x: x.sum(),
        lambda x: x[1:],
    ],
)
def test_a_log_prob_that_returns_something_else_is_named(returns):
    strange = Strange(returns)
    for p, q, name in ((strange, Q, "p"), (P, strange, "q")):
        refuses(lambda p=p, q=q: value(p, q, lambda x: x * 0 + 0.5, GRID), name)
        refuses(lambda p=p, q=q: optimal_discriminator(p, q)(GRID), "log_prob")


LINE = GaussianMixture([1.0], [[0.0]], [[[1.0]]])


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (None, "must have .log_prob, got NoneType"),
        (3.0, "must have .log_prob, got float"),
        (Normal, "must have .log_prob, got the class"),
        (
            Normal(torch.tensor(1), 1.5),
            "loc of {} must be 32 or 64 bit floats",
        ),  # its scale is 1
        (
            Uniform(torch.tensor(-2), torch.tensor(2)),
            "low of {} must be 32 or 64 bit floats",
        ),
        (MultivariateNormal(torch.zeros(3), torch.eye(3)), "{}"),
        (Normal(torch.zeros(3), 1.0), "{}"),
        (LINE, "{}: x must have shape (n, "),
    ],
)
def test_what_is_no_density_on_a_line_is_named(p, words):
    for pair, name in (((p, Q), "p"), ((Q, p), "q")):
        named = words.format(name) if "{}" in words else f"{name} {words}"
        refuses(lambda pair=pair: value(*pair, lambda x: x * 0 + 0.5, GRID), named)
        refuses(lambda pair=pair: optimal_discriminator(*pair)(GRID), named)


def test_two_batches_do_not_meet_by_broadcasting():
    column, row = Normal(torch.zeros(3, 1), 1.0), Normal(torch.zeros(3), 1.0)
    refuses(lambda: optimal_discriminator(column, row)(torch.zeros(3)), "q must be")
    assert optimal_discriminator(row, row)(torch.zeros(3)).tolist() == [0.5] * 3
    rows = optimal_discriminator(LINE, LINE)(torch.zeros(4, 1))
    assert rows.tolist() == [0.5] * 4


def test_mixtures_of_uniforms_have_a_best_discriminator():
    parts = Uniform(*torch.tensor([[0.0, 1.0], [2.0, 3.0]], dtype=torch.float64))
    weights = Categorical(torch.tensor([0.5, 0.5], dtype=torch.float64))
    p, q = MixtureSameFamily(weights, parts), Uniform(0.0, 3.0)
    found = optimal_discriminator(p, q)([0.5, 1.5]).tolist()
    assert found == pytest.approx([0.25 / (0.25 + 1 / 3), 0.5 / (0.5 + 1 / 3)])


@quiet
@given(
    st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6]),
    st.sampled_from([0.0, -1e4, 1e8]),
    st.floats(-2.0, 2.0),
    st.floats(0.5, 2.0),
)
def test_no_unit_and_no_origin_changes_the_game(unit, far, shift, ratio):
    grid = torch.linspace(-20, 20, 801, dtype=torch.float64)
    p, q = normal(), normal(shift, ratio)
    there = normal(far * unit, unit), normal((far + shift) * unit, ratio * unit)
    moved = (far + grid) * unit
    best = optimal_discriminator(p, q), optimal_discriminator(*there)
    torch.testing.assert_close(best[0](grid), best[1](moved), rtol=0, atol=1e-6)
    here = value(p, q, best[0], grid).item()
    assert value(*there, best[1], moved).item() == pytest.approx(here, abs=1e-6)
    assert -math.log(4) - 1e-9 <= here <= 1e-9


def test_an_infinite_density_is_named():
    class Odd:
        def log_prob(self, x):
            return torch.where(x > 1, math.inf, P.log_prob(x))

    refuses(lambda: optimal_discriminator(Odd(), Q)(GRID), "p.log_prob must be numbers")
    refuses(lambda: value(P, Odd(), BEST, GRID), "q.log_prob must be numbers")
