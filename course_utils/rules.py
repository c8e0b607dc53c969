"""Rules for the arguments of a picture: numbers, words and arrays (``drawing``).

A rule takes ``(value, name, given)``. It returns what a function computes with, or
raises ``ValueError`` or ``TypeError`` by name.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.colors import is_color_like

from course_utils.arguments import (
    check_finite,
    counts,
    finite,
    floats,
    one_of,
    require,
    switches,
)
from course_utils.quadrature import check_density

ROUNDING = 1e-3  # so far beyond their ends shares and ink may lie


class Given(NamedTuple):
    """What has passed the gate: arguments by name; by letter, a size and who set it."""

    values: dict
    sizes: dict

    def copy(self) -> "Given":
        """For what may have sizes of its own."""
        return Given(dict(self.values), dict(self.sizes))


def fit(got: tuple, shape: tuple, name: str, given: Given) -> None:
    """``ValueError`` unless ``got`` is this shape; its letters learn their sizes."""
    known = [given.sizes.get(size, (size, ""))[0] for size in shape]
    pairs = zip(got, known, strict=False)
    alike = all(n == size if isinstance(size, int) else n > 0 for n, size in pairs)
    if len(got) != len(shape) or not alike:
        told = ", ".join(str(size or "any") for size in shape)
        told = f"({told}{',' * (len(shape) == 1)})"
        for size in dict.fromkeys(size for size in shape if size in given.sizes):
            n, other = given.sizes[size]
            told += f", {size} = {n} as {other} has"
        told += ", not empty" * (0 in got)
        require(**{name: (f"shape {tuple(got)}", False, f"of shape {told}")})
    for size, n in zip(shape, got, strict=True):
        if isinstance(size, str):
            given.sizes.setdefault(size, (n, name))


def number(value, name, given=None):
    """A finite number; Python's own stay as they are."""
    value = value.detach() if isinstance(value, torch.Tensor) else value
    finite(**{name: value})
    return value if isinstance(value, int | float) else float(value)


def between(low, high=math.inf, above=False):
    """A number from ``low`` (or ``above`` it) to ``high``."""

    def rule(value, name, given=None):
        value = number(value, name)
        fits = (low < value if above else low <= value) and value <= high
        what = f"above {low:g}" if above else f"at least {low:g}"
        what += f" and at most {high:g}" if high < math.inf else ""
        require(**{name: (value, fits, what)})
        return value

    return rule


positive = between(0, above=True)


def whole(least=1, most=10**6):
    """A whole number; a million is enough for any picture."""

    def rule(value, name, given=None):
        counts(least, **{name: value})
        require(**{name: (value, value <= most, f"at most {most}")})
        return int(value)

    return rule


def one(options):
    """One of some words."""

    def rule(value, name, given=None):
        one_of(tuple(options), **{name: value})
        return value

    return rule


def word(value, name, given=None) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r:.60}")
    return value


def switch(value, name, given=None) -> bool:
    """True or False."""
    switches(**{name: value})
    return value


def colour(value, name, given=None):
    """What matplotlib knows as a colour."""
    require(**{name: (f"{value!r:.60}", is_color_like(value), "a colour")})
    return value


def array(*shape, low=-math.inf, high=math.inf, gaps=False, dtype=None, slack=0.0):
    """Floats of this shape, without their gradients; ``gaps``: NaN and infinity, too.

    A size None may be any, and ``array(...)`` has any shape. All lies in [low, high],
    or nearly so: ``slack``.
    """

    def rule(value, name, given):
        x = floats(value, name, dtype).detach()
        if shape != (...,):
            fit(tuple(x.shape), shape, name, given)
        if not gaps:
            check_finite(x, name)
        if (low, high) != (-math.inf, math.inf):
            least, most = x.min().item(), x.max().item()
            fits = low - slack <= least <= most <= high + slack
            got = f"values from {least:g} to {most:g}"
            require(**{name: (got, fits, f"in [{low:g}, {high:g}]")})
        return x

    return rule


def shares(*shape):
    """Numbers from 0 to 1; a little rounding is forgiven."""
    return array(*shape, low=0, high=1, slack=ROUNDING)


def digits(size=None):
    """Images ``(n, 784)`` of ink from 0 to 1; grey levels as bytes are refused."""
    ink = shares(size, 784)

    def rule(value, name, given):
        byte = getattr(value, "dtype", None) in (torch.uint8, np.uint8)
        require(**{name: ("uint8", not byte, f"ink from 0 to 1: use {name} / 255")})
        return ink(value, name, given)

    return rule


def wholes(low, high, *shape):
    """Whole numbers from ``low`` to ``high``, as int64."""
    numbers = array(*shape, low=low, high=high)

    def rule(value, name, given):
        x = numbers(value, name, given)
        got, fits = f"{x.flatten()[:3].tolist()}", bool((x == x.round()).all())
        require(**{name: (got, fits, "whole numbers")})
        return x.long()

    return rule


def truths(*shape):
    """True and False, or 1 and 0."""
    bits = wholes(0, 1, *shape)
    return lambda value, name, given: bits(value, name, given).bool()


def growing(size, least=2):
    """A grid ``(n,)`` whose numbers grow."""
    line = array(size)

    def rule(value, name, given):
        x = line(value, name, given)
        fits = len(x) >= least and bool((x.diff() > 0).all())
        got = f"{x[:3].tolist()}"
        require(**{name: (got, fits, f"{least} numbers or more that grow")})
        return x

    return rule


def density(value, name, given=None):
    """What has ``log_prob``, and parameters that are floats."""
    check_density(name, value)
    return value
