"""The pictures of notebook 03: what they draw."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Normal, Poisson

from course_utils.training import STYLE
from course_utils.variational import pictures
from course_utils.variational.amortized import PointsState
from course_utils.variational.oracles import GridModel


@pytest.fixture(autouse=True)
def course_style():
    """What ``setup`` brings in the notebook, whatever other tests have left."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    with plt.style.context(STYLE):
        yield
    torch.set_default_dtype(before)


def title(ax):
    return ax.get_title(loc="left")  # where the style of the course puts it


@pytest.fixture
def pair():
    return Figure().subplots(1, 2)


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


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.6])
def test_mean_field_ellipses(pair, rho):
    pictures.draw_mean_field(pair, rho)
    posterior, product = pair[0].patches
    assert posterior.width == pytest.approx(4 * math.sqrt(1 + abs(rho)))
    assert posterior.height == pytest.approx(4 * math.sqrt(1 - abs(rho)))
    assert product.width == pytest.approx(4 * math.sqrt(1 - rho**2))
    assert f"variance {1 - rho**2:.2f}" in title(pair[1])


def test_two_peaks_shows_the_fit_of_this_reading_and_start(ax):
    grid = torch.linspace(-8, 8, 801, dtype=torch.float64)
    model = GridModel(Normal(0.0, 1.0), lambda x, z: Normal(z, 1.0).log_prob(x), grid)
    readings, starts = torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 1.0])
    mean = torch.tensor([[0.0, 0.1], [0.2, 0.5]])
    elbo = model.log_prob(readings)[:, None] - torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    fits = PointsState(0, Normal(mean, 0.7), elbo)
    update = pictures.draw_two_peaks(ax, 0.0, -1.0, readings, starts, fits, model)
    assert "ends at +0.00, KL = 1.000" in title(ax)
    update(1.0, 1.0)
    assert "x = 1.00: q starts at +1.00, ends at +0.50, KL = 4.000" in title(ax)
    posterior, q = ax.lines[:2]
    top = posterior.get_xdata()[posterior.get_ydata().argmax()]
    assert top == pytest.approx(0.5, abs=0.011)  # prior and noise alike: half of x
    assert q.get_ydata().max() == pytest.approx(0.3989 / 0.7, rel=1e-3)


def test_inclusion_has_a_mark_for_each_item(ax):
    exact, mean_field = torch.tensor([0.5, 0.6]), torch.tensor([0.0, 1.0])
    pictures.plot_inclusion(ax, torch.tensor([0.3, 0.5]), mean_field, exact)
    assert [line.get_label() for line in ax.lines] == ["exact", "mean field"]
    assert ax.lines[1].get_ydata().tolist() == [0.0, 1.0]


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
