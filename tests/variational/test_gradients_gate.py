"""Gradients of the ELBO meet hostile input: shapes that broadcast, NaN, no gradient."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Normal

from course_utils.training import last
from course_utils.variational import (
    GRADIENTS,
    DiagonalNormal,
    elbo_surrogate,
    fit_variational,
    gradient_draws,
    score_function_variance,
    standard_error_of_variance,
)
from course_utils.variational.gradients import ascent
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64

TARGET = Normal(f64(1.0)[0], 1.0)
MU, DRAWS = [0.5, -1.0], [[1.0, 0.0], [2.0, -1.5], [0.5, 3.0], [0.0, 0.0]]
NOT_NUMBERS = [None, "1", 1j, math.nan, 0.0, -1.0, math.inf]
NOT_COUNTS = [None, 2.5, "3", True, -1]
WRONG = {  # an r(z) or log p(x, z) that does not give one number for each z
    "each number": TARGET.log_prob,
    "sum of all": lambda z: TARGET.log_prob(z).sum(),
    "column": lambda z: TARGET.log_prob(z).sum(-1, keepdim=True),
    "number": lambda z: 0.0,
    "none": lambda z: None,
    "complex": lambda z: z.sum(-1) + 0j,
}
quiet = settings(deadline=None, max_examples=20, derandomize=True, database=None)


def log_joint(z):
    return TARGET.log_prob(z).sum(-1)


def draws(mu=MU, sigma=1.5, n=4, kind="reparameterized", baseline=0.0, r=log_joint):
    generator = torch.Generator().manual_seed(0)
    return gradient_draws(r, mu, sigma, n, kind, baseline, generator)


def scored(baseline):
    return draws(kind="score_function", baseline=baseline)


DOORS = {
    "mu": Door("mu", draws, MU),
    "baseline": Door("baseline", scored, [0.5, -1.0, 2.0, 0.0]),
    "draws": Door("draws", standard_error_of_variance, DRAWS, ("column",)),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("name", ["baseline", "draws"])
def test_all_forms_of_the_same_numbers_agree(name):
    same_in_all_clothes(DOORS[name])


@pytest.mark.parametrize("kind", ["reparameterized", "score_function"])
def test_whole_numbers_and_lists_are_a_mean(kind):
    """(float32 draws other noise than float64, so it is no other form of it.)"""
    expected = draws(f64(1.0, -2.0), kind=kind)
    for mu in ([1, -2], torch.tensor([1, -2]), f64(1.0, -2.0).numpy()[::-1][::-1]):
        assert torch.equal(draws(mu, kind=kind), expected)
    assert draws(f64(1.0, -2.0).half(), kind=kind).dtype == torch.float32


@quiet
@given(
    st.lists(st.integers(-9, 9), min_size=2, max_size=6),
    st.sampled_from([1e-100, 1e-12, 1e-3, 1e3, 1e12, 1e100]),
    st.sampled_from([0.0, 1e3]),
)
def test_the_error_of_a_variance_stretches_with_the_draws(values, scale, shift):
    x = f64(*values)
    plain = standard_error_of_variance(x)
    moved = standard_error_of_variance((x + shift) * scale)
    assert plain.isfinite()
    assert (moved / scale / scale - plain).abs() < 1e-6 * (1 + plain)


def test_two_values_that_are_as_frequent_have_no_error():
    """It was the root of a rounding error below 0: NaN."""
    for size in (0.1, 0.7, 1.3, 1e-8):
        found = standard_error_of_variance(f64(size, -size, size, -size, size, -size))
        assert 0 <= found.item() < 1e-7 * size**2


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_function_of_another_shape_is_refused(wrong):
    for kind in ("reparameterized", "score_function"):
        refuses(lambda kind=kind: draws(kind=kind, r=wrong), "r must return")
    family = DiagonalNormal(torch.zeros(2, dtype=torch.float64))
    for kind in GRADIENTS:
        refuses(lambda kind=kind: elbo_surrogate(wrong, family, 9, kind), "log_joint")
        steps = fit_variational(wrong, family, 3, gradient=kind)
        refuses(lambda steps=steps: next(steps), "log_joint must return")


def test_the_right_shape_is_taken():
    value = elbo_surrogate(log_joint, DiagonalNormal(f64(0.0, 0.0)), 1000)[1]
    assert value.item() == pytest.approx(-1.0, abs=0.2)


def test_a_function_without_a_gradient_is_refused():
    for wrong in (lambda z: z.detach().sum(-1), lambda z: torch.zeros(len(z))):
        refuses(lambda wrong=wrong: draws(r=wrong), "r must be computed from z")
    with torch.no_grad():  # the caller's switch stays as it is, and has no say here
        found = draws()
        assert not torch.is_grad_enabled()
    assert torch.equal(found, draws())


def test_settings_are_refused_at_the_call():
    family = DiagonalNormal(MU)
    for bad in NOT_NUMBERS:
        refuses(lambda bad=bad: draws(sigma=bad), "sigma must be")
        refuses(
            lambda bad=bad: fit_variational(log_joint, family, learning_rate=bad),
            "learning_rate must be",
        )
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: draws(n=bad), "n must be")
        refuses(lambda bad=bad: score_function_variance(bad), "d must be")
        refuses(
            lambda bad=bad: elbo_surrogate(log_joint, family, bad), "n_samples must"
        )
        refuses(lambda bad=bad: fit_variational(log_joint, family, bad), "n_steps must")
        refuses(
            lambda bad=bad: fit_variational(log_joint, family, 3, bad), "n_samples must"
        )
        refuses(
            lambda bad=bad: fit_variational(log_joint, family, seed=bad), "seed must be"
        )
    for bad in (None, 3.0, "r", f64(1.0)):
        refuses(lambda bad=bad: draws(r=bad), "r must be a function")
        refuses(lambda bad=bad: elbo_surrogate(bad, family, 4), "log_joint must be")
        refuses(lambda bad=bad: fit_variational(bad, family), "log_joint must be")
    for bad in (None, 3, ["none"], "pathwise", f64(1.0, 2.0).numpy()):
        refuses(lambda bad=bad: score_function_variance(2, bad), "baseline must be")
        refuses(lambda bad=bad: draws(kind=bad), "estimator must be")
        refuses(lambda bad=bad: elbo_surrogate(log_joint, family, 4, bad), "gradient")
        refuses(
            lambda bad=bad: fit_variational(log_joint, family, gradient=bad),
            "gradient must be",
        )
    for bad in (None, nn.Linear(2, 2), Normal(0.0, 1.0)):
        refuses(lambda bad=bad: elbo_surrogate(log_joint, bad, 4), "family must be")
        refuses(lambda bad=bad: fit_variational(log_joint, bad), "family must be")


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_climb_does_not_go_on_with_nan(gradient, bad):
    """The family is where it was before the step that failed."""
    calls = []

    def broken(z):
        calls.append(1)
        return log_joint(z) + (bad if len(calls) > 3 else 0.0)

    family = DiagonalNormal(f64(0.0, 0.0))
    states = []
    with pytest.raises(FloatingPointError, match=r"the ELBO became .* at step 3"):
        states.extend(fit_variational(broken, family, 9, gradient=gradient))
    assert family.mean.isfinite().all()
    with pytest.raises(FloatingPointError):
        next(fit_variational(lambda z: z.sum(-1) * bad, family))


def test_a_gradient_that_is_no_number_stops_the_climb():
    """√ has slope ∞ at 0, where the value itself is fine."""
    weight = nn.Parameter(torch.zeros(1))
    climb = ascent([weight], 5, 0.1)
    with pytest.raises(FloatingPointError, match="a gradient of the ELBO became"):
        climb(weight.sqrt().sum())
    assert weight.item() == 0


def test_a_climb_under_no_grad_is_the_same_climb():
    runs = []
    for switch in (torch.enable_grad, torch.no_grad):
        with switch():
            family = DiagonalNormal(f64(0.0, 0.0))
            runs.append(last(fit_variational(log_joint, family, 5)).q.mean)
            assert torch.is_grad_enabled() == (switch is torch.enable_grad)
    assert torch.equal(*runs)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_a_climb_goes_on_where_gradients_are_switched_off(gradient):
    def climb():
        family = DiagonalNormal(f64(0.0, 0.5))
        return last(fit_variational(log_joint, family, 3, gradient=gradient)).elbo

    usual = climb()
    with torch.inference_mode():
        assert climb() == usual
        assert torch.equal(draws(), draws())
    with torch.no_grad():
        assert climb() == usual
    assert not draws().is_inference()


def test_the_step_size_of_the_caller_stays_as_it_is():
    rate = torch.tensor(0.1, dtype=torch.float64)
    family = DiagonalNormal(f64(0.0))
    state = last(fit_variational(log_joint, family, 3, learning_rate=rate))
    assert rate.item() == 0.1
    again = fit_variational(log_joint, DiagonalNormal(f64(0.0)), 3, learning_rate=0.1)
    assert state.elbo == pytest.approx(last(again).elbo)


def test_seeds_and_widths_of_numpy():
    states = [
        last(fit_variational(log_joint, DiagonalNormal(f64(0.0)), 2, seed=seed)).elbo
        for seed in (3, np.int64(3))
    ]
    assert states[0] == states[1]
    scale = np.float32(1.5)
    assert torch.equal(draws(sigma=scale), draws(sigma=1.5))


@pytest.mark.parametrize("kind", ["reparameterized", "score_function"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_reward_is_a_number(kind, bad):
    def r(z):
        return torch.where(z[:, 0] > 0.5, bad, z.sum(-1))

    refuses(lambda: draws(n=50, kind=kind, r=r), "r must return numbers, got")


def test_no_step_is_longer_than_any_weight():
    for rate in (1e300, f64(1e39)[0]):
        narrow = DiagonalNormal(torch.zeros(2)).float()
        told = "learning_rate must be below 3.4"
        with pytest.raises(ValueError, match=told):  # at the call
            fit_variational(log_joint, narrow, 3, learning_rate=rate)
    wide = DiagonalNormal(f64(0, 0))
    with pytest.raises(FloatingPointError, match="at step 1: try a smaller learning"):
        last(fit_variational(log_joint, wide, 9, learning_rate=1e300))
