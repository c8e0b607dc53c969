"""Two ways to estimate ∇_μ E_q[r(z)] for q = N(μ, σ² I), and how noisy each one is."""

import math
from collections.abc import Callable

import torch

ESTIMATORS = ("reparameterized", "score_function")


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
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {ESTIMATORS}, got {estimator!r}")
    noise = torch.randn(n, len(mu), dtype=mu.dtype, generator=generator)
    z = mu + sigma * noise
    if estimator == "score_function":
        return (r(z) - baseline)[:, None] * noise / sigma
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
    mean_a = -0.5 - d / 2 * math.log(2 * math.pi) - (d - 1) / 2
    mean_r = mean_a - 0.5
    best = mean_a - 1.5
    shift = {"none": 0.0, "mean": mean_r, "best": best}
    if baseline not in shift or d < 1:
        raise ValueError(
            f"d must be at least 1 and baseline one of {tuple(shift)}, "
            f"got {d} and {baseline!r}"
        )
    mean_a -= shift[baseline]
    return (d - 1) / 2 + mean_a**2 + 6.75 - 3 * mean_a - 1


def standard_error_of_variance(draws: torch.Tensor) -> torch.Tensor:
    """Of ``draws.var(0)``, ``(d,)``: √((fourth central moment − variance²) / n)."""
    centred = draws - draws.mean(0)
    spread = centred.pow(4).mean(0) - centred.square().mean(0).square()
    return (spread / len(draws)).sqrt()
