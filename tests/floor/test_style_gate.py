"""The shared pieces of the pictures refuse nonsense by name, before they draw."""

import math

import pytest
import torch
from torch.distributions import Exponential, MultivariateNormal, Normal

from course_utils import style
from course_utils.data import ring_of_gaussians
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
X, PLANE, RING = [0.5, 1.0, 2.0], [[0.0, 1.0], [2.0, 0.5]], ring_of_gaussians()
ROUND = MultivariateNormal(torch.zeros(2), torch.eye(2))
PICTURES = named(
    Picture(style.plot_density, {"density": Normal(0.0, 1.0), "grid": X}),
    Picture(style.plot_rug, {"x": X, "role": "data", "height": 0.1}),
    Picture(style.plot_points, {"x": PLANE, "role": "model"}),
    Picture(style.plot_density_2d, {"density": ROUND, "half_width": 3.0, "n": 5}),
    Picture(style.plot_modes, {"modes": RING, "role": "real"}),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_a_density_is_drawn_outside_of_its_support_and_whole_numbers_are_named(ax):
    line = style.plot_density(ax, Exponential(1.0), [-1.0, 0.5])
    assert line.get_ydata()[0] == 0
    whole = Normal(torch.tensor(0), torch.tensor(1))
    refuses(lambda: style.plot_density(ax, whole, X), "loc of density must be")
    many = Normal(torch.zeros(3), 1.0)
    refuses(lambda: style.plot_density(ax, many, X[:1]), "density.log_prob must return")
    far = MultivariateNormal(torch.full((2,), 1e3), torch.eye(2))
    refuses(lambda: style.plot_density_2d(ax, far, 3.0), "density must be above 0")
    for bad in (None, 0.0, math.inf, "3"):
        refuses(lambda bad=bad: style.grid_2d(bad), "half_width must be")
    refuses(lambda: style.grid_2d(1.0, 1), "n must be at least 2")
