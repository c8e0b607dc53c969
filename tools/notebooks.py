"""Keep the notebooks executed, clean and stable; write them as text.

python -m tools.notebooks run [names]      execute, normalise, write if changed
python -m tools.notebooks clean [names]    normalise what is there (after JupyterLab)
python -m tools.notebooks check [names]    say which files are not normalised
python -m tools.notebooks text [names]     write build/<notebook>.py to edit
python -m tools.notebooks build names      notebook from build/<notebook>.py, and run it
"""

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import (
    NOTEBOOKS,
    ROOT,
    NotebookError,
    label,
    load,
    notebook_paths,
    slide_map,
)
from tools.normalise import clean, dumps

BUILD = ROOT / "build"
KERNEL_SETTINGS = {
    "COURSE_UNTOUCHED": "1",  # what the author has kept is no part of the outputs
    "OMP_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


# --- execute -------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What one execution took: seconds by the wall clock, and the kernel's memory.

    ``peak_mib`` is the largest resident size of the kernel; NaN where the system does
    not tell (only Linux does).
    """

    seconds: float
    longest_cell: str
    longest_seconds: float
    peak_mib: float

    def __str__(self):
        return (
            f"{self.seconds:.0f} s, longest cell {self.longest_cell} "
            f"{self.longest_seconds:.0f} s, kernel peak {self.peak_mib:.0f} MiB"
        )


def execute(
    notebook: NotebookNode, title: str, folder: Path = NOTEBOOKS, through=iter
) -> Cost:
    """Run every cell of ``notebook`` in a fresh kernel that works in ``folder``.

    The cells pass ``through`` a function, such as one that moves a bar.
    Raises NotebookError that names ``title`` and the first cell that failed.
    """
    client = NotebookClient(
        notebook,
        timeout=3600,  # a training on a slow and busy laptop
        startup_timeout=120,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    settings, seconds = os.environ | KERNEL_SETTINGS, {}
    with client.setup_kernel(env=settings, stderr=subprocess.DEVNULL):
        for index, cell in enumerate(through(notebook.cells)):
            begin = time.perf_counter()
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                reason = f"{error.ename}: {error.evalue}\n{_where(error.traceback)}"
            except CellTimeoutError:
                reason = "it ran for more than an hour"
            except DeadKernelError:
                reason = "the kernel died (out of memory?)"
            else:
                seconds[label(cell)] = time.perf_counter() - begin
                continue
            raise NotebookError(f"{title}, cell {label(cell)}: {reason}")
        peak = _peak_mib(client.km.provisioner.pid)
    longest = max(seconds, key=seconds.get)
    return Cost(sum(seconds.values()), longest, seconds[longest], peak)


def _peak_mib(pid: int) -> float:
    """The largest resident size that a process has had, by Linux's own account."""
    status = Path(f"/proc/{pid}/status")
    found = (
        re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else 0
    )
    return int(found[1]) / 1024 if found else float("nan")


def _where(traceback: str) -> str:
    """The line of the cell at which it stopped, from a coloured traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    return "\n".join(re.findall(r"^-+> ?\d.*", plain, re.MULTILINE)[:1])


# --- text ----------------------------------------------------------------------------


def to_text(notebook: NotebookNode) -> str:
    """The notebook as jupytext percent text, without outputs and without a header."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = NotebookNode(
        jupytext={
            "notebook_metadata_filter": "-all",
            "cell_metadata_filter": "name,tags,alt,-all",
        }
    )
    return jupytext.writes(notebook, fmt="py:percent")


def from_text(text: str, previous: NotebookNode | None = None) -> NotebookNode:
    """A notebook from percent text; unchanged cells keep their earlier outputs."""
    notebook = jupytext.reads(text, fmt="py:percent")
    before = {label(cell): cell for cell in (previous.cells if previous else [])}
    for cell in notebook.cells:
        same = before.get(label(cell))
        if cell.cell_type == "code" and same and same.source == cell.source:
            cell.outputs, cell.execution_count = same.outputs, same.execution_count
    return notebook


# --- commands ------------------------------------------------------------------------


def write_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` unless the file holds just that; say which of the two happened."""
    same = path.exists() and path.read_bytes() == text.encode()
    if not same:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{'unchanged' if same else 'wrote'} {path.name}", flush=True)
    return not same


def finish(path: Path, notebook: NotebookNode, run: bool) -> None:
    """Execute if asked, normalise and write; a notebook that fails leaves no trace."""
    if run:
        print(f"{path.stem}: {execute(notebook, path.stem, path.parent)}", flush=True)
    write_if_changed(path, _normalised(path, notebook))


def _normalised(path: Path, notebook: NotebookNode) -> str:
    try:
        return dumps(clean(notebook))
    except NotebookError as error:
        raise NotebookError(f"{path.stem}: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=["run", "clean", "check", "text", "build"])
    parser.add_argument("names", nargs="*", help="beginnings of file names, such as 01")
    parser.add_argument("--no-run", action="store_true", help="build: do not execute")
    options = parser.parse_intermixed_args(arguments)
    try:
        return _do(options.verb, options.names, run=not options.no_run)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1


def _do(verb: str, names: list[str], run: bool) -> int:
    if verb == "build":
        for source in _texts(names):
            path = NOTEBOOKS / f"{source.stem}.ipynb"
            previous = load(path) if path.exists() else None
            finish(path, from_text(source.read_text("utf-8"), previous), run)
    unclean = 0
    for path in notebook_paths(names, NOTEBOOKS) if verb != "build" else []:
        notebook = load(path)
        if verb == "text":
            write_if_changed(BUILD / f"{path.stem}.py", to_text(notebook))
        elif verb == "check":
            if _normalised(path, notebook).encode() != path.read_bytes():
                print(f"not normalised: {path.name}")
                unclean += 1
        else:
            finish(path, notebook, run=verb == "run")
    if verb in ("run", "build"):
        write_if_changed(slide_map.TARGET, slide_map.render())
    return 1 if unclean else 0


def _texts(names: list[str]) -> list[Path]:
    found = [path for name in names for path in sorted(BUILD.glob(f"{name}*.py"))]
    if not found:
        wanted = " ".join(names) or "(no name given)"
        raise NotebookError(f"no text in {BUILD.name}/ for {wanted}: run `text` first")
    return found


if __name__ == "__main__":
    sys.exit(main())
