"""Gradient estimators against closed forms, quadrature and gradcheck."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from course_utils.quadrature import Estimate
from course_utils.training import seeded
from course_utils.variational import (
    GRADIENTS,
    DiagonalNormal,
    FullNormal,
    LinearGaussian,
    NormalMixture,
    circle_model,
    elbo,
    elbo_by_quadrature,
    elbo_surrogate,
    gradient_draws,
    score_function_variance,
    standard_error_of_variance,
)
from tests.variational.cases import f64

# ---- gradients ----


def test_gradcheck_of_the_bounds_in_float64():
    model = circle_model()
    x = f64(0.4, -0.8)
    parameters = (f64(0.3)[0].requires_grad_(), f64(-1.0)[0].requires_grad_())

    def grid_elbo(mean, logvar):
        q = Normal(mean, (logvar / 2).exp())
        return elbo_by_quadrature(lambda z: model.log_joint(x, z), q)

    assert torch.autograd.gradcheck(grid_elbo, parameters)

    def sampled(mean, logvar):
        with seeded(0):
            q = Normal(mean, (logvar / 2).exp())
            return elbo(lambda z: model.log_joint(x, z), q, 20).value

    assert torch.autograd.gradcheck(sampled, parameters)

    def linear(weight, mean, logvar):
        model = LinearGaussian(weight, f64(0.1, 0.2), 0.7)
        return model.elbo(x, Independent(Normal(mean, (logvar / 2).exp()), 1))

    inputs = (f64([1.0, 0.3], [-0.2, 0.9]), f64(0.1, 0.4), f64(-1.0, 0.5))
    assert torch.autograd.gradcheck(linear, [p.requires_grad_() for p in inputs])


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("make", [DiagonalNormal, FullNormal, NormalMixture])
def test_every_estimator_is_unbiased_for_every_family(gradient, make):
    """Against the gradient of the ELBO summed over a fine grid."""
    m = f64(1.0, -0.5)
    target = MultivariateNormal(m, torch.eye(2).double())
    start = f64([0.2, 0.3], [-0.4, 0.1]) if make is NormalMixture else f64(0.2, 0.3)
    family = make(start, sigma=0.8)
    exact = grid_gradient(target.log_prob, family)
    generator = torch.Generator().manual_seed(0)
    draws = []
    for _ in range(100):
        surrogate, _ = elbo_surrogate(target.log_prob, family, 32, gradient, generator)
        found = torch.autograd.grad(surrogate, list(family.parameters()))
        draws.append(torch.cat([g.flatten() for g in found]))
    estimate = Estimate.of(torch.stack(draws))
    slack = 4 * estimate.standard_error + 1e-6
    assert bool(((estimate.value - exact).abs() < slack).all())


def grid_gradient(log_joint, family):
    """The gradient of the ELBO by a sum over a fine 2-D grid."""
    ticks = torch.linspace(-7, 7, 281, dtype=torch.float64)
    z = torch.cartesian_prod(ticks, ticks)
    log_q = family().log_prob(z)
    cell = (ticks[1] - ticks[0]) ** 2
    assert abs((log_q.exp().sum() * cell).item() - 1) < 1e-9
    value = (log_q.exp() * (log_joint(z) - log_q)).sum() * cell
    found = torch.autograd.grad(value, list(family.parameters()))
    return torch.cat([g.flatten() for g in found])


@pytest.mark.parametrize("d", [1, 2, 10, 100])
def test_the_closed_form_variances_agree_with_monte_carlo(d):
    """Table of the notebook: |m − μ| = 1; three standard errors, one fixed seed."""
    m = torch.zeros(d, dtype=torch.float64)
    m[0] = 1.0
    target = Independent(Normal(m, 1.0), 1)
    mean_r = -0.5 - d / 2 * math.log(2 * math.pi) - d / 2
    baselines = {"none": 0.0, "mean": mean_r, "best": mean_r - 1}
    expected = {"reparameterized": 1.0}
    expected |= {name: score_function_variance(d, name) for name in baselines}
    for name, variance in expected.items():
        kind = name if name == "reparameterized" else "score_function"
        draws = gradient_draws(
            target.log_prob,
            torch.zeros(d, dtype=torch.float64),
            1.0,
            20_000,
            kind,
            baselines.get(name, 0.0),
            torch.Generator().manual_seed(d),
        )[:, :1]
        error = (draws.var(0) - variance).abs()
        assert error < 3 * standard_error_of_variance(draws), name
        gradient = Estimate.of(draws)
        assert (gradient.value - 1).abs() < 4 * gradient.standard_error, name


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_closed_form_variances_agree_with_quadrature(d):
    """E over ε₁ and over the χ² of the other noises, on grids, without the algebra."""
    noise = torch.linspace(-12, 12, 2001, dtype=torch.float64)
    density = Normal(0.0, 1.0).log_prob(noise).exp()
    rest, weight = f64(0.0), f64(1.0)
    if d > 1:
        points = torch.cartesian_prod(*[noise[::40]] * (d - 1)).reshape(-1, d - 1)
        rest = points.square().sum(1)
        weight = Normal(0.0, 1.0).log_prob(points).sum(1).exp()
        weight = weight / weight.sum()
    r = -((noise - 1) ** 2)[:, None] / 2 - rest / 2 - d / 2 * math.log(2 * math.pi)
    mean_r = torch.trapezoid(density * (r @ weight), noise)
    squared = torch.trapezoid(density * noise**2 * (r @ weight), noise)
    for name, baseline in (("none", 0.0), ("mean", mean_r), ("best", squared)):
        signal = (r - baseline).square() @ weight * noise**2
        second = torch.trapezoid(density * signal, noise)
        expected = score_function_variance(d, name)
        assert (second - 1).item() == pytest.approx(expected, rel=1e-8)


def test_the_known_variance_ratios():
    ratios = [score_function_variance(d) for d in (1, 2, 10, 100)]
    assert [float(f"{ratio:.3g}") for ratio in ratios] == [12.0, 22.8, 254, 20600]


def test_clear_errors():
    target, family = Normal(f64(0.0)[0], 1.0).log_prob, DiagonalNormal(f64(0.0))
    with pytest.raises(ValueError, match=r"gradient must be one of .* got 'pathwise'"):
        elbo_surrogate(target, family, 4, "pathwise")
    with pytest.raises(ValueError, match="n_samples must be at least 2, got 1"):
        elbo_surrogate(target, family, 1)
    with pytest.raises(ValueError, match=r"estimator must be one of .* got 'pathwise'"):
        gradient_draws(target, f64(0.0), 1.0, 2, "pathwise")
    with pytest.raises(ValueError, match=r"baseline must be one of .* got 'median'"):
        score_function_variance(2, "median")
    with pytest.raises(ValueError, match="d must be at least 1, got 0"):
        score_function_variance(0)
