"""The pictures of notebook 01: what they draw, not how many pixels it has."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Categorical, MixtureSameFamily, Normal

from course_utils.data import load_heights
from course_utils.gaussian import fit_gaussian, log_likelihood, pictures
from tests.performing import title

pytestmark = pytest.mark.usefixtures("course_style")


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


def test_ascent_follows_the_gradient_and_says_where_it_ends(ax):
    x = load_heights()
    path = pictures.ascent_path(x, rate=1e-4, steps=5)
    theta = path[0]
    for place in path:
        torch.testing.assert_close(place, theta, rtol=1e-12, atol=1e-12)
        theta = theta.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(log_likelihood(x, *theta), theta)
        theta = (theta + 1e-4 * gradient).detach()
    assert len(pictures.ascent_path(x, rate=1.0)) < 81  # a step to σ ≤ 0 ends it
    update = pictures.draw_ascent(ax, rate=1e-4, x=x)
    assert "0.00 to 0.00 nats" in title(ax) and "outside" not in title(ax)
    update(rate=1e-3)
    assert "outside" in title(ax)
    assert len(ax.lines[0].get_xdata()) == 81


def test_posterior_picture_shows_both_beliefs_and_the_data(ax):
    grid, x = torch.linspace(1.4, 2, 11), load_heights()
    pictures.plot_posterior(ax, grid, 0 * grid, 1 + 0 * grid, x)
    styles = {line.get_label(): line.get_linestyle() for line in ax.lines}
    assert list(styles.values()) == ["--", "-", ":"]
    assert len(ax.collections[0].get_segments()) == len(x)


def test_groups_add_up_to_the_whole_histogram():
    x = torch.tensor([1.5, 1.6, 1.61, 1.7, 1.8], dtype=torch.float64)
    first = torch.tensor([True, True, True, False, False])
    parts = Normal(torch.tensor([1.57, 1.75], dtype=torch.float64), 0.05)
    weights = Categorical(torch.tensor([0.6, 0.4], dtype=torch.float64))
    grid = torch.linspace(1.2, 2.2, 201, dtype=torch.float64)
    whole, groups = Figure().subplots(1, 2)
    pictures.plot_histogram(whole, x)
    mixture = MixtureSameFamily(weights, parts)
    pictures.plot_groups(groups, x, first, mixture, grid)
    bars = [[bar.get_height() for bar in each] for each in groups.containers]
    together = [a + b for a, b in zip(*bars, strict=True)]
    assert together == pytest.approx([bar.get_height() for bar in whole.containers[0]])
    curves = sum(torch.as_tensor(line.get_ydata()) for line in groups.lines)
    torch.testing.assert_close(curves, mixture.log_prob(grid).exp())


def test_the_remaining_pictures_draw_their_data():
    x = load_heights()
    fit = fit_gaussian(x)
    axes = Figure().subplots(2, 4).flat
    pictures.plot_family([axes[0], axes[7]], [fit, Normal(1.7, 0.1)], x, names="AB")
    assert [ax.lines[0].get_linestyle() for ax in (axes[0], axes[7])] == ["-", "--"]
    assert [ax.texts[0].get_text() for ax in (axes[0], axes[7])] == ["A", "B"]
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
