"""The notebooks as files: what nbval does not look at.

Each rule yields one line per fault; the line names the cell.
"""

import ast
import base64
import io
import json
import re
import statistics
import tokenize
import unicodedata

import pytest

from tests.performing import exercises, report
from tools import (
    CELL_NAME,
    code_cells,
    fenced_python,
    label,
    markdown_cells,
    notebook_paths,
    tags,
)
from tools.normalise import WIDGET_VIEW, clean, dumps
from tools.slide_map import read_claims

MAX_BYTES = 2_000_000
MIN_EXERCISES = 4
MAX_TYPED_LINES = 12
TOOL_TAGS = {"live", "exercise", "check", "trains", "setup", "nbval-ignore-output"}
TOOL_TAGS |= {"core", "checkpoint"}
FORBIDDEN = {
    r"\bpip\b|\bconda\b": "installs nothing: that is the work of course.py",
    r"\bsys\.path\b": "needs no path: course_utils is installed",
    r"\bwarnings\.\w+": "hides no warning: mend its cause",
    r"\bclear_output\b|\bupdate_display\b": "uses explore or play instead",
    r"\binteract\w*\(|\bOutput\(": "uses explore or play instead",
    r"\btqdm\b": "uses progress of course_utils.training",
    r"\bnum_workers\b|\bDataLoader\b": "uses minibatches: workers fail on Windows",
    r"\bkl_div\b": "F.kl_div has reversed arguments and another mean",
    r"^\s*from .* import \*": "names what it imports",
    r"https?:": "downloads nothing",
    r"""["'](/(home|root|tmp|usr|mnt|work|Users|content)\b|~/|[A-Za-z]:[\\/])""": (
        "knows no absolute path"
    ),
}


def test_there_is_a_notebook():
    assert notebook_paths()


def test_size_and_normal_form(notebook_path, notebook):
    written = notebook_path.read_bytes()
    assert len(written) <= MAX_BYTES, f"{notebook_path.stem} has {len(written)} bytes"
    same = dumps(clean(notebook)).encode() == written
    assert same, f"{notebook_path.stem}: run `python -m tools.notebooks clean`"


def metadata_is_bare(notebook):
    if "widgets" in notebook.metadata:
        yield "metadata.widgets: GitHub would show nothing of this notebook"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel must be called python3"
    for cell in notebook.cells:
        extra = set(cell.metadata) - {"name", "tags", "alt"}
        if extra:
            yield f"{label(cell)}: metadata {sorted(extra)} (times, states) is left"


def cells_are_named(notebook):
    names = [cell.metadata.get("name", "") for cell in notebook.cells]
    known = TOOL_TAGS | {claim["id"] for claim in read_claims()}
    for cell, name in zip(notebook.cells, names, strict=True):
        if not CELL_NAME.fullmatch(name) or names.count(name) > 1:
            yield f"{label(cell)}: needs a name of its own, in words"
        if cell.id != name:
            yield f"{label(cell)}: its id is {cell.id}"
        for tag in set(tags(cell)) - known:
            yield f"{label(cell)}: unknown tag {tag}"


def text_is_composed(notebook):
    for cell in notebook.cells:
        if not unicodedata.is_normalized("NFC", json.dumps(cell, ensure_ascii=False)):
            yield f"{label(cell)}: is not NFC"


def cells_have_run_in_order(notebook):
    for count, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != count:
            yield f"{label(cell)}: has count {cell.execution_count}, not {count}"


def outputs_are_clean(notebook):
    leaks = r"\bat 0x|/home/|/Users/|/tmp/|/root/|[A-Z]:\\|\b\d\d:\d\d:\d\d|it/s\b"
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{label(cell)}: ends in an error"
            if output.get("name") == "stderr":
                yield f"{label(cell)}: writes to stderr: {output.text[:60]!r}"
            data = output.get("data", {})
            if WIDGET_VIEW in data:
                yield f"{label(cell)}: holds a widget that no reader can see"
            for text in (output.get("text", ""), data.get("text/plain", "")):
                if long := re.search(r"\d\.\d{7,}", text):
                    yield f"{label(cell)}: prints {long[0]}, whose last digits differ"
                if leak := re.search(leaks, text):
                    yield f"{label(cell)}: prints {leak[0]!r}, which is never the same"


def cells_are_short(notebook):
    lengths = []
    for cell in code_cells(notebook):
        lines = cell.source.splitlines()
        lengths.append(len(lines))
        if len(lines) > 25:
            yield f"{label(cell)}: has {len(lines)} lines, at most 25"
        for line in lines:
            if len(line) > 88:
                yield f"{label(cell)}: a line has {len(line)} characters, at most 88"
    if statistics.median(lengths) > 8:
        yield f"the median code cell has {statistics.median(lengths)} lines, at most 8"


def code_is_plain(notebook):
    for cell in code_cells(notebook):
        for pattern, rule in FORBIDDEN.items():
            if found := re.search(pattern, cell.source, re.MULTILINE):
                yield f"{label(cell)}: {found[0].strip()!r}: a notebook {rule}"
        try:
            ast.parse(cell.source)
        except SyntaxError:
            yield f"{label(cell)}: is not plain Python (a magic?)"
            continue
        tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
        if any(token.string == ";" for token in tokens):
            yield f"{label(cell)}: a semicolon (nbval does not know what it hides)"


def setup_comes_first(notebook):
    where = [i for i, c in enumerate(code_cells(notebook)) if "setup" in tags(c)]
    if where != [0]:
        yield f"the first code cell and no other is tagged setup (found {where})"


def training_is_tagged(notebook):
    for cell in code_cells(notebook):
        trains, ignored = "trains" in tags(cell), "nbval-ignore-output" in tags(cell)
        if trains != ignored:
            yield f"{label(cell)}: trains and nbval-ignore-output go together"
        if "progress(" in cell.source and not trains:
            yield f"{label(cell)}: shows a progress bar, so it is tagged trains"


def typed_cells_are_short(notebook):
    for cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        if {"live", "checkpoint"} & set(tags(cell)) and lines > MAX_TYPED_LINES:
            yield f"{label(cell)}: {lines} lines to type, at most {MAX_TYPED_LINES}"


def _following(notebook, index):
    """The next Markdown text; empty where code follows or the notebook ends."""
    rest = notebook.cells[index + 1 :]
    return rest[0].source if rest and rest[0].cell_type == "markdown" else ""


def pictures_are_explained(notebook):
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        pictured = any("image/png" in out.get("data", {}) for out in cell.outputs)
        if pictured and not _following(notebook, index).strip():
            yield f"{label(cell)}: no Markdown cell says what its picture shows"


def pictures_are_described(notebook):
    """For those who cannot see them: each has an alternative text of its own."""
    seen = {}
    for cell in code_cells(notebook):
        pictures = [out for out in cell.outputs if "image/png" in out.get("data", {})]
        alt = cell.metadata.get("alt", "")
        if not pictures:
            if alt:
                yield f"{label(cell)}: has an alternative text, but no picture"
            continue
        if not 10 <= len(alt.split()) <= 90:
            yield f"{label(cell)}: its alternative text has {len(alt.split())} words"
        if alt and alt in seen:
            yield f"{label(cell)}: has the alternative text of {seen[alt]}"
        seen[alt] = label(cell)
        for output in pictures:
            if output.metadata.get("image/png", {}).get("alt") != alt:
                yield f"{label(cell)}: run `python -m tools.notebooks clean`"


def sliders_are_predicted(notebook):
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not re.search(r"\bexplore\(", cell.source):
            continue
        before = notebook.cells[index - 1].source if index else ""
        if "Predict" not in before:
            yield f"{label(cell)}: the cell before must be Markdown with a *Predict*"
        if "<details>" not in before + _following(notebook, index):
            yield f"{label(cell)}: the answer to its *Predict* is not folded nearby"


def exercises_are_complete(notebook):
    found = list(exercises(notebook))
    if len(found) < MIN_EXERCISES:
        yield f"has {len(found)} exercises, at least {MIN_EXERCISES}"
    for stub, check, solution in found:
        if check is None or "check" not in tags(check):
            yield f"{label(stub)}: the next cell must be tagged check"
            continue
        printed = "".join(output.get("text", "") for output in check.outputs)
        if not (printed.startswith("○") and "not attempted" in printed):
            yield f"{label(check)}: the untouched stub must read as not attempted"
        if solution is None or not label(solution).endswith("-solution"):
            yield f"{label(check)}: a Markdown cell called …-solution must follow"
        elif "<details>" not in solution.source or not fenced_python(solution.source):
            yield f"{label(solution)}: needs <details> with a ```python block"


def pictures_are_sharp(notebook):
    """Static ones have twice the pixels of their width on the page."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data and "LiveFigure" not in data.get("text/plain", ""):
                width = output.metadata.get("image/png", {}).get("width", 0)
                header = base64.b64decode(data["image/png"][:64])
                pixels = int.from_bytes(header[16:20], "big")  # of the PNG's IHDR
                if abs(pixels - 2 * width) > 1:
                    yield f"{label(cell)}: {pixels} pixels for a width of {width}"


RULES = [
    metadata_is_bare,
    cells_are_named,
    text_is_composed,
    cells_have_run_in_order,
    outputs_are_clean,
    cells_are_short,
    typed_cells_are_short,
    code_is_plain,
    setup_comes_first,
    training_is_tagged,
    pictures_are_explained,
    pictures_are_sharp,
    pictures_are_described,
    sliders_are_predicted,
    exercises_are_complete,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule, notebook_path, notebook):
    report(notebook_path, rule(notebook))


def test_every_solution_belongs_to_an_exercise(notebook):
    named = {label(c) for c in markdown_cells(notebook) if label(c)[-9:] == "-solution"}
    assert named == {label(s) for _, _, s in exercises(notebook) if s is not None}
