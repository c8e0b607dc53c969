"""Coordinate ascent meets hostile input, numbers far from 0 and other units."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from course_utils.training import last
from course_utils.variational import BayesianMixture, cavi_gaussian, cavi_mixture
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64

MU, P, START = [1.5, -2.5], [[2.0, 0.5], [0.5, 1.0]], [3.0, -3.0]
X, MEANS = [-3.0, -2.5, 1.0, 2.0], [-1.0, 1.0]
MODEL = BayesianMixture(2)


def product(mean=MU, precision=P, start=START):
    return last(cavi_gaussian(mean, precision, start, 30)).mean


def climb(x=X, means=MEANS):
    state = last(cavi_mixture(x, MODEL, means))
    return state.means, state.sigmas, state.elbo


DOORS = {
    "mean": Door("mean", lambda mean: product(mean=mean), MU),
    "precision": Door("precision", lambda p: product(precision=p), P),
    "start": Door("start", lambda start: product(start=start), START),
    "evidence": Door("x", MODEL.log_prob, X),
    "joint": Door("x", lambda x: MODEL.log_joint(x, f64(*MEANS)), X),
    "joint-means": Door("means", lambda m: MODEL.log_joint(f64(*X), m), MEANS),
    "mixture": Door("x", climb, X),
    "mixture-means": Door("means", lambda means: climb(means=means), MEANS),
}
halves = st.integers(-20, 20).map(lambda k: k / 2)
quiet = settings(deadline=None, max_examples=20, derandomize=True, database=None)


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door, rtol=1e-7)


@quiet
@given(
    st.lists(halves, min_size=2, max_size=2), st.lists(halves, min_size=3, max_size=6)
)
def test_any_numbers_agree_in_all_forms(pair, values):
    same_in_all_clothes(DOORS["start"], pair, rtol=1e-7)
    same_in_all_clothes(DOORS["mean"], pair, rtol=1e-7)
    same_in_all_clothes(DOORS["evidence"], values, rtol=1e-7)
    same_in_all_clothes(DOORS["joint"], values, rtol=1e-7)


def test_a_start_of_whole_numbers_is_not_cut_off():
    found = product(f64(1.3, -2.4), f64([2.0, 0.9], [0.9, 1.0]), torch.tensor([3, -3]))
    assert (found - f64(1.3, -2.4)).abs().max() < 1e-5


@pytest.mark.parametrize(
    "bad",
    [[[1.0, 3.0], [3.0, 1.0]], [[-2.0, 0.1], [0.1, 1.0]], [[2.0, 0.5], [0.4, 1.0]]],
)
def test_a_matrix_that_is_no_precision_is_refused_at_the_call(bad):
    refuses(lambda: cavi_gaussian(MU, bad, START), "precision must be symmetric")


def test_settings_are_refused_at_the_call():
    for bad in (None, 2.5, -1, "3", True):
        refuses(lambda bad=bad: cavi_gaussian(MU, P, START, bad), "n_sweeps must be")
        refuses(lambda bad=bad: cavi_mixture(X, MODEL, MEANS, bad), "max_sweeps must")
        refuses(lambda bad=bad: BayesianMixture(bad), "n_components must be")
        refuses(lambda bad=bad: MODEL.sample(bad), "n must be")
        refuses(lambda bad=bad: MODEL.log_prob(f64(*X), bad), "max_terms must be")
    for bad in (None, -1.0, math.nan, math.inf, "0"):
        refuses(lambda bad=bad: cavi_mixture(X, MODEL, MEANS, 9, bad), "tolerance must")
        refuses(lambda bad=bad: BayesianMixture(2, bad), "prior_sigma must be")
    refuses(lambda: BayesianMixture(2, 1e-200), "use other units")
    refuses(lambda: cavi_mixture(X, 3, MEANS), "model must be")


def test_one_number_is_no_vector():
    refuses(lambda: cavi_gaussian(-1.0, P, START), "mean must be numbers of shape")
    refuses(lambda: cavi_mixture(-1.0, MODEL, MEANS), "x must be numbers of shape")


def test_states_belong_to_the_caller():
    expected = product()
    for state in cavi_gaussian(f64(*MU), f64(*P), f64(*START), 30):
        kept = state.mean.clone()
        state.mean.zero_()
        state.sigma.zero_()
    assert torch.equal(kept, expected)
    start, values = f64(*MEANS), []
    for state in cavi_mixture(f64(*X), MODEL, start):
        values.append(state.elbo)
        state.means.zero_()
        state.sigmas.zero_()
    assert values[-1] == climb()[2]
    assert start.tolist() == MEANS


def test_numbers_that_overflow_are_named():
    refuses(lambda: cavi_mixture([1e160, 1.0], MODEL, MEANS), "x must be smaller")
    refuses(lambda: cavi_mixture(X, MODEL, [1e160, 1.0]), "means must be less")
    steep = cavi_gaussian([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]], [1e308, -1.7e308])
    with pytest.raises(FloatingPointError, match="q left the floats"):
        list(cavi_gaussian([1e308, 0.0], P, [-1.7e308, 1.7e308]))
    assert last(steep).mean.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_floats_of_both_lengths_mix(dtype):
    x = torch.tensor(X, dtype=dtype)
    found = last(cavi_mixture(x, MODEL, torch.tensor(MEANS)))
    assert found.elbo == pytest.approx(climb()[2], abs=1e-4)
    exact = MODEL.log_prob(f64(*X)).item()
    assert MODEL.log_prob(x).item() == pytest.approx(exact, abs=1e-5)


def by_gaussians(model, x):
    """log p(x): each assignment's own Gaussian, as torch computes it."""
    terms = []
    for codes in itertools.product(range(model.n_components), repeat=len(x)):
        same = torch.tensor([[a == b for a in codes] for b in codes]).double()
        covariance = torch.eye(len(x)).double() + model.prior_sigma**2 * same
        terms.append(MultivariateNormal(torch.zeros_like(x), covariance).log_prob(x))
    return torch.stack(terms).logsumexp(0) - len(x) * math.log(model.n_components)


@quiet
@given(st.lists(halves, min_size=1, max_size=5), st.sampled_from([0.5, 5.0, 50.0]))
def test_the_evidence_is_that_of_all_gaussians(values, sigma):
    model, x = BayesianMixture(2, sigma), f64(*values)
    assert (model.log_prob(x) - by_gaussians(model, x)).abs() < 1e-8


@pytest.mark.parametrize("far", [1e4, 1e6, 1e8])
def test_far_from_zero_nothing_cancels(far):
    """A prior as wide as the data are far: it is flat, so only its height changes."""
    x = f64(*X)
    flat = BayesianMixture(2, 1e6 * far)
    shifted = flat.log_prob(x + far) - flat.log_prob(x)
    assert shifted.abs() < 1e-6
    near = last(cavi_mixture(x, flat, MEANS))
    away = last(cavi_mixture(x + far, flat, f64(*MEANS) + far))
    assert (away.means - far - near.means).abs().max() < 1e-5
    assert away.elbo == pytest.approx(near.elbo, abs=1e-6)
    assert away.elbo <= flat.log_prob(x + far).item() + 1e-6


def test_one_formula_goes_over_into_the_other():
    """On both sides of the distance from which squares are taken of differences."""
    for far in (2000.0, 2200.0):
        model = BayesianMixture(1, 3000.0)
        found = last(cavi_mixture(f64(*X) + far, model, f64(far)))
        exact = model.log_prob(f64(*X) + far).item()
        assert found.elbo == pytest.approx(exact, abs=1e-8)


def test_settings_of_any_kind_of_number():
    refuses(lambda: BayesianMixture(2, 1e300), "prior_sigma must be between")
    same = [BayesianMixture(2, kind(5)).log_prob(X) for kind in (float, np.float32)]
    assert same[0] == same[1]
    ends = [
        last(cavi_mixture(X, MODEL, MEANS, 99, tolerance)).elbo
        for tolerance in (0.25, np.float32(0.25), torch.tensor(0.25))
    ]
    assert ends[0] == ends[1] == ends[2]
    refuses(lambda: cavi_mixture(X, MODEL, MEANS, 99, 10**400), "tolerance must be")
