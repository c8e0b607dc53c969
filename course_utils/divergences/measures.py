"""How far is q from p? KL, Jensen-Shannon and total variation (notebook 06).

``p`` and ``q`` are ``torch.distributions`` objects, models of this course, or anything
with ``log_prob`` (and ``sample``). The caller chooses how to compute, and each way
refuses what it cannot do:

- no option: exact. For ``kl`` wherever ``torch.distributions`` knows a formula; for all
  three where the outcomes can be listed (``Categorical``, ``Bernoulli``).
- ``grid``: the trapezoidal rule, after a check that the grid holds the mass. In one
  dimension ``grid`` is a tensor ``(n,)``, in two a pair of such tensors.
- ``samples``: Monte Carlo with that many draws from each side, as an ``Estimate``.

Everything is in nats. Slides: *KL divergence*, *KL and JSD*.
"""

import math
from typing import NamedTuple

import torch
from torch.distributions import Categorical, OneHotCategorical, kl_divergence
from torch.nn.functional import pad

from course_utils.quadrature import MASS_TOLERANCE, draw, log_density, open_sides
from course_utils.training import seeded

Grid = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
LOG_2 = math.log(2)
LOOK = 4000  # samples that show on which side a grid cuts


class Estimate(NamedTuple):
    """A Monte-Carlo mean, and its standard error; this is NaN for an infinite mean."""

    value: float
    standard_error: float


def kl(p, q, grid: Grid | None = None, samples: int | None = None):
    """KL(p‖q) = E_p[log p(x) − log q(x)] in nats; infinite where q = 0 and p > 0.

    Raises ``ValueError`` when no option is given and no formula is known, and when
    the grid cuts or coarsens more than 1e-4 of the mass of ``p``: it says where, if
    samples of p or its density at the ends of the grid can tell.
    """
    if _one_of(grid, samples) == "samples":
        x = draw(p, samples)
        return _estimate(_log_prob("p", p, x) - _log_prob("q", q, x))
    if grid is None:
        _check_outcomes(p, q)
        try:
            return kl_divergence(p, q)
        except (NotImplementedError, AttributeError):
            pass  # no formula: the outcomes may still be few enough to list
    points, weights = _places(p, q, grid)
    log_p, log_q = _log_prob("p", p, points), _log_prob("q", q, points)
    _check_mass("p", p, log_p.exp(), weights, grid)
    return _mean(log_p, log_p - log_q, weights)


def js(p, q, grid: Grid | None = None, samples: int | None = None):
    """JSD(p, q) = ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2: from 0 to log 2 nats.

    This is the divergence, not its root (the Jensen-Shannon *distance*). Arguments and
    errors as for ``kl``; the grid must hold both.
    """
    if _one_of(grid, samples) == "samples":
        x, y = draw(p, samples), draw(q, samples, "q")
        at_x, at_y = ((_log_prob("p", p, z), _log_prob("q", q, z)) for z in (x, y))
        return _estimate(_gap_to_m(*at_x) / 2, _gap_to_m(*at_y[::-1]) / 2)
    log_p, log_q, weights = _both(p, q, grid)
    log_m = torch.logaddexp(log_p, log_q) - LOG_2
    left = _mean(log_p, log_p - log_m, weights)
    return 0.5 * (left + _mean(log_q, log_q - log_m, weights))


def total_variation(p, q, grid: Grid | None = None, samples: int | None = None):
    """TV(p, q) = ½ ∫ |p(x) − q(x)| dx, from 0 to 1.

    It is the largest difference that p and q can give to one event. Arguments and
    errors as for ``js``; the samples come from ``p``: TV = E_p[max(0, 1 − q/p)].
    """
    if _one_of(grid, samples) == "samples":
        x = draw(p, samples)
        ratio = (_log_prob("q", q, x) - _log_prob("p", p, x)).exp()
        return _estimate((1 - ratio).clamp_min(0))
    log_p, log_q, weights = _both(p, q, grid)
    return 0.5 * (weights * (log_p.exp() - log_q.exp()).abs()).sum()


def grid_points(grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Points ``(n,)`` or ``(n₁ n₂, 2)`` of a grid, and trapezoidal weights for each."""
    if isinstance(grid, torch.Tensor):
        return grid, _trapezoid(grid)
    if len(grid) != 2:
        raise ValueError(f"grid must be a tensor or a pair of them, got {len(grid)}")
    weights = torch.outer(*(_trapezoid(ticks) for ticks in grid))
    return torch.cartesian_prod(*grid), weights.flatten()


def _one_of(grid, samples) -> str:
    if grid is not None and samples is not None:
        raise ValueError("give grid or samples, not both")
    if samples is None:
        return "grid"
    if samples < 2:
        raise ValueError(f"samples must be at least 2, got {samples}")
    return "samples"


def _trapezoid(ticks: torch.Tensor) -> torch.Tensor:
    if ticks.ndim != 1 or len(ticks) < 2 or not bool((ticks.diff() > 0).all()):
        raise ValueError(
            "the ticks of a grid must be (n,) with n >= 2 and grow, got shape "
            f"{tuple(ticks.shape)}"
        )
    step = ticks.diff()
    return (pad(step, (1, 0)) + pad(step, (0, 1))) / 2


def _places(p, q, grid):
    """Where to sum, and with what weights: a grid, or the list of all outcomes."""
    if grid is not None:
        return grid_points(grid)
    if not (getattr(p, "has_enumerate_support", False) and _same_outcomes(p, q)):
        names = f"{type(p).__name__} and {type(q).__name__}"
        raise ValueError(
            f"no exact formula is known for {names}: give grid= (quadrature) or "
            "samples= (Monte Carlo with a standard error)"
        )
    outcomes = p.enumerate_support()
    return outcomes, torch.ones(len(outcomes))


def _same_outcomes(p, q) -> bool:
    if not getattr(q, "has_enumerate_support", False):
        return False
    first, second = p.enumerate_support(), q.enumerate_support()
    return first.shape == second.shape and bool((first == second).all())


def _check_outcomes(p, q) -> None:
    kinds = (Categorical, OneHotCategorical)
    if isinstance(p, kinds) and isinstance(q, kinds):
        n, m = p.param_shape[-1], q.param_shape[-1]
        if n != m:
            raise ValueError(f"p has {n} outcomes, q has {m}: both must have the same")


def _log_prob(name: str, p, points: torch.Tensor) -> torch.Tensor:
    """log p at n points ``(n, …)``, as ``(n,)``; −∞ where p is zero."""
    log_p = log_density(p, points)
    if log_p.numel() != len(points):
        raise ValueError(
            f"{name} must be one distribution, whose log_prob of {len(points)} points "
            f"has as many numbers; got shape {tuple(log_p.shape)}, as from a batch"
        )
    return log_p.flatten()


def _both(p, q, grid):
    points, weights = _places(p, q, grid)
    log_p, log_q = _log_prob("p", p, points), _log_prob("q", q, points)
    _check_mass("p", p, log_p.exp(), weights, grid)
    _check_mass("q", q, log_q.exp(), weights, grid)
    return log_p, log_q, weights


def _mean(log_p, f, weights) -> torch.Tensor:
    """Σ w p f, where 0 · log 0 is 0."""
    return (weights * torch.where(log_p > -math.inf, log_p.exp() * f, 0.0)).sum()


def _gap_to_m(log_p, log_q) -> torch.Tensor:
    return log_p - torch.logaddexp(log_p, log_q) + LOG_2


def _estimate(*parts: torch.Tensor) -> Estimate:
    """The sum of the means of independent samples, with its standard error."""
    variance = sum(part.var().item() / len(part) for part in parts)
    return Estimate(sum(part.mean().item() for part in parts), variance**0.5)


def _check_mass(name, p, density, weights, grid) -> None:
    """Raise ``ValueError`` unless the grid holds mass 1; say on which side it fails."""
    mass = (weights * density).sum().item()
    if abs(mass - 1) <= MASS_TOLERANCE:
        return
    where = "the list of outcomes"
    advice = "the probabilities do not sum to 1"
    if grid is not None:
        ticks = (grid,) if isinstance(grid, torch.Tensor) else grid
        spans = " × ".join(f"[{t[0]:g}, {t[-1]:g}]" for t in ticks)
        where = f"the grid {spans}"
        advice = "it is too coarse, or the density is not normalised"
        if not mass > 1:
            advice = _advice(p, density, ticks, 1 - mass)
    raise ValueError(f"{where} holds mass {mass:.6g} of {name}: {advice}")


def _advice(p, density, ticks, missing: float) -> str:
    """Where to extend a grid: where samples of p lie, or where its ends leave a tail.

    Without either it names no side: a bump may lie anywhere outside, or between ticks.
    """
    ends = _ends(density, ticks)
    shares = _shares_outside(p, ticks)
    most = max(shares, default=0.0)
    cut = [end for end, n in zip(ends, shares, strict=False) if n > most / 4]
    cut = cut or open_sides(missing, ends)
    if cut:
        return f"extend it {' and '.join(cut)}, or refine it"
    inside = bool(shares) and missing * LOOK > 20
    return "refine it" if inside else "extend it on either side, or refine it"


def _ends(density, ticks) -> dict[str, tuple]:
    """At each end of the grid: the density, that one step inside, and the step."""
    sides = [("to the left of", "to the right of"), ("below", "above")]
    lines = [density]
    if len(ticks) == 2:
        table = density.view(len(ticks[0]), len(ticks[1]))
        across, up = (_trapezoid(t) for t in ticks)
        lines = [table @ up, across @ table]
    ends = {}
    for (first, last), t, line in zip(sides, ticks, lines, strict=False):
        ends[f"{first} {t[0]:g}"] = line[0], line[1], t[1] - t[0]
        ends[f"{last} {t[-1]:g}"] = line[-1], line[-2], t[-1] - t[-2]
    return ends


def _shares_outside(p, ticks) -> list[float]:
    """The shares of samples of p beyond each end, in the order of ``_ends``, if any."""
    try:
        with seeded(0):
            x = draw(p, LOOK)
    except (NotImplementedError, ValueError):
        return []
    columns = x.reshape(LOOK, -1).T
    if len(columns) != len(ticks):
        return []
    beyond = [
        side
        for column, t in zip(columns, ticks, strict=True)
        for side in (column < t[0], column > t[-1])
    ]
    return [side.double().mean().item() for side in beyond]
