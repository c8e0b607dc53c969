"""Coordinate ascent against exact evidences."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence

from course_utils.training import seeded
from course_utils.variational import BayesianMixture, cavi_gaussian, cavi_mixture
from tests.variational.cases import f64, seeds


def mixture_data(seed, k, n):
    model = BayesianMixture(k)
    with seeded(seed):
        return model, model.sample(n)[0]


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(2, 5))
def test_gaussian_cavi_finds_the_best_product(seed, d):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(d, d + 2, generator=generator, dtype=torch.float64)
    precision = draw[:, 2:] @ draw[:, 2:].T + torch.eye(d)
    target = MultivariateNormal(draw[:, 0], precision_matrix=precision)
    states = list(cavi_gaussian(target.mean, precision, draw[:, 1], n_sweeps=20))
    means = torch.stack([state.mean for state in states])
    q = MultivariateNormal(means, states[0].sigma.square().diag())
    assert kl_divergence(q, target).diff().max() <= 1e-9
    assert all(torch.equal(state.sigma, states[0].sigma) for state in states)
    assert torch.equal(states[-1].sigma, precision.diagonal().rsqrt())
    assert [s.coordinate for s in states[: d + 1]] == [None, *range(d)]
    assert states[0].mean.tolist() == draw[:, 1].tolist()  # states do not change later


def test_gaussian_cavi_converges_to_the_mean():
    precision = f64([2.0, -1.2], [-1.2, 1.0])
    *_, last = cavi_gaussian(f64(1.0, -1.0), precision, f64(5.0, 5.0), n_sweeps=100)
    assert (last.mean - f64(1.0, -1.0)).abs().max() < 1e-9


def test_the_evidence_by_enumeration_is_the_integral_over_the_means():
    model, x = mixture_data(0, 2, 10)
    ticks = torch.linspace(-40, 40, 401, dtype=torch.float64)
    prior = Normal(f64(0.0)[0], model.prior_sigma).log_prob(ticks).exp()
    assert torch.trapezoid(prior, ticks).item() == pytest.approx(1, abs=1e-12)
    log_joint = model.log_joint(x, torch.cartesian_prod(ticks, ticks))
    total = log_joint.logsumexp(0) + 2 * math.log(ticks[1] - ticks[0])
    assert (model.log_prob(x) - total).abs() < 1e-8


@pytest.mark.parametrize("seed", range(6))
def test_label_switching_costs_log_2(seed):
    model, x = mixture_data(seed, 2, 10)
    best = max(
        list(cavi_mixture(x, model, f64(*start)))[-1].elbo
        for start in ((x.min(), x.max()), (x.mean() - 0.1, x.mean() + 0.1))
    )
    gap = (model.log_prob(x) - best).item()
    assert gap >= -1e-10
    states = list(cavi_mixture(x, model, f64(x.min(), x.max())))
    separation = (states[-1].means[0] - states[-1].means[1]).abs()
    if separation > 4:  # two posterior peaks that do not touch: q can hold one
        assert gap >= math.log(2) - 1e-3


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 3))
def test_mixture_cavi_is_monotone_and_below_the_evidence(seed, k):
    model, x = mixture_data(seed, k, 8)
    elbos = [s.elbo for s in cavi_mixture(x, model, x[:k].clone())]
    assert all(b >= a - 1e-10 for a, b in pairwise(elbos))
    assert elbos[-1] <= model.log_prob(x).item() + 1e-10


def test_one_component_is_exact():
    model, x = mixture_data(1, 1, 12)
    *_, last = cavi_mixture(x, model, f64(0.0))
    assert last.elbo == pytest.approx(model.log_prob(x).item(), abs=1e-10)


def test_the_elbo_of_a_state_is_the_definition():
    """Sum every term of E_q[log p(x, c, μ)] − E_q[log q] by hand."""
    model, x = mixture_data(2, 3, 9)
    for state in cavi_mixture(x, model, f64(-1.0, 0.5, 2.0)):
        offset = (state.means.square() + state.sigmas.square()) / 2
        r = (x[:, None] * state.means - offset).softmax(1)  # the best q(c_i = k)
        squares = (x[:, None] - state.means).square() + state.sigmas.square()
        likelihood = (r * (-squares / 2 - math.log(2 * math.pi) / 2)).sum()
        q = Normal(state.means, state.sigmas)
        prior = Normal(torch.zeros_like(state.means), model.prior_sigma)
        labels = Categorical(r).entropy().sum() - 9 * math.log(3)
        expected = likelihood + labels - kl_divergence(q, prior).sum()
        assert state.elbo == pytest.approx(expected.item(), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_large_runs_are_monotone_to_rounding(seed):
    centres = f64(-6.0, -3.0, 0.0, 3.0, 6.0)
    with seeded(seed):
        x = centres[torch.randint(5, (10_000,))] + torch.randn(10_000).double()
    states = list(cavi_mixture(x, BayesianMixture(5), x[:5].clone()))
    elbos = f64(*[s.elbo for s in states])
    assert (elbos.diff() / elbos[1:].abs()).min() > -1e-10
    error = (states[-1].means.sort().values - centres).abs()
    assert bool((error < 6 * states[-1].sigmas.max()).all())


def test_clear_errors():
    model, x = mixture_data(0, 2, 10)
    with pytest.raises(ValueError, match=r"means \(2,\), got \(10,\) and \(3,\)"):
        next(cavi_mixture(x, model, f64(0.0, 1.0, 2.0)))
    with pytest.raises(ValueError, match="2\\^40 assignments are too many"):
        model.log_prob(torch.zeros(40).double())
    with pytest.raises(ValueError, match=r"precision \(d, d\)"):
        next(cavi_gaussian(f64(0.0, 0.0), torch.eye(3).double(), f64(0.0, 0.0)))
