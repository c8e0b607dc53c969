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

Many starts are one product, too. Features do not depend on the mixture, so the
components of all starts stand below each other, ``(starts·k, F)``; only Bayes' rule
looks at the k rows of each start by themselves.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch

from course_utils.mixture.gate import as_data, as_rows, check_size
from course_utils.mixture.model import GaussianMixture

LOG2_E = math.log2(math.e)
CHUNK = 2**19  # float64 numbers in work at a time: 4 MiB
KEPT = 2**16  # data with so few features altogether: made once, 512 KiB


class Parameters(NamedTuple):
    """A mixture as numbers, not checked; the dots stand for nothing, or for starts."""

    weights: torch.Tensor  # (…, k)
    means: torch.Tensor  # (…, k, d)
    covariances: torch.Tensor  # (…, k, d, d)


class Moments(NamedTuple):
    """What EM takes from the data: each component's share, mean and scatter."""

    counts: torch.Tensor  # (…, k)       Nₖ = Σₙ rₙₖ
    means: torch.Tensor  # (…, k, d)      Σₙ rₙₖ uₙ / Nₖ
    scatters: torch.Tensor  # (…, k, d, d)   Σₙ rₙₖ (uₙ − μₖ)(uₙ − μₖ)ᵀ / Nₖ
    log_likelihood: torch.Tensor  # (…)   (1/n) Σₙ log p(xₙ), of the mixture that gave r


def features(x: torch.Tensor) -> torch.Tensor:
    """(1, xᵢ, xᵢxⱼ for i ≤ j), one row each: ``(n, d)`` becomes ``(F, n)``."""
    x = as_rows(x).detach()
    check_size(x, "x")
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
    mixture = GaussianMixture(weights, means, covariances)  # which looks at them
    cholesky = torch.linalg.cholesky(mixture.covariances)
    precision = torch.cholesky_inverse(cholesky)
    natural = _natural(mixture.weights, mixture.means, cholesky, precision)
    if not bool(natural[mixture.weights > 0].isfinite().all()):
        raise ValueError("means must be smaller beside the covariances: they overflow")
    return natural


def _natural(weights, means, cholesky, precision) -> torch.Tensor:
    # −½ (x − μ)ᵀP(x − μ) = −½ μᵀPμ + (Pμ)ᵀx − ½ Σᵢⱼ Pᵢⱼ xᵢxⱼ, with P = Σₖ⁻¹
    linear = (precision @ means[:, :, None])[:, :, 0]
    constant = log_peaks(weights, cholesky).sub((means * linear).sum(1), alpha=0.5)
    pairs, factor, _ = _pairs(means.shape[1])
    quadratic = precision.flatten(1).index_select(1, pairs) * factor
    return torch.cat([constant[:, None], linear, quadratic], dim=1)


@lru_cache
def _pairs(d: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The pairs i ≤ j: where in a flat matrix, their factors, which pair stands where.

    Off the diagonal the pair counts twice, because xᵢxⱼ = xⱼxᵢ.
    """
    with torch.inference_mode(False):  # they are kept
        i, j = torch.triu_indices(d, d)
        square = torch.empty(d, d, dtype=torch.long)
        square[i, j] = square[j, i] = torch.arange(len(i))
        factor = torch.where(i == j, -0.5, -1.0).to(torch.float32)
        return d * i + j, factor, square.flatten()


def log_peaks(weights: torch.Tensor, cholesky: torch.Tensor) -> torch.Tensor:
    """log φₖ + log N(μₖ | μₖ, Σₖ), ``(k,)``: the density on top of each component."""
    log_det = cholesky.diagonal(dim1=1, dim2=2).log().sum(1)  # ½ log det Σₖ
    return weights.log() - log_det - 0.5 * cholesky.shape[-1] * math.log(2 * math.pi)


class StandardisedData:
    """Data ``x`` ``(n, d)`` seen in units in which their mean is 0, their covariance I.

    EM runs in these units: ``standardised`` brings a mixture there, ``original`` back.
    Each chunk of x is centred and scaled, u = A(x − m), when its turn comes; only small
    data keep their features. ``unit`` is the covariance of x.
    """

    def __init__(self, x: torch.Tensor, d: int | None = None):
        self.x = x = as_data(x, d)
        self.mean = x.mean(0)
        centred = (part - self.mean for part in x.split(8192))
        self.unit = sum(part.T @ part for part in centred) / len(x)
        spread = self.unit.diagonal().sqrt()
        spread = torch.where(spread > 0, spread, 1.0)  # a constant column
        correlation = self.unit / (spread[:, None] * spread)
        correlation.diagonal().add_(1e-12)  # columns that depend on each other
        self.back = spread[:, None] * torch.linalg.cholesky(correlation)
        self.to = torch.linalg.inv(self.back)  # A; x = m + back u
        self.log_det = self.to.diagonal().log().sum().item()  # p(x) = p(u) |det A|
        self.kept, (n, d) = None, x.shape
        if n * (1 + d + len(_pairs(d)[0])) <= KEPT:
            self.kept = next(self._features(n))

    def standardised(self, mixture) -> Parameters:
        """The parameters of a mixture of x, as those of u."""
        means = (mixture.means - self.mean) @ self.to.T
        covariances = self.to @ mixture.covariances @ self.to.T
        return Parameters(mixture.weights, means, covariances)

    def original(self, parameters: Parameters) -> Parameters:
        """The way back: parameters of u, as those of x."""
        weights, means, covariances = parameters
        means = self.mean + means @ self.back.T
        return Parameters(weights, means, self.back @ covariances @ self.back.T)

    def moments(self, mixture: Parameters) -> Moments:
        """One E-step and the sums of one M-step, in standard units.

        A component 300 times narrower than the data would lose digits in uᵢuⱼ: then,
        and where components are so few that k·d rows cost less than d²/2, each
        component measures in its own units.
        """
        *starts, k, d = mixture.means.shape
        flat = Parameters(*(v.flatten(0, len(starts)) for v in mixture))
        cholesky = torch.linalg.cholesky(flat.covariances)
        precision = torch.cholesky_inverse(cholesky)
        narrow = precision.amax().item() > 1e5
        if narrow:  # one of the components; which of the mixtures, on the whole?
            trace = precision.diagonal(dim1=1, dim2=2).mean(1).view_as(mixture.weights)
            sides = (mixture.weights * trace).sum(-1) > 1e5  # (…)
            # however small its share is, a component may be too narrow for features
            sides |= ((mixture.weights > 0) & (trace > 1e6)).any(-1)
            narrow = bool(sides.all())
            if bool(sides.any()) and not narrow:
                return self._moments_of_both(mixture, sides)
        if narrow or 4 * k <= d:
            sums = self._in_own_units(*flat[:2], cholesky, k)
        else:
            sums = self._in_features(*flat[:2], cholesky, precision, k)
        if not starts:
            return Moments(*sums[:3], sums[3][0])
        return Moments(*(v.unflatten(0, (*starts, -1)) for v in sums[:3]), sums[3])

    def _moments_of_both(self, mixture, narrow):
        """Some starts in the one way, the others in the other."""
        sides = narrow, ~narrow
        parts = [self.moments(Parameters(*(v[i] for v in mixture))) for i in sides]
        order = torch.cat([i.nonzero()[:, 0] for i in sides]).argsort()
        return Moments(*(torch.cat(pair)[order] for pair in zip(*parts, strict=True)))

    def _in_features(self, weights, means, cholesky, precision, k):
        natural = LOG2_E * _natural(weights, means, cholesky, precision)
        (n, d), components = self.x.shape, len(means)
        size = _chunk_size(n, natural.shape[1] + components)
        # Memory for one chunk, made once: every chunk writes into the same.
        logits = natural.new_empty(components, size)
        sums, log2_likelihood = torch.zeros_like(natural), 0.0
        for f in self._features(size):
            r = torch.mm(natural, f, out=logits[:, : f.shape[1]])
            log2_likelihood = log2_likelihood + normalise(r, k)  # E-step
            sums.addmm_(r, f.T)  # M-step: (k, F)
        counts = sums[:, 0]  # the feature 1, weighted: Nₖ
        sums = sums / counts.clamp(min=1e-300)[:, None]
        means = sums[:, 1 : 1 + d]
        squares = sums[:, 1 + d :].index_select(1, _pairs(d)[2]).unflatten(1, (d, d))
        scatters = squares - means[:, :, None] * means[:, None, :]  # E[uuᵀ] − μμᵀ
        log_likelihood = log2_likelihood / (LOG2_E * n) + self.log_det
        return counts, means, scatters, log_likelihood

    def _features(self, size: int):
        """The features of ``size`` examples after the other, ``(F, size)``."""
        n, d = self.x.shape
        if self.kept is not None:
            yield from [self.kept] if size >= n else self.kept.split(size, dim=1)
            return
        rows = self.x.new_ones(1 + d + d * (d + 1) // 2, size)
        for x in self.x.split(size):
            f = rows[:, : len(x)]  # the last chunk is short
            u = torch.mm(self.to, (x - self.mean).T, out=f[1 : 1 + d])
            multiply_pairs(u, f[1 + d :])
            yield f

    def _in_own_units(self, weights, means, cholesky, k):
        """The same sums from y = L⁻¹(u − μₖ): one product gives y of all components."""
        (components, d), n = means.shape, len(self.x)
        inverse = torch.linalg.inv(cholesky)
        shift = -(inverse @ means[:, :, None]).reshape(-1, 1)
        inverse = (inverse @ self.to).reshape(-1, d)  # all components below each other
        peaks = LOG2_E * log_peaks(weights, cholesky)[:, None]
        size = _chunk_size(n, (2 * d + 1) * components + d)
        own, work = means.new_empty(2, components * d, size)
        counts, first, second = 0.0, 0.0, torch.zeros_like(cholesky)
        log2_likelihood = 0.0
        for x in self.x.split(size):
            y, w = own[:, : len(x)], work[:, : len(x)]
            torch.addmm(shift, inverse, (x - self.mean).T, out=y)
            y, w = y.unflatten(0, (-1, d)), w.unflatten(0, (-1, d))  # (k, d, n)
            r = peaks - 0.5 * LOG2_E * torch.mul(y, y, out=w).sum(1)
            log2_likelihood = log2_likelihood + normalise(r, k)
            torch.mul(r[:, None], y, out=w)
            counts, first = counts + r.sum(1), first + w.sum(2)
            second.baddbmm_(w, y.mT)
        share = counts.clamp(min=1e-300)[:, None, None]
        first, second = first[:, :, None] / share, second / share
        return (
            counts,
            means + (cholesky @ first)[:, :, 0],
            cholesky @ (second - first @ first.mT) @ cholesky.mT,
            log2_likelihood / (LOG2_E * n) + self.log_det,
        )


def normalise(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Base-2 logits become responsibilities, in place: each ``k`` rows are one start.

    From ``(starts·k, n)``; returns Σₙ log₂ p(xₙ), ``(starts,)``. Subtracting the
    largest logit first keeps ``exp2`` from underflowing (log-sum-exp).
    """
    logits = logits.unflatten(0, (-1, k))
    largest = logits.amax(1, keepdim=True)
    total = logits.sub_(largest).exp2_().sum(1, keepdim=True)
    logits.mul_(1 / total)
    return (largest + total.log2()).sum((1, 2))


def _chunk_size(n: int, rows: int) -> int:
    """Columns per chunk; never a power of two, which caches serve badly."""
    return min(n, max(128, min(16384, CHUNK // rows)) // 16 * 16 + 8)
