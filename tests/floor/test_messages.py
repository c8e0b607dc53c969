"""Messages in the language of the reader: English, or Vietnamese where it is there."""

import os
import subprocess
import sys

import pytest

from course_utils import messages
from course_utils.checks.__main__ import ROOMS, exercises
from course_utils.messages import say
from course_utils.training import setup
from tests.checks.cases import MEAN


@pytest.fixture(autouse=True)
def _english_afterwards():
    yield
    messages.use("en")


def test_english_needs_no_table():
    messages.use("en")
    assert say("correct") == "correct"
    assert say("{n} values", n=3) == "3 values"
    assert say("a brace { alone") == "a brace { alone"


def test_vietnamese_where_there_is_a_translation():
    messages.use("vi")
    assert say("correct") == "đúng"
    assert say("nobody has ever said this, {n} times", n=2).startswith("nobody")
    assert "hint=True" in MEAN.verdict(lambda x: None)
    assert MEAN.verdict(lambda x: x.mean()) == "✓ mean: đúng."


def test_setup_chooses_the_language():
    setup(language="vi")
    assert say("correct") == "đúng"
    setup()
    assert say("correct") == "correct"


def test_another_language_is_refused_by_name():
    with pytest.raises(ValueError, match="language must be 'en' or 'vi', got 'fr'"):
        setup(language="fr")


SCRIPT = """
from course_utils import training, verification
from course_utils.gaussian import exercises
training.setup(language="vi")
verification.verify("σ² ≥ 0", 1.0, 0.0, relation=">=")
exercises.check_mle_variance(lambda x: None)
exercises.check_mle_variance(lambda x: x.mean())
"""


SLOW = [pytest.param(letters, marks=pytest.mark.slow) for letters in ("ascii", "utf-8")]


@pytest.mark.parametrize("letters", ["cp1252", *SLOW])
def test_a_script_speaks_where_letters_are_missing(letters):
    """Its output goes into a file on Windows, say."""
    settings = os.environ | {"PYTHONIOENCODING": letters}
    for call in (["-c", SCRIPT], ["-m", "course_utils.checks", "01"]):
        run = [sys.executable, *call]
        done = subprocess.run(run, capture_output=True, env=settings)
        assert done.returncode == 0, done.stderr
        said = done.stdout.decode(letters)
        assert ("✓" in said or "✗" in said) == (letters == "utf-8")
        assert ("\\u27" in said) == (letters != "utf-8")


def test_every_exercise_speaks_vietnamese():
    """The hints of the exercises are translated, not only the machinery."""
    every = [each for number in ROOMS for each in exercises(number)]
    assert len(every) >= 33
    messages.use("vi")
    for exercise in every:
        words = [hint for hint in exercise.hints if say(hint) != hint]
        assert len(words) >= 2, exercise.name  # a hint may be a formula alone
