"""The forms: student copies, sheets, notebooks that come alone; what is kept."""

import re

import pytest

from course_utils import __version__
from course_utils.checks.__main__ import exercises
from course_utils.messages import say
from tools import ROOT, code_cells, label, load, markdown_cells, notebook_paths, tags
from tools.forms.__main__ import main, write
from tools.forms.alone import alone
from tools.forms.student import YOURS, answers, student
from tools.forms.wheel import project, wheel_name

PATHS = notebook_paths()
IDS = [path.stem[:2] for path in PATHS]
PREDICT = re.compile(r"^> \*\*Predict", re.MULTILINE)


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_student_finds_no_solution_and_no_answer(path):
    notebook = load(path)
    copy = student(notebook)
    solutions = [c for c in notebook.cells if label(c).endswith("-solution")]
    told = sum(len(answers(c.source)) for c in markdown_cells(notebook))
    assert len(solutions) >= 4 and told >= 3
    assert len(copy.cells) == len(notebook.cells) - len(solutions)
    text = "\n".join(cell.source for cell in copy.cells)
    assert text.count(YOURS) == told and "<summary>Answer" not in text
    assert [c.source for c in code_cells(copy)] == [
        c.source for c in code_cells(notebook)
    ]
    left = [c for c in markdown_cells(copy) if label(c).startswith("exercise-")]
    named = [
        label(c) for c in left if re.search(r"\bsolution", c.source, re.IGNORECASE)
    ]
    assert named == []  # no sentence points to what has gone


def test_an_answer_is_found_with_its_formulas():
    fold = "<details><summary>Answer</summary>\n\n$a$.\n\n</details>"
    assert answers(f"> **Predict.** Which?\n\n{fold}\nOn.") == ["$a$."]


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_the_sheet_holds_what_the_teacher_needs(path):
    sheet = pytest.importorskip("tools.forms.sheet", reason="needs the level site")
    notebook, number = load(path), path.stem[:2]
    page = sheet.sheet(notebook, number)
    live = [c for c in code_cells(notebook) if "live" in tags(c)]
    pictures = [c for c in code_cells(notebook) if "alt" in c.metadata]
    predicts = sum(len(PREDICT.findall(c.source)) for c in markdown_cells(notebook))
    assert page.count('<section class="type">') == len(live)
    assert page.count('<section class="see">') == len(pictures)
    assert page.count('<section class="ask">') == predicts >= 3
    assert page.count('<section class="exercise">') == len(exercises(number))
    for exercise in exercises(number):
        for message in [*exercise.hints, *(m.hint for m in exercise.mistakes)]:
            assert f"<li>{sheet.html.escape(say(message))}</li>" in page
    marked = [c for c in [*live, *pictures] if "core" in tags(c)]
    assert page.count('<span class="path">') >= len(marked) >= 5
    sections = re.findall(
        r"^## \d+\. ", "\n".join(c.source for c in notebook.cells), re.M
    )
    assert page.count('<span class="minutes">') == len(sections)
    assert not re.search(r"\$[^<]*\$", re.sub(r"<pre>.*?</pre>", "", page, flags=re.S))


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_notebook_alone_says_what_it_adds_before_it_needs_it(path):
    notebook = load(path)
    copy = alone(notebook, "https://example.org/files")
    first, second = code_cells(copy)[:2]
    assert label(first) == "came-alone" and "setup" in tags(second)
    compile(first.source, "came-alone", "exec")
    assert len(first.source.splitlines()) <= 25
    assert f'FROM = "{wheel_name()}", "https://example.org/files/"' in first.source
    needed = [re.split("[><=]", text)[0] for text in project()["dependencies"]]
    assert f'NEEDED = "{" ".join(needed)}"' in first.source
    assert not any(".ipynb)" in cell.source for cell in copy.cells)
    assert [c.source for c in code_cells(copy)][1:] == [
        c.source for c in code_cells(notebook)
    ]


def test_what_somebody_has_changed_is_never_overwritten(tmp_path, capsys):
    path = tmp_path / "02.ipynb"
    assert write(path, "one") == path
    assert write(path, "two") == path  # an update of what nobody has touched
    path.write_text("two and mine")
    fresh = write(path, "three")
    assert fresh.name == "02.new.ipynb" and fresh.read_text() == "three"
    assert path.read_text() == "two and mine"
    assert "was changed and stays" in capsys.readouterr().out


def test_a_form_that_does_not_exist_is_named(capsys):
    assert main(["teacher"]) == 2
    assert "'teacher'" in capsys.readouterr().out


def test_one_number_is_the_version():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    newest = re.search(r"^## (\d\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert cited[1] == newest[1] == __version__
