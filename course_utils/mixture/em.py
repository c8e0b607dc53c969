"""EM for Gaussian mixtures: its two steps, its starts, its states (notebook 02).

Data are ``(n, d)`` and everything is float64; log-likelihoods are in nats per example.
EM is the algorithm of Dempster, Laird and Rubin (1977); the slides need it where they
say that the posterior of a Gaussian mixture is easy to compute.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from course_utils.arguments import require
from course_utils.mixture.fast import StandardisedData
from course_utils.mixture.model import (
    GaussianMixture,
    as_rows,
    check_enough,
    is_positive_definite,
    squared_distances,
)

NARROWEST = 1e-14  # of the data's variance: below, float64 cannot hold a covariance


@dataclass(frozen=True, eq=False)
class EMState:
    """One moment of EM. Responsibilities are ``mixture.responsibilities(x)``."""

    iteration: int
    mixture: GaussianMixture
    log_likelihood: float  # of the mixture, (1/n) Σ log q(xₙ); inf where unbounded
    collapsed: tuple[int, ...] = ()  # components as narrow as the floor, or empty


def e_step(x: torch.Tensor, mixture: GaussianMixture) -> torch.Tensor:
    """Responsibilities rₙₖ = p(zₙ = k | xₙ), ``(n, k)``."""
    return mixture.responsibilities(x)  # Bayes' rule, in logarithms


def m_step(
    x: torch.Tensor, responsibilities: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """The mixture of weighted averages, as if r were the known share of each component.

    With Nₖ = Σₙ rₙₖ: φₖ = Nₖ/n, μₖ = Σₙ rₙₖ xₙ / Nₖ, and
    Σₖ = Σₙ rₙₖ (xₙ − μₖ)(xₙ − μₖ)ᵀ / Nₖ + floor · I. Raises ``ValueError`` for wrong
    shapes, for rows that do not sum to one, and for a component without examples or
    (at floor 0) without spread.
    """
    x, r = as_rows(x), torch.as_tensor(responsibilities, dtype=torch.float64)
    floor = _floor(covariance_floor, x.shape[1])
    fits = r.ndim == 2 and len(r) == len(x)
    rule = f"of shape (n, k) with n = {len(x)}"
    require(responsibilities=(f"shape {tuple(r.shape)}", fits, rule))
    if not bool((r >= 0).all() and ((r.sum(1) - 1).abs() < 1e-6).all()):
        raise ValueError("responsibilities must be >= 0, and each row must sum to 1")
    counts = r.sum(0)  # (k,): Nₖ, the number of examples that each one explains
    if not bool((counts > 0).all()):
        raise ValueError(f"component {int(counts.argmin())} is responsible for nothing")
    means = r.T @ x / counts[:, None]  # (k, n) @ (n, d): a weighted sum for each k
    centred = x[None, :, :] - means[:, None, :]  # (k, n, d), around the new means
    covariances = (r.T[:, :, None] * centred).mT @ centred / counts[:, None, None]
    return GaussianMixture(counts / len(x), means, covariances + floor)


def em(
    x: torch.Tensor,
    start: GaussianMixture,
    covariance_floor: float = 1e-6,
    max_iterations: int = 200,
    tolerance: float = 1e-8,
) -> Iterator[EMState]:
    """EM from ``start``: yields the state of iteration 0 (the start), 1, 2, …

    Each iteration is ``m_step(x, e_step(x, mixture), covariance_floor)``, computed by
    two matrix products (``fast``). It stops after ``max_iterations``, or when the
    log-likelihood per example changes by less than ``tolerance``. The floor is
    scikit-learn's ``reg_covar``: it has the unit of x², so choose it small beside the
    variance of your data.

    A component that collapses onto a few examples is named in ``state.collapsed``, and
    its floor keeps it. Without a floor (or with one that is lost in rounding beside the
    data's variance) the likelihood has no bound there: the last state then keeps the
    last mixture that had a density, with log-likelihood ``inf``.
    """
    x = as_rows(x, start.d)
    floor = _floor(covariance_floor, start.d)
    check_enough(x, start.k)
    data, mixture, collapsed, previous = StandardisedData(x), start, (), -math.inf
    least = NARROWEST * data.unit
    for iteration in range(max_iterations + 1):
        # One pass over the data: the log-likelihood of this mixture, and what the
        # M-step needs for the next one.
        moments = data.moments(mixture.weights, mixture.means, mixture.covariances)
        yield EMState(iteration, mixture, moments.log_likelihood, collapsed)
        gain = moments.log_likelihood - previous
        if iteration == max_iterations or abs(gain) < tolerance:
            return
        previous = moments.log_likelihood
        counts, means, covariances = moments.counts, moments.means, moments.scatters
        empty = counts < 1e-300
        # Collapsed: in some direction its examples spread no wider than the floor.
        narrow = empty | ~is_positive_definite(covariances - floor - least)
        collapsed = tuple(narrow.nonzero()[:, 0].tolist())
        covariances = covariances + floor
        if collapsed:  # a component without examples stays as it was
            means = torch.where(empty[:, None], mixture.means, means)
            old = mixture.covariances
            covariances = torch.where(empty[:, None, None], old, covariances)
            if not bool(is_positive_definite(covariances - least).all()):
                # No floor, or one lost in rounding: the density is a spike of any
                # height, so the likelihood has no maximum (section 5).
                yield EMState(iteration + 1, mixture, math.inf, collapsed)
                return
        # The counts sum to n up to rounding; divided by their sum, the weights fit.
        mixture = GaussianMixture(counts / counts.sum(), means, covariances)


def kmeans_plus_plus(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` rows of ``x`` ``(n, d)`` that lie well apart, ``(k, d)``.

    The first is drawn at random, each next one with probability in proportion to its
    squared distance from the centres so far (Arthur and Vassilvitskii 2007).
    """
    x = as_rows(x)
    check_enough(x, k)
    centres = random_centres(x, 1, generator)
    while len(centres) < k:
        distance = squared_distances(x, centres).amin(1)  # (n,), to the nearest one
        if not bool((distance > 0).any()):
            raise ValueError(f"x has only {len(centres)} different rows, k is {k}")
        # A row that is a centre already has distance 0: it is never drawn again.
        chosen = torch.multinomial(distance, 1, generator=generator)
        centres = torch.cat([centres, x[chosen]])
    return centres


def random_centres(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` different rows of ``x``, all equally likely: the start that often fails."""
    x = as_rows(x)
    check_enough(x, k)
    return x[torch.randperm(len(x), generator=generator)[:k]]


def start_at(
    x: torch.Tensor, centres: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """A mixture to start from: means at ``centres`` ``(k, d)``, equal weights.

    All components share one covariance: that of the examples around the centre that
    is nearest to each.
    """
    x = as_rows(x)
    centres = as_rows(centres, x.shape[1], name="centres")
    k, d = centres.shape
    around = x - centres[squared_distances(x, centres).argmin(1)]  # (n, d)
    covariance = around.T @ around / len(x) + _floor(covariance_floor, d)
    return GaussianMixture(torch.full((k,), 1 / k), centres, covariance.expand(k, d, d))


def restarts(
    x: torch.Tensor,
    k: int,
    n_starts: int = 10,
    centres=kmeans_plus_plus,
    generator=None,
    **options,
) -> list[EMState]:
    """The last state of EM from ``n_starts`` starts, the most likely one first.

    ``centres(x, k, generator)`` chooses where each starts; ``options`` go to ``em``. A
    run that ended in ``inf`` has found a fault of the model, not a good fit: it comes
    last.
    """
    require(n_starts=(n_starts, n_starts >= 1, "at least 1"))
    ends = []
    for _ in range(n_starts):
        start = start_at(x, centres(x, k, generator))
        *_, last = em(x, start, **options)
        ends.append(last)
    return sorted(ends, key=_likelihood_if_finite, reverse=True)


def _floor(covariance_floor: float, d: int) -> torch.Tensor:
    """floor · I, ``(d, d)``: what every M-step adds to every covariance."""
    fits = 0 <= covariance_floor < math.inf
    require(covariance_floor=(covariance_floor, fits, ">= 0 and finite"))
    return covariance_floor * torch.eye(d, dtype=torch.float64)


def _likelihood_if_finite(state: EMState) -> float:
    value = state.log_likelihood
    return value if math.isfinite(value) else -math.inf
