"""The words of the checks: formulas as formulas (σ², not ``sigma ** 2``), and slips."""

import ast
import functools
import re

import torch

from course_utils.messages import say

GREEK = {
    "mu": "μ", "sigma": "σ", "sigmas": "σ", "theta": "θ", "psi": "ψ", "alpha": "α",
    "phi": "φ", "eps": "ε", "logvar": "log σ²", "LOG_2_PI": "log 2π",
}  # fmt: skip
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


def spell(message: str, values: dict) -> str:
    """The words of a slip; those of two slips hold the words of each."""
    return say(
        message,
        **{k: spell(*v) if isinstance(v, tuple) else v for k, v in values.items()},
    )


def describe(value) -> str:
    """What an argument was: its shape, a number, or its type."""
    if not isinstance(value, torch.Tensor):
        return say("a {kind}", kind=type(value).__name__)
    return (
        say("shape {shape}", shape=tuple(value.shape))
        if value.ndim
        else say("a number")
    )
