"""The words of the edits: the formula's, not Python's."""

import ast

import pytest

from course_utils.checks.edits import alternatives
from course_utils.checks.words import spoken


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sigma_p ** 2", "σ_p²"),
        ("torch.log(sigma_q / sigma_p)", "log(σ_q / σ_p)"),
        ("0.5 * (mu - 1)", "½ · (μ − 1)"),
        ("logvar.exp()", "exp(log σ²)"),
        ("x.square()", "x²"),
    ],
)
def test_spoken(code, words):
    assert spoken(ast.parse(code, mode="eval").body) == words


@pytest.mark.parametrize(
    ("code", "new"),
    [
        ("a + b", {"a", "b", "a - b", "b - a", "a * b"}),
        ("a - b", {"a", "-b", "a + b", "b - a", "a / b", "a * b"}),
        ("(a + b) / c", {"a + b / c", "a + b", "c / (a + b)", "(a + b) * c"}),
        ("a / (2 * c)", {"a / 2 * c"}),
        ("a ** 2", {"a", "a * 2", "abs(a)", "(a ** 2) ** 2"}),
        ("x.log()", {"x", "x.log2()", "x.log10()", "x.log().log()"}),
        ("x.mean(dim=1)", {"x.sum(dim=1)", "x", "x.mean(dim=0)", "x.mean()"}),
        ("f(a, b)", {"f(b, a)"}),
        ("range(k)", {"range(k + 1)", "range(k - 1)", "range(1)", "range(1, k)"}),
        ("-a", {"a"}),
        ("2", {"4", "1", "3", "-2"}),
    ],
)
def test_what_is_written_in_place_of_an_expression(code, new):
    node = ast.parse(code, mode="eval").body
    made = {
        ast.unparse(ast.fix_missing_locations(ast.Expression(changed)))
        for _, _, changed in alternatives(node, None, ["x"])
    }
    assert new <= made
