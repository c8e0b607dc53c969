"""Families of q for ``fit_variational``: modules whose parameters are φ.

``family()`` is q as a ``torch.distributions`` object. ``family.draw(n)`` gives samples
``(n, k, d)`` that are smooth functions of φ, and the weight of each of the k columns,
``(k,)``: E_q[r(z)] is about the mean over n of Σ_k weight_k r(z_k).
"""

import math

import torch
from torch import nn
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from course_utils.arguments import check_finite, counts, floats, positive, require


def diagonal_normal(mean: torch.Tensor, logvar: torch.Tensor, event_ndim: int = 1):
    """N(mean, diag exp(logvar)); the last ``event_ndim`` dimensions are one z.

    The checks of torch are left out: a climb makes one such q per step.
    """
    mean, logvar = floats(mean, "mean"), floats(logvar, "logvar")
    got, shape = f"shape {tuple(logvar.shape)}", tuple(mean.shape)
    require(logvar=(got, logvar.shape == mean.shape, f"of the shape of mean, {shape}"))
    q = Normal(mean, (logvar / 2).exp(), validate_args=False)
    return Independent(q, event_ndim, validate_args=False) if event_ndim else q


class DiagonalNormal(nn.Module):
    """q(z) = N(mean, diag sigma²), z ``(d,)``: the mean-field normal, 2d numbers."""

    @torch.inference_mode(False)  # numbers of that mode could never be climbed with
    def __init__(self, mean: torch.Tensor, sigma: float = 1.0):
        super().__init__()
        mean = _start(mean, sigma)
        self.mean = nn.Parameter(mean)
        # log σ² may be any number, so that no step can make σ negative
        self.logvar = nn.Parameter(torch.full_like(mean, 2 * math.log(sigma)))

    def forward(self) -> Distribution:
        return diagonal_normal(self.mean, self.logvar)

    def draw(self, n: int, generator=None) -> tuple[torch.Tensor, torch.Tensor]:
        """z = μ + σ ε, ``(n, 1, d)``, and the weight of its only column, 1."""
        noise = _noise((n, 1, len(self.mean)), self.mean, generator)
        return self.mean + (self.logvar / 2).exp() * noise, self.mean.new_ones(1)


class FullNormal(nn.Module):
    """q(z) = N(mean, L Lᵀ): d + d(d+1)/2 numbers; L has a positive diagonal."""

    @torch.inference_mode(False)  # numbers of that mode could never be climbed with
    def __init__(self, mean: torch.Tensor, sigma: float = 1.0):
        super().__init__()
        mean = _start(mean, sigma)
        self.mean = nn.Parameter(mean)
        # the log keeps the diagonal positive, so that every φ gives one L
        self.log_diagonal = nn.Parameter(torch.full_like(mean, math.log(sigma)))
        self.below = nn.Parameter(mean.new_zeros(len(mean), len(mean)))

    def scale(self) -> torch.Tensor:
        # only the part of ``below`` under the diagonal is used
        return self.below.tril(-1) + self.log_diagonal.exp().diag()

    def forward(self) -> Distribution:
        scale = self.scale()
        return MultivariateNormal(self.mean, scale_tril=scale, validate_args=False)

    def draw(self, n: int, generator=None) -> tuple[torch.Tensor, torch.Tensor]:
        """z = μ + L ε, as rows: εᵀ Lᵀ."""
        noise = _noise((n, 1, len(self.mean)), self.mean, generator)
        return self.mean + noise @ self.scale().T, self.mean.new_ones(1)


class NormalMixture(nn.Module):
    """q(z) = Σ_k w_k N(mean_k, diag sigma_k²); ``means`` is ``(k, d)``.

    ``draw`` takes one z from every component and weighs column k with w_k: which
    component to use is a sum, not a draw, so that the sample can be reparameterized.
    """

    @torch.inference_mode(False)  # numbers of that mode could never be climbed with
    def __init__(self, means: torch.Tensor, sigma: float = 1.0):
        super().__init__()
        means = _start(means, sigma, "means", "(k, d)", 2)
        self.means = nn.Parameter(means)
        self.logvars = nn.Parameter(torch.full_like(means, 2 * math.log(sigma)))
        self.logits = nn.Parameter(means.new_zeros(len(means)))  # w = softmax(logits)

    def forward(self) -> Distribution:
        parts = diagonal_normal(self.means, self.logvars)  # a batch of k normals
        return MixtureSameFamily(Categorical(logits=self.logits), parts)

    def draw(self, n: int, generator=None) -> tuple[torch.Tensor, torch.Tensor]:
        """z_k = μ_k + σ_k ε for every k, ``(n, k, d)``, and the weights w ``(k,)``."""
        # every component has noise of its own: (n, k, d)
        noise = _noise((n, *self.means.shape), self.means, generator)
        return self.means + (self.logvars / 2).exp() * noise, self.logits.softmax(0)


def _start(mean, sigma, name: str = "mean", shape: str = "(d,)", ndim: int = 1):
    """A copy of ``mean`` as finite floats of this shape; sigma must be positive."""
    mean = floats(mean, name).detach().clone()
    got, fits = tuple(mean.shape), mean.ndim == ndim and mean.numel() > 0
    require(**{name: (f"shape {got}", fits, f"numbers of shape {shape}")})
    check_finite(mean, name)
    positive(sigma=sigma)
    return mean


def _noise(shape, like: torch.Tensor, generator) -> torch.Tensor:
    counts(n=shape[0])
    return torch.randn(shape, dtype=like.dtype, generator=generator)


def frozen(family: nn.Module) -> Distribution:
    """The family's q of this moment, with parameters that will not change."""
    if not isinstance(family, nn.Module):
        raise TypeError(f"family must be a module, got {type(family).__name__}")
    # the module keeps its parameters; forward() runs once with copies in their place
    twin = {name: p.detach().clone() for name, p in family.named_parameters()}
    return torch.func.functional_call(family, twin, ())
