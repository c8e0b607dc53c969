"""Tools for the authors: where the notebooks are, and what a cell is called."""

import re
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
NAMES = (
    "01_mle_gaussian",
    "02_gmm_em",
    "03_elbo_vi",
    "04_vae",
    "05_gan",
    "06_divergences",
    "07_pictures_and_words",
)
OURS = re.compile(r"\d\d_[a-z0-9_]+")
CELL_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class NotebookError(Exception):
    """What is wrong with a notebook, in a sentence that names notebook and cell."""


def notebook_paths(names: Iterable[str] = (), folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks whose file name starts with one of ``names`` (all, if none).

    The course has one per number, in lower case: ``my_01``, ``01_x-Copy1`` and
    ``01_x_copy`` belong to a reader.
    """
    ours = [path for path in folder.glob("*.ipynb") if OURS.fullmatch(path.stem)]
    if folder == NOTEBOOKS:  # whatever else lies there is a reader's
        ours = [path for path in ours if path.stem in NAMES]
    numbered = {path.stem[:2]: path for path in sorted(ours, key=_longest_first)}
    paths = sorted(numbered.values())
    wanted = [Path(name).stem for name in names]
    for name in wanted:
        if not any(path.stem.startswith(name) for path in paths):
            known = ", ".join(path.stem for path in paths) or "none"
            raise NotebookError(f"no notebook is called {name!r}; there are: {known}")
    return [p for p in paths if not wanted or p.stem.startswith(tuple(wanted))]


def _longest_first(path: Path) -> int:
    return -len(path.stem)


def load(path: Path) -> NotebookNode:
    """The notebook in ``path``, as nbformat 4."""
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell, in order."""
    return list(cell.metadata.get("tags", []))


def label(cell: NotebookNode) -> str:
    """What to call a cell in a message: its name, else its first line."""
    first_line = cell.source.strip().partition("\n")[0]
    return cell.metadata.get("name") or f"the cell that starts {first_line[:50]!r}"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The Markdown cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def fenced_python(markdown: str) -> list[str]:
    """The contents of the ```python blocks of a Markdown text."""
    return re.findall(r"^```python\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
