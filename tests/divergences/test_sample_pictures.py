"""The pictures of notebook 06, section 6: what they show."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.divergences import sample_pictures as pictures
from course_utils.divergences.mmd import TwoSampleTest

pytestmark = pytest.mark.usefixtures("course_style")


def test_the_climb_shows_both_curves_and_the_truth():
    axes = Figure().subplots(1, 2)
    climb = torch.tensor([[0.0, 0.1, 0.2], [0.0, 0.1, 0.15]])
    pictures.plot_climb(axes, {"few": climb, "many": climb}, 0.18)
    for ax, title in zip(axes, ("few", "many"), strict=True):
        assert ax.get_title(loc="left") == title
        assert ax.lines[0].get_xydata()[-1].tolist() == pytest.approx([3, 0.2])
        assert ax.lines[1].get_ydata()[-1] == pytest.approx(0.15)
        assert ax.lines[2].get_ydata()[0] == pytest.approx(0.18)


def test_estimates_lie_where_they_are():
    axes = Figure().subplots(1, 2)
    runs = torch.tensor([[1.0, 3.0], [2.0, 2.2]])
    jsd = {"seen": runs, "fresh": runs / 2}
    pictures.plot_estimates(axes, [10, 100], runs, 2.0, jsd, 1.0)
    means = axes[0].containers[0].lines[0].get_ydata().tolist()
    assert means == pytest.approx([2.0, 2.1])
    assert [text.get_text() for text in axes[0].get_xticklabels()] == ["10", "100"]
    assert len(axes[1].containers) == 2


def test_the_permutation_shows_both():
    axes = Figure().subplots(1, 2)
    test = TwoSampleTest(0.3, torch.linspace(-0.1, 0.1, 50), 0.02)
    pictures.plot_permutation(axes, {"one": test, "other": test})
    assert axes[0].lines[0].get_xdata()[0] == 0.3
    assert axes[1].get_title(loc="left") == "other: p-value 0.020"
