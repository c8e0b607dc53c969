"""The pictures of notebook 02 refuse nonsense by name, before they draw."""

from types import SimpleNamespace

import pytest

from course_utils.mixture import GaussianMixture, climb, pictures, shapes
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
X = [[0.0, 0.5], [1.0, 0.0], [3.0, 2.5], [4.0, 3.0]]
R = [[1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0]]
PLANE = GaussianMixture([0.5, 0.5], [[0.0, 0.0], [3.0, 3.0]], [[[1, 0], [0, 1]]] * 2)
LINE = GaussianMixture([0.5, 0.5], [[1.6], [1.8]], [[[0.01]]] * 2)
GRID = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
HEIGHTS = [1.5, 1.625, 1.75, 1.875]
ENDS = {name: [SimpleNamespace(log_likelihood=-1.0)] for name in ("a", "b")}
CHOICE = {"ks": [1, 2], "training": [1.0, 2.0], "criterion": [3.0, 2.5]}
CHOICE |= {"held_out": [[1.0, 2.0, 3.0], [2.0, 3.0, 3.0]], "title": "x"}
FITS = {1: (LINE, 0.5), 2: (LINE, 0.25)}
FRAME = ("E-step", PLANE, R, -3.0, -3.5)
PICTURES = named(
    Picture(pictures.plot_groups, {"x": X, "z": [0, 1, 1, 0]}),
    Picture(pictures.plot_shares, {"x": X, "r": R}),
    Picture(pictures.plot_ellipses, {"mixture": PLANE, "radii": [1, 2]}),
    Picture(pictures.plot_components, {"mixture": LINE, "grid": GRID}),
    Picture(pictures.draw_two_bumps, {"weight": 0.5, "mean": 3.0, "sigma": 1.0}),
    Picture(pictures.draw_inference, {"x": 1.7, "mixture": LINE}, (1, 2)),
    Picture(
        pictures.draw_spike,
        {"log10_sigma": -2.0, "x": HEIGHTS, "tallest": 1.875, "weight": 0.25},
        (1, 2),
    ),
    Picture(pictures.plot_ends, {"ends": ENDS, "edges": GRID}),
    Picture(pictures.mark_doubles, {"mixture": PLANE, "near": 0.5}),
    Picture(pictures.plot_choice, CHOICE, (1, 2), free=("criterion column",)),
    Picture(
        pictures.plot_found_groups,
        {"mixture": LINE, "height": HEIGHTS, "female": [1, 0, 1, 0]},
        (1, 2),
    ),
    Picture(
        pictures.plot_digits,
        {"prototypes": [[0.25] * 784, [0.5] * 784], "weights": [0.25, 0.75]},
        (1, 2),
    ),
    Picture(
        shapes.draw_approximation,
        {"k": 1, "fits": FITS, "grid": GRID, "target": GRID},
        (1, 2),
    ),
    Picture(
        shapes.draw_shape,
        {"k": 2, "fits": {2: PLANE}, "x": X, "half_width": 3.0},
        (1, 2),
    ),
    Picture(
        shapes.draw_infinite,
        {
            "components": 4,
            "sigma": 0.5,
            "curve": lambda z: z[:, None].expand(-1, 2),
            "half_width": 3.0,
        },
        (1, 2),
    ),
    Picture(
        climb.draw_touch,
        {
            "start": 1.5,
            "iterations": 1,
            "family": lambda theta: LINE,
            "x": [[1.5], [1.75]],
            "grid": [1.0, 1.5, 2.0],
        },
        free=("grid column",),
    ),
    Picture(climb.draw_half_step, {"step": 1, "film": [FRAME, FRAME], "x": X}, (1, 2)),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_marks_and_mixtures_fit_the_picture(ax):
    refuses(lambda: pictures.plot_groups(ax, X, [0, 1, 9, 0]), "z must be in [0, 5]")
    refuses(lambda: pictures.plot_shares(ax, X, R[:3]), "r must be of shape")
    refuses(lambda: pictures.plot_ellipses(ax, LINE), "mixture must be of d = 2")
    refuses(lambda: pictures.plot_components(ax, PLANE, GRID), "must be of d = 1")
    lines = pictures.plot_components(ax, LINE, GRID)
    refuses(lambda: pictures.move_components(lines[:1], LINE, GRID), "lines must be")
    rings = pictures.plot_ellipses(ax, PLANE)
    refuses(lambda: pictures.move_ellipses(rings[:1], PLANE), "drawn must be 2")
    refuses(lambda: pictures.name_plane([None]), "axes must be")
    refuses(lambda: pictures.name_plane([ax], 3), "letter must be")
