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

from course_utils.arguments import require
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
    fits = estimator in ESTIMATORS
    require(estimator=(repr(estimator), fits, f"one of {ESTIMATORS}"))
    noise = torch.randn(n, len(mu), dtype=mu.dtype, generator=generator)
    z = mu + sigma * noise
    if estimator == "score_function":
        return (r(z) - baseline)[:, None] * noise / sigma
    # ∂z/∂μ = 1, so the gradient for μ is the one for z; row i of the sum needs only z_i
    z = z.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(r(z).sum(), z)
    return gradient


def score_function_variance(d: int, baseline: str = "none") -> float:
    """Var of the first entry, for r = log N(z; t, I), σ = 1 and t − μ = (1, 0, …, 0).

    ``baseline`` is ``"none"``, ``"mean"`` (E[r]) or ``"best"`` (the constant with the
    least variance). With ε the noise, r = a + ε₁ − ½ ε₁², where a does not depend on
    ε₁: Var = E[a²] + E[ε₁²(ε₁ − ½ε₁²)²] + 2 E[a] E[ε₁²(ε₁ − ½ε₁²)] − 1, and Gaussian
    moments give 3 + 15/4 and −3/2. The reparameterized estimate has variance 1.
    """
    # a = −½ − (d/2) log 2π − ½ Σ_{j>1} ε_j², where each E[ε_j²] = 1
    mean_a = -0.5 - d / 2 * math.log(2 * math.pi) - (d - 1) / 2
    # E[r] = E[a] − ½ E[ε₁²]; the best constant is E[r ε₁²] / E[ε₁²]
    shift = {"none": 0.0, "mean": mean_a - 0.5, "best": mean_a - 1.5}
    require(
        d=(d, d >= 1, "at least 1"),
        baseline=(repr(baseline), baseline in shift, f"one of {tuple(shift)}"),
    )
    mean_a -= shift[baseline]  # a baseline shifts r, and so a, by a constant
    return (d - 1) / 2 + mean_a**2 + 6.75 - 3 * mean_a - 1


def standard_error_of_variance(draws: torch.Tensor) -> torch.Tensor:
    """Of ``draws.var(0)``, ``(d,)``: √((fourth central moment − variance²) / n)."""
    centred = draws - draws.mean(0)
    spread = centred.pow(4).mean(0) - centred.square().mean(0).square()
    return (spread / len(draws)).sqrt()


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
    require(
        gradient=(repr(gradient), gradient in GRADIENTS, f"one of {GRADIENTS}"),
        n_samples=(n_samples, n_samples >= 2, "at least 2"),
    )
    z, weights = family.draw(n_samples, generator)  # (n, k, d) and (k,): see families
    if gradient != "reparameterized":
        z, weights = z.detach(), weights.detach()  # as if somebody else had drawn them
    log_q = family().log_prob(z)
    signal = log_joint(z) - log_q  # (n, k): r(z) of the slide
    rows = (weights * signal).sum(-1)  # (n,): each row is one estimate of the ELBO
    if gradient == "reparameterized":
        return rows.mean(), rows.mean().detach()
    signal, rows = signal.detach(), rows.detach()
    if gradient == "score_function_baseline":
        # the mean of the other rows knows nothing of this row: no bias
        signal = signal - ((rows.sum() - rows) / (n_samples - 1))[:, None]
    # its gradient is the mean of r ∇log q: r counts as a plain number
    return (weights * signal * log_q).sum(-1).mean(), rows.mean()


@dataclass(frozen=True)
class VIState:
    """One step of ``fit_variational``: q, and the noisy ELBO that it was judged by."""

    step: int
    q: Distribution
    elbo: float


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
    its step, and the last one after it; ``family`` is changed in place.
    """
    generator = torch.Generator().manual_seed(seed)
    climb = ascent(family.parameters(), n_steps, learning_rate)
    for step in range(n_steps + 1):
        surrogate, value = elbo_surrogate(
            log_joint, family, n_samples, gradient, generator
        )
        yield VIState(step, frozen(family), value.item())
        if step < n_steps:
            climb(surrogate)


def ascent(parameters, n_steps: int, learning_rate: float) -> Callable:
    """``climb(value)``: one step of Adam upwards, smaller each time, zero at the end.

    A step size that falls averages the noise of the gradients away.
    """
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, maximize=True)
    fall = LambdaLR(optimizer, lambda step: 1 - step / max(1, n_steps))

    def climb(value: torch.Tensor) -> None:
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        fall.step()

    return climb
