"""Quadrature against SciPy; a grid that cuts mass says on which side."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as scipy_integrate
from torch.distributions import Categorical, MixtureSameFamily, Normal, Uniform

from course_utils.quadrature import (
    check_mass,
    expectation,
    integrate,
    log_density,
)


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(0.2, 3))
def test_quadrature_agrees_with_scipy(mu, sigma):
    grid = torch.linspace(mu - 12 * sigma, mu + 12 * sigma, 801, dtype=torch.float64)
    p = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
    ours = expectation(grid.cos(), p.log_prob(grid), grid).item()

    def integrand(x):
        density = math.exp(-0.5 * ((x - mu) / sigma) ** 2)
        return math.cos(x) * density / (sigma * math.sqrt(2 * math.pi))

    bounds = (grid[0].item(), grid[-1].item())
    options = {"limit": 200, "points": [mu], "epsabs": 1e-13, "epsrel": 1e-13}
    theirs, _ = scipy_integrate.quad(integrand, *bounds, **options)
    assert ours == pytest.approx(math.cos(mu) * math.exp(-(sigma**2) / 2), abs=1e-9)
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-8, 1, "to the right of 1"), (-1, 8, "to the left of -1"), (-1, 1, "both sides")],
)
def test_a_grid_that_cuts_mass_says_where(low, high, words):
    grid = torch.linspace(low, high, 401, dtype=torch.float64)
    log_p = Normal(torch.tensor(0.0, dtype=torch.float64), 1.0).log_prob(grid)
    with pytest.raises(ValueError, match=words):
        expectation(grid, log_p, grid)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-3, 14, "to the left of -3$"),
        (-14, 3, "to the right of 3$"),
        (2, 14, "on either side, or refine it$"),
        (-6, 6, "on both sides, or refine it$"),
    ],
)
def test_a_thin_tail_is_not_blamed_for_a_lost_bump(low, high, words):
    grid = torch.linspace(low, high, 801, dtype=torch.float64)
    p = sum(Normal(grid.new_tensor(at), 1.0).log_prob(grid).exp() for at in (-10, 10))
    with pytest.raises(ValueError, match=words):
        check_mass(p / 2, grid)


def test_a_density_that_is_not_normalised_is_refused():
    grid = torch.linspace(-8, 8, 401, dtype=torch.float64)
    with pytest.raises(ValueError, match="not normalised"):
        check_mass(torch.exp(-grid.square() / 2), grid)


def test_zero_times_log_zero_is_zero():
    grid = torch.linspace(-2, 2, 401, dtype=torch.float64)
    p = (grid.abs() <= 1).double() / 2
    p = p / integrate(p, grid)
    entropy = -expectation(p.log(), p.log(), grid)
    assert entropy.item() == pytest.approx(math.log(2), abs=0.01)


def test_integrate_checks_shapes():
    with pytest.raises(ValueError, match="one shape"):
        integrate(torch.ones(3), torch.ones(4))


def test_a_mixture_lives_wherever_one_of_its_parts_does():
    parts = Uniform(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0]))
    p = MixtureSameFamily(Categorical(torch.tensor([0.5, 0.5])), parts)
    x = torch.tensor([-1.0, 0.5, 1.5, 2.5, 9.0])
    assert log_density(p, x).exp().tolist() == [0.0, 0.25, 0.5, 0.25, 0.0]
    one = MixtureSameFamily(Categorical(torch.tensor([1.0, 0.0])), parts)
    assert log_density(one, x).exp().tolist() == [0.0, 0.5, 0.5, 0.0, 0.0]


def test_each_column_has_its_own_support():
    p = Uniform(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 2.0]))
    x = torch.tensor([[0.5, 3.0], [0.7, 1.5]])
    expected = torch.tensor([[0.0, -math.inf], [0.0, math.log(0.5)]])
    torch.testing.assert_close(log_density(p, x), expected)
    state = torch.get_rng_state()
    log_density(p, x)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_coarse_grid_is_refused_even_where_the_sum_is_one_by_accident():
    grid = torch.linspace(-10, 10, 801, dtype=torch.float64)
    sigma, mean = 0.38 * 0.025, 0.025 / 4  # a tick every 2.6 σ, a quarter step off
    p = Normal(torch.tensor(mean, dtype=torch.float64), sigma)
    assert integrate(p.log_prob(grid).exp(), grid).item() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match="too coarse, refine it"):
        expectation((grid - mean) / sigma, p.log_prob(grid), grid)


def test_a_grid_grows_and_a_density_is_a_number():
    grid = torch.linspace(9, -9, 901, dtype=torch.float64)
    with pytest.raises(ValueError, match="grid must grow"):
        expectation(grid, Normal(0.0, 1.0).log_prob(grid), grid)
    with pytest.raises(ValueError, match="p must be a density, got 9 NaN"):
        check_mass(torch.full((9,), math.nan), torch.linspace(0, 1, 9))
