"""The gate of the pictures: what they take is converted, or refused, before they draw.

``@takes(ax=panel, x=array("n", 2))`` stands above a function that draws. A letter in a
shape is a size: the same letter is the same size in all arguments. What a drawing
returns for its slider takes its values through the same gate.
"""

import functools
import inspect
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from itertools import chain

import numpy as np
from matplotlib.axes import Axes

from course_utils.arguments import functions, require
from course_utils.rules import Given, array, fit, positive, word


def takes(**rules):
    """The gate above a function that draws: a rule for each argument, in this order.

    Arguments of the slider alone have their rules here, too.
    """

    def gate(draw):
        signature = inspect.signature(draw)

        @functools.wraps(draw)
        def drawn(*arguments, **options):
            bound, given = signature.bind(*arguments, **options), Given({}, {})
            bound.apply_defaults()
            _pass(bound.arguments, rules, given)
            with _all_or_nothing(bound.arguments.values()):
                made = draw(*bound.args, **bound.kwargs)
            return _for_slider(made, rules, given) if inspect.isfunction(made) else made

        return drawn

    return gate


@contextmanager
def _all_or_nothing(values):
    """What a drawing that fails has added to its axes is taken away again."""
    arrays = (value.flat for value in values if isinstance(value, np.ndarray))
    axes = [ax for ax in chain(values, *arrays) if isinstance(ax, Axes)]
    before = {ax: ax.get_children() for ax in axes}
    try:
        yield
    except Exception:
        for ax in axes:
            for artist in set(ax.get_children()) - set(before[ax]):
                artist.remove()
        raise


def _pass(arguments: dict, rules: dict, given: Given) -> None:
    for name, rule in rules.items():
        if name in arguments:
            arguments[name] = rule(arguments[name], name, given)
            given.values[name] = arguments[name]


def _for_slider(update, rules, given):
    signature = inspect.signature(update)

    @functools.wraps(update)
    def updated(*arguments, **options):
        bound = signature.bind(*arguments, **options)
        _pass(bound.arguments, rules, given.copy())
        return update(*bound.args, **bound.kwargs)

    return updated


def panel(value, name, given=None) -> Axes:
    """One axes of matplotlib."""
    if not isinstance(value, Axes):
        got = f"{value!r:.60}"
        raise TypeError(f"{name} must be axes, as from plt.subplots(), got {got}")
    return value


def panels(*shape, spare=False):
    """Axes in a row (of a table, too: one after the other), or in two dimensions.

    With ``spare`` there may be more of them than of what is drawn.
    """

    def rule(value, name, given):
        many = isinstance(value, np.ndarray | np.flatiter | list | tuple)
        axes = np.array(list(value) if many else [value], dtype=object)
        axes = axes.flatten() if len(shape) == 1 else axes
        for each in axes.flat:
            panel(each, name)
        if spare and shape[0] in given.sizes:
            n, other = given.sizes[shape[0]]
            rule = f"at least {n}, one for each of {other}"
            require(**{name: (f"{len(axes)} axes", len(axes) >= n, rule)})
        else:
            fit(axes.shape, shape, name, given)
        return axes

    return rule


def listing(rule, size=None, most=10**6, empty=False):
    """A list of what passes ``rule``; ``size`` is its number, or its letter."""

    def each(value, name, given):
        single = isinstance(value, str | bytes | Mapping | type)
        if single or not isinstance(value, Iterable) or not getattr(value, "ndim", 1):
            raise TypeError(f"{name} must be a list, got {value!r:.60}")
        items = list(value)
        _count(items, name, given, size, most, empty)
        return [rule(item, f"{name}[{k}]", given) for k, item in enumerate(items)]

    return each


def mapping(rule, size=None, keys=None, most=10**6, empty=False):
    """A dictionary of what passes ``rule``.

    ``keys`` are those that it may have; a text is the argument whose keys they are.
    """

    def each(value, name, given):
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} must be a dictionary, got {value!r:.60}")
        _count(value, name, given, size, most, empty)
        known = list(given.values[keys] if isinstance(keys, str) else keys or value)
        for key in value:
            fits = key in known
            require(**{f"each key of {name}": (repr(key), fits, f"one of {known}")})
        return {k: rule(v, f"{name}[{k!r}]", given) for k, v in value.items()}

    return each


def _count(items, name, given, size, most, empty) -> None:
    n = len(items)
    want, other = given.sizes.get(size, (size, ""))
    fixed = isinstance(want, int)
    rule = f"{want} in number" if fixed else "no empty one"
    rule += f", as many as {other} has" if other else ""
    require(**{name: (n, n == want if fixed else n > 0 or empty, rule)})
    require(**{name: (n, n <= most, f"at most {most} in number")})
    if isinstance(size, str):
        given.sizes.setdefault(size, (n, name))


def letters(size, spare=False):
    """A text (or a list) of so many letters; with ``spare`` it may have more."""

    def rule(value, name, given):
        text = value if isinstance(value, str) else listing(word)(value, name, given)
        if spare and size in given.sizes:
            n, other = given.sizes[size]
            require(**{name: (text, len(text) >= n, f"{n}, one for each of {other}")})
            return text[:n]
        fit((len(text),), (size,), name, given)
        return text

    return rule


def parts(*rules):
    """A tuple, each part of which passes its own rule."""

    def each(value, name, given):
        fits = isinstance(value, list | tuple) and len(value) == len(rules)
        got = f"{value!r:.60}"
        require(**{name: (got, fits, f"a tuple of {len(rules)} parts")})
        pairs = enumerate(zip(value, rules, strict=True))
        return tuple(rule(part, f"{name}[{k}]", given) for k, (part, rule) in pairs)

    return each


def key_of(table):
    """A key of the mapping (or a place in the list) that is called ``table``."""

    def rule(value, name, given):
        known = given.values[table]
        keys = list(known) if isinstance(known, Mapping) else list(range(len(known)))
        plain = isinstance(value, str | int | float | np.number)
        plain = plain and not isinstance(value, bool)
        fits = plain and value in keys
        require(**{name: (f"{value!r:.60}", fits, f"one of {keys!r:.200}")})
        return keys[keys.index(value)]

    return rule


def row(*columns):
    """A row of a table, whose ``columns`` are numbers, or texts of numbers."""

    def rule(value, name, given=None):
        if not isinstance(value, Mapping) or not set(columns) <= set(value):
            raise TypeError(f"{name} must be a row with {columns}, got {value!r:.60}")
        for column in columns:
            try:
                float(value[column])
            except (TypeError, ValueError):
                got = f"{value[column]!r:.60}"
                require(**{f"{name}[{column!r}]": (got, False, "a number")})
        return value

    return rule


def having(*attributes, **rules):
    """An object, no class, with these attributes; some must pass rules of their own."""

    def rule(value, name, given):
        wanted = (*attributes, *rules)
        if isinstance(value, type) or not all(hasattr(value, each) for each in wanted):
            got = f"the class {value.__name__}" if isinstance(value, type) else ""
            need = " and ".join(f".{each}" for each in wanted)
            got = got or type(value).__name__
            raise TypeError(f"{name} must have {need}, got {got}")
        for each, inner in rules.items():
            inner(getattr(value, each), f"{name}.{each}", given)
        return value

    return rule


def function(rule=None):
    """A function, whose results must pass ``rule`` if there is one."""

    def check(value, name, given):
        functions(**{name: value})
        if rule is None:
            return value

        def called(*arguments, **options):
            result = value(*arguments, **options)
            return rule(result, f"what {name} returns", given.copy())

        return called

    return check


def either(first, rule):
    """``first`` itself (such as None), or what passes ``rule``."""

    def check(value, name, given):
        return value if value is first else rule(value, name, given)

    return check


def alone(rule):
    """``rule`` with letters of its own: in a list, each may have another size."""
    return lambda value, name, given: rule(value, name, given.copy())


MODES = having(centres=array(None, 2), sigma=positive)  # equal Gaussians in the plane
