"""Quadrature against SciPy; a grid that cuts mass says on which side."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as scipy_integrate
from torch.distributions import Normal

from course_utils.quadrature import check_mass, expectation, integrate


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
