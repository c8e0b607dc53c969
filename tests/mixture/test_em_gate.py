"""EM and its starts meet hostile input, other units, and data far from the origin."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.mixture import (
    GaussianMixture,
    e_step,
    em,
    em_together,
    kmeans_plus_plus,
    m_step,
    random_centres,
    restarts,
    start_around,
    start_at,
)
from course_utils.mixture.fast import StandardisedData
from course_utils.training import last
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.mixture.cases import assert_same, generator, random_data, seeds

X = [[0.0, 0.5], [1.0, 0.0], [0.5, 1.5], [6.0, 4.0], [7.0, 5.0], [6.5, 3.0]]
CENTRES = [[0.0, 1.0], [6.0, 4.0]]
SHARES = [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.75, 0.25]]
START = start_at(X, CENTRES)
DATA = torch.tensor(X, dtype=torch.float64)
NARROW = torch.eye(2).double().expand(2, 2, 2) * 1e-310
quiet = settings(deadline=None, max_examples=20, derandomize=True, database=None)


def parameters(mixture):
    return mixture.weights, mixture.means, mixture.covariances


def climbed(x):
    state = last(em(x, START, max_iterations=3))
    return (*parameters(state.mixture), torch.tensor(state.log_likelihood))


def climbed_together(x):
    *_, states = em_together(x, [START, START], max_iterations=3)
    return parameters(states[1].mixture)


def restarted(x):
    return parameters(restarts(x, 2, 2, generator=generator(0))[0].mixture)


DOORS = {
    "em": Door("x", climbed, X),
    "together": Door("x", climbed_together, X),
    "restarts": Door("x", restarted, X),
    "m_step": Door("x", lambda x: parameters(m_step(x, SHARES)), X),
    "shares": Door("responsibilities", lambda r: parameters(m_step(X, r)), SHARES),
    "k-means++": Door("x", lambda x: kmeans_plus_plus(x, 2, generator(0)), X),
    "random": Door("x", lambda x: random_centres(x, 2, generator(0)), X),
    "at": Door("x", lambda x: parameters(start_at(x, CENTRES)), X),
    "around": Door("x", lambda x: parameters(start_around(x, CENTRES)), X),
    "at-centres": Door("centres", lambda c: parameters(start_at(X, c)), CENTRES),
    "around-centres": Door(
        "centres", lambda c: parameters(start_around(X, c)), CENTRES
    ),
    "standardised": Door("x", lambda x: StandardisedData(x).back, X),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


SETTINGS = {
    "covariance_floor": [-0.1, math.nan, math.inf, None, "0", 1j, 1e9],
    "max_iterations": [-1, 2.5, None, "3", True, math.inf],
    "tolerance": [-1.0, math.nan, math.inf, None, "0"],
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_refused_at_the_call(name):
    for bad in SETTINGS[name]:
        wrong = {name: bad}
        refuses(lambda wrong=wrong: em(X, START, **wrong), f"{name} must be")
        refuses(lambda wrong=wrong: em_together(X, [START], **wrong), f"{name} must")
        refuses(lambda wrong=wrong: restarts(X, 2, 2, **wrong), f"{name} must be")


def test_a_floor_above_all_variance_is_refused_everywhere():
    """In kilometres the default of 1e-6 would hide the data, and be the answer."""
    for floor in (-0.1, 1e9):
        refuses(lambda f=floor: m_step(X, SHARES, f), "covariance_floor must be")
        for start in (start_at, start_around):
            refuses(lambda s=start, f=floor: s(X, CENTRES, f), "covariance_floor must")
    small = DATA * 1e-6
    for use in (lambda: restarts(small, 2), lambda: start_at(small, small[:2])):
        refuses(use, "at most the variance of x")


@pytest.mark.parametrize("bad", [2.5, 0, -1, 7, None, "2", True, math.nan])
def test_numbers_of_things_are_whole(bad):
    for choose in (kmeans_plus_plus, random_centres, restarts):
        refuses(lambda choose=choose: choose(X, bad), "k must be")
    if bad not in (7, None):
        refuses(lambda: restarts(X, 2, bad), "n_starts must be")
    if bad is not None:  # all of them
        refuses(lambda: restarts(X, 2, rows=bad), "rows must be")


def test_what_is_no_start_is_refused_at_the_call():
    for other in (None, "start", X, GaussianMixture):
        refuses(lambda other=other: em(X, other), "start must be a GaussianMixture")
        refuses(lambda other=other: em_together(X, other), "starts must be")
    refuses(lambda: em_together(X, START), "starts must be a list")
    *_, states = em_together(X, iter([START, START]), max_iterations=1)
    assert states.starts == [0, 1]
    refuses(lambda: states["first"], "row must be")
    for draw in (kmeans_plus_plus, random_centres):
        refuses(lambda draw=draw: draw(X, 2, 0), "generator must be")
    refuses(lambda: restarts(X, 2, generator=0), "generator must be")


def test_centres_of_a_reader_are_looked_at():
    refuses(lambda: restarts(X, 2, centres=3), "centres must be a function")
    refuses(lambda: restarts(X, 2, centres=lambda x, k, g: x[:3]), "k = 2 rows")
    refuses(lambda: restarts(X, 2, centres=lambda x, k, g: x[0]), "centres must have")
    refuses(lambda: restarts(X, 2, centres=lambda x, k, g: None), "centres must be")
    far = torch.tensor(CENTRES) + 1e8
    for start in (start_at, start_around):
        refuses(lambda start=start: start(X, far), "centres must be near x")


def test_starts_too_far_or_too_narrow_are_refused_at_the_call():
    """Once NaN, then infinity."""
    far = GaussianMixture([0.5, 0.5], START.means + 1e160, START.covariances)
    wide = GaussianMixture([1.0], [[0.0, 0.0]], torch.eye(2)[None].double() * 1e308)
    half = GaussianMixture([0.5, 0.5], [[1e160, 0.0], [3.0, 2.0]], START.covariances)
    small = DATA / 1024
    for bad in (far, wide, half):
        refuses(lambda bad=bad: em(small, bad), "start must be")
        refuses(lambda bad=bad: em_together(small, [bad]), "starts must be")
    half = GaussianMixture([0.5, 0.5], [[1e100, 0.0], [3.0, 2.0]], START.covariances)
    assert last(em(X, half)).collapsed == (0,)  # it is responsible for nothing
    needle = GaussianMixture([0.5, 0.5], torch.zeros(2, 2), NARROW)
    refuses(lambda: em(X, needle), "start must be")
    cross = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]  # around the needle
    with pytest.raises(FloatingPointError, match=r"became .* at iteration 0"):
        next(em(cross, needle))
    with pytest.raises(FloatingPointError, match=r"became .* at iteration 0"):
        next(em_together(cross, [needle]))


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_data_whose_squares_leave_float64_are_refused(scale):
    x = DATA * scale
    for use in (
        lambda: em(x, START),
        lambda: em_together(x, [START]),
        lambda: m_step(x, SHARES),
        lambda: kmeans_plus_plus(x, 2),
        lambda: start_at(x, x[:2]),
        lambda: start_around(x, x[:2]),
        lambda: restarts(x, 2),
    ):
        refuses(use, "x must")
    refuses(lambda: start_at(X, [[1e160, 0.0]]), "centres must be at most")


def test_components_without_spread_are_named():
    refuses(lambda: start_at(X, X, 0.0), "use a covariance_floor")
    one_hot = torch.eye(6)
    refuses(lambda: m_step(X, one_hot, 0.0), "component 0; use a covariance_floor")
    refuses(lambda: m_step(X, torch.zeros(6, 0)), "responsibilities must be of shape")


def test_data_of_a_network_need_no_detaching():
    x = DATA.clone().requires_grad_()
    for door in DOORS.values():
        if door.name == "x":
            result = door.call(x)
            parts = result if isinstance(result, tuple) else (result,)
            assert not any(part.requires_grad for part in parts)


def test_states_belong_to_the_caller():
    expected = [state.log_likelihood for state in em(X, START, max_iterations=4)]
    values = []
    for state in em(X, START, max_iterations=4):
        values.append(state.log_likelihood)
        state.mixture.means.zero_()
    assert values == expected
    values = []
    for states in em_together(X, [START, START], max_iterations=4):
        values.append(states.log_likelihood[0])
        states.parameters.means.zero_()
        states.collapsed.fill_(True)
        states.starts.clear()
        states.ended[:] = [True, True]
        states.log_likelihood.clear()
    assert values == pytest.approx(expected)


def test_inference_mode_leaves_nothing_behind():
    with torch.inference_mode():
        states = em(X, START, max_iterations=4)
        next(states)
    expected = last(em(X, START, max_iterations=4)).mixture
    assert_same(last(states).mixture, expected)


def moved(mixture, unit, far):
    return GaussianMixture(
        mixture.weights, (mixture.means + far) * unit, mixture.covariances * unit**2
    )


@quiet
@given(seeds, st.sampled_from([1e-60, 1e-6, 1e3, 1e60]), st.sampled_from([0, 1e4, 1e8]))
def test_no_unit_and_no_origin_changes_a_fit(seed, unit, far):
    """In metres, micrometres, far away: the same fit, with the floor in units of x²."""
    unit = 2.0 ** round(math.log2(unit))
    x = (random_data(seed, 2, 2, 60) * 1024).round() / 1024  # it survives the way
    there = (x + far) * unit
    options = {"max_iterations": 6, "tolerance": 0.0}
    floor, tolerance = 1e-6, {"rtol": 1e-5, "atol": 1e-5}
    start = start_at(x, x[:2], floor)
    begun = start_at(there, there[:2], floor * unit**2)
    ends = [
        (start, begun),
        (start_around(x, x[:2]), start_around(there, there[:2], floor * unit**2)),
        (
            m_step(x, e_step(x, start), floor),
            m_step(there, e_step(there, begun), floor * unit**2),
        ),
        (
            last(em(x, start, floor, **options)).mixture,
            last(em(there, begun, floor * unit**2, **options)).mixture,
        ),
        tuple(
            restarts(y, 2, 2, generator=generator(seed), covariance_floor=f, **options)[
                0
            ].mixture
            for y, f in ((x, floor), (there, floor * unit**2))
        ),
    ]
    for one, other in ends:
        assert_same(moved(other, 1 / unit, -far * unit), one, **tolerance)
    for choose in (kmeans_plus_plus, random_centres):
        rows = choose(x, 2, generator(seed)), choose(there, 2, generator(seed))
        assert torch.equal((rows[0] + far) * unit, rows[1])


@pytest.mark.parametrize(
    ("n", "few", "spread"), [(50_000, 3, 3e-5), (200_000, 4, 2e-5)]
)
def test_a_narrow_component_with_a_small_share_keeps_its_digits(n, few, spread):
    g = generator(0)
    wide = torch.randn(n, 2, generator=g, dtype=torch.float64)
    narrow = 3 + spread * torch.randn(few, 2, generator=g, dtype=torch.float64)
    x, eye = torch.cat([wide, narrow]), torch.eye(2, dtype=torch.float64)
    weights = torch.tensor([n, few], dtype=torch.float64) / (n + few)
    means = torch.tensor([[0.0, 0.0], [3.0, 3.0]], dtype=torch.float64)
    start = GaussianMixture(weights, means, torch.stack([eye, spread**2 * eye]))
    step = last(em(x, start, 0.0, max_iterations=1)).mixture.covariances[1]
    by_hand = m_step(x, e_step(x, start), 0.0).covariances[1]
    assert (step - by_hand).abs().max() < 2e-9 * by_hand.abs().max()
