"""Probabilistic PCA: its algebra against Bayes' rule, samples and scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.decomposition import PCA, FactorAnalysis
from torch.distributions import MultivariateNormal

from course_utils.quadrature import Estimate
from course_utils.training import seeded
from course_utils.variational import LinearGaussian, ppca_maximum_likelihood
from tests.variational.cases import f64, randn


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


def test_clear_errors():
    with pytest.raises(ValueError, match="noise_sigma must be positive, got 0"):
        LinearGaussian(randn(0, 3, 2), randn(0, 3), 0.0)
    with pytest.raises(ValueError, match=r"weight must be \(D, d\)"):
        LinearGaussian(randn(0, 3, 2), randn(0, 2), 1.0)
    with pytest.raises(ValueError, match=r"latent_dim must be in 1\.\.2, got 3"):
        ppca_maximum_likelihood(randn(0, 9, 3), 3)
