"""The live copy: typed back, it gives the notebook; and who is late can join."""

import textwrap

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools import code_cells, label, load, notebook_paths, tags
from tools.forms.live import live, typed
from tools.forms.slices import before, statements, wanted
from tools.notebooks import execute
from tools.paths import bound, needed

PATHS = notebook_paths()
IDS = [path.stem[:2] for path in PATHS]


def cell(source, *its_tags):
    return new_code_cell(source, metadata={"tags": [*its_tags]})


@pytest.mark.parametrize(
    ("sources", "names", "kept"),
    [
        (["a = 1", "b = 2", "c = a"], "c", ["a = 1", "c = a"]),
        (["a = 1", "a = 2"], "a", ["a = 2"]),
        (["a = 1", "a = a + 1"], "a", ["a = 1", "a = a + 1"]),
        (["a = []", "a.append(1)"], "a", ["a = []", "a.append(1)"]),
        (["a = [[]]", "for b in a:\n    b += [1]"], "a", None),
        (
            ["a = {}", "a['b'] = 1", "print(a)", "verify(a)"],
            "a",
            ["a = {}", "a['b'] = 1"],
        ),
        (
            ["import re", "a = re.compile('a')", "re.purge()"],
            "a",
            ["import re", "a = re.compile('a')"],
        ),
        (["def f():\n    return k", "k = 1", "a = f()"], "a", None),
    ],
)
def test_what_is_needed_of_what_came_before(sources, names, kept):
    found = before([cell("import torch"), *map(cell, sources)], names.split())
    assert [s.text for s in found] == (sources if kept is None else kept)


def test_what_the_reader_wrote_stays_and_names_are_wanted_in_order():
    stub = cell("def mine(x):\n    return None", "exercise")
    (found,) = before([cell("import torch"), stub], ["mine"])
    assert found.kind == "exercise"
    assert wanted([cell("a = b\nb = 1"), cell("print(a, c)")]) >= {"b", "c"}
    assert "a" not in wanted([cell("a = b"), cell("print(a)")])


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_the_cells_to_be_typed_are_scripts(path):
    notebook = load(path)
    copy = live(notebook)
    assert all(not c.outputs and c.execution_count is None for c in code_cells(copy))
    empty = [c for c in code_cells(copy) if "live" in tags(c)]
    assert len(empty) >= 7
    for script in empty:
        lines = script.source.splitlines()
        assert lines and all(line.startswith("#") for line in lines), label(script)
    named = [c for c in empty if "# names: " in c.source]
    assert len(named) > len(empty) / 2
    same = {label(c): c.source for c in code_cells(notebook)}
    back = {label(c): c.source for c in code_cells(typed(copy, notebook))}
    changed = [name for name in same if back[name] != same[name]]
    assert changed == ["setup"]  # larger letters
    marks = [c for c in code_cells(copy) if label(c).startswith("checkpoint-")]
    assert marks and all(c.metadata.jupyter.source_hidden for c in marks)
    made = bound(next(c.source for c in code_cells(copy) if "setup" in tags(c)))
    for mark in marks:
        compile(mark.source, label(mark), "exec")
        body = textwrap.dedent(mark.source.split(".split()):\n")[1])
        assert needed(body) - bound(body) <= made, label(mark)


def printed(cell):
    """What a cell has printed."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def compared(path, copy):
    """The cells whose printed lines differ from the committed ones."""
    committed = {label(c): printed(c) for c in code_cells(load(path))}
    cells = [c for c in code_cells(copy) if label(c) in committed]
    cells = [c for c in cells if "nbval-ignore-output" not in tags(c)]
    return [label(c) for c in cells if printed(c) != committed[label(c)]]


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_typed_back_it_gives_the_committed_outputs(path):
    copy = typed(live(load(path)), load(path))
    execute(copy, path.stem)
    assert compared(path, copy) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_who_comes_to_the_last_section_can_join(path):
    """Set-up, the checkpoint of the last section that has one, and on from there.

    Random numbers that are not seeded may differ then, so only failures count; a ✓ line
    that fails is one.
    """
    copy = typed(live(load(path)), load(path))
    last = max(
        i for i, c in enumerate(copy.cells) if label(c).startswith("checkpoint-")
    )
    late = NotebookNode(copy)
    set_up = next(c for c in copy.cells if "setup" in tags(c))
    late.cells = [set_up, *copy.cells[last:]]
    execute(late, path.stem)
    assert statements(late.cells[1])
