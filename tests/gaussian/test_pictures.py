"""The pictures of notebook 01: what they draw, not how many pixels it has."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Normal

from course_utils.data import load_heights
from course_utils.gaussian import fit_gaussian, log_likelihood, pictures

pytestmark = pytest.mark.usefixtures("course_style")


def title(ax):
    return ax.get_title(loc="left")  # where the style of the course puts it


def test_likelihood_panel_says_the_log_likelihood():
    axes, x = Figure().subplots(1, 2), load_heights()
    update = pictures.draw_likelihood(axes, mu=1.65, sigma=0.08, x=x)
    assert f"{log_likelihood(x, 1.65, 0.08):.2f} nats" in title(axes[0])
    update(mu=1.683, sigma=0.054)
    assert f"{log_likelihood(x, 1.683, 0.054):.2f} nats" in title(axes[0])
    (sticks,) = axes[1].collections
    tops = [segment[1][1] for segment in sticks.get_segments()]
    expected = Normal(1.683, 0.054).log_prob(x).exp().tolist()
    assert tops == pytest.approx(expected)


def test_two_gaussians_panel_shows_both_divergences():
    axes = Figure().subplots(1, 2)
    update = pictures.draw_two_gaussians(axes, mu=0.0, sigma=2.0)
    assert [text.get_text() for text in axes[1].texts] == ["0.32", "0.81"]
    update(mu=3.0, sigma=0.5)
    assert [text.get_text() for text in axes[1].texts] == ["18.81", "4.82"]


def test_empirical_panel_tells_the_error_and_repeats_for_a_seed(ax):
    update = pictures.draw_empirical(ax, m=10, seed=0)
    first = title(ax)
    update(m=10, seed=1)
    assert title(ax) != first
    update(m=10, seed=0)
    assert title(ax) == first


def test_the_remaining_pictures_draw_their_data():
    x = load_heights()
    fit = fit_gaussian(x)
    axes = Figure().subplots(2, 4).flat
    pictures.plot_family(axes[0], [fit, Normal(1.7, 0.1)], x, names="AB")
    assert [line.get_linestyle() for line in axes[0].lines] == ["-", "--"]
    pictures.plot_ascent(axes[1], x, torch.tensor([[1.6, 0.12], [1.68, 0.06]]))
    assert list(axes[1].lines[0].get_xdata()) == pytest.approx([1.6, 1.68])
    grid = torch.linspace(-1, 1, 11)
    pictures.plot_cross_entropy(axes[2], grid, 2 + grid**2, torch.tensor(1.5))
    torch.testing.assert_close(
        torch.as_tensor(axes[2].lines[2].get_ydata()), 0.5 + grid**2
    )
    sizes = torch.tensor([4, 16])
    pictures.plot_spread(axes[3], sizes, torch.tensor([0.5, 0.25]), 1.0)
    assert list(axes[3].lines[0].get_ydata()) == [50, 25]  # centimetres
    pictures.plot_bias(axes[4], sizes, torch.tensor([0.75, 0.9]), torch.ones(2) / 100)
    m, ratio = (torch.as_tensor(data) for data in axes[4].lines[0].get_data())
    torch.testing.assert_close(ratio, (m - 1) / m)
    pictures.plot_histogram(axes[5], x)
    assert axes[5].get_xlabel() == "height (m)"
    hidden = torch.tensor([0, 1, 1, 0])
    pictures.plot_hidden_states(axes[6], hidden, torch.zeros(4))
    assert axes[6].images[0].get_array().tolist() == [[0, 1, 1, 0]]
    assert plt.get_fignums() == []
