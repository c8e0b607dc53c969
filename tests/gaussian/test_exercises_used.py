"""What a reader has written in notebook 01 is what its later cells run."""

import contextlib
import io
import re

import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt

from course_utils.checks import exercise
from course_utils.checks.choice import accept
from course_utils.gaussian import exercises
from tests.performing import _torch_left_alone, run_source
from tools import code_cells, fenced_python, label, load, notebook_paths

(PATH,) = notebook_paths(["01"])
NOTEBOOK = load(PATH)
CELLS = {label(cell): cell.source for cell in code_cells(NOTEBOOK)}
SOLUTIONS = {
    label(cell).removesuffix("-solution"): "\n".join(fenced_python(cell.source))
    for cell in NOTEBOOK.cells
    if label(cell).endswith("-solution")
}
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
    monkeypatch.setattr(exercise, "_given", exercise.Counter())
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    yield
    for name in ("log_likelihood", "mle_variance", "kl_gaussians", "laplace_mle"):
        accept(getattr(exercises, name), None)


def run(cells, typed=(), scope=None):
    """Run cells, with ``typed`` sources in place of theirs: names, what they print."""
    scope = {"__name__": "__main__"} if scope is None else scope
    printed, typed = io.StringIO(), dict(typed)
    with (
        contextlib.redirect_stdout(printed),
        _torch_left_alone(),
        matplotlib.rc_context(),
    ):
        matplotlib.use("Agg")
        torch.set_default_dtype(torch.float64)
        for name in cells:
            run_source(typed.get(name, CELLS[name]), scope, f"<{name}>")
    return scope, printed.getvalue()


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
