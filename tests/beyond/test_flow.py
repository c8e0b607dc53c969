"""The flow: its spline, its layers, its exact density."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from course_utils.beyond.flow import Flow, FlowState, spline, train_flow
from course_utils.data import ring_of_gaussians

COUPLINGS = pytest.mark.parametrize("coupling", ["spline", "affine"])


def bent(scale=1.0, dtype=torch.float64, **options):
    """A flow with random weights in all layers: far from the identity."""
    flow = Flow(**options).to(dtype)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in flow.layers:
            weight = layer.network[-1].weight
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(scale * noise)
            layer.network[-1].bias.copy_(scale * noise[:, 0])
    return flow


def points(n, d=2, width=1.5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return width * torch.randn(n, d, generator=generator, dtype=dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(2, 12),
    st.floats(0.5, 6.0),
    st.floats(0.1, 4.0),
)
def test_the_spline_is_increasing_and_can_be_undone(seed, k, bound, scale):
    generator = torch.Generator().manual_seed(seed)
    numbers = scale * torch.randn(3 * k - 1, generator=generator, dtype=torch.float64)
    x = torch.linspace(-bound, bound, 801, dtype=torch.float64)
    parts = [p.expand(801, -1) for p in numbers.split([k, k, k - 1])]
    y, log_slope = spline(x, *parts, bound)
    assert bool((y.diff() > 0).all())
    assert y[0] == -bound and y[-1] == bound
    back, log_slope_back = spline(y, *parts, bound, inverse=True)
    torch.testing.assert_close(back, x, atol=1e-9, rtol=0)
    torch.testing.assert_close(log_slope_back, -log_slope, atol=1e-6, rtol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 4.0), st.floats(1.0, 50.0))
def test_the_spline_is_the_identity_outside(seed, bound, factor):
    numbers = torch.randn(3, 5, generator=torch.Generator().manual_seed(seed))
    outside = torch.tensor([-bound * factor, bound * factor])
    parts = [row.expand(2, -1) for row in (numbers[0], numbers[1], numbers[2, :4])]
    y, log_slope = spline(outside, *parts, bound)
    assert torch.equal(y, outside)
    assert torch.equal(log_slope, torch.zeros(2))


def test_the_slope_of_the_spline_is_its_derivative():
    generator = torch.Generator().manual_seed(3)
    parts = [torch.randn(500, k, generator=generator).double() for k in (8, 8, 7)]
    for inverse in (False, True):
        x = points(500, 1)[:, 0].requires_grad_()
        y, log_slope = spline(x, *parts, 3.0, inverse)
        (slope,) = torch.autograd.grad(y.sum(), x)
        torch.testing.assert_close(slope.log(), log_slope, atol=1e-9, rtol=0)
    assert spline(torch.zeros(1), *(torch.zeros(1, k) for k in (4, 4, 3)), 2.0)[0] == 0


@COUPLINGS
@pytest.mark.parametrize("d", [2, 3, 5])
def test_the_inverse_undoes_the_map(coupling, d):
    flow = bent(data_dim=d, coupling=coupling, scale=0.3)
    x = points(300, d)
    with torch.no_grad():
        z, log_det = flow.inverse(x)
        back, log_det_back = flow.forward_map(z)
    assert (z - x).abs().max() > 0.1
    torch.testing.assert_close(back, x, atol=1e-9, rtol=0)
    torch.testing.assert_close(log_det_back, -log_det, atol=1e-7, rtol=0)
    assert torch.equal(flow.encode(x), z)
    single = bent(data_dim=d, coupling=coupling, scale=0.05, dtype=torch.float32)
    with torch.no_grad():
        back = single.forward_map(single.inverse(x.float())[0])[0]
    torch.testing.assert_close(back.double(), x, atol=1e-5, rtol=1e-5)


@COUPLINGS
def test_log_det_is_that_of_the_jacobian(coupling):
    flow = bent(data_dim=3, coupling=coupling, scale=0.5)
    x = points(20, 3)
    _, log_det = flow.inverse(x)
    for row, expected in zip(x, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda at: flow.inverse(at[None])[0][0], row
        )
        assert torch.linalg.slogdet(jacobian).logabsdet == pytest.approx(
            expected.item(), abs=1e-9
        )


@COUPLINGS
def test_the_density_has_mass_one(coupling):
    flow = bent(coupling=coupling, scale=0.1, bins=6, layers=3)
    ticks = torch.linspace(-8, 8, 161, dtype=torch.float64)
    with torch.no_grad():
        density = flow.log_prob(torch.cartesian_prod(ticks, ticks)).exp()
    mass = torch.trapezoid(torch.trapezoid(density.view(161, 161), ticks), ticks)
    assert mass.item() == pytest.approx(1, abs=1e-4)
    standard = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    some = points(100)
    assert (flow.log_prob(some) - standard.log_prob(some)).abs().max() > 0.1


def test_an_untrained_flow_is_a_standard_normal():
    for coupling in ("spline", "affine"):
        flow = Flow(3, coupling=coupling).double()
        standard = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
        x = points(50, 3)
        torch.testing.assert_close(flow.log_prob(x), standard.log_prob(x))
    torch.manual_seed(0)
    x = Flow().sample(20_000)
    assert x.shape == (20_000, 2)
    assert not x.requires_grad
    assert x.mean(0).abs().max() < 4 / 20_000**0.5
    assert x.std(0).sub(1).abs().max() < 0.02


def test_an_affine_flow_learns_a_gaussian():
    truth = MultivariateNormal(
        torch.tensor([1.0, -0.5]), torch.tensor([[0.5, 0.3], [0.3, 0.4]])
    )
    torch.manual_seed(0)
    x, new = truth.sample((4000,)), truth.sample((2000,))
    flow = Flow(coupling="affine", layers=2, hidden=(8,))
    states = list(train_flow(flow, x, 300, learning_rate=0.02, n_states=5))
    assert states[-1].loss < states[0].loss
    with torch.no_grad():
        gap = (truth.log_prob(new) - flow.log_prob(new)).mean()
    assert gap.abs() < 0.02
    assert isinstance(states[-1], FlowState)
    assert str(states[-1]).startswith("step 300, log p(x) -")
    assert str(states[-1]).endswith("nats")


def test_a_spline_flow_finds_the_ring():
    ring = ring_of_gaussians()
    torch.manual_seed(0)
    x, new = ring.sample((4000,)), ring.sample((2000,))
    flow = Flow(layers=3, hidden=(32,), bins=12)
    list(train_flow(flow, x, 150, learning_rate=0.02))
    near = torch.cdist(flow.sample(1000), ring.centres).amin(1) < 3 * ring.sigma
    assert near.float().mean() > 0.6
    with torch.no_grad():
        assert (ring.log_prob(new) - flow.log_prob(new)).mean() < 0.4


def test_data_outside_of_the_splines_are_refused():
    far = 100 + points(300, dtype=torch.float32)
    words = r"x must lie mostly .* bound = 4, but 100 % .*: scale the data, or make a"
    with pytest.raises(ValueError, match=words):
        next(train_flow(Flow(layers=2, hidden=(8,)), far, 5))
    for flow in (Flow(bound=200.0), Flow(coupling="affine")):
        assert next(train_flow(flow, far, 2, learning_rate=1e-4)).step == 1
    mostly = torch.cat([points(200, dtype=torch.float32), far[:150]])
    assert next(train_flow(Flow(hidden=(8,)), mostly, 2)).step == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data_dim": 1}, "data_dim must be at least 2, got 1"),
        ({"layers": 0}, "layers must be at least 1, got 0"),
        ({"bins": 1}, "bins must be from 2 to 500, got 1"),
        ({"bins": 2000}, "bins must be from 2 to 500, got 2000"),
        ({"bound": 0.0}, "bound must be positive, got 0.0"),
        ({"bound": math.nan}, "bound must be positive, got nan"),
        ({"coupling": "linear"}, "coupling must be one of .* got 'linear'"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        Flow(**options)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(3), r"shape \(n, 2\), got \(3,\)"),
        (torch.zeros(3, 3), r"shape \(n, 2\), got \(3, 3\)"),
        (torch.zeros(0, 2), "is empty"),
        (torch.full((2, 2), math.nan), "4 values that are NaN"),
    ],
)
def test_bad_data_are_named(x, words):
    flow = Flow()
    for use in (flow.log_prob, flow.inverse, flow.forward_map, flow.encode):
        with pytest.raises(ValueError, match=words):
            use(x)
