"""What learners write in place of one expression: its slips, each with its words.

``alternatives(node, parent, names)`` yields (message, values, new expression), where
``names`` are the arguments of the function. Pieces of code are said in the words of the
formula.
"""

import ast
import functools
import re
from collections.abc import Iterator

GREEK = {
    "mu": "μ", "sigma": "σ", "sigmas": "σ", "theta": "θ", "psi": "ψ", "alpha": "α",
    "phi": "φ", "eps": "ε", "logvar": "log σ²",
}  # fmt: skip
MATHS = {"exp", "log", "sqrt", "square", "abs", "sigmoid", "softplus", "logsigmoid"}
MATHS |= {"softmax", "log_softmax", "logsumexp", "cumsum", "xlogy", "log1p", "expm1"}
REDUCING = {"mean", "sum", "logsumexp", "prod", "median", "var", "std", "amax"}
Edit = tuple[str, dict, ast.expr]
LOAD = ast.Load()
LIBRARIES = ("torch", "math", "F")


def spoken(node: ast.AST | str) -> str:
    """A piece of code in the words of the formula."""
    code = isinstance(node, ast.AST)
    return _spoken(ast.unparse(node) if code else node, code)


@functools.cache
def _spoken(text: str, code: bool) -> str:
    if code:
        text = ast.unparse(_Functions().visit(ast.parse(text)))
    text = re.sub(r"\b(torch|math|F)\.", "", text)
    for word, letter in GREEK.items():
        text = re.sub(rf"\b{word}(?=\b|_)", letter, text)
    text = text.replace(" ** 2", "²").replace(" ** 0.5", "^½").replace(" * ", " · ")
    text = re.sub(r"\b0\.5\b", "½", text.replace(" - ", " − "))
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


class _Functions(ast.NodeTransformer):
    """x.exp() becomes exp(x), and x.square() x²."""

    def visit_Call(self, node):
        self.generic_visit(node)
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if not isinstance(node.func, ast.Attribute) or owner in LIBRARIES:
            return node
        inside = node.func.value
        if node.func.attr == "square":
            return ast.BinOp(inside, ast.Pow(), ast.Constant(2))
        name = ast.Name(node.func.attr, LOAD)
        return ast.Call(name, [inside, *node.args], node.keywords)


def alternatives(node, parent, names) -> Iterator[Edit]:
    """What learners write in place of ``node``."""
    match node:
        case ast.BinOp():
            yield from _of_operation(node)
        case ast.UnaryOp(op=ast.USub(), operand=inside):
            said = {"x": spoken(inside)}
            yield (
                "the sign is turned round: the minus before {x} is missing",
                said,
                inside,
            )
        case ast.Call():
            yield from _of_call(node)
        case ast.Name(id=name) if name in names:
            yield from _of_name(node, name, names, parent)
        case ast.Constant(value=bool() | str() | None):
            return
        case ast.Constant(value=c) if not isinstance(parent, ast.keyword):
            for other in sorted({2 * c, c / 2, c + 1, c - 1, -c} - {c}):
                if other == type(c)(other):  # a whole number stays whole
                    said = {"right": spoken(node), "wrong": spoken(f"{other}")}
                    yield (
                        "the number {right} belongs where you have {wrong}",
                        said,
                        (ast.Constant(type(c)(other))),
                    )
        case ast.Tuple(elts=[first, second]) if isinstance(parent, ast.Return):
            said = {"a": spoken(first), "b": spoken(second)}
            both = "the same number twice: the first is {a}, the second {b}"
            yield both, said, ast.Tuple([first, first], LOAD)
            yield both, said, ast.Tuple([second, second], LOAD)


def _of_operation(node: ast.BinOp) -> Iterator[Edit]:
    a, b, op = node.left, node.right, node.op
    said = {"a": spoken(a), "b": spoken(b), "all": spoken(node)}

    def other(kind, left=a, right=b):
        return ast.BinOp(left, kind(), right)

    missing_a, missing_b = "the term {a} is missing", "the term {b} is missing"
    match op:
        case ast.Add():
            yield missing_b, said, a
            yield missing_a, said, b
            yield (
                "the sign of {b} is turned round: add it, do not subtract",
                said,
                (other(ast.Sub)),
            )
            yield (
                "the sign of {a} is turned round: a minus is too much",
                said,
                (other(ast.Sub, b, a)),
            )
            yield "{a} and {b} are added, not multiplied", said, other(ast.Mult)
        case ast.Sub():
            yield "{b} is missing: it must be subtracted", said, a
            yield missing_a, said, ast.UnaryOp(ast.USub(), b)
            yield (
                "the sign of {b} is wrong: subtract it (minus), do not add",
                said,
                (other(ast.Add)),
            )
            yield (
                "the difference is turned round: it is {a} − {b}, in this order",
                said,
                (other(ast.Sub, b, a)),
            )
            yield "{b} is subtracted from {a}; you divided", said, other(ast.Div)
            yield "{b} is subtracted from {a}; you multiplied", said, other(ast.Mult)
        case ast.Mult():
            yield "the factor {b} is missing: multiply {a} by it", said, a
            yield "the factor {a} is missing: multiply {b} by it", said, b
            if isinstance(a, ast.UnaryOp):  # −½ b without the ½, but with its sign
                words = said | {"a": spoken(a.operand)}
                yield (
                    "the factor {a} is missing: multiply {b} by it",
                    words,
                    (ast.UnaryOp(a.op, b)),
                )
            yield (
                "{a} and {b} are multiplied (a product), not added",
                said,
                other(ast.Add),
            )
            yield "{a} is multiplied by {b}; you divided", said, other(ast.Div)
            yield "{b} is multiplied by {a}; you divided", said, other(ast.Div, b, a)
            for x, bracket in ((a, b), (b, a)):
                if isinstance(bracket, ast.BinOp) and isinstance(
                    bracket.op, (ast.Add, ast.Sub)
                ):
                    left = ast.BinOp(x, ast.Mult(), bracket.left)
                    yield (
                        "the brackets are missing: {a} · {b} multiplies every term",
                        said,
                        (ast.BinOp(left, bracket.op, bracket.right)),
                    )
        case ast.Div():
            yield "the division is missing: divide {a} by {b}", said, a
            yield "divide {a} by {b}; you multiplied", said, other(ast.Mult)
            yield (
                "the fraction is upside down: {a} stands above, {b} below",
                said,
                (other(ast.Div, b, a)),
            )
            yield "divide {a} by {b}; you subtracted", said, other(ast.Sub)
            yield (
                "divide by {b} itself, not by {b} − 1 (the unbiased estimate)",
                said,
                (other(ast.Div, a, ast.BinOp(b, ast.Sub(), ast.Constant(1)))),
            )
            yield "you divided by {b} twice", said, other(ast.Div, node, b)
            yield (
                "divide by {b}, not by its root",
                said,
                (other(ast.Div, a, ast.BinOp(b, ast.Pow(), ast.Constant(0.5)))),
            )
            if isinstance(b, ast.BinOp):
                kind = {ast.Mult: ast.Mult, ast.Add: ast.Add, ast.Sub: ast.Sub}
                if type(b.op) in kind:
                    first = ast.BinOp(a, ast.Div(), b.left)
                    yield (
                        "brackets (precedence): all of {b} stands below the line, so "
                        "write / ({b})",
                        said,
                        ast.BinOp(first, b.op, b.right),
                    )
            if isinstance(a, ast.BinOp) and isinstance(a.op, (ast.Add, ast.Sub)):
                yield (
                    "brackets: the whole numerator {a} is divided by {b}",
                    said,
                    (ast.BinOp(a.left, a.op, ast.BinOp(a.right, ast.Div(), b))),
                )
        case ast.Pow():
            yield "{a} must be squared: the square is missing", said, a
            if isinstance(a, ast.BinOp) and isinstance(a.op, (ast.Add, ast.Sub)):
                yield (
                    "brackets: square all of {a}, not only its last part",
                    said,
                    (ast.BinOp(a.left, a.op, other(ast.Pow, a.right))),
                )
            yield "the square is meant, {all}; you took 2 times", said, other(ast.Mult)
            yield (
                "take the square, not the absolute value, of {a}",
                said,
                (ast.Call(ast.Name("abs", LOAD), [a], [])),
            )
            yield (
                "{all} is squared already: you squared it twice",
                said,
                (other(ast.Pow, node, ast.Constant(2))),
            )
        case ast.MatMult():
            yield (
                "the order of the product is {a} @ {b}",
                said,
                other(ast.MatMult, b, a),
            )


def _of_call(node: ast.Call) -> Iterator[Edit]:
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


def _of_name(node, name, names, parent) -> Iterator[Edit]:
    """One argument where another belongs, or its square, root, exp or log."""
    if isinstance(parent, (ast.Attribute, ast.Call)) and name not in names:
        return
    said = {"x": spoken(name)}

    def method(f, on=node):
        return ast.Call(ast.Attribute(on, f, LOAD), [], [])

    for other in names:
        if other != name:
            yield (
                "{x} belongs where you have {y}",
                said | {"y": spoken(other)},
                (ast.Name(other, LOAD)),
            )
    yield (
        "{x} is squared where {x} itself belongs: its square is too much",
        said,
        (method("square")),
    )
    yield (
        (
            "you took the root of {x} where {x} itself belongs (standard deviation or "
            "variance?)"
        ),
        said,
        method("sqrt"),
    )
    yield "you took exp() of {x} where {x} itself belongs", said, method("exp")
    yield "you took the log of {x} where {x} itself belongs", said, method("log")
    yield (
        "{x} is doubled: a factor 2 is too much",
        said,
        (ast.BinOp(ast.Constant(2), ast.Mult(), node)),
    )
    yield (
        "{x} is halved: a factor ½ is too much",
        said,
        (ast.BinOp(ast.Constant(0.5), ast.Mult(), node)),
    )
    yield "the sign of {x} is turned round (minus)", said, ast.UnaryOp(ast.USub(), node)
    for data in names:
        if data != name:
            yield (
                "you used the mean of {y} where {x}, the argument, belongs",
                (said | {"y": spoken(data)}),
                method("mean", ast.Name(data, LOAD)),
            )
