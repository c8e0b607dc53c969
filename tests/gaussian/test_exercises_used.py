"""What a reader has written in notebook 01 is what its later cells run."""

import re

import pytest

from course_utils.checks import choice
from course_utils.gaussian import exercises
from tests.reader import Reader, nothing_accepted

READER = Reader("01")
CELLS, SOLUTIONS = READER.cells, READER.solutions
ORDER = [*CELLS]
PARTS = ("heights", "curvature-verify"), ("exercise-kl", "kl-properties")
PARTS += (("exercise-laplace", "laplace-verify"),)
NEEDED = ["setup"] + [
    name
    for first, end in PARTS
    for name in ORDER[ORDER.index(first) : ORDER.index(end) + 1]
    if "explore(" not in CELLS[name]
]
NAMES = ("log_likelihood", "variance", "kl", "laplace")


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    monkeypatch.setattr(choice, "SLOWER", 1000)  # a busy machine: no answer is slow
    yield from nothing_accepted(monkeypatch, exercises)


def run(cells, typed=(), scope=None):
    """Names, and what the cells print."""
    scope = {} if scope is None else scope
    return scope, READER.run(cells, scope, typed)


def test_untouched_stubs_and_solutions_give_the_same():
    ours, untouched = run(NEEDED)
    theirs, printed = run(NEEDED, SOLUTIONS)
    assert untouched.count("ours: the exercise is open") == len(NAMES)
    assert printed.count("yours, checked") == len(NAMES)
    assert "Ours goes on" not in printed
    assert not any(ours[name].theirs for name in NAMES)
    assert all(theirs[name].theirs for name in NAMES)
    assert all(theirs[name].calls for name in NAMES)
    for name in ("values", "closed", "variance_star", "bend"):
        assert (ours[name] - theirs[name]).abs().max() < 1e-9


FLOATS = {
    "exercise-variance": "def my_variance(x):\n    return float(x.var(correction=0))",
    "exercise-kl": """
import math

def my_kl(a, s, b, t):
    return math.log(t / s) + (float(s) ** 2 + float(a - b) ** 2) / (2 * t**2) - 0.5
""",
    "exercise-laplace": """
def my_laplace(x):
    middle = sorted(x.tolist())[len(x) // 2]
    return middle, float((x - middle).abs().mean())
""",
}


def test_answers_that_are_floats_are_used():
    scope, printed = run(NEEDED, FLOATS)
    assert printed.count("yours, checked") == 3
    assert "Ours goes on" not in printed
    assert all(scope[name].theirs for name in NAMES[1:])


LATER = """
calls = []

def my_log_likelihood(x, mu, sigma):
    calls.append(1)
    made = torch.distributions.Normal(mu, sigma).log_prob(x).sum()
    return made if len(x) != 10 or len(calls) % 40 else {fault}
"""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("made[3]", "it stopped with IndexError"),
        ("made / 0 * 0", "it gave NaN or infinity"),
        ("made.detach()", "no gradient flows through it"),
    ],
)
def test_an_answer_that_fails_later(fault, why):
    cells = NEEDED[: NEEDED.index("ascent-figure") + 1]
    scope, printed = run(cells, {"exercise-loglik": LATER.format(fault=fault)})
    assert "log_likelihood: yours, checked" in printed
    assert re.search(rf"at call \d+ of your function {why}", printed)
    assert printed.count("Ours goes on.") == 1
    assert "✓ gradient ascent ends at the formula" in printed
    assert not scope["log_likelihood"].theirs


def test_an_edit_opens_the_exercise_until_its_check_runs():
    cells = ["exercise-kl", "exercise-kl-check", "kl-quadrature"]
    scope, printed = run(["setup", *cells], SOLUTIONS)
    assert "yours, checked" in printed
    assert "is open" in run([cells[0], cells[2]], SOLUTIONS, scope)[1]
    assert "yours, checked" in run(cells[1:], (), scope)[1]


def test_a_right_number_without_a_gradient_is_right_and_ours_climbs():
    number = "return torch.distributions.Normal(mu, sigma).log_prob(x).sum().item()"
    answer = f"def my_log_likelihood(x, mu, sigma):\n    {number}\n"
    cells = NEEDED[: NEEDED.index("ascent-figure") + 1]
    scope, printed = run(cells, {"exercise-loglik": answer})
    assert "log_likelihood: yours, checked" in printed
    assert printed.count("Ours goes on.") == 1
    assert "✓ gradient ascent ends at the formula" in printed
    assert not scope["log_likelihood"].theirs
