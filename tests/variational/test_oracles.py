"""The models whose truth is known: each truth is computed here in another way."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA, FactorAnalysis
from torch.distributions import MultivariateNormal, Normal, Poisson

from course_utils.training import seeded
from course_utils.variational import Estimate
from course_utils.variational.oracles import (
    BinaryLatents,
    GaussianMean,
    GridModel,
    circle_model,
)
from course_utils.variational.ppca import LinearGaussian, ppca_maximum_likelihood

seeds = st.integers(0, 2**31 - 1)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def randn(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


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


def test_linear_gaussian_bayes_rule_and_shapes():
    model = LinearGaussian(randn(0, 4, 2), randn(1, 4), 0.5)
    x, z = randn(2, 7, 4), randn(3, 7, 2)
    posterior = model.posterior(x)
    assert posterior.batch_shape == (7,)
    bayes = model.log_joint(x, z) - posterior.log_prob(z)
    assert (bayes - model.log_prob(x)).abs().max() < 1e-10


def test_linear_gaussian_samples_have_its_marginal():
    model = LinearGaussian(f64([1.0], [2.0]), f64(1.0, -1.0), 0.5)
    with seeded(0):
        x, z = model.sample(20_000)
    assert (x.shape, z.shape) == ((20_000, 2), (20_000, 1))
    marginal = model.marginal()
    mean = Estimate.of(x)
    assert bool(((mean.value - marginal.mean).abs() < 4 * mean.standard_error).all())
    products = (x - marginal.mean)[:, :, None] * (x - marginal.mean)[:, None, :]
    second = Estimate.of(products)
    error = (second.value - marginal.covariance_matrix).abs()
    assert bool((error < 4 * second.standard_error).all())


@pytest.mark.parametrize(("n", "data_dim", "latent_dim"), [(50, 3, 1), (200, 8, 3)])
def test_ppca_agrees_with_scikit_learn(n, data_dim, latent_dim):
    x = randn(n, n, latent_dim) @ randn(1, latent_dim, data_dim)
    x = x + 0.3 * randn(2, n, data_dim) + 5
    model = ppca_maximum_likelihood(x, latent_dim)
    pca = PCA(latent_dim).fit(x.numpy())
    # scikit-learn divides by n − 1: its covariance is n / (n − 1) times ours
    assert pca.noise_variance_ * (n - 1) / n == pytest.approx(
        model.noise_sigma.item() ** 2, rel=1e-10
    )
    ours = model.marginal().covariance_matrix.numpy()
    np.testing.assert_allclose(pca.get_covariance() * (n - 1) / n, ours, rtol=1e-8)
    scaled = PCA(latent_dim).fit(x.numpy() * math.sqrt((n - 1) / n))
    shifted = x * math.sqrt((n - 1) / n)
    twin = MultivariateNormal(shifted.mean(0), model.marginal().covariance_matrix)
    np.testing.assert_allclose(
        scaled.score_samples(shifted.numpy()), twin.log_prob(shifted), rtol=1e-8
    )


def test_ppca_is_a_maximum_and_factor_analysis_can_only_be_better():
    x = randn(0, 300, 2) @ randn(1, 2, 5) + 0.4 * randn(2, 300, 5)
    model = ppca_maximum_likelihood(x, 2)
    best = model.log_prob(x).mean().item()
    for seed in range(20):
        other = LinearGaussian(
            model.weight + 0.02 * randn(seed, 5, 2),
            model.mean + 0.02 * randn(seed + 100, 5),
            model.noise_sigma * (1 + 0.02 * randn(seed + 200, 1)),
        )
        assert other.log_prob(x).mean().item() < best
    factor = FactorAnalysis(2, tol=1e-8, max_iter=2000).fit(x.numpy())
    assert factor.score(x.numpy()) >= best - 1e-6
    # the same covariance gives the same likelihood as scikit-learn's scorer
    factor.components_ = model.weight.T.numpy()
    factor.noise_variance_ = np.full(5, model.noise_sigma.item() ** 2)
    assert factor.score(x.numpy()) == pytest.approx(best, rel=1e-10)


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 8))
def test_binary_latents_enumerate_every_bag_once(seed, n_items):
    model = BinaryLatents(randn(seed, n_items), noise_sigma=0.5)
    codes = model.codes()
    assert len({tuple(row) for row in codes.tolist()}) == 2**n_items
    assert (codes @ model.weights - model.totals()).abs().max() < 1e-12
    x = f64(0.7)[0]
    table = model.log_joint_table(x)
    assert (model.log_joint(x, codes) - table).abs().max() < 1e-10
    assert model.posterior(x).sum().item() == pytest.approx(1, abs=1e-12)


def test_binary_latents_define_a_density_and_know_their_elbo():
    model = BinaryLatents(f64(0.5, 1.1, 2.0), noise_sigma=0.2)
    grid = torch.linspace(-3, 7, 4001, dtype=torch.float64)
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
    ticks = torch.linspace(-4, 4, 65, dtype=torch.float64)
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
    with pytest.raises(ValueError, match=r"weight must be \(D, d\)"):
        LinearGaussian(randn(0, 3, 2), randn(0, 2), 1.0)
    with pytest.raises(ValueError, match=r"latent_dim must be in 1\.\.2, got 3"):
        ppca_maximum_likelihood(randn(0, 9, 3), 3)
    with pytest.raises(ValueError, match="hold the prior's mass"):
        GridModel(Normal(0.0, 1.0), lambda x, z: z, grid[:900])
    sharp = GridModel(Normal(0.0, 1.0), lambda x, z: Normal(z, 1e-3).log_prob(x), grid)
    with pytest.raises(ValueError, match="too coarse"):
        sharp.log_prob(f64(0.123)[0])
