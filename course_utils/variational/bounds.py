"""Bounds on log p(x): the ELBO, and the tighter one of importance weights (IWAE).

Everywhere ``log_joint(z)`` is log p(x, z) with the observation x already put in, and q
is a ``torch.distributions`` object (or a table, where z can be enumerated). Nats.
A ``log_joint`` that gives NaN or +∞ is refused; −∞ is the log of 0.
"""

import itertools
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch.distributions import Distribution, Normal

from course_utils.arguments import counts, floats, functions, known, require, returned
from course_utils.quadrature import Estimate, check_parameters

LogJoint = Callable[[torch.Tensor], torch.Tensor]
MOST_TERMS = 2**22  # of an exact sum


def elbo(log_joint: LogJoint, q: Distribution, n_samples: int = 1000) -> Estimate:
    """E_q[log p(x, z) − log q(z)] by sampling z from q, with its standard error.

    Source: slide "Variational inference", the evidence lower bound. The samples are
    reparameterized where q allows it, so that gradients pass.
    """
    counts(2, n_samples=n_samples)
    return Estimate.of(_log_weights(log_joint, q, (n_samples,)))


def iwae_bound(
    log_joint: LogJoint, q: Distribution, k: int, n_samples: int = 1000
) -> Estimate:
    """E[log (1/k) Σ_j p(x, z_j) / q(z_j)], z_1 … z_k from q. Burda et al. 2016.

    k = 1 is the ELBO; a larger k never lowers the bound. ``n_samples`` groups of k.
    """
    counts(k=k)
    counts(2, n_samples=n_samples)
    log_w = _log_weights(log_joint, q, (n_samples, k))
    # the mean of k weights in the log domain, where they cannot overflow: (n_samples,)
    return Estimate.of(log_w.logsumexp(1) - math.log(k))


def _log_weights(log_joint: LogJoint, q: Distribution, shape) -> torch.Tensor:
    """log w = log p(x, z) − log q(z) for draws z of q."""
    functions(log_joint=log_joint)
    if not isinstance(q, Distribution):
        raise TypeError(f"q must be a distribution, got {q!r:.60}")
    check_parameters("q", q)
    z = q.rsample(shape) if q.has_rsample else q.sample(shape)
    log_p, log_q = log_joint(z), q.log_prob(z)
    return known(returned(log_p, log_q.shape, "log_joint"), "log_joint") - log_q


def elbo_by_quadrature(log_joint: LogJoint, q: Normal, n_nodes: int = 64):
    """The ELBO of a one-dimensional normal q without noise: Gauss-Hermite nodes for ε.

    z = μ + σ ε at fixed ε, with fixed weights: exact when log p(x, z) is a polynomial
    in z of degree below ``2 · n_nodes``, and accurate when it is smooth.
    """
    counts(n_nodes=n_nodes)
    functions(log_joint=log_joint)
    if not isinstance(q, Normal):
        raise TypeError(f"q must be a Normal, got {q!r:.60}")
    check_parameters("q", q)
    noise, weights = _normal_nodes(n_nodes)
    shape = (-1, *[1] * q.mean.ndim)  # the nodes stand in front of the batch of q
    z = q.mean + q.stddev * noise.reshape(shape)
    # E_q[log p(x, z)] + H(q): the entropy of a normal needs no nodes
    log_p = known(returned(log_joint(z), z.shape, "log_joint"), "log_joint")
    return (weights.reshape(shape) * log_p).sum(0) + q.entropy()


@cache  # a slider asks for the same nodes again and again
@torch.inference_mode(False)  # what is cached must serve every later caller
def _normal_nodes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    # the probabilists' nodes: their weight is exp(−ε²/2), not exp(−ε²)
    with np.errstate(all="ignore"):
        nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    fits = bool(np.isfinite(nodes).all()) and 0 < weights.sum() < math.inf
    require(n_nodes=(n, fits, "fewer: the weights of so many leave the floats"))
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def iwae_exact(log_joint: torch.Tensor, q: torch.Tensor, k: int) -> torch.Tensor:
    """The IWAE bound without sampling, for a z with few values: tables ``(s,)``.

    Sums over how often each value can occur among the k draws (multinomial
    probabilities): C(k + s − 1, s − 1) terms instead of s^k.
    """
    counts(k=k)
    log_joint = floats(log_joint, "log_joint", torch.float64)
    short = getattr(q, "dtype", None) == torch.float32
    q = floats(q, "q", torch.float64)
    got, fits = tuple(log_joint.shape), log_joint.ndim == 1 and len(log_joint) > 0
    require(log_joint=(f"shape {got}", fits, "a table of shape (s,)"))
    fits = not bool((log_joint.isnan() | (log_joint == math.inf)).any())
    require(log_joint=(f"{log_joint.tolist()!s:.60}", fits, "below infinity, not NaN"))
    if log_joint.shape != q.shape or not bool((q > 0).all()):
        raise ValueError("q must be positive and have the shape of log_joint")
    total = q.sum().item()
    fits = abs(total - 1) <= (1e-4 if short else 1e-6)
    require(q=(f"sum {total:.8g}", fits, "probabilities with sum 1"))
    terms = math.comb(k + len(q) - 1, k)
    require(k=(f"{k}: {terms:.3g} terms", terms <= MOST_TERMS, "smaller, or q shorter"))
    often = _compositions(k, len(q))  # (terms, s): each row sums to k
    # probability of a row: k! / Π n_i! ways to order it, times Π q_i^n_i
    log_choices = math.lgamma(k + 1) - torch.lgamma(often + 1).sum(1)
    probability = (log_choices + often @ q.log()).exp()
    # log (1/k) Σ_i n_i w_i; a count of 0 has log −∞ and drops out
    log_means = (often.log() + log_joint - q.log()).logsumexp(1) - math.log(k)
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
