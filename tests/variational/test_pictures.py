"""The pictures of notebook 03, but for sections 5 and 6: what they draw."""

import math

import pytest
import torch
from torch.distributions import Normal, Poisson

from course_utils.variational import pictures
from course_utils.variational.oracles import GridModel
from tests.performing import title

pytestmark = pytest.mark.usefixtures("notebook_defaults")


def test_jensen_shows_both_sides_of_the_inequality(ax):
    pictures.draw_jensen(ax, share=0.5, low=1.0, high=math.e**2)
    outside = math.log((1 + math.e**2) / 2)
    assert "share 0.50" in title(ax)
    assert f"log E[w] = {outside:.3f}, E[log w] = 1.000" in title(ax)
    gap = next(line for line in ax.lines if line.get_label() == "gap")
    assert gap.get_ydata() == pytest.approx([1.0, outside])


def test_identity_bars_end_at_log_p(pair):
    grid = torch.linspace(-8, 8, 801, dtype=torch.float64)
    model = GridModel(Normal(0.0, 1.0), lambda x, z: Poisson(z.exp()).log_prob(x), grid)
    x = torch.tensor(5.0, dtype=torch.float64)
    update = pictures.draw_identity(pair, 0.5, 0.5, model, x)
    for mu, sigma in [(1.22, 0.46), (0.0, 0.15), (2.0, 1.0)]:
        update(mu, sigma)
        below, gap = pair[1].patches
        top = gap.get_y() + gap.get_height()
        assert top == pytest.approx(model.log_prob(x).item())
        assert below.get_y() + below.get_height() == pytest.approx(gap.get_y())
        assert below.get_height() > 0.5  # the bar never vanishes


def test_gap_bars_are_stacked(ax):
    names, gaps = ["a", "b"], torch.tensor([0.5, 0.1])
    pictures.plot_gaps(ax, names, torch.tensor(0.2), gaps, gaps / 10)
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert tops == pytest.approx([0.2, 0.2, 0.7, 0.3])


def test_an_encoder_is_shown_at_the_direction_of_x(pair):
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    q = Normal(torch.tensor([0.1, 0.7], requires_grad=True), torch.tensor([0.2, 0.3]))
    pictures.plot_encoder(pair, [-4.0, -3.0], x, q)
    left, right = pair
    assert left.lines[0].get_ydata().tolist() == [-4.0, -3.0]
    (bars,) = right.containers
    dots, _, (widths,) = bars.lines
    assert dots.get_xdata() == pytest.approx([0.0, math.pi / 2], abs=1e-6)
    assert dots.get_ydata() == pytest.approx([0.1, 0.7])
    low, high = widths.get_segments()[1][:, 1]
    assert high - low == pytest.approx(4 * 0.3)
    lines = [line.get_ydata() for line in right.lines if line is not dots]
    assert [sum(line) / 2 for line in lines] == pytest.approx([-math.pi, 0, math.pi])
