"""MMD meets hostile input: other forms, other units, far away, kernels far too wide.

The kernel sees differences in units of its bandwidth, so the answer is the same when
samples and bandwidth are stretched together, wherever the samples lie.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.divergences import (
    mmd2_biased,
    mmd2_mixtures,
    mmd2_unbiased,
    permutation_test,
    round_mixture,
    witness,
)
from course_utils.divergences.mmd import mean_kernel
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

X, Y = [0.5, 2.0, -1.0, 3.0, 1.0], [1.0, 4.5, 2.0]
ROWS, OTHERS = [[0.5, 2.0], [-1.0, 3.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, -2.5]]
P = round_mixture([0.5, 0.5], [-1.0, 1.0], [0.5, 1.0])
Q = round_mixture([1.0], [0.5], [1.5])


def permuted(x, y, sigma=1.0):
    random = torch.Generator().manual_seed(0)
    return permutation_test(x, y, sigma, 20, generator=random)


STATISTICS = {"biased": mmd2_biased, "unbiased": mmd2_unbiased, "permuted": permuted}
DOORS = {"witness": Door("x", lambda x: witness(P, Q, x, 1.0), X, ("column",))}
for statistic, f in STATISTICS.items():
    DOORS |= {
        f"{statistic}-x": Door("x", lambda x, f=f: f(x, Y, 1.0), X, ("column",)),
        f"{statistic}-y": Door("y", lambda y, f=f: f(X, y, 1.0), Y, ("column",)),
        f"{statistic}-rows": Door("x", lambda x, f=f: f(x, OTHERS, 1.0), ROWS),
    }
for statistic, f in (STATISTICS | {"mixtures": mmd2_mixtures}).items():
    two = (P, Q) if statistic == "mixtures" else (X, Y)
    DOORS[f"{statistic}-bandwidths"] = Door(
        "bandwidths",
        lambda sigmas, f=f, two=two: f(*two, sigmas),
        [0.5, 1.0, 2.0],
        ("column",),  # they are a list in any shape
    )

quiet = settings(deadline=None, max_examples=30, derandomize=True, database=None)
units = st.sampled_from([1e-150, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e150])


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


def samples(seed, n, m, d, shift):
    random = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(k, d, generator=random).double() for k in (n, m))
    return x, y + shift


@quiet
@given(
    st.integers(0, 99),
    st.integers(1, 3),
    units,
    st.sampled_from([0.0, -1e3, 1e8]),
    st.sampled_from([0.05, 1.0, 200.0]),
)
def test_no_unit_and_no_origin_changes_the_answer(seed, d, unit, far, sigma):
    x, y = samples(seed, 12, 9, d, 1.0)
    # only what float64 holds of them there
    x, y = ((v + far) - far for v in (x, y))
    for f in STATISTICS.values():
        here, there = (
            f(x, y, sigma),
            f((x + far) * unit, (y + far) * unit, sigma * unit),
        )
        if isinstance(here, float):
            assert there == pytest.approx(here, rel=1e-4, abs=1e-6 / max(sigma, 1) ** 2)
        else:
            assert there.p_value == here.p_value
            assert there.mmd2 == pytest.approx(here.mmd2, rel=1e-4, abs=1e-9)


def test_powers_of_two_change_not_even_a_bit():
    x, y = samples(0, 300, 200, 2, 0.3)
    for f in STATISTICS.values():
        here, there = f(x, y, 1.3), f(x * 2.0**-90, y * 2.0**-90, 1.3 * 2.0**-90)
        assert repr(here) == repr(there)


def long_double(x, y, sigma, diagonal):
    """MMD² in long double, by k − 1, which leaves the difference of means as it is."""
    x, y = (v.numpy().astype(np.longdouble) for v in (x, y))

    def mean(a, b, same):
        square = ((a[:, None] - b) ** 2).sum(-1) / np.longdouble(sigma) ** 2
        total = np.expm1(-square / 2).sum()
        pairs = len(a) * (len(a) - 1) if same and not diagonal else len(a) * len(b)
        return total / pairs

    return float(mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False))


@quiet
@given(
    st.integers(0, 99),
    st.integers(1, 3),
    st.sampled_from([0.3, 1.0, 10.0, 200.0, 1e4, 1e7, 1e12]),
)
def test_kernels_of_all_widths_keep_their_digits(seed, d, sigma):
    x, y = samples(seed, 30, 20, d, 0.5)
    scale = min(1.0, 4 / sigma**2)  # how large the three means of k − 1 are
    truth = long_double(x, y, sigma, diagonal=True)
    assert mmd2_biased(x, y, sigma) == pytest.approx(truth, abs=1e-11 * scale)
    truth = long_double(x, y, sigma, diagonal=False)
    assert mmd2_unbiased(x, y, sigma) == pytest.approx(truth, abs=1e-11 * scale)
    assert permuted(x, y, sigma).mmd2 == pytest.approx(truth, abs=1e-10 * scale)


@quiet
@given(st.integers(0, 99), st.sampled_from([0.01, 1.0, 30.0, 1e5, 1e9]))
def test_the_biased_one_is_never_negative(seed, sigma):
    x, _ = samples(seed, 40, 40, 2, 0.0)
    assert 0 <= mmd2_biased(x, x, sigma) < 1e-12
    assert 0 <= mmd2_biased(x, x.flip(0), [sigma, 2 * sigma]) < 1e-12


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e-7, 1e-30])
def test_two_clearly_different_samples_in_small_units(unit):
    torch.manual_seed(0)
    x, y = torch.randn(40).double(), torch.randn(40).double() + 5
    found = permutation_test(x * unit, y * unit, 1.0, 200)
    assert found.p_value == pytest.approx(1 / 201)
    wide = permutation_test(x, y, 1.0 / unit, 200)
    assert wide.p_value == pytest.approx(1 / 201)


def test_outliers_far_from_the_origin():
    x, y = samples(3, 60, 50, 2, 0.4)
    x[0] += 1e5  # beyond the matrix product
    here = mmd2_biased(x, y, 1.0)
    assert mmd2_biased(x + 1e8, y + 1e8, 1.0) == pytest.approx(here, abs=1e-7)
    assert mmd2_biased(x - 1e8, y - 1e8, 1.0) == pytest.approx(here, abs=1e-7)


def test_what_the_kernel_cannot_hold_is_refused():
    refuses(lambda: mmd2_biased([1e300, 2e300], [0.0, 1.0], 1e-30), "x and y")
    refuses(lambda: mmd2_mixtures(P, Q, 1e170), "bandwidths")
    refuses(lambda: mean_kernel(P, Q, [1.0, 1e-170]), "bandwidths")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_permutations": 2.5}, "n_permutations"),
        ({"n_permutations": True}, "n_permutations"),
        ({"n_permutations": None}, "n_permutations"),
        ({"generator": 3}, "generator"),
    ],
)
def test_settings_without_sense(options, name):
    refuses(lambda: permutation_test(X, Y, 1.0, **options), name)


class Parts:
    """A mixture written down by hand."""

    def __init__(self, weights, means, covariances):
        self.weights, self.means, self.covariances = weights, means, covariances


def test_a_mixture_by_hand():
    hand = Parts([0.5, 0.5], np.array([[-1], [1]]), [[[0.25]], [[1.0]]])
    assert mmd2_mixtures(hand, Q, 1.0).item() == mmd2_mixtures(P, Q, 1.0).item()
    assert torch.equal(witness(hand, Q, X, 1.0), witness(P, Q, X, 1.0))
    one = [[[1.0]]]
    for wrong, words in (
        (Parts([1.0], [0.0], one), "q must be a mixture with parts"),
        (Parts([[1.0]], [[0.0]], one), "q must be a mixture with parts"),
        (Parts([0.5, 0.5], [[0.0]], one), "q must be a mixture with parts"),
        (Parts([1.0], [[0.0]], [1.0]), "q must be a mixture with parts"),
        (Parts([1.0], None, one), "means of q"),
        (Parts(torch.ones(1) * 1j, [[0.0]], one), "weights of q"),
    ):
        refuses(lambda wrong=wrong: mmd2_mixtures(P, wrong, 1.0), words)


@quiet
@given(units, st.sampled_from([0.0, -1e3, 1e8]))
def test_mixtures_move_and_stretch(unit, far):
    if not 1e-100 < unit < 1e100:
        return  # the variances of such a mixture are no numbers
    p, q = (
        round_mixture(m.weights, (m.means + far) * unit, sigmas * unit)
        for m, sigmas in ((P, torch.tensor([0.5, 1.0])), (Q, torch.tensor([1.5])))
    )
    here, there = mmd2_mixtures(P, Q, 1.0).item(), mmd2_mixtures(p, q, unit).item()
    assert there == pytest.approx(here, rel=1e-5)
    assert math.isfinite(mean_kernel(p, q, unit).item())


@pytest.mark.parametrize("sigma", [1.0, 90.0, 1e3, 1e7, 1e60])
def test_mixtures_under_wide_kernels_keep_their_digits(sigma):
    p = round_mixture([0.5, 0.5], [-1.0, 1.0], [0.5, 1.0])
    q = round_mixture([1.0], [0.25], [1.5])
    near = 0.25**2 / sigma**2  # MMD² → the squared gap of the means, in σ
    value = mmd2_mixtures(p, q, sigma).item()
    assert value > 0
    if sigma > 1e2:
        # next: half of the products of the differences of second moments, in σ
        assert value == pytest.approx(near, rel=10 / sigma**2 + 1e-9)
    both = mmd2_mixtures(p, q, [1.0, sigma]).item()
    assert both == pytest.approx(value + mmd2_mixtures(p, q, 1.0).item(), rel=1e-12)
    assert abs(mmd2_mixtures(p, p, sigma).item()) < 1e-14 * min(1, 9 / sigma**2)


def test_the_two_ways_agree_where_they_meet():
    turned = torch.tensor([[[1.0, 0.5], [0.5, 0.75]]], dtype=torch.float64)
    mean = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    p, q = Parts([1.0], mean, turned), Parts([1.0], 0 * mean, turned.flip(1, 2))
    sigma = 32 * (0.13 + 2 * 2) ** 0.5  # the extent of the two
    below, above = (mmd2_mixtures(p, q, s).item() for s in (sigma - 1, sigma + 1))
    assert below * (sigma - 1) ** 2 == pytest.approx(above * (sigma + 1) ** 2, rel=1e-3)
    wide = Parts([1.0], mean.clone().requires_grad_(), turned)
    slope = torch.autograd.grad(mmd2_mixtures(wide, q, 1e3), wide.means)[0]
    torch.testing.assert_close(slope, 2e-6 * mean, rtol=1e-4, atol=0)
