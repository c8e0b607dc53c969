"""The teacher's sheet: every exercise with its hints and its mistakes."""

import subprocess
import sys

import pytest

from course_utils.checks.__main__ import ROOMS, exercises, sheet


@pytest.mark.parametrize("number", ROOMS)
def test_the_sheet_of_a_notebook_has_all_that_its_checks_say(number):
    every = exercises(number)
    assert len(every) >= 4
    for exercise in every:
        text = "\n".join(sheet(exercise, made=True))
        for hint in exercise.hints:
            assert hint in text
        for mistake in exercise.mistakes:
            assert mistake.hint in text
        assert "more are made from the solution" in text


def test_the_command():
    command = [sys.executable, "-m", "course_utils.checks", "05"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "best discriminator" in done.stdout
    refused = subprocess.run([*command[:-1], "99"], capture_output=True, text=True)
    assert "invalid choice: '99'" in refused.stderr
