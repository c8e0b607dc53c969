"""The pictures of notebook 01 refuse nonsense by name, before they draw."""

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from course_utils.gaussian import pictures
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
X = [1.5, 1.625, 1.6875, 1.75]
GRID = [1.5, 1.625, 1.75, 1.875]
ONES = [1.0, 2.0, 1.5, 0.5]
TWO = MixtureSameFamily(
    Categorical(torch.tensor([0.5, 0.5])), Normal(torch.tensor([1.6, 1.7]), 0.05)
)
MEMBERS = [Normal(1.6, 0.04), Normal(1.7, 0.08)]
SIZES = [2, 3, 5, 10]
PICTURES = named(
    Picture(pictures.plot_family, {"members": MEMBERS, "x": X, "names": "AB"}, (1, 2)),
    Picture(pictures.plot_surface, {"x": X}),
    Picture(pictures.draw_likelihood, {"mu": 1.6, "sigma": 0.1, "x": X}, (1, 2)),
    Picture(pictures.plot_ascent, {"x": X, "path": [[1.5, 0.125], [1.625, 0.25]]}),
    Picture(pictures.draw_ascent, {"rate": 0.0001, "x": X}),
    Picture(pictures.draw_two_gaussians, {"mu": 0.0, "sigma": 2.0}, (1, 2)),
    Picture(
        pictures.plot_cross_entropy,
        {"mu_grid": GRID, "cross_entropy": ONES, "entropy": 0.5},
    ),
    Picture(pictures.draw_empirical, {"m": 3, "seed": 0, "mu": 1.7, "sigma": 0.1}),
    Picture(pictures.plot_spread, {"sizes": SIZES, "spread": ONES, "sigma": 0.1}),
    Picture(
        pictures.plot_bias, {"sizes": SIZES, "ratio": ONES, "standard_error": ONES}
    ),
    Picture(
        pictures.plot_posterior,
        {"grid": GRID, "prior": ONES, "posterior": ONES, "x": X},
    ),
    Picture(pictures.plot_histogram, {"x": X, "label": "data", "share": 0.5}),
    Picture(
        pictures.plot_groups,
        {"x": X, "first": [1, 0, 1, 0], "mixture": TWO, "grid": GRID},
    ),
    Picture(pictures.plot_hidden_states, {"hidden": [0, 1, 1, 0], "x": X}),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_lengths_must_agree(ax):
    refuses(
        lambda: pictures.plot_posterior(ax, GRID, ONES[:3], ONES, X),
        "prior must be of shape (n,), n = 4 as grid has, got shape (3,)",
    )
    refuses(lambda: pictures.plot_groups(ax, X, [1, 0], TWO, GRID), "first must be")
    assert not ax.has_data()


def test_heights_are_in_metres_and_differ(ax):
    refuses(lambda: pictures.plot_surface(ax, [165.0, 170.0]), "x must be in [0, 3]")
    refuses(lambda: pictures.plot_surface(ax, [0.5, 0.75]), "x must be heights in m")
    refuses(lambda: pictures.draw_ascent(ax, 1e-4, [1.7, 1.7]), "heights that differ")
    refuses(lambda: pictures.plot_histogram(ax, [1.0, 1.7]), "x must be in [1.4")
    pictures.plot_surface(ax, [1.6, 1.7])  # too few for the higher levels


def test_the_walk_takes_steps_of_a_size():
    for bad in (None, "1", -0.1, 1e300, float("nan")):
        refuses(lambda bad=bad: pictures.ascent_path(X, bad), "rate must")
    for bad in (None, (1.6,), (1.6, 0.0), ("a", 0.1), 3):
        refuses(lambda bad=bad: pictures.ascent_path(X, 1e-4, start=bad), "start")


def test_what_a_slider_gives_passes_the_same_gate(ax):
    update = pictures.draw_empirical(ax, 10, 0)
    for bad in (0, 2.5, None, "3"):
        refuses(lambda bad=bad: update(bad, 0), "m must be")
        refuses(lambda bad=bad: update(m=5, seed=bad if bad else -1), "seed must be")
