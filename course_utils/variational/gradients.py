"""Gradients of an expectation: two estimators, how noisy each one is, and the climb.

``gradient_draws`` has the plain case, ∇_μ E_q[r(z)] for q = N(μ, σ² I), where the
variance has a closed form. ``fit_variational`` climbs the ELBO of any family of q.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Distribution
from torch.optim.lr_scheduler import LambdaLR

from course_utils.arguments import (
    check_finite,
    counts,
    floats,
    functions,
    known,
    one_of,
    plain,
    positive,
    require,
    returned,
    seed_of,
    unit_of,
)
from course_utils.training import checked
from course_utils.variational.bounds import LogJoint
from course_utils.variational.families import frozen

ESTIMATORS = ("reparameterized", "score_function")
GRADIENTS = (*ESTIMATORS, "score_function_baseline")


def gradient_draws(
    r: Callable[[torch.Tensor], torch.Tensor],
    mu: torch.Tensor,
    sigma: float,
    n: int,
    estimator: str,
    baseline: float | torch.Tensor = 0.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """``n`` independent one-sample estimates of ∇_μ E_q[r(z)], shape ``(n, d)``.

    ``"reparameterized"``: ∇r(μ + σ ε). ``"score_function"``: (r(z) − baseline) ε / σ,
    where ε / σ = ∇_μ log q(z). ``r`` maps ``(n, d)`` to ``(n,)``; the baseline must not
    depend on the draws. Slides "Reparameterization"; Williams 1992.
    """
    one_of(ESTIMATORS, estimator=estimator)
    functions(r=r)
    counts(n=n)
    mu = floats(mu, "mu")
    got, single = tuple(mu.shape), mu.ndim == 1 and len(mu) > 0
    require(mu=(f"shape {got}", single, "numbers of shape (d,)"))
    check_finite(mu, "mu")
    positive(sigma=sigma)
    sigma = plain(sigma)
    baseline = floats(baseline, "baseline", mu.dtype)
    got, single = tuple(baseline.shape), baseline.shape in ((), (n,))
    require(baseline=(f"shape {got}", single, f"one number, or of shape ({n},)"))
    check_finite(baseline, "baseline")
    noise = torch.randn(n, len(mu), dtype=mu.dtype, generator=generator)
    z = mu + sigma * noise
    if estimator == "score_function":
        value = known(returned(r(z), (n,), "r"), "r", log=False)
        return (value - baseline)[:, None] * noise / sigma
    # ∂z/∂μ = 1, so the gradient for μ is the one for z; row i of the sum needs only z_i
    with torch.inference_mode(False), torch.enable_grad():
        z = z.detach().clone().requires_grad_()
        value = known(returned(r(z), (n,), "r"), "r", log=False)
        if not value.requires_grad:
            raise ValueError("r must be computed from z by torch, got no gradient")
        (gradient,) = torch.autograd.grad(value.sum(), z)
    return gradient


def score_function_variance(d: int, baseline: str = "none") -> float:
    """Var of the first entry, for r = log N(z; t, I), σ = 1 and t − μ = (1, 0, …, 0).

    ``baseline`` is ``"none"``, ``"mean"`` (E[r]) or ``"best"`` (the constant with the
    least variance). With ε the noise, r = a + ε₁ − ½ ε₁², where a does not depend on
    ε₁: Var = E[a²] + E[ε₁²(ε₁ − ½ε₁²)²] + 2 E[a] E[ε₁²(ε₁ − ½ε₁²)] − 1, and Gaussian
    moments give 3 + 15/4 and −3/2. The reparameterized estimate has variance 1.
    """
    counts(d=d)
    # a = −½ − (d/2) log 2π − ½ Σ_{j>1} ε_j², where each E[ε_j²] = 1
    mean_a = -0.5 - d / 2 * math.log(2 * math.pi) - (d - 1) / 2
    # E[r] = E[a] − ½ E[ε₁²]; the best constant is E[r ε₁²] / E[ε₁²]
    shift = {"none": 0.0, "mean": mean_a - 0.5, "best": mean_a - 1.5}
    one_of(tuple(shift), baseline=baseline)
    mean_a -= shift[baseline]  # a baseline shifts r, and so a, by a constant
    return (d - 1) / 2 + mean_a**2 + 6.75 - 3 * mean_a - 1


def standard_error_of_variance(draws: torch.Tensor) -> torch.Tensor:
    """Of ``draws.var(0)``, ``(d,)``: √((fourth central moment − variance²) / n)."""
    draws = floats(draws, "draws")
    got, fits = f"shape {tuple(draws.shape)}", draws.ndim > 0 and len(draws) > 1
    require(draws=(got, fits and draws.numel() > 0, "two rows or more"))
    check_finite(draws, "draws")
    centred = draws - draws.mean(0)
    unit = unit_of(centred)  # so that no fourth power overflows or vanishes
    centred = centred / unit
    spread = centred.pow(4).mean(0) - centred.square().mean(0).square()
    # of two values that are as frequent it is 0, but for rounding
    return (spread.clamp(min=0) / len(draws)).sqrt() * unit * unit


def elbo_surrogate(
    log_joint: LogJoint,
    family: nn.Module,
    n_samples: int,
    gradient: str = "reparameterized",
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """``(surrogate, elbo)``: the gradient of the first estimates that of the ELBO.

    ``gradient`` is ``"reparameterized"`` (Kingma and Welling 2014),
    ``"score_function"`` (Williams 1992) or ``"score_function_baseline"``, where each
    row of draws is compared with the mean of the others. All three are unbiased.
    """
    _check_climb(log_joint, family, n_samples, gradient)
    z, weights = family.draw(n_samples, generator)  # (n, k, d) and (k,): see families
    if gradient != "reparameterized":
        z, weights = z.detach(), weights.detach()  # as if somebody else had drawn them
    log_q = family().log_prob(z)
    signal = (
        returned(log_joint(z), log_q.shape, "log_joint") - log_q
    )  # (n, k): r(z) of the slide
    rows = (weights * signal).sum(-1)  # (n,): each row is one estimate of the ELBO
    if gradient == "reparameterized":
        return rows.mean(), rows.mean().detach()
    signal, rows = signal.detach(), rows.detach()
    if gradient == "score_function_baseline":
        # the mean of the other rows knows nothing of this row: no bias
        signal = signal - ((rows.sum() - rows) / (n_samples - 1))[:, None]
    # its gradient is the mean of r ∇log q: r counts as a plain number
    return (weights * signal * log_q).sum(-1).mean(), rows.mean()


def _check_climb(log_joint, family, n_samples, gradient) -> None:
    if not isinstance(family, nn.Module) or not hasattr(family, "draw"):
        raise TypeError(f"family must be a module with draw, got {family!r:.60}")
    one_of(GRADIENTS, gradient=gradient)
    functions(log_joint=log_joint)
    counts(2, n_samples=n_samples)


@dataclass(frozen=True)
class VIState:
    """One step of ``fit_variational``: q, and the noisy ELBO that it was judged by."""

    step: int
    q: Distribution
    elbo: float


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def fit_variational(
    log_joint: LogJoint,
    family: nn.Module,
    n_steps: int = 500,
    n_samples: int = 16,
    learning_rate: float = 0.1,
    gradient: str = "reparameterized",
    seed: int = 0,
) -> Iterator[VIState]:
    """Climb the ELBO of ``family`` by Adam; the step size falls linearly to zero.

    ``log_joint`` takes z of shape ``(..., d)``. Yields ``n_steps`` states, each before
    its step, and the last one after it; ``family`` is changed in place. Raises
    ``FloatingPointError`` where the ELBO or its gradient is no finite number.
    """
    _check_climb(log_joint, family, n_samples, gradient)
    counts(0, n_steps=n_steps)
    positive(learning_rate=learning_rate)
    generator = torch.Generator().manual_seed(seed_of(seed))
    climb = ascent(family.parameters(), n_steps, learning_rate)
    yield
    for step in range(n_steps + 1):
        with torch.enable_grad():
            surrogate, value = elbo_surrogate(
                log_joint, family, n_samples, gradient, generator
            )
        insist(value, step)
        yield VIState(step, frozen(family), value.item())
        if step < n_steps:
            climb(surrogate)


def ascent(parameters, n_steps: int, learning_rate: float) -> Callable:
    """``climb(value)``: one step of Adam upwards, smaller each time, zero at the end.

    A step size that falls averages the noise of the gradients away. A gradient that is
    not finite raises ``FloatingPointError`` before it reaches a parameter.
    """
    parameters = list(parameters)
    # (a float: the rate of the caller, a tensor perhaps, would fall with ours)
    rate = float(learning_rate)
    most = min(torch.finfo(each.dtype).max for each in parameters)
    require(learning_rate=(rate, rate < most, f"below {most:g}, what a weight can be"))
    optimizer = torch.optim.Adam(parameters, lr=rate, maximize=True)
    fall = LambdaLR(optimizer, lambda step: 1 - step / max(1, n_steps))

    def climb(value: torch.Tensor) -> None:
        optimizer.zero_grad()
        value.backward()
        for parameter in parameters:
            if parameter.grad is not None:
                insist(parameter.grad, fall.last_epoch, "a gradient of the ELBO")
        optimizer.step()
        fall.step()

    return climb


def insist(value: torch.Tensor, step: int, name: str = "the ELBO") -> None:
    """``FloatingPointError`` for a number that is not finite: no step on from there."""
    if not bool(torch.isfinite(value).all()):
        bad = value[~torch.isfinite(value)].flatten()[0].item()
        raise FloatingPointError(
            f"{name} became {bad} at step {step}: try a smaller learning_rate, or "
            "another start"
        )
