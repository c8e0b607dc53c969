"""Variational inference: bounds on log p(x), and how to climb them.

Everywhere ``log_joint(z)`` is log p(x, z) with the observation x already put in, and q
is a ``torch.distributions`` object (or a table, where z can be enumerated). Nats.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.distributions import Distribution, Normal

from course_utils.variational.families import frozen

LogJoint = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Estimate:
    """A Monte-Carlo mean and its standard error, both of the batch shape."""

    value: torch.Tensor
    standard_error: torch.Tensor

    @classmethod
    def of(cls, draws: torch.Tensor) -> "Estimate":
        """The mean over the first dimension, which must hold at least two draws."""
        if len(draws) < 2:
            raise ValueError(f"n_samples must be at least 2, got {len(draws)}")
        return cls(draws.mean(0), draws.std(0) / math.sqrt(len(draws)))


def elbo(log_joint: LogJoint, q: Distribution, n_samples: int = 1000) -> Estimate:
    """E_q[log p(x, z) − log q(z)] by sampling z from q, with its standard error.

    Source: slide "Variational inference", the evidence lower bound. The samples are
    reparameterized where q allows it, so that gradients pass.
    """
    z = q.rsample((n_samples,)) if q.has_rsample else q.sample((n_samples,))
    return Estimate.of(log_joint(z) - q.log_prob(z))


def elbo_by_quadrature(log_joint: LogJoint, q: Normal, n_nodes: int = 64):
    """The ELBO of a one-dimensional normal q without noise: Gauss-Hermite nodes for ε.

    z = μ + σ ε at fixed ε, with fixed weights: exact when log p(x, z) is a polynomial
    in z of degree below ``2 · n_nodes``, and accurate when it is smooth.
    """
    noise, weights = _normal_nodes(n_nodes)
    shape = (-1, *[1] * q.mean.ndim)
    z = q.mean + q.stddev * noise.reshape(shape)
    return (weights.reshape(shape) * log_joint(z)).sum(0) + q.entropy()


@cache
def _normal_nodes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def iwae_bound(
    log_joint: LogJoint, q: Distribution, k: int, n_samples: int = 1000
) -> Estimate:
    """E[log (1/k) Σ_j p(x, z_j) / q(z_j)], z_1 … z_k from q. Burda et al. 2016.

    k = 1 is the ELBO; a larger k never lowers the bound. ``n_samples`` groups of k.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    z = q.rsample((n_samples, k)) if q.has_rsample else q.sample((n_samples, k))
    log_weights = log_joint(z) - q.log_prob(z)
    return Estimate.of(log_weights.logsumexp(1) - math.log(k))


def iwae_exact(log_joint: torch.Tensor, q: torch.Tensor, k: int) -> torch.Tensor:
    """The same bound without sampling, for a z with few values: tables ``(s,)``.

    Sums over how often each value can occur among the k draws (multinomial
    probabilities): C(k + s − 1, s − 1) terms instead of s^k.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if log_joint.shape != q.shape or not bool((q > 0).all()):
        raise ValueError("q must be positive and have the shape of log_joint")
    counts = _compositions(k, len(q))
    log_choices = math.lgamma(k + 1) - torch.lgamma(counts + 1).sum(1)
    probability = (log_choices + counts @ q.log()).exp()
    log_means = (counts.log() + log_joint - q.log()).logsumexp(1) - math.log(k)
    return probability @ log_means


def _compositions(total: int, parts: int) -> torch.Tensor:
    """All ways to write ``total`` as a sum of ``parts`` counts: stars and bars."""
    places = total + parts - 1
    bars = list(itertools.combinations(range(places), parts - 1))
    edges = torch.tensor(bars).reshape(len(bars), parts - 1)
    ends = torch.full((len(bars), 1), places)
    edges = torch.cat([-torch.ones_like(ends), edges, ends], 1)
    return edges.diff(dim=1).double() - 1


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
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient must be one of {GRADIENTS}, got {gradient!r}")
    if n_samples < 2:
        raise ValueError(f"n_samples must be at least 2, got {n_samples}")
    z, weights = family.draw(n_samples, generator)
    if gradient == "reparameterized":
        rows = (weights * (log_joint(z) - family().log_prob(z))).sum(-1)
        return rows.mean(), rows.mean().detach()
    z, weights = z.detach(), weights.detach()
    log_q = family().log_prob(z)
    signal = (log_joint(z) - log_q).detach()
    rows = (weights * signal).sum(-1)
    if gradient == "score_function_baseline":
        others = (rows.sum() - rows) / (n_samples - 1)
        signal = signal - others[:, None]
    return (weights * signal * log_q).sum(-1).mean(), rows.mean()


GRADIENTS = ("reparameterized", "score_function", "score_function_baseline")


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
    optimizer = torch.optim.Adam(family.parameters(), lr=learning_rate, maximize=True)
    for step in range(n_steps + 1):
        surrogate, value = elbo_surrogate(
            log_joint, family, n_samples, gradient, generator
        )
        yield VIState(step, frozen(family), value.item())
        if step == n_steps:
            return
        optimizer.zero_grad()
        surrogate.backward()
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / n_steps)
        optimizer.step()
