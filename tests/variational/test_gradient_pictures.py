"""The pictures of notebook 03, section 6: what they draw."""

import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Normal

from course_utils.variational import gradient_pictures as pictures
from course_utils.variational.oracles import circle_model
from tests.performing import title


def test_reparameterization_moves_the_samples_only():
    left, right = axes = Figure().subplots(1, 2)
    noise = torch.tensor([-1.0, 0.5])
    update = pictures.draw_reparameterization(axes, 0.0, 1.0, noise, target=1.0)
    update(2.0, 0.5)
    upper, lower = left.lines[-2:]
    assert upper.get_xdata().tolist() == noise.tolist()
    assert lower.get_xdata().tolist() == [1.5, 2.25]
    # slopes 1 − z: −0.5 and −1.25; times ε: 0.5 and −0.625
    assert "-0.88 for μ, -0.06 for σ" in title(right)
    (arrows,) = right.collections
    assert arrows.U.tolist() == [-0.5, -1.25]
    assert arrows.get_offsets()[:, 0].tolist() == [1.5, 2.25]


def test_variances_are_those_of_the_formula(ax):
    def variance(a, k, c):
        return torch.tensor(10.0 * len(a)) + k + c

    update = pictures.draw_variances(ax, 3, 0, variance)
    update(5, 20)
    plain, centred, reparameterized = (line.get_ydata() for line in ax.lines)
    size = 5 * ax.lines[0].get_xdata() ** 2
    assert plain == pytest.approx(50 + 20 - size / 2, rel=1e-4)
    assert set(centred.tolist()) == {50.0}
    assert set(reparameterized.tolist()) == {1.0}


def test_a_climb_ends_below_log_p():
    left, right = axes = Figure().subplots(1, 2)
    model, x = circle_model(), torch.tensor([1.0, 0.0], dtype=torch.float64)
    bounds = torch.tensor([-5.0, -4.0])
    q = Normal(torch.tensor(0.5, dtype=torch.float64), 0.2)
    pictures.plot_climb(axes, model, x, q, bounds)
    posterior, found = (line.get_ydata() for line in left.lines)
    assert posterior == pytest.approx(model.log_posterior(x).exp().numpy())
    assert found == pytest.approx(q.log_prob(model.grid).exp().numpy())
    climb, top = right.lines
    assert climb.get_ydata().tolist() == [-5.0, -4.0]
    assert climb.get_xdata().tolist() == [1, 2]
    assert top.get_ydata()[0] == pytest.approx(model.log_prob(x).item())
