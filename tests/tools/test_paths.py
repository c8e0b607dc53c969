"""The tool that reads and runs the 90-minute path of a notebook."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import NotebookError, code_cells, label
from tools.notebooks import execute
from tools.paths import bound, core, missing, needed


def notebook_of(*cells):
    made = []
    for name, tag, source in cells:
        metadata = {"name": name, "tags": tag.split()}
        make = new_markdown_cell if source.startswith("#") else new_code_cell
        made.append(make(source, id=name, metadata=metadata))
    return new_notebook(cells=made)


@pytest.mark.parametrize(
    ("source", "makes", "takes"),
    [
        ("a = b + 1", {"a"}, {"b"}),
        ("import numpy as np\nfrom x import y, z as w", {"np", "y", "w"}, set()),
        ("def f(x, n=m):\n    t = x + k\n    return t", {"f"}, {"m", "k"}),
        ("class A(B):\n    def g(self):\n        return c", {"A"}, {"B", "c"}),
        ("a = [i * s for i in range(n)]", {"a"}, {"s", "n"}),
        ("for i in xs:\n    total += i", {"i", "total"}, {"xs", "total"}),
        ("x = x.float()", {"x"}, {"x"}),
        ("x = 1\nx = x + 1", {"x"}, set()),
        ("with seeded(0):\n    r = draw()", {"r"}, {"seeded", "draw"}),
        ("fig, (ax, bx) = plt.subplots(1, 2)", {"fig", "ax", "bx"}, {"plt"}),
        ("print(f'{value:.2f}', key=lambda v: v + u)", set(), {"value", "u"}),
    ],
)
def test_what_a_cell_makes_and_takes(source, makes, takes):
    assert bound(source) == makes
    assert needed(source) == takes


def test_a_name_that_only_a_skipped_cell_makes_is_named():
    skipped = notebook_of(
        ("start", "core", "a = 1"), ("side", "live", "b = 2"), ("end", "core", "a + b")
    )
    assert list(missing(skipped)) == ["end: needs b, which side makes"]
    with pytest.raises(NotebookError, match=r"end.*NameError"):
        execute(core(skipped), "a notebook")


def test_a_checkpoint_restores_it():
    restored = notebook_of(
        ("title", "core", "# A title"),
        ("start", "core", "a = 1"),
        ("side", "live", "b = 2"),
        ("again", "core checkpoint", "b = 2"),
        ("end", "core", "print(a + b)"),
    )
    assert list(missing(restored)) == []
    path = core(restored)
    execute(path, "a notebook")
    assert [label(cell) for cell in code_cells(path)] == ["start", "again", "end"]
    assert path.cells[-1].outputs[0].text == "3\n"
    assert len(restored.cells) == 5  # the notebook itself keeps all its cells
