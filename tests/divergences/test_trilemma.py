"""The pictures of the trilemma: what they show."""

import math

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.coverage import mode_coverage
from course_utils.data import ring_of_gaussians
from course_utils.divergences import trilemma
from course_utils.style import COLOUR

pytestmark = pytest.mark.usefixtures("course_style")


def row(**changes):
    good = {"quality": trilemma.PERFECT, "strict": 8, "spread_mean": 1.0}
    good |= {"covered": trilemma.PERFECT}
    return good | {"reverse_kl": 0.0, "ms": 1.0} | changes


def test_samples_have_a_panel_each():
    ring = ring_of_gaussians()
    axes = Figure().subplots(1, 5)
    names = ("data", "even circle", "VAE", "plain GAN")
    drawn = {name: torch.zeros(5, 2) for name in names}
    trilemma.plot_samples(axes, ring, drawn)
    assert [ax.get_title(loc="left") for ax in axes] == [*drawn, ""]
    assert [len(ax.patches) for ax in axes] == [8, 8, 8, 8, 0]
    assert not axes[4].axison
    turn = torch.linspace(0, 6, 6000)  # a path: dots from all of it
    trilemma.plot_samples(axes, ring, {"path": torch.stack([turn, turn], dim=1)})
    assert axes[0].collections[-1].get_offsets()[:, 0].max() > 5.9
    colours = [trilemma.colour_of(name) for name in drawn]
    assert colours == [COLOUR[r] for r in ("data", "quiet", "model", "fake")]


@pytest.mark.parametrize(
    ("changes", "strict", "generous"),
    [
        ({}, (1, 1, 1), 1),
        ({"quality": 0.0, "covered": 0.0, "ms": 1000.0}, (0, 0, 0), 1),
        ({"reverse_kl": math.log(2), "ms": 10**1.5}, (1, 1, 0.5), 0.5),
        ({"ms": 0.1, "quality": 1.0, "covered": 1.0}, (1, 1, 1), 1),
        ({"ms": 9999.0, "covered": math.nan}, (1, 0, 0), 1),
        ({"reverse_kl": math.nan}, (1, 1, 1), 0),
        ({"strict": 0}, (1, 1, 1), 0),
        ({"strict": 6, "reverse_kl": 0.1, "covered": 0.5}, (1, 0.50562, 1), 0.75),
    ],
)
def test_corners(changes, strict, generous):
    keys = ("quality", "coverage", "speed")
    found = trilemma.corners_of(row(**changes))
    assert [found[key] for key in keys] == pytest.approx(strict, abs=1e-4)
    dashed = trilemma.corners_of(row(**changes), generous=True)
    assert dashed == found | {"coverage": pytest.approx(generous)}


def test_the_even_circle_has_full_coverage_by_the_generous_count_only():
    ring, angle = ring_of_gaussians(), 2 * math.pi * torch.arange(10_000) / 10_000
    circle = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    found = mode_coverage(circle, ring.centres, ring.sigma)
    numbers = {"quality": found.high_quality, "covered": found.covered}
    control = row(strict=found.strict, reverse_kl=found.reverse_kl, **numbers)
    assert trilemma.corners_of(control, generous=True)["coverage"] > 0.999
    assert trilemma.corners_of(control)["coverage"] < 0.4


def test_scores_and_triangles_show_every_model():
    rows = {"flow": [row(), row(ms=100.0)], "plain GAN": [row(strict=5)]}
    axes = Figure(figsize=(9.6, 4)).subplots(1, 4)
    trilemma.plot_scores(axes, rows | {"data": [row(quality=0.5), row(covered=0.7)]})
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [*rows, "data"]
    dashed = [line for line in axes[0].lines if line.get_linestyle() == "--"]
    assert dashed[0].get_xdata()[0] == pytest.approx(98.9, abs=0.02)
    covered = [line for line in axes[1].lines if line.get_marker() == "o"]
    assert list(covered[2].get_xdata()) == pytest.approx([98.9, 70], abs=0.02)
    assert axes[3].get_xscale() == "log"
    dots = [line for line in axes[3].lines if line.get_marker() == "o"]
    assert list(dots[0].get_xdata()) == [1.0, 100.0]
    axes = Figure().subplots(1, 3)
    trilemma.plot_triangles(axes, rows)
    assert [ax.get_title() for ax in axes] == ["flow", "plain GAN", ""]
    # the frame, and for each run its area, its edge and the dashed outline
    assert [len(ax.patches) for ax in axes] == [7, 4, 0]
    dashed = axes[1].patches[-1]
    assert dashed.get_linestyle() == "--"
    assert dashed.get_xy()[1][0] == pytest.approx(
        5 / 8 * trilemma.CORNERS["coverage"][0]
    )
    for ax in axes[:2]:
        assert sorted(t.get_text() for t in ax.texts) == sorted(trilemma.CORNERS)
