"""What learners write in place of a call: none, another axis, one step more."""

import ast
from collections.abc import Iterator

from course_utils.checks.words import LIBRARIES, LOAD, spoken

MATHS = {"exp", "log", "sqrt", "square", "abs", "sigmoid", "softplus", "logsigmoid"}
MATHS |= {"softmax", "log_softmax", "logsumexp", "cumsum", "xlogy", "log1p", "expm1"}
REDUCING = {"mean", "sum", "logsumexp", "prod", "median", "var", "std", "amax"}
Edit = tuple[str, dict, ast.expr]


def of_call(node: ast.Call) -> Iterator[Edit]:
    """A function left out, doubled, replaced, over another axis, with swapped ends."""
    func = node.func  # f(x), torch.f(x) or x.f()
    name = getattr(func, "attr", getattr(func, "id", ""))
    owner = getattr(getattr(func, "value", None), "id", "")
    method = isinstance(func, ast.Attribute) and owner not in LIBRARIES
    inside = node.func.value if method else (node.args[0] if node.args else None)
    if name in ("range",):
        yield from _of_range(node)
        return
    if inside is None:
        return
    said = {"f": name, "x": spoken(inside), "all": spoken(node)}

    def renamed(new, keywords=node.keywords):
        if isinstance(func, ast.Attribute):
            return ast.Call(ast.Attribute(func.value, new, LOAD), node.args, keywords)
        return ast.Call(ast.Name(new, LOAD), node.args, keywords)

    if name in MATHS:
        yield "{f} is missing: take {f}() of {x}", said, inside
        again = ast.Call(node.func, [node], []) if not method else (
            ast.Call(ast.Attribute(node, name, LOAD), node.args, node.keywords)
        )  # fmt: skip
        yield "{f}() is taken twice: once is enough", said, again
    if name == "log" and not isinstance(inside, ast.Constant):
        for base in ("log2", "log10"):
            yield (
                "use the natural logarithm (nats), not {wrong} (bits)",
                (said | {"wrong": base}),
                renamed(base),
            )
    if name == "square":
        yield "take the square, not the absolute value, of {x}", said, renamed("abs")
    if name == "abs":
        yield "take the absolute value, not the square, of {x}", said, renamed("square")
    if name in REDUCING:
        yield "{f} over {x} is missing", said, inside
        # the sum (or mean) of squares, logs … and the square, log … of the sum
        match inside:
            case ast.BinOp(left=part, op=ast.Pow(), right=power):
                turned = ast.BinOp(_with_inside(node, method, part), ast.Pow(), power)
                yield "take the power of each first, then the {f}", said, turned
            case ast.Call(func=ast.Attribute(attr=each), args=args):
                own = getattr(inside.func.value, "id", "") not in LIBRARIES
                part = inside.func.value if own else args[0] if args else None
                if part is not None and each in MATHS:
                    turned = _with_inside(inside, own, _with_inside(node, method, part))
                    said = said | {"each": each}
                    yield "{each}() of each comes first, then the {f}", said, turned
    if name in ("mean", "sum"):
        new = {"mean": "sum", "sum": "mean"}[name]
        yield (
            {
                "mean": "you added up {x}: take the mean (divide by their number)",
                "sum": "you took the mean of {x}: add them up, do not divide (sum)",
            }[name],
            said,
            renamed(new),
        )
    if name == "mean":
        yield "take the mean, not the median, of {x}", said, renamed("median", [])
    if name == "median":
        yield "take the median, not the mean, of {x}", said, renamed("mean")
    yield from _of_axis(node, method, said)
    if len(node.args) == 2 and not method:
        swapped = ast.Call(node.func, node.args[::-1], node.keywords)
        yield "the arguments of {f} are exchanged (wrong order)", said, swapped


def _with_inside(node: ast.Call, method: bool, inside: ast.expr) -> ast.Call:
    """The same call of something else."""
    if method:
        func = ast.Attribute(inside, node.func.attr, LOAD)
        return ast.Call(func, node.args, node.keywords)
    return ast.Call(node.func, [inside, *node.args[1:]], node.keywords)


def _of_axis(node: ast.Call, method: bool, said) -> Iterator[tuple]:
    """Another ``dim``, or none."""
    first = 0 if method else 1
    for where, old in [
        *((("args", i), a) for i, a in enumerate(node.args) if i >= first),
        *(
            (("keywords", i), k.value)
            for i, k in enumerate(node.keywords)
            if k.arg == "dim"
        ),
    ]:
        value = old.operand if isinstance(old, ast.UnaryOp) else old
        if not isinstance(value, ast.Constant) or not isinstance(value.value, int):
            continue
        for dim in (0, 1, 2):
            if ast.unparse(old) == f"{dim}":
                continue
            yield _axis(node, where, ast.Constant(dim), said, spoken(old))
        kept = [k for k in node.keywords if k.arg not in ("dim", "keepdim")]
        args = [a for i, a in enumerate(node.args) if ("args", i) != where]
        words = said | {"dim": spoken(old)}
        everything = "{f} goes over dim={dim} only: you took everything at once"
        yield everything, words, ast.Call(node.func, args, kept)


def _axis(node, where, new, said, right):
    args, keywords = list(node.args), list(node.keywords)
    if where[0] == "args":
        args[where[1]] = new
    else:
        keywords[where[1]] = ast.keyword("dim", new)
    text = "wrong axis: {f} goes over dim={right}, not over dim={wrong}"
    values = said | {"right": right, "wrong": f"{new.value}"}
    return text, values, ast.Call(node.func, args, keywords)


def _of_range(node: ast.Call) -> Iterator[Edit]:
    end, load = node.args[-1], LOAD
    said = {"k": spoken(end)}

    def to(new):
        return ast.Call(ast.Name("range", load), [*node.args[:-1], new], [])

    one = ast.Constant(1)
    yield (
        "one step too many: there are {k} of them",
        said,
        (to(ast.BinOp(end, ast.Add(), one))),
    )
    yield (
        "one step too few: there are {k} of them",
        said,
        (to(ast.BinOp(end, ast.Sub(), one))),
    )
    yield "only one step is taken: there are {k} of them", said, to(one)
    yield "no step is taken: there are {k} of them", said, to(ast.Constant(0))
    yield (
        "the first one is left out: count from 0",
        said,
        (ast.Call(ast.Name("range", load), [one, end], [])),
    )
    twice = ast.BinOp(ast.Constant(2), ast.Mult(), end)
    yield "twice as many steps as asked: there are {k} of them", said, to(twice)
