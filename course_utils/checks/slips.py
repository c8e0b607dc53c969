"""Wrong answers made from the right one: the slips that happen to any formula.

``slips(solution)`` reads the source of a solution and yields copies of it with one slip
each: a term, a factor or a logarithm missing, a sign turned round, a sum where a mean
belongs, the wrong axis, two arguments exchanged. ``slips(solution, 2)`` yields those
with two. A new exercise has dozens of named mistakes before one is written by hand.
Words of the formula are said as in the notebooks: σ², not ``sigma ** 2``.
"""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from course_utils.checks.edits import alternatives
from course_utils.checks.words import spoken


@dataclass(frozen=True)
class Slip:
    """A wrong answer ``wrong(*case)``, and what to say: a message and its values."""

    message: str
    values: dict[str, str]
    wrong: Callable


def slips(solution: Callable, depth: int = 1) -> Iterator[Slip]:
    """Copies of ``solution``, a plain function, with ``depth`` slips each (1 or 2)."""
    source = textwrap.dedent(inspect.getsource(solution))
    module = ast.parse(source)
    function = module.body[0]
    if not isinstance(function, ast.FunctionDef):
        raise TypeError(f"a solution must be a function by def, got {source[:40]!r}")
    names = [argument.arg for argument in function.args.args]
    for message, values in _edits(function, names, depth):
        scope: dict = {}
        try:
            code = compile(module, "<slip>", "exec")
            exec(code, solution.__globals__, scope)
        except (SyntaxError, ValueError):
            continue
        yield Slip(message, values, scope[function.name])
    if depth == 1:
        yield from _arguments(solution, names)


COMMON = (  # how the words of those slips begin that are tried two at a time
    *("the term", "the factor", "the sign", "the division", "{a} must be squared"),
    *("{b} is missing", "{f} is missing", "{f} over", "you added", "you took the mean"),
)


def _edits(function, names, depth, common=False) -> Iterator[tuple[str, dict]]:
    """Change ``function`` in place, once for each slip; afterwards it is whole."""
    for parent, field, index, node in list(_places(function)):
        for message, values, new in alternatives(node, parent, names):
            if (common or depth > 1) and not message.startswith(COMMON):
                continue
            _put(parent, field, index, new)
            if depth == 1:
                yield message, values
            else:
                first = message, values
                for more, its in _edits(function, names, depth - 1, True):
                    yield TWO, {"one": first, "other": (more, its)}
            _put(parent, field, index, node)
    if depth == 1 and not common:
        yield from _lines(function)


TWO = "two slips at once: {one}; and {other}"


def _put(parent, field, index, node) -> None:
    ast.fix_missing_locations(node)
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _places(function) -> Iterator[tuple]:
    """Every expression of the function's body, with the place where it stands."""
    for statement in function.body:
        for parent in ast.walk(statement):
            for field, value in ast.iter_fields(parent):
                if field in ("targets", "func", "slice", "target", "ctx", "annotation"):
                    continue
                many = value if isinstance(value, list) else [value]
                for index, node in enumerate(many):
                    if isinstance(node, ast.expr):
                        where = index if isinstance(value, list) else None
                        yield parent, field, where, node


def _lines(function) -> Iterator[tuple[str, dict]]:
    """A line left out; a return too early, inside the loop."""
    for block in [
        n for n in ast.walk(function) if isinstance(getattr(n, "body", 0), list)
    ]:
        for i, line in enumerate(block.body):
            if isinstance(line, (ast.AugAssign, ast.Expr, ast.For)) or (
                isinstance(line, ast.Assign) and len(block.body) > 1
            ):
                block.body[i] = ast.copy_location(ast.Pass(), line)
                yield "a line is missing: {line}", {"line": spoken(line).split("\n")[0]}
                block.body[i] = line
            last = function.body[-1]
            if isinstance(line, ast.For) and isinstance(last, ast.Return):
                line.body.append(last)
                yield (
                    "`return` stands inside the loop: it ends after the first round",
                    {},
                )
                line.body.pop()


# --- slips in the arguments

CHANGES: tuple[tuple[str, Callable], ...] = (
    ("you used {x}² where {x} belongs", torch.square),
    ("you used the root of {x} where {x} belongs: {x} is no variance here", torch.sqrt),
    ("you used exp({x}) where {x} belongs", torch.exp),
    ("you used log({x}) where {x} belongs", torch.log),
    ("{x} is doubled everywhere: a factor 2 is too much", lambda v: 2 * v),
    ("{x} is halved everywhere: a factor ½ is too much", lambda v: v / 2),
    ("{x} has the wrong sign everywhere (minus)", lambda v: -v),
    ("you used 1 − {x} where {x} belongs", lambda v: 1 - v),
    ("you used 1/{x} where {x} belongs: divide by it, or multiply", lambda v: 1 / v),
    ("sigmoid of {x} is taken, and should not be (or is taken twice)",
     lambda v: v.sigmoid()),
    ("{x} is normalised by softmax, and should not be", lambda v: v.softmax(-1)),
    ("{x} is transposed", lambda v: v.mT),
    ("{x} is averaged first: keep its entries apart", lambda v: v.mean()),
    ("{x} is averaged over dim 0 first", lambda v: v.mean(0, keepdim=True)),
    ("{x} is added up first: keep its entries apart", lambda v: v.sum()),
    ("{x} is ignored: as if it were 0", lambda v: 0 * v),
    ("{x} is ignored: as if it were 1", lambda v: 0 * v + 1),
    ("you rounded {x} to 0 or 1: a hard decision in place of shares", torch.round),
    ("{x} is inverted (its inverse matrix)", lambda v: v.inverse()),
    ("{x} is sorted: its entries no longer belong to the others",
     lambda v: v.sort(0).values),
    ("{x} is turned round: its last entry stands first", lambda v: v.flip(0)),
    ("{x} is added up on the way (cumsum), and should not be", lambda v: v.cumsum(0)),
    ("{x} is divided by its sum, and should not be", lambda v: v / v.sum()),
    ("{x} is centred (its mean subtracted), and should not be", lambda v: v - v.mean()),
    ("the median of {x} stands where its entries belong", lambda v: v.median() + 0 * v),
    ("the first of {x} is left out: indices count from 0", lambda v: v[1:]),
    ("the last of {x} is left out: an index ends too early", lambda v: v[:-1]),
    ("only the first of {x} counts: the others are left out", lambda v: v[:1]),
)  # fmt: skip


def _arguments(solution, names) -> Iterator[Slip]:
    """Two arguments exchanged, or one changed wherever it stands."""
    count = len(names)
    for order in itertools.permutations(range(count)):
        moved = [i for i in range(count) if order[i] != i]
        if 0 < len(moved) <= 3:
            a, b = (spoken(names[i]) for i in moved[:2])

            def wrong(*case, order=order):
                return solution(*(case[i] for i in order))

            yield Slip(
                "{a} and {b} have changed places (wrong order of the arguments): the "
                "function is called with ({names})",
                {"a": a, "b": b, "names": ", ".join(names)},
                wrong,
            )
    for i, name in enumerate(names):
        for message, change in CHANGES:

            def wrong(*case, i=i, change=change):
                if not isinstance(case[i], torch.Tensor):
                    raise TypeError("no tensor")
                return solution(*case[:i], change(case[i]), *case[i + 1 :])

            yield Slip(message, {"x": spoken(name)}, wrong)
