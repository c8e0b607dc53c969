"""Sliders and films: ``explore`` and ``play`` redraw one figure and keep its picture.

``watch`` shows a training while it runs.

The figure is a PNG in an ipywidgets ``Image``, so nothing flickers and pyplot never
sees it. The picture also travels in the output of the cell: a reader without a kernel
sees it, and running the cell brings the sliders.
"""

import base64
import html
import io
import math
import time
from collections.abc import Iterable
from numbers import Integral, Real

import ipywidgets as widgets
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.spines import Spine
from PIL import Image

from course_utils.arguments import counts, finite, functions, positive, require

GREEK = {"mu": "μ", "sigma": "σ", "theta": "θ", "phi": "φ", "beta": "β", "rho": "ρ"}
_shown: dict[str, tuple[int, list]] = {}  # cell id -> (execution count, its figures)


def explore(draw, panels=1, figsize=None, **controls):
    """Show ``draw(ax, **values)`` under one slider (or menu, or box) per control.

    A control is ``(low, high, step, start)`` for a slider (of whole numbers when
    all four are), a list for a menu that starts at its first entry, ``True`` or
    ``False`` for a box, a text for a line to type in (it is read at Enter), or any
    ipywidget. With ``panels > 1``, ``ax`` is an array of axes in a row. ``draw`` is
    a pure function with fixed axis limits. It may return a function
    ``update(**values)`` that changes its artists in place, which is quicker; else
    the axes are cleared and drawn again. The layout is frozen after the first
    drawing, so ``draw`` makes no colour bar; say the scale in a title. An error in
    the first drawing reaches the cell; a later one is shown under the picture.
    """
    counts(panels=panels)
    built = {name: _as_widget(name, control) for name, control in controls.items()}
    return LiveFigure(draw, built, panels, figsize)


def play(states, draw, panels=1, figsize=None, milliseconds=200, start=None):
    """A film of ``draw(ax, state)`` over a list of states: play, pause, or drag.

    ``draw`` may return ``update(state)``, as in ``explore``. ``start`` is the index of
    the first picture (the one that readers without a kernel see), by default the last.
    """
    if not isinstance(states, Iterable):
        raise TypeError(f"states must be a list of states, got {states!r:.60}")
    states = list(states)
    if not states:
        raise ValueError("states is empty: there is nothing to play")
    last = len(states) - 1
    start = last if start is None else start
    counts(0, start=start)
    counts(milliseconds=milliseconds, panels=panels)
    if start > last:
        raise ValueError(f"start must be from 0 to {last}, got {start}")
    functions(draw=draw)
    slider = widgets.IntSlider(int(start), 0, last)
    slider.description = "picture"  # its number; a title says which step that is

    def draw_step(ax, step):
        update = draw(ax, states[step])
        # what is no function is left to LiveFigure, which says so
        return (lambda step: update(states[step])) if callable(update) else update

    figure = LiveFigure(draw_step, {"step": slider}, panels, figsize)
    # after the first drawing: if that fails, it leaves nothing behind
    button = widgets.Play(
        min=0, max=last, value=slider.value, interval=int(milliseconds)
    )
    link = widgets.jslink((button, "value"), (slider, "value"))
    figure.children = (button, *figure.children)
    figure.parts += [link, button]
    return figure


def watch(states, draw, figsize=(6.5, 3.8), milliseconds=300):
    """Go through ``states`` and show ``draw(ax, state)`` of the latest: work in sight.

    The picture is redrawn at most every so many ``milliseconds``, and stays at its
    last state. Outside of a notebook the states pass by, and nothing is shown.
    """
    functions(draw=draw)
    finite(milliseconds=milliseconds)
    require(milliseconds=(milliseconds, milliseconds >= 0, ">= 0"))
    _check_size(figsize)
    figure, shown, due = Figure(figsize=figsize, dpi=200, layout="constrained"), None, 0
    canvas, ax, state = FigureCanvasAgg(figure), figure.subplots(), None
    size = {"image/png": {"width": int(figsize[0] * 100)}}  # on the page: half of it

    def show():
        ax.clear()
        draw(ax, state)
        canvas.draw()
        stream = io.BytesIO()
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(
            stream, "png"
        )
        picture = {"image/png": base64.b64encode(stream.getvalue()).decode()}
        picture["text/plain"] = "<picture of the training>"
        if shown is None:
            return display(picture, raw=True, metadata=size, display_id=True)
        shown.update(picture, raw=True, metadata=size)
        return shown

    for state in states:
        if get_ipython() and time.monotonic() >= due:
            shown, due = show(), time.monotonic() + milliseconds / 1000
        yield state
    if shown is not None:
        show()


def _check_size(figsize) -> None:
    """Two positive numbers, in inches; else ``ValueError`` or ``TypeError``."""
    two = isinstance(figsize, tuple | list) and len(figsize) == 2
    require(figsize=(repr(figsize)[:60], two, "(width, height) in inches"))
    positive(**{"figsize[0]": figsize[0], "figsize[1]": figsize[1]})


class LiveFigure(widgets.VBox):
    """Controls above one picture. ``controls`` maps names to widgets."""

    def __init__(self, draw, controls, panels=1, figsize=None):
        counts(panels=panels)
        functions(draw=draw)
        if figsize is not None:
            _check_size(figsize)
        self.draw, self.controls, self._update = draw, controls, None
        size = (6.5, 3.8) if panels == 1 else (9.6, 3.8)
        size = size if figsize is None else figsize
        self._figure = Figure(figsize=size, dpi=100, layout="constrained")
        FigureCanvasAgg(self._figure)
        self._ax = self._figure.subplots(1, panels)
        self._front, self._back = [], None  # artists redrawn each time; all others
        self._own_axes = list(self._figure.axes)
        self.image = widgets.Image(format="png", layout={"max_width": "100%"})
        self.image.layout.width = f"{int(size[0] * 100)}px"
        self.error = widgets.HTML()
        super().__init__([*controls.values(), self.image, self.error])
        self.parts = [*self.children]  # what close_all closes
        self._replace_earlier_run()
        try:
            self.redraw(fresh=True)
        except BaseException:  # it reaches the cell, and leaves nothing behind
            self.close_all()
            raise
        self._figure.set_layout_engine("none")  # keep the layout of the first drawing
        for control in controls.values():
            control.observe(self._on_change, names="value")

    @property
    def values(self):
        """The present value of each control."""
        return {name: control.value for name, control in self.controls.items()}

    def redraw(self, fresh=False):
        """Draw the present values: by ``update`` if there is one, else from nothing."""
        if self._update is None or fresh:
            self._clear()
            self._update = self.draw(self._ax, **self.values)
            if not (self._update is None or callable(self._update)):
                raise TypeError(
                    "draw must return nothing, or a function update(**values), got a "
                    f"{type(self._update).__name__}"
                )
            self._figure.canvas.draw()
        else:
            self._update(**self.values)
            self._redraw_front()
        self.image.value = self.png()

    def png(self):
        """The figure as PNG bytes, a third quicker than by ``savefig``."""
        pixels = np.asarray(self._figure.canvas.buffer_rgba())
        stream = io.BytesIO()
        Image.fromarray(pixels).convert("RGB").save(stream, "png", compress_level=1)
        return stream.getvalue()

    def _redraw_front(self):
        """Redraw the changed artists and what lies in front of them.

        Ticks and labels cost more than half of a full redraw and seldom change: all
        that lies behind the changed artists is drawn once and kept as pixels.
        """
        canvas, axes = self._figure.canvas, self._figure.axes
        changed = [
            artist for ax in axes for artist in ax.get_children() if artist.stale
        ]
        if self._back is None or not set(changed) <= set(self._front):
            changed += self._front
            self._front = [artist for ax in axes for artist in _front_of(ax, changed)]
            for artist in self._front:
                artist.set_animated(True)  # left out of the next full drawing
            canvas.draw()
            self._back = canvas.copy_from_bbox(self._figure.bbox)
        canvas.restore_region(self._back)
        for artist in self._front:
            artist.draw(canvas.get_renderer())

    def _clear(self):
        for artist in self._front:
            artist.set_animated(False)
        self._front, self._back = [], None
        for ax in list(self._figure.axes):
            if ax in self._own_axes:
                ax.clear()
            else:
                ax.remove()

    def _on_change(self, change):
        try:
            self.redraw()
        except Exception as error:  # it would otherwise be seen in the log only
            told = html.escape(f"{type(error).__name__}: {error}")
            self.error.value = f"<pre>{told}</pre>"
        else:
            self.error.value = ""

    def _replace_earlier_run(self):
        """Close what an earlier run of the same cell has left, or memory would grow."""
        shell = get_ipython()
        parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
        cell = parent.get("metadata", {}).get("cellId")
        if cell is None:
            return
        run, figures = _shown.get(cell, (shell.execution_count, []))
        if run != shell.execution_count:
            for figure in figures:
                figure.close_all()
            figures = []
        _shown[cell] = (shell.execution_count, [*figures, self])

    def close_all(self):
        """Close this widget and all its parts, and let go of what they hold.

        The notebook keeps every output that a cell has shown; so the figure, the
        picture and ``draw`` (with the states of a film) must not hang on it.
        """
        for control in self.controls.values():
            control.unobserve_all()
        for part in (*self.parts, self):
            if isinstance(part, widgets.widget_link.Link):
                part.unlink()
                continue
            for name in ("layout", "style"):
                if (look := getattr(part, name, None)) is not None:
                    look.close()
            part.close()
        self._figure.clear()
        self.image.value = b""
        self.draw = self._update = self._figure = self._ax = self._back = None
        self._front, self._own_axes, self.parts = [], [], []

    def __repr__(self):
        values = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"LiveFigure({values})"

    # ipywidgets 7 displays by this method, and then the picture would be left out
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs):
        """The sliders, the picture and the text: a front end shows what it can."""
        return {
            "application/vnd.jupyter.widget-view+json": self.get_view_spec(),
            "image/png": base64.b64encode(self.image.value).decode(),
            "text/plain": repr(self),
        }


def _front_of(ax, changed):
    """The artists of ``ax`` from the lowest changed one upwards, in drawing order."""
    heights = [artist.zorder for artist in changed if artist.axes is ax]
    if not heights:
        return []
    hidden = () if ax.axison else (Spine, Axis)
    front = [
        artist
        for artist in ax.get_children()
        if artist is not ax.patch
        and artist.zorder >= min(heights)
        and not isinstance(artist, hidden)
    ]
    return sorted(front, key=lambda artist: artist.zorder)


def _as_widget(name, control):
    if isinstance(control, widgets.Widget):
        return control
    label = GREEK.get(name, name.replace("_", " "))
    if isinstance(control, bool):
        return widgets.Checkbox(control, description=label)
    if isinstance(control, str):  # not at each letter: half a word is no word
        text = widgets.Text(control, description=label, continuous_update=False)
        text.layout.width = "420px"
        return text
    if isinstance(control, list) and control:
        return widgets.Dropdown(options=control, description=label)
    if isinstance(control, tuple) and len(control) == 4:
        low, high, step, start = control
        if _makes_a_slider(low, high, step, start):
            whole = all(isinstance(number, Integral) for number in control)
            kind = widgets.IntSlider if whole else widgets.FloatSlider
            slider = kind(start, min=low, max=high, step=step, description=label)
            if not whole:
                slider.readout_format = f".{max(0, -int(np.floor(np.log10(step))))}f"
            slider.layout.width = "420px"
            return slider
    raise ValueError(
        f"control {name!r} must be (low, high, step, start) with low <= start <= high "
        "and step > 0 (start whole where the others are), a list, a bool, a text or an "
        f"ipywidget, got {control!r}"
    )


def _makes_a_slider(low, high, step, start) -> bool:
    """Numbers, in their order, with at most a million positions."""
    if not all(isinstance(v, Real) and math.isfinite(v) for v in (low, high, step)):
        return False
    if not (isinstance(start, Real) and low <= start <= high and step > 0):
        return False
    grid = all(isinstance(v, Integral) for v in (low, high, step))
    return (high - low) <= 1e6 * step and (not grid or isinstance(start, Integral))
