"""One entry of the shelf, checked by the command that a fresh interpreter runs."""

import io
import sys

import pytest

from course_utils.checks import choice as choosing
from course_utils.checks import shelf
from course_utils.checks.choice import name_of
from course_utils.checks.exercise import exercise_of
from course_utils.gaussian.exercises import check_mle_variance
from tests.checks.test_shelf import AGAIN

NAME = name_of(exercise_of(check_mle_variance).solution)


@pytest.fixture(autouse=True)
def _accepted_answers_stay(monkeypatch):
    monkeypatch.setattr(choosing, "_accepted", {})


@pytest.fixture
def command(monkeypatch, capsys):
    """The command's status and what it prints, for a name and an entry."""

    def run(name, entry):
        stdin = io.TextIOWrapper(io.BytesIO(entry.encode()))
        monkeypatch.setattr(sys, "argv", ["shelf", name])
        monkeypatch.setattr(sys, "stdin", stdin)
        return shelf.main(), capsys.readouterr().out

    return run


def test_a_right_answer_passes_in_silence(command):
    assert command(NAME, AGAIN) == (0, "")


@pytest.mark.parametrize(
    ("name", "entry", "words"),
    [
        (NAME, "def my_variance(x):\n    return x.var()\n", "✗ "),
        (NAME, "1 / 0\n", "ZeroDivisionError: division by zero"),
        (NAME, "x = 1\n", "it holds no function"),
        (NAME, "def my_variance(:\n", "SyntaxError"),
        ("gaussian.nothing", AGAIN, "no exercise has this name"),
        ("nowhere.mle_variance", AGAIN, "no exercise has this name"),
        ("", AGAIN, "no exercise has this name"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(command, name, entry, words):
    status, said = command(name, entry)
    assert status == 1
    assert said.startswith(words)
