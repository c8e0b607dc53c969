"""The pictures of notebook 03, section 5: what they draw."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from course_utils.variational import family_pictures as pictures
from course_utils.variational.amortized import PointsState
from course_utils.variational.mean_field import BayesianMixture, cavi_mixture
from course_utils.variational.oracles import GridModel
from tests.performing import title

pytestmark = pytest.mark.usefixtures("notebook_defaults")


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


def test_the_two_forces_meet_where_their_sum_is_highest(ax):
    variance = torch.linspace(0.05, 1.4, 271)
    pictures.plot_two_forces(ax, variance, variance.log() / 2, -variance / 0.72)
    assert title(ax) == "highest at 0.36"
    mark = ax.lines[3]
    assert mark.get_xdata() == pytest.approx([0.36])


def test_an_update_ends_at_the_mean_of_the_slice(pair):
    target = MultivariateNormal(torch.zeros(2), torch.eye(2))
    line = torch.linspace(-4, 4, 81)
    density = Normal(0.0, 1.0).log_prob(line).exp()
    begin = torch.tensor([-2.0, 1.5])
    pictures.plot_slice(pair, target, begin, line, density, torch.tensor(0.3))
    dots = pair[0].lines[-1]
    assert dots.get_xdata() == pytest.approx([-2.0, 0.3])
    assert dots.get_ydata() == pytest.approx([1.5, 1.5])
    assert title(pair[0]) == "z₂ is held at 1.5"


def test_names_are_drawn_up_to_the_state(ax):
    x, model = torch.tensor([-2.0, -1.5, 2.0, 2.5]), BayesianMixture(2)
    states = list(cavi_mixture(x, model, torch.tensor([-0.1, 0.1])))
    ticks = torch.linspace(-5, 5, 21)
    surface = model.log_joint(x, torch.cartesian_prod(ticks, ticks)).view(21, 21)
    pictures.draw_names(ax, states[1], states, ticks, surface)
    assert title(ax) == f"sweep 1: ELBO = {states[1].elbo:.3f}"
    (q,) = ax.patches
    assert q.width == pytest.approx(4 * states[1].sigmas.max().item())
    assert len(ax.lines[1].get_xdata()) == 2
