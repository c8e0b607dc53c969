"""KL, JSD and total variation: closed forms, SciPy, properties, and clear refusals."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as scipy_integrate
from scipy import stats
from torch.distributions import (
    Bernoulli,
    Categorical,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Uniform,
    kl_divergence,
)

from course_utils.divergences import js, kl, total_variation
from course_utils.divergences.fits import round_mixture

LOG_2 = math.log(2)
GRID = torch.linspace(-14, 14, 2801, dtype=torch.float64)
PLANE = (torch.linspace(-7, 7, 141, dtype=torch.float64),) * 2


def f64(*values):
    return torch.tensor(values if len(values) > 1 else values[0], dtype=torch.float64)


def normal(mu=0.0, sigma=1.0):
    return Normal(f64(mu), f64(sigma))


def bumps(weights, means, sigmas):
    return MixtureSameFamily(
        Categorical(f64(*weights)), Normal(f64(*means), f64(*sigmas))
    )


P, Q = bumps((0.3, 0.7), (-2.0, 1.5), (0.6, 1.0)), normal(0.4, 1.7)

means, widths = st.floats(-2, 2), st.floats(0.4, 1.5)
gaussians = st.builds(normal, means, widths)
# torch keeps no log-probability below that of 2e-16
shares = st.just(0.0) | st.floats(1e-3, 1.0)
weights = st.lists(shares, min_size=3, max_size=3).filter(any)
tables = st.builds(lambda w: Categorical(f64(*w)), weights)


@settings(deadline=None, max_examples=40)
@given(gaussians, gaussians)
def test_the_grid_gives_the_closed_form_of_two_gaussians(p, q):
    assert abs(kl(p, q, grid=GRID) - kl_divergence(p, q)) < 1e-12 * (1 + kl(p, q))
    assert kl(p, q) == kl_divergence(p, q)


def test_the_grid_in_the_plane_gives_the_closed_form():
    p = MultivariateNormal(f64(0.5, -0.5), f64([[1.0, 0.6], [0.6, 0.8]]))
    q = MultivariateNormal(f64(0.0, 0.3), f64([[1.5, -0.2], [-0.2, 1.1]]))
    ticks = torch.linspace(-9, 9, 181, dtype=torch.float64)
    assert abs(kl(p, q, grid=(ticks, ticks)) - kl_divergence(p, q)) < 1e-12


def test_equal_widths_have_a_closed_total_variation():
    for gap in (0.0, 0.3, 2.0, 5.0):
        expected = math.erf(gap / 2 / math.sqrt(2))
        ours = total_variation(normal(0, 1), normal(gap, 1), grid=GRID)
        assert ours == pytest.approx(expected, abs=1e-5)  # |·| has a kink


def test_scipy_agrees():
    def p(x):
        return 0.3 * stats.norm.pdf(x, -2, 0.6) + 0.7 * stats.norm.pdf(x, 1.5, 1)

    def q(x):
        return stats.norm.pdf(x, 0.4, 1.7)

    def m(x):
        return (p(x) + q(x)) / 2

    def theirs(f):
        return scipy_integrate.quad(f, -12, 12, points=[-2, 1.5], limit=400)[0]

    forward = theirs(lambda x: p(x) * math.log(p(x) / q(x)))
    backward = theirs(lambda x: q(x) * math.log(q(x) / p(x)))
    mean = theirs(
        lambda x: 0.5 * (p(x) * math.log(p(x) / m(x)) + q(x) * math.log(q(x) / m(x)))
    )
    variation = theirs(lambda x: 0.5 * abs(p(x) - q(x)))
    assert kl(P, Q, grid=GRID).item() == pytest.approx(forward, abs=1e-8)
    assert kl(Q, P, grid=GRID).item() == pytest.approx(backward, abs=1e-8)
    assert js(P, Q, grid=GRID).item() == pytest.approx(mean, abs=1e-8)
    assert total_variation(P, Q, grid=GRID).item() == pytest.approx(variation, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(tables, tables)
def test_on_lists_of_outcomes(p, q):
    a, b, m = p.probs, q.probs, (p.probs + q.probs) / 2
    expected = sum(stats.entropy(a.numpy(), m.numpy()) for a in (a, b)) / 2
    assert js(p, q).item() == pytest.approx(expected, abs=1e-12)
    assert total_variation(p, q).item() == pytest.approx((a - b).abs().sum().item() / 2)
    assert kl(p, q).item() == pytest.approx(stats.entropy(a.numpy(), b.numpy()))


@settings(deadline=None, max_examples=60)
@given(tables, tables)
def test_bounds_and_symmetry(p, q):
    divergence, variation = js(p, q), total_variation(p, q)
    assert kl(p, q) >= -1e-15
    assert -1e-15 <= divergence <= LOG_2 + 1e-15
    assert divergence == pytest.approx(js(q, p).item(), abs=1e-15)
    assert variation == pytest.approx(total_variation(q, p).item())
    assert 2 * variation**2 <= kl(p, q) + 1e-12  # Pinsker
    assert variation**2 / 2 <= divergence + 1e-12
    assert divergence <= LOG_2 * variation + 1e-12


@settings(deadline=None, max_examples=20)
@given(st.floats(0.5, 3), st.floats(-2, 2))
def test_all_three_do_not_change_when_x_is_scaled_and_shifted(scale, shift):
    def moved(mu, sigma):
        return normal(scale * mu + shift, scale * sigma)

    grid = scale * GRID + shift
    for divergence in (kl, js, total_variation):
        before = divergence(normal(0, 1), normal(1, 0.7), grid=GRID)
        after = divergence(moved(0, 1), moved(1, 0.7), grid=grid)
        assert after.item() == pytest.approx(before.item(), abs=1e-9)


def test_disjoint_supports():
    p, q = Categorical(f64(0.5, 0.5, 0.0)), Categorical(f64(0.0, 0.0, 1.0))
    assert js(p, q) == pytest.approx(LOG_2)
    assert total_variation(p, q) == pytest.approx(1)
    assert kl(p, q) == math.inf
    assert kl(Bernoulli(f64(0.3)), Bernoulli(f64(1.0))) == math.inf


def test_where_p_is_zero_it_does_not_count():
    grid = torch.linspace(-0.5, 2.5, 3001, dtype=torch.float64)
    half = 0.0005  # so that each edge lies between two points
    p = Uniform(f64(0.0 - half), f64(1.0 - half))
    q = Uniform(f64(0.0 - half), f64(2.0 - half))
    assert kl(p, q, grid=grid).item() == pytest.approx(LOG_2, abs=1e-9)
    assert kl(q, p, grid=grid) == math.inf
    assert js(p, q, grid=grid) < LOG_2


def test_monte_carlo_comes_with_an_honest_error():
    torch.manual_seed(0)
    for divergence in (kl, js, total_variation):
        truth = divergence(P, Q, grid=GRID).item()
        runs = [divergence(P, Q, samples=500) for _ in range(200)]
        z = torch.tensor([(run.value - truth) / run.standard_error for run in runs])
        assert abs(z.mean()) < 4 / 200**0.5
        assert 0.8 < z.std() < 1.2


def test_mixtures_of_the_course_are_densities_too():
    p = round_mixture((0.5, 0.5), [[-1.5, 0.0], [1.5, 0.0]], (0.6, 0.6))
    q = round_mixture((1.0,), [[0.0, 0.0]], (1.4,))
    exact = kl(p, q, grid=PLANE).item()
    same = kl(p.distribution, q.distribution, grid=PLANE).item()
    assert same == pytest.approx(exact)
    assert 0 < js(p, q, grid=PLANE) < LOG_2


@pytest.mark.parametrize(
    ("p", "grid", "words"),
    [
        (normal(), torch.linspace(-1, 9, 401), "to the left of -1"),
        (normal(), torch.linspace(-9, 2, 401), "to the right of 2"),
        (normal(0, 0.01), torch.linspace(-9, 9, 101), "coarse|refine"),
        (normal(0.09, 0.001), torch.linspace(-9, 9, 101), "refine"),
    ],
)
def test_a_grid_that_cuts_mass_says_where(p, grid, words):
    for divergence in (kl, js, total_variation):
        with pytest.raises(ValueError, match=words):
            divergence(p, normal(0.0, 1.2), grid=grid.double())


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ((-6.0, 0.0), "to the left of -7"),
        ((6.0, 0.0), "to the right of 7"),
        ((0.0, -6.0), "below -7"),
        ((0.0, 6.0), "above 7"),
    ],
)
def test_a_grid_in_the_plane_names_the_side_too(shift, words):
    p = MultivariateNormal(f64(*shift), torch.eye(2).double())
    q = MultivariateNormal(f64(0.0, 0.0), torch.eye(2).double())
    with pytest.raises(ValueError, match=f"of p: extend it {words}"):
        kl(p, q, grid=PLANE)
    with pytest.raises(ValueError, match=f"of q: extend it {words}"):
        js(q, p, grid=PLANE)


def test_one_way_never_stands_in_for_another():
    with pytest.raises(ValueError, match=r"MixtureSameFamily.*grid=.*samples="):
        kl(P, Q)
    for divergence in (js, total_variation):
        with pytest.raises(ValueError, match="no exact formula"):
            divergence(normal(), Q)
        with pytest.raises(ValueError, match="not both"):
            divergence(P, Q, grid=GRID, samples=10)
    with pytest.raises(ValueError, match="p has 2 outcomes, q has 3"):
        js(Categorical(torch.ones(2)), Categorical(torch.ones(3)))
    with pytest.raises(ValueError, match="samples must be at least 2, got 1"):
        kl(P, Q, samples=1)
    with pytest.raises(ValueError, match="grow"):
        kl(P, Q, grid=GRID.flip(0))
    with pytest.raises(ValueError, match="pair"):
        kl(P, Q, grid=(GRID, GRID, GRID))


def test_a_formula_is_used_where_torch_has_one():
    p, q = Laplace(f64(0.0), f64(1.0)), Laplace(f64(1.0), f64(2.0))
    assert kl(p, q) == kl_divergence(p, q)
    assert kl(p, q, grid=2 * GRID).item() == pytest.approx(kl(p, q).item(), abs=1e-4)
