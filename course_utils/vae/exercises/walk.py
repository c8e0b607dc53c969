"""Exercise 4 of notebook 04: a walk from one code to another."""

import math

import torch
from torch.nn.functional import normalize

from course_utils.checks import Exercise, known_mistakes, noise


def walk(start, end, steps):
    """start + share · (end − start), with ``steps`` equal shares from 0 to 1."""
    share = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return start + share * (end - start)


def _walk_mixed(start, end, steps):
    share = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return (1 - share) * start + share * end


def _walk_by_loop(start, end, steps):
    step = (end - start) / (steps - 1)
    return torch.stack([start + i * step for i in range(steps)])


def _with_shares(shares):
    """The right walk but for these shares."""
    return lambda start, end, steps: (
        start
        + torch.as_tensor(shares(torch.linspace(0, 1, steps, dtype=start.dtype)))[
            :, None
        ]
        * (end - start)
    )


def _slerp(start, end, steps):
    """On the sphere, at constant angular speed."""
    share = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    angle = torch.arccos((start / start.norm()) @ (end / end.norm()))
    first, second = ((1 - share) * angle).sin(), (share * angle).sin()
    return (first * start + second * end) / angle.sin()


UNEVEN = (
    "the shares are not equally spaced: torch.linspace(0, 1, steps) makes equal ones"
)

check_walk = Exercise(
    name="walk",
    solution=walk,
    also=(_walk_mixed, _walk_by_loop),
    draw=lambda seed: (noise(seed, 3), noise(seed + 20, 3), 5 + seed % 3),
    dtype_of="start",
    expected="shape (steps, d): the first row is start, the last is end",
    hints=(
        "each point is start plus a share of the way from start to end",
        "the shares are steps numbers from 0 to 1, both included: torch.linspace",
        "start + share * (end − start), with share a column: linspace(…)[:, None]",
    ),
    error_hints={
        "interpreted as an integer": "range() counts in whole numbers: take i from "
        "range(steps), and the share i / (steps - 1)",
        "must match the size": "make the shares a column, one row per step: [:, None]",
        "linspace": "torch.linspace takes two numbers: make the shares 0 to 1 with it",
    },
    mistakes=known_mistakes(
        "the walk goes from end to start: the other way round",
        lambda a, b, steps: walk(b, a, steps),
        "the walk stops one step before the end: the last share is 1 (divide by "
        "steps − 1)",
        lambda a, b, steps: walk(a, b, steps + 1)[:-1],
        "the walk leaves out the start: the first share is 0",
        lambda a, b, steps: walk(a, b, steps + 1)[1:],
        "the walk leaves out the start and goes beyond the end: count from 0",
        lambda a, b, steps: walk(a, b, steps) + (b - a) / (steps - 1),
        "both ends are left out: the first share is 0, and the last is 1",
        lambda a, b, steps: walk(a, b, steps + 2)[1:-1],
        "the start and the end are there, the points between them are missing",
        lambda a, b, steps: torch.stack([a, b]),
        "it is turned: one row per step, one column per latent",
        lambda a, b, steps: walk(a, b, steps).T,
        "it is flat: one row per step, shape (steps, d)",
        lambda a, b, steps: walk(a, b, steps).flatten(),
        "share · (end − start) is only the way from start: add start",
        lambda a, b, steps: walk(a, b, steps) - a,
        "the way is end − start: the start is not subtracted",
        lambda a, b, steps: a + walk(0 * b, b, steps),
        "brackets: the share multiplies the way end − start, and start is added after",
        lambda a, b, steps: (a + torch.linspace(0, 1, steps)[:, None]) * (b - a),
        "share · end is only a part of it: (1 − share) · start is missing",
        lambda a, b, steps: walk(0 * a, b, steps),
        "(1 − share) · start is only a part of it: share · end is missing",
        lambda a, b, steps: walk(a, 0 * b, steps),
        "the way is end − start as it is, not its length or absolute value",
        lambda a, b, steps: walk(a, a + (b - a) / (b - a).norm(), steps),
        lambda a, b, steps: walk(a, a + (b - a).abs(), steps),
        "the way is end − start, not start − end",
        lambda a, b, steps: 2 * a - walk(a, b, steps),
        "the way is end − start, a difference; you added the two",
        lambda a, b, steps: walk(a, 2 * a + b, steps),
        "the walk begins at end: it is start + share · (end − start)",
        lambda a, b, steps: b + walk(a, b, steps) - a,
        "the shares run to steps − 1: divide them by steps − 1",
        lambda a, b, steps: a + (walk(a, b, steps) - a) * (steps - 1),
        "the shares run from 1 to steps: begin at 0, and divide by steps − 1",
        lambda a, b, steps: a + (walk(a, b, steps) - a) * (steps - 1) + b - a,
        "there are too many points: steps is their number, both ends included",
        *(lambda a, b, steps, n=n: walk(a, b, steps + n) for n in (1, 2)),
        lambda a, b, steps: walk(a, b, 2 * steps),
        "there are too many points, and the walk goes on beyond the end: divide by "
        "steps − 1",
        lambda a, b, steps: walk(a, a + (b - a) * steps / (steps - 1), steps + 1),
        "there are too few points: steps is their number, both ends included",
        *(lambda a, b, steps, n=n: walk(a, b, steps - n) for n in (1, 2)),
        lambda a, b, steps: walk(a, b, steps)[:-1],
        lambda a, b, steps: walk(a, b, steps)[1:],
        "this is one point only, half way: steps points are asked",
        lambda a, b, steps: (a + b) / 2,
        "this is one coordinate only: each point holds all of them, shape (steps, d)",
        lambda a, b, steps: walk(a, b, steps)[:, 0],
        "every column is that of the first coordinate: each has its own start and end",
        lambda a, b, steps: walk(a, b, steps)[:, :1].expand(-1, len(a)),
        "this is the mean of the coordinates: each point holds all of them",
        lambda a, b, steps: walk(a, b, steps).mean(1),
        "these are the shares only: start + share · (end − start)",
        lambda a, b, steps: torch.linspace(0, 1, steps),
        lambda a, b, steps: torch.linspace(0, 1, steps)[:, None],
        "this is one step only, (end − start)/(steps − 1): add start, and take i of "
        "them",
        lambda a, b, steps: (b - a) / (steps - 1),
        lambda a, b, steps: (b - a) / steps,
        lambda a, b, steps: ((b - a) / (steps - 1)).expand(steps, -1),
        UNEVEN,
        _with_shares(lambda s: (s * math.pi / 2).sin()),
        _with_shares(lambda s: 1 - (s * math.pi / 2).cos()),
        _with_shares(lambda s: s**3),
        _with_shares(lambda s: s.cumsum(0)),
        _with_shares(lambda s: s.cumsum(0) / s.sum()),
        _with_shares(lambda s: 10 ** (2 * s - 2)),
        _with_shares(lambda s: 10 ** (s - 1)),
        _with_shares(lambda s: 10**s),
        _with_shares(lambda s: (12 * s - 6).sigmoid()),
        _with_shares(lambda s: (10 * s - 5).sigmoid()),
        _with_shares(torch.exp),
        _with_shares(lambda s: s.softmax(0)),
        _with_shares(lambda s: s**2),
        _with_shares(lambda s: s**0.5),
        _with_shares(lambda s: s * s * (3 - 2 * s)),
        _with_shares(lambda s: (1 - (math.pi * s).cos()) / 2),
        "the shares are whole numbers, 0 until the end: divide by /, not by //",
        _with_shares(torch.floor),
        "the shares run from −1 to 1: they run from 0 to 1",
        _with_shares(lambda s: 2 * s - 1),
        "the shares run from 0 to steps: they run from 0 to 1",
        lambda a, b, steps: walk(a, a + steps * (b - a), steps),
        "the walk ends half way: the last share is 1",
        _with_shares(lambda s: s / 2),
        "the walk does not reach the end: the last share is 1 (divide by steps − 1)",
        *(_with_shares(lambda s, c=c: c * s) for c in (0.9, 0.99, 0.95, 0.999)),
        _with_shares(lambda s: s / len(s)),
        _with_shares(lambda s: s * (len(s) - 1) / (len(s) + 1)),
        "brackets: divide by all of steps − 1, so write / (steps − 1)",
        _with_shares(lambda s: s * (len(s) - 1) / len(s) - 1),
        "the walk goes on beyond the end: the last share is 1",
        _with_shares(lambda s: s * len(s) / (len(s) - 1)),
        _with_shares(lambda s: s * (len(s) - 1) / (len(s) - 2)),
        _with_shares(lambda s: 2 * s),
        "the walk begins before the start, and goes on beyond the end: the shares run "
        "from 0 to 1",
        *(_with_shares(lambda s, c=c: (1 + 2 * c) * s - c) for c in (0.1, 0.5, 0.25)),
        "each step goes a part of what is left, and never arrives: all steps are equal",
        _with_shares(lambda s: 1 - 0.5 ** (s * (len(s) - 1))),
        _with_shares(lambda s: 1 - (1 - 1 / (len(s) - 1)) ** (s * (len(s) - 1))),
        "the walk turns back half way: the share grows from 0 to 1",
        _with_shares(lambda s: s * (1 - s)),
        "the weights of start and end are 1 − share and share: they add up to 1",
        lambda a, b, steps: walk(a + b, 0 * b, steps),
        "the first row is still 0: count from 0, range(steps)",
        lambda a, b, steps: walk(a, b, steps).index_fill(0, torch.tensor(0), 0.0),
        "the last row is still 0: range(steps) goes up to steps − 1",
        lambda a, b, steps: walk(a, b, steps).index_fill(
            0, torch.tensor(steps - 1), 0.0
        ),
        "the points are rounded to whole numbers: make the tensor of floats",
        lambda a, b, steps: walk(a, b, steps).trunc(),
        "the points are not divided by their length: the line is straight",
        lambda a, b, steps: normalize(walk(a, b, steps)),
        "one end is there twice: both are in the steps points already",
        lambda a, b, steps: torch.cat([walk(a, b, steps), b[None]]),
        lambda a, b, steps: torch.cat([a[None], walk(a, b, steps)]),
        lambda a, b, steps: torch.cat([a[None], walk(a, b, steps), b[None]]),
        lambda a, b, steps: torch.cat([a[None], walk(a, b, steps)[:-1]]),
        lambda a, b, steps: torch.cat([a[None], walk(a, b, steps - 2), b[None]]),
        "this is a curve on the sphere (slerp), not the straight line: share · (end − "
        "start)",
        _slerp,
        "all points are the same: the share grows from 0 to 1",
        lambda a, b, steps: a.expand(steps, -1),
        lambda a, b, steps: b.expand(steps, -1),
        lambda a, b, steps: ((a + b) / 2).expand(steps, -1),
        "every row is one and the same tensor: += changes all of them. Write z = z + …",
        lambda a, b, steps: (a + steps * (b - a) / (steps - 1)).expand(steps, -1),
        "powers of start and end make a curve (and NaN below 0): the straight line is "
        "start + share · (end − start)",
        lambda a, b, steps: (
            a ** (1 - (s := torch.linspace(0, 1, steps)[:, None])) * b**s
        ),
    ),
).check
