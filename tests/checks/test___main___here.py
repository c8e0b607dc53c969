"""The teacher's sheet by its command, in this process."""

import sys

import pytest

from course_utils import messages
from course_utils.checks import __main__ as command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "best discriminator"),
        (["--made"], "  + "),
        (["--language", "vi", "--made"], "mẫu thật"),
    ],
)
def test_the_command_prints_the_sheet_in_a_language(
    monkeypatch, capsys, options, words
):
    monkeypatch.setattr(sys, "argv", ["checks", "05", *options])
    try:
        command.main()
    finally:
        messages.use("en")
    said = capsys.readouterr().out
    assert words in said
    assert ("  + " in said) == ("--made" in options)
