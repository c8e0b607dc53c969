"""EM for Gaussian mixtures: its two steps, its starts, its states (notebook 02).

Data are ``(n, d)`` and everything is float64; log-likelihoods are in nats per example.
EM is the algorithm of Dempster, Laird and Rubin (1977); the slides need it where they
say that the posterior of a Gaussian mixture is easy to compute.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from course_utils.arguments import floats, require
from course_utils.mixture.fast import Moments, Parameters, StandardisedData
from course_utils.mixture.gate import (
    LARGEST,
    as_data,
    check_enough,
    check_stop,
    floor_matrix,
)
from course_utils.mixture.model import (
    GaussianMixture,
    check_mixture,
    is_positive_definite,
)
from course_utils.training import checked

NARROWEST = 1e-14  # of the data's variance: below, float64 cannot hold a covariance
NOTHING = 1e-300  # examples; less share is none
FARTHEST = 1e9  # standard deviations from the data: beyond, their differences are lost


@dataclass(frozen=True, eq=False)
class EMState:
    """One moment of EM. Responsibilities are ``mixture.responsibilities(x)``."""

    iteration: int
    mixture: GaussianMixture
    log_likelihood: float  # of the mixture, (1/n) Σ log q(xₙ); inf where unbounded
    collapsed: tuple[int, ...] = ()  # components as narrow as the floor, or empty


def e_step(x: torch.Tensor, mixture: GaussianMixture) -> torch.Tensor:
    """Responsibilities rₙₖ = p(zₙ = k | xₙ), ``(n, k)``."""
    check_mixture(mixture)
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
    x, r = as_data(x), floats(responsibilities, "responsibilities", torch.float64)
    floor = floor_matrix(covariance_floor, x)
    fits = r.ndim == 2 and len(r) == len(x) and r.shape[1] > 0
    rule = f"of shape (n, k) with n = {len(x)}"
    require(responsibilities=(f"shape {tuple(r.shape)}", fits, rule))
    if not bool((r >= 0).all() and ((r.sum(1) - 1).abs() < 1e-6).all()):
        raise ValueError("responsibilities must be >= 0, and each row must sum to 1")
    counts = r.sum(0)  # (k,): Nₖ, the number of examples that each one explains
    if not bool((counts > NOTHING).all()):
        raise ValueError(f"component {int(counts.argmin())} is responsible for nothing")
    means = r.T @ x / counts[:, None]  # (k, n) @ (n, d): a weighted sum for each k
    centred = x[None, :, :] - means[:, None, :]  # (k, n, d), around the new means
    covariances = (r.T[:, :, None] * centred).mT @ centred / counts[:, None, None]
    covariances = covariances + floor
    check_spread(covariances)
    return GaussianMixture(counts / len(x), means, covariances)


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

    Raises ``ValueError`` for a ``start`` too far from x, or too narrow, to be computed
    with, and ``FloatingPointError`` where the log-likelihood is no number.
    """
    check_mixture(start, "start")
    check_stop(max_iterations, tolerance)
    data = StandardisedData(x, start.d)
    floor = floor_matrix(covariance_floor, data.x)
    check_enough(data.x, start.k)
    now = data.standardised(start)
    check_start(now)
    yield  # the arguments fit
    guard = Guard(data, floor)
    mixture, collapsed, previous = start, (), -math.inf
    for iteration in range(max_iterations + 1):
        # One pass over the data: the log-likelihood of this mixture, and what the
        # M-step needs for the next one.
        moments = data.moments(now)
        log_likelihood = moments.log_likelihood.item()
        check_likelihood([log_likelihood], iteration)
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
        empty = counts < NOTHING
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


def check_start(start: Parameters, name: str = "start") -> None:
    """``ValueError`` where float64 cannot compute with a start ``(…, k)``.

    Its parameters are in standard units. A component that is far away does no harm, if
    another is near.
    """
    finite = all(bool(value.isfinite().all()) for value in start)
    cholesky, info = torch.linalg.cholesky_ex(start.covariances)
    if not finite or bool(info.any()):
        raise ValueError(f"{name} must be less narrow, or less wide, beside x")
    y = torch.linalg.solve_triangular(cholesky, start.means[..., None], upper=False)
    distance = torch.linalg.vector_norm(y[..., 0], dim=-1)
    nearest = torch.where(start.weights > 0, distance, math.inf).amin(-1).max().item()
    got = f"{nearest:g} of its standard deviations away from the mean of x"
    require(**{name: (got, nearest <= FARTHEST, f"at most {FARTHEST:g} away")})
    got = f"a component {distance.max().item():g} of its standard deviations away"
    rule = f"at most {LARGEST:g} away"
    require(**{name: (got, distance.max().item() <= LARGEST, rule)})


def check_spread(covariances: torch.Tensor) -> None:
    """``ValueError`` unless every component ``(…, k, d, d)`` has a density."""
    spread = is_positive_definite(covariances)
    if not bool(spread.all()):
        component = int((~spread).nonzero()[0, -1])
        raise ValueError(
            f"x does not spread around component {component}; use a covariance_floor"
        )


def check_likelihood(values: list[float], iteration: int) -> None:
    """``FloatingPointError`` for a log-likelihood that is not finite: no step on."""
    if not all(map(math.isfinite, values)):
        raise FloatingPointError(
            f"the log-likelihood became {values} at iteration {iteration}: "
            "the start is too narrow for x"
        )
