"""Starts of EM, and that many starts together are the same runs one after the other."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import load_old_faithful
from course_utils.mixture import (
    GaussianMixture,
    em,
    em_together,
    kmeans_plus_plus,
    model,
    random_centres,
    restarts,
    start_around,
    start_at,
)
from course_utils.mixture import starts as module
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


def runs(x, starts, **options):
    """The states of each start, picked out of those of ``em_together``."""
    traces = [[] for _ in starts]
    for states in em_together(x, starts, **options):
        for row, start in enumerate(states.starts):
            traces[start].append(states[row])
            assert len(traces[start]) == states.iteration + 1
    return traces


def assert_same_runs(x, starts, rtol=1e-7, **options):
    """Each start of the batch has the trace that ``em`` gives it alone."""
    for start, together in zip(starts, runs(x, starts, **options), strict=True):
        alone = list(em(x, start, **options))
        assert len(alone) == len(together)
        for one, other in zip(alone, together, strict=True):
            assert one.iteration == other.iteration
            assert one.collapsed == other.collapsed
            value = pytest.approx(one.log_likelihood, rel=1e-9, abs=1e-9)
            assert other.log_likelihood == value
            assert_same(one.mixture, other.mixture, rtol=rtol, atol=rtol)


def some_starts(x, k, n, seed):
    g = generator(seed)
    return [start_at(x, random_centres(x, k, g)) for _ in range(n)]


@settings(deadline=None, max_examples=40)
@given(seeds, ks, ds, st.integers(1, 6))
def test_every_start_has_the_trace_that_em_gives_it(seed, k, d, n_starts):
    x = random_data(seed, k, d, 60)
    starts = some_starts(x, k, n_starts, seed)
    assert_same_runs(x, starts, max_iterations=6, tolerance=0.0)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 3), st.integers(1, 2))
def test_those_that_have_converged_drop_out_and_change_nobody(seed, k, d):
    x = random_data(seed, k, d, 80)
    starts = some_starts(x, k, 5, seed)
    options = {"max_iterations": 40, "tolerance": 1e-3}
    everyone = runs(x, starts, **options)
    for trace, start in zip(everyone, starts, strict=True):
        (alone,) = runs(x, [start], **options)
        assert len(alone) == len(trace)
        assert_same(alone[-1].mixture, trace[-1].mixture, rtol=1e-7, atol=1e-7)


def test_starts_of_different_lengths_end_one_by_one():
    x = load_old_faithful()
    starts = some_starts(x, 2, 8, 0)
    many = [states.starts for states in em_together(x, starts, tolerance=1e-5)]
    assert many[0] == list(range(8))
    assert len({len(running) for running in many}) > 2
    for before, after in pairwise(many):
        assert set(after) <= set(before)
    assert_same_runs(x, starts, tolerance=1e-5)


@settings(deadline=None, max_examples=20)
@given(seeds, ks, st.integers(1, 2))
def test_examples_that_occur_many_times(seed, k, d):
    x = random_data(seed, k, d, 12).repeat(5, 1)
    starts = some_starts(x, min(k, 3), 4, seed)
    assert_same_runs(x, starts, rtol=1e-5, covariance_floor=1e-3, max_iterations=8)


def test_a_start_that_degenerates_leaves_the_others_alone():
    """Without a floor one run ends in infinity, the others go on to their ends."""
    lonely = [[-2.0], [-1.0], [-0.5], [0.0], [0.7], [1.5], [5.0]]
    x = torch.tensor(lonely, dtype=torch.float64)
    spike = GaussianMixture([0.5, 0.5], [[0.0], [5.0]], [[[2.0]], [[1e-4]]])
    calm = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [[[2.0]], [[2.0]]])
    options = {"covariance_floor": 0.0, "max_iterations": 12, "tolerance": 0.0}
    first, second, third = runs(x, [calm, spike, calm], **options)
    assert second[-1].log_likelihood == math.inf
    assert second[-1].collapsed == (1,)
    assert_same(second[-1].mixture, second[-2].mixture)
    assert len(first) == len(third) == 13
    assert all(math.isfinite(state.log_likelihood) for state in first + third)
    assert_same_runs(x, [calm, spike, calm], **options)


def test_narrow_starts_beside_wide_ones():
    """Some starts are summed in their own units, the others by features."""
    x = random_data(3, 3, 2, 200)
    x = torch.cat([x, x[:1] + 1e-5 * random_data(4, 1, 2, 300)])
    near = start_at(x, x[:2])
    dot = torch.eye(2, dtype=torch.float64) * 1e-9
    tight = GaussianMixture(
        [0.4, 0.6], x[[0, -1]], torch.stack([near.covariances[0], dot])
    )
    options = {"covariance_floor": 0.0, "max_iterations": 3, "tolerance": 0.0}
    assert_same_runs(x, [near, tight, near, tight], rtol=1e-5, **options)


@pytest.mark.parametrize(("d", "k"), [(16, 3), (16, 10), (2, 8)])
def test_examples_that_fill_many_chunks(d, k):
    x = random_data(0, k, d, 20_000)
    assert_same_runs(x, some_starts(x, k, 3, 0), max_iterations=3, tolerance=0.0)


@settings(deadline=None, max_examples=20)
@given(seeds, ks, ds)
def test_restarts_are_the_ends_of_em(seed, k, d):
    x = random_data(seed, k, d, 50)
    options = {"covariance_floor": 1e-2, "max_iterations": 10, "tolerance": 1e-4}
    g = generator(seed)
    ends = []
    for _ in range(4):
        centres = kmeans_plus_plus(x, k, g)
        start = start_around(x, centres, options["covariance_floor"])
        *_, last = em(x, start, **options)
        ends.append(last.log_likelihood)
    found = restarts(x, k, 4, generator=generator(seed), **options)
    values = torch.tensor([state.log_likelihood for state in found])
    close(values, torch.tensor(sorted(ends, reverse=True)), rtol=1e-6, atol=1e-6)


def test_starts_that_are_too_many_for_one_product_run_in_groups(monkeypatch):
    x = load_old_faithful()
    once = restarts(x, 3, 5, generator=generator(0), max_iterations=9)
    monkeypatch.setattr(module, "TOGETHER", 2 * 3 * 6)  # two starts at once
    twice = restarts(x, 3, 5, generator=generator(0), max_iterations=9)
    for one, other in zip(once, twice, strict=True):
        assert_same(one.mixture, other.mixture, rtol=1e-8, atol=1e-8)


def test_the_floor_reaches_the_start():
    """Three clear groups in millionths: a floor of 1e-6 would hide them all."""
    x = torch.cat([c + torch.randn(60, 1, generator=generator(0)) for c in (0, 20, 50)])
    x = 1e-6 * x.double()
    best = restarts(x, 3, 4, generator=generator(0), covariance_floor=1e-18)[0]
    means = best.mixture.means.flatten().sort().values
    close(means, 1e-6 * torch.tensor([0.0, 20.0, 50.0]).double(), rtol=0.1, atol=1e-6)
    options = {"max_iterations": 0}
    (bare,) = restarts(x, 1, 1, generator=generator(0), covariance_floor=0, **options)
    (start,) = restarts(
        x, 1, 1, generator=generator(0), covariance_floor=1e-10, **options
    )
    wider = start.mixture.covariances - bare.mixture.covariances
    close(wider.item(), 1e-10, rtol=1e-9, atol=0)


@settings(deadline=None, max_examples=30)
@given(seeds, ks, ds)
def test_a_start_around_centres_is_an_m_step_with_one_more_example_each(seed, k, d):
    x = random_data(seed, k, d, 50)
    centres = kmeans_plus_plus(x, k, generator(seed))
    nearest = (x[:, None] - centres).square().sum(2).argmin(1)
    around = x - centres[nearest]
    shared = torch.linalg.cholesky(around.T @ around / len(x) + 1e-9 * torch.eye(d))
    # The extra example as 2·d points of weight 1 / 2d with this mean and covariance.
    spread = d**0.5 * torch.cat([shared.T, -shared.T])  # (2d, d)
    groups = []
    for j in range(k):
        mine = x[nearest == j]
        points = torch.cat([mine, centres[j] + spread])
        share = torch.full((len(points), 1), 1.0, dtype=torch.float64)
        share[len(mine) :] = 1 / (2 * d)
        mean = (share * points).sum(0) / share.sum()
        cov = (share * (points - mean)).T @ (points - mean) / share.sum()
        groups.append((len(mine) + 1, mean, cov + 1e-3 * torch.eye(d)))
    start = start_around(x, centres, 1e-3)
    for j, (count, mean, cov) in enumerate(groups):
        close(start.weights[j].item(), count / (len(x) + k))
        close(start.means[j], mean)
        close(start.covariances[j], cov, rtol=1e-6, atol=1e-7)


def test_centres_without_examples_and_single_ones_make_no_spike():
    x = torch.cat([torch.zeros(40, 2), torch.ones(40, 2), 9 * torch.ones(1, 2)])
    x = x.double() + 0.1 * random_data(0, 1, 2, 81)
    centres = torch.stack([x[0], x[0], x[50], x[80]])  # the second is never nearest
    start = start_around(x, centres, covariance_floor=0.0)
    close(start.weights.sum().item(), 1.0)
    close(start.means[1], x[0])
    assert start.covariances.diagonal(dim1=1, dim2=2).min() > 1e-3
    *_, last = em(x, start)
    assert math.isfinite(last.log_likelihood)
    with pytest.raises(ValueError, match="use a covariance_floor"):
        restarts(x[:2], 2, 2, covariance_floor=0.0)


def test_a_start_may_see_a_part_of_the_data():
    x = random_data(0, 3, 2, 4000)
    seen = []

    def centres(part, k, generator):
        seen.append(len(part))
        return kmeans_plus_plus(part, k, generator)

    ends = restarts(x, 3, 2, centres, generator(0), rows=300, max_iterations=50)
    assert seen == [300, 300]
    every = ends[0].mixture.log_prob(x).mean().item()
    assert ends[0].log_likelihood == pytest.approx(every, rel=1e-9)
    with pytest.raises(ValueError, match="rows must be from 3 to n = 4000, got 2"):
        restarts(x, 3, 2, rows=2)
    with pytest.raises(ValueError, match="rows must be from 3 to n = 4000, got 5000"):
        restarts(x, 3, 2, rows=5000)


def test_kmeans_plus_plus_takes_different_rows():
    x = torch.tensor([[0.0], [0.0], [0.0], [1.0], [2.0]])
    for seed in range(20):
        centres = kmeans_plus_plus(x, 3, generator(seed))
        assert centres.flatten().sort().values.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="only 3 different rows, k is 4"):
        kmeans_plus_plus(x, 4, generator(0))


def test_restarts_come_best_first_and_repeat():
    x = load_old_faithful()
    ends = restarts(x, 4, 6, generator=generator(0), max_iterations=20)
    values = [state.log_likelihood for state in ends]
    assert values == sorted(values, reverse=True)
    again = restarts(x, 4, 6, generator=generator(0), max_iterations=20)
    assert values == [state.log_likelihood for state in again]
    with pytest.raises(ValueError, match="n_starts must be at least 1"):
        restarts(x, 2, 0)


def test_a_run_that_ended_in_infinity_is_not_the_best():
    x = torch.tensor([[-2.0], [-1.0], [-0.5], [0.0], [0.7], [1.5], [5.0]]).double()
    ends = restarts(x, 3, 8, covariance_floor=0.0, generator=generator(0))
    values = [state.log_likelihood for state in ends]
    assert math.inf in values
    assert values[-1] == math.inf


def test_exchanged_arguments_are_refused():
    x = load_old_faithful()
    with pytest.raises(ValueError, match="were x and centres exchanged"):
        start_at(x[:3], x)
    with pytest.raises(ValueError, match=r"centres must have shape \(n, 2\), got"):
        start_at(x, torch.zeros(2, 3))


def test_wrong_arguments_are_named():
    x = load_old_faithful()
    one, two = random_mixture(0, 1, 2), random_mixture(0, 2, 2)
    with pytest.raises(ValueError, match="starts must be mixtures of one size"):
        next(em_together(x, [one, two]))
    with pytest.raises(ValueError, match="starts must be mixtures of one size"):
        next(em_together(x, []))
    for use in (restarts, em):
        start = 2 if use is restarts else two
        with pytest.raises(ValueError, match="max_iterations must be >= 0, got -1"):
            list(use(x, start, max_iterations=-1))


def test_rows_in_parts_give_the_same_numbers_and_gradients(monkeypatch):
    mixture = random_mixture(0, 3, 2)
    x = random_data(1, 2, 2, 50).requires_grad_()
    whole = mixture.log_prob(x)
    (slope,) = torch.autograd.grad(whole.sum(), x)
    monkeypatch.setattr(model, "rows_at_once", lambda numbers: 7)
    parts = mixture.log_prob(x)
    close(parts, whole)
    close(torch.autograd.grad(parts.sum(), x)[0], slope)
    with torch.no_grad():
        one = start_around(x, x[:3])
    monkeypatch.undo()
    assert_same(start_around(x.detach(), x[:3].detach()), one)
