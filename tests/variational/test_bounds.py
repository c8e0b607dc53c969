"""Bounds against closed forms and quadrature."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Categorical,
    Independent,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from course_utils.mixture import GaussianMixture, e_step
from course_utils.training import seeded
from course_utils.variational import (
    GaussianMean,
    circle_model,
    elbo,
    elbo_by_quadrature,
    iwae_bound,
    iwae_exact,
)
from tests.variational.cases import f64, linear_model, random_tables, seeds

# ---- the identity: log p(x) = ELBO + KL(q ‖ posterior) ----


@settings(deadline=None, max_examples=50)
@given(seeds, st.integers(2, 40))
def test_a_table_satisfies_elbo_plus_kl_is_log_p(seed, size):
    log_joint, q = random_tables(seed, size)
    log_p = log_joint.logsumexp(0)
    posterior = Categorical(logits=log_joint)
    bound = iwae_exact(log_joint, q, 1)
    assert bound <= log_p + 1e-12
    gap = kl_divergence(Categorical(q), posterior)
    assert (log_p - bound - gap).abs() < 1e-10
    assert (iwae_exact(log_joint, posterior.probs, 1) - log_p).abs() < 1e-10


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(-3, 3), st.floats(0.05, 3))
def test_a_normal_q_satisfies_it_in_the_conjugate_model(seed, mean, sigma):
    model = GaussianMean(prior_mean=0.5, prior_sigma=2.0, noise_sigma=0.7)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(6, generator=generator, dtype=torch.float64)
    q = Normal(f64(mean)[0], f64(sigma)[0])
    gap = kl_divergence(q, model.posterior(x))
    assert model.elbo(x, q).item() == pytest.approx(
        (model.log_prob(x) - gap).item(), abs=1e-9, rel=1e-12
    )
    by_nodes = elbo_by_quadrature(lambda z: model.log_joint(x, z), q)
    assert by_nodes.item() == pytest.approx(
        model.elbo(x, q).item(), abs=1e-9, rel=1e-12
    )


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_full_normal_q_satisfies_it_in_the_linear_model(seed):
    model, x = linear_model(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    a = torch.randn(3, 2, generator=generator).double()
    q = MultivariateNormal(a[0], a[1:].T @ a[1:] + 0.1 * torch.eye(2))
    log_p, posterior = model.log_prob(x), model.posterior(x)
    gap = kl_divergence(q, posterior)
    assert gap >= 0
    assert (model.elbo(x, q) + gap - log_p).abs() < 1e-8 * (1 + log_p.abs())
    assert (model.elbo(x, posterior) - log_p).abs() < 1e-9 * (1 + log_p.abs())


@pytest.mark.parametrize("x", [f64(0.9, 0.1), f64(-1.0, 0.05), f64(0.2, -0.7)])
@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (1.8, 0.3), (-2.0, 0.7)])
def test_a_normal_q_satisfies_it_where_only_a_grid_knows_the_truth(x, mean, sigma):
    model = circle_model()
    q = Normal(f64(mean)[0], f64(sigma)[0])
    log_q = q.log_prob(model.grid)
    log_posterior = model.log_posterior(x)
    gap = torch.trapezoid(log_q.exp() * (log_q - log_posterior), model.grid)
    bound = elbo_by_quadrature(lambda z: model.log_joint(x, z), q)
    assert (bound + gap - model.log_prob(x)).abs() < 1e-8


def test_responsibilities_as_q_leave_no_gap():
    mixture = GaussianMixture(
        f64(0.3, 0.7), f64([-1.0, 0.0], [2.0, 1.0]), torch.eye(2).repeat(2, 1, 1)
    )
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double()
    r, log_joint = e_step(x, mixture), mixture.log_joint(x)
    bound = (r * (log_joint - r.log())).sum(1)
    assert (bound - mixture.log_prob(x)).abs().max() < 1e-10
    other = r.roll(1, dims=0)
    bound = (other * (log_joint - other.log())).sum(1)
    gap = kl_divergence(Categorical(other), Categorical(r))
    assert (bound + gap - mixture.log_prob(x)).abs().max() < 1e-10


# ---- Monte Carlo agrees with the exact values ----


@pytest.mark.parametrize("seed", range(5))
def test_the_sampled_elbo_is_within_four_standard_errors(seed):
    model, x = linear_model(seed)
    q = Independent(Normal(f64(0.2, -0.5), f64(0.8, 0.4)), 1)
    with seeded(seed):
        estimate = elbo(lambda z: model.log_joint(x, z), q, n_samples=4000)
    error = (estimate.value - model.elbo(x, q)).abs()
    assert 0 < estimate.standard_error < 1
    assert error < 4 * estimate.standard_error


def test_the_elbo_of_the_posterior_has_no_noise_at_all():
    model, x = linear_model(3)
    estimate = elbo(lambda z: model.log_joint(x, z), model.posterior(x), n_samples=50)
    assert estimate.standard_error < 1e-10
    assert (estimate.value - model.log_prob(x)).abs() < 1e-10


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 2, 7])
def test_the_sampled_iwae_bound_is_within_four_standard_errors(seed, k):
    log_joint, q = random_tables(seed, 4)
    with seeded(seed):
        estimate = iwae_bound(lambda z: log_joint[z], Categorical(q), k, 5000)
    error = (estimate.value - iwae_exact(log_joint, q, k)).abs()
    assert error < 4 * estimate.standard_error


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_exact_iwae_bound_is_the_sum_over_all_tuples(k):
    log_joint, q = random_tables(k, 3)
    total = 0.0
    for draws in itertools.product(range(3), repeat=k):
        z = torch.tensor(draws)
        log_mean = (log_joint[z] - q[z].log()).logsumexp(0) - math.log(k)
        total += q[z].prod() * log_mean
    assert (iwae_exact(log_joint, q, k) - total).abs() < 1e-12


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(2, 4))
def test_iwae_never_falls_with_k_and_stays_below_log_p(seed, size):
    log_joint, q = random_tables(seed, size)
    bounds = torch.stack([iwae_exact(log_joint, q, k) for k in range(1, 12)])
    assert bounds.diff().min() > -1e-10
    assert bounds.max() <= log_joint.logsumexp(0) + 1e-10


def test_iwae_tends_to_log_p_like_the_variance_of_the_weights_over_2k():
    log_joint, q = f64(-1.0, -3.0), f64(0.4, 0.6)
    weights = (log_joint - q.log()).exp()
    p = (q * weights).sum()
    coefficient = ((q * weights.square()).sum() - p**2) / (2 * p**2)
    gap = p.log() - iwae_exact(log_joint, q, 2000)
    assert (2000 * gap / coefficient).item() == pytest.approx(1, abs=2e-3)


# ---- what a learner gets wrong ----


def test_clear_errors():
    q = Normal(f64(0.0)[0], 1.0)
    with pytest.raises(ValueError, match="n_samples must be at least 2, got 1"):
        elbo(q.log_prob, q, n_samples=1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        iwae_bound(q.log_prob, q, k=0)
    with pytest.raises(ValueError, match="q must be positive"):
        iwae_exact(f64(0.0, 0.0), f64(1.0, 0.0), 2)
