"""The game by its theory: the best D, and the value of the game."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Categorical,
    MixtureSameFamily,
    Normal,
    Uniform,
    kl_divergence,
)

from course_utils.divergences import js
from course_utils.gan import Discriminator, optimal_discriminator, value
from course_utils.quadrature import expectation

GRID = torch.linspace(-25, 25, 4001, dtype=torch.float64)


def normal(mu, sigma):
    return Normal(torch.tensor(mu, dtype=torch.float64), sigma)


def two_humps():
    centres = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    weights = Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64))
    return MixtureSameFamily(
        weights, Normal(centres, torch.tensor([0.5, 1.0]).double())
    )


class Half:
    """The mixture m = (p + q) / 2."""

    def __init__(self, p, q):
        self.p, self.q = p, q

    def log_prob(self, x):
        both = torch.stack([self.p.log_prob(x), self.q.log_prob(x)])
        return both.logsumexp(0) - math.log(2)


def jsd(p, q):
    m = Half(p, q).log_prob(GRID)
    logs = [p.log_prob(GRID), q.log_prob(GRID)]
    return sum(expectation(each - m, each, GRID) for each in logs) / 2


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (normal(0.0, 1.0), normal(1.0, 2.0)),
        (two_humps(), normal(0.5, 3.0)),
        (normal(0.0, 1.0), normal(0.0, 1.0)),
        (normal(-9.0, 0.5), normal(9.0, 0.5)),
    ],
)
def test_the_best_value_is_two_jsd_minus_log_four(p, q):
    best = value(p, q, optimal_discriminator(p, q), GRID)
    assert best.item() == pytest.approx(2 * jsd(p, q).item() - math.log(4), abs=1e-10)
    assert -math.log(4) - 1e-10 <= best.item() <= 1e-10


def test_the_sum_of_the_two_kls_is_twice_the_jsd():
    p, q = normal(0.0, 1.0), normal(1.0, 2.0)
    m = Half(p, q).log_prob(GRID)
    sum_of_kls = sum(
        expectation(each.log_prob(GRID) - m, each.log_prob(GRID), GRID)
        for each in (p, q)
    )
    assert sum_of_kls.item() == pytest.approx(2 * jsd(p, q).item(), abs=1e-12)
    assert jsd(p, q) < kl_divergence(p, q)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(-4, 4),
    st.floats(0.3, 3),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.booleans(),
)
def test_no_discriminator_beats_the_best_one(mu, sigma, a, b, constant):
    p, q = two_humps(), normal(mu, sigma)
    best = optimal_discriminator(p, q)
    probability = best(GRID)
    assert bool(((probability >= 0) & (probability <= 1)).all())

    def other(x):
        return torch.sigmoid(a + (0 if constant else b) * x)

    assert value(p, q, other, GRID) <= value(p, q, best, GRID) + 1e-12


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(0.001, 0.999))
def test_a_log_y_plus_b_log_one_minus_y_peaks_at_a_over_a_plus_b(a, b, y):
    def curve(y):
        return a * math.log(y) + b * math.log1p(-y)

    assert curve(y) <= curve(a / (a + b)) + 1e-12


def test_the_best_discriminator_far_out_and_where_there_is_nothing():
    p, q = normal(0.0, 1.0), normal(1.0, 1.0)
    x = torch.tensor([-60.0, 0.5, 60.0], dtype=torch.float64)
    assert optimal_discriminator(p, q)(x).tolist() == pytest.approx(
        [1, 0.5, 0], abs=1e-9
    )

    class Nothing:
        def log_prob(self, x):
            return torch.full_like(x, -math.inf)

    assert bool((optimal_discriminator(Nothing(), Nothing())(x) == 0.5).all())
    assert bool((optimal_discriminator(p, Nothing())(x) == 1).all())


def test_densities_that_end_have_a_value_too():
    """V(D*) = 2 JSD − log 4, also where p or q is zero and torch would raise."""
    edge = torch.tensor(2.00625, dtype=torch.float64)  # between two points of the grid
    p, q = Uniform(-edge, edge), normal(0.5, 1.5)
    best = optimal_discriminator(p, q)
    probability = best(GRID)
    outside = GRID.abs() > edge
    assert bool((probability[outside] == 0).all())
    assert bool((probability[~outside] > 0).all())
    found = value(p, q, best, GRID).item()
    assert found == pytest.approx(2 * js(p, q, GRID).item() - math.log(4), abs=1e-12)
    assert optimal_discriminator(p, Uniform(edge + 1, edge + 2))(edge + 0.5) == 0.5


def test_value_says_what_is_wrong():
    p, q = normal(0.0, 1.0), normal(6.0, 1.0)
    short = torch.linspace(-8, 5, 801, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^q: .*to the right of 5"):
        value(p, q, optimal_discriminator(p, q), short)
    with pytest.raises(ValueError, match=r"^p: .*to the left of -1"):
        value(p, q, optimal_discriminator(p, q), torch.linspace(-1, 15, 801).double())
    with pytest.raises(ValueError, match=r"d must be in \[0, 1\], got .* to 2"):
        value(p, q, lambda x: 2 + 0 * x, GRID)
    with pytest.raises(
        ValueError, match=r"d must be a .* returns shape \(4001,\), got \(4001, 1\)"
    ):
        value(p, q, lambda x: x[:, None].sigmoid(), GRID)
    net = Discriminator(data_dim=1, hidden=(8,)).double()
    found = value(p, q, net.probability, GRID)
    assert found <= value(p, q, optimal_discriminator(p, q), GRID)
