"""The command line of the frames.

python -m tools.frames record [NN ...]     run notebooks once, record their figures
python -m tools.frames compare [NN ...]    what Chromium shows, and what matplotlib does

Only what has changed is recorded again: the cell, its positions, the code that draws.
After a change of a model or of an earlier cell, take ``--again``. Nothing that is
committed is written.
"""

import argparse
import base64
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from PIL import Image
from tqdm import tqdm

from tools import ROOT, NotebookError, label, load, notebook_paths
from tools.frames import FRAMES, compare, page
from tools.frames.grid import INSTEAD
from tools.frames.sources import (
    committed_picture,
    fingerprint,
    picture_of,
    widgets_of,
)
from tools.normalise import clean
from tools.notebooks import execute

OURS = "-frames"  # ends the name of a cell that records the one before it


def with_recordings(notebook: NotebookNode, stem: str, names: set[str]) -> NotebookNode:
    """A copy with a recording after each cell of ``names``; it ends with the last."""
    copy, waiting = NotebookNode(notebook), set(names)
    copy.cells = [
        _hidden("path-of-tools", f"import sys\nsys.path.insert(0, {str(ROOT)!r})")
    ]
    for cell in notebook.cells:
        copy.cells.append(NotebookNode(cell))
        name = cell.metadata["name"]
        if name in waiting:
            waiting.remove(name)
            figure = "Out[max(Out)]"  # what the cell has shown
            call = f"{figure}, {stem!r}, {name!r}"
            source = f"from tools.frames import kernel\nkernel.record({call})"
            copy.cells.append(_hidden(name + OURS, source))
        if not waiting:
            break
    return copy


def _hidden(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, metadata={"name": name})


def record(path: Path, again: bool = False) -> dict[str, dict]:
    """Record what is stale in a notebook, or all; the entries of all its figures.

    ``NotebookError`` if a cell fails, or if a figure cannot be recorded.
    """
    stem, entries = path.stem, page.manifest(path.stem)
    names = [name for name in widgets_of(stem) if name not in INSTEAD]
    changed = {name for name in names if again or page.stale(stem, name)}
    if changed:
        copy = with_recordings(load(path), stem, changed)
        with tqdm(total=len(copy.cells), desc=stem, unit="cell", leave=False) as bar:

            def through(cells):
                for cell in cells:
                    bar.set_postfix_str(label(cell))
                    yield cell
                    bar.update()

            execute(copy, stem, path.parent, through)
        cells = {cell.metadata["name"]: cell for cell in copy.cells}
        shown = {cell.metadata["name"]: cell for cell in clean(copy).cells}
        for name in changed:
            entry = json.loads(cells[name + OURS].outputs[-1].text)
            pictures = picture_of(shown[name]), committed_picture(stem, name)
            entry |= {"differs": differs(*pictures), "hash": fingerprint(stem, name)}
            entries[name] = entry
    entries = {name: entries[name] for name in names}
    page.write_manifest(stem, entries)
    return entries


def differs(*pictures: str) -> float:
    """Per cent of pixels in which two pictures (PNG in base64) are not the same."""
    ours, theirs = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
        for text in pictures
    )
    if ours.shape != theirs.shape:
        return 100.0
    return round(100 * float((ours != theirs).any(axis=2).mean()), 3)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.frames",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=["record", "compare"])
    parser.add_argument("names", nargs="*", help="beginnings of file names, such as 01")
    parser.add_argument("--again", action="store_true", help="record all, stale or not")
    options = parser.parse_args(arguments)
    try:
        paths = notebook_paths(options.names)
        if options.verb == "record":
            _record_all(paths, options.again)
        for path in paths if options.verb == "compare" else []:
            for found in compare.compared(path.stem):
                print(found, flush=True)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _record_all(paths: list[Path], again: bool) -> None:
    begin, done = time.perf_counter(), []
    for path in paths:
        for name, entry in record(path, again).items():
            done.append(entry)
            print(
                f"{path.stem[:2]} {name}: {entry['frames']} frames, "
                f"{entry['bytes'] / 1000:.0f} kB, {entry['seconds']:.0f} s; "
                f"{entry['differs']} % of the start differ from the committed picture",
                flush=True,
            )
    frames, size = (sum(entry[key] for entry in done) for key in ("frames", "bytes"))
    print(
        f"{len(done)} figures, {frames} frames, {size / 1e6:.1f} MB in "
        f"{FRAMES.relative_to(ROOT)}, {time.perf_counter() - begin:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
