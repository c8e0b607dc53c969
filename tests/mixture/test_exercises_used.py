"""What a reader has written in notebook 02 is what its later cells run."""

import re

import pytest
from matplotlib import pyplot as plt

import course_utils.data as shipped
from course_utils.checks import choice
from course_utils.mixture import exercises
from tests.reader import Reader, nothing_accepted

READER = Reader("02")
CELLS, SOLUTIONS = READER.cells, READER.solutions
ORDER = [*CELLS]  # up to the film, without the sliders
NEEDED = [
    name
    for name in ORDER[1 : ORDER.index("em-package") + 1]
    if not re.search(r"\b(explore|play)\(", CELLS[name])
]
NAMES = ("sample", "e_step_1d", "averages")


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    monkeypatch.setattr(choice, "SLOWER", 1000)  # a busy machine: no answer is slow
    yield from nothing_accepted(monkeypatch, exercises)


def run(cells, scope, typed=()):
    """What the cells print, after the set-up."""
    return READER.run(["setup", *cells], scope, typed)


def fresh():
    return {"__name__": "__main__"}


@pytest.fixture(scope="module")
def untouched():
    scope = fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        scope["printed"] = run(NEEDED, scope)
    return scope


def test_untouched_stubs_run_ours(untouched):
    assert untouched["printed"].count("ours: the exercise is open") == len(NAMES)
    assert not any(untouched[name].theirs for name in NAMES)


def test_all_solutions_typed_in(untouched):
    scope = fresh()
    printed = run(NEEDED, scope, SOLUTIONS)
    assert printed.count("yours, checked") == len(NAMES)
    assert "Ours goes on" not in printed
    assert all(scope[name].theirs for name in NAMES)
    assert all(scope[name].calls for name in NAMES)
    for name in ("drawn", "made_up", "log_likelihood"):
        ours, theirs = untouched[name], scope[name]
        assert (ours - theirs).abs().max() < 1e-9


def test_galton_by_the_steps_of_the_reader(untouched, monkeypatch):
    height, female = shipped.load_galton_heights()
    scope = {**untouched, "height": height, "female": female}
    typed = run(["galton", "galton-ceiling"], scope)
    assert "right for 83%" in typed
    calls = []

    def mine(x, r, old_means):
        calls.append(1)
        return exercises.m_step(x, r, old_means)

    monkeypatch.setitem(untouched, "averages", mine)  # where em_1d looks it up
    assert run(["galton"], scope) in typed
    assert len(calls) == 500


def test_the_digits_by_the_step_of_the_reader():
    cells = ["exercise-bernoulli", "exercise-bernoulli-check", "digits"]
    scopes = fresh(), fresh()
    assert "ours: the exercise is open" in run(cells, scopes[0])
    printed = run(cells, scopes[1], SOLUTIONS)
    assert "bernoulli_em_step: yours, checked" in printed
    assert scopes[1]["step"].calls == 40
    assert (scopes[0]["probs"] - scopes[1]["probs"]).abs().max() < 1e-9


FAILS_LATER = """
calls = []

def my_m_step(x, r, old_means):
    calls.append(1)
    made = exercises.m_step(x, r, old_means)
    return made if x.shape[1] == old_means.shape[1] and {fine} else {fault}
"""


@pytest.mark.parametrize(
    ("fine", "fault", "why"),
    [
        ("len(x) != 272 or len(calls) % 7", "x @ x", "it stopped with RuntimeError"),
        ("len(x) != 272", "(made[0], 0 * made[1], made[2])", "other numbers than ours"),
        (
            "len(x) != 272 or len(calls) % 7",
            "(made[0], made[1] / 0 * 0, made[2])",
            "NaN or infinity",
        ),
    ],
)
def test_an_answer_that_fails_later(fine, fault, why, untouched):
    typed = {"exercise-m-step": FAILS_LATER.format(fine=fine, fault=fault)}
    scope = fresh()
    printed = run(NEEDED, scope, typed)
    assert "m_step: yours, checked" in printed
    assert why in printed
    assert printed.count("Ours goes on.") == 1
    difference = scope["log_likelihood"] - untouched["log_likelihood"]
    assert difference.abs().max() < 1e-9


def test_an_edit_opens_the_exercise_until_its_check_runs(untouched):
    scope = dict(untouched)
    stub, check, use = "exercise-sample", "exercise-sample-check", "sample-use"
    assert "yours, checked" in run([stub, check, use], scope, SOLUTIONS)
    assert "the exercise is open" in run([stub, use], scope, SOLUTIONS)
    assert "yours, checked" in run([check, use], scope)
