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
from course_utils.mixture.fast import Moments, Parameters, StandardisedData
from course_utils.mixture.model import (
    GaussianMixture,
    as_rows,
    check_enough,
    is_positive_definite,
)
from course_utils.training import checked

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
    floor = floor_matrix(covariance_floor, x.shape[1])
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


@checked
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
    floor = floor_matrix(covariance_floor, start.d)
    check_enough(x, start.k)
    check_iterations(max_iterations)
    yield  # the arguments fit
    data, mixture, collapsed, previous = StandardisedData(x), start, (), -math.inf
    guard = Guard(data, floor)
    now = data.standardised(start)
    for iteration in range(max_iterations + 1):
        # One pass over the data: the log-likelihood of this mixture, and what the
        # M-step needs for the next one.
        moments = data.moments(now)
        log_likelihood = moments.log_likelihood.item()
        yield EMState(iteration, mixture, log_likelihood, collapsed)
        gain = log_likelihood - previous
        if iteration == max_iterations or abs(gain) < tolerance:
            return
        previous = log_likelihood
        now, narrow, unbounded = guard.m_step(moments, now)
        collapsed = tuple(narrow.nonzero()[:, 0].tolist())
        if bool(unbounded):
            yield EMState(iteration + 1, mixture, math.inf, collapsed)
            return
        mixture = GaussianMixture(*data.original(now))


class Guard:
    """The M-step with an eye on components that collapse; of one mixture or of many."""

    def __init__(self, data: StandardisedData, floor: torch.Tensor):
        self.floor = data.to @ floor @ data.to.T  # in standard units
        self.least = data.to @ (NARROWEST * data.unit) @ data.to.T
        self.both = self.floor + self.least

    def m_step(self, moments: Moments, old: Parameters):
        """The next parameters, which components collapsed, where there is no bound.

        A component without examples stays as it is in ``old``, and so does a mixture
        without bound.
        """
        counts, means, scatters, _ = moments
        # Collapsed: in some direction its examples spread no wider than the floor.
        empty = counts < 1e-300
        collapsed = empty | ~is_positive_definite(scatters - self.both)
        unbounded = torch.zeros(counts.shape[:-1], dtype=torch.bool)
        # The counts sum to n up to rounding; divided by their sum, the weights fit.
        weights = counts / counts.sum(-1, keepdim=True)
        new = Parameters(weights, means, scatters + self.floor)
        if bool(collapsed.any()):
            new = _where(empty, Parameters(weights, *old[1:]), new)
            # No floor, or one lost in rounding: the density is a spike of any height,
            # so the likelihood has no maximum (section 5).
            spike = ~is_positive_definite(new.covariances - self.least)
            unbounded = spike.any(-1)
            new = _where(unbounded, old, new)
        return new, collapsed, unbounded


def _where(here, one: Parameters, other: Parameters) -> Parameters:
    """``one`` where ``here``, of components or of whole mixtures, else ``other``."""
    pairs = zip(one, other, strict=True)
    return Parameters(
        *(
            torch.where(here.reshape(here.shape + (1,) * (a.ndim - here.ndim)), a, b)
            for a, b in pairs
        )
    )


def floor_matrix(covariance_floor: float, d: int) -> torch.Tensor:
    """floor · I, ``(d, d)``: what every M-step adds to every covariance."""
    fits = 0 <= covariance_floor < math.inf
    require(covariance_floor=(covariance_floor, fits, ">= 0 and finite"))
    return covariance_floor * torch.eye(d, dtype=torch.float64)


def check_iterations(max_iterations: int) -> None:
    """Raise ``ValueError`` for less than none."""
    require(max_iterations=(max_iterations, max_iterations >= 0, ">= 0"))
