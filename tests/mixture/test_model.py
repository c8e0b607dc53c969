"""The Gaussian mixture of notebook 02: density, sampling, inference, errors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import MultivariateNormal

from course_utils.data import load_old_faithful
from course_utils.mixture import (
    GaussianMixture,
    bic,
    em,
    kmeans_plus_plus,
    match_components,
    restarts,
    sort_components,
)
from course_utils.mixture.fast import features, natural_parameters
from course_utils.quadrature import integrate
from tests.mixture.cases import (
    assert_same,
    close,
    ds,
    generator,
    ks,
    random_mixture,
    seeds,
)


@settings(deadline=None, max_examples=40)
@given(seeds, ks, ds)
def test_density_and_inference_against_scipy_and_torch(seed, k, d):
    mixture = random_mixture(seed, k, d)
    x = mixture.sample(20, generator=generator(seed))
    joint = torch.stack(
        [
            torch.as_tensor(
                stats.multivariate_normal(m.numpy(), c.numpy()).logpdf(x.numpy())
            )
            + w.log()
            for w, m, c in zip(
                mixture.weights, mixture.means, mixture.covariances, strict=True
            )
        ],
        dim=1,
    )
    close(mixture.log_joint(x), joint)
    close(mixture.log_prob(x), joint.logsumexp(1))
    close(mixture.log_prob(x), mixture.distribution.log_prob(x))
    close(mixture.responsibilities(x), joint.softmax(1))
    close(mixture.responsibilities(x).sum(1), torch.ones(20, dtype=torch.float64))
    natural = natural_parameters(mixture.weights, mixture.means, mixture.covariances)
    close((natural @ features(x)).T, joint, rtol=1e-6, atol=1e-6)


def test_the_density_integrates_to_one():
    mixture = random_mixture(3, 4, 1)
    grid = torch.linspace(-30, 30, 4001, dtype=torch.float64)
    mass = integrate(mixture.log_prob(grid[:, None]).exp(), grid)
    assert mass.item() == pytest.approx(1, abs=1e-9)


def test_samples_have_the_moments_of_the_mixture():
    mixture = random_mixture(5, 3, 2)
    n = 200_000
    x, z = mixture.sample(n, labels=True, generator=generator(0))
    share = torch.bincount(z, minlength=3) / n
    error = (mixture.weights * (1 - mixture.weights) / n).sqrt()
    assert bool(((share - mixture.weights).abs() < 4 * error).all())
    for k in range(3):
        own = x[z == k]
        error = (mixture.covariances[k].diagonal() / len(own)).sqrt()
        assert bool(((own.mean(0) - mixture.means[k]).abs() < 4.5 * error).all())
        close(torch.cov(own.T), mixture.covariances[k], rtol=0.1, atol=0.1)


def test_sampling_repeats_with_a_generator():
    mixture = random_mixture(5, 3, 2)
    first = mixture.sample(5, generator=generator(1))
    assert torch.equal(first, mixture.sample(5, generator=generator(1)))
    assert first.shape == (5, 2)


def test_a_weight_of_zero_is_a_component_that_is_never_used():
    one = random_mixture(0, 1, 2)
    two = GaussianMixture(
        torch.tensor([1.0, 0.0]),
        torch.cat([one.means, one.means + 1]),
        torch.cat([one.covariances, one.covariances]),
    )
    x = one.sample(50, generator=generator(0))
    close(two.log_prob(x), one.log_prob(x))
    for state in em(x, two, max_iterations=3, tolerance=0):
        assert math.isfinite(state.log_likelihood)
        assert state.mixture.weights[1] == 0
        assert (1 in state.collapsed) == (state.iteration > 0)


def test_the_record_cannot_be_changed_from_outside():
    weights = torch.tensor([0.5, 0.5])
    mixture = GaussianMixture(weights, torch.zeros(2, 1), torch.ones(2, 1, 1))
    weights[0] = 7
    assert mixture.weights[0] == 0.5
    assert mixture.weights.dtype == torch.float64
    with pytest.raises(AttributeError):
        mixture.weights = weights
    assert (mixture.k, mixture.d, mixture.n_parameters) == (2, 1, 5)


@settings(deadline=None, max_examples=30)
@given(seeds, st.permutations(range(5)))
def test_sorting_and_matching_undo_any_order(seed, order):
    mixture = random_mixture(seed, 5, 2)
    ordered = sort_components(mixture)
    assert bool((ordered.means[:, 0].diff() >= 0).all())
    assert_same(sort_components(mixture.permuted(order)), ordered, rtol=0, atol=0)
    matched = match_components(mixture.permuted(order), mixture)
    assert_same(matched, mixture, rtol=0, atol=0)


def test_bic_counts_parameters():
    x = load_old_faithful()
    mixture = restarts(x, 2, 2, generator=generator(0))[0].mixture
    expected = 11 * math.log(272) - 2 * mixture.log_prob(x).sum().item()
    assert mixture.n_parameters == 11
    assert bic(x, mixture) == pytest.approx(expected, rel=1e-12)


def test_a_component_is_a_torch_distribution():
    mixture = random_mixture(0, 2, 3)
    assert isinstance(mixture.components, MultivariateNormal)
    close(mixture.components.covariance_matrix, mixture.covariances)


ONE = {
    "weights": torch.ones(1),
    "means": torch.zeros(1, 2),
    "covariances": torch.eye(2)[None],
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("weights", torch.tensor([0.6]), "sum to 1, got .* with sum 0.6"),
        ("weights", torch.tensor(1.0), r"weights must have shape \(k,\)"),
        ("weights", torch.tensor([math.nan]), "weights must be finite"),
        ("means", torch.zeros(2, 2), r"means must have shape \(k, d\) with k = 1"),
        ("means", torch.zeros(2), r"means must have shape"),
        ("covariances", torch.eye(2), r"covariances must have shape \(1, 2, 2\)"),
        ("covariances", -torch.eye(2)[None], "positive definite, that of component 0"),
        ("covariances", torch.zeros(1, 2, 2), "positive definite"),
        ("covariances", torch.tensor([[[1.0, 0.5], [0.0, 1.0]]]), "symmetric"),
    ],
)
def test_a_wrong_mixture_is_named(name, value, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(**(ONE | {name: value}))


def test_negative_weights_are_named():
    with pytest.raises(ValueError, match="weights must be >= 0"):
        GaussianMixture(
            torch.tensor([1.5, -0.5]), torch.zeros(2, 1), torch.ones(2, 1, 1)
        )


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(5), r"x must have shape \(n, 2\), got \(5,\)"),
        (torch.zeros(5, 2, 1), r"got \(5, 2, 1\); use x.flatten\(1\)"),
        (torch.zeros(0, 2), "x is empty"),
        (torch.zeros(5, 3), r"x must have shape \(n, 2\), got \(5, 3\)"),
        (torch.full((5, 2), math.nan), "10 values that are NaN"),
    ],
)
def test_wrong_data_are_named(x, words):
    mixture = GaussianMixture(**ONE)
    uses = (mixture.log_prob, mixture.responsibilities, lambda x: next(em(x, mixture)))
    for use in uses:
        with pytest.raises(ValueError, match=words):
            use(x)


def test_numbers_on_a_line_get_the_hint_to_make_a_column():
    line = GaussianMixture([1.0], [[0.0]], [[[1.0]]])
    hint = r"x must have shape \(n, 1\), got \(5,\); use x\[:, None\]"
    for use in (line.log_prob, lambda x: kmeans_plus_plus(x, 2)):
        with pytest.raises(ValueError, match=hint):
            use(torch.zeros(5))


def test_components_that_cannot_be_matched_are_named():
    with pytest.raises(ValueError, match="use sort_components"):
        match_components(random_mixture(0, 9, 1), random_mixture(1, 9, 1))
    with pytest.raises(ValueError, match="reference"):
        match_components(random_mixture(0, 2, 1), random_mixture(1, 3, 1))
