"""The live copy: what the instructor types at the projector is not there yet.

A cell tagged ``live`` keeps its comment, which is its script, and gets a line with the
names that later cells need. All outputs go; the letters in pictures are larger. Each
section begins with a folded cell for whoever fell behind: it makes what is needed of
the earlier sections.
"""

import re
import textwrap

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools import code_cells, label, tags
from tools.forms.slices import Statement, before, needed_later, statements, wanted

SECTION = re.compile(r"^## (\d+)\. ", re.MULTILINE)
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # Jupyter; Colab
CHECKPOINT = """\
# Checkpoint. If you fell behind, run this cell: it makes what section {number} needs.
# Nothing is done if all of it is there. To make it anew, restart the kernel, run the
# set-up cell, and then this one.
needed = "{names}"
if any(name not in globals() for name in needed.split()):
"""


def live(notebook: NotebookNode) -> NotebookNode:
    """The live copy of a notebook."""
    copy = NotebookNode(notebook)
    copy.cells = []
    for index, cell in enumerate(notebook.cells):
        mine = NotebookNode(cell)
        if cell.cell_type == "code":
            mine.outputs, mine.execution_count = [], None
            if "live" in tags(cell):
                mine.source = _script(notebook, index)
            if "setup" in tags(cell):
                mine.source = cell.source.replace(
                    "\nsetup(", "\nsetup(projector=True, "
                )
        copy.cells.append(mine)
        section = SECTION.search(cell.source) if cell.cell_type == "markdown" else None
        if section and int(section[1]) > 1:
            copy.cells += checkpoint(notebook, index, int(section[1]))
    return copy


def _script(notebook: NotebookNode, index: int) -> str:
    """What a cell to be typed keeps: its comment, and the names that must come out."""
    lines = notebook.cells[index].source.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), None)
    names = needed_later(notebook, index)
    return "\n".join(lines[:end] + [f"# names: {', '.join(names)}"] * bool(names))


def checkpoint(notebook: NotebookNode, index: int, number: int) -> list[NotebookNode]:
    """The cell that makes what section ``number`` needs; none where it needs nothing.

    ``index`` is the place of the section's heading.
    """
    earlier = [c for c in notebook.cells[:index] if c.cell_type == "code"]
    later = [c for c in notebook.cells[index:] if c.cell_type == "code"]
    made = {n for cell in earlier[1:] for s in statements(cell) for n in s.makes}
    kept = before(earlier, wanted(later) & made)
    if not kept:
        return []
    names = " ".join(sorted(wanted(later) & made))
    source = CHECKPOINT.format(number=number, names=names) + "".join(map(_block, kept))
    metadata = {"name": f"checkpoint-{number}", "tags": ["checkpoint"], **FOLDED}
    return [new_code_cell(source[:-1], id=metadata["name"], metadata=metadata)]


def _block(statement: Statement) -> str:
    """A statement in the body of a checkpoint; an answer that is there stays."""
    text = statement.text
    if statement.kind == "exercise":
        (name,) = statement.makes
        text = f'if "{name}" not in globals():\n{textwrap.indent(text, "    ")}'
    return textwrap.indent(text, "    ") + "\n"


def typed(copy: NotebookNode, notebook: NotebookNode) -> NotebookNode:
    """The live copy after the instructor has typed every cell as it was."""
    written = {label(cell): cell.source for cell in code_cells(notebook)}
    done = NotebookNode(copy)
    done.cells = [NotebookNode(cell) for cell in copy.cells]
    for cell in code_cells(done):
        if "live" in tags(cell):
            cell.source = written[label(cell)]
    return done
