"""The shared pieces of the pictures: colours, curves, densities in the plane."""

import pytest
import torch
from matplotlib.patches import Circle
from torch.distributions import Normal

from course_utils import style
from course_utils.data import ring_of_gaussians

pytestmark = pytest.mark.usefixtures("course_style")


def test_every_role_has_its_own_colour():
    assert len(set(style.COLOUR.values())) == len(style.COLOUR)
    assert len(set(style.GROUPS)) == len(style.GROUPS)


def test_density_curve_is_the_density(ax):
    grid = torch.linspace(-3, 3, 50)
    line = style.plot_density(ax, Normal(0.0, 1.0), grid, label="model")
    torch.testing.assert_close(
        torch.as_tensor(line.get_ydata()), Normal(0.0, 1.0).log_prob(grid).exp()
    )
    assert line.get_color() == style.COLOUR["model"]


def test_density_2d_is_high_at_the_modes(ax):
    ring = ring_of_gaussians(sigma=0.4)
    contours = style.plot_density_2d(ax, ring, half_width=4)
    assert contours.levels[0] > 0
    assert ax.get_aspect() == 1.0
    style.plot_modes(ax, ring)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len({circle.center for circle in circles}) == 8
    assert {circle.radius for circle in circles} == {3 * 0.4}
