"""The notebooks, run in this process once: their sliders, pictures and solutions.

nbval never moves a slider, and an error in a callback reaches nobody. Here each widget
that a notebook shows goes to the corners of its controls and to its middle.
"""

import contextlib
import io
import itertools
import random
import re
import statistics
import time

import matplotlib
import numpy as np
import pytest
from PIL import Image

from course_utils.style import COLOUR
from tests.notebooks import numbers
from tests.performing import exercises, report, run_source
from tools import fenced_python, label

CORNERS, OF_ALL = 5, 16  # all of 16 with `--all`: four controls
MILLISECONDS = 100  # the target for a redraw, of which the median is asserted
SLACK = 2.5  # a shared machine in CI is slower than a laptop


def ends_and_middle(control):
    """The values of a control to try: its two ends, then the middle."""
    if isinstance(control.value, bool):
        return [False, True, control.value]
    if hasattr(control, "options"):
        values = [option[1] for option in control._options_full]
        return [values[0], values[-1], values[len(values) // 2]]
    if hasattr(control, "min") and hasattr(control, "max"):
        middle = (control.min + control.max) / 2
        return [control.min, control.max, type(control.value)(middle)]
    return [control.value] * 3


def settings_to_try(controls, most):
    """At most so many corners of the controls, each a dict, and then the middle."""
    values = {name: ends_and_middle(control) for name, control in controls.items()}
    corners = list(itertools.product(*(v[:2] for v in values.values())))
    corners = list(dict.fromkeys(corners))
    if len(corners) > most:
        inner = random.Random(0).sample(corners[1:-1], most - 2)
        corners = [corners[0], *inner, corners[-1]]
    middle = tuple(v[2] for v in values.values())
    return [dict(zip(values, setting, strict=True)) for setting in [*corners, middle]]


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure.image.value)).convert("RGB"))


def exercise(figure, times, most):
    """Move a figure through its settings; yields what is wrong."""
    pictures = []
    for setting in settings_to_try(figure.controls, most):
        for name, value in setting.items():
            start = time.process_time()
            changes = figure.controls[name].value != value
            figure.controls[name].value = value
            if changes:
                times.append(1000 * (time.process_time() - start))
            if figure.error.value:
                yield f"shows an error at {figure.values}: {figure.error.value}"
                return
        moved = pixels(figure)
        figure.redraw(fresh=True)
        if not np.array_equal(moved, pixels(figure)):
            yield f"update and a fresh drawing differ at {setting}"
        pictures.append(moved)
    if all(np.array_equal(pictures[0], other) for other in pictures[1:]):
        yield "looks the same wherever its controls are"


def test_widgets_at_their_corners(notebook_path, performance, pytestconfig):
    faults, times = [], []
    most = OF_ALL if pytestconfig.getoption("--all") else CORNERS
    with matplotlib.rc_context(performance.style):
        for cell, figure in performance.live:
            own = []
            faults += [f"{cell}: {fault}" for fault in exercise(figure, own, most)]
            median = statistics.median(own) if own else 0.0
            print(f"{notebook_path.stem}, {cell}: {median:.0f} ms a redraw")
            if median > MILLISECONDS * SLACK:
                faults.append(f"{cell}: a redraw takes {median:.0f} ms of processor")
            times += own
    if times:
        print(f"{notebook_path.stem}: median {statistics.median(times):.0f} ms")
    report(notebook_path, faults)


def test_pictures_are_shown_and_closed(notebook_path, performance):
    faults = [f"{cell}: does not end in plt.show()" for cell in performance.unshown]
    report(notebook_path, faults)


def test_solutions_pass_their_checks(notebook_path, notebook, performance):
    faults = []
    for stub, check, solution in exercises(notebook):
        names, printed = dict(performance.before[label(stub)]), io.StringIO()
        source = "\n".join([*fenced_python(solution.source), check.source])
        with contextlib.redirect_stdout(printed):
            run_source(source, names, f"<{notebook_path.stem}: {label(solution)}>")
        if not re.search(r"^✓", printed.getvalue(), re.M) or "✗" in printed.getvalue():
            faults.append(f"{label(solution)}: {printed.getvalue().strip()}")
    report(notebook_path, faults)


MEANINGS = {  # what a label says: the role that its colour must have, in all notebooks
    r"data|ten people": "data",
    r"model|mixture|best q": "model",
    r"ELBO|bound F": "latent",
    r"log p(\(x\))?": "target",
    r"target|truth|p": "target",
    r"real( .*)?": "real",
    r"(fake|generated)( .*)?": "fake",
}


def test_a_colour_means_one_thing(notebook_path, performance):
    assert performance.colours, "no picture has a label"
    faults = [
        f"{cell}: {label!r} is drawn in {colour}, which is not that of {role}"
        for cell, label, colour in performance.colours
        for meaning, role in MEANINGS.items()
        if re.fullmatch(meaning, label) and colour != COLOUR[role].lower()
    ]
    report(notebook_path, faults)


def test_numbers_in_the_text(notebook_path, notebook, performance):
    found = numbers.faults(notebook, notebook_path.stem[:2], performance)
    report(notebook_path, found)


@pytest.mark.parametrize("kind", ["FloatSlider", "IntSlider", "Dropdown", "Checkbox"])
def test_every_kind_of_control_is_moved(kind):
    widgets = pytest.importorskip("ipywidgets")
    arguments = {"Dropdown": {"options": ["a", "b", "c"]}, "Checkbox": {"value": True}}
    control = getattr(widgets, kind)(**arguments.get(kind, {"min": 1, "max": 4}))
    low, high, middle = ends_and_middle(control)
    assert low != high
    for value in (low, high, middle):
        control.value = value
        assert control.value == value
