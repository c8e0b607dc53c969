"""The pictures of digits: panels, dots, triangles, a phrase with its title."""

import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from course_utils.beyond import digit_pictures as pictures
from course_utils.beyond.words import parse
from course_utils.interactive import explore

pytestmark = pytest.mark.usefixtures("course_style")
REAL = {"confident": "0.96", "covered": "0.95", "ms": "nan", "d2": "3.4"}


def row(confident, covered, ms, d2=10.0, log_prob=math.nan):
    return {"confident": confident, "covered": covered, "ms": ms, "d2": d2} | {
        "log_prob": log_prob
    }


def axes_of(*shape):
    return Figure().subplots(*shape)


def test_a_sheet_for_each_prior():
    axes = axes_of(2, 2)
    drawn = {"one": torch.rand(10, 784), "two": torch.rand(10, 784)}
    pictures.plot_sheets(axes, drawn)
    titles = [ax.get_title(loc="left") for ax in axes.flatten()]
    assert titles == ["one", "two", "", ""]
    assert len(axes[0, 0].images) == 1


def test_a_sheet_that_sharpens_shows_what_there_is_now():
    shown = []
    draw = pictures.sharpening(lambda: shown.append(1) or torch.rand(20, 784))
    ax = axes_of()
    draw(ax, "step 3, loss 70.0")
    draw(ax, "step 4, loss 69.0")
    assert len(shown) == 2
    assert ax.get_title(loc="left") == "step 4, loss 69.0"


def test_thirds_have_their_words():
    axes = axes_of(1, 3)
    thirds = torch.arange(3).repeat(5)[:, None].expand(15, 3)
    pictures.plot_thirds(axes, torch.rand(15, 784), thirds)
    words = [text.get_text() for ax in axes for text in ax.texts]
    assert words[:3] == ["thin", "–", "thick"]
    assert words[3:6] == ["leaning left", "upright", "leaning right"]


def test_scores_show_every_seed_and_a_dash_for_what_is_missing():
    axes = axes_of(1, 4)
    rows = {"mixture": [row(0.9, 0.9, 20, 8, -14), row(0.8, 0.8, 30, 9, -15)]}
    rows["GAN"] = [row(0.6, 0.6, 20)]
    pictures.plot_scores(axes, rows)
    assert [text.get_text() for text in axes[2].texts] == ["–"]
    dots = [line for line in axes[0].lines if line.get_marker() == "o"]
    assert sorted(dots[0].get_xdata()) == [8, 9]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [*rows]


def test_corners_are_0_to_1():
    best = pictures.corners_of(row(0.96, 0.95, 15), REAL)
    assert [*best.values()] == pytest.approx([1, 1, 1])
    worst = pictures.corners_of(row(0, 0, 900), REAL)
    assert [*worst.values()] == [0, 0, 0]
    half = pictures.corners_of(row(0.48, 0.475, 4500**0.5), REAL)
    assert [*half.values()] == pytest.approx([0.5, 0.5, 0.5])
    axes = axes_of(1, 2)
    pictures.plot_triangles(axes, {"flow": [row(0.5, 0.5, 30)] * 2}, REAL)
    assert len(axes[0].patches) == 5  # the frame; for each seed a face and an edge
    assert len(axes[1].patches) == 0


def test_the_plane_follows_its_slider():
    samples = {0.0: torch.zeros(4, 2), 2.0: torch.ones(4, 2)}
    powers = {0.0: torch.rand(9, 9), 2.0: 5 * torch.rand(9, 9)}
    axes = axes_of(1, 2)
    update = pictures.draw_plane(axes, 0.0, samples, powers, torch.rand(3, 2))
    update(2.0)
    assert (axes[0].collections[0].get_offsets() == 1).all()
    assert np.allclose(axes[1].images[0].get_array(), powers[2.0])
    assert axes[0].get_title(loc="left").startswith("w = 2:")


def test_the_trade_has_two_curves():
    axes = axes_of(1, 2)
    pictures.plot_trade(axes, {0.0: (0.6, 12.0), 1.0: (0.95, 9.0)})
    assert list(axes[0].lines[0].get_ydata()) == pytest.approx([60, 95])
    assert list(axes[1].lines[0].get_ydata()) == [12, 9]


def test_a_typed_phrase_is_painted_and_unknown_words_are_named():
    asked = []

    def paint(bag, guidance, seed):
        asked.append((bag, guidance, seed))
        return torch.rand(20, 784)

    def draw(ax, words, guidance):
        bag, unknown = parse(words)
        pictures.phrase(ax, paint, bag, unknown, guidance, seed=3)

    figure = explore(draw, words="a thin seven", guidance=(0.0, 4.0, 0.5, 1.0))
    figure.controls["words"].value = "a purple zero"
    title = figure._ax.get_title(loc="left")
    assert title == "a zero  (w = 1, seed 3); I do not know: purple"
    assert len(asked) == 2
    assert figure.error.value == ""
