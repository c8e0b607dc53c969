"""The flow meets hostile input: other types, extreme weights, and data far away."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.beyond.flow import Flow, spline, train_flow
from course_utils.training import last
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

quiet = settings(deadline=None, max_examples=30, derandomize=True, database=None)
X = [[1.0, 2.0], [0.5, -1.0], [0.0, 3.0], [2.0, 2.0]]
TINY = {"layers": 2, "hidden": (4,), "bins": 3}
POINTS = [-1.0, 0.0, 0.5, 3.0]
WIDTHS = [[1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [0.5, 0.5, 0.5], [2.0, 0.0, 1.0]]
SLOPES = [[1.0, 2.0], [0.0, -1.0], [0.5, 0.5], [2.0, 0.0]]


def bent():
    flow = Flow(**TINY).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in flow.layers:
            weight = layer.network[-1].weight
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return flow


FLOW = bent()


def trained(x):
    return last(train_flow(Flow(**TINY).double(), x, 2, batch_size=3)).loss


ANY_SHAPE = ("column", "empty")  # the others are refused then, by their names


def forth(x, inverse=False):
    return spline(x, WIDTHS, WIDTHS, SLOPES, 2.0, inverse)


DOORS = {
    "log_prob": Door("x", FLOW.log_prob, X),
    "inverse": Door("x", FLOW.inverse, X),
    "encode": Door("x", FLOW.encode, X),
    "forward_map": Door("z", FLOW.forward_map, X),
    "train": Door("x", trained, X),
    "spline-x": Door("x", lambda x: forth(x), POINTS, ANY_SHAPE),
    "spline-back": Door("x", lambda x: forth(x, inverse=True), POINTS, ANY_SHAPE),
}
SHAPES = {  # NaN of a network that has gone wild is NaN again: the trainers say so
    "widths": Door("widths", lambda w: spline(POINTS, w, WIDTHS, SLOPES, 2.0), WIDTHS),
    "heights": Door("heights", lambda h: spline(POINTS, WIDTHS, h, SLOPES, 2), WIDTHS),
    "slopes": Door("slopes", lambda s: spline(POINTS, WIDTHS, WIDTHS, s, 2.0), SLOPES),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", ["none", "text", "complex", "ragged", "column"])
def test_shapes_that_do_not_fit_are_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)
    short = torch.tensor(door.good)[:, :-1]
    with pytest.raises(ValueError, match=r"(widths|heights|slopes) must be of shape"):
        door.call(short)


@pytest.mark.parametrize("door", (DOORS | SHAPES).values(), ids=DOORS | SHAPES)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@quiet
@given(
    st.integers(0, 10**6),
    st.sampled_from([1.0, 5.0, 30.0, 1e2, 1e4, 1e10, 1e30]),
    st.sampled_from([1e-10, 0.5, 4.0, 1e10]),
    st.integers(2, 40),
)
def test_extreme_weights_give_numbers_in_both_directions(seed, scale, bound, k):
    generator = torch.Generator().manual_seed(seed)
    parts = [scale * torch.randn(500, n, generator=generator) for n in (k, k, k - 1)]
    x = bound * (2 * torch.rand(500, generator=generator) - 1)
    for inverse in (False, True):
        y, log_slope = spline(x, *parts, bound, inverse)
        assert bool(y.isfinite().all()) and bool(log_slope.isfinite().all())
        assert y.abs().max() <= bound * (1 + 1e-6)


@quiet
@given(st.integers(0, 10**6), st.sampled_from([0.3, 1.0, 3.0, 30.0]))
def test_the_way_back_in_float32_is_that_of_float64(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    parts = [scale * torch.randn(300, n, generator=generator) for n in (8, 8, 7)]
    y = 3 * torch.rand(300, generator=generator)
    x, _ = spline(y, *parts, 4.0, inverse=True)
    exact, exact_slope = spline(y.double(), *(p.double() for p in parts), 4.0, True)
    # y itself is known to 2e-7 only, which dx/dy multiplies
    known = 1e-5 + 4e-6 * exact_slope.exp()
    assert bool(((x - exact).abs() <= known).all())
    again, back = spline(x.double(), *(p.double() for p in parts), 4.0)
    assert bool(((again - y).abs() <= 1e-5 + 4e-6 * back.exp()).all())


def test_gradients_of_the_way_back_are_numbers():
    generator = torch.Generator().manual_seed(0)
    parts = [
        (5 * torch.randn(200, n, generator=generator)).requires_grad_()
        for n in (8, 8, 7)
    ]
    y = (9 * torch.rand(200, generator=generator) - 4.5).requires_grad_()
    x, log_slope = spline(y, *parts, 4.0, inverse=True)
    grads = torch.autograd.grad((x + log_slope).sum(), [y, *parts])
    assert all(bool(grad.isfinite().all()) for grad in grads)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bound", {"bound": math.inf}),
        ("bound", {"bound": 1e30}),
        ("bound", {"bound": "4"}),
        ("data_dim", {"data_dim": 2.5}),
        ("layers", {"layers": None}),
        ("bins", {"bins": 4.5}),
        ("coupling", {"coupling": None}),
        ("hidden", {"hidden": "64"}),
        ("unit", {"hidden": (0,)}),
        ("seed", {"seed": 1.5}),
    ],
)
def test_settings_without_sense_are_named(name, options):
    refuses(lambda: Flow(**options), name)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", None, True])
def test_a_number_of_samples_is_a_whole_one(n):
    refuses(lambda: FLOW.sample(n), "n must be")


@pytest.mark.parametrize("far", [1e6, -1e8])
def test_far_from_the_origin_it_is_refused(far):
    x = torch.tensor(X) + far
    refuses(lambda: train_flow(Flow(**TINY), x), "x must lie mostly in")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("flow", {"flow": None}),
        ("flow", {"flow": torch.nn.Linear(2, 2)}),
        ("steps", {"steps": 0}),
        ("steps", {"steps": 2.5}),
        ("batch_size", {"batch_size": None}),
        ("learning_rate", {"learning_rate": math.nan}),
        ("seconds", {"seconds": -1}),
        ("seed", {"seed": "a"}),
    ],
)
def test_training_without_sense_is_refused_at_the_call(name, options):
    options = {"flow": Flow(**TINY), "x": X} | options
    refuses(lambda: train_flow(**options), name)
