"""EM of notebook 02: what holds at every iteration, starts, and collapse.

The agreement with scikit-learn, iteration by iteration, is in test_fast.py.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import load_galton_heights, load_old_faithful
from course_utils.gaussian import fit_gaussian
from course_utils.mixture import (
    GaussianMixture,
    e_step,
    em,
    kmeans_plus_plus,
    m_step,
    match_components,
    random_centres,
    restarts,
    start_at,
)
from tests.mixture.cases import (
    assert_same,
    close,
    ds,
    generator,
    ks,
    random_data,
    random_mixture,
    seeds,
)


@settings(deadline=None, max_examples=40)
@given(seeds, ks, ds)
def test_the_quick_iteration_is_the_e_step_and_the_m_step(seed, k, d):
    x = random_data(seed, k, d, 60)
    states = em(x, start_at(x, random_centres(x, k, generator(seed))), max_iterations=4)
    previous = next(states)
    for state in states:
        if state.collapsed:
            return
        by_hand = m_step(x, e_step(x, previous.mixture))
        assert_same(state.mixture, by_hand, rtol=1e-6, atol=1e-8)
        mean = by_hand.log_prob(x).mean().item()
        assert state.log_likelihood == pytest.approx(mean, rel=1e-8, abs=1e-8)
        previous = state


@settings(deadline=None, max_examples=60)
@given(seeds, ks, ds)
def test_the_log_likelihood_never_falls_where_the_floor_is_asleep(seed, k, d):
    x = random_data(seed, k, d, 80)
    start = start_at(x, kmeans_plus_plus(x, k, generator(seed)))
    trace = []
    for state in em(x, start, covariance_floor=0.0, max_iterations=30, tolerance=0):
        if state.collapsed:
            break
        trace.append(state.log_likelihood)
    trace = torch.tensor(trace, dtype=torch.float64)
    assert bool((trace.diff() >= -1e-10).all())


@settings(deadline=None, max_examples=30)
@given(seeds, st.permutations(range(4)), ds)
def test_the_order_of_components_does_not_matter(seed, order, d):
    x = random_data(seed, 4, d, 80)
    start = start_at(x, kmeans_plus_plus(x, 4, generator(seed)))
    left = list(em(x, start, max_iterations=5, tolerance=0))
    right = list(em(x, start.permuted(order), max_iterations=5, tolerance=0))
    for a, b in zip(left, right, strict=True):
        assert a.log_likelihood == pytest.approx(b.log_likelihood, rel=1e-8, abs=1e-8)
        assert_same(a.mixture.permuted(order), b.mixture, rtol=1e-6, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 3), st.integers(1, 3))
def test_affine_maps_of_x_move_the_fit_with_them(seed, k, d):
    """Also far away (1e4) and with axes of very different scale (1e-3 … 1e3)."""
    g = generator(seed)
    x = random_data(seed, k, d, 100)
    scales = 10.0 ** (6 * torch.rand(d, generator=g, dtype=torch.float64) - 3)
    turn = torch.linalg.qr(torch.randn(d, d, generator=g, dtype=torch.float64)).Q
    a = scales[:, None] * turn
    shift = 1e4 * scales * torch.randn(d, generator=g, dtype=torch.float64)
    start = start_at(x, kmeans_plus_plus(x, k, g))
    moved = GaussianMixture(
        start.weights, start.means @ a.T + shift, a @ start.covariances @ a.T
    )
    options = {"covariance_floor": 0.0, "max_iterations": 5, "tolerance": 0.0}
    log_det = torch.linalg.slogdet(a).logabsdet.item()
    for one, two in zip(
        em(x, start, **options), em(x @ a.T + shift, moved, **options), strict=True
    ):
        if one.collapsed or two.collapsed:
            return
        assert one.log_likelihood - log_det == pytest.approx(
            two.log_likelihood, rel=1e-6, abs=1e-6
        )
        back = (two.mixture.means - shift) @ torch.linalg.inv(a).T
        close(back, one.mixture.means, rtol=1e-5, atol=1e-5)


def test_one_component_gives_the_gaussian_fit_in_one_step():
    for x in (load_old_faithful(), load_galton_heights().height[:, None]):
        start = start_at(x, random_centres(x, 1, generator(0)))
        states = list(em(x, start, covariance_floor=0.0))
        fit = fit_gaussian(x)
        close(states[1].mixture.means[0], fit.mean, rtol=1e-12, atol=0)
        close(states[1].mixture.covariances[0], fit.covariance_matrix, rtol=1e-10)
        assert len(states) <= 3


def test_well_separated_groups_are_recovered():
    true = GaussianMixture(
        torch.tensor([0.2, 0.3, 0.5]),
        torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]),
        torch.eye(2).expand(3, 2, 2),
    )
    x = true.sample(5000, generator=generator(0))
    best = restarts(x, 3, 3, generator=generator(0))[0].mixture
    assert_same(match_components(best, true), true, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(("d", "distance"), [(1, 1e3), (3, 1e3), (1, 1e6)])
def test_far_points_stay_finite(d, distance):
    mixture = random_mixture(0, 3, d)
    far = torch.full((2, d), distance, dtype=torch.float64)
    far[1] *= -1
    assert bool(torch.isfinite(mixture.log_prob(far)).all())
    close(mixture.responsibilities(far).sum(1), torch.ones(2, dtype=torch.float64))
    x = torch.cat([mixture.sample(100, generator=generator(0)), far])
    for state in em(x, mixture, max_iterations=5, tolerance=0):
        expected = state.mixture.log_prob(x).mean().item()
        assert state.log_likelihood == pytest.approx(expected, rel=1e-9)


SINGULAR = GaussianMixture(
    torch.tensor([0.5, 0.5]),
    torch.tensor([[0.0], [5.0]]),
    torch.tensor([[[2.0]], [[1e-4]]]),
)
LONELY = torch.tensor([[-2.0], [-1.0], [-0.5], [0.0], [0.7], [1.5], [5.0]])


def test_without_a_floor_the_likelihood_has_no_bound_and_the_state_says_so():
    *_, before, last = em(LONELY, SINGULAR, covariance_floor=0.0)
    assert last.collapsed == (1,)
    assert last.log_likelihood == math.inf
    assert math.isfinite(before.log_likelihood)
    assert last.mixture is before.mixture


@pytest.mark.parametrize("floor", [1e-2, 1e-4, 1e-8])
def test_with_a_floor_the_component_is_kept_and_named(floor):
    *_, last = em(LONELY, SINGULAR, covariance_floor=floor)
    assert last.collapsed == (1,)
    assert math.isfinite(last.log_likelihood)
    assert last.mixture.covariances[1].item() == pytest.approx(floor, rel=1e-6)


def test_the_smaller_the_floor_the_higher_the_spike():
    ends = [
        list(em(LONELY, SINGULAR, covariance_floor=floor))[-1].log_likelihood
        for floor in (1e-2, 1e-6, 1e-10)
    ]
    gain = 0.5 * math.log(1e4) / len(LONELY)  # σ a hundred times smaller, one example
    assert ends[1] - ends[0] == pytest.approx(gain, abs=2e-3)
    assert ends[2] - ends[1] == pytest.approx(gain, abs=1e-5)


def test_constant_and_doubled_columns_do_not_crash():
    x = load_old_faithful()
    for extra in (torch.full((272, 1), 3.0, dtype=torch.float64), x[:, :1]):
        y = torch.cat([x, extra], 1)
        start = start_at(y, kmeans_plus_plus(y, 2, generator(0)))
        *_, last = em(y, start, covariance_floor=1e-6)
        assert math.isfinite(last.log_likelihood)
        assert last.collapsed == (0, 1)


def test_few_examples_in_many_dimensions_do_not_crash():
    x = random_data(0, 5, 16, 200)
    start = start_at(x, kmeans_plus_plus(x, 20, generator(0)))
    *_, last = em(x, start, max_iterations=50)
    assert math.isfinite(last.log_likelihood)


def test_more_components_than_examples_is_named():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    mixture = random_mixture(0, 3, 2)
    with pytest.raises(ValueError, match="from 1 to n = 2 examples, got 3"):
        next(em(x, mixture))
    for choose in (kmeans_plus_plus, random_centres):
        with pytest.raises(ValueError, match="from 1 to n = 2 examples, got 3"):
            choose(x, 3)


def test_wrong_arguments_are_named():
    x = load_old_faithful()
    with pytest.raises(ValueError, match=r"covariance_floor must be >= 0 .*, got -1"):
        next(em(x, random_mixture(0, 1, 2), covariance_floor=-1.0))
    with pytest.raises(ValueError, match=r"\(n, k\) with n = 272, got shape \(5, 2\)"):
        m_step(x, torch.ones(5, 2) / 2)
    with pytest.raises(ValueError, match="each row must sum to 1"):
        m_step(x, torch.ones(272, 2))
    with pytest.raises(ValueError, match="component 1 is responsible for nothing"):
        m_step(x, torch.tensor([1.0, 0.0]).expand(272, 2))
