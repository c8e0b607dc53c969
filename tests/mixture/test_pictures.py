"""The pictures of notebook 02 show what they say (its sliders are tested elsewhere)."""

import math

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.mixture import GaussianMixture
from course_utils.mixture.marks import mix_colours
from course_utils.mixture.pictures import (
    mark_doubles,
    plot_components,
    plot_ellipses,
    two_bumps,
)
from tests.mixture.cases import close, random_mixture


@pytest.mark.parametrize("seed", range(5))
def test_an_ellipse_lies_at_its_mahalanobis_distance(seed):
    mixture = random_mixture(seed, 3, 2)
    drawn = plot_ellipses(Figure().subplots(), mixture, radii=(1, 2))
    for k, rings in enumerate(drawn):
        for radius, ring in zip((1, 2), rings, strict=True):
            turn = math.radians(ring.angle)
            t = torch.linspace(0, 2 * math.pi, 20, dtype=torch.float64)
            along, across = ring.width / 2 * t.cos(), ring.height / 2 * t.sin()
            x = along * math.cos(turn) - across * math.sin(turn)
            y = along * math.sin(turn) + across * math.cos(turn)
            offset = torch.stack([x, y], 1)
            square = (
                offset * torch.linalg.solve(mixture.covariances[k], offset.T).T
            ).sum(1)
            close(square, torch.full_like(square, radius**2))
            assert ring.get_center() == pytest.approx(mixture.means[k].tolist())


def test_the_last_curve_is_the_sum_of_the_bumps():
    grid = torch.linspace(-5, 8, 50, dtype=torch.float64)
    mixture = two_bumps(0.3, 2.0, 0.5)
    *bumps, total = plot_components(Figure().subplots(), mixture, grid)
    added = sum(torch.as_tensor(bump.get_ydata()) for bump in bumps)
    close(torch.as_tensor(total.get_ydata()), added)
    close(added, mixture.log_prob(grid[:, None]).exp())


def test_a_pure_share_has_the_pure_colour():
    pure = mix_colours(torch.eye(3, dtype=torch.float64))
    half = mix_colours(torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64))
    assert half[0] == pytest.approx((pure[0] + pure[1]) / 2)


def test_doubled_components_are_marked():
    """Two of four means lie close together, so one note is written."""
    means = [[2.0, 0.0], [2.1, 0.1], [-2.0, 0.0], [0.0, 2.0]]
    mixture = GaussianMixture([0.25] * 4, means, torch.eye(2).expand(4, 2, 2))
    ax = Figure().subplots()
    mark_doubles(ax, mixture)
    assert [note.get_text() for note in ax.texts] == ["2 here"]
    assert ax.texts[0].xy == pytest.approx((2.05, 0.05))
