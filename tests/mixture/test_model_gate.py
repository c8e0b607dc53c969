"""Mixtures meet hostile input, numbers far away and other units."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.mixture import (
    GaussianMixture,
    bic,
    e_step,
    features,
    match_components,
    natural_parameters,
    shapes,
    sort_components,
)
from course_utils.mixture.climb import next_mean
from course_utils.mixture.marks import mix_colours
from course_utils.mixture.pictures import two_bumps
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.mixture.cases import assert_same, close, random_mixture, seeds

WEIGHTS, MEANS = [0.25, 0.75], [[0.0, 1.0], [6.0, 4.0]]
COVARIANCES = [[[1.0, 0.5], [0.5, 2.0]], [[2.0, 0.0], [0.0, 1.0]]]
X = [[0.0, 0.5], [1.0, 0.0], [0.5, 1.5], [6.0, 4.0]]
MIXTURE = GaussianMixture(WEIGHTS, MEANS, COVARIANCES)
LINE = GaussianMixture([0.5, 0.5], [[0.0], [3.0]], [[[1.0]], [[2.0]]])
quiet = settings(deadline=None, max_examples=40, derandomize=True, database=None)


def parameters(mixture):
    return mixture.weights, mixture.means, mixture.covariances


def built(weights=WEIGHTS, means=MEANS, covariances=COVARIANCES):
    return parameters(GaussianMixture(weights, means, covariances))


def natural(weights=WEIGHTS, means=MEANS, covariances=COVARIANCES):
    return natural_parameters(weights, means, covariances)


def joined(shares):
    return parameters(GaussianMixture.joined([MIXTURE, MIXTURE], shares))


DOORS = {
    "weights": Door("weights", lambda w: built(weights=w), WEIGHTS),
    "means": Door("means", lambda m: built(means=m), MEANS),
    "covariances": Door("covariances", lambda c: built(covariances=c), COVARIANCES),
    "natural-weights": Door("weights", lambda w: natural(weights=w), WEIGHTS),
    "natural-means": Door("means", lambda m: natural(means=m), MEANS),
    "natural": Door("covariances", lambda c: natural(covariances=c), COVARIANCES),
    "log_joint": Door("x", MIXTURE.log_joint, X),
    "log_prob": Door("x", MIXTURE.log_prob, X),
    "responsibilities": Door("x", MIXTURE.responsibilities, X),
    "e_step": Door("x", lambda x: e_step(x, MIXTURE), X),
    "bic": Door("x", lambda x: bic(x, MIXTURE), X),
    "features": Door("x", features, X),
    "shares": Door("shares", joined, [0.25, 0.75]),
    "order": Door("order", lambda o: parameters(MIXTURE.permuted(o)), [1.0, 0.0]),
    "next_mean": Door("x", lambda x: next_mean(LINE, x), [[0.5], [2.0]]),
    "colours": Door("r", mix_colours, [[0.5, 0.5], [0.0, 1.0]]),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@pytest.mark.parametrize("default", [torch.float16, torch.bfloat16, torch.float64])
def test_lists_are_read_in_float64_whatever_the_default(default):
    expected, quantiles = built([0.3, 0.7]), shapes.standard_normal_quantiles(9)
    torch.set_default_dtype(default)
    try:
        found = built([0.3, 0.7])
        assert torch.equal(shapes.standard_normal_quantiles(9), quantiles)
        third = GaussianMixture([1 / 3] * 3, [[0.1]] * 3, [[[0.1]]] * 3)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(torch.equal, found, expected))
    assert third.weights.tolist() == [1 / 3] * 3
    assert third.means[0].item() == third.covariances[0].item() == 0.1


def test_imaginary_parts_are_not_dropped():
    refuses(lambda: GaussianMixture([1.0], torch.tensor([[1j]]), [[[1.0]]]), "means")
    refuses(lambda: LINE.log_prob(np.array([[1j]])), "x must be real")
    refuses(lambda: LINE.log_prob([[1j]]), "x must be real")


def test_masks_are_not_dropped():
    masked = np.ma.masked_array(np.ones((4, 2)), mask=np.eye(4, 2))
    refuses(lambda: MIXTURE.log_prob(masked), "x must have no masked values")


def test_an_order_is_a_permutation():
    for wrong in ([0, 0], [0], [0, 1, 1], [0.5, 1.0], [-1, 0], [[0, 1]], 1):
        refuses(lambda wrong=wrong: MIXTURE.permuted(wrong), "order must be")


def test_wrong_settings_are_named():
    for n in (0, -1, 2.5, "3", None, True):
        refuses(lambda n=n: MIXTURE.sample(n), "n must be")
        refuses(lambda n=n: shapes.standard_normal_quantiles(n), "n must be")
    generator = torch.Generator()
    refuses(lambda: MIXTURE.sample(3, generator), "labels must be")
    refuses(lambda: MIXTURE.sample(3, generator=0), "generator must be")
    for by in (2, -1, 0.5, None):
        refuses(lambda by=by: sort_components(MIXTURE, by), "by must be")
    for sigma in (0.0, -1.0, math.inf, None, "1"):
        refuses(lambda sigma=sigma: two_bumps(0.5, 1.0, sigma), "sigma must be")
    refuses(lambda: two_bumps(1.5, 1.0, 1.0), "weight must be")


@pytest.mark.parametrize("other", [None, "mixture", 3, WEIGHTS, GaussianMixture])
def test_what_is_no_mixture_is_named(other):
    refuses(lambda: bic(X, other), "mixture must be a GaussianMixture")
    refuses(lambda: e_step(X, other), "mixture must be a GaussianMixture")
    refuses(lambda: sort_components(other), "mixture must be a GaussianMixture")
    refuses(lambda: match_components(other, MIXTURE), "mixture must be")
    refuses(lambda: match_components(MIXTURE, other), "reference must be")
    refuses(lambda: GaussianMixture.joined(other, [1.0]), "parts must be")


def test_parts_of_a_mixture_fit_each_other():
    refuses(lambda: GaussianMixture.joined([MIXTURE, LINE], [0.5, 0.5]), "parts must")
    refuses(lambda: GaussianMixture.joined([MIXTURE], [0.5, 0.5]), "shares must be 1")
    refuses(lambda: GaussianMixture.joined([], []), "shares must")


def test_no_unit_hides_a_covariance_that_is_not_symmetric():
    skew = [[[1e10, 0.5], [-0.5, 1e-10]]]
    refuses(lambda: GaussianMixture([1.0], [[0.0, 0.0]], skew), "symmetric positive")


def test_what_a_caller_gets_he_may_change():
    mixture = GaussianMixture(WEIGHTS, MEANS, COVARIANCES)
    before = mixture.log_prob(X)
    for values in parameters(mixture):
        values.mul_(3)
    mixture.components.loc.add_(1)
    mixture.components.scale_tril.mul_(2)
    mixture.distribution.component_distribution.loc.add_(1)
    assert torch.equal(mixture.log_prob(X), before)
    again = pickle.loads(pickle.dumps(mixture))
    assert torch.equal(again.log_prob(X), before)
    with pytest.raises(AttributeError, match="no 'sigmas'"):
        mixture.sigmas  # noqa: B018


def test_inference_mode_leaves_nothing_behind():
    with torch.inference_mode():
        mixture = GaussianMixture(WEIGHTS, MEANS, COVARIANCES)
        mixture.log_prob(X)
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    for value in (mixture.log_prob(x), mixture.responsibilities(x)[:, 0]):
        (slope,) = torch.autograd.grad(value.sum(), x)
        assert bool(slope.isfinite().all())


def test_far_away_one_component_is_responsible():
    """Once NaN: every density is 0 there, and Bayes' rule 0/0."""
    pair = GaussianMixture([0.5, 0.5], [[0.0], [1.0]], [[[1.0]], [[4.0]]])
    same = GaussianMixture([0.5, 0.5], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    for size in (1e5, 1e8, 1e17, 1e100, 1e160, 1e300):
        x = torch.tensor([[size], [-size]], dtype=torch.float64)
        assert pair.responsibilities(x).tolist() == [[0, 1], [0, 1]]
        assert same.responsibilities(x).tolist() == [[0, 1], [1, 0]]
    never = GaussianMixture([0.0, 1.0], [[9.0], [0.0]], [[[9.0]], [[1.0]]])
    assert never.responsibilities([[1e170]]).tolist() == [[0, 1]]


@quiet
@given(seeds, st.integers(4, 15), st.integers(-8, 8))
def test_responsibilities_far_away_against_exact_fractions(seed, exponent, shift):
    """Between two components whose boundary passes at a large distance."""
    g = torch.Generator().manual_seed(seed)
    turn = (2 * torch.rand(2, generator=g) - 1).double()
    means = torch.stack([turn, -turn]) / 2
    cov = torch.eye(2).double() * 0.25
    pair = GaussianMixture([0.5, 0.5], means, cov.expand(2, 2, 2))
    along = torch.stack([-turn[1], turn[0]]) * 2.0**exponent * 64
    x = (along + shift * turn / 8)[None]  # far along the boundary, a little off it
    at = [Fraction(value) for value in x[0].tolist()]
    exact = [
        sum((a - Fraction(m)) ** 2 for a, m in zip(at, row, strict=True))
        for row in means.tolist()
    ]
    log_ratio = float(2 * (exact[1] - exact[0]))
    expected = torch.tensor([log_ratio, 0.0], dtype=torch.float64).softmax(0)
    close(pair.responsibilities(x)[0], expected, rtol=1e-7, atol=1e-9)


@quiet
@given(seeds, st.sampled_from([1e-100, 1e-6, 1e6, 1e100]), st.sampled_from([0, 1e8]))
def test_no_unit_and_no_origin_changes_inference(seed, unit, far):
    """x and the means are whole multiples of 2⁻¹⁰: they survive the way far away."""
    here = random_mixture(seed, 3, 2)
    means = (here.means * 1024).round() / 1024
    x = (here.sample(20, generator=torch.Generator().manual_seed(seed)) * 1024).round()
    x, scale = x / 1024, 2.0 ** round(math.log2(unit))
    here = GaussianMixture(here.weights, means, here.covariances)
    there = GaussianMixture(
        here.weights, (means + far) * scale, here.covariances * scale**2
    )
    moved = (x + far) * scale
    close(there.responsibilities(moved), here.responsibilities(x))
    close(there.log_prob(moved) + 2 * math.log(scale), here.log_prob(x))
    order = torch.tensor([2, 0, 1])
    found = match_components(there.permuted(order), there)
    assert_same(found, there, rtol=0, atol=0)


def test_matching_survives_squares_that_overflow():
    far = GaussianMixture(WEIGHTS, torch.tensor(MEANS).double() * 1e160, COVARIANCES)
    assert_same(match_components(far.permuted([1, 0]), far), far, rtol=0, atol=0)


def test_products_that_overflow_are_refused():
    refuses(lambda: features([[1e160, 1.0]]), "x must be at most")
    refuses(lambda: natural(means=[[1e160, 0.0], [0.0, 0.0]]), "means must be smaller")
