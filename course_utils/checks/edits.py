"""What learners write in place of one expression: its slips, each with its words.

``alternatives(node, parent, names)`` yields (message, values, new expression), where
``names`` are the arguments of the function. Pieces of code are said in the words of the
formula.
"""

import ast
from collections.abc import Iterator

from course_utils.checks.calls import Edit, of_call
from course_utils.checks.words import LOAD, spoken


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
            yield from of_call(node)
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
