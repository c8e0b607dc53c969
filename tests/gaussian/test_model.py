"""Notebook 01's Gaussian against closed forms, SciPy and torch.distributions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from course_utils.data import load_heights
from course_utils.gaussian import fit_gaussian, log_likelihood, log_likelihood_surface
from course_utils.quadrature import expectation

scales = st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6])
dtypes = st.sampled_from([torch.float32, torch.float64])
seeds = st.integers(0, 2**31 - 1)


def draw(seed, shape, scale, dtype):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return (scale * (x + 0.5)).to(dtype)


def tolerance(dtype):
    return 1e-3 if dtype == torch.float32 else 1e-10


def test_the_ten_heights_have_the_known_fit():
    fit = fit_gaussian(load_heights())
    assert fit.mean.item() == pytest.approx(1.683, abs=1e-12)
    assert fit.variance.item() == pytest.approx(0.0029210, abs=1e-12)
    assert fit.mean.dtype == torch.float64


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(2, 200), scales, dtypes)
def test_one_dimension_agrees_with_scipy(seed, m, scale, dtype):
    x = draw(seed, (m,), scale, dtype)
    fit = fit_gaussian(x)
    mu, sigma = stats.norm.fit(x.double().numpy())
    assert fit.mean.dtype == dtype
    assert fit.mean.item() == pytest.approx(mu, abs=tolerance(dtype) * scale)
    assert fit.stddev.item() == pytest.approx(sigma, rel=tolerance(dtype))
    expected = stats.norm(mu, sigma).logpdf(x.double().numpy()).sum()
    assert log_likelihood(x, mu, sigma).item() == pytest.approx(
        expected, rel=tolerance(dtype), abs=m * tolerance(dtype)
    )


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 6), st.integers(20, 100), scales, dtypes)
def test_d_dimensions_agree_with_numpy(seed, d, m, scale, dtype):
    x = draw(seed, (m, d), scale, dtype)
    fit = fit_gaussian(x)
    assert isinstance(fit, MultivariateNormal)
    reference = np.cov(x.double().numpy().T, bias=True).reshape(d, d)
    atol = tolerance(dtype) * scale**2
    np.testing.assert_allclose(fit.covariance_matrix.double(), reference, atol=atol)
    np.testing.assert_allclose(fit.mean.double(), x.double().mean(0), atol=atol / scale)


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.9, 1.1), st.floats(-0.1, 0.1))
def test_no_other_parameters_are_more_likely(seed, stretch, shift):
    x = draw(seed, (30,), 1.0, torch.float64)
    fit = fit_gaussian(x)
    best = log_likelihood(x, fit.mean, fit.stddev)
    assert best >= log_likelihood(x, fit.mean + shift, fit.stddev * stretch) - 1e-12


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 50), scales)
def test_the_surface_is_the_log_likelihood_at_every_pair(seed, m, scale):
    x = draw(seed, (m,), scale, torch.float64)
    mu_grid = scale * torch.linspace(-1, 2, 5, dtype=torch.float64)
    sigma_grid = scale * torch.linspace(0.3, 2, 4, dtype=torch.float64)
    surface = log_likelihood_surface(x, mu_grid, sigma_grid)
    assert surface.shape == (4, 5)
    for i, sigma in enumerate(sigma_grid):
        for j, mu in enumerate(mu_grid):
            expected = Normal(mu, sigma).log_prob(x).sum()
            torch.testing.assert_close(surface[i, j], expected, rtol=1e-10, atol=1e-9)


def test_the_gradient_is_zero_at_the_fit():
    x = load_heights()
    fit = fit_gaussian(x)
    mu = fit.mean.clone().requires_grad_()
    sigma = fit.stddev.clone().requires_grad_()
    gradients = torch.autograd.grad(log_likelihood(x, mu, sigma), (mu, sigma))
    assert max(abs(g.item()) for g in gradients) < 1e-9


def test_gradcheck():
    x = draw(0, (7,), 1.0, torch.float64)
    at = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.2, 1.3)]
    assert torch.autograd.gradcheck(lambda mu, s: log_likelihood(x, mu, s), at)


@settings(deadline=None, max_examples=60)
@given(st.floats(-2, 2), st.floats(0.3, 3), st.floats(-2, 2), st.floats(0.3, 3))
def test_kl_by_quadrature_is_the_closed_form_and_never_negative(a, s, b, t):
    grid = torch.linspace(a - 12 * s, a + 12 * s, 2001, dtype=torch.float64)
    p, q = (
        Normal(torch.tensor(m, dtype=torch.float64), v) for m, v in ((a, s), (b, t))
    )
    numeric = expectation(p.log_prob(grid) - q.log_prob(grid), p.log_prob(grid), grid)
    closed = math.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - 0.5
    assert numeric.item() == pytest.approx(closed, abs=1e-10)
    assert closed == pytest.approx(kl_divergence(p, q).item(), abs=1e-12)
    assert closed >= -1e-12
    if (a, s) == (b, t):
        assert closed == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), seeds)
def test_gibbs_inequality_on_discrete_distributions(weights, seed):
    p = np.array(weights) / sum(weights)
    q = np.random.default_rng(seed).dirichlet(np.ones(len(p))) + 1e-9
    assert stats.entropy(p, q / q.sum()) >= -1e-12
    assert stats.entropy(p, p) == 0


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([], "empty"),
        ([1.7], "no spread"),
        ([1.7, math.nan], "1 values that are NaN"),
        ([1.7, math.inf], "infinite"),
        ([1.7, 1.7, 1.7], "sigma = 0"),
        ([0.1] * 10, "unbounded"),
        ([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], "at least one direction"),
        ([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], "at least one direction"),
        ([[[1.0]]], "shape"),
    ],
)
def test_bad_data_are_named(x, words):
    with pytest.raises(ValueError, match=words):
        fit_gaussian(torch.tensor(x, dtype=torch.float64))


def test_bad_parameters_are_named():
    x = load_heights()
    for sigma in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="sigma must be positive"):
            log_likelihood(x, 1.7, sigma)
    with pytest.raises(
        ValueError, match=r"mu must be a single number, got shape \(2,\)"
    ):
        log_likelihood(x, torch.tensor([1.6, 1.7]), 0.1)
    with pytest.raises(ValueError, match="sigma_grid must be positive, got 0"):
        log_likelihood_surface(x, torch.ones(2), torch.tensor([0.0, 1.0]))
    with pytest.raises(ValueError, match=r"x must be .* \(m,\), got shape \(10, 1\)"):
        log_likelihood(x[:, None], 1.7, 0.1)


def test_whole_numbers_are_data_too():
    assert fit_gaussian(torch.tensor([1, 2, 3])).mean.item() == 2.0
