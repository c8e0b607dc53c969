"""The pictures of notebook 06, sections 1 to 5: what they show."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.divergences import (
    fit_isotropic_gaussian,
    kl,
    load_theis_mixture,
    mmd2_mixtures,
    pictures,
    round_mixture,
)
from course_utils.divergences.mmd import witness
from tests.performing import title

GRID = torch.linspace(-14, 14, 1401, dtype=torch.float64)


pytestmark = pytest.mark.usefixtures("course_style")


def panels(rows, columns):
    return Figure().subplots(rows, columns)


def test_the_areas_are_the_divergences():
    p, q = (torch.distributions.Normal(at, 1.0) for at in (GRID[700], GRID[750]))
    axes = panels(2, 2)
    pictures.plot_prices(axes, p, {"one": q, "other": p}, GRID)
    labels = axes[1, 0].get_legend_handles_labels()[1]
    assert f"area {kl(p, q).item():.2f}" in labels[0]
    price = torch.as_tensor(axes[1, 0].lines[0].get_ydata())
    assert torch.trapezoid(price, GRID).item() == pytest.approx(kl(p, q).item())
    assert all("area 0.00" in s for s in axes[1, 1].get_legend_handles_labels()[1])


def test_the_separation_shows_all_minima_and_hides_what_is_not_there():
    axes = panels(1, 2)
    update = pictures.draw_separation(axes, 7.0, 0.5)
    best, *others = axes[1].lines
    fit = fit_isotropic_gaussian(pictures.two_bumps(7.0, 0.5), "reverse_kl")
    expected = pictures.density(fit.distribution)
    torch.testing.assert_close(torch.as_tensor(best.get_ydata()), expected)
    assert all(line.get_ydata()[0] >= 0 for line in others)
    assert title(axes[1]) == "min KL(q‖p): 0.69 nats, σ = 1.00"
    update(2.0, 0.5)
    assert all(line.get_ydata()[0] != line.get_ydata()[0] for line in others)  # NaN
    assert title(axes[0]).startswith("min KL(p‖q): 0.01 nats")


def test_the_separation_by_other_divergences():
    axes = panels(1, 2)
    update = pictures.draw_separation(axes, 7.0, 0.5, names=("js", "reverse_kl"))
    assert title(axes[0]) == "min JSD: 0.17 nats, σ = 3.60"
    assert title(axes[1]) == "min KL(q‖p): 0.69 nats, σ = 1.00"
    for ax in axes:  # the best q, and two other minima
        assert [line.get_ydata()[0] >= 0 for line in ax.lines] == [True] * 3
    update(9.0, 0.5)
    assert title(axes[0]) == "min JSD: 0.22 nats, σ = 1.00"


def test_slopes_are_slopes():
    shifts = torch.linspace(0, 8, 81, dtype=torch.float64)
    axes = panels(1, 2)
    pictures.plot_shift(axes, shifts, {"KL(p‖q)": shifts**2 / 2, "Wasserstein": shifts})
    slopes = [torch.as_tensor(line.get_ydata()) for line in axes[1].lines[:2]]
    torch.testing.assert_close(slopes[0], shifts)
    torch.testing.assert_close(slopes[1], torch.ones_like(shifts))


def test_the_witness_and_the_value():
    p = round_mixture([0.5, 0.5], [-2.0, 2.0], [0.7, 0.7])
    q = round_mixture([1.0], [0.0], [2.1])
    axes = panels(1, 2)
    update = pictures.draw_witness(axes, 0.5, p, q)
    update(1.0)
    value = mmd2_mixtures(p, q, 1.0).item()
    assert axes[1].lines[1].get_ydata() == [pytest.approx(value)]
    assert title(axes[1]) == f"MMD² = {value:.5f}"
    most = witness(p, q, pictures.LINE[:, None], 1.0).abs().max().item()
    assert title(axes[0]) == f"σ = 1: witness shown × {0.35 / most:,.2f}"
    f = torch.as_tensor(axes[0].lines[1].get_ydata())
    assert f.abs().max().item() == pytest.approx(0.35)
    assert f[360] < 0 < f[440]  # at 0, and at 2


def test_estimates_lie_where_they_are():
    ax = Figure().subplots()
    values = torch.tensor([0.0, 0.01, 0.02])
    pictures.plot_estimators(ax, values + 0.03, values)
    assert sum(bar.get_height() for bar in ax.patches[:40]) == 3


@pytest.fixture(scope="module")
def target():
    return load_theis_mixture()


def test_the_image_is_the_density(target):
    ticks = pictures.plane((4.6, 4.0), 21)
    values = pictures.image_of(target, ticks)
    places = torch.cartesian_prod(*ticks)
    expected = target.log_prob(places).exp().view(21, 21).T
    torch.testing.assert_close(values, expected)


def test_circles_are_one_and_two_sigma(target):
    fits = {
        name: fit_isotropic_gaussian(target, name)
        for name in ("forward_kl", "reverse_kl")
    }
    axes = panels(1, 2)
    pictures.plot_fits(axes, target, fits)
    for ax, fit in zip(axes, fits.values(), strict=True):
        radii = [patch.get_radius() for patch in ax.patches]
        assert radii[:2] == pytest.approx([fit.sigma, 2 * fit.sigma])
        assert radii[2:] == pytest.approx([m.sigma for m in fit.minima[1:]])
    assert title(axes[1]) == "KL(q‖p): σ = 0.748"


def test_the_four_fits_follow_the_sliders():
    axes = panels(1, 4)
    update = pictures.draw_fits(axes, 1.0, 0.5, 0.6)
    update(5.0, 0.3, 0.8)
    p = pictures.theis_like(5.0, 0.3, 0.8)
    for ax, name in zip(axes, pictures.NAMES, strict=True):
        fit = fit_isotropic_gaussian(p, name)
        assert ax.patches[0].get_radius() == pytest.approx(fit.sigma, abs=1e-3)
        assert title(ax) == f"{pictures.NAMES[name]}: σ = {fit.sigma:.2f}"
    shade = torch.as_tensor(axes[0].images[0].get_array())
    torch.testing.assert_close(
        shade**2, pictures.image_of(p, pictures.plane((5.0, 3.6))), check_dtype=False
    )


def test_what_strays_is_crossed(target):
    ax = Figure().subplots()
    x = torch.tensor([[0.0, 0.0], [4.0, 4.0]])
    pictures.plot_samples(ax, target, x, torch.tensor([False, True]))
    assert ax.lines[1].get_xydata().tolist() == [[4.0, 4.0]]
    pictures.plot_trade(
        ax, dict.fromkeys(pictures.NAMES, 1.0), dict.fromkeys(pictures.NAMES, 0.1)
    )
    assert ax.lines[-1].get_xydata().tolist() == [[1.0, 10.0]]


def test_all_sizes_are_drawn(target):
    fit = fit_isotropic_gaussian(target, "js")
    fits = {name: {1: fit, 2: fit} for name in pictures.NAMES}
    axes = panels(4, 2)
    pictures.plot_growing(axes, target, fits)
    assert [title(ax) for ax in axes[0]] == ["K = 1", "K = 2"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == list(pictures.NAMES.values())
    ax = Figure().subplots()
    pictures.plot_meeting(ax, fits, lambda q: 0.5)
    assert ax.lines[0].get_ydata().tolist() == [0.5, 0.5]


def test_the_slider_shows_the_other_minima_as_dotted_circles():
    axes = Figure().subplots(1, 4)
    pictures.draw_fits(axes, 5.0, 0.5, 0.6)
    dotted = {
        ax.get_title(loc="left").split(":")[0]: [
            circle
            for circle in ax.patches
            if circle.get_linestyle() == ":" and circle.get_visible()
        ]
        for ax in axes
    }
    assert len(dotted["KL(q‖p)"]) >= 1 and not dotted["KL(p‖q)"]
    for circle in dotted["KL(q‖p)"]:
        assert 0.3 < circle.radius < 3
