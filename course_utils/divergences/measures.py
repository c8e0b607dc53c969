"""How far is q from p? KL, Jensen-Shannon and total variation (notebook 06).

``p`` and ``q`` are ``torch.distributions`` objects, models of this course, or anything
with ``log_prob`` (and ``sample``). The caller chooses how to compute, and each way
refuses what it cannot do:

- no option: exact. For ``kl`` wherever ``torch.distributions`` knows a formula; for all
  three where the outcomes can be listed (``Categorical``, ``Bernoulli``).
- ``grid``: the trapezoidal rule, after a check that the grid holds the mass. In one
  dimension ``grid`` is a tensor ``(n,)``, in two a pair of such tensors.
- ``samples``: Monte Carlo with that many draws from each side, as an ``Estimate``.

Everything is in nats. No value leaves its bounds by rounding: a KL is never below 0.
Slides: *KL divergence*, *KL and JSD*.
"""

import math
from contextlib import suppress

import torch
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    OneHotCategorical,
    kl_divergence,
)
from torch.nn.functional import pad

from course_utils import quadrature
from course_utils.arguments import check_finite, counts, floats
from course_utils.quadrature import Estimate, check_density, draw, log_density
from course_utils.training import seeded

Grid = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
LOG_2 = math.log(2)
LOOK = 4000  # samples that show on which side a grid cuts


def kl(p, q, grid: Grid | None = None, samples: int | None = None):
    """KL(p‖q) = E_p[log p(x) − log q(x)] in nats; infinite where q = 0 and p > 0.

    Raises ``ValueError`` when no option is given and no formula is known, and when
    the grid cuts or coarsens more than 1e-4 of the mass of ``p``: it says where, if
    samples of p or its density at the ends of the grid can tell.
    """
    if _by_samples(p, q, grid, samples):
        x = draw(p, samples)  # the mean of the log-ratio over samples of p
        return _estimate(_log_prob("p", p, x) - _log_prob("q", q, x))
    if grid is None:
        _check_outcomes(p, q)
        with suppress(NotImplementedError):
            return kl_divergence(p, q).clamp_min(0)
        # torch knows no formula: the outcomes may still be few enough to list
    log_p, log_q, weights = _tables(p, q, grid, must_hold="p")
    return _mean(log_p, log_p - log_q, weights).clamp_min(0)


def js(p, q, grid: Grid | None = None, samples: int | None = None):
    """JSD(p, q) = ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2: from 0 to log 2 nats.

    This is the divergence, not its root (the Jensen-Shannon *distance*). Arguments and
    errors as for ``kl``; the grid must hold both.
    """
    if _by_samples(p, q, grid, samples):
        x, y = draw(p, samples), draw(q, samples, "q")
        # log p and log q at both samples; each half averages over its own density
        at_x, at_y = ((_log_prob("p", p, z), _log_prob("q", q, z)) for z in (x, y))
        return _estimate(_gap_to_m(*at_x) / 2, _gap_to_m(*at_y[::-1]) / 2)
    log_p, log_q, weights = _tables(p, q, grid)
    log_m = torch.logaddexp(log_p, log_q) - LOG_2
    left = _mean(log_p, log_p - log_m, weights)
    value = 0.5 * (left + _mean(log_q, log_q - log_m, weights))
    return value.clamp(0, LOG_2)


def total_variation(p, q, grid: Grid | None = None, samples: int | None = None):
    """TV(p, q) = ½ ∫ |p(x) − q(x)| dx, from 0 to 1.

    It is the largest difference that p and q can give to one event. Arguments and
    errors as for ``js``; the samples come from ``p``: TV = E_p[max(0, 1 − q/p)].
    """
    if _by_samples(p, q, grid, samples):
        x = draw(p, samples)
        ratio = (_log_prob("q", q, x) - _log_prob("p", p, x)).exp()
        return _estimate((1 - ratio).clamp_min(0))
    log_p, log_q, weights = _tables(p, q, grid)
    value = 0.5 * (weights * (log_p.exp() - log_q.exp()).abs()).sum()
    return value.clamp(0, 1)


def _by_samples(p, q, grid, samples) -> bool:
    check_density("p", p)
    check_density("q", q)
    _check_pair(p, q)
    if samples is None:
        return False
    if grid is not None:
        raise ValueError("give grid or samples, not both")
    counts(2, samples=samples)  # one draw has no standard error
    return True


def _check_pair(p, q) -> None:
    """Two batches would meet by broadcasting, two kinds of events not at all."""
    if not (isinstance(p, Distribution) and isinstance(q, Distribution)):
        return
    if isinstance(p, OneHotCategorical) and isinstance(q, OneHotCategorical):
        _check_outcomes(p, q)
    kinds = [_is_discrete(r) for r in (p, q)]
    if kinds[0] != kinds[1]:
        got = "p" if kinds[0] else "q"
        raise ValueError(
            f"p and q must both have densities or both list outcomes, only {got} does "
            "the latter"
        )
    batches = tuple(p.batch_shape), tuple(q.batch_shape)
    if () not in batches and batches[0] != batches[1]:
        got = f"{batches[0]} and {batches[1]}"
        raise ValueError(f"p and q must have one batch_shape, got {got}")
    events = tuple(p.event_shape), tuple(q.event_shape)
    if events[0] != events[1] and not {*events} <= {(), (1,)}:
        got = f"{events[0]} and {events[1]}"
        raise ValueError(f"p and q must have events of one shape, got {got}")


def _is_discrete(p: Distribution) -> bool:
    while isinstance(p, MixtureSameFamily | Independent):
        own = isinstance(p, Independent)
        p = p.base_dist if own else p.component_distribution
    try:
        return bool(p.support.is_discrete)
    except (NotImplementedError, AttributeError):  # one that does not say
        return False


def _estimate(*parts: torch.Tensor) -> Estimate:
    """The sum of the means of independent samples, with its standard error."""
    # variances of independent means add up, standard errors do not
    variance = sum(part.var().item() / len(part) for part in parts)
    return Estimate(sum(part.mean().item() for part in parts), variance**0.5)


def _mean(log_p, f, weights) -> torch.Tensor:
    """Σ w p f, where 0 · log 0 is 0."""
    return (weights * torch.where(log_p > -math.inf, log_p.exp() * f, 0.0)).sum()


def _gap_to_m(log_p, log_q) -> torch.Tensor:
    """log p − log m with m = (p + q)/2."""
    return log_p - torch.logaddexp(log_p, log_q) + LOG_2


def _tables(p, q, grid, must_hold="pq"):
    """log p, log q and weights, all ``(n,)``: on a grid, or on the list of outcomes."""
    if grid is None:
        ticks, (at_p, at_q, weights) = None, _outcomes(p, q)
    else:
        ticks = _ticks(grid)
        weights = _weights(ticks)  # which looks at the shapes, too
        at_p = at_q = torch.cartesian_prod(*ticks)  # (n,), or (n₁ n₂, 2) in the plane
    log_p, log_q = _log_prob("p", p, at_p), _log_prob("q", q, at_q)
    _check_mass("p", p, log_p.exp(), weights, ticks)
    if "q" in must_hold:
        _check_mass("q", q, log_q.exp(), weights, ticks)
    return log_p, log_q, weights


def _ticks(grid: Grid) -> tuple[torch.Tensor, ...]:
    """The ticks of each axis: of one axis, or of two."""
    if isinstance(grid, list | tuple) and all(map(_has_entries, grid)):
        if len(grid) != 2:
            got = len(grid)
            raise ValueError(f"grid must be a tensor or a pair of them, got {got}")
        first, second = (floats(axis, "grid") for axis in grid)
        both = torch.promote_types(first.dtype, second.dtype)
        return first.to(both), second.to(both)
    return (floats(grid, "grid"),)


def _has_entries(x) -> bool:
    return getattr(x, "ndim", int(isinstance(x, list | tuple))) > 0


def _weights(ticks) -> torch.Tensor:
    """The trapezoidal weight of each point of a grid, in the order of its points."""
    weights = [_trapezoid(t) for t in ticks]
    return torch.outer(*weights).flatten() if len(ticks) == 2 else weights[0]


def _trapezoid(ticks: torch.Tensor) -> torch.Tensor:
    check_finite(ticks, "grid")
    if ticks.ndim != 1 or len(ticks) < 2 or not bool((ticks.diff() > 0).all()):
        raise ValueError(
            "the ticks of a grid must be (n,) with n >= 2 and grow, got shape "
            f"{tuple(ticks.shape)}"
        )
    step = ticks.diff()
    # half of the step on either side; the first and the last tick have one side only
    return (pad(step, (1, 0)) + pad(step, (0, 1))) / 2


def _outcomes(p, q):
    """All outcomes, as p and as q write them, with weights 1; if they list the same."""
    _check_outcomes(p, q)
    if all(getattr(r, "has_enumerate_support", False) for r in (p, q)):
        first, second = p.enumerate_support(), q.enumerate_support()
        # Categorical lists whole numbers, Bernoulli floats, and each wants its own
        if torch.equal(first, second.to(first.dtype)):
            return first, second, torch.ones(len(first))
    names = f"{type(p).__name__} and {type(q).__name__}"
    raise ValueError(
        f"no exact formula is known for {names}: give grid= (quadrature) or "
        "samples= (Monte Carlo with a standard error)"
    )


def _check_outcomes(p, q) -> None:
    kinds = (Categorical, OneHotCategorical)
    if isinstance(p, kinds) and isinstance(q, kinds):
        n, m = p.param_shape[-1], q.param_shape[-1]
        if n != m:
            raise ValueError(f"p has {n} outcomes, q has {m}: both must have the same")


def _log_prob(name: str, p, points: torch.Tensor) -> torch.Tensor:
    """log p at n points ``(n, …)``, as ``(n,)``; −∞ where p is zero."""
    batch = tuple(getattr(p, "batch_shape", ()))
    if isinstance(p, Distribution) and math.prod(batch) != 1:
        raise ValueError(f"{name} must be one distribution, got a batch {batch}")
    event = getattr(p, "event_shape", None)
    d = getattr(p, "d", getattr(p, "data_dim", None))
    d = d if event is None else event[0] if len(event) == 1 else None
    if not (points.is_floating_point() or isinstance(p, Categorical)):
        points = points.to(torch.get_default_dtype())  # as the others list outcomes
    if points.ndim == 1 and d == 1:
        points = points[:, None]  # numbers on a line, for a model of rows (n, d)
    got = points.shape[1] if points.ndim == 2 else 1
    if isinstance(d, int) and d != got and points.ndim <= 2:
        raise ValueError(f"{name} has d = {d}, but the points have d = {got}")
    log_p = log_density(p, points)
    if not isinstance(log_p, torch.Tensor) or not log_p.is_floating_point():
        kind = getattr(log_p, "dtype", type(log_p).__name__)
        raise TypeError(f"{name}.log_prob must return a tensor of floats, got {kind}")
    no_log = log_p.isnan() | log_p.isposinf()  # −∞ is log 0
    if bool(no_log.any()):
        bad = f"{int(no_log.sum())} of {log_p.numel()} values"
        raise ValueError(f"{name}.log_prob must be numbers, got NaN or +∞ in {bad}")
    if log_p.numel() != len(points):
        raise ValueError(
            f"{name} must be one distribution, whose log_prob of {len(points)} points "
            f"has as many numbers; got shape {tuple(log_p.shape)}, as from a batch"
        )
    return log_p.flatten()


def _check_mass(name, p, density, weights, ticks) -> None:
    """Raise ``ValueError`` unless the grid holds mass 1; say on which side it fails."""
    mass = (weights * density).sum().item()
    if abs(mass - 1) <= quadrature.MASS_TOLERANCE:
        half = 1.0 if ticks is None else _mass_of_half(density, ticks)
        if abs(half - 1) <= quadrature.HALF_TOLERANCE:
            return
        mass, advice = half, "with every second tick: it is too coarse, refine it"
    elif mass > 1:
        advice = "it is too coarse, or the density is not normalised"
    elif ticks is not None:
        advice = _advice(p, density, ticks, 1 - mass)
    where = "the list of outcomes"
    if ticks is None:
        advice = "the probabilities do not sum to 1"
    else:
        where = "the grid " + " × ".join(f"[{t[0]:g}, {t[-1]:g}]" for t in ticks)
    raise ValueError(f"{where} holds mass {mass:.6g} of {name}: {advice}")


def _mass_of_half(density, ticks) -> float:
    """The mass by every second tick: a few ticks may hold 1 by accident, not both."""
    table, half = density.view([len(t) for t in ticks]), []
    for axis, t in enumerate(ticks):
        every = torch.arange(0, len(t) + 1, 2).clamp_max(len(t) - 1)
        every = every if len(t) > 8 else torch.arange(len(t))
        table, half = table.index_select(axis, every), [*half, t[every]]
    return (_weights(half) * table.flatten()).sum().item()


def _advice(p, density, ticks, missing: float) -> str:
    """Where to extend a grid: where samples of p lie, or where its ends leave a tail.

    Without either it names no side: a bump may lie anywhere outside, or between ticks.
    """
    lines = [density]
    if len(ticks) == 2:  # the density of each coordinate: the other is summed out
        table = density.view(len(ticks[0]), len(ticks[1]))
        across, up = (_trapezoid(t) for t in ticks)
        lines = [table @ up, across @ table]
    sides = [("to the left of", "to the right of"), ("below", "above")]
    ends, shares = {}, []  # density, density one step inside, step; samples outside
    drawn = _columns(p, len(ticks))
    for i, (t, line, (first, last)) in enumerate(
        zip(ticks, lines, sides, strict=False)
    ):
        ends[f"{first} {t[0]:g}"] = line[0], line[1], t[1] - t[0]
        ends[f"{last} {t[-1]:g}"] = line[-1], line[-2], t[-1] - t[-2]
        if drawn is not None:
            beyond = (drawn[i] < t[0], drawn[i] > t[-1])
            shares += [side.double().mean().item() for side in beyond]
    most = max(shares, default=0.0)
    # sides with few of the lost samples are not worth a word
    cut = [end for end, n in zip(ends, shares, strict=False) if n > most / 4]
    cut = cut or quadrature.open_sides(missing, ends)
    if cut:
        return f"extend it {' and '.join(cut)}, or refine it"
    # with over 20 samples expected outside, and none there, the loss is between ticks
    inside = bool(shares) and missing * LOOK > 20
    return "refine it" if inside else "extend it on either side, or refine it"


def _columns(p, d: int) -> torch.Tensor | None:
    """Samples of p as ``(d, LOOK)``, if it can be sampled."""
    try:
        with seeded(0):  # so that the advice repeats, and no state of a learner changes
            return draw(p, LOOK).reshape(LOOK, d).T
    except (NotImplementedError, ValueError, RuntimeError):  # or in another dimension
        return None
