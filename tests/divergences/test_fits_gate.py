"""Fits meet hostile input: other units, far away, other forms, functions that err.

The best q moves and stretches with its target, so its value must not change.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.divergences import (
    fit_isotropic_gaussian,
    fit_round_mixture,
    load_theis_mixture,
    round_mixture,
)
from course_utils.divergences.fits import descend
from course_utils.divergences.surface import DIVERGENCES, THEIS_BANDWIDTHS
from course_utils.mixture.model import GaussianMixture
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

LINE = round_mixture([0.5, 0.5], [-3.0, 3.0], [1.0, 1.0])
TURNED = GaussianMixture(  # no round component
    [0.5, 0.5],
    [[-1.0, 0.5], [1.5, 0.0]],
    [[[1.0, 0.5], [0.5, 0.75]], [[0.5, 0], [0, 1]]],
)
EVERY = sorted(DIVERGENCES)
quiet = settings(deadline=None, max_examples=12, derandomize=True, database=None)
FEW = {"points": 201}


def parts(mixture):
    return mixture.weights, mixture.means, mixture.covariances


DOORS = {
    "weights": Door(
        "weights", lambda w: parts(round_mixture(w, [0, 1], [1, 2])), [0.5, 0.5]
    ),
    "means": Door(
        "means",
        lambda m: parts(round_mixture([0.5, 0.5], m, [1, 2])),
        [0.0, 2.5],
        ("column",),
    ),
    "rows": Door("means", lambda m: parts(round_mixture([1], m, [1])), [[0.5, 2.0]]),
    "sigmas": Door(
        "sigmas", lambda s: parts(round_mixture([0.5, 0.5], [0, 1], s)), [1.0, 2.5]
    ),
    "start-mean": Door(
        "start",
        lambda m: fit_isotropic_gaussian(LINE, "js", starts=[(m, 1)], **FEW).means,
        [2.5],
        ("column",),  # one number in any shape
    ),
    "start-sigma": Door(
        "start",
        lambda s: fit_isotropic_gaussian(LINE, "js", starts=[(2, s)], **FEW).means,
        1.5,
        ("column",),
    ),
    "bandwidths": Door(
        "bandwidths",
        lambda b: fit_isotropic_gaussian(LINE, "mmd", bandwidths=b).value,
        [0.5, 2.0],
        ("column",),
    ),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door, rtol=1e-6)


@pytest.mark.parametrize("sigmas", [[-2.0], [0.0], [1.0, 1.0], 1.0, [[1.0]]])
def test_sigmas_of_a_round_mixture(sigmas):
    refuses(lambda: round_mixture([1.0], [0.0], sigmas), "sigmas")


def test_the_function_of_a_reader_is_used_whatever_its_name():
    def js(log_p, log_q, cell):  # in truth KL(q‖p)
        return ((log_q - log_p) * log_q.exp()).sum() * cell

    class NoHash(dict):
        def __call__(self, *tables):
            return js(*tables)

    value = fit_isotropic_gaussian(LINE, "reverse_kl").value
    for mine in (js, NoHash()):
        assert fit_isotropic_gaussian(LINE, mine).value == pytest.approx(value)
    assert fit_isotropic_gaussian(LINE, "js").value < 0.2 < value


def stretched(mixture, unit, far=0.0):
    means = (mixture.means + far) * unit
    return GaussianMixture(mixture.weights, means, mixture.covariances * unit * unit)


@pytest.mark.parametrize("divergence", EVERY)
@pytest.mark.parametrize("unit", [1e-6, 0.01, 1000.0])
def test_the_picture_of_theis_in_other_units(divergence, unit):
    target = load_theis_mixture()
    mmd = divergence == "mmd"
    options = {"bandwidths": [b * unit for b in THEIS_BANDWIDTHS]} if mmd else {}
    here = fit_isotropic_gaussian(target, divergence)
    there = fit_isotropic_gaussian(stretched(target, unit), divergence, **options)
    assert there.value == pytest.approx(here.value, abs=1e-7)
    assert (there.mean / unit).tolist() == pytest.approx(here.mean.tolist(), abs=1e-3)
    assert there.sigma / unit == pytest.approx(here.sigma, abs=1e-3)
    assert len(there.minima) == len(here.minima)


@quiet
@given(
    st.sampled_from([LINE, TURNED]),
    st.sampled_from([*EVERY, "mine"]),
    st.sampled_from([1e-9, 1e-6, 0.01, 0.02, 0.3, 3.0, 40.0, 1e3, 1e6, 1e100]),
    st.sampled_from([0.0, -1e4, 1e8]),
)
def test_no_unit_and_no_origin_changes_the_fit(target, divergence, unit, far):
    def mine(log_p, log_q, cell):  # the reverse KL
        return ((log_q - log_p) * log_q.exp()).sum() * cell

    # only what float64 holds of the target there
    target = stretched(stretched(target, 1.0, far), 1.0, -far)
    known = mine if divergence == "mine" else divergence
    fits, points = [], 101 if target.d == 2 else 401
    for p, size in ((target, 1.0), (stretched(target, unit, far), unit)):
        own = {"bandwidths": [size, 3 * size]} if divergence == "mmd" else {}
        fits.append(fit_isotropic_gaussian(p, known, points=points, **own))
    here, there = fits
    assert there.value == pytest.approx(here.value, abs=1e-5)
    assert there.sigma / unit == pytest.approx(here.sigma, rel=2e-3)
    best = [m.mean / unit - far for m in there.minima]  # one of those as good
    near = [(mean - here.mean).abs().max().item() for mean in best]
    assert min(near) < 0.02


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1000.0, 1e4])
def test_a_mixture_of_two_in_other_units(unit):
    target = round_mixture([0.5, 0.5], np.array([-3.0, 3.0]) * unit, [unit, unit / 2])
    for name in ("js", "forward_kl", "reverse_kl"):
        fit = fit_round_mixture(target, name, 2, n_starts=2)
        assert abs(fit.value) < 1e-6
        means = sorted((fit.means[:, 0] / unit).tolist())
        assert means == pytest.approx([-3, 3], abs=1e-2)


def test_starts_are_in_the_units_of_the_caller():
    for unit, far in ((1.0, 0.0), (1e3, 0.0), (1e-3, 1e7)):
        target, at = stretched(LINE, unit, far), torch.tensor([far])
        for side in (-2.5, 2.5):
            start = ((at + side) * unit, 1.2 * unit)
            fit = fit_isotropic_gaussian(target, "reverse_kl", starts=[start])
            found = (fit.mean / unit - far).item()
            assert found == pytest.approx(math.copysign(2.98, side), abs=0.02)


def test_kernels_of_all_widths_find_the_target_or_are_refused():
    target = round_mixture([1.0], [[0.7, -0.2]], [0.8])
    start = [((0.5, 0.0), 0.9)]
    for width in (0.02, 0.2, 2.0, 20.0):
        fit = fit_isotropic_gaussian(target, "mmd", start, bandwidths=width)
        assert fit.mean.tolist() == pytest.approx((0.7, -0.2), abs=5e-3)
        assert fit.sigma == pytest.approx(0.8, abs=2e-2)
    refuses(
        lambda: fit_isotropic_gaussian(target, "mmd", bandwidths=200.0), "bandwidths"
    )
    in_millimetres = stretched(target, 1e4)
    refuses(
        lambda: fit_isotropic_gaussian(in_millimetres, "mmd", bandwidths=1e7), "sigma"
    )


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (lambda p, q, c: q.sum().item(), "divergence must return a tensor"),
        (lambda p, q, c: None, "divergence must return a tensor"),
        (lambda p, q, c: q, "divergence must return the shape"),
        (lambda p, q, c: q.sum()[None], "divergence must return the shape"),
        (lambda p, q, c: q.detach().sum(), "divergence must return a number with"),
        (lambda p, q, c: q.sum() * 1j, "divergence must return a tensor of real"),
    ],
)
def test_a_function_that_returns_something_else(mine, words):
    refuses(lambda: fit_isotropic_gaussian(LINE, mine), words)
    refuses(lambda: fit_round_mixture(LINE, mine, 1), words)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_function_that_is_no_number_stops_the_fit(bad):
    with pytest.raises(FloatingPointError, match="at a start of the search"):
        fit_isotropic_gaussian(LINE, lambda p, q, c: q.sum() * bad)
    with pytest.raises(FloatingPointError, match="at a start of the search"):
        descend(lambda x: (x.sum() * bad, x * bad), torch.ones(2))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"k": 1.5}, "k"),
        ({"k": None}, "k"),
        ({"n_starts": "4"}, "n_starts"),
        ({"max_steps": math.inf}, "max_steps"),
        ({"seed": 0.5}, "seed"),
        ({"points": "9"}, "points"),
        ({"points": True}, "points"),
        ({"bandwidths": None}, "bandwidths"),
    ],
)
def test_settings_without_sense(options, name):
    refuses(lambda: fit_round_mixture(LINE, "js", **({"k": 1} | options)), name)


@pytest.mark.parametrize("divergence", [None, 3, ["js"], torch.ones(2), "JS"])
def test_what_is_no_divergence(divergence):
    refuses(lambda: fit_isotropic_gaussian(LINE, divergence), "divergence must be")


@pytest.mark.parametrize(
    "starts", [3, [None], ["ab"], [(1 + 1j, 1.0)], [([[1.0], [2, 3]], 1)]]
)
def test_what_is_no_start(starts):
    refuses(lambda: fit_isotropic_gaussian(LINE, "js", starts=starts), "start")


def test_numpy_counts_are_counts():
    same = fit_round_mixture(LINE, "js", np.int64(1), np.int32(2), points=np.int64(401))
    assert same.value == fit_round_mixture(LINE, "js", 1, 2, points=401).value


def test_whatever_mode_the_caller_is_in():
    truth = {name: fit_isotropic_gaussian(LINE, name).value for name in EVERY}
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            inside = round_mixture([0.5, 0.5], [-3.0, 3.0], [1.0, 1.0])
            for name, value in truth.items():
                fit = fit_isotropic_gaussian(inside, name)
                assert fit.value == pytest.approx(value)
        assert not fit.means.is_inference()
        for name, value in truth.items():  # and what was made there serves outside
            assert fit_isotropic_gaussian(inside, name).value == pytest.approx(value)


def test_what_comes_back_may_be_changed():
    first = load_theis_mixture()
    first.means.zero_()
    assert load_theis_mixture().means.abs().max() > 1
    fit = fit_isotropic_gaussian(LINE, "js")
    fit.means.zero_()
    assert LINE.means.abs().max() == 3
    assert fit_isotropic_gaussian(LINE, "js").mean != 0  # a bit aside of the middle


def test_a_search_begins_at_numbers_and_its_seed_is_one():
    def bowl(x):
        return x.square().sum(), 2 * x

    for begin in ([3, 4], np.array([3.0, 4.0]), torch.tensor([3, 4])):
        assert descend(bowl, begin).abs().max() < 1e-6
    for bad in (None, 2.0, [], [[1.0]], [math.nan], "x"):
        refuses(lambda bad=bad: descend(bowl, bad), "x ")
    for bad in (None, 1.5, True, -1, 10**400):
        refuses(lambda bad=bad: fit_round_mixture(LINE, "js", 1, seed=bad), "seed must")
