"""Generative adversarial networks: the game, its players, its optimum (notebook 05).

V(G, D) = E_p log D(x) + E_q log (1 − D(x)), where p is the data and q what G makes. D
ascends it; G descends it, or descends one of the losses in ``LOSSES``. Slides:
*Generative adversarial networks*; Goodfellow et al. 2014.
"""

import math
from collections.abc import Callable

import torch

from course_utils.gan.losses import LOSSES, gradient_penalty
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.training import GANState, train_gan
from course_utils.quadrature import expectation, log_density

__all__ = [
    "DIGIT_DISCRIMINATOR",
    "DIGIT_GENERATOR",
    "DIGIT_RECIPE",
    "LOSSES",
    "SIGHTED",
    "SIGHTED_DISCRIMINATOR",
    "Discriminator",
    "GANState",
    "Generator",
    "gradient_penalty",
    "optimal_discriminator",
    "train_gan",
    "value",
]

SIGHTED = {
    "loss": "relativistic",
    "simultaneous": True,
    "penalty": (0.03, 1e-5),  # coarse to fine: at first only a smooth D
    "anneal": (0.55, 0.8),  # late, when G has found every mode and moves slowly
    "learning_rate": 3e-3,
    "betas": (0.0, 0.99),
    "decay": (2e-3, 0.5),  # G slows down, D stays quick
    "average": 0.995,
}
SIGHTED_DISCRIMINATOR = {
    "activation": "relu",
    "frequencies": 16,
    "frequency_scale": (2.0, 14.0),  # from the size of the data to that of a mode
}

DIGIT_RECIPE = {
    "loss": "relativistic",
    "simultaneous": True,
    "batch_size": 256,
    "penalty": (5.0, 1.0),
    "anneal": (0.0, 0.5),
    "learning_rate": 5e-3,
    "betas": (0.0, 0.99),
    "decay": True,
    "average": 0.998,
}
DIGIT_GENERATOR = {
    "noise_dim": 64,
    "data_dim": 784,
    "hidden": (128, 256),
    "activation": "leaky_relu",
    "output": "sigmoid",
}
DIGIT_DISCRIMINATOR = {"data_dim": 784, "hidden": (256, 128)}


def optimal_discriminator(p, q) -> Callable[[torch.Tensor], torch.Tensor]:
    """x → D*(x) = p(x) / (p(x) + q(x)), for two objects with ``log_prob``.

    Computed as σ(log p − log q), so that it holds where both densities underflow; ½
    where both are exactly zero, as outside of both supports. Goodfellow et al. 2014,
    proposition 1.
    """

    def best(x: torch.Tensor) -> torch.Tensor:
        log_p, log_q = log_density(p, x), log_density(q, x)
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
    if probability.shape != grid.shape:
        raise ValueError(
            f"d must return shape {tuple(grid.shape)}, got {tuple(probability.shape)}"
        )
    low, high = probability.min().item(), probability.max().item()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"d must lie in [0, 1], got values from {low:g} to {high:g}")
    log_p, log_q = log_density(p, grid), log_density(q, grid)
    real = _part("p", probability.log(), log_p, log_q, grid)
    return real + _part("q", torch.log1p(-probability), log_q, log_p, grid)


def _part(name: str, log_d, log_density, log_other, grid) -> torch.Tensor:
    lost = log_density - log_other < math.log(torch.finfo(grid.dtype).eps)
    try:
        return expectation(torch.where(lost, 0.0, log_d), log_density, grid)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
