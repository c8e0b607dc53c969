"""Pieces of recorded figures: paths, ids, dots, pictures, texts, rows of numbers."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline

from tools.frames.dots import circled, joined, markers
from tools.frames.markup import path_data
from tools.frames.pixels import Pictures
from tools.frames.recorder import Recorder
from tools.frames.renderer import Renderer

PLACES = st.lists(
    st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=2, max_size=40
)


def new_figure(panels=1):
    figure = Figure(figsize=(4.8 * panels, 3.8), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels)
    for ax in figure.axes:
        ax.set(xlim=(0, 1), ylim=(0, 1))
    return figure, axes


def recorded(figure, moves, prefix="a"):
    """The frames of a figure after each of some moves."""
    figure.canvas.draw()
    recorder = Recorder(prefix)
    recorder.start(figure, list(figure.axes))
    for move in moves:
        move()
        recorder.add()
    return recorder.finish()


def ends_of(path):
    """Where the steps of a path of lines end."""
    first, *steps = re.findall(r"[Ml][^Mlz]*", path)
    numbers = [re.findall(r"-?(?:\d+\.?\d*|\.\d+)", s) for s in (first, *steps)]
    return np.cumsum(np.array(numbers, float), axis=0)


@given(PLACES)
def test_no_rounding_adds_up_along_a_path(places):
    codes = [Outline.MOVETO, *[Outline.LINETO] * (len(places) - 1)]
    found = ends_of(path_data(zip(places, codes, strict=True)))
    size = np.ptp(places, axis=0).max()
    half = 0.005 if size < 20 else 0.05
    assert np.allclose(found[0], places[0], atol=half + 1e-6)
    assert np.allclose(found[-1], places[-1], atol=half + 1e-6)


def test_points_on_a_straight_line_are_left_out():
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3]
    places = [(0, 0), (10, 10), (30, 30), (30, 90)]
    assert path_data(zip(places, codes, strict=True)) == "M0 0l30 30l0 60"


def test_a_look_that_repeats_is_stored_once():
    figure, ax = new_figure()
    (line,) = ax.plot([0, 1], [0, 1])
    heights = [0.2, 0.5, 0.2]
    data = recorded(figure, [lambda h=h: line.set_ydata([0, h]) for h in heights])
    assert len(data["slots"]) == 1
    assert data["rows"][0] == data["rows"][2] != data["rows"][1]
    assert len(data["table"]) == len(set(data["table"]))


def test_only_what_changes_is_in_the_rows_and_limits_move_all():
    figure, ax = new_figure()
    ax.plot([0, 1], [0, 1])
    ax.set_title("0")
    ticks = recorded(figure, [lambda: None, lambda: ax.set_title("1")])
    assert len(ticks["slots"]) == 1
    figure, ax = new_figure()
    ax.plot([0, 1], [0, 1])
    wider = recorded(figure, [lambda: None, lambda: ax.set_xlim(0, 2)])
    assert len(wider["slots"]) == 2  # the line and the axis below it


def test_an_unnoticed_change_is_found():
    figure, ax = new_figure()
    (line,) = ax.plot([0, 1], [0, 1])
    figure.canvas.draw()
    recorder = Recorder("a")
    recorder.start(figure, [ax])
    recorder.add()
    assert recorder.agrees(0)
    line.set_ydata([1, 0])
    line.stale = False
    assert not recorder.agrees(0)


def test_ids_are_defined_and_two_figures_share_none():
    texts = []
    for prefix in ("a", "b"):
        figure, ax = new_figure()
        ax.bar([0.5], [0.5], hatch="//")
        ax.scatter([0.2, 0.8], [0.2, 0.8], marker="*")
        ax.set_title("σ = 1 and $x^2$")
        data = recorded(figure, [lambda: None], prefix)
        texts.append(data["defs"] + "".join(data["table"]))
    used = [set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) for text in texts]
    known = [set(re.findall(r' id="([^"]+)"', text)) for text in texts]
    assert all(found and found <= ids for found, ids in zip(used, known, strict=True))
    assert not known[0] & known[1]
    for text, ids in zip(texts, known, strict=True):
        assert len(ids) == len(re.findall(r' id="', text))


def test_a_hatch_is_a_pattern_that_its_bar_finds():
    figure, ax = new_figure()
    ax.bar([0.5], [0.5], hatch="//")
    data = recorded(figure, [lambda: None])
    (pattern,) = re.findall(r'<pattern id="([^"]+)"', data["defs"])
    assert any(f"fill:url(#{pattern})" in piece for piece in data["table"])


def test_a_picture_is_stored_once_and_keeps_its_pixels():
    figure, axes = new_figure(2)
    grey = np.arange(16).reshape(4, 4)
    for ax in axes:
        image = ax.imshow(grey, extent=(0, 1, 0, 1))
    moves = [lambda: None, lambda: image.set_data(grey.T)]
    data = recorded(figure, moves)
    assert len(data["images"]) == 2
    shown = [piece for piece in data["table"] if "<image" in piece]
    assert all('width="4" height="4"' in piece for piece in shown)
    assert {number for p in shown for number in re.findall("@(.);", p)} == {"0", "1"}


def test_large_pictures_may_lose_something_small_ones_nothing():
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 4), np.uint8)
    noise[..., 3] = 255
    pictures = Pictures(quality=50)
    assert [pictures.add(noise[:9, :9]), pictures.add(noise)] == ["@0;", "@1;"]
    assert pictures.add(noise.copy()) == "@1;"
    small, large = pictures.addresses
    assert small.startswith("data:image/webp") and large.startswith("data:image/avif")


def test_texts_are_as_long_as_in_the_notebook():
    renderer, prop = Renderer(400, 300, "a"), FontProperties(size=11)
    figure, _ = new_figure()
    agg = figure.canvas.get_renderer()
    for text in ("expected, over P", "$x^2 + \\mu$"):
        wanted = agg.get_text_width_height_descent(text, prop, text[0] == "$")
        found = renderer.get_text_width_height_descent(text, prop, text[0] == "$")
        assert np.allclose(np.array(found) * 100 / 72, wanted)


def dots_of(places, opacity):
    figure, ax = new_figure()
    style = {"s": 60, "alpha": opacity, "linewidth": 0, "color": "#0072B2"}
    ax.scatter(*np.array(places).T, **style)
    pieces = recorded(figure, [lambda: None])["table"]
    return [path for p in pieces for path in re.findall("<path[^>]*round[^>]*>", p)]


def test_dots_that_touch_darken_each_other_only_if_they_are_translucent():
    apart = [(0.1 * i, 0.1) for i in range(1, 10)]
    assert len(dots_of(apart, 0.5)) == 1
    assert len(dots_of([*apart, (0.1, 0.1)], 0.5)) == 2
    assert len(dots_of([*apart, (0.1, 0.1)], 1)) == 1


def test_a_few_round_markers_are_circles_and_stars_are_joined():
    round_one = "M0 3" + "c.8 0 1.56 -.32 2.12 -.88c.56 -.56 .88 -1.32 .88 -2.12"
    quarters = ["c0 -.8 -.32 -1.56 -.88 -2.12", "c-.56 -.56 -1.32 -.88 -2.12 -.88"]
    quarters += ["c-.8 0 -1.56 .32 -2.12 .88", "c-.56 .56 -.88 1.32 -.88 2.12"]
    quarters += ["c0 .8 .32 1.56 .88 2.12", "c.56 .56 1.32 .88 2.12 .88"]
    path = (round_one + "".join(quarters) + "z").replace(" -", "-")
    shapes = markers([f'<path id="m" d="{path}"/>', '<path id="s" d="M0 -3l2 6z"/>'])
    assert shapes["m"][1] == 3 and shapes["s"][1] is None
    use = '<use href="#{}" x="{}" y="5" style="fill:#112233"/>'
    circles = circled(use.format("m", 1) + use.format("m", 9), shapes)
    assert circles.count("<circle") == 2 and circles.count("<g") == 1
    stars = circled(use.format("s", 1) + use.format("s", 9), shapes)
    assert stars.count("<path") == 1 and stars.count("M") == 2


def test_groups_and_opaque_paths_are_joined_translucent_paths_are_not():
    line = '<path d="M0 0l1 1" style="fill:none;stroke:#112233{}"/>'
    group = '<g clip-path="url(#c)">{}</g>'
    solid, faint = line.format(""), line.format(";stroke-opacity:.5")
    assert joined(group.format(solid) * 2).count("<path") == 1
    assert joined(group.format(faint) * 2).count("<path") == 2
    assert joined(group.format(faint) * 2).count("<g") == 1
    assert joined(group.format("").replace("></g>", "/>")) == ""


def test_artists_know_their_panel_and_the_cut_lies_between():
    figure, axes = new_figure(2)
    for ax in axes:
        ax.set_ylabel("a label")
    twin = axes[1].twinx()
    twin.plot([0, 1], [0, 1])
    figure.canvas.draw()
    recorder = Recorder("a")
    recorder.start(figure, list(axes))
    recorder.add()
    data = recorder.finish()
    (cut,) = data["cuts"]
    assert axes[0].bbox.x1 < cut < axes[1].bbox.x0
    assert data["panels"] == sorted(data["panels"])
    counts = [data["panels"].count(panel) for panel in (0, 1)]
    assert counts[1] > counts[0] > 0
    json.dumps(data)


def test_shaded_triangles_are_refused():
    figure, ax = new_figure()
    ax.tripcolor([0, 1, 0], [0, 0, 1], [0, 1, 2], shading="gouraud")
    with pytest.raises(NotImplementedError, match="Gouraud"):
        recorded(figure, [lambda: None])
