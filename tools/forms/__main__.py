"""The command line of the forms: ``python course.py forms [names] [--address URL]``."""

import argparse
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

import tools.forms
from tools import ROOT, NotebookError, load, notebook_paths
from tools.forms import alone, live, sheet, student, usb, wheel
from tools.normalise import dumps

BUILD = ROOT / "build"
NOTES = ".made.json"  # the hash of each file as it was made


def write(path: Path, text: str) -> Path:
    """Write a file, unless somebody has worked in it: then a fresh one lands beside it.

    A file in the folder holds the hash of what was made the last time. Returns the path
    that was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = path.parent / NOTES
    made = json.loads(notes.read_text("utf-8")) if notes.exists() else {}
    if path.exists() and made.get(path.name) != _hash(path.read_bytes()):
        kept, path = path.name, path.with_name(f"{path.stem}.new{path.suffix}")
        print(f"{path.parent.name}/{kept} was changed and stays; wrote {path.name}")
    path.write_text(text, encoding="utf-8", newline="\n")
    made[path.name] = _hash(text.encode())
    notes.write_text(json.dumps(made, indent=1), encoding="utf-8")
    return path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def copies(folder: Path, make: Callable[[NotebookNode], NotebookNode]) -> None:
    """One copy of each notebook, as ``make`` makes it."""
    for path in tqdm(
        notebook_paths(), folder.name, file=sys.stdout, leave=False, disable=None
    ):
        write(folder / path.name, dumps(make(load(path))))


def sheets(folder: Path) -> None:
    """The sheets, with the style and the letters of the formulas beside them."""
    for path in tqdm(
        notebook_paths(), folder.name, file=sys.stdout, leave=False, disable=None
    ):
        number = path.stem[:2]
        write(folder / f"{number}_sheet.html", sheet.sheet(load(path), number))
    write(
        folder / "sheet.css", Path(__file__).with_name("sheet.css").read_text("utf-8")
    )
    shutil.copytree(ROOT / "tools/site/katex", folder / "katex", dirs_exist_ok=True)


def alones(folder: Path, address: str) -> None:
    """The notebooks that install what they need, and their wheel."""
    copies(folder, lambda notebook: alone.alone(notebook, address))
    wheel.build_wheel(folder)


def main(arguments: list[str] | None = None) -> int:
    """Make the forms that are named; returns the exit status."""
    makers = {
        "live": lambda folder: copies(folder, live.live),
        "student": lambda folder: copies(folder, student.student),
        "instructor": sheets,
        "alone": lambda folder: alones(folder, options.address),
        "usb": usb.usb,
    }
    parser = argparse.ArgumentParser(
        prog="python course.py forms",
        description=tools.forms.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="form", help=", ".join(makers))
    parser.add_argument(
        "--address",
        default="",
        help="alone: the folder on the web where the wheel lies",
    )
    options = parser.parse_intermixed_args(arguments)
    if unknown := set(options.names) - makers.keys():
        print(f"no form is called {sorted(unknown)[0]!r}: {', '.join(makers)}")
        return 2
    for name in options.names or [name for name in makers if name != "usb"]:
        begin = time.perf_counter()
        try:
            makers[name](BUILD / name)
        except NotebookError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        files = [p for p in (BUILD / name).rglob("*") if p.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        took = time.perf_counter() - begin
        print(
            f"build/{name}: {len(files)} files, {size:.1f} MB, {took:.0f} s", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
