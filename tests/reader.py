"""A reader at a notebook: its cells are run one by one, some with another text."""

import contextlib
import io

import matplotlib
from matplotlib import pyplot as plt

from course_utils.checks import exercise, exercise_of
from course_utils.checks.choice import accept
from tests.performing import run_source, torch_left_alone
from tools import code_cells, fenced_python, label, load, notebook_paths


class Reader:
    """``cells`` and ``solutions`` of a notebook by name; ``run`` types them in."""

    def __init__(self, number: str):
        (path,) = notebook_paths([number])
        notebook = load(path)
        self.cells = {label(cell): cell.source for cell in code_cells(notebook)}
        self.solutions = {
            label(cell).removesuffix("-solution"): "\n".join(fenced_python(cell.source))
            for cell in notebook.cells
            if label(cell).endswith("-solution")
        }

    def run(self, names, scope: dict, typed=()) -> str:
        """Run cells, with ``typed`` sources in place of theirs; what they print."""
        printed, typed = io.StringIO(), dict(typed)
        scope.setdefault("__name__", "__main__")
        with (
            contextlib.redirect_stdout(printed),
            torch_left_alone(),
            matplotlib.rc_context(),
        ):
            matplotlib.use("Agg")
            for name in names:
                run_source(typed.get(name, self.cells[name]), scope, f"<{name}>")
        return printed.getvalue()


def nothing_accepted(monkeypatch, exercises):
    """A fixture's body: no answer is accepted before or after, and no figure stays."""
    monkeypatch.setattr(exercise, "_given", exercise.Counter())
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    yield
    plt.close("all")
    for check in exercises.CHECKS:
        accept(exercise_of(check).solution, None)
