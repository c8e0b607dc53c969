"""What frames depend on, as a number: the source of their cell and the drawing code."""

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import ROOT, code_cells, load, notebook_paths
from tools.frames import grid, name_of

PACKAGE = ROOT / "course_utils"
FLOOR = [PACKAGE / name for name in ("interactive.py", "style.py", "course.mplstyle")]
RECORDER = ["markup", "pixels", "renderer", "dots", "recorder", "kernel"]
DRAWS = re.compile(r"^(from|import) (course_utils\.style|matplotlib)", re.MULTILINE)
MOVES = re.compile(r"^(explore|play)\(", re.MULTILINE)


def widgets_of(stem: str) -> dict[str, str]:
    """The cells of a notebook that show a moving figure: name → source, in order."""
    cells = code_cells(_notebook(stem))
    return {c.metadata["name"]: c.source for c in cells if MOVES.search(c.source)}


def committed_picture(stem: str, cell: str) -> str:
    """The picture in the committed output of a cell: PNG in base64."""
    cells = code_cells(_notebook(stem))
    return picture_of(next(c for c in cells if c.metadata["name"] == cell))


def picture_of(cell: NotebookNode) -> str:
    """The first picture in the outputs of a cell: PNG in base64."""
    shown = (output.get("data", {}) for output in cell.outputs)
    return next(data["image/png"] for data in shown if "image/png" in data)


def fingerprint(stem: str, cell: str) -> str:
    """Changes with the cell, its positions, and the code that draws or records it.

    Comments, docstrings and line breaks do not count.
    """
    name = name_of(stem, cell)
    positions = grid.TABLE.get(name), grid.QUALITY.get(name)
    parts = [widgets_of(stem)[cell], repr(positions), _drawing_code(stem)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def drawing_files(stem: str) -> list[Path]:
    """What draws among the modules that a notebook imports; the floor, the recorder.

    Models are left out: what they compute is held by tests, and seldom changes a look.
    """
    source = "\n".join(cell.source for cell in code_cells(_notebook(stem)))
    found, waiting = set(), set(_room_files(source))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting |= set(_room_files(path.read_text("utf-8")))
    recorder = [Path(__file__).with_name(f"{name}.py") for name in RECORDER]
    draws = [path for path in sorted(found) if DRAWS.search(path.read_text("utf-8"))]
    return [*draws, *FLOOR, *recorder]


@functools.cache
def _notebook(stem: str) -> NotebookNode:
    return load(notebook_paths([stem])[0])


@functools.cache
def _drawing_code(stem: str) -> str:
    return "\0".join(map(_code, drawing_files(stem)))


@functools.cache
def _code(path: Path) -> str:
    """The text of a file; of Python what runs, so without comments and docstrings."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return text
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def _room_files(source: str) -> Iterator[Path]:
    """The files of rooms (exercises left out) from which a text imports."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for name in node.names:
            parts = [*node.module.split("."), name.name][:3]
            room = PACKAGE.joinpath(*parts[1:2])
            if parts[0] != "course_utils" or not (room / "__init__.py").exists():
                continue
            if room != PACKAGE and room.name != "checks":
                module = room / f"{parts[-1]}.py"
                yield module if module.exists() else room / "__init__.py"
