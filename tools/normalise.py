"""A notebook without what differs from run to run or from machine to machine."""

import base64
import io
import re
import unicodedata

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

from tools import CELL_NAME, NotebookError, label

KERNEL = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PROGRESS_BAR = re.compile(r".*(\d%\||\dit ).*\[\d+:\d\d.*\]\s*")


def clean(notebook: NotebookNode) -> NotebookNode:
    """The same notebook without what differs from run to run or machine to machine."""
    cells, names, count = [], set(), 0
    for old in notebook.cells:
        name = _checked_name(old, names)
        cell = NotebookNode(
            id=name,
            cell_type=old.cell_type,
            metadata=_kept_metadata(old),
            source=_text(old.source).strip("\n"),
        )
        if old.cell_type == "code":
            executed = old.execution_count is not None
            count += executed
            cell.execution_count = count if executed else None
            cell.outputs = _clean_outputs(old.outputs, cell.execution_count)
            _describe(cell)
        cells.append(cell)
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def dumps(notebook: NotebookNode) -> str:
    """A notebook as the text of its file; the notebook must be valid."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=4, indent=1, ensure_ascii=False)
    return text.rstrip("\n") + "\n"


def _checked_name(cell: NotebookNode, taken: set[str]) -> str:
    name = cell.metadata.get("name", "")
    if not CELL_NAME.fullmatch(name):
        raise NotebookError(f"{label(cell)}: every cell needs a name like em-e-step")
    if name in taken:
        raise NotebookError(f"two cells are called {name}")
    taken.add(name)
    return name


def _kept_metadata(cell: NotebookNode) -> dict:
    kept = ("name", "tags", "alt")
    return {key: cell.metadata[key] for key in kept if cell.metadata.get(key)}


def _describe(cell: NotebookNode) -> None:
    """Give every picture of a cell its alternative text, where converters look for it.

    The text is written once, as ``alt`` in the metadata of the cell.
    """
    for output in cell.outputs:
        for mime in output.get("data", {}):
            if mime.startswith("image/"):
                described = output["metadata"].setdefault(mime, {})
                described.pop("alt", None)
                if cell.metadata.get("alt"):
                    described["alt"] = cell.metadata["alt"]


def _text(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def _clean_outputs(outputs: list[NotebookNode], count: int | None) -> list[dict]:
    kept: list[dict] = []
    for output in outputs:
        if output.output_type == "stream":
            text = _printed(output.text, stderr=output.name == "stderr")
            if kept and kept[-1].get("name") == output.name:
                kept[-1]["text"] += text
            elif text:
                kept.append(
                    {"output_type": "stream", "name": output.name, "text": text}
                )
        elif output.output_type == "error":
            trace = [_stable(line) for line in output.traceback]
            kept.append(
                {**output, "evalue": _stable(output.evalue), "traceback": trace}
            )
        elif not PROGRESS_BAR.fullmatch(output.data.get("text/plain", "")):
            kept.append(_clean_display(output, count))
    return kept


def _clean_display(output: NotebookNode, count: int | None) -> dict:
    data = {m: value for m, value in output.data.items() if m != WIDGET_VIEW}
    for mime, value in data.items():
        if isinstance(value, str):
            if mime == "image/png":
                data[mime] = _small_picture(value)
            elif mime.startswith("text/"):
                data[mime] = _stable(value)
    pictures = {k: v for k, v in output.metadata.items() if k.startswith("image/")}
    display = {"output_type": output.output_type, "data": data, "metadata": pictures}
    if output.output_type == "execute_result":
        display["execution_count"] = count
    return display


def _small_picture(encoded: str) -> str:
    """A PNG in 256 colours: 64 greys, the 96 most frequent others, 96 in between.

    So greys stay grey, flat tints stay exact, and files are small.
    """
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if picture.mode == "P":  # it has been here before
        return encoded.rstrip("\n")
    picture = picture.convert("RGB")
    between = picture.quantize(96, Image.Quantize.MAXCOVERAGE).getpalette()[: 3 * 96]
    greys = np.rint(np.linspace(0, 255, 64))[:, None].repeat(3, axis=1)
    pixels = np.asarray(picture)
    colours, where, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    counts[np.ptp(colours, axis=1) == 0] = 0  # greys have their own
    frequent = colours[np.argsort(-counts, kind="stable")[:96]]
    palette = np.vstack([greys, frequent, np.reshape(between, (-1, 3))]).astype(int)
    distance = np.square(palette).sum(axis=1) - 2 * colours.astype(int) @ palette.T
    nearest = distance.argmin(axis=1).astype(np.uint8)[where]  # up to a constant
    fewer = Image.fromarray(nearest.reshape(pixels.shape[:2]))
    fewer.putpalette(palette.flatten().tolist())
    stream = io.BytesIO()
    fewer.save(stream, "png", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def _printed(text: str, stderr: bool) -> str:
    if stderr:  # a progress bar writes over its own line
        lines = re.split(r"[\r\n]", text)
        bars = [line for line in lines if PROGRESS_BAR.fullmatch(line)]
        if bars:
            rest = [line for line in lines if line.strip() and line not in bars]
            text = "".join(line + "\n" for line in rest)
    return _stable(text)


def _stable(text: str) -> str:
    text = re.sub(r"\bat 0x[0-9a-fA-F]+", "at 0x0", text)
    text = re.sub(r"[^\s\"']{0,200}ipykernel_\d+[/\\]\d+\.py", "<cell>", text)
    return _text(text)
