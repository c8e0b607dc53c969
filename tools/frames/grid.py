"""Which positions of a control are recorded: values, never equally spaced indices.

A lone control keeps all its positions, and so do several while there are at most
``MANY`` combinations. Else ``TABLE`` says, by figure and control, a list of values or a
number: its multiples. The two ends and the start are always there; a list of one value
fixes a control.
"""

import math
from dataclasses import dataclass, replace
from itertools import product

import ipywidgets as widgets

from tools import NotebookError

MANY = 900
ALL = 0  # in the table: every position
DECADES = (1, 2, 3, 5, 7)
COUNTS = [n * 10**power for power in range(4) for n in DECADES]


def hundredths(*numbers: int) -> list[float]:
    """5, 10 → 0.05, 0.1: the very numbers that a slider has."""
    return [number / 100 for number in numbers]


TABLE = {
    "01-surface": {  # the summit, at σ about 0.05, is to be found
        "mu": ALL,
        "sigma": [
            0.036,
            *(n / 1000 for n in range(40, 62, 2)),
            *hundredths(*range(7, 15)),
        ],
    },
    "01-kl-slider": {"mu": 0.2, "sigma": ALL},  # equal at σ = 1, for every μ
    "01-empirical-slider": {"m": [*COUNTS, 4, 6, 8, 15, 40, 150, 400], "seed": ALL},
    "02-bumps-slider": {"weight": 0.1, "mean": 0.5, "sigma": [0.5, 0.7, 1.0, 1.5, 2.0]},
    "02-infinite-slider": {
        "components": [*COUNTS, 4, 6, 8, 15, 40, 60, 80, 150],
        "sigma": hundredths(6, 7, 8, 9, 10, 15, 20, 25, 30, 35, 40, 45),
    },
    "03-identity-slider": {  # the best is μ = 1.22, σ = 0.46; its half and its double
        "mu": ALL,
        "sigma": hundredths(
            *(20, 23, 25, 30, 35, *range(40, 53), 55, 60, 65, 70, 75, 85, 90, 92, 95)
        ),
    },
    "03-variance-slider": {
        "d": [*COUNTS, 4, 6, 8, 15, 25, 40, 60, 80],
        "constant": ALL,
    },
    "04-plane-slider": {"z1": 0.25, "z2": 0.25},
    "05-dirac-slider": {
        "step": ALL,
        "penalty": ALL,
        "momentum": [-0.1, 0.0, 0.1, 0.3, 0.5, 0.7],
    },
    "05-jsd-slider": {"mean": 0.5, "sigma": ALL},
    "06-fits-slider": {"separation": 0.5, "share": ALL, "width": 0.2},
    "07-phrase-menus": {"guidance": [1.0, 2.0, 3.0], "seed": [0]},
}
# a line to type in needs Python: these cells keep their picture, and name what moves
INSTEAD = {"phrase-box": "phrase-menus"}
# for pictures larger than ``pixels.EXACT_UP_TO``: where there are thousands of them
QUALITY = {"07-phrase-menus": 50}


@dataclass(frozen=True)
class Control:
    """The recorded positions of a control. ``kind`` is range, menu, box or play."""

    name: str
    kind: str
    label: str
    values: tuple
    labels: tuple[str, ...]
    start: int

    @property
    def shown(self) -> dict:
        """What a page needs to know."""
        known = ("kind", "label", "labels", "start")
        return {name: getattr(self, name) for name in known}

    def only(self, indices) -> "Control":
        """The same control with fewer positions; the start stays."""
        kept = sorted({*indices, self.start})
        return replace(
            self,
            values=tuple(self.values[i] for i in kept),
            labels=tuple(self.labels[i] for i in kept),
            start=kept.index(self.start),
        )


def controls_of(figure: str, built: dict) -> list[Control]:
    """The controls of a ``LiveFigure``, with the positions that are recorded.

    ``NotebookError`` if ``TABLE`` has to say more, or names what is no position.
    """
    controls = [_whole(name, widget) for name, widget in built.items()]
    table = TABLE.get(figure, {})
    controls = [_chosen(figure, c, table.get(c.name, ALL)) for c in controls]
    count = math.prod(len(c.values) for c in controls)
    if len(controls) > 1 and count > MANY and not table:
        raise NotebookError(
            f"{figure}: {count} positions; tools/frames/grid.py must say"
        )
    return controls


def combinations(controls: list[Control]) -> list[dict]:
    """All positions, the last control fastest: what the frames are, in their order."""
    names = [control.name for control in controls]
    every = product(*(control.values for control in controls))
    return [dict(zip(names, values, strict=True)) for values in every]


def _whole(name: str, widget: widgets.Widget) -> Control:
    """A control with all its positions, and each as it shows it."""
    label = widget.description or name
    if isinstance(widget, widgets.Checkbox):
        return Control(name, "box", label, (False, True), ("off", "on"), widget.value)
    if isinstance(widget, (widgets.Dropdown, widgets.SelectionSlider)):
        kind = "menu" if isinstance(widget, widgets.Dropdown) else "range"
        labels, values = zip(*widget._options_full, strict=True)
        labels = tuple(str(text) or "any" for text in labels)
        return Control(name, kind, label, values, labels, values.index(widget.value))
    if not isinstance(widget, (widgets.IntSlider, widgets.FloatSlider)):
        raise NotebookError(f"{name}: no frames for a {type(widget).__name__}")
    count = round((widget.max - widget.min) / widget.step) + 1
    values = [round(widget.min + i * widget.step, 10) for i in range(count)]
    shown = "d" if isinstance(widget, widgets.IntSlider) else widget.readout_format
    start = min(range(count), key=lambda i: abs(values[i] - widget.value))
    values[start] = widget.value
    labels = tuple(format(value, shown) for value in values)
    kind = "play" if name == "step" and label == "picture" else "range"  # of ``play``
    return Control(name, kind, label, tuple(values), labels, start)


def _chosen(figure: str, control: Control, wanted) -> Control:
    if wanted == ALL:
        return control
    values = control.values
    if isinstance(wanted, (int, float)):
        wanted = [v for v in values if abs(v / wanted - round(v / wanted)) < 1e-6]
    low, high = values[0], values[-1]
    wanted = [value for value in wanted if low <= value <= high]
    found = {i for i, v in enumerate(values) if any(abs(v - w) < 1e-9 for w in wanted)}
    if len(found) != len({round(value, 9) for value in wanted}):
        raise NotebookError(
            f"{figure}.{control.name}: not all of {wanted} are positions"
        )
    return control.only(found if len(wanted) == 1 else {*found, 0, len(values) - 1})
