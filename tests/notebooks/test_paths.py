"""The 90-minute path of each notebook: listed at its top, and closed in itself."""

import re

import pytest

from tests.performing import report
from tools import code_cells, label, tags
from tools.notebooks import execute
from tools.paths import core, missing

HEADING = "The 90-minute path"


def path_is_listed(notebook):
    lists = [c for c in notebook.cells[:4] if HEADING in c.source]
    if len(lists) != 1:
        yield f"{len(lists)} of the first four cells hold {HEADING!r}"
        return
    listed = lists[0].source.split(HEADING)[1]
    minutes = sum(map(int, re.findall(r"\b(\d+) min", listed)))
    if not 75 <= minutes <= 90:
        yield f"{label(lists[0])}: the minutes of the path sum to {minutes}"


def path_is_marked(notebook):
    marked = [cell for cell in code_cells(notebook) if "core" in tags(cell)]
    share = len(marked) / len(code_cells(notebook))
    if not 0.25 <= share <= 0.75:
        yield f"{share:.0%} of the code cells are on the path"
    if not any("exercise" in tags(cell) for cell in marked):
        yield "no exercise is on the path"
    for cell in code_cells(notebook):
        if "checkpoint" in tags(cell):
            if "core" not in tags(cell):
                yield f"{label(cell)}: a checkpoint is on the path: tag it core"
            if not cell.source.startswith("# checkpoint"):
                yield f"{label(cell)}: a checkpoint says so in its first line"


def path_is_closed(notebook):
    yield from missing(notebook)


@pytest.mark.parametrize(
    "rule", [path_is_listed, path_is_marked, path_is_closed], ids=lambda r: r.__name__
)
def test_rule(rule, notebook_path, notebook):
    report(notebook_path, rule(notebook))


@pytest.mark.slow
def test_the_path_runs_alone(notebook_path, notebook):
    execute(core(notebook), f"the path of {notebook_path.stem}", notebook_path.parent)
