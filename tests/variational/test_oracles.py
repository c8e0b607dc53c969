"""The models whose truth is known: each truth is computed here in another way."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, Normal, Poisson

from course_utils.variational import (
    BinaryLatents,
    GaussianMean,
    GridModel,
    circle_model,
)
from tests.variational.cases import f64, randn, seeds


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 12), st.floats(0.1, 5), st.floats(0.1, 5))
def test_gaussian_mean_has_the_evidence_of_one_big_gaussian(seed, n, prior, noise):
    model = GaussianMean(0.7, prior, noise)
    x = 2 * randn(seed, n)
    ones = torch.ones(n, dtype=torch.float64)
    covariance = noise**2 * ones.diag() + prior**2 * torch.outer(ones, ones)
    expected = MultivariateNormal(0.7 * ones, covariance).log_prob(x).item()
    assert model.log_prob(x).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    z = f64(-1.0, 0.3, 2.0)
    bayes = model.log_joint(x, z) - model.posterior(x).log_prob(z)
    assert (bayes - model.log_prob(x)).abs().max() < 1e-8 * (1 + abs(expected))


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 8))
def test_binary_latents_enumerate_every_bag_once(seed, n_items):
    model = BinaryLatents(randn(seed, n_items), noise_sigma=0.5)
    codes = torch.tensor(list(itertools.product([0.0, 1.0], repeat=n_items))).flip(1)
    weights = codes.double() @ model.weights  # bag i holds item j if bit j of i is 1
    assert (weights - model.totals()).abs().max() < 1e-12
    x = f64(0.7)[0]
    log_joint = Normal(weights, 0.5).log_prob(x) + n_items * math.log(0.5)
    assert (log_joint - model.log_joint_table(x)).abs().max() < 1e-10
    assert model.posterior(x).sum().item() == pytest.approx(1, abs=1e-12)


def test_binary_latents_define_a_density_and_know_their_elbo():
    model = BinaryLatents(f64(0.5, 1.1, 2.0), noise_sigma=0.2)
    grid = torch.linspace(-3, 7, 401, dtype=torch.float64)
    density = torch.stack([model.log_prob(x) for x in grid]).exp()
    assert torch.trapezoid(density, grid).item() == pytest.approx(1, abs=1e-9)
    x = f64(1.6)[0]
    posterior = model.posterior(x)
    assert (model.elbo(x, posterior) - model.log_prob(x)).abs() < 1e-10
    q = torch.zeros(8).double()
    q[3] = 1.0  # one bag for certain: the ELBO is its log joint
    assert (model.elbo(x, q) - model.log_joint_table(x)[3]).abs() < 1e-12


def test_grid_model_agrees_with_the_conjugate_truth():
    conjugate = GaussianMean(0.0, 1.0, 0.6)
    grid = torch.linspace(-9, 9, 2001, dtype=torch.float64)
    model = GridModel(
        conjugate.prior, lambda x, z: Normal(z, 0.6).log_prob(x[..., 0]), grid
    )
    x = f64([0.4], [-1.2], [3.0])
    expected = torch.stack([conjugate.log_prob(row) for row in x])
    assert (model.log_prob(x) - expected).abs().max() < 1e-8
    posterior = conjugate.posterior(x[0]).log_prob(grid)
    assert (model.log_posterior(x)[:, 0] - posterior).abs().max() < 1e-6
    assert (model.log_prob(x[1]) - expected[1]).abs() < 1e-8


def test_a_count_model_sums_to_one_over_all_counts():
    grid = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    model = GridModel(Normal(0.0, 1.0), lambda x, z: Poisson(z.exp()).log_prob(x), grid)
    counts = torch.arange(4000).double()
    below = model.log_prob(counts[:300]).exp().sum()
    assert 0.9999 < below.item() <= 1 + 1e-9


def test_circle_model_is_a_density_over_the_plane():
    model = circle_model()
    ticks = torch.linspace(-3.5, 3.5, 41, dtype=torch.float64)
    plane = torch.cartesian_prod(ticks, ticks)
    total = model.log_prob(plane).exp().sum() * (ticks[1] - ticks[0]) ** 2
    assert total.item() == pytest.approx(1, abs=1e-8)
    posterior = model.log_posterior(plane[:5]).exp()
    mass = torch.trapezoid(posterior, model.grid, dim=0)
    assert (mass - 1).abs().max() < 1e-8


def test_clear_errors():
    grid = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    with pytest.raises(ValueError, match="noise_sigma must be positive, got -1"):
        GaussianMean(noise_sigma=-1)
    with pytest.raises(ValueError, match="hold the prior's mass"):
        GridModel(Normal(0.0, 1.0), lambda x, z: z, grid[:900])
    sharp = GridModel(Normal(0.0, 1.0), lambda x, z: Normal(z, 1e-3).log_prob(x), grid)
    with pytest.raises(ValueError, match="too coarse"):
        sharp.log_prob(f64(0.123)[0])
