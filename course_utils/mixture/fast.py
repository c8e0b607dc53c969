"""The sums that EM needs, quickly: a sum of outer products is a matrix product.

The logarithm of a weighted Gaussian density is quadratic in x, so it is linear in the
*features* f(x) = (1, xᵢ, xᵢxⱼ). One E-step and one M-step are then two matrix products:

    logits = natural_parameters @ features           (k, F) @ (F, n)
    sums   = responsibilities @ features.T           (k, n) @ (n, F)

Four decisions make them quick. Examples are columns, so that every operation runs along
contiguous memory. They pass through in chunks that stay in the processor's cache, so
that memory does not grow with n. Logarithms inside are to base 2, because ``exp2``
costs a third of ``exp``. And the data are centred and scaled, so that xᵢxⱼ loses no
digits.
"""

import math
from typing import NamedTuple

import torch

LOG2_E = math.log2(math.e)
CHUNK = 2**19  # float64 numbers in work at a time: 4 MiB


class Moments(NamedTuple):
    """What EM takes from the data: each component's share, mean and scatter."""

    counts: torch.Tensor  # (k,)       Nₖ = Σₙ rₙₖ
    means: torch.Tensor  # (k, d)      Σₙ rₙₖ xₙ / Nₖ
    scatters: torch.Tensor  # (k, d, d)   Σₙ rₙₖ (xₙ − μₖ)(xₙ − μₖ)ᵀ / Nₖ
    log_likelihood: float  # (1/n) Σₙ log p(xₙ), of the mixture that gave r, in nats


def features(x: torch.Tensor) -> torch.Tensor:
    """(1, xᵢ, xᵢxⱼ for i ≤ j), one row each: ``(n, d)`` becomes ``(F, n)``."""
    n, d = x.shape
    rows = x.new_ones(1 + d + d * (d + 1) // 2, n)
    rows[1 : 1 + d] = x.T
    multiply_pairs(rows[1 : 1 + d], rows[1 + d :])
    return rows


def multiply_pairs(u: torch.Tensor, products: torch.Tensor) -> None:
    """Write the rows uᵢuⱼ, i ≤ j, of ``u`` ``(d, n)`` into ``products``."""
    row = 0
    for i in range(len(u)):
        torch.mul(u[i], u[i:], out=products[row : row + len(u) - i])
        row += len(u) - i


def natural_parameters(weights, means, covariances) -> torch.Tensor:
    """``(k, F)``: times ``features(x)`` it is log φₖ + log N(x | μₖ, Σₖ), in nats."""
    d = means.shape[1]
    cholesky = torch.linalg.cholesky(covariances)
    precision = torch.cholesky_inverse(cholesky)
    # −½ (x − μ)ᵀP(x − μ) = −½ μᵀPμ + (Pμ)ᵀx − ½ Σᵢⱼ Pᵢⱼ xᵢxⱼ, with P = Σₖ⁻¹
    linear = (precision @ means[:, :, None])[:, :, 0]
    constant = log_peaks(weights, cholesky) - 0.5 * (means * linear).sum(1)
    i, j = torch.triu_indices(d, d)
    # Off the diagonal the pair counts twice, because xᵢxⱼ = xⱼxᵢ.
    quadratic = -precision[:, i, j] * torch.where(i == j, 0.5, 1.0)
    return torch.cat([constant[:, None], linear, quadratic], dim=1)


def log_peaks(weights: torch.Tensor, cholesky: torch.Tensor) -> torch.Tensor:
    """log φₖ + log N(μₖ | μₖ, Σₖ), ``(k,)``: the density on top of each component."""
    log_det = cholesky.diagonal(dim1=1, dim2=2).log().sum(1)  # ½ log det Σₖ
    return weights.log() - log_det - 0.5 * cholesky.shape[-1] * math.log(2 * math.pi)


class StandardisedData:
    """Data ``x`` ``(n, d)`` seen in units in which their mean is 0, their covariance I.

    Nothing is copied: each chunk is centred and scaled, u = A(x − m), when its turn
    comes. ``unit`` is the data's covariance.
    """

    def __init__(self, x: torch.Tensor):
        self.x, self.mean = x, x.mean(0)
        centred = (part - self.mean for part in x.split(8192))
        self.unit = sum(part.T @ part for part in centred) / len(x)
        spread = self.unit.diagonal().sqrt()
        spread = torch.where(spread > 0, spread, 1.0)  # a constant column
        correlation = self.unit / (spread[:, None] * spread)
        correlation.diagonal().add_(1e-12)  # columns that depend on each other
        self.back = spread[:, None] * torch.linalg.cholesky(correlation)
        self.to = torch.linalg.inv(self.back)  # A; x = m + back u
        self.log_det = self.to.diagonal().log().sum().item()  # p(x) = p(u) |det A|

    def moments(self, weights, means, covariances) -> Moments:
        """One E-step and the sums of one M-step, for the mixture that is given.

        A component 300 times narrower than the data would lose digits in uᵢuⱼ: then,
        and where components are so few that k·d rows cost less than d²/2, each
        component measures in its own units.
        """
        precision = torch.linalg.inv(self.to @ covariances @ self.to.T)
        narrow = (weights @ precision.diagonal(dim1=1, dim2=2)).mean() > 1e5
        few = 4 * len(weights) <= self.x.shape[1]
        sums = self._in_own_units if narrow or few else self._in_features
        return sums(weights, means, covariances)

    def _in_features(self, weights, means, covariances) -> Moments:
        means = (means - self.mean) @ self.to.T
        covariances = self.to @ covariances @ self.to.T
        (k, d), n = means.shape, len(self.x)
        natural = LOG2_E * natural_parameters(weights, means, covariances)
        size = _chunk_size(n, natural.shape[1] + k)
        # Memory for one chunk, made once: every chunk writes into the same.
        rows = natural.new_ones(natural.shape[1], size)
        logits = natural.new_empty(k, size)
        sums, log2_likelihood = torch.zeros_like(natural), 0.0
        for x in self.x.split(size):
            f, r = rows[:, : len(x)], logits[:, : len(x)]  # the last chunk is short
            u = torch.mm(self.to, (x - self.mean).T, out=f[1 : 1 + d])
            multiply_pairs(u, f[1 + d :])
            log2_likelihood += normalise(torch.mm(natural, f, out=r))  # E-step
            sums.addmm_(r, f.T)  # M-step: (k, F)
        counts = sums[:, 0]  # the feature 1, weighted: Nₖ
        sums = sums / counts.clamp(min=1e-300)[:, None]
        means = sums[:, 1 : 1 + d]
        i, j = torch.triu_indices(d, d)
        scatters = natural.new_empty(k, d, d)
        scatters[:, i, j] = scatters[:, j, i] = sums[:, 1 + d :]
        scatters = scatters - means[:, :, None] * means[:, None, :]  # E[uuᵀ] − μμᵀ
        return Moments(
            counts,
            self.mean + means @ self.back.T,
            self.back @ scatters @ self.back.T,
            log2_likelihood / LOG2_E / n + self.log_det,
        )

    def _in_own_units(self, weights, means, covariances) -> Moments:
        """The same sums from y = L⁻¹(x − μₖ): one product gives y of all components."""
        (k, d), n = means.shape, len(self.x)
        cholesky = torch.linalg.cholesky(covariances)
        inverse = torch.linalg.inv(cholesky)
        shift = (inverse @ (self.mean - means)[:, :, None]).reshape(-1, 1)
        inverse = inverse.reshape(-1, d)  # all components below each other
        peaks = LOG2_E * log_peaks(weights, cholesky)[:, None]
        size = _chunk_size(n, (2 * d + 1) * k + d)
        own, work = means.new_empty(2, k * d, size)
        counts, first, second = 0.0, 0.0, torch.zeros_like(covariances)
        log2_likelihood = 0.0
        for x in self.x.split(size):
            y, w = own[:, : len(x)], work[:, : len(x)]
            torch.addmm(shift, inverse, (x - self.mean).T, out=y)
            y, w = y.unflatten(0, (k, d)), w.unflatten(0, (k, d))  # (k, d, n)
            r = peaks - 0.5 * LOG2_E * torch.mul(y, y, out=w).sum(1)
            log2_likelihood += normalise(r)
            torch.mul(r[:, None], y, out=w)
            counts, first = counts + r.sum(1), first + w.sum(2)
            second.baddbmm_(w, y.mT)
        share = counts.clamp(min=1e-300)[:, None, None]
        first, second = first[:, :, None] / share, second / share
        return Moments(
            counts,
            means + (cholesky @ first)[:, :, 0],
            cholesky @ (second - first @ first.mT) @ cholesky.mT,
            log2_likelihood / LOG2_E / n,
        )


def normalise(logits: torch.Tensor) -> float:
    """Base-2 logits ``(k, n)`` become responsibilities, in place.

    Returns Σₙ log₂ p(xₙ). Subtracting the largest logit of each column first keeps
    ``exp2`` from underflowing (log-sum-exp).
    """
    largest = logits.amax(0)
    total = logits.sub_(largest).exp2_().sum(0)
    logits.mul_(1 / total)
    return (largest + total.log2()).sum().item()


def _chunk_size(n: int, rows: int) -> int:
    """Columns per chunk; never a power of two, which caches serve badly."""
    return min(n, max(128, min(16384, CHUNK // rows)) // 16 * 16 + 8)
