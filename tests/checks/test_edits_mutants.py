"""Facts of the edits that a mutant once broke without a test's notice.

Each edit is a piece of code and the words for it: ``EDITS`` has all of them for one
expression, so that none is lost, and none gets the words of another.
"""

import ast

import pytest

from course_utils.checks.edits import alternatives

NAMES = ["mu", "sigma"]
EDITS = {
    "a + b": {
        "a": "the term b is missing",
        "b": "the term a is missing",
        "a - b": "the sign of b",
        "b - a": "the sign of a",
        "a * b": "a and b are added",
    },
    "a - b": {
        "a": "b is missing",
        "-b": "the term a is missing",
        "a + b": "the sign of b is wrong",
        "b - a": "it is a − b, in this order",
        "a / b": "you divided",
        "a * b": "you multiplied",
    },
    "-a * b": {
        "-a": "the factor b is missing",
        "b": "the factor -a is missing",
        "-b": "the factor a is missing: multiply b by it",
        "-a + b": "not added",
        "-a / b": "-a is multiplied by b; you divided",
        "b / -a": "b is multiplied by -a; you divided",
    },
    "a * (b + c)": {
        "a": "the factor b + c is missing",
        "b + c": "the factor a is missing",
        "a + (b + c)": "not added",
        "a / (b + c)": "a is multiplied by b + c",
        "(b + c) / a": "b + c is multiplied by a",
        "a * b + c": "the brackets are missing",
    },
    "(b - c) * a": {
        "b - c": "the factor a is missing",
        "a": "the factor b − c is missing",
        "b - c + a": "not added",
        "(b - c) / a": "b − c is multiplied by a",
        "a / (b - c)": "a is multiplied by b − c",
        "a * b - c": "the brackets are missing",
    },
    "(a - b) / (c * d)": {
        "a - b": "the division is missing",
        "(a - b) * (c * d)": "you multiplied",
        "c * d / (a - b)": "a − b stands above, c · d below",
        "a - b - c * d": "you subtracted",
        "(a - b) / (c * d - 1)": "unbiased",
        "(a - b) / (c * d) / (c * d)": "divided by c · d twice",
        "(a - b) / (c * d) ** 0.5": "not by its root",
        "(a - b) / c * d": "write / (c · d)",
        "a - b / (c * d)": "the whole numerator a − b",
    },
    "(a + b) ** 2": {
        "a + b": "the square is missing",
        "a + b ** 2": "square all of a + b",
        "(a + b) * 2": "(a + b)²; you took 2 times",
        "abs(a + b)": "not the absolute value",
        "((a + b) ** 2) ** 2": "(a + b)² is squared already",
    },
    "a @ b": {"b @ a": "the order of the product is a @ b"},
    "a // b": {},
    "-a": {"a": "the minus before a is missing"},
    "+a": {},
    "mu": {
        "sigma": "μ belongs where you have σ",
        "mu.square()": "μ is squared",
        "mu.sqrt()": "the root of μ",
        "mu.exp()": "exp() of μ",
        "mu.log()": "the log of μ",
        "2 * mu": "μ is doubled",
        "0.5 * mu": "μ is halved",
        "-mu": "the sign of μ",
        "sigma.mean()": "the mean of σ where μ",
    },
    "x": {},  # no argument
    "3": {
        "6": "3 belongs where you have 6",
        "4": "3 belongs where you have 4",
        "2": "3 belongs where you have 2",
        "-3": "3 belongs where you have -3",
    },
    "0.5": {
        "1.0": "½ belongs where you have 1.0",
        "0.25": "½ belongs where you have 0.25",
        "1.5": "½ belongs where you have 1.5",
        "-0.5": "½ belongs where you have -½",
    },
    "0": {"1": "where you have 1", "-1": "where you have -1"},
    "True": {},
    "None": {},
    "'sum'": {},
}


def edits(code, parent=None):
    """What may stand in place of the code, as code that runs, and the words for it."""
    found = {}
    node = ast.parse(code, mode="eval").body
    for message, values, new in alternatives(node, parent, NAMES):
        expression = ast.fix_missing_locations(ast.Expression(new))
        compile(expression, "<edit>", "eval")
        found[ast.unparse(expression)] = message.format(**values)
    return found


@pytest.mark.parametrize("code", EDITS)
def test_every_edit_of_an_expression_with_its_words(code):
    found = edits(code)
    assert found.keys() == EDITS[code].keys()
    for new, words in EDITS[code].items():
        assert words in found[new]


def test_a_pair_that_is_returned_may_hold_one_number_twice():
    given = ast.parse("def f():\n    return (a, b)").body[0].body[0]
    found = edits("(a, b)", given)
    assert found.keys() == {"(a, a)", "(b, b)"}
    assert all("the first is a, the second b" in words for words in found.values())
    assert edits("(a, b, c)", given) == edits("(a, b)") == {}


def test_a_number_given_by_name_stays():
    assert edits("1", ast.keyword("dim", ast.Constant(1))) == {}
