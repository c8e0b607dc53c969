"""Integrals, means and densities meet hostile input."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    Poisson,
)

from course_utils.quadrature import (
    Estimate,
    check_mass,
    draw,
    expectation,
    integrate,
    log_density,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

GRID = torch.linspace(-8, 8, 401, dtype=torch.float64)
P = Normal(GRID.new_tensor(0.0), GRID.new_tensor(1.0))
LOG_P = P.log_prob(GRID)
HALVES = [0.0, 0.5, 1.0, 2.0]
DRAWS = [[1.0, 0.0], [2.0, -1.5], [0.5, 3.0]]
ANY = ("nan", "infinite")  # what comes out is no number either

DOORS = {
    "values": Door("values", lambda v: integrate(v, HALVES), HALVES, ANY),
    "grid": Door("grid", lambda g: integrate(HALVES, g), HALVES, ("infinite",)),
    "draws": Door("draws", Estimate.of, DRAWS, ("column", *ANY)),
    "x": Door("x", lambda x: log_density(P, x), HALVES, ("column", "empty", *ANY)),
}


@pytest.mark.parametrize("name", DOORS)
def test_the_same_numbers_in_other_clothes_give_the_same(name):
    same_in_all_clothes(DOORS[name])


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_named(door, kind):
    # two arguments of two shapes: a message may name the other
    name = "" if kind in ("column", "empty") else door.name
    refuses(lambda: door.call(nonsense(kind, door.good)), name)


def test_a_standard_error_divides_by_n_less_1_also_from_numpy():
    # NumPy's std divides by n: an array would have had another error
    values = np.array([1.0, 2.0, 3.0])
    assert float(Estimate.of(values).standard_error) == pytest.approx(3**-0.5)
    assert float(Estimate.of([1, 2, 3]).standard_error) == pytest.approx(3**-0.5)
    refuses(lambda: Estimate.of(2.0), "draws must be of shape (n, …)")


def test_an_expectation_wants_one_number_for_each_tick():
    square = (GRID**2).tolist()
    assert float(expectation(square, LOG_P.tolist(), GRID.numpy())) == pytest.approx(1)
    for bad in (2.0, GRID[:, None], GRID[None], GRID[:-1], GRID + 0j, None):
        refuses(lambda bad=bad: expectation(bad, LOG_P, GRID), "f must")
    refuses(lambda: expectation(GRID, LOG_P + math.nan, GRID), "p must be a density")


@pytest.mark.parametrize("bad", [None, "x", math.nan, math.inf, 0, 1.0, -0.1, True])
def test_a_tolerance_lets_something_fail(bad):
    refuses(lambda: check_mass(LOG_P.exp(), GRID, bad), "tolerance must")
    check_mass(LOG_P.exp(), GRID, np.float32(0.01))


@pytest.mark.parametrize("bad", [None, 2.5, "3", 0, -1, True, 10**400])
def test_draws_are_counted(bad):
    refuses(lambda: draw(P, bad), "n must be")
    assert draw(P, np.int8(3)).shape == (3,)


@pytest.mark.parametrize("bad", [None, "x", 1.0, Normal, object()])
def test_what_has_no_density_is_named(bad):
    refuses(lambda: log_density(bad, GRID), "p must be an object with log_prob")
    if not isinstance(bad, str):
        refuses(lambda: draw(bad, 2), "p must have .sample")


def test_outcomes_stay_whole_numbers():
    p = Categorical(torch.tensor([0.25, 0.75]))
    expected = [math.log(0.25), math.log(0.75)]
    for outcomes in (torch.tensor([0, 1]), [0, 1], np.array([0, 1])):
        assert log_density(p, outcomes).tolist() == pytest.approx(expected)


WHOLE = {
    "loc of p": Normal(torch.tensor(0), torch.tensor(1)),
    "probs of p": Bernoulli(torch.tensor(1)),
    "rate of p": Poisson(torch.tensor(3)),
    "concentration of _dirichlet of p": Beta(torch.tensor(1), torch.tensor(1)),
    "loc of base_dist of p": Independent(Normal(torch.tensor([0]), 1.0), 1),
    "loc of _component_distribution of p": MixtureSameFamily(
        Categorical(torch.ones(2)),
        Normal(torch.tensor([0, 1]), torch.tensor([1, 1])),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_distributions_of_whole_numbers_are_named(name):
    """Torch can't draw from them, or says so from its inside."""
    refuses(lambda: draw(WHOLE[name], 3), f"{name} must be 32 or 64 bit floats")
    refuses(lambda: log_density(WHOLE[name], GRID), f"{name} must be 32 or 64 bit")
