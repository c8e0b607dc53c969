"""The pictures of notebook 05: what they show."""

import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Normal

from course_utils.gan import Discriminator, Generator, pictures
from tests.hostile import refuses
from tests.performing import title

pytestmark = pytest.mark.usefixtures("course_style")


def players(dim, seed=0):
    nets = {"hidden": (4,), "seed": seed}
    return Generator(dim, dim, **nets), Discriminator(dim, **nets)


def places(dots):
    return torch.as_tensor(np.array(dots.get_offsets()), dtype=torch.float32)


def turning(theta, psi, step, penalty, alternate, momentum=0.0, last=(0, 0)):
    """A field that turns exactly, shrinks by the penalty, and has momentum."""
    shrink = 1 - step * penalty
    turned = theta * math.cos(step) + psi * math.sin(step)
    other = psi * math.cos(step) - theta * math.sin(step)
    return shrink * turned + momentum * last[0], shrink * other + momentum * last[1]


def test_the_noise_is_cut_into_equal_shares():
    z = pictures.normal_quantiles(4)[:, 0]
    expected = torch.tensor([0.125, 0.375, 0.625, 0.875])
    torch.testing.assert_close(Normal(0.0, 1.0).cdf(z), expected)


def test_a_smooth_density_has_area_one():
    x = torch.linspace(-5, 5, 1001)
    density = pictures.smooth_density(torch.tensor([-1.0, 0.3, 2.0]), x)
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-4)
    assert density[400].item() == pytest.approx(1 / 3 / 0.07 / 2.5066, abs=1e-3)


def test_the_smallest_gan_starts_at_the_star_and_follows_its_rule(ax):
    update = pictures.draw_dirac(ax, 0.1, 0.0, 0.0, turning, rounds=10)
    path = torch.as_tensor(ax.lines[0].get_xydata())
    assert path[0].tolist() == [1.5, 0.0]
    torch.testing.assert_close(path.norm(dim=1), torch.full((11,), 1.5).double())
    assert "1.50 at once, 1.50 in turns" in title(ax)
    update(0.1, 0.5, 0.0)
    assert "0.90 at once" in title(ax)  # 1.5 · 0.95¹⁰
    update(0.0, 0.0, 1.0)
    assert "1.50 at once" in title(ax)  # who stands still gains no momentum
    update(0.1, 0.0, 0.5)
    end = torch.as_tensor(ax.lines[0].get_xydata())
    moves = end.diff(dim=0)
    turned = torch.stack(turning(*end[5], 0.1, 0.0, False))
    torch.testing.assert_close(end[6], turned + 0.5 * moves[4])


def test_the_machines_name_what_stands_in_them():
    axes = Figure().subplots(1, 2)
    pictures.plot_machines(axes)
    words = [{text.get_text() for text in ax.texts} for ax in axes]
    assert {"encoder", "decoder", "x"} <= words[0]
    assert {"G", "D", "data x", "x = G(z)"} <= words[1]


def test_the_game_shows_where_each_noise_goes(ax):
    generator, discriminator = players(1)
    shot = generator, discriminator, "first"
    update = pictures.draw_game(ax, shot, Normal(0.0, 1.0))
    segments = torch.as_tensor(np.array(ax.collections[0].get_segments()))
    with torch.no_grad():
        ends = generator(segments[:, 0, :1].float())
    torch.testing.assert_close(segments[:, 1, :1].float(), ends)
    assert title(ax) == "first"
    before = ax.images[0].get_array().copy()
    update((*players(1, seed=3), "later"))
    assert title(ax) == "later"
    assert not (before == ax.images[0].get_array()).all()


def test_the_moves_choose_their_shot(ax):
    shots = {(d, g): (*players(1, seed=d), f"{d} {g}") for d in (1, 2) for g in (0, 1)}
    update = pictures.draw_moves(ax, 1, 1, shots, Normal(0.0, 1.0))
    assert title(ax) == "1 1"
    update(d_steps=2, g_steps=0)
    assert title(ax) == "2 0"


def test_the_curve_of_samples_has_one_colour_per_noise():
    z = torch.linspace(-2, 2, 9)[:, None]
    axes = Figure().subplots(1, 2)
    pictures.plot_curve_of_samples(axes, z, torch.cat([z, z**2], 1))
    left, right = (ax.collections[0].get_array() for ax in axes)
    assert left.tolist() == right.tolist() == z[:, 0].tolist()


def test_every_peak_is_at_its_place(ax):
    pictures.plot_peaks(ax, [(1, 1), (1, 3)])
    peaks = [line.get_xdata()[0] for line in ax.lines[1::2]]
    assert peaks == [0.5, 0.25]


def test_the_best_value_is_minus_log_four_at_the_data():
    grid = torch.linspace(-10, 10, 801, dtype=torch.float64)
    p = Normal(grid.new_tensor(1.0), grid.new_tensor(0.7))
    axes = Figure().subplots(1, 2)
    update = pictures.draw_best(axes, 1.0, 0.7, p, grid)
    assert title(axes[0]) == "V = −1.386, JSD = 0.000 nats"
    update(-6.0, 0.3)
    assert title(axes[0]) == "V = −0.000, JSD = 0.693 nats"
    means, values = axes[1].lines[0].get_data()
    assert values[abs(means + 6).argmin()] == pytest.approx(0, abs=1e-3)


def test_the_two_losses_are_those_of_the_text():
    axes = Figure().subplots(1, 2)
    pictures.plot_two_losses(axes)
    slopes = [torch.as_tensor(line.get_ydata()) for line in axes[1].lines]
    torch.testing.assert_close(slopes[0] + slopes[1], torch.ones(401))
    for loss, slope, sign in zip(axes[0].lines, slopes, (-1, -1), strict=True):
        x, y = (torch.as_tensor(values) for values in loss.get_data())
        measured = torch.gradient(y, spacing=(x,))[0][1:-1]
        torch.testing.assert_close(measured, sign * slope[1:-1], atol=1e-3, rtol=0)


def test_races_and_pulls_draw_every_run():
    axes = Figure().subplots(1, 2)
    paths = {"log(1 − D)": [[0, 1], [0, 2]], "−log D": [[0, 3]]}
    pictures.plot_race(axes[0], paths, goal=6)
    assert [line.get_ydata()[-1] for line in axes[0].lines[:3]] == [1, 2, 3]
    distance = torch.linspace(0, 3, 4)
    pulls = {"log(1 − D)": distance / 2, "−log D": distance}
    pictures.plot_pull(axes[1], distance, pulls)
    assert axes[1].lines[1].get_ydata().tolist() == [0, 1, 2, 3]


def test_trained_and_best_discriminator_share_one_picture(ax):
    x = torch.linspace(-3, 3, 61)
    p, q = Normal(0.0, 1.0), Normal(1.0, 1.0)
    pictures.plot_best(ax, p, q, x.sigmoid(), x.sigmoid() / 2, x, (-1, 1))
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["p_data", "p_g", "D*", "trained D"]


def test_what_is_drawn_is_counted_and_has_its_shape():
    x, grid = torch.zeros(3), torch.linspace(-1, 1, 5)
    for bad in (None, 2.5, "3", True, 0, math.nan):
        refuses(lambda bad=bad: pictures.normal_quantiles(bad), "n must be")
    for bad in (None, "1", 1j, 0.0, math.nan, math.inf):
        refuses(lambda bad=bad: pictures.smooth_density(x, grid, bad), "width must be")
    for bad in (None, "x", [[1.0], []], 1j * x, x[:, None], x[:0], x[0], x / 0):
        refuses(lambda bad=bad: pictures.smooth_density(bad, grid), "x ")
        refuses(lambda bad=bad: pictures.smooth_density(x, bad), "grid ")
    same = pictures.smooth_density([0, 0, 0], grid.tolist())
    torch.testing.assert_close(same.float(), pictures.smooth_density(x, grid))
