"""Counting modes: right on hand-made samples, blind to order, not to narrow modes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from course_utils.coverage import forward_kl, mode_coverage
from course_utils.data import grid_of_gaussians, ring_of_gaussians
from course_utils.training import seeded

RING = ring_of_gaussians(radius=1.0, sigma=0.01)
GRID = grid_of_gaussians(n=5, spacing=2.0, sigma=0.05)


@pytest.mark.parametrize(("data", "k"), [(RING, 8), (GRID, 25)])
def test_the_data_have_as_many_different_modes_as_they_say(data, k):
    assert len(data.centres) == k
    gaps = torch.pdist(data.centres)
    assert gaps.min() > 20 * data.sigma


@pytest.mark.parametrize("data", [RING, GRID])
def test_a_perfect_sampler(data):
    with seeded(0):
        samples = data.sample((20_000,))
    found = mode_coverage(samples, data.centres, data.sigma)
    k = len(data.centres)
    assert found.modes == found.strict == k
    error = math.sqrt(0.0111 * 0.9889 / 20_000)
    assert abs(found.high_quality - (1 - math.exp(-4.5))) < 4 * error
    assert 0 <= found.reverse_kl < 5 * k / 20_000
    assert found.counts.sum() == round(found.high_quality * 20_000)
    error = 1 / math.sqrt(2 * 2 * 20_000 / k)
    assert bool(((found.spread - 1).abs() < 5 * error).all())
    said = f"covered {100 * found.covered:.1f} %; {k} modes of {k} ({k} strictly)"
    assert str(found).startswith(said)


def sampler(kind, n=2500):
    """Known samplers of a ring of radius 2 (σ = 0.1) and of the grid, ``(n, 2)``."""
    ring = ring_of_gaussians()
    with seeded(0):
        angle = 2 * math.pi * torch.rand(n)
        return {
            "perfect ring": lambda: ring.sample((n,)),
            "perfect grid": lambda: GRID.sample((n,)),
            "one mode": lambda: ring.centres[:1] + 0.1 * torch.randn(n, 2),
            "half of the modes": lambda: ring.centres[torch.arange(n) % 4],
            "too narrow": lambda: ring.centres[torch.arange(n) % 8],
            "even circle": lambda: 2 * torch.stack([angle.cos(), angle.sin()], dim=1),
            "even square": lambda: 10 * torch.rand(n, 2) - 5,
            "nothing": lambda: torch.zeros(n, 2),
        }[kind]()


@pytest.mark.parametrize(
    ("kind", "data", "low", "high"),
    [
        ("perfect ring", ring_of_gaussians(), 0.94, 0.99),
        ("perfect grid", GRID, 0.92, 0.99),
        ("one mode", ring_of_gaussians(), 0.125, 0.125),
        ("half of the modes", ring_of_gaussians(), 0.5, 0.5),
        ("too narrow", ring_of_gaussians(), 0.995, 1.0),  # its spread tells: 0
        ("even circle", ring_of_gaussians(), 0.34, 0.40),
        ("even square", grid_of_gaussians(sigma=0.05), 0.0, 0.03),
        ("even square", grid_of_gaussians(sigma=0.2), 0.25, 0.31),
        ("nothing", ring_of_gaussians(), 0.0, 0.0),
    ],
)
def test_a_sampler_without_structure_covers_little(kind, data, low, high):
    """The generous count and the strict one call the circle and the square perfect."""
    found = mode_coverage(sampler(kind), data.centres, data.sigma)
    assert low - 1e-6 <= found.covered <= high + 1e-6, found.covered
    if kind == "even circle":
        assert (found.modes, found.strict) == (8, 8)
        exact = 8 * 4 * math.asin(0.3 / 4) / (2 * math.pi)  # arcs within 3σ
        assert found.high_quality == pytest.approx(exact, abs=0.04)


def test_all_on_one_mode():
    samples = RING.centres[3].repeat(100, 1)
    found = mode_coverage(samples, RING.centres, RING.sigma)
    assert (found.modes, found.strict, found.high_quality) == (1, 1, 1.0)
    assert found.reverse_kl == pytest.approx(math.log(8))
    assert found.forward_kl == math.inf
    assert found.counts.tolist() == [0, 0, 0, 100, 0, 0, 0, 0]
    assert found.spread[3] == 0
    assert int(found.spread.isnan().sum()) == 7


def test_none_on_any():
    found = mode_coverage(torch.zeros(50, 2), RING.centres, RING.sigma)
    assert (found.modes, found.strict, found.high_quality) == (0, 0, 0.0)
    assert math.isnan(found.reverse_kl) and math.isnan(found.forward_kl)
    assert bool(found.spread.isnan().all())


def test_exactly_one_per_mode():
    found = mode_coverage(GRID.centres, GRID.centres, GRID.sigma)
    assert (found.modes, found.strict, found.high_quality) == (25, 25, 1.0)
    assert found.reverse_kl == pytest.approx(0, abs=1e-12)
    assert found.forward_kl == pytest.approx(0, abs=1e-12)
    assert found.counts.tolist() == [1] * 25


def test_one_stray_sample_makes_a_mode_but_not_a_strict_one():
    samples = torch.cat([RING.centres[:1].repeat(999, 1), RING.centres[1:2]])
    found = mode_coverage(samples, RING.centres, RING.sigma)
    assert (found.modes, found.strict) == (2, 1)
    edge = RING.centres[:1] + torch.tensor([[0.02999, 0.0], [0.03001, 0.0]])
    assert mode_coverage(edge, RING.centres, RING.sigma).high_quality == 0.5


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.2, 2.0))
def test_order_does_not_matter_and_spread_is_measured(seed, narrow):
    random = torch.Generator().manual_seed(seed)
    mode = torch.randint(25, (3000,), generator=random)
    noise = torch.randn(3000, 2, generator=random)
    samples = GRID.centres[mode] + narrow * GRID.sigma * noise
    one = mode_coverage(samples, GRID.centres, GRID.sigma)
    shuffled = samples[torch.randperm(3000, generator=random)]
    order = torch.randperm(25, generator=random)
    two = mode_coverage(shuffled, GRID.centres[order], GRID.sigma)
    assert (one.modes, one.strict) == (two.modes, two.strict)
    assert one.high_quality == two.high_quality
    assert one.reverse_kl == pytest.approx(two.reverse_kl, abs=1e-12)
    assert torch.equal(one.counts[order], two.counts)
    torch.testing.assert_close(one.spread[order], two.spread)
    assert one.spread.mean().item() == pytest.approx(narrow, rel=0.1)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 50), min_size=8, max_size=8).filter(any))
def test_both_orders_of_the_kl_are_those_of_scipy(counts):
    samples = RING.centres.repeat_interleave(torch.tensor(counts), dim=0)
    found = mode_coverage(samples, RING.centres, RING.sigma)
    even = [1 / 8] * 8
    shares = [n / sum(counts) for n in counts]
    expected = stats.entropy(even, shares)
    assert found.forward_kl == pytest.approx(expected, abs=1e-12)
    assert (found.forward_kl == math.inf) == (0 in counts)
    assert found.reverse_kl == pytest.approx(stats.entropy(shares, even), abs=1e-12)
    assert forward_kl(found.counts) == found.forward_kl
    assert str(found).endswith(f"reverse KL {found.reverse_kl:.3f} nats")


def test_numpy_arrays_count_as_tensors_do():
    with seeded(0):
        samples = RING.sample((500,))
    ours = mode_coverage(samples, RING.centres, RING.sigma)
    theirs = mode_coverage(samples.numpy(), RING.centres.numpy(), RING.sigma)
    assert str(theirs) == str(ours)
    with pytest.raises(ValueError, match=r"samples must have shape .* got \(500,\)"):
        mode_coverage(samples.numpy()[:, 0], RING.centres, RING.sigma)


@pytest.mark.parametrize(
    ("samples", "centres", "sigma", "words"),
    [
        (torch.ones(0, 2), RING.centres, 0.1, "samples is empty"),
        (torch.ones(5), RING.centres, 0.1, r"samples .* got \(5,\)"),
        (torch.ones(5, 3), RING.centres, 0.1, r"got \(5, 3\)"),
        (torch.full((5, 2), math.nan), RING.centres, 0.1, "samples must be finite"),
        (torch.ones(5, 2), RING.centres[:0], 0.1, "centres"),
        (torch.ones(5, 2), RING.centres, 0.0, "sigma must be positive"),
    ],
)
def test_bad_arguments_are_named(samples, centres, sigma, words):
    with pytest.raises(ValueError, match=words):
        mode_coverage(samples, centres, sigma)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e8)])
def test_coverage_knows_no_units_and_no_origin(scale, shift):
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=torch.float64)
    noise = torch.randn(900, 2, dtype=torch.float64, generator=generator)
    samples = centres.repeat(300, 1) + 0.5 * noise
    plain = mode_coverage(samples, centres, 0.5)
    moved = mode_coverage(
        scale * (samples + shift), scale * (centres + shift), scale / 2
    )
    assert moved.counts.tolist() == plain.counts.tolist()
    assert moved.spread.tolist() == pytest.approx(plain.spread.tolist(), rel=1e-6)


def test_whole_numbers_lists_and_views_are_read_as_they_are():
    lists = [[0, 0], [3, 4], [1, 0]]
    expected = mode_coverage(torch.tensor(lists, dtype=torch.float32), [[0, 0]], 1.0)
    for same in (lists, torch.tensor(lists), np.array(lists)[::-1]):
        assert mode_coverage(same, [[0.0, 0.0]], 1.0).covered == expected.covered
    with pytest.raises(TypeError, match="samples must be real numbers"):
        mode_coverage(torch.tensor([[0j, 5j]]), [[0.0, 0.0]], 1.0)


@pytest.mark.parametrize("counts", [[-1, 3], [[1, 2], [3, 4]], [], [math.nan, 1]])
def test_forward_kl_takes_counts_only(counts):
    assert forward_kl([1, 3]) == pytest.approx(0.5 * math.log(4 / 3))
    with pytest.raises(ValueError, match=r"counts must be \(k,\) numbers >= 0"):
        forward_kl(counts)


def test_infinite_counts_are_refused():
    with pytest.raises(ValueError, match="counts must be finite"):
        forward_kl([1.0, math.inf])
