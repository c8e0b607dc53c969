"""MMD²: double loops, scikit-learn, closed forms, its mean, its memory, its test."""

import math
import resource
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from course_utils.divergences import mmd, waves
from course_utils.divergences.fits import round_mixture
from course_utils.divergences.mmd import (
    mean_kernel,
    mmd2_biased,
    mmd2_mixtures,
    mmd2_unbiased,
    permutation_test,
    witness,
)
from course_utils.mixture.model import GaussianMixture


def sample(seed, n, d=2, shift=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return shift + scale * torch.randn(n, d, generator=generator, dtype=torch.float64)


def double_loop(x, y, sigma, unbiased):
    """MMD² as it stands in the text, pair by pair."""

    def k(a, b):
        return math.exp(
            -sum((u - v) ** 2 for u, v in zip(a, b, strict=True)) / (2 * sigma**2)
        )

    x, y = x.tolist(), y.tolist()
    n, m = len(x), len(y)
    xx = [k(x[i], x[j]) for i in range(n) for j in range(n) if i != j or not unbiased]
    yy = [k(y[i], y[j]) for i in range(m) for j in range(m) if i != j or not unbiased]
    xy = [k(a, b) for a in x for b in y]
    return sum(xx) / len(xx) + sum(yy) / len(yy) - 2 * sum(xy) / len(xy)


@pytest.mark.parametrize("d", [1, 3])
def test_both_estimates_are_their_double_loops(d):
    x, y = sample(0, 17, d), sample(1, 23, d, shift=0.5)
    for sigma in (0.3, 1.0, 5.0):
        biased, unbiased = (double_loop(x, y, sigma, flag) for flag in (False, True))
        assert mmd2_biased(x, y, sigma) == pytest.approx(biased, abs=1e-14)
        assert mmd2_unbiased(x, y, sigma) == pytest.approx(unbiased, abs=1e-14)
    total = sum(mmd2_biased(x, y, sigma) for sigma in (0.3, 1.0))
    assert mmd2_biased(x, y, (0.3, 1.0)) == pytest.approx(total, abs=1e-14)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_blocks_agree_with_scikit_learn(offset):
    x = sample(0, 2300) + offset
    y = sample(1, 1400, shift=0.3, scale=1.2) + offset
    a, b = (v.numpy() - offset for v in (x, y))

    def mean(u, v):
        return rbf_kernel(u, v, gamma=0.5 / 0.7**2).mean()

    theirs = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    assert mmd2_biased(x, y, 0.7) == pytest.approx(theirs, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.05, 30), st.integers(1, 2))
def test_blocks_and_frequencies_agree(seed, sigma, d):
    x, y = sample(seed, 90, d), sample(seed + 1, 70, d, shift=1.0, scale=2.0)
    grid = waves.frequencies(x, y, sigma)
    blocks = (
        mmd._sum_pairs(x, x, sigma) / 90**2,
        mmd._sum_pairs(y, y, sigma) / 70**2,
        mmd._sum_pairs(x, y, sigma) / (90 * 70),
    )
    quick = waves.by_frequencies(x, y, sigma, grid)
    assert quick == pytest.approx(blocks, abs=1e-13)


def test_the_quicker_way_is_taken(monkeypatch):
    x, y = sample(0, 5000), sample(1, 5000)
    assert math.prod(map(len, waves.frequencies(x, y, 1.0))) < 2500
    monkeypatch.setattr(mmd, "_sum_pairs", None)  # would fail if called
    assert mmd2_biased(x, y, 1.0) > 0
    with pytest.raises(TypeError):
        mmd2_biased(x, y, 0.02)  # so narrow that blocks are quicker
    with pytest.raises(TypeError):
        mmd2_biased(sample(0, 500, 3), sample(1, 500, 3), 1.0)


@pytest.mark.parametrize("far", [1e6, 1e13])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_one_number_far_away_costs_neither_memory_nor_digits(far, d, monkeypatch):
    x, y = sample(0, 20, d), sample(1, 15, d)
    x[3] = far
    monkeypatch.setattr(torch, "arange", None)  # no grid is made before it is counted
    assert mmd2_biased(x, y, 0.1) == pytest.approx(
        double_loop(x, y, 0.1, False), abs=1e-14
    )
    monkeypatch.undo()
    unbiased = double_loop(x, y, 0.1, True)
    assert mmd2_unbiased(x, y, 0.1) == pytest.approx(unbiased, abs=1e-14)
    assert permutation_test(x, y, 0.1, 3).mmd2 == pytest.approx(unbiased, abs=1e-14)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10**6), st.floats(0.1, 10), st.integers(2, 40), st.integers(2, 40)
)
def test_invariances(seed, sigma, n, m):
    x, y = sample(seed, n), sample(seed + 1, m, shift=0.2)
    value = mmd2_biased(x, y, sigma)
    assert value >= -1e-15
    assert value == pytest.approx(mmd2_biased(y, x, sigma), abs=1e-13)
    assert value == pytest.approx(mmd2_biased(x + 3, y + 3, sigma), abs=1e-12)
    assert value == pytest.approx(mmd2_biased(2 * x, 2 * y, 2 * sigma), abs=1e-12)
    assert mmd2_biased(x, x, sigma) == pytest.approx(0, abs=1e-14)


def test_the_unbiased_estimate_has_the_right_mean_and_the_biased_one_has_not():
    for shift in (0.0, 0.6):
        p, q = (round_mixture([1.0], [[at, 0.0]], [1.0]) for at in (0.0, shift))
        truth = mmd2_mixtures(p, q, 1.0).item()
        runs = []
        for seed in range(400):
            x, y = sample(seed, 20), sample(seed + 500, 30)
            y[:, 0] += shift
            runs.append((mmd2_unbiased(x, y, 1.0), mmd2_biased(x, y, 1.0)))
        unbiased, biased = torch.tensor(runs).T
        assert abs(unbiased.mean() - truth) < 4 * unbiased.std() / 20
        assert biased.mean() > truth + 10 * biased.std() / 20
    assert truth > 0


def test_the_closed_form_is_an_expectation_over_the_grid():
    p = round_mixture([0.4, 0.6], [-1.0, 1.5], [0.5, 0.9])
    q = round_mixture([1.0], [0.3], [1.1])
    grid = torch.linspace(-9, 9, 601, dtype=torch.float64)
    a, b = (v.log_prob(grid[:, None]).exp() * 0.03 for v in (p, q))
    for sigma in (0.2, 1.0, 4.0):
        kernel = (-(grid[:, None] - grid).square() / (2 * sigma**2)).exp()
        expected = ((a - b) @ kernel @ (a - b)).item()
        assert mmd2_mixtures(p, q, sigma).item() == pytest.approx(expected, abs=1e-12)


def test_the_closed_form_knows_every_covariance():
    turned = torch.tensor([[1.0, 0.7], [0.7, 2.0]]).double()
    p = GaussianMixture([1.0], [[0.0, 0.0]], turned[None])
    q = round_mixture([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]], [0.5, 1.0])
    runs = torch.empty(30)
    for seed in range(30):
        draw = torch.Generator().manual_seed(seed)
        x, y = p.sample(400, generator=draw), q.sample(300, generator=draw)
        runs[seed] = mmd2_unbiased(x, y, (0.5, 1.0))
    error = runs.mean() - mmd2_mixtures(p, q, (0.5, 1.0))
    assert abs(error) < 4 * runs.std() / 30**0.5
    eigenvalues, axes = torch.linalg.eigh(turned)
    straight = GaussianMixture([1.0], [[0.0, 0.0]], torch.diag(eigenvalues)[None])
    turned_q = GaussianMixture(q.weights, q.means @ axes, q.covariances)
    assert mean_kernel(p, q, 0.8) == pytest.approx(
        mean_kernel(straight, turned_q, 0.8).item()
    )


def test_the_witness_says_where_the_difference_is():
    p = round_mixture([0.5, 0.5], [-2.0, 2.0], [0.5, 0.5])
    q = round_mixture([1.0], [0.0], [2.0])
    grid = torch.linspace(-14, 14, 1401, dtype=torch.float64)[:, None]
    f = witness(p, q, grid, (0.5, 1.0))
    difference = (p.log_prob(grid).exp() - q.log_prob(grid).exp()) @ f * 0.02
    assert difference.item() == pytest.approx(mmd2_mixtures(p, q, (0.5, 1.0)).item())
    assert f[600] > 0.2 and f[700] < -0.1  # more of p at -2, more of q at 0


def test_memory_does_not_grow_with_the_square():
    if sys.platform != "linux":
        pytest.skip("the unit of ru_maxrss differs")
    x, y = sample(0, 4000), sample(1, 4000)
    mmd2_unbiased(x[:2000], y[:2000], (1.0, 0.01))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mmd2_unbiased(x, y, (1.0, 0.01))
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert extra < 48  # a whole kernel matrix would take 122 MB


def test_the_permutation_test_is_exact():
    """Its values are those of the estimate, and its p-values are nearly uniform."""
    x, y = sample(0, 12), sample(1, 15, shift=0.4)
    generator = torch.Generator().manual_seed(3)
    test = permutation_test(x, y, (0.5, 1.0), 50, generator)
    assert test.mmd2 == pytest.approx(mmd2_unbiased(x, y, (0.5, 1.0)), abs=1e-12)
    order = torch.randperm(27, generator=torch.Generator().manual_seed(3))
    both = torch.cat([x, y])[order]
    shuffled = mmd2_unbiased(both[:12], both[12:], (0.5, 1.0))
    assert test.permuted[0].item() == pytest.approx(shuffled, abs=1e-12)
    larger = (test.permuted >= test.mmd2).sum().item()
    assert test.p_value == pytest.approx((larger + 1) / 51)


def test_the_permutation_test_keeps_its_level_and_has_power():
    def p_values(shift):
        generator = torch.Generator().manual_seed(0)
        return torch.tensor(
            [
                permutation_test(
                    sample(s, 20), sample(s + 900, 20, shift=shift), 1.0, 99, generator
                ).p_value
                for s in range(200)
            ]
        )

    same, other = p_values(0.0), p_values(0.9)
    assert (same <= 0.05).double().mean() < 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5
    assert 0.4 < same.mean() < 0.6
    assert (other <= 0.05).double().mean() > 0.8


def test_errors():
    x = sample(0, 5)
    with pytest.raises(
        ValueError, match="same number of columns: x has 2 columns, y has 1"
    ):
        mmd2_biased(x, x[:, 0], 1.0)
    for wrong in (0.0, -1.0, math.nan, [], [1.0, math.inf]):
        with pytest.raises(ValueError, match="bandwidths must be positive"):
            mmd2_unbiased(x, x, wrong)
    with pytest.raises(ValueError, match="at least 2 rows each, got 1 and 5"):
        mmd2_unbiased(x[:1], x, 1.0)
    with pytest.raises(ValueError, match="finite"):
        mmd2_biased(x, x * math.nan, 1.0)
    with pytest.raises(ValueError, match="at least 2 rows each, got 1 and 5"):
        permutation_test(x[:1], x, 1.0)
    with pytest.raises(ValueError, match="n_permutations must be at least 1, got 0"):
        permutation_test(x, x, 1.0, 0)
    p, q = (round_mixture([1.0], torch.zeros(1, d), [1.0]) for d in (1, 2))
    with pytest.raises(ValueError, match="q must have d = 1 as p has, got d = 2"):
        mmd2_mixtures(p, q, 1.0)
    with pytest.raises(ValueError, match="p must have d = 2 as x has, got d = 1"):
        witness(p, p, x, 1.0)
    with pytest.raises(ValueError, match=r"p must have weights, means .* got Tensor"):
        mmd2_mixtures(x, q, 1.0)
    for use in (mmd2_mixtures, mean_kernel):
        with pytest.raises(ValueError, match="bandwidths must be positive"):
            use(p, p, [])
