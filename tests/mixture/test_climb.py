"""The pictures of section 4: where the bound touches, and where it has its top."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.mixture import GaussianMixture, climb
from course_utils.mixture.marks import MARKERS, move_shares
from course_utils.mixture.pictures import plot_shares

GRID = torch.linspace(-4, 6, 201, dtype=torch.float64)


def family(theta):
    return GaussianMixture([0.5, 0.5], [[0.0], [theta]], [[[4.0]], [[1.0]]])


@pytest.mark.parametrize(("start", "iterations"), [(-3.0, 0), (2.0, 1), (5.0, 7)])
def test_the_bound_touches_log_p_and_its_top_is_the_next_mean(start, iterations):
    x = family(3.0).sample(60, generator=torch.Generator().manual_seed(0))
    ax = Figure().subplots()
    climb.draw_touch(ax, start, iterations, family, x, GRID.tolist())
    log_p, bound, lift, here, top = ax.lines
    heights = torch.as_tensor(log_p.get_ydata()), torch.as_tensor(bound.get_ydata())
    assert bool((heights[1] <= heights[0] + 1e-12).all())
    (theta,), (value,) = here.get_data()
    assert value == pytest.approx(family(theta).log_prob(x).mean().item())
    (after,), (highest,) = top.get_data()
    assert after == pytest.approx(climb.next_mean(family(theta), x))
    assert highest >= heights[1].max() - 1e-12  # no point of the grid is higher
    assert highest == pytest.approx(heights[1].max().item(), abs=1e-3)
    assert value - 1e-12 <= highest <= lift.get_ydata()[1] + 1e-12


def test_a_ring_says_doubt_and_a_marker_the_likeliest():
    ax, x = Figure().subplots(), torch.zeros(3, 2)
    shares = torch.tensor([[1.0, 0.0], [0.4, 0.6], [0.05, 0.95]]).double()
    points = plot_shares(ax, x, shares)
    assert list(points.get_linewidth()) == pytest.approx([0, 0.9, 0])
    first, second, third = points.get_paths()
    assert second is third and first is not second and MARKERS[0] != MARKERS[1]
    move_shares(points, shares.flip(1))
    assert points.get_paths()[0] is not points.get_paths()[2]
    assert list(points.get_linewidth()) == pytest.approx([0, 0.9, 0])
