"""Expectations: integrals on a grid, draws, and densities that may be zero.

A grid is exact to many digits for a smooth density, and loud when mass is lost.
"""

import inspect
import math
from typing import NamedTuple

import torch
from torch.distributions import (
    Bernoulli,
    Binomial,
    Categorical,
    Distribution,
    MixtureSameFamily,
    OneHotCategorical,
)

from course_utils.arguments import check_dense, counts, floats, numbers, require

MASS_TOLERANCE = 1e-4
HALF_TOLERANCE = 0.01  # of the half grid; the error of the whole is about its 4th power
PARTS = ("loc", "scale", "low", "high", "rate", "concentration", "probs", "logits")
WITHIN = ("base_dist", "_component_distribution")
WITHIN += ("_mixture_distribution", "_dirichlet")  # what distributions stand on
EXPLAINED = 0.25  # of the missing mass: a tail that may hold less is not the reason


class Estimate(NamedTuple):
    """A Monte-Carlo mean and its standard error; this is NaN for an infinite mean."""

    value: torch.Tensor | float
    standard_error: torch.Tensor | float

    @classmethod
    def of(cls, draws: torch.Tensor) -> "Estimate":
        """The mean over the first dimension, which must hold at least two draws."""
        draws = floats(draws, "draws")
        require(draws=("a single number", draws.ndim > 0, "of shape (n, …)"))
        if len(draws) < 2:
            raise ValueError(f"n_samples must be at least 2, got {len(draws)}")
        return cls(draws.mean(0), draws.std(0) / math.sqrt(len(draws)))


def integrate(values: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """∫ f dx by the trapezoidal rule; ``values`` are f on ``grid``, both ``(n,)``.

    On a smooth density that has died out at both ends this rule converges faster than
    any power of the step: 400 points give ten digits and more.
    """
    values, grid = floats(values, "values"), floats(grid, "grid")
    if grid.ndim != 1 or len(grid) < 2 or values.shape != grid.shape:
        raise ValueError(
            "values and grid must have one shape (n,) with n >= 2, "
            f"got {tuple(values.shape)} and {tuple(grid.shape)}"
        )
    if not bool((grid.diff() > 0).all()):
        raise ValueError("grid must grow from point to point")
    return torch.trapezoid(values, grid)


def expectation(
    f: torch.Tensor,
    log_p: torch.Tensor,
    grid: torch.Tensor,
    mass_tolerance: float = MASS_TOLERANCE,
) -> torch.Tensor:
    """E_p[f] for a density p, from f and log p on ``grid``, all ``(n,)``.

    Where p is exactly 0, f does not count: 0 · log 0 is 0. Raises ``ValueError`` when
    the grid holds less than ``1 − mass_tolerance`` of p (or the rule finds more than
    ``1 + mass_tolerance``), and says on which side to extend it if its ends can tell.
    """
    f, log_p, grid = floats(f, "f"), floats(log_p, "log_p"), floats(grid, "grid")
    got, fits = tuple(f.shape), f.shape == log_p.shape
    require(f=(f"shape {got}", fits, f"of the shape of log_p, {tuple(log_p.shape)}"))
    p = log_p.exp()
    check_mass(p, grid, mass_tolerance)
    return integrate(torch.where(p > 0, p * f, 0.0), grid)


def check_mass(
    p: torch.Tensor, grid: torch.Tensor, tolerance: float = MASS_TOLERANCE
) -> None:
    """Raise ``ValueError`` unless ∫ p dx = 1 on this grid, within ``tolerance``."""
    numbers(tolerance=tolerance)
    require(tolerance=(tolerance, 0 < tolerance < 1, "between 0 and 1"))
    p, grid = floats(p, "p"), floats(grid, "grid")
    mass = integrate(p, grid).item()
    low, high = grid[0].item(), grid[-1].item()
    if math.isnan(mass):
        raise ValueError(f"p must be a density, got {int(p.isnan().sum())} NaN")
    if abs(mass - 1) <= tolerance:
        # so few points may sum to 1 by accident: every second one must nearly do so
        half = torch.arange(0, len(grid) + 1, 2).clamp_max(len(grid) - 1)
        mass = integrate(p[half], grid[half]).item() if len(grid) > 8 else 1.0
        if abs(mass - 1) <= HALF_TOLERANCE:
            return
        advice = "with every second point: it is too coarse, refine it"
    elif mass > 1:
        advice = "the density is not normalised, or the grid is too coarse for it"
    else:
        step = grid.diff()
        left, right = (p[0], p[1], step[0]), (p[-1], p[-2], step[-1])
        ends = {f"to the left of {low:g}": left, f"to the right of {high:g}": right}
        sides = open_sides(1 - mass, ends)
        few = "on both sides" if sides else "on either side"
        advice = f"extend it {sides[0] if len(sides) == 1 else few + ', or refine it'}"
    raise ValueError(f"the grid [{low:g}, {high:g}] holds mass {mass:.6g}: {advice}")


def open_sides(missing: float, ends: dict[str, tuple]) -> list[str]:
    """The names of the ends behind which ``missing`` mass may lie; often one, or none.

    ``ends`` has the density at each end, that one step inside, and the step. A density
    that falls outwards holds about density / rate beyond its end; one that rises may
    hold anything. Of the ends that explain the loss, the one with the most density is
    named, or all that are equal; none if no end explains it: then two ends say nothing
    about the side.
    """
    able = {
        name: float(end[0])
        for name, end in ends.items()
        if _tail(*map(float, end)) >= EXPLAINED * missing
    }
    most = max(able.values(), default=0.0)
    return [name for name, density in able.items() if density == most]


def _tail(density: float, inside: float, step: float) -> float:
    """The mass beyond an end, if the density goes on to fall as it does there."""
    if density <= 0:
        return 0.0
    falls = density < inside
    return density * step / math.log(inside / density) if falls else math.inf


def draw(p, n: int, name: str = "p") -> torch.Tensor:
    """``n`` samples of p: ``(n, …)``.

    ``p`` is a ``torch.distributions`` object, or anything whose ``sample`` takes a
    shape as theirs does; or a model of this course, whose ``sample`` takes the number
    ``n``. Raises ``ValueError`` for an object without ``sample``, and for one that does
    not return a tensor of n rows.
    """
    counts(n=n)
    if isinstance(p, type) or not hasattr(p, "sample"):
        kind = f"the class {p.__name__}" if isinstance(p, type) else type(p).__name__
        raise ValueError(f"{name} must have .sample, got {kind}")
    check_parameters(name, p)
    x = p.sample(n) if _takes_a_number(p.sample) else p.sample((n,))
    if not isinstance(x, torch.Tensor) or x.ndim == 0 or len(x) != n:
        got = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
        raise ValueError(f"{name}.sample must return a tensor of {n} rows, got {got}")
    return x


def _takes_a_number(sample) -> bool:
    """Whether the first argument is called ``n``, as in every model of the course."""
    try:
        return next(iter(inspect.signature(sample).parameters), "") == "n"
    except (TypeError, ValueError):  # a builtin, which has no signature
        return False


def check_density(name: str, p) -> None:
    """Raise a ``TypeError`` for what has no ``log_prob`` or no real parameters."""
    if isinstance(p, type) or not hasattr(p, "log_prob"):
        kind = f"the class {p.__name__}" if isinstance(p, type) else type(p).__name__
        raise TypeError(f"{name} must have .log_prob, got {kind}")
    check_parameters(name, p)


def check_parameters(name: str, p) -> None:
    """Raise a ``TypeError`` for a distribution, or a part of one, of whole numbers."""
    if not isinstance(p, Distribution):
        return
    for part in WITHIN:
        check_parameters(f"{part} of {name}", p.__dict__.get(part))
    # beside a tensor of whole numbers torch cuts a scale of 1.5 down to 1, unseen, and
    # halves overflow
    for part in PARTS:
        value = p.__dict__.get(part)
        kind = getattr(value, "dtype", torch.float64)
        if kind not in (torch.float32, torch.float64):
            raise TypeError(f"{part} of {name} must be 32 or 64 bit floats, got {kind}")


def log_density(p, x: torch.Tensor) -> torch.Tensor:
    """log p(x); −∞ outside of the support, where torch would raise an error.

    It is −∞ too where a list of outcomes has probability 0, of which torch would keep
    2e-16 (1e-7 in float32). Lists and arrays become float64. Raises ``ValueError`` for
    NaN, ``TypeError`` for what are no real numbers, and for what has no density.
    """
    if isinstance(p, type) or not hasattr(p, "log_prob"):
        raise TypeError(f"p must be an object with log_prob, got {p!r:.60}")
    check_parameters("p", p)
    outcomes = isinstance(x, torch.Tensor) and not x.is_floating_point()
    if not outcomes or x.is_complex():  # whole numbers stay as they are
        x = floats(x)
    check_dense(x)
    if isinstance(p, MixtureSameFamily):  # torch takes the common support of its parts
        parts = p.component_distribution  # batch (…, k)
        each = log_density(parts, x.unsqueeze(-1 - len(p.event_shape)))
        return (each + _log_weights(p.mixture_distribution)).logsumexp(-1)
    try:
        support = getattr(p, "support", None)
    except NotImplementedError:  # a distribution that does not say
        support = None
    if support is None:
        return p.log_prob(x)
    inside = support.check(x)
    if bool(inside.all()):
        return _log_prob(p, x)
    if bool(x.isnan().any()):
        raise ValueError(f"x must be numbers, got {int(x.isnan().sum())} that are NaN")
    with torch.random.fork_rng(devices=[]):
        within = p.sample()  # some point of the support stands in for those outside
    events = inside[(..., *[None] * len(p.event_shape))]
    log_p = _log_prob(p, torch.where(events, x, within.to(x.dtype)))
    return torch.where(inside, log_p, -math.inf)


def _log_weights(p: Categorical) -> torch.Tensor:
    """log of the probabilities of a list of outcomes ``(…, k)``; log 0 is −∞."""
    return p.probs.log() if p._param is p.probs else p.logits


def _log_prob(p, x: torch.Tensor) -> torch.Tensor:
    """log p(x) on the support; probabilities that were given as 0 stay 0."""
    log_p = p.log_prob(x)
    lists = (Bernoulli, Binomial, Categorical, OneHotCategorical)
    if not isinstance(p, lists) or p._param is not p.probs:  # logits are never clamped
        return log_p
    if isinstance(p, Categorical):
        table = p.probs.expand(*log_p.shape, -1)
        never = table.gather(-1, x.long().expand(log_p.shape)[..., None])[..., 0] == 0
    elif isinstance(p, OneHotCategorical):
        never = (p.probs * x).sum(-1) == 0
    else:
        most = getattr(p, "total_count", 1)
        never = ((p.probs == 0) & (x > 0)) | ((p.probs == 1) & (x < most))
    return torch.where(never, -math.inf, log_p)
