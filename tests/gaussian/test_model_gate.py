"""Notebook 01's Gaussian meets hostile input: the same numbers, or a clear refusal."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, Normal

from course_utils.gaussian import fit_gaussian, log_likelihood, log_likelihood_surface
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

X = [1.0, 2.5, 4.0]
TABLE = [[1.0, 0.0], [2.0, 3.5], [4.0, -1.0], [0.5, 0.5]]
DOORS = {
    "fit": Door("x", fit_gaussian, X, ("column",)),  # a table with one column
    "fit-table": Door("x", fit_gaussian, TABLE),
    "log": Door("x", lambda x: log_likelihood(x, 2.0, 1.5), X),
    "log-mu": Door("mu", lambda mu: log_likelihood(f64(X), mu, 1.5), 2.0),
    "log-sigma": Door("sigma", lambda s: log_likelihood(f64(X), 2.0, s), 1.5),
    "surface": Door("x", lambda x: log_likelihood_surface(x, X, [1.5]), X),
    "surface-mu": Door("mu_grid", lambda g: log_likelihood_surface(X, g, [1.5]), X),
    "surface-sigma": Door("sigma_grid", lambda g: log_likelihood_surface(X, X, g), X),
}

halves = st.integers(-20, 20).map(lambda k: k / 2)
quiet = settings(deadline=None, max_examples=25, derandomize=True, database=None)


def f64(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@quiet
@given(st.lists(halves, min_size=3, max_size=9, unique=True))
def test_any_numbers_agree_in_all_forms(values):
    for name in ("fit", "log", "surface", "surface-mu"):
        same_in_all_clothes(DOORS[name], values)
    rows = [[value, value**2 / 128] for value in values]  # no line holds three of them
    fit = fit_gaussian(f64(rows))
    assert isinstance(fit, MultivariateNormal)


@quiet
@given(
    st.lists(halves, min_size=3, max_size=9, unique=True),
    st.sampled_from([1e-150, 1e-6, 1e-3, 1e3, 1e6, 1e150]),
    st.sampled_from([0.0, -1e3, 1e8]),
)
def test_the_fit_moves_and_stretches_with_the_data(values, scale, shift):
    x = f64(values)
    plain, moved = fit_gaussian(x), fit_gaussian((x + shift) * scale)
    assert (moved.mean / scale - shift - plain.mean).abs() <= 1e-15 * (1 + abs(shift))
    assert (moved.stddev / scale / plain.stddev - 1).abs() < 1e-7
    grid = f64([0.5, 1.0, 3.0])
    surface = log_likelihood_surface(x, grid, grid)
    other = log_likelihood_surface(x * scale, grid * scale, grid * scale)
    units = len(x) * torch.tensor(scale, dtype=torch.float64).log()
    assert (other + units - surface).abs().max() < 1e-9 * surface.abs().max()


@pytest.mark.parametrize("scale", [1.0, 1e155, 1e-161, 1e-170, 1e-300, 1e300])
def test_the_spread_of_huge_and_tiny_numbers_is_right(scale):
    fit = fit_gaussian(f64([1.0, 2.0, 4.0]) * scale)
    assert fit.stddev.item() / scale == pytest.approx(1.247219128924647, rel=1e-14)


def test_columns_in_units_of_their_own():
    units = f64([1e-100, 1e100])
    plain, other = fit_gaussian(f64(TABLE)), fit_gaussian(f64(TABLE) * units)
    ratio = other.covariance_matrix / units / units[:, None] / plain.covariance_matrix
    assert (ratio - 1).abs().max() < 1e-12
    for scale in (1e160, 1e-160):  # the variances are no floats any more
        with pytest.raises(ValueError, match="x must have variances that"):
            fit_gaussian(f64(TABLE) * scale)


def test_numbers_far_from_zero_keep_their_spread():
    """Up to the guard against equal numbers: here a spread of ten roundings."""
    x = 1e8 + f64([0.0, 1.0, 2.0, 5.0]) * 2.0**-22  # exact in float64
    expected = Normal(0.0, 2.0**-22 * 1.8708286933869707).stddev.item()
    assert fit_gaussian(x).stddev.item() == pytest.approx(expected, rel=1e-7)
    assert fit_gaussian([1e8, 1e8 + 1, 1e8 + 2]).stddev.item() == pytest.approx(
        (2 / 3) ** 0.5, rel=1e-12
    )
    x = [1e6 + 0.03, 1e6 + 1.0, 1e6 + 2.9]
    assert fit_gaussian(x).stddev.item() == pytest.approx(1.1920011185680595, rel=1e-12)


def test_sixteen_bits_do_not_overflow():
    x = torch.tensor([1000.0, 1500.0, 2100.0])
    expected = fit_gaussian(x).stddev.item()
    assert fit_gaussian(x.half()).stddev.item() == pytest.approx(expected, rel=1e-3)
    assert log_likelihood(x.half(), 1500.0, 400.0).isfinite()
    assert isinstance(fit_gaussian(torch.randn(9, 2).half()), MultivariateNormal)


def test_whole_numbers_make_no_whole_sigma():
    x, floating = torch.tensor([1, 2, 4]), f64([1.0, 2.0, 4.0])
    expected = log_likelihood(floating, 2.0, 1.5)
    assert log_likelihood(x, 2, 1.5).item() == pytest.approx(expected.item(), rel=1e-15)


def test_inference_mode_leaves_nothing_behind():
    with torch.inference_mode():
        fit_gaussian(f64(X))
        log_likelihood_surface(f64(X), f64(X), f64(X))
    mu = f64(2.0).requires_grad_()
    log_likelihood(f64(X), mu, 1.0).backward()
    assert mu.grad.isfinite()
