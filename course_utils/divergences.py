"""How far is q from p? KL, Jensen-Shannon and total variation (notebook 06).

``p`` and ``q`` are ``torch.distributions`` objects, or anything with ``log_prob`` (and
``sample``). The caller chooses how to compute, and each way refuses what it cannot do:

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
from torch.distributions import kl_divergence
from torch.nn.functional import pad

from course_utils.quadrature import MASS_TOLERANCE

Grid = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
LOG_2 = math.log(2)


class Estimate(NamedTuple):
    """A Monte-Carlo mean, and the standard error that belongs to it."""

    value: float
    standard_error: float


def kl(p, q, grid: Grid | None = None, samples: int | None = None):
    """KL(p‖q) = E_p[log p(x) − log q(x)] in nats; infinite where q = 0 and p > 0.

    Raises ``ValueError`` when no option is given and no formula is known, and when
    the grid cuts or coarsens more than 1e-4 of the mass of ``p``: it says where.
    """
    if _one_of(grid, samples) == "samples":
        x = p.sample((samples,))
        return _estimate(p.log_prob(x) - q.log_prob(x))
    if grid is None:
        try:
            return kl_divergence(p, q)
        except (NotImplementedError, AttributeError):
            pass  # no formula: the outcomes may still be few enough to list
    points, weights = _places(p, q, grid)
    log_p, log_q = _log_prob(p, points), _log_prob(q, points)
    _check_mass(log_p.exp(), weights, grid, "p")
    return _mean(log_p, log_p - log_q, weights)


def js(p, q, grid: Grid | None = None, samples: int | None = None):
    """JSD(p, q) = ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2: from 0 to log 2 nats.

    This is the divergence, not its root (the Jensen-Shannon *distance*). Arguments and
    errors as for ``kl``; the grid must hold both.
    """
    if _one_of(grid, samples) == "samples":
        x, y = p.sample((samples,)), q.sample((samples,))
        return _estimate(_gap_to_m(p, q, x) / 2, _gap_to_m(q, p, y) / 2)
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
        x = p.sample((samples,))
        ratio = (q.log_prob(x) - p.log_prob(x)).exp()
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


def _log_prob(p, points: torch.Tensor) -> torch.Tensor:
    """log p, and −∞ outside of the support, where torch would raise an error."""
    support = getattr(p, "support", None)
    if support is None:
        return p.log_prob(points)
    inside = support.check(points)
    if bool(inside.all()):
        return p.log_prob(points)
    log_p = torch.full(inside.shape, -math.inf, dtype=points.dtype)
    log_p[inside] = p.log_prob(points[inside]).to(points.dtype)
    return log_p


def _both(p, q, grid):
    points, weights = _places(p, q, grid)
    log_p, log_q = _log_prob(p, points), _log_prob(q, points)
    _check_mass(log_p.exp(), weights, grid, "p")
    _check_mass(log_q.exp(), weights, grid, "q")
    return log_p, log_q, weights


def _mean(log_p, f, weights) -> torch.Tensor:
    """Σ w p f, where 0 · log 0 is 0."""
    return (weights * torch.where(log_p > -math.inf, log_p.exp() * f, 0.0)).sum()


def _gap_to_m(p, q, x) -> torch.Tensor:
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    return log_p - torch.logaddexp(log_p, log_q) + LOG_2


def _estimate(*parts: torch.Tensor) -> Estimate:
    """The sum of the means of independent samples, with its standard error."""
    variance = sum(part.var().item() / len(part) for part in parts)
    return Estimate(sum(part.mean().item() for part in parts), variance**0.5)


def _check_mass(density, weights, grid, name) -> None:
    """Raise ``ValueError`` unless the grid holds mass 1; say on which side it fails."""
    mass = (weights * density).sum().item()
    if abs(mass - 1) <= MASS_TOLERANCE:
        return
    where = "the list of outcomes"
    advice = "the probabilities do not sum to 1"
    if grid is not None:
        where, advice = _advice(density, grid)
        if mass > 1:
            advice = "it is too coarse, or the density is not normalised"
    raise ValueError(f"{where} holds mass {mass:.6g} of {name}: {advice}")


def _advice(density, grid) -> tuple[str, str]:
    """The name of the grid, and the side where most of the density is cut."""
    if isinstance(grid, torch.Tensor):
        ticks, sides = (grid,), {"to the left of": density[0]}
        sides |= {"to the right of": density[-1]}
    else:
        ticks, table = grid, density.view(len(grid[0]), len(grid[1]))
        across, up = (_trapezoid(t) for t in grid)
        sides = {"to the left of": table[0] @ up, "to the right of": table[-1] @ up}
        sides |= {"below": across @ table[:, 0], "above": across @ table[:, -1]}
    ends = [end for t in ticks for end in (t[0], t[-1])]
    name = "the grid " + " × ".join(f"[{t[0]:g}, {t[-1]:g}]" for t in ticks)
    cut, side, end = max(zip(sides.values(), sides, ends, strict=True))
    return name, f"extend it {side} {end:g}, or refine it" if cut > 0 else "refine it"
