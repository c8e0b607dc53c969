"""EM for Gaussian mixtures: its two steps, its starts, its states (notebook 02).

Data are ``(n, d)`` and everything is float64; log-likelihoods are in nats per example.
EM is the algorithm of Dempster, Laird and Rubin (1977); the slides need it where they
say that the posterior of a Gaussian mixture is easy to compute.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from course_utils.mixture.fast import StandardisedData
from course_utils.mixture.model import (
    GaussianMixture,
    bic,
    check_data,
    check_enough,
    is_positive_definite,
    match_components,
    sort_components,
    squared_distances,
)

__all__ = [
    "EMState",
    "GaussianMixture",
    "bic",
    "e_step",
    "em",
    "kmeans_plus_plus",
    "m_step",
    "match_components",
    "random_centres",
    "restarts",
    "sort_components",
    "start_at",
]

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
    return mixture.responsibilities(x)


def m_step(
    x: torch.Tensor, responsibilities: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """The mixture of weighted averages, as if r were the known share of each component.

    With Nₖ = Σₙ rₙₖ: φₖ = Nₖ/n, μₖ = Σₙ rₙₖ xₙ / Nₖ, and
    Σₖ = Σₙ rₙₖ (xₙ − μₖ)(xₙ − μₖ)ᵀ / Nₖ + floor · I. Raises ``ValueError`` for wrong
    shapes, for rows that do not sum to one, and for a component without examples or
    (at floor 0) without spread.
    """
    x, r = check_data(x), torch.as_tensor(responsibilities, dtype=torch.float64)
    _check_floor(covariance_floor)
    if r.ndim != 2 or len(r) != len(x):
        raise ValueError(
            f"responsibilities must have shape (n, k) with n = {len(x)}, "
            f"got {tuple(r.shape)}"
        )
    if not bool((r >= 0).all() and ((r.sum(1) - 1).abs() < 1e-6).all()):
        raise ValueError("responsibilities must be >= 0, and each row must sum to 1")
    counts = r.sum(0)
    if not bool((counts > 0).all()):
        raise ValueError(f"component {int(counts.argmin())} is responsible for nothing")
    means = r.T @ x / counts[:, None]
    centred = x[None, :, :] - means[:, None, :]  # (k, n, d)
    covariances = (r.T[:, :, None] * centred).mT @ centred / counts[:, None, None]
    floor = covariance_floor * torch.eye(x.shape[1], dtype=torch.float64)
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
    two matrix products (``mixture_fast``). It stops after ``max_iterations``, or when
    the log-likelihood per example changes by less than ``tolerance``. The floor is
    scikit-learn's ``reg_covar``: it has the unit of x², so choose it small beside the
    variance of your data.

    A component that collapses onto a few examples is named in ``state.collapsed``, and
    its floor keeps it. Without a floor (or with one that is lost in rounding beside the
    data's variance) the likelihood has no bound there: the last state then keeps the
    last mixture that had a density, with log-likelihood ``inf``.
    """
    x = check_data(x, start.d)
    _check_floor(covariance_floor)
    check_enough(x, start.k)
    data, mixture, collapsed, previous = StandardisedData(x), start, (), -math.inf
    floor = covariance_floor * torch.eye(start.d, dtype=torch.float64)
    for iteration in range(max_iterations + 1):
        moments = data.moments(mixture.weights, mixture.means, mixture.covariances)
        yield EMState(iteration, mixture, moments.log_likelihood, collapsed)
        gain = moments.log_likelihood - previous
        if iteration == max_iterations or abs(gain) < tolerance:
            return
        previous = moments.log_likelihood
        counts, means, covariances = moments.counts, moments.means, moments.scatters
        least = NARROWEST * data.unit
        empty = counts < 1e-300
        narrow = empty | ~is_positive_definite(covariances - floor - least)
        collapsed = tuple(narrow.nonzero()[:, 0].tolist())
        covariances = covariances + floor
        if collapsed:  # a component without examples stays as it was
            means = torch.where(empty[:, None], mixture.means, means)
            old = mixture.covariances
            covariances = torch.where(empty[:, None, None], old, covariances)
            if not bool(is_positive_definite(covariances - least).all()):
                yield EMState(iteration + 1, mixture, math.inf, collapsed)
                return
        mixture = GaussianMixture(counts / counts.sum(), means, covariances)


def kmeans_plus_plus(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` rows of ``x`` ``(n, d)`` that lie well apart, ``(k, d)``.

    The first is drawn at random, each next one with probability in proportion to its
    squared distance from the centres so far (Arthur and Vassilvitskii 2007).
    """
    x = check_data(x)
    check_enough(x, k)
    centres = random_centres(x, 1, generator)
    while len(centres) < k:
        distance = squared_distances(x, centres).amin(1)
        if not bool((distance > 0).any()):
            raise ValueError(f"x has only {len(centres)} different rows, k is {k}")
        chosen = torch.multinomial(distance, 1, generator=generator)
        centres = torch.cat([centres, x[chosen]])
    return centres


def random_centres(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` different rows of ``x``, all equally likely: the start that often fails."""
    x = check_data(x)
    check_enough(x, k)
    return x[torch.randperm(len(x), generator=generator)[:k]]


def start_at(
    x: torch.Tensor, centres: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """A mixture to start from: means at ``centres`` ``(k, d)``, equal weights.

    All components share one covariance: that of the examples around the centre that
    is nearest to each.
    """
    x = check_data(x)
    centres = check_data(centres, x.shape[1], name="centres")
    k, d = centres.shape
    around = x - centres[squared_distances(x, centres).argmin(1)]
    floor = covariance_floor * torch.eye(d, dtype=torch.float64)
    covariance = around.T @ around / len(x) + floor
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
    if n_starts < 1:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    ends = []
    for _ in range(n_starts):
        start = start_at(x, centres(x, k, generator))
        *_, last = em(x, start, **options)
        ends.append(last)
    return sorted(ends, key=_likelihood_if_finite, reverse=True)


def _check_floor(covariance_floor: float) -> None:
    if not (covariance_floor >= 0 and math.isfinite(covariance_floor)):
        raise ValueError(f"covariance_floor must be >= 0, got {covariance_floor}")


def _likelihood_if_finite(state: EMState) -> float:
    finite = math.isfinite(state.log_likelihood)
    return state.log_likelihood if finite else -math.inf
