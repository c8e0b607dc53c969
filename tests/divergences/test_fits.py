"""The fits: reference values of Theis et al., all minima, oracles, refusals."""

import math

import pytest
import torch
from scipy import optimize
from torch.distributions import Categorical, MixtureSameFamily, Normal

from course_utils.divergences import (
    fit_isotropic_gaussian,
    fit_round_mixture,
    js,
    kl,
    load_theis_mixture,
    mmd2_mixtures,
    round_mixture,
    total_variation,
)
from course_utils.divergences.fits import descend
from course_utils.divergences.surface import (
    DIVERGENCES,
    THEIS_BANDWIDTHS,
    Surface,
    pack,
)
from course_utils.mixture.model import GaussianMixture

TICKS = torch.linspace(-7, 7, 141, dtype=torch.float64)
LINE = round_mixture([0.4, 0.6], [-1.5, 1.0], [0.7, 1.0])
REFERENCE = {  # mean, sigma, value on the default mixture of the script of the paper
    "forward_kl": ((-0.308, -0.090), 1.491, None),
    "mmd": ((-0.402, -0.844), 1.120, 0.1547),
    "js": ((-0.437, -1.079), 0.768, 0.1012),
    "reverse_kl": ((-0.438, -1.082), 0.748, 0.320),
}


@pytest.fixture(scope="module")
def target():
    return load_theis_mixture()


@pytest.fixture(scope="module")
def fits(target):
    return {name: fit_isotropic_gaussian(target, name) for name in DIVERGENCES}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_reference_values_to_three_digits(name, fits):
    mean, sigma, value = REFERENCE[name]
    assert fits[name].mean.tolist() == pytest.approx(mean, abs=6e-4)
    assert fits[name].sigma == pytest.approx(sigma, abs=6e-4)
    if value is not None:
        assert fits[name].value == pytest.approx(value, abs=6e-4)


def test_the_order_of_the_widths_is_the_lesson(fits):
    order = [fits[name].sigma for name in ("forward_kl", "mmd", "js", "reverse_kl")]
    assert order == sorted(order, reverse=True)


def test_both_minima_of_the_reverse_kl_are_found(fits):
    first, second = fits["reverse_kl"].minima[:2]
    assert first.value == fits["reverse_kl"].value
    assert second.mean.tolist() == pytest.approx((-0.146, 3.155), abs=6e-4)
    assert second.sigma == pytest.approx(0.506, abs=6e-4)
    assert second.value == pytest.approx(1.481, abs=6e-4)


def slope_of(surface, theta):
    return surface.with_slope(theta)[1]


def test_every_minimum_is_one(target, fits):
    step = 1e-4 * torch.eye(4, dtype=torch.float64)[1:]  # all but the one weight
    for name, fit in fits.items():
        surface = Surface(target, name)
        for minimum in fit.minima:
            theta = pack(minimum.weights, minimum.means, minimum.sigmas)
            assert slope_of(surface, theta).abs().max() < 1e-3
            ahead = torch.stack([slope_of(surface, theta + h) for h in step])
            behind = torch.stack([slope_of(surface, theta - h) for h in step])
            curvature = ((ahead - behind) / 2e-4)[:, 1:]
            torch.testing.assert_close(curvature, curvature.T, atol=1e-4, rtol=1e-4)
            assert torch.linalg.eigvalsh(curvature).min() > 0


def test_the_values_are_those_of_the_other_modules(target, fits):
    p, grid = target, (TICKS, TICKS)
    q = {name: fit.distribution for name, fit in fits.items()}
    forward, backward = kl(p, q["forward_kl"], grid), kl(q["reverse_kl"], p, grid)
    assert fits["forward_kl"].value == pytest.approx(forward.item(), abs=1e-5)
    assert fits["reverse_kl"].value == pytest.approx(backward.item(), abs=1e-6)
    assert fits["js"].value == pytest.approx(js(p, q["js"], grid).item(), abs=1e-6)
    closed = mmd2_mixtures(p, q["mmd"], THEIS_BANDWIDTHS).item()
    assert fits["mmd"].value == pytest.approx(closed, abs=1e-12)


def test_moment_matching_is_the_minimum_of_forward_kl(target, fits):
    surface = Surface(target, "forward_kl")
    start = pack([1.0], torch.zeros(2), torch.ones(1))
    found = surface.unpack(descend(surface.with_slope, start))
    torch.testing.assert_close(
        found.means[0], fits["forward_kl"].mean, atol=1e-4, rtol=0
    )
    assert found.sigmas.item() == pytest.approx(fits["forward_kl"].sigma, abs=1e-4)


def test_scipy_finds_the_same(target):
    for name in ("reverse_kl", "js", "mmd"):
        surface = Surface(target, name)

        def value(free, surface=surface):
            free = torch.tensor([0.0, *free], dtype=torch.float64)
            return surface(free).item()

        start = [-0.3, -0.1, math.log(1.4)]
        theirs = optimize.minimize(value, start, method="Nelder-Mead", tol=1e-9)
        ours = fit_isotropic_gaussian(target, name, starts=[(start[:2], 1.4)])
        assert ours.value == pytest.approx(theirs.fun, abs=1e-7)
        assert ours.sigma == pytest.approx(math.exp(theirs.x[2]), abs=1e-3)


def test_two_equal_modes_have_three_minima_and_two_of_them_are_best():
    target = round_mixture([0.5, 0.5], [-3.0, 3.0], [1.0, 1.0])
    fit = fit_isotropic_gaussian(target, "reverse_kl")
    left, wide, right = sorted(fit.minima, key=lambda m: m.mean.item())
    # there, E_q[(|x| - 3)²/2] - log σ is stationary: σ - 3 √(2/π) - 1/σ = 0
    assert wide.sigma == pytest.approx(1.2 + (1.44 + 1) ** 0.5, abs=0.05)
    assert wide.value > left.value + 0.1
    assert left.mean.item() == pytest.approx(-right.mean.item(), abs=1e-3)
    assert left.value == pytest.approx(right.value, abs=1e-8)
    assert left.value == pytest.approx(math.log(2), abs=0.02)  # half of p is ignored
    far = round_mixture([0.5, 0.5], [[-3.0, 0.0], [3.0, 0.0]], [0.6, 0.6])
    start = [(torch.zeros(2), 0.6)]  # exactly between them the slope is zero
    found = fit_isotropic_gaussian(far, "reverse_kl", starts=start)
    assert abs(found.mean[0].item()) > 2


def test_one_round_gaussian_is_found_by_all():
    target = round_mixture([1.0], [[0.7, -0.2]], [0.8])
    for name in DIVERGENCES:
        fit = fit_isotropic_gaussian(target, name, starts=[((0.0, 0.0), 1.5)])
        assert fit.mean.tolist() == pytest.approx((0.7, -0.2), abs=1e-3)
        assert fit.sigma == pytest.approx(0.8, abs=1e-3)
        assert fit.value == pytest.approx(0, abs=1e-5)


def test_a_full_covariance_and_a_shifted_target():
    turned = torch.tensor([[1.0, 0.6], [0.6, 0.8]])
    at, there = torch.zeros(2), torch.tensor([40.0, -70.0])
    fits = [
        fit_isotropic_gaussian(GaussianMixture([1.0], mean[None], turned[None]), "js")
        for mean in (at, there)
    ]
    assert fits[1].sigma == pytest.approx(fits[0].sigma, abs=1e-5)
    assert (fits[1].mean - there).tolist() == pytest.approx([0, 0], abs=1e-3)


def test_a_divergence_of_your_own(target):
    def tv(log_p, log_q, cell):
        return 0.5 * (log_p.exp() - log_q.exp()).abs().sum() * cell

    start = ((-0.4, -1.0), 0.8)
    fit = fit_isotropic_gaussian(target, tv, starts=[start], points=71)
    truth = total_variation(target, fit.distribution, (TICKS, TICKS)).item()
    assert fit.value == pytest.approx(truth, abs=1e-3)
    wider = round_mixture([1.0], fit.means, fit.sigmas * 1.05)
    assert total_variation(target, wider, (TICKS, TICKS)).item() > truth


def test_a_more_expressive_q_is_nearer():
    target = round_mixture([0.5, 0.5], [[-2.0, 0.0], [2.0, 0.0]], [0.5, 0.7])
    for name in ("forward_kl", "reverse_kl", "js", "mmd"):
        one, two = (fit_round_mixture(target, name, k, n_starts=2) for k in (1, 2))
        assert two.value < 1e-3 < one.value
        torch.testing.assert_close(
            two.means[two.means[:, 0].argsort()], target.means, atol=0.05, rtol=0
        )


def test_errors(target):
    with pytest.raises(ValueError, match=r"one of forward_kl.*, got 'kl'"):
        fit_isotropic_gaussian(target, "kl")
    with pytest.raises(ValueError, match="starts is empty"):
        fit_isotropic_gaussian(target, "js", starts=[])
    solid = round_mixture([1.0], [[0.0, 0.0, 0.0]], [1.0])
    with pytest.raises(ValueError, match="d = 1 or 2, got d = 3"):
        fit_isotropic_gaussian(solid, "js")
    narrow = round_mixture([0.5, 0.5], [[0.0, 0.0], [9.0, 9.0]], [0.02, 0.02])
    with pytest.raises(ValueError, match="give more points"):
        fit_isotropic_gaussian(narrow, "js")
    far = [((4000.0, 0.0), 1.0)]
    with pytest.raises(ValueError, match="left the grid"):
        fit_isotropic_gaussian(target, "js", starts=far)


def test_the_descent_ends_at_the_minimum():
    scale = torch.tensor([1.0, 30.0, 0.05], dtype=torch.float64)

    def bowl(x):
        return (scale * (x - 3).square()).sum() / 2, scale * (x - 3)

    def valley(x):  # Rosenbrock's
        x = x.clone().requires_grad_()
        value = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        return value.detach(), torch.autograd.grad(value, x)[0]

    end = descend(bowl, torch.zeros(3).double())
    torch.testing.assert_close(end, torch.full((3,), 3.0).double(), atol=1e-4, rtol=0)
    end = descend(valley, torch.tensor([-1.2, 1.0]).double())
    torch.testing.assert_close(end, torch.ones(2).double(), atol=1e-4, rtol=0)
    start = torch.full((2,), 4.0).double()
    flat = descend(lambda x: (torch.zeros(()), torch.zeros(2).double()), start)
    assert torch.equal(flat, start)


@pytest.mark.parametrize("name", ["js", "mmd"])
def test_the_last_fit_is_a_warm_start(name):
    fit = fit_isotropic_gaussian(LINE, name)
    start = fit.mean, fit.sigma
    again = fit_isotropic_gaussian(LINE, name, starts=[start])
    assert again.value <= fit.value + 1e-12
    assert again.mean.item() == pytest.approx(fit.mean.item(), abs=1e-3)
    wider = fit_isotropic_gaussian(LINE, name, starts=[start, (0.0, 2.0)])
    assert wider.value == pytest.approx(fit.value, abs=1e-9)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ([(0.0, 0.0)], "sigma of a start must be one number > 0, got 0"),
        ([(0.0, -1.0)], "sigma of a start must be one number > 0, got -1"),
        ([(0.0, math.nan)], "sigma of a start .* got nan"),
        ([(0.0, math.inf)], "sigma of a start .* got inf"),
        ([(0.0, [1.0, 2.0])], "sigma of a start must be one number"),
        ([(math.nan, 1.0)], "mean of a start must be 1 finite numbers, got nan"),
        ([((0.0, 1.0), 1.0)], "mean of a start must be 1 finite numbers"),
        ([1.0], r"starts must hold pairs \(mean, sigma\), got 1.0"),
        ([(1.0, 2.0, 3.0)], r"starts must hold pairs \(mean, sigma\), got \(1"),
        ([], "starts is empty"),
    ],
)
def test_starts_without_sense(divergence, starts, words):
    with pytest.raises(ValueError, match=words):
        fit_isotropic_gaussian(LINE, divergence, starts=starts)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bandwidths": []}, r"bandwidths must be positive and finite, got \[\]"),
        ({"bandwidths": [0.0]}, r"bandwidths must be positive .* got \[0.0\]"),
        ({"bandwidths": [1.0, -1.0]}, "bandwidths must be positive"),
        ({"points": 0}, "points must be a whole number from 2 on, got 0"),
        ({"points": 1}, "points must be a whole number from 2 on, got 1"),
        ({"points": 50.5}, "points must be a whole number from 2 on, got 50.5"),
    ],
)
def test_options_without_sense(options, words):
    for divergence in ("js", "mmd"):
        with pytest.raises(ValueError, match=words):
            fit_isotropic_gaussian(LINE, divergence, **options)
        with pytest.raises(ValueError, match=words):
            fit_round_mixture(LINE, divergence, 1, **options)


@pytest.mark.parametrize("name", ["k", "n_starts", "max_steps"])
def test_counts_start_at_one(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        fit_round_mixture(LINE, "js", **({"k": 1} | {name: 0}))


@pytest.mark.parametrize(
    "target",
    [MixtureSameFamily(Categorical(torch.ones(2)), Normal(torch.zeros(2), 1.0)), [1.0]],
    ids=lambda target: type(target).__name__,
)
def test_the_target_must_be_a_mixture_of_the_course(target):
    words = f"target must be a GaussianMixture, got {type(target).__name__}"
    with pytest.raises(ValueError, match=words):
        fit_isotropic_gaussian(target, "js")
    with pytest.raises(ValueError, match=words):
        fit_round_mixture(target, "js", 1)
