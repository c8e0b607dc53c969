"""Perform a notebook inside the test process, and report its faults."""

import contextlib
import functools
import io
import linecache
import re
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from tools import NOTEBOOKS, code_cells, label, load, tags


def report(path, faults):
    """Fail with one line per fault, and without the traceback, if there is any."""
    lines = [f"{path.stem}, {fault}" for fault in faults]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


@dataclass
class Performance:
    """The traces of one run of a notebook without a kernel.

    ``live`` holds the cell name and the figure of each widget in order of appearance,
    ``before`` the names that an exercise finds, ``after`` those that there are after
    each cell, ``colours`` the (cell, label, colour) of all curves and points with a
    label, ``unshown`` the cells that left pyplot figures open, ``style`` the figure
    style that the notebook has set, ``cell`` the name of the cell that runs.
    """

    cell: str = ""
    live: list[tuple[str, object]] = field(default_factory=list)
    before: dict[str, dict] = field(default_factory=dict)
    after: dict[str, dict] = field(default_factory=dict)
    colours: list[tuple[str, str, str]] = field(default_factory=list)
    unshown: list[str] = field(default_factory=list)
    style: dict = field(default_factory=dict)


@functools.lru_cache(maxsize=1)  # the tests of a notebook follow each other
def perform(path: Path) -> Performance:
    """Run the code cells of a notebook in one namespace, from the notebooks' folder.

    The long trainings are shortened: what they reach is checked cell by cell elsewhere.
    """
    from IPython.display import display

    from course_utils import interactive

    done, cells = Performance(), code_cells(load(path))
    namespace = {"__name__": "__main__", "display": display}
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.chdir(NOTEBOOKS))
        stack.enter_context(torch_left_alone())
        stack.enter_context(matplotlib.rc_context())
        matplotlib.use("Agg")
        patch.setattr(plt, "show", lambda: _look_and_close(done))
        for function in ("explore", "play"):
            recorder = _recording(getattr(interactive, function), done)
            patch.setattr(interactive, function, recorder)
        for cell in cells:
            done.cell = name = label(cell)
            source = shortened(cell.source) if "setup" in tags(cell) else cell.source
            if "exercise" in tags(cell):
                done.before[name] = dict(namespace)
            run_source(source, namespace, f"<{path.stem}: {name}>")
            done.after[name] = dict(namespace)
            if plt.get_fignums():
                done.unshown.append(name)
                plt.close("all")
        for name, live in done.live:
            done.colours += _colours(name, live._figure)
        done.style = dict(matplotlib.rcParams)
    return done


def _look_and_close(performance):
    for number in plt.get_fignums():
        performance.colours += _colours(performance.cell, plt.figure(number))
    plt.close("all")


def _colours(cell, figure):
    for ax in figure.axes:
        for artist in [*ax.get_lines(), *ax.collections]:
            is_line = hasattr(artist, "get_color")
            colour = artist.get_color() if is_line else artist.get_facecolor()
            label, rows = artist.get_label(), np.atleast_1d(colour)
            if label[:1] != "_" and len(rows):
                yield cell, label, to_hex(colour if rows.ndim == 1 else rows[0])


def shortened(source: str) -> str:
    """A set-up cell with its training number small: a notebook must bear that too."""
    source = re.sub(r"^EPOCHS = \d+$", "EPOCHS = 1", source, flags=re.MULTILINE)
    return re.sub(r"^EFFORT = 1.0$", "EFFORT = 0.05", source, flags=re.MULTILINE)


def title(ax):
    """The title of an axes, where the style of the course puts it or in the middle."""
    return ax.get_title(loc="left") or ax.get_title()


def shorter(notebook):
    """The notebook with short trainings; changed in place, and returned."""
    for cell in code_cells(notebook):
        if "setup" in tags(cell):
            cell.source = shortened(cell.source)
    return notebook


def exercises(notebook):
    """Stub, check and solution of each exercise, and None for what is missing."""
    for index, cell in enumerate(notebook.cells):
        if "exercise" in tags(cell):
            yield (notebook.cells[index : index + 3] + [None] * 2)[:3]


def run_source(source: str, namespace: dict, name: str) -> None:
    """Execute source text so that tracebacks and ``inspect`` find its lines."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), namespace)


def _recording(function, performance):
    @functools.wraps(function)
    def recorder(*arguments, **options):
        figure = function(*arguments, **options)
        performance.live.append((performance.cell, figure))
        return figure

    return recorder


@contextlib.contextmanager
def torch_left_alone():
    """Threads, dtype and random numbers are afterwards as they were."""
    import torch

    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:  # also where a notebook fails
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
