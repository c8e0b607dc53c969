"""Bounds on log p(x): the ELBO, and the tighter one of importance weights (IWAE).

Everywhere ``log_joint(z)`` is log p(x, z) with the observation x already put in, and q
is a ``torch.distributions`` object (or a table, where z can be enumerated). Nats.
"""

import itertools
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch.distributions import Distribution, Normal

from course_utils.arguments import require
from course_utils.quadrature import Estimate

LogJoint = Callable[[torch.Tensor], torch.Tensor]


def elbo(log_joint: LogJoint, q: Distribution, n_samples: int = 1000) -> Estimate:
    """E_q[log p(x, z) − log q(z)] by sampling z from q, with its standard error.

    Source: slide "Variational inference", the evidence lower bound. The samples are
    reparameterized where q allows it, so that gradients pass.
    """
    return Estimate.of(_log_weights(log_joint, q, (n_samples,)))


def iwae_bound(
    log_joint: LogJoint, q: Distribution, k: int, n_samples: int = 1000
) -> Estimate:
    """E[log (1/k) Σ_j p(x, z_j) / q(z_j)], z_1 … z_k from q. Burda et al. 2016.

    k = 1 is the ELBO; a larger k never lowers the bound. ``n_samples`` groups of k.
    """
    require(k=(k, k >= 1, "at least 1"))
    log_w = _log_weights(log_joint, q, (n_samples, k))
    # the mean of k weights in the log domain, where they cannot overflow: (n_samples,)
    return Estimate.of(log_w.logsumexp(1) - math.log(k))


def _log_weights(log_joint: LogJoint, q: Distribution, shape) -> torch.Tensor:
    """log w = log p(x, z) − log q(z) for draws z of q."""
    z = q.rsample(shape) if q.has_rsample else q.sample(shape)
    return log_joint(z) - q.log_prob(z)


def elbo_by_quadrature(log_joint: LogJoint, q: Normal, n_nodes: int = 64):
    """The ELBO of a one-dimensional normal q without noise: Gauss-Hermite nodes for ε.

    z = μ + σ ε at fixed ε, with fixed weights: exact when log p(x, z) is a polynomial
    in z of degree below ``2 · n_nodes``, and accurate when it is smooth.
    """
    noise, weights = _normal_nodes(n_nodes)
    shape = (-1, *[1] * q.mean.ndim)  # the nodes stand in front of the batch of q
    z = q.mean + q.stddev * noise.reshape(shape)
    # E_q[log p(x, z)] + H(q): the entropy of a normal needs no nodes
    return (weights.reshape(shape) * log_joint(z)).sum(0) + q.entropy()


@cache  # a slider asks for the same nodes again and again
def _normal_nodes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    # the probabilists' nodes: their weight is exp(−ε²/2), not exp(−ε²)
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def iwae_exact(log_joint: torch.Tensor, q: torch.Tensor, k: int) -> torch.Tensor:
    """The IWAE bound without sampling, for a z with few values: tables ``(s,)``.

    Sums over how often each value can occur among the k draws (multinomial
    probabilities): C(k + s − 1, s − 1) terms instead of s^k.
    """
    require(k=(k, k >= 1, "at least 1"))
    if log_joint.shape != q.shape or not bool((q > 0).all()):
        raise ValueError("q must be positive and have the shape of log_joint")
    counts = _compositions(k, len(q))  # (terms, s): each row sums to k
    # probability of a row: k! / Π n_i! ways to order it, times Π q_i^n_i
    log_choices = math.lgamma(k + 1) - torch.lgamma(counts + 1).sum(1)
    probability = (log_choices + counts @ q.log()).exp()
    # log (1/k) Σ_i n_i w_i; a count of 0 has log −∞ and drops out
    log_means = (counts.log() + log_joint - q.log()).logsumexp(1) - math.log(k)
    return probability @ log_means


def _compositions(total: int, parts: int) -> torch.Tensor:
    """All ways to write ``total`` as a sum of ``parts`` counts, ``(ways, parts)``.

    Stars and bars: put ``parts − 1`` bars among ``total`` stars in a row; a count is
    the number of stars between one bar and the next.
    """
    places = total + parts - 1
    bars = torch.tensor(list(itertools.combinations(range(places), parts - 1)))
    one = bars.new_ones(len(bars), 1)
    gaps = bars.diff(dim=1, prepend=-one, append=places * one)  # the ends are bars, too
    return gaps.double() - 1
