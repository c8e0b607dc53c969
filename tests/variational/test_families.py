"""Families of q and the climb to the best of them."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from course_utils.quadrature import Estimate
from course_utils.variational import (
    GRADIENTS,
    DiagonalNormal,
    FullNormal,
    GaussianMean,
    NormalMixture,
    fit_variational,
)
from course_utils.variational.families import frozen
from tests.variational.cases import f64

# ---- fitting ----


def correlated_target():
    covariance = f64([1.0, 0.8], [0.8, 1.0])
    return MultivariateNormal(f64(1.0, -1.0), covariance)


def test_full_covariance_is_exact_and_mean_field_shrinks_the_variance():
    target = correlated_target()
    for family in (FullNormal(f64(0.0, 0.0)), DiagonalNormal(f64(0.0, 0.0))):
        *_, last = fit_variational(target.log_prob, family, 300, 64)
        expected = target.covariance_matrix
        if isinstance(family, DiagonalNormal):
            expected = (1 / target.precision_matrix.diagonal()).diag()
            assert (last.q.variance - expected.diagonal()).abs().max() < 0.03
        else:
            assert (last.q.covariance_matrix - expected).abs().max() < 0.03
        assert (last.q.mean - target.mean).abs().max() < 0.03


def test_a_mixture_covers_two_peaks_that_one_normal_cannot():
    peaks = frozen(NormalMixture(f64([-2.0], [2.0]), sigma=0.5))
    *_, one = fit_variational(peaks.log_prob, DiagonalNormal(f64(1.0)), 200)
    family = NormalMixture(f64([-1.0], [1.0]))
    *_, two = fit_variational(peaks.log_prob, family, 200)
    assert one.q.mean.item() == pytest.approx(2.0, abs=0.05)
    assert one.elbo == pytest.approx(-math.log(2), abs=0.02)
    assert two.elbo == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_each_gradient_climbs_to_log_p(gradient):
    model = GaussianMean()
    x = f64(0.5, 1.5, 1.0)
    family = DiagonalNormal(f64(-1.0))
    states = list(
        fit_variational(
            lambda z: model.log_joint(x, z.squeeze(-1)), family, 300, 32, 0.1, gradient
        )
    )
    posterior = model.posterior(x)
    assert len(states) == 301
    assert states[-1].q.mean.item() == pytest.approx(posterior.mean.item(), abs=0.1)
    q = Normal(states[-1].q.mean[0], states[-1].q.stddev[0])
    assert model.elbo(x, q) > model.log_prob(x) - 0.05


def test_fits_repeat_and_states_do_not_change_afterwards():
    target = correlated_target()
    runs = [
        list(fit_variational(target.log_prob, FullNormal(f64(0.0, 0.0)), 5))
        for _ in range(2)
    ]
    for first, second in zip(*runs, strict=True):
        assert torch.equal(first.q.mean, second.q.mean)
        assert first.elbo == second.elbo
    assert not runs[0][0].q.mean.requires_grad
    assert torch.equal(runs[0][0].q.mean, f64(0.0, 0.0))
    assert not torch.equal(runs[0][-1].q.mean, f64(0.0, 0.0))


@pytest.mark.parametrize(
    "family",
    [
        DiagonalNormal(f64(1.0, 2.0), 0.5),
        FullNormal(f64(1.0, 2.0), 0.5),
        NormalMixture(f64([1.0, 2.0], [-1.0, 0.0]), 0.5),
    ],
)
def test_draws_have_the_distribution_of_the_family(family):
    z, weights = family.draw(20_000, torch.Generator().manual_seed(1))
    q = frozen(family)
    mean = (weights[:, None] * z.detach()).sum(1)
    estimate = Estimate.of(mean)
    assert bool(((estimate.value - q.mean).abs() < 4 * estimate.standard_error).all())
    second = Estimate.of((weights[:, None] * (z.detach() - q.mean) ** 2).sum(1))
    assert bool(((second.value - q.variance).abs() < 4 * second.standard_error).all())
    assert weights.sum().item() == pytest.approx(1)
