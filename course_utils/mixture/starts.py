"""Where EM starts, and many starts that run together (notebook 02, section 5).

EM climbs to the top that is nearest, so it is run from several starts. On small data
one iteration costs little more than its calls, forty starts as much as one: here all
of them share each product, and whoever has converged drops out. ``em`` from one start
after the other gives the same states.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Integral

import torch

from course_utils.arguments import counts, functions, generators, require
from course_utils.mixture.em import (
    EMState,
    Guard,
    check_likelihood,
    check_spread,
    check_start,
)
from course_utils.mixture.fast import Moments, Parameters, StandardisedData
from course_utils.mixture.gate import (
    as_centres,
    as_data,
    check_enough,
    check_stop,
    floor_matrix,
)
from course_utils.mixture.model import (
    GaussianMixture,
    mixtures,
    rows_at_once,
    squared_distances,
)
from course_utils.training import checked

TOGETHER = 2**16  # natural parameters of the starts that share a product: 512 KiB


def kmeans_plus_plus(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` rows of ``x`` ``(n, d)`` that lie well apart, ``(k, d)``.

    The first is drawn at random, each next one with probability in proportion to its
    squared distance from the centres so far (Arthur and Vassilvitskii 2007).
    """
    x = as_data(x)
    check_enough(x, k)
    centres = random_centres(x, 1, generator)
    distance = (x - centres).square().sum(1)  # (n,), to the nearest centre
    while len(centres) < k:
        if not bool((distance > 0).any()):
            raise ValueError(f"x has only {len(centres)} different rows, k is {k}")
        # A row that is a centre already has distance 0: it is never drawn again.
        chosen = torch.multinomial(distance, 1, generator=generator)
        centres = torch.cat([centres, x[chosen]])
        distance = distance.minimum((x - x[chosen]).square().sum(1))
    return centres


def random_centres(x: torch.Tensor, k: int, generator=None) -> torch.Tensor:
    """``k`` different rows of ``x``, all equally likely: the start that often fails."""
    x = as_data(x)
    check_enough(x, k)
    generators(generator=generator)
    return x[torch.randperm(len(x), generator=generator)[:k]]


def start_at(
    x: torch.Tensor, centres: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """A mixture to start from: means at ``centres`` ``(k, d)``, equal weights.

    All components share one covariance: that of the examples around the centre that
    is nearest to each. With many examples a part of them will do: ``x[:3000]``.
    """
    x = as_data(x)
    centres = as_centres(centres, x)
    floor, (k, d) = floor_matrix(covariance_floor, x), centres.shape
    around = x - centres[squared_distances(x, centres).argmin(1)]  # (n, d)
    covariance = around.T @ around / len(x) + floor
    check_spread(covariance[None])
    weights = torch.full((k,), 1 / k, dtype=torch.float64)
    return GaussianMixture(weights, centres, covariance.expand(k, d, d))


def start_around(
    x: torch.Tensor, centres: torch.Tensor, covariance_floor: float = 1e-6
) -> GaussianMixture:
    """A mixture to start from: each component fits the examples nearest to its centre.

    So it has its own weight, mean and covariance, and EM has less to do than from
    ``start_at``. A centre with few examples would make a spike: each gets one more,
    which lies at the centre and spreads like all examples around theirs.
    """
    x = as_data(x)
    centres = as_centres(centres, x)
    first = _assign(x, centres[None], floor_matrix(covariance_floor, x))
    return GaussianMixture(*(values[0] for values in first))


def _assign_each(starts, floor) -> Parameters:
    """``_assign`` for pairs of what a start sees and its centres."""
    if all(seen is starts[0][0] for seen, _ in starts):
        first = _assign(starts[0][0], torch.stack([c for _, c in starts]), floor)
    else:
        each = [_assign(seen, c[None], floor) for seen, c in starts]
        first = Parameters(*(torch.cat(values) for values in zip(*each, strict=True)))
    return first


def _assign(x: torch.Tensor, centres: torch.Tensor, floor) -> Parameters:
    """``start_around`` for the centres ``(s, k, d)`` of all starts at once."""
    s, k, d = centres.shape
    many, first, second = 0.0, 0.0, 0.0
    for part in x.split(rows_at_once(s * k * d + s * d * d)):
        nearest = squared_distances(part, centres.flatten(0, 1))
        nearest = nearest.unflatten(1, (s, k)).argmin(2).T  # (s, n)
        index = nearest[:, :, None].expand(-1, -1, d)
        around = part - centres.gather(1, index)  # (s, n, d)
        products = (around[:, :, :, None] * around[:, :, None, :]).flatten(2)
        here = torch.zeros(s, k, len(part), dtype=torch.float64)  # one-hot
        here.scatter_(1, nearest[:, None, :], 1.0)
        many, first = many + here.sum(2), first + here @ around
        second = second + here @ products
    second = second.unflatten(2, (d, d))
    second = second + second.sum(1, keepdim=True) / len(x)  # one more for each
    many = many + 1
    shift = first / many[:, :, None]
    covariances = second / many[:, :, None, None]
    covariances = covariances - shift[:, :, :, None] * shift[:, :, None, :] + floor
    check_spread(covariances)
    return Parameters(many / (len(x) + k), centres + shift, covariances)


@dataclass(frozen=True, eq=False)
class EMStates:
    """One moment of EM from many starts; ``states[row]`` is the ``EMState`` of one."""

    iteration: int
    starts: list[int]  # which start each row is; those that have ended are gone
    log_likelihood: list[float]  # of each, inf where unbounded
    ended: list[bool]  # not in the next states
    parameters: Parameters  # (s, k, …), in the units of ``data``
    collapsed: torch.Tensor  # (s, k), bool
    data: StandardisedData

    def __getitem__(self, row: int) -> EMState:
        if not isinstance(row, Integral):
            raise TypeError(f"row must be a whole number, got {row!r:.60}")
        parameters = self.data.original(Parameters(*(v[row] for v in self.parameters)))
        collapsed = tuple(self.collapsed[row].nonzero()[:, 0].tolist())
        value = self.log_likelihood[row]
        return EMState(self.iteration, GaussianMixture(*parameters), value, collapsed)


@checked
def em_together(
    x: torch.Tensor,
    starts: Iterable[GaussianMixture],
    covariance_floor: float = 1e-6,
    max_iterations: int = 200,
    tolerance: float = 1e-8,
) -> Iterator[EMStates]:
    """``em`` from all ``starts`` at once: what it yields for each is a row of a state.

    A start where ``em`` stops is ``ended``, and no longer in the next state.
    """
    starts = mixtures(starts, "starts")
    sizes = {tuple(start.means.shape) for start in starts}
    require(starts=(sorted(sizes), len(sizes) == 1, "mixtures of one size"))
    check_stop(max_iterations, tolerance)
    data = StandardisedData(x, starts[0].d)
    check_enough(data.x, starts[0].k)
    floor = floor_matrix(covariance_floor, data.x)
    parts = zip(*(data.standardised(start) for start in starts), strict=True)
    now = Parameters(*(torch.stack(values) for values in parts))
    check_start(now, "starts")
    yield
    yield from _climb(data, now, floor, max_iterations, tolerance)


def _climb(data, now: Parameters, floor, max_iterations, tolerance):
    guard, running = Guard(data, floor), list(range(len(now.weights)))
    collapsed = torch.zeros(now.weights.shape, dtype=torch.bool)
    unbounded, previous = set(), [-math.inf] * len(running)
    for iteration in range(max_iterations + 1):
        moments = data.moments(now)
        values, final = moments.log_likelihood.tolist(), iteration == max_iterations
        check_likelihood(values, iteration)
        values = [math.inf if i in unbounded else v for i, v in enumerate(values)]
        ended = [
            final or i in unbounded or abs(value - before) < tolerance
            for i, (value, before) in enumerate(zip(values, previous, strict=True))
        ]
        theirs = Parameters(*(value.clone() for value in now))  # and ours goes on
        lists = list(running), list(values), list(ended)
        yield EMStates(iteration, *lists, theirs, collapsed.clone(), data)
        rest = [row for row, end in enumerate(ended) if not end]
        if not rest:
            return
        if len(rest) < len(running):  # who has converged drops out
            now = Parameters(*(v[rest] for v in now))
            moments = Moments(*(v[rest] for v in moments))
            running, values = [running[i] for i in rest], [values[i] for i in rest]
        previous = values
        now, collapsed, no_bound = guard.m_step(moments, now)
        unbounded = set(no_bound.nonzero()[:, 0].tolist())


def restarts(
    x: torch.Tensor,
    k: int,
    n_starts: int = 10,
    centres=kmeans_plus_plus,
    generator=None,
    covariance_floor: float = 1e-6,
    max_iterations: int = 200,
    tolerance: float = 1e-8,
    rows: int | None = None,
) -> list[EMState]:
    """The last state of EM from ``n_starts`` starts, the most likely one first.

    ``centres(x, k, generator)`` chooses where each starts, ``start_around`` makes a
    mixture of it, and ``em_together`` runs them. Of many examples each start may see
    only so many ``rows``, drawn at random; EM then sees them all. A run that ended in
    ``inf`` has found a fault of the model, not a good fit: it comes last.
    """
    counts(n_starts=n_starts)
    check_stop(max_iterations, tolerance)
    functions(centres=centres)
    generators(generator=generator)
    data = StandardisedData(x)
    x, d = data.x, data.x.shape[1]
    check_enough(x, k)
    k = int(k)
    if rows is not None:
        counts(rows=rows)
        require(rows=(rows, k <= rows <= len(x), f"from {k} to n = {len(x)}"))
    floor = floor_matrix(covariance_floor, x)
    at_once = max(1, TOGETHER // (k * (1 + d + d * d)))
    ends = []
    while len(ends) < n_starts:
        some = []
        for _ in range(min(at_once, n_starts - len(ends))):
            seen = x if rows is None else random_centres(x, rows, generator)
            chosen = as_centres(centres(seen, k, generator), x)
            require(centres=(f"{len(chosen)} rows", len(chosen) == k, f"k = {k} rows"))
            some.append((seen, chosen))
        start = data.standardised(_assign_each(some, floor))
        check_start(start, "centres")
        last = {}
        for states in _climb(data, start, floor, max_iterations, tolerance):
            for row, run in enumerate(states.starts):
                if states.ended[row]:
                    last[run] = states[row]
        ends += last.values()
    return sorted(ends, key=_likelihood_if_finite, reverse=True)


def _likelihood_if_finite(state: EMState) -> float:
    value = state.log_likelihood
    return value if math.isfinite(value) else -math.inf
