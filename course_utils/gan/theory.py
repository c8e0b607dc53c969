"""The game and its optimum, as integrals over x.

V(G, D) = E_p log D(x) + E_q log (1 − D(x)), where p is the data and q what G makes. D
ascends it; G descends it, or descends one of the losses in ``LOSSES``. Slides:
*Generative adversarial networks*; Goodfellow et al. 2014.
"""

import math
from collections.abc import Callable

import torch

from course_utils.arguments import check_finite, floats, functions, require
from course_utils.quadrature import check_density, expectation, log_density


def optimal_discriminator(p, q) -> Callable[[torch.Tensor], torch.Tensor]:
    """x → D*(x) = p(x) / (p(x) + q(x)), for two objects with ``log_prob``.

    Computed as σ(log p − log q), so that it holds where both densities underflow; ½
    where both are exactly zero, as outside of both supports. Goodfellow et al. 2014,
    proposition 1. Raises ``TypeError`` for what has no ``log_prob``; D* raises
    ``ValueError`` where the two densities are not of one shape, or not numbers.
    """
    check_density("p", p)
    check_density("q", q)

    def best(x: torch.Tensor) -> torch.Tensor:
        x = floats(x)
        log_p, log_q = _log("p", p, x), _log("q", q, x)
        got, wanted = tuple(log_q.shape), tuple(log_p.shape)
        require(q=(f"log_prob {got}", got == wanted, f"of the shape of p, {wanted}"))
        # −∞ minus −∞ is NaN: where nothing is ever drawn, no D is better than another
        nowhere = log_p.isneginf() & log_q.isneginf()
        return torch.where(nowhere, 0.5, torch.sigmoid(log_p - log_q))

    return best


def value(p, q, d, grid: torch.Tensor) -> torch.Tensor:
    """V = ∫ p log D + q log (1 − D) dx by quadrature on ``grid`` ``(n,)``, in nats.

    ``d`` maps the grid to probabilities ``(n,)``. Raises ``ValueError`` when these are
    not in [0, 1], or when the grid cuts the mass of p or q (and says on which side).
    Where one density is so far below the other that D rounds to 0 or 1, it does not
    count.
    """
    check_density("p", p)
    check_density("q", q)
    functions(d=d)
    grid = floats(grid, "grid")
    line = grid.ndim == 1 and len(grid) >= 2
    require(grid=(f"shape {tuple(grid.shape)}", line, "(n,) with n >= 2"))
    check_finite(grid, "grid")
    with torch.no_grad():
        probability = floats(d(grid), "what d returns").to(grid.dtype)
    shape, wanted = tuple(probability.shape), tuple(grid.shape)
    require(d=(shape, shape == wanted, f"a function that returns shape {wanted}"))
    low, high = probability.min().item(), probability.max().item()
    got = f"values from {low:g} to {high:g}"
    require(d=(got, low >= 0 and high <= 1, "in [0, 1]"))
    log_p, log_q = _log("p", p, grid), _log("q", q, grid)
    for name, log in (("p", log_p), ("q", log_q)):
        got = f"log_prob of shape {tuple(log.shape)}"
        rule = f"one density on a line, with log_prob of shape {wanted}"
        require(**{name: (got, log.shape == grid.shape, rule)})
    # for the fakes the second log is log (1 − D) = log q / (p + q), not log D again
    real = _part("p", probability.log(), log_p, log_q, grid)
    return real + _part("q", torch.log1p(-probability), log_q, log_p, grid)


def _part(name: str, log_d, log_density, log_other, grid) -> torch.Tensor:
    """E of ``log_d`` under one density; its mass is checked by ``name``."""
    # where it is below 2e-16 of the other, D (or 1 − D) rounds to 0: a weight of
    # nearly 0 would meet a log of −∞
    lost = log_density - log_other < math.log(torch.finfo(grid.dtype).eps)
    try:
        return expectation(torch.where(lost, 0.0, log_d), log_density, grid)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _log(name: str, p, x: torch.Tensor) -> torch.Tensor:
    """log p(x), if these are numbers; errors say whose they are."""
    try:
        log_p = log_density(p, x)
    except (ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"{name}: {error}") from error
    if not isinstance(log_p, torch.Tensor) or not log_p.is_floating_point():
        kind = getattr(log_p, "dtype", type(log_p).__name__)
        raise TypeError(f"{name}.log_prob must return floats, got {kind}")
    bad = int((log_p.isnan() | log_p.isposinf()).sum())  # −∞ is log 0
    require(**{f"{name}.log_prob": (f"{bad} NaN or +∞", bad == 0, "numbers")})
    return log_p
