"""The game and its optimum, as integrals over x.

V(G, D) = E_p log D(x) + E_q log (1 − D(x)), where p is the data and q what G makes. D
ascends it; G descends it, or descends one of the losses in ``LOSSES``. Slides:
*Generative adversarial networks*; Goodfellow et al. 2014.
"""

import math
from collections.abc import Callable

import torch

from course_utils.arguments import require
from course_utils.quadrature import expectation, log_density


def optimal_discriminator(p, q) -> Callable[[torch.Tensor], torch.Tensor]:
    """x → D*(x) = p(x) / (p(x) + q(x)), for two objects with ``log_prob``.

    Computed as σ(log p − log q), so that it holds where both densities underflow; ½
    where both are exactly zero, as outside of both supports. Goodfellow et al. 2014,
    proposition 1.
    """

    def best(x: torch.Tensor) -> torch.Tensor:
        log_p, log_q = log_density(p, x), log_density(q, x)
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
    with torch.no_grad():
        probability = torch.as_tensor(d(grid)).to(grid.dtype)
    shape, wanted = tuple(probability.shape), tuple(grid.shape)
    require(d=(shape, shape == wanted, f"a function that returns shape {wanted}"))
    low, high = probability.min().item(), probability.max().item()
    got = f"values from {low:g} to {high:g}"
    require(d=(got, low >= 0 and high <= 1, "in [0, 1]"))
    log_p, log_q = log_density(p, grid), log_density(q, grid)
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
