"""Copies of the notebooks for the website: moving figures, folded set-up, one note.

A copy is never executed. It loses what only authors need (the claims in the tags), and
its pictures become files, each with its alternative text.
"""

import base64
import html
import io
import re
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode, from_dict
from PIL import Image

from tools import NotebookError, label

CLAIM = re.compile(r"S\d+\w*")
NOTE = """\
:::{{admonition}} This page shows a recorded run
:class: recorded
{moving}To change the code, and to have your exercises checked, run the notebook
yourself: `python course.py lab {number}`. [How to start](index.md#run-it-yourself).
:::"""
MOVING = "Sliders and films move here, without Python. "

Figure = Callable[[str, str, str, str], str | None]


def prepare(notebook: NotebookNode, stem: str, pictures: Path, moving: Figure) -> None:
    """Change ``notebook`` into its page.

    ``pictures`` is the folder for the files of its pictures; ``moving(stem, cell,
    address of the picture, alternative text)`` gives the HTML of a figure that moves,
    or None where there is none. Raises ``NotebookError`` for a picture without words.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    moves = False
    for cell in notebook.cells:
        tags = [
            tag for tag in cell.metadata.get("tags", []) if not CLAIM.fullmatch(tag)
        ]
        cell.metadata.tags = [*tags, "hide-input"] if "setup" in tags else tags
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                text = _figure(cell, output, stem, pictures, moving)
                output.data, output.metadata = from_dict({"text/html": text}), {}
                moves = moves or "data-frames" in text
    _add_note(notebook, stem, moves)


def _figure(cell, output, stem, pictures, moving) -> str:
    """The HTML of a picture, or of the figure that moves in its place."""
    alt = cell.metadata.get("alt")
    if not alt:
        raise NotebookError(f"{stem}, cell {label(cell)}: a picture without alt")
    data = base64.b64decode(output.data["image/png"])
    path = pictures / f"{cell.id}.webp"  # the same pixels in three quarters of the room
    with Image.open(io.BytesIO(data)) as png:
        width, height = png.size
        png.convert("RGB").save(path, lossless=True, method=2)
    address = f"_static/pictures/{stem}/{path.name}"
    if text := moving(stem, cell.id, address, alt):
        return text
    shown = output.metadata.get("image/png", {}).get("width", width)
    return (
        f'<figure class="picture"><div class="paper"><img src="{address}" '
        f'width="{shown}" height="{round(height * shown / width)}" loading="lazy" '
        f'style="--width:{shown}px" alt="{html.escape(alt)}"></div></figure>'
    )


def _add_note(notebook, stem, moves):
    """Say below the title that this is a recorded run, and how to run it."""
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    note = NOTE.format(number=stem[:2], moving=MOVING if moves else "")
    first.source = f"{title}\n\n{note}\n\n{rest.lstrip()}"
