"""Mistakes made from a solution's source: complete, runnable, and without a trace."""

import inspect

import pytest
import torch

from course_utils.checks.slips import slips
from tests.checks.cases import mean, spread


def kl(mu, logvar):
    """A formula with all that formulas have."""
    squares = (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)
    return 0.5 * squares


def loop(x, k):
    """Half of it, k times."""
    for _ in range(k):
        x = x - 0.5 * x
    return x


def said(solution, depth=1):
    return {slip.message.format(**slip.values) for slip in slips(solution, depth)}


@pytest.mark.parametrize(
    "words",
    [
        "the term μ² is missing",
        "μ must be squared: the square is missing",
        "exp is missing: take exp() of log σ²",
        "1 is missing: it must be subtracted",
        "the factor ½ is missing: multiply squares by it",
        "you took the mean of μ² + exp(log σ²) − 1 − log σ²: add them up, do not "
        "divide (sum)",
        "wrong axis: sum goes over dim=1, not over dim=0",
        "sum goes over dim=1 only: you took everything at once",
        "log σ² belongs where you have μ",
    ],
)
def test_the_usual_slips_are_there(words):
    assert any(words.split(":")[0] in line for line in said(kl)), sorted(said(kl))


@pytest.mark.parametrize(
    "words",
    ["one step too many", "one step too few", "`return` stands inside the loop"],
)
def test_slips_of_loops(words):
    assert any(words in line for line in said(loop))


def test_exchanged_arguments_of_the_whole_function():
    x, centre, scale = torch.arange(5.0), torch.tensor(0.3), torch.tensor(2.0)
    slip = next(
        s
        for s in slips(spread)
        if "centre and scale have" in s.message.format(**s.values)
    )
    assert slip.wrong(x, centre, scale)[0] == spread(x, scale, centre)[0]


def test_two_slips_at_once():
    assert len(list(slips(kl, 2))) > 100


@pytest.mark.parametrize("solution", [kl, loop, mean, spread])
def test_the_solution_itself_is_not_touched(solution):
    before = inspect.getsource(solution), solution.__code__.co_code
    list(slips(solution))
    assert (inspect.getsource(solution), solution.__code__.co_code) == before


def test_only_functions_by_def():
    with pytest.raises(TypeError, match="must be a function by def"):
        list(slips(LAMBDA))


LAMBDA = lambda x: x + 1  # noqa: E731
