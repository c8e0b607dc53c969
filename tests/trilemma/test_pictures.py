"""The pictures of the last comparison: what they show."""

import math

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.data import ring_of_gaussians
from course_utils.style import COLOUR
from course_utils.trilemma import pictures

pytestmark = pytest.mark.usefixtures("course_style")


def row(**changes):
    good = {"quality": pictures.PERFECT, "strict": 8, "spread_mean": 1.0}
    return good | {"reverse_kl": 0.0, "ms": 1.0} | changes


def test_samples_have_a_panel_each():
    ring = ring_of_gaussians()
    axes = Figure().subplots(1, 3)
    drawn = {name: torch.zeros(5, 2) for name in ("data", "VAE", "plain GAN")}
    pictures.plot_samples(axes, ring, drawn)
    assert [ax.get_title(loc="left") for ax in axes] == [*drawn]
    assert all(len(ax.patches) == 8 for ax in axes)
    colours = [pictures.colour_of(name) for name in drawn]
    assert colours == [COLOUR["data"], COLOUR["model"], COLOUR["fake"]]


def test_the_film_is_zoomed_and_says_so():
    ax = Figure().subplots()
    mode = torch.arange(6)
    begin = (1, 10.0, 30 * torch.ones(6, 2), mode)
    update = pictures.draw_walk(ax, begin, 32)
    assert ax.collections[0].get_offsets().max() < pictures.HALF_WIDTH * 1.5
    assert "σ = 10.00, shown 6.7 times smaller" in ax.get_title(loc="left")
    update((32, 0.005, torch.ones(6, 2), mode))
    assert ax.get_title(loc="left") == "step 32 of 32: σ = 0.005"


def test_steps_choose_their_samples():
    ring = ring_of_gaussians()
    drawn = {1: torch.zeros(3, 2), 2: torch.ones(3, 2)}
    found = {n: type("Found", (), {"high_quality": n / 10})() for n in drawn}
    ax = Figure().subplots()
    update = pictures.draw_steps(ax, 1, ring, drawn, found)
    assert ax.get_title(loc="left") == "1 step: 10 % near a mode"
    update(2)
    assert ax.get_title(loc="left") == "2 steps: 20 % near a mode"
    assert ax.collections[0].get_offsets().min() == 1


@pytest.mark.parametrize(
    ("changes", "corners"),
    [
        ({}, (1, 1, 1)),
        ({"quality": 0.0, "ms": 1000.0}, (0, 1, 0)),
        ({"reverse_kl": math.log(2), "ms": 10**1.5}, (1, 0.5, 0.5)),
        ({"ms": 0.1, "quality": 1.0}, (1, 1, 1)),
        ({"ms": 9999.0, "reverse_kl": math.nan}, (1, 0, 0)),
        ({"strict": 0}, (1, 0, 1)),
        ({"strict": 6, "reverse_kl": 0.1}, (1, 0.75, 1)),
    ],
)
def test_corners(changes, corners):
    found = pictures.corners_of(row(**changes))
    assert [found[key] for key in ("quality", "coverage", "speed")] == pytest.approx(
        corners
    )


def test_scores_and_triangles_show_every_model():
    rows = {"flow": [row(), row(ms=100.0)], "plain GAN": [row(strict=5)]}
    axes = Figure(figsize=(9.6, 4)).subplots(1, 4)
    pictures.plot_scores(axes, rows | {"data": [row(quality=0.5), row(quality=0.7)]})
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [*rows, "data"]
    dashed = [line for line in axes[0].lines if line.get_linestyle() == "--"]
    assert dashed[0].get_xdata()[0] == pytest.approx(60)
    assert axes[3].get_xscale() == "log"
    dots = [line for line in axes[3].lines if line.get_marker() == "o"]
    assert list(dots[0].get_xdata()) == [1.0, 100.0]
    axes = Figure().subplots(1, 3)
    pictures.plot_triangles(axes, rows)
    assert [ax.get_title() for ax in axes] == ["flow", "plain GAN", ""]
    assert len(axes[2].patches) == 1
    assert sorted(t.get_text() for t in axes[2].texts) == sorted(pictures.CORNERS)
