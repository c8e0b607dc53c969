"""What may stand in place of a call: all of it, and the words for each."""

import ast

import pytest

from course_utils.checks.calls import of_call

EDITS = {
    "x.log()": {
        "x": "log is missing: take log() of x",
        "x.log().log()": "taken twice",
        "x.log2()": "not log2 (bits)",
        "x.log10()": "not log10 (bits)",
    },
    "torch.log(x)": {
        "x": "log is missing: take log() of x",
        "torch.log(torch.log(x))": "taken twice",
        "torch.log2(x)": "not log2 (bits)",
        "torch.log10(x)": "not log10 (bits)",
    },
    "log(x)": {
        "x": "log is missing",
        "log(log(x))": "taken twice",
        "log2(x)": "not log2",
        "log10(x)": "not log10",
    },
    "torch.log(2)": {"2": "log is missing", "torch.log(torch.log(2))": "taken twice"},
    "x.square()": {
        "x": "take square() of x",
        "x.square().square()": "taken twice",
        "x.abs()": "the square, not the absolute value, of x",
    },
    "torch.abs(x)": {
        "x": "take abs() of x",
        "torch.abs(torch.abs(x))": "taken twice",
        "torch.square(x)": "the absolute value, not the square, of x",
    },
    "x.sum(-1)": {
        "x": "sum over x is missing",
        "x.mean(-1)": "you took the mean of x",
        "x.sum(0)": "over dim=-1, not over dim=0",
        "x.sum(1)": "over dim=-1, not over dim=1",
        "x.sum(2)": "over dim=-1, not over dim=2",
        "x.sum()": "over dim=-1 only",
    },
    "torch.mean(x, dim=0, keepdim=True)": {
        "x": "mean over x is missing",
        "torch.sum(x, dim=0, keepdim=True)": "you added up x",
        "torch.median(x)": "not the median, of x",
        "torch.mean(x, dim=1, keepdim=True)": "over dim=0, not over dim=1",
        "torch.mean(x, dim=2, keepdim=True)": "over dim=0, not over dim=2",
        "torch.mean(x)": "over dim=0 only",
    },
    "(x ** 2).mean()": {
        "x ** 2": "mean over x² is missing",
        "x.mean() ** 2": "take the power of each first, then the mean",
        "(x ** 2).sum()": "you added up x²",
        "(x ** 2).median()": "not the median, of x²",
    },
    "torch.log(x).sum(1)": {
        "torch.log(x)": "sum over log(x) is missing",
        "torch.log(x.sum(1))": "log() of each comes first, then the sum",
        "torch.log(x).mean(1)": "you took the mean of log(x)",
        "torch.log(x).sum(0)": "over dim=1, not over dim=0",
        "torch.log(x).sum(2)": "over dim=1, not over dim=2",
        "torch.log(x).sum()": "over dim=1 only",
    },
    "torch.sum(x.exp(), dim=1)": {
        "x.exp()": "sum over exp(x) is missing",
        "torch.sum(x, dim=1).exp()": "exp() of each comes first, then the sum",
        "torch.mean(x.exp(), dim=1)": "you took the mean of exp(x)",
        "torch.sum(x.exp(), dim=0)": "over dim=1, not over dim=0",
        "torch.sum(x.exp(), dim=2)": "over dim=1, not over dim=2",
        "torch.sum(x.exp())": "over dim=1 only",
    },
    "x.foo().sum()": {  # foo is no mathematics: nothing to exchange
        "x.foo()": "sum over foo(x) is missing",
        "x.foo().mean()": "you took the mean of foo(x)",
    },
    "x.median()": {
        "x": "median over x is missing",
        "x.mean()": "take the median, not the mean, of x",
    },
    "x.var(unbiased=False)": {"x": "var over x is missing"},
    "f(a, b)": {"f(b, a)": "the arguments of f are exchanged"},
    "torch.f(b, c)": {"torch.f(c, b)": "the arguments of f are exchanged"},
    "f()": {},
    "a.f(b, c)": {},
    "f(a, b, c)": {},
    "range(k)": {
        "range(k + 1)": "one step too many: there are k",
        "range(k - 1)": "one step too few: there are k",
        "range(1)": "only one step is taken: there are k",
        "range(0)": "no step is taken: there are k",
        "range(1, k)": "the first one is left out",
        "range(2 * k)": "twice as many steps as asked: there are k",
    },
    "range(3, k)": {
        "range(3, k + 1)": "one step too many: there are k",
        "range(3, k - 1)": "one step too few: there are k",
        "range(3, 1)": "only one step is taken: there are k",
        "range(3, 0)": "no step is taken: there are k",
        "range(1, k)": "the first one is left out",
        "range(3, 2 * k)": "twice as many steps as asked: there are k",
    },
}


def edits(code):
    """What may stand in place of the code, as code that runs, and the words for it."""
    found = {}
    for message, values, new in of_call(ast.parse(code, mode="eval").body):
        expression = ast.fix_missing_locations(ast.Expression(new))
        compile(expression, "<edit>", "eval")
        found[ast.unparse(expression)] = message.format(**values)
    return found


@pytest.mark.parametrize("code", EDITS)
def test_every_edit_of_a_call_with_its_words(code):
    found = edits(code)
    assert found.keys() == EDITS[code].keys()
    for new, words in EDITS[code].items():
        assert words in found[new]
