"""The quick sums of EM against scikit-learn: the same numbers at every iteration."""

import numpy as np
import pytest
import torch

from course_utils.data import load_old_faithful
from course_utils.mixture import (
    GaussianMixture,
    bic,
    em,
    kmeans_plus_plus,
    m_step,
    start_at,
)

sklearn = pytest.importorskip("sklearn.mixture")


def scikit(start: GaussianMixture, floor=1e-6):
    """scikit-learn's estimator, holding our start as its current parameters."""
    estimator = sklearn.GaussianMixture(start.k, reg_covar=floor)
    estimator.weights_ = start.weights.numpy()
    estimator.means_ = start.means.numpy()
    estimator.covariances_ = start.covariances.numpy()
    inverse = torch.linalg.inv(torch.linalg.cholesky(start.covariances))
    estimator.precisions_cholesky_ = inverse.mT.numpy()
    return estimator


def compare(x, start, iterations, floor=1e-6, rtol=1e-8):
    """Largest relative difference of the log-likelihoods; parameters within rtol."""
    estimator, log_r, largest = scikit(start, floor), None, 0.0
    scale = x.std(0).numpy()
    square = scale[:, None] * scale
    for state in em(x, start, floor, max_iterations=iterations, tolerance=0):
        if state.iteration:
            estimator._m_step(x.numpy(), log_r)
        log_likelihood, log_r = estimator._e_step(x.numpy())
        difference = abs(state.log_likelihood - log_likelihood) / abs(log_likelihood)
        largest = max(largest, difference)
        for name, unit in (("weights", 1), ("means", scale), ("covariances", square)):
            ours = getattr(state.mixture, name).numpy() / unit
            theirs = getattr(estimator, name + "_") / unit
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)
    return largest


def groups(n, d, k, seed=0):
    """Data that EM does not solve at once, and a start."""
    g = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(k, d, generator=g, dtype=torch.float64)
    z = torch.randint(k, (n,), generator=g)
    x = centres[z] + torch.randn(n, d, generator=g, dtype=torch.float64)
    return x, start_at(x[:2000], x[:k])


@pytest.mark.parametrize("d", [1, 2, 16])
@pytest.mark.parametrize("k", [1, 3, 10, 50])
def test_every_iteration_equals_scikit_learn(d, k):
    x, start = groups(5000, d, k)
    assert compare(x, start, iterations=8) < 1e-10


@pytest.mark.parametrize(("d", "k"), [(1, 10), (2, 3), (16, 3), (16, 10)])
def test_examples_that_fill_many_chunks(d, k):
    x, start = groups(50_000, d, k)  # a chunk holds at most 16 392
    assert compare(x, start, iterations=3) < 1e-10


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_old_faithful_until_it_converges(k):
    x = load_old_faithful()
    start = start_at(x, kmeans_plus_plus(x, k, torch.Generator().manual_seed(1)))
    assert compare(x, start, iterations=100) < 1e-10


@pytest.mark.parametrize("d", [2, 16])
def test_far_from_the_origin(d):
    """1e4 standard deviations away; scikit-learn itself loses some digits here."""
    x, start = groups(5000, d, 5)
    moved = GaussianMixture(start.weights, start.means + 1e4, start.covariances)
    assert compare(x + 1e4, moved, iterations=5, rtol=1e-6) < 1e-10


@pytest.mark.parametrize("d", [2, 16])
def test_axes_of_very_different_scale(d):
    x, start = groups(5000, d, 5)
    scale = torch.logspace(-3, 3, d, dtype=torch.float64)
    unit = scale[:, None] * scale
    start = GaussianMixture(
        start.weights, start.means * scale, start.covariances * unit
    )
    assert compare(x * scale, start, iterations=5, floor=1e-12) < 1e-10


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4])
def test_components_much_narrower_than_the_data(width):
    x, _ = groups(5000, 2, 5, seed=3)
    x = x / 10
    centres = x[:5].clone()
    x = centres[torch.arange(5000) % 5] + width * x
    one_hot = torch.nn.functional.one_hot(torch.arange(5000) % 5).double()
    start = m_step(x, 0.9 * one_hot + 0.02, covariance_floor=0.0)
    assert compare(x, start, iterations=8, floor=0.0, rtol=1e-6) < 1e-10


@pytest.mark.parametrize("k", [10, 50])
def test_a_thousand_examples_in_sixteen_dimensions(k):
    x, start = groups(1000, 16, k)
    assert compare(x, start, iterations=15, rtol=1e-6) < 1e-10


def test_bic_is_scikit_learns():
    x = load_old_faithful()
    *_, last = em(x, start_at(x, x[:3]))
    theirs = scikit(last.mixture).bic(x.numpy())
    assert bic(x, last.mixture) == pytest.approx(theirs, rel=1e-10)
