"""``explore`` and ``play``: pictures, updates, errors, and nothing left behind."""

import base64
import gc
import io
import math
import weakref

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.patches import Rectangle
from PIL import Image

from course_utils import interactive
from course_utils.interactive import explore, play, watch


def line(ax, height):
    """A picture without ``update``."""
    ax.plot([0, 1], [0, height])
    ax.set(ylim=(0, 5), title=f"{height:.1f}")


def moving_line(ax, height):
    """The same picture with ``update``: in front a legend, behind the ticks."""
    (artist,) = ax.plot([0, 1], [0, height], label="line")
    ax.fill_between([0, 1], [4, 4], zorder=0.1)
    ax.legend(loc="lower right", frameon=True)
    ax.set(ylim=(0, 5))

    def update(height):
        artist.set_ydata([0, height])
        ax.set_title(f"height {height:.1f}")

    update(height)
    return update


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("draw", [line, moving_line])
def test_a_slider_changes_the_picture(draw):
    figure = explore(draw, height=(0.0, 5.0, 0.5, 1.0))
    first = figure.image.value
    figure.controls["height"].value = 4.0
    assert figure.image.value != first
    figure.controls["height"].value = 1.0
    assert np.array_equal(pixels(figure.image.value), pixels(first))
    assert figure.error.value == ""


def test_update_and_a_fresh_drawing_give_the_same_pixels():
    figure = explore(moving_line, height=(0.0, 5.0, 0.5, 1.0))
    for height in (0.0, 5.0, 2.5):
        figure.controls["height"].value = height
        updated = pixels(figure.image.value)
        figure.redraw(fresh=True)
        assert np.array_equal(updated, pixels(figure.image.value))


def test_update_may_move_what_lay_in_the_background():
    """The kept background is drawn again when one of its artists changes."""

    def draw(ax, x):
        band = ax.add_patch(Rectangle((0, -1), 1, 2, zorder=0.2))
        (dot,) = ax.plot([0], [0], "o")
        ax.set(xlim=(0, 10), ylim=(-1, 1))

        def update(x):
            dot.set_xdata([x])
            if x >= 5:
                band.set_x(x - 3)
                ax.set_xlim(-1, 11)

        update(x)
        return update

    figure = explore(draw, x=(0, 10, 1, 0))
    for x in (2, 7):
        figure.controls["x"].value = x
        updated = pixels(figure.image.value)
        figure.redraw(fresh=True)
        assert np.array_equal(updated, pixels(figure.image.value))


def test_no_axes_pile_up_and_pyplot_sees_nothing():
    def with_a_second_scale(ax, height):
        ax.plot([0, 1], [0, height])
        ax.twinx().plot([0, 1], [height, 0])

    figure = explore(with_a_second_scale, height=(0.0, 5.0, 1.0, 1.0))
    for height in (2.0, 3.0, 4.0):
        figure.controls["height"].value = height
    assert len(figure._figure.axes) == 2
    assert plt.get_fignums() == []


def test_the_picture_travels_with_the_output():
    """IPython is asked, for ipywidgets 7 and 8 come to it by different methods."""
    figure = explore(line, height=(0.0, 5.0, 0.5, 1.0))
    bundle, _ = DisplayFormatter().format(figure)
    assert base64.b64decode(bundle["image/png"]) == figure.image.value
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == figure.model_id and view["version_major"] == 2
    assert bundle["text/plain"] == repr(figure) == "LiveFigure(height=1.0)"


def test_the_first_error_reaches_the_cell_and_a_later_one_is_shown():
    def fails_above_two(ax, height):
        if height > 2:
            raise ValueError(f"{height} is too high")

    with pytest.raises(ValueError, match=r"3\.0 is too high"):
        explore(fails_above_two, height=(0.0, 5.0, 0.5, 3.0))
    figure = explore(fails_above_two, height=(0.0, 5.0, 0.5, 1.0))
    figure.controls["height"].value = 4.0
    assert "ValueError: 4.0 is too high" in figure.error.value
    figure.controls["height"].value = 1.0
    assert figure.error.value == ""


def test_controls():
    def draw(axes, a, b, c, d, e, f):
        axes[1].set_title(f"{a} {b} {c} {d} {e} {f}")

    figure = explore(
        draw,
        panels=2,
        a=(0, 5, 1, 2),
        b=(0.0, 1.0, 0.01, 0.5),
        c=["first", "second"],
        d=True,
        e=widgets.IntText(7),
        f="a thin seven",
    )
    kinds = [type(control).__name__ for control in figure.controls.values()]
    assert kinds[:4] == ["IntSlider", "FloatSlider", "Dropdown", "Checkbox"]
    assert kinds[4:] == ["IntText", "Text"]
    values = {"a": 2, "b": 0.5, "c": "first", "d": True, "e": 7, "f": "a thin seven"}
    assert figure.values == values
    assert figure.controls["b"].readout_format == ".2f"


BAD_CONTROLS = [3, (0, 1), (0, 5, 1, 9), (0, 5, 0, 1), [], None]
BAD_CONTROLS += [(0, 5, 1, 2.5), (0.0, math.inf, 0.5, 1.0), (0.0, 5.0, math.inf, 1.0)]
BAD_CONTROLS += [(0.0, 1.0, 1e-320, 0.5), ("a", "b", "c", "d"), (0, 5, 1, math.nan)]


@pytest.mark.parametrize("bad", BAD_CONTROLS)
def test_a_bad_control_is_named(bad):
    with pytest.raises(ValueError, match="control 'height' must be"):
        explore(line, height=bad)


@pytest.mark.parametrize("panels", [0, 2.0, None])
def test_a_bad_number_of_panels_is_named(panels):
    with pytest.raises(ValueError, match="panels must be"):
        explore(line, panels=panels, height=(0.0, 5.0, 0.5, 1.0))


def test_draw_returns_nothing_or_a_function():
    def forgetful(ax, height):
        return ax.plot([0, height])

    with pytest.raises(TypeError, match=r"draw must return .* got a list"):
        explore(forgetful, height=(0.0, 5.0, 0.5, 1.0))


def test_the_text_of_an_error_is_shown_as_it_is():
    def draw(ax, height):
        assert height < 2, f"want <2>, got {type(height)}"

    figure = explore(draw, height=(0.0, 5.0, 1.0, 1.0))
    figure.controls["height"].value = 3.0
    assert "want &lt;2&gt;, got &lt;class" in figure.error.value


def interactive_models():
    """The ids of all widgets that are open."""
    from ipywidgets.widgets import widget

    if hasattr(widget, "_instances"):
        return list(widget._instances)
    return list(widgets.Widget.widgets)  # ipywidgets 7


class State:
    """What a film holds."""


def test_what_is_closed_is_free():
    before = set(interactive_models())
    states = [State(), State()]
    held = [weakref.ref(state) for state in states]
    film = play(states, lambda ax, state: ax.set_title("a state") and None)
    drawn = weakref.ref(film._figure)
    slider = explore(moving_line, height=(0.0, 5.0, 0.5, 1.0))
    film.close_all()
    slider.close_all()
    del states
    gc.collect()
    assert [state() for state in held] == [None, None]
    assert drawn() is None
    assert set(interactive_models()) <= before


def test_a_first_drawing_that_fails_leaves_no_widget():
    def broken(ax, height):
        raise RuntimeError("no picture")

    before = set(interactive_models())
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no picture"):
            explore(broken, height=(0.0, 5.0, 0.5, 1.0))
    assert set(interactive_models()) <= before


def test_a_typed_line_changes_the_picture_when_it_is_finished():
    def titled(ax, words):
        ax.set_title(words)

    figure = explore(titled, words="a thin seven")
    before = figure.image.value
    assert figure.controls["words"].continuous_update is False
    figure.controls["words"].value = "a wide zero"
    assert figure.image.value != before


def test_watch_shows_the_states_and_gives_them_back(monkeypatch):
    shown = []

    class Handle:
        def update(self, picture, raw, metadata):
            shown.append((picture, metadata["image/png"]["width"]))

    def display(picture, raw, metadata, display_id):
        shown.append((picture, metadata["image/png"]["width"]))
        return Handle()

    assert list(watch([1.0, 2.0], line)) == [1.0, 2.0]  # without a notebook
    assert shown == []
    monkeypatch.setattr(interactive, "get_ipython", lambda: True)
    monkeypatch.setattr(interactive, "display", display)
    assert list(watch([1.0, 2.0, 3.0], line, milliseconds=0)) == [1.0, 2.0, 3.0]
    first, *_, last = (base64.b64decode(p["image/png"]) for p, _ in shown)
    assert len(shown) == 4
    assert pixels(last).shape[1] == 1300
    assert pixels(last).shape[1] == 2 * shown[-1][1]  # sharp on the page
    assert (pixels(first) != pixels(last)).any()
    assert list(watch([], line)) == []


@pytest.mark.parametrize("draw", [line, moving_line])
def test_play_walks_over_states(draw):
    film = play([1.0, 2.0, 4.0], draw)
    assert film.values == {"step": 2}
    last = film.image.value
    film.controls["step"].value = 0
    assert film.image.value != last
    assert any(isinstance(child, widgets.Play) for child in film.children)
    assert play([1.0, 2.0], draw, start=0).values == {"step": 0}


def test_play_needs_states():
    with pytest.raises(ValueError, match="states is empty"):
        play([], line)


class FakeShell:
    """What IPython tells about the cell that runs."""

    def __init__(self):
        self.execution_count = 1

    def get_parent(self):
        return {"metadata": {"cellId": "surface"}}


def test_running_a_cell_again_closes_its_earlier_figures(monkeypatch):
    shell = FakeShell()
    monkeypatch.setattr(interactive, "get_ipython", lambda: shell)
    monkeypatch.setattr(interactive, "_shown", {})
    first = explore(line, height=(0.0, 5.0, 0.5, 1.0))
    second = explore(line, height=(0.0, 5.0, 0.5, 1.0))
    assert first.comm is not None and second.comm is not None
    shell.execution_count = 2
    explore(line, height=(0.0, 5.0, 0.5, 1.0))
    assert first.comm is None and second.comm is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("start", {"start": 2}),
        ("start", {"start": -1}),
        ("start", {"start": "0"}),
        ("start", {"start": 0.5}),
        ("milliseconds", {"milliseconds": None}),
        ("milliseconds", {"milliseconds": 0}),
        ("states", {"states": 3}),
        ("panels", {"panels": 0}),
    ],
)
def test_a_film_without_sense_is_named(name, options):
    before = set(interactive_models())
    with pytest.raises((ValueError, TypeError), match=f"{name} must be"):
        play(**{"states": [1.0, 2.0], "draw": line} | options)
    assert set(interactive_models()) <= before


def test_a_cell_run_twenty_times_keeps_one_film(monkeypatch):
    """IPython keeps each output; what hangs on a closed one must be free."""
    shell, kept, held, figures = FakeShell(), [], [], []
    monkeypatch.setattr(interactive, "get_ipython", lambda: shell)
    monkeypatch.setattr(interactive, "_shown", {})
    before = set(interactive_models())
    for run in range(20):
        shell.execution_count = run + 1
        states = [State(), State()]
        held.append(weakref.ref(states[0]))
        film = play(states, lambda ax, state: None)
        figures.append(weakref.ref(film._figure))
        kept.append(film)  # as Out does
        del states
    gc.collect()
    assert [state() is not None for state in held] == [False] * 19 + [True]
    assert [figure() is not None for figure in figures] == [False] * 19 + [True]
    assert all(film.image.value == b"" for film in kept[:-1])
    film.close_all()
    assert set(interactive_models()) <= before


def test_a_film_whose_first_picture_fails_leaves_no_widget():
    def broken(ax, state):
        raise RuntimeError("no picture")

    before = set(interactive_models())
    with pytest.raises(RuntimeError, match="no picture"):
        play([1.0, 2.0], broken)
    with pytest.raises(TypeError, match="draw must return"):
        play([1.0, 2.0], lambda ax, state: ax.plot([0, state]))
    assert set(interactive_models()) <= before
