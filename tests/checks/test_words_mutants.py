"""The words of the checks: letters of formulas, slips within slips, kinds of things."""

import ast

import pytest
import torch

from course_utils.checks.words import describe, spell, spoken


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("torch.exp(mu) - math.log(sigmas)", "exp(μ) − log(σ)"),
        ("F.softplus(x, 2)", "softplus(x, 2)"),
        ("model.decode(z, k=3)", "decode(model, z, k=3)"),
        ("(x - mu).square()", "(x − μ)²"),
        ("x.exp().log()", "log(exp(x))"),
        ("sigma_p ** 0.5", "σ_p^½"),
        ("musical + mu_2", "musical + μ_2"),
        ("10.5 + 0.5", "10.5 + ½"),
        ("logvar + eps * alpha", "log σ² + ε · α"),
        ("theta[psi]", "θ[ψ]"),
        ("f(phi)", "f(φ)"),
    ],
)
def test_code_is_spoken_as_a_formula(code, words):
    assert spoken(ast.parse(code, mode="eval").body) == words


def test_a_name_is_spoken_as_it_stands_and_brackets_around_all_go():
    assert spoken("(a + sigma)") == "a + σ"
    assert spoken("(a) + (b)") == "(a) + (b)"
    assert spoken("x.exp()") == "x.exp()"  # a text is no code


def test_two_slips_have_the_words_of_each():
    one = "the term {a} is missing", {"a": "μ"}
    other = "{f} over {x} is missing", {"f": "sum", "x": "x²"}
    told = spell("two slips: {one}; and {other}", {"one": one, "other": other})
    assert told == "two slips: the term μ is missing; and sum over x² is missing"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.zeros(2, 3), "shape (2, 3)"),
        (torch.zeros(1), "shape (1,)"),
        (torch.tensor(2.0), "a number"),
        (2.0, "a float"),
        ([1.0], "a list"),
    ],
)
def test_an_argument_is_described_by_its_shape_or_its_kind(value, words):
    assert describe(value) == words
