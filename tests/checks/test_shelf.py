"""Answers that stay in a file: written whole, checked again, never lost."""

import inspect
import linecache

import pytest

from course_utils.checks import choice as choosing
from course_utils.checks import shelf as keeping
from course_utils.checks.shelf import FILE, keep, kept
from course_utils.gaussian import exercises

RIGHT = """
def my_variance(x):
    return power(x - x.mean(), TWO).mean()
"""
NAMES = """
import torch
from math import sqrt
from torch import pow as power

TWO = 2
"""
AGAIN = '''
def my_variance(x):
    """Another way."""
    return x.var(correction=0)
'''


def typed(code, start=NAMES):
    """A function as a notebook defines it, with its source."""
    name = f"<cell {hash(code)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    scope = {"__name__": "__main__"}
    exec(start, scope)
    exec(compile(code, name, "exec"), scope)
    return scope["my_variance"]


@pytest.fixture(autouse=True)
def _nothing_is_accepted():
    before = dict(choosing._accepted)
    choosing._accepted.clear()
    yield
    choosing._accepted.clear()
    choosing._accepted.update(before)


@pytest.fixture
def check():
    return exercises.check_mle_variance


@pytest.fixture
def here(monkeypatch):
    """The check in this interpreter: another one takes seconds to start."""
    monkeypatch.setattr(keeping, "_passes", keeping._function)


def test_kept_and_loaded_in_another_process(check, tmp_path, capsys):
    mine = typed(RIGHT)
    check(mine)
    keep(mine, tmp_path)
    assert capsys.readouterr().out.endswith(" is kept in my_models.py.\n")
    text = (tmp_path / FILE).read_text("utf-8")
    assert "from torch import pow as power" in text
    assert "TWO = 2" in text
    assert "sqrt" not in text  # only what is used
    (name,) = kept(tmp_path)
    assert name == f"gaussian.{check.__self__.solution.__name__}"
    assert capsys.readouterr().out == ""


def test_keeping_again_replaces_and_the_old_version_stays_as_a_comment(
    check, here, tmp_path, capsys
):
    for code in (RIGHT, AGAIN):
        mine = typed(code)
        check(mine)
        keep(mine, tmp_path)
    text = (tmp_path / FILE).read_text("utf-8")
    assert text.count("=== gaussian") == 1
    assert "# before:" in text
    assert "#       return power(x - x.mean(), TWO).mean()" in text
    (function,) = kept(tmp_path).values()
    assert function.__doc__ == "Another way."


def test_an_answer_without_its_check_is_not_kept(tmp_path, capsys):
    keep(typed(RIGHT), tmp_path)
    assert "Not kept: its check comes first" in capsys.readouterr().out
    assert not (tmp_path / FILE).exists()


def test_what_needs_the_notebook_is_not_kept(check, here, tmp_path, capsys):
    start = NAMES + "data = torch.ones(3)\n"
    code = "def my_variance(x):\n    return x.var(correction=0) + 0 * data.sum()\n"
    mine = typed(code, start)
    check(mine)
    capsys.readouterr()
    keep(mine, tmp_path)
    assert (
        "it uses data of the notebook: make it an argument" in capsys.readouterr().out
    )


def test_helpers_of_the_notebook_travel(check, tmp_path, capsys):
    helper = "def squares(x):\n    return x * x\n"
    linecache.cache["<h>"] = (len(helper), None, helper.splitlines(True), "<h>")
    mine = typed("def my_variance(x):\n    return squares(x - x.mean()).mean()\n")
    exec(compile(helper, "<h>", "exec"), mine.__globals__)
    check(mine)
    keep(mine, tmp_path)
    assert "def squares" in (tmp_path / FILE).read_text("utf-8")
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace("return", "retrun"), "SyntaxError"),
        (lambda text: text.replace("TWO = 2", "TWO = 3"), "✗ MLE of the variance"),
        (
            lambda text: text.replace("from torch", "from nowhere"),
            "ModuleNotFoundError",
        ),
        (
            lambda text: text.replace("gaussian.", "nothing."),
            "no exercise has this name",
        ),
    ],
)
def test_a_damaged_entry_is_named_and_skipped(
    check, here, tmp_path, capsys, damage, words
):
    mine = typed(RIGHT)
    check(mine)
    keep(mine, tmp_path)
    path = tmp_path / FILE
    path.write_text(damage(path.read_text("utf-8")), "utf-8")
    capsys.readouterr()
    assert kept(tmp_path) == {}
    line = capsys.readouterr().out
    assert " is skipped: " in line
    assert words in line


def test_no_file_is_no_error(tmp_path):
    assert kept(tmp_path) == {}


def test_the_file_is_ignored_by_git():
    from tools import ROOT

    assert FILE in (ROOT / ".gitignore").read_text("utf-8").split()
    assert inspect.getdoc(keep)


def test_the_tools_and_the_tests_see_no_file(
    check, here, tmp_path, capsys, monkeypatch
):
    mine = typed(RIGHT)
    check(mine)
    keep(mine, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert kept() == {}  # the variable is set for all tests
    monkeypatch.delenv("COURSE_UNTOUCHED")
    assert len(kept()) == 1
