"""The pictures of notebook 01: what they draw, not how many pixels it has."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from torch.distributions import Normal

from course_utils import style as plotting
from course_utils.data import load_heights, ring_of_gaussians
from course_utils.gaussian import fit_gaussian, log_likelihood, pictures
from course_utils.gaussian.plates import GREY, MODELS, draw_plates

pytestmark = pytest.mark.usefixtures("course_style")


def title(ax):
    return ax.get_title(loc="left")  # where the style of the course puts it


def test_every_role_has_its_own_colour():
    assert len(set(plotting.COLOUR.values())) == len(plotting.COLOUR)
    assert len(set(plotting.GROUPS)) == len(plotting.GROUPS)


def test_density_curve_is_the_density(ax):
    grid = torch.linspace(-3, 3, 50)
    line = plotting.plot_density(ax, Normal(0.0, 1.0), grid, label="model")
    torch.testing.assert_close(
        torch.as_tensor(line.get_ydata()), Normal(0.0, 1.0).log_prob(grid).exp()
    )
    assert line.get_color() == plotting.COLOUR["model"]


def test_density_2d_is_high_at_the_modes(ax):
    ring = ring_of_gaussians(sigma=0.4)
    contours = plotting.plot_density_2d(ax, ring, half_width=4)
    assert contours.levels[0] > 0
    assert ax.get_aspect() == 1.0
    plotting.plot_modes(ax, ring)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len({circle.center for circle in circles}) == 8
    assert {circle.radius for circle in circles} == {3 * 0.4}


@pytest.mark.parametrize("name", MODELS)
def test_plates_show_every_node_edge_and_plate(ax, name):
    nodes, edges, plates = MODELS[name]
    draw_plates(ax, nodes, edges, plates, title=name)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len(circles) == len(nodes)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(edges)
    frames = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(frames) == len(plates)
    written = {text.get_text() for text in ax.texts}
    assert written == {node[0] for node in nodes.values()} | set(plates)


def test_observed_nodes_are_grey_and_latent_ones_white(ax):
    nodes = {"z": ("z", 0, 0, "latent"), "x": ("x", 1, 0, "observed")}
    draw_plates(ax, nodes, ["z -> x"], {})
    faces = [patch.get_facecolor() for patch in ax.patches if isinstance(patch, Circle)]
    assert faces == [plt.matplotlib.colors.to_rgba(name) for name in ("white", GREY)]


def test_every_directed_model_has_data_that_are_observed():
    for nodes, _, _ in MODELS.values():
        assert "observed" in {kind for _, _, _, kind in nodes.values()}


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
