"""The shared floors: verify, quadrature, seeds, minibatches, the progress bar."""

import math

import matplotlib
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as scipy_integrate
from torch.distributions import Normal

from course_utils.quadrature import check_mass, expectation, integrate
from course_utils.training import (
    minibatches,
    progress,
    seeded,
    setup,
)
from course_utils.verification import verify


def test_verify_prints_one_line_without_measured_numbers(capsys):
    verify("a = b", 1.0, 1.0 + 1e-8, atol=1e-6)
    verify("a = b", [1.0, 2.0], [1.0, 2.0])
    verify("a ≥ b", torch.tensor([1.0, 2.0, 3.0]), 1.0, relation=">=")
    verify("a ≥ b", 2.0, 1.0, relation=">=")
    verify("mean = 0", 0.3, 0.0, standard_error=0.1)
    verify("a = b", 100.0, 101.0, rtol=0.1, atol=0.5)
    assert capsys.readouterr().out.splitlines() == [
        "✓ a = b   (within 1e-06)",
        "✓ a = b   (exactly, 2 cases)",
        "✓ a ≥ b   (3 cases)",
        "✓ a ≥ b",
        "✓ mean = 0   (within 4 standard errors)",
        "✓ a = b   (within 0.5 + 0.1 relative)",
    ]


@pytest.mark.parametrize(
    ("left", "right", "options"),
    [
        (1.0, 1.1, {"atol": 0.05}),
        (math.nan, math.nan, {"atol": 1.0}),
        (math.nan, 1.0, {"relation": ">="}),
        (math.inf, 1.0, {"atol": 1.0}),
        (1.0, math.inf, {"rtol": 1.0}),
        (1.0, 2.0, {"relation": ">="}),
        (2.0, 1.0, {"relation": "<=", "atol": 0.5}),
        (0.5, 0.0, {"standard_error": 0.1}),
        ([1.0, 5.0], [1.0, 2.0], {"atol": 1e-6}),
    ],
)
def test_verify_raises_with_both_numbers(left, right, options, capsys):
    with pytest.raises(AssertionError) as caught:
        verify("the claim", left, right, **options)
    message = str(caught.value)
    for value in (left, right):
        worst = value[-1] if isinstance(value, list) else value
        assert f"{worst:.10g}" in message
    assert message.startswith("✗ the claim")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("left", "right", "options", "words"),
    [
        ([], [], {}, "empty"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], {}, "shape"),
        (1.0, 1.0, {"relation": "~"}, "relation"),
        (1.0, 1.0, {"atol": -1.0}, "atol"),
        (1.0, 1.0, {"atol": math.inf}, "atol"),
        (1.0, 1.0, {"standard_error": 0.0}, "standard_error"),
    ],
)
def test_verify_refuses_a_check_that_cannot_fail(left, right, options, words):
    with pytest.raises(ValueError, match=words):
        verify("the claim", left, right, **options)


def test_verify_accepts_equal_infinities_and_names_the_worst_element():
    verify("−∞ = −∞", -math.inf, -math.inf)
    with pytest.raises(AssertionError, match="worst at element 2 of 3"):
        verify("zeros", [0.0, 0.1, 0.3], 0.0, atol=0.01)


@settings(deadline=None, max_examples=30)
@given(st.floats(-3, 3), st.floats(0.2, 3))
def test_quadrature_agrees_with_scipy(mu, sigma):
    grid = torch.linspace(mu - 12 * sigma, mu + 12 * sigma, 801, dtype=torch.float64)
    p = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
    ours = expectation(grid.cos(), p.log_prob(grid), grid).item()

    def integrand(x):
        density = math.exp(-0.5 * ((x - mu) / sigma) ** 2)
        return math.cos(x) * density / (sigma * math.sqrt(2 * math.pi))

    bounds = (grid[0].item(), grid[-1].item())
    theirs, _ = scipy_integrate.quad(integrand, *bounds, limit=200, points=[mu])
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-8, 1, "to the right of 1"), (-1, 8, "to the left of -1"), (-1, 1, "both sides")],
)
def test_a_grid_that_cuts_mass_says_where(low, high, words):
    grid = torch.linspace(low, high, 401, dtype=torch.float64)
    log_p = Normal(torch.tensor(0.0, dtype=torch.float64), 1.0).log_prob(grid)
    with pytest.raises(ValueError, match=words):
        expectation(grid, log_p, grid)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-3, 14, "to the left of -3$"),
        (-14, 3, "to the right of 3$"),
        (2, 14, "on either side, or refine it$"),
        (-6, 6, "on both sides, or refine it$"),
    ],
)
def test_a_thin_tail_is_not_blamed_for_a_lost_bump(low, high, words):
    grid = torch.linspace(low, high, 801, dtype=torch.float64)
    p = sum(Normal(grid.new_tensor(at), 1.0).log_prob(grid).exp() for at in (-10, 10))
    with pytest.raises(ValueError, match=words):
        check_mass(p / 2, grid)


def test_a_density_that_is_not_normalised_is_refused():
    grid = torch.linspace(-8, 8, 401, dtype=torch.float64)
    with pytest.raises(ValueError, match="not normalised"):
        check_mass(torch.exp(-grid.square() / 2), grid)


def test_zero_times_log_zero_is_zero():
    grid = torch.linspace(-2, 2, 401, dtype=torch.float64)
    p = (grid.abs() <= 1).double() / 2
    p = p / integrate(p, grid)
    entropy = -expectation(p.log(), p.log(), grid)
    assert entropy.item() == pytest.approx(math.log(2), abs=0.01)


def test_integrate_checks_shapes():
    with pytest.raises(ValueError, match="one shape"):
        integrate(torch.ones(3), torch.ones(4))


def test_seeded_repeats_and_leaves_the_outer_stream_alone():
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    with seeded(5):
        first = torch.randn(3)
    with seeded(5):
        second = torch.randn(3)
    assert torch.equal(first, second)
    assert torch.equal(torch.randn(3), expected)


def test_setup_says_nothing_and_sets_the_style(capsys):
    threads = torch.get_num_threads()
    setup(3)
    first = torch.randn(2)
    setup(3)
    assert torch.equal(torch.randn(2), first)
    assert torch.get_num_threads() == 1
    assert torch.ones(1).dtype == torch.float32
    setup(dtype=torch.float64)
    assert torch.ones(1).dtype == torch.float64
    assert matplotlib.rcParams["figure.facecolor"] == "white"
    assert matplotlib.rcParams["font.size"] >= 11
    assert capsys.readouterr() == ("", "")
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    with pytest.raises(ValueError, match="threads"):
        setup(threads=0)


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 60))
def test_minibatches_visit_every_row_once(n, size):
    x = torch.arange(n)
    batches = list(minibatches(x, size, torch.Generator().manual_seed(0)))
    assert sorted(torch.cat(batches).tolist()) == x.tolist()
    assert all(len(batch) == size for batch in batches[:-1])


def test_minibatches_check_their_arguments():
    with pytest.raises(ValueError, match="empty"):
        next(minibatches(torch.ones(0), 2))
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        next(minibatches(torch.ones(3), 0))


def test_progress_passes_the_states_on(capsys):
    seen = list(
        progress(iter([1, 2, 3]), total=3, describe=lambda state: f"at {state}")
    )
    assert seen == [1, 2, 3]
    assert capsys.readouterr().out == ""
