"""KL, JSD and TV meet hostile input: grids in all clothes, grids that hold by accident.

The cases are those that a fuzzer has found, and their kinds as properties.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Bernoulli,
    Categorical,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Poisson,
    Uniform,
)

from course_utils.divergences import js, kl, total_variation
from course_utils.divergences.fits import round_mixture
from course_utils.mixture.model import GaussianMixture
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

ALL = {"kl": kl, "js": js, "tv": total_variation}
TICKS = [k / 2 for k in range(-18, 19)]
quiet = settings(deadline=None, max_examples=40, derandomize=True, database=None)


def f64(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def normal(mean=0.0, sigma=1.0):
    return Normal(f64(mean)[0], f64(sigma)[0])


LEFT, RIGHT = (
    round_mixture([1.0], [[0.0, 0.5]], [1.0]),
    round_mixture([1.0], [[0, 0]], [1]),
)
DOORS = {
    f"{name}-{kind}": Door("grid", call, TICKS, ("none",))  # no grid: a formula
    for name, f in ALL.items()
    for kind, call in (
        ("line", lambda grid, f=f: f(normal(), normal(0.5, 1.2), grid=grid)),
        ("plane", lambda grid, f=f: f(LEFT, RIGHT, grid=(grid, TICKS))),
    )
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_grid_agree(door):
    same_in_all_clothes(door)


@pytest.mark.parametrize("f", ALL.values(), ids=ALL)
def test_a_grid_that_holds_the_mass_by_accident_is_refused(f):
    grid, step = torch.linspace(-10, 10, 801).double(), 0.025
    for share in (0.38, 0.5):
        sigma = share * step
        p, q = normal(step / 4, sigma), normal(step / 4 + sigma, sigma)
        with pytest.raises(ValueError, match="every second tick: it is too coarse"):
            f(p, q, grid=grid)
    thin = torch.diag(f64(1.0, (0.38 * 0.25) ** 2))
    first = MultivariateNormal(f64(0.0, 0.25 / 4), thin)
    second = MultivariateNormal(f64(0.0, 0.25 / 4 + 0.09), thin)
    with pytest.raises(ValueError, match="refine it"):
        f(first, second, grid=(torch.linspace(-7, 7, 57), torch.linspace(-7, 7, 57)))


@quiet
@given(st.floats(0.2, 3.0), st.floats(0.0, 1.0), st.floats(-1.0, 1.0))
def test_on_any_grid_the_answer_is_right_or_refused(share, phase, shift):
    grid, step = torch.linspace(-10, 10, 801).double(), 0.025
    sigma = share * step
    p, q = normal(phase * step, sigma), normal(phase * step + shift * sigma, sigma)
    distance = math.erf(abs(shift) / 8**0.5)
    for f, truth in ((kl, shift**2 / 2), (total_variation, distance)):
        try:
            found = f(p, q, grid=grid).item()
        except ValueError:
            assert share < 1.2
            continue
        # |p − q| has a corner, which the trapezoidal rule rounds
        assert found == pytest.approx(truth, abs=2e-3 if f is kl else 2e-2)


@quiet
@given(
    st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6]),
    st.sampled_from([0.0, -1e4, 1e8]),
    st.floats(-2.0, 2.0),
    st.floats(0.5, 2.0),
)
def test_no_unit_and_no_origin_changes_the_answer(unit, far, shift, ratio):
    grid = torch.linspace(-20, 20, 801).double()
    pairs = [
        (normal(), normal(shift, ratio), grid),
        (
            normal(far * unit, unit),
            normal((far + shift) * unit, ratio * unit),
            (far + grid) * unit,
        ),
    ]
    for f in (kl, js, total_variation):
        here, there = (f(p, q, grid=g).item() for p, q, g in pairs)
        assert there == pytest.approx(here, abs=1e-6)
    exact = kl(*pairs[1][:2]).item()
    assert exact == pytest.approx(kl(*pairs[0][:2]).item(), abs=1e-6)


@quiet
@given(st.floats(-1e-7, 1e-7), st.floats(-1e-7, 1e-7), st.booleans())
def test_no_value_leaves_its_bounds_by_rounding(shift, widen, short):
    kind = torch.float32 if short else torch.float64
    p = Normal(torch.zeros((), dtype=kind), 1.0)
    q = Normal(torch.tensor(shift, dtype=kind), 1.0 + widen)
    grid = torch.linspace(-9, 9, 801, dtype=kind)
    values = [kl(p, q), *(f(p, q, grid=grid) for f in ALL.values())]
    assert all(0 <= value < 1e-5 for value in values)
    far = Normal(torch.tensor(60.0, dtype=kind), 1.0)
    wide = torch.linspace(-9, 70, 4001, dtype=kind)
    assert js(p, far, grid=wide) <= math.log(2)
    assert total_variation(p, far, grid=wide) <= 1


def test_mixtures_of_uniforms_have_the_support_of_all_their_parts():
    parts = Uniform(f64(0.0, 1.0), f64(2.0, 3.0))
    p = MixtureSameFamily(Categorical(f64(0.5, 0.5)), parts)
    q = Uniform(*f64(0.0, 3.0))
    truth = (math.log(0.75) + math.log(1.5)) / 2  # ¼ on two thirds, ½ on one third
    torch.manual_seed(0)
    found = kl(p, q, samples=4000)
    assert abs(found.value - truth) < 4 * found.standard_error < 0.1
    assert 0 < js(p, q, samples=4000).value < math.log(2)


def test_two_kinds_that_list_the_same_outcomes():
    p, q = Categorical(f64(0.3, 0.7)), Bernoulli(f64(0.8)[0])
    truth = 0.3 * math.log(0.3 / 0.2) + 0.7 * math.log(0.7 / 0.8)
    assert kl(p, q).item() == pytest.approx(truth)
    back = 0.2 * math.log(0.2 / 0.3) + 0.8 * math.log(0.8 / 0.7)
    assert kl(q, p).item() == pytest.approx(back)
    assert total_variation(p, q).item() == pytest.approx(0.1)
    assert js(p, q).item() == pytest.approx(js(q, p).item())


def test_other_numbers_of_outcomes_are_told_by_all():
    p, q = Categorical(f64(0.2, 0.3, 0.5)), Categorical(f64(0.1, 0.2, 0.3, 0.4))
    for f in ALL.values():
        with pytest.raises(ValueError, match="p has 3 outcomes, q has 4"):
            f(p, q)


@pytest.mark.parametrize("samples", [2.5, "9", [9], True, math.nan, 1, 0, -3])
def test_samples_are_a_whole_number(samples):
    for f in ALL.values():
        refuses(lambda f=f: f(normal(), normal(1.0), samples=samples), "samples")


def test_mixtures_on_a_line_are_densities_on_a_line():
    bump = GaussianMixture([1.0], [[0.5]], f64(1.2).square()[:, None, None])
    grid = torch.linspace(-12, 12, 801).double()
    for f in ALL.values():
        same = f(normal(), normal(0.5, 1.2), grid=grid).item()
        assert f(normal(), bump, grid=grid).item() == pytest.approx(same, abs=1e-9)
        assert f(bump, bump, grid=grid).item() == pytest.approx(0, abs=1e-12)
        torch.manual_seed(0)
        for p, q in ((bump, normal(0.5, 1.2)), (normal(0.5, 1.2), bump)):
            assert f(p, q, samples=99).value == pytest.approx(0, abs=1e-12)
        refuses(lambda f=f: f(LEFT, RIGHT, grid=grid), "p has d = 2")
        refuses(lambda f=f: f(bump, bump, grid=(grid, grid)), "p has d = 1")


class Strange:
    """A density whose logarithm is not what it should be."""

    def __init__(self, returns):
        self.returns = returns

    def log_prob(self, x):
        return self.returns(x)


@pytest.mark.parametrize(
    "returns",
    [
        lambda x: x * math.nan,
        lambda x: x.numpy(),
        lambda x: 0.0,
        lambda x: None,
        lambda x: x.long(),
        lambda x: x.to(torch.complex128),
        lambda x: x[:, None] - x,
        lambda x: x.sum(),
    ],
)
def test_a_log_prob_that_returns_something_else_is_named(returns):
    grid = torch.linspace(-9, 9, 801).double()
    for f in ALL.values():
        refuses(lambda f=f: f(Strange(returns), normal(), grid=grid), "p")
        refuses(lambda f=f: f(normal(), Strange(returns), grid=grid), "q")
        refuses(lambda f=f: f(normal(), Strange(returns), samples=9), "q")


@pytest.mark.parametrize("other", [None, "normal", 3.0, f64(1.0)])
def test_what_is_no_density_is_named(other):
    grid = torch.linspace(-9, 9, 801).double()
    for f in ALL.values():
        for options in ({}, {"grid": grid}, {"samples": 9}):
            refuses(lambda f=f, o=options: f(other, normal(), **o), "p must have")
            refuses(lambda f=f, o=options: f(normal(), other, **o), "q must have")


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (Normal(torch.tensor(1), 1.5), "loc of p must be 32 or 64 bit"),  # scale is 1
        (Normal(torch.zeros(1).half(), 1.0), "loc of p must be 32 or 64 bit"),
        (Categorical(torch.ones(2).bfloat16()), "probs of p must be 32 or 64 bit"),
        (Normal, "p must have .log_prob, got the class Normal"),
    ],
)
def test_parts_that_torch_has_cut_are_refused(cut, words):
    for f in ALL.values():
        for options in ({}, {"samples": 9}, {"grid": TICKS}):
            refuses(lambda f=f, o=options: f(cut, normal(), **o), words)
            words_of_q = words.replace("of p", "of q").replace("p must", "q must")
            refuses(lambda f=f, o=options: f(normal(), cut, **o), words_of_q)


def test_shapes_that_would_be_broadcast_are_refused():
    two, three = (MultivariateNormal(torch.zeros(d), torch.eye(d)) for d in (2, 3))
    column, row = Normal(torch.zeros(3, 1), 1.0), Normal(torch.zeros(3), 1.0)
    for f in ALL.values():
        for options in ({}, {"samples": 9}, {"grid": TICKS}):
            for p, q, words in (
                (column, row, "one batch_shape"),
                (row, Normal(torch.zeros(2), 1.0), "one batch_shape"),
                (two, three, "events of one shape"),
                (three, normal(), "events of one shape"),
            ):
                refuses(lambda f=f, o=options, p=p, q=q: f(p, q, **o), words)
        refuses(lambda f=f: f(two, two, grid=TICKS), "p has d = 2, but the points")
    assert kl(row, Normal(1.0, 1.0)).tolist() == [0.5] * 3


def test_samples_of_one_kind_under_the_other():
    p, q = Categorical(f64(0.3, 0.7)), Bernoulli(f64(0.8)[0])
    for f in ALL.values():
        for one, other in ((p, q), (q, p)):
            torch.manual_seed(0)
            found, truth = f(one, other, samples=4000), f(one, other).item()
            assert abs(found.value - truth) < 4 * found.standard_error + 1e-12


@pytest.mark.parametrize("measure", ALL.values(), ids=ALL)
def test_outcomes_and_densities_are_not_compared(measure):
    p, q = Categorical(f64(0.25, 0.75)), normal()
    for options in ({}, {"samples": 9}, {"grid": torch.linspace(-9, 9, 99)}):
        refuses(lambda o=options: measure(p, q, **o), "only p does")
        refuses(lambda o=options: measure(q, p, **o), "only q does")
    counts = Poisson(f64(1.0, 3.0))
    mixed = MixtureSameFamily(p, counts)
    assert measure(mixed, Poisson(f64(2.0)[0]), samples=99).value < 1


@pytest.mark.parametrize("measure", ALL.values(), ids=ALL)
def test_a_batch_is_named(measure):
    batch = Normal(f64(0.0, 1.0, 2.0), 1.0)
    for options in ({"samples": 9}, {"grid": torch.linspace(-9, 9, 99)}):
        refuses(lambda o=options: measure(normal(), batch, **o), "must be one dist")
        refuses(lambda o=options: measure(batch, normal(), **o), "must be one dist")


@pytest.mark.parametrize("measure", ALL.values(), ids=ALL)
def test_an_infinite_density_is_named(measure):
    class Odd:
        def log_prob(self, x):
            return torch.where(x > 0, math.inf, normal().log_prob(x))

        def sample(self, shape):
            return normal().sample(shape)

    for options in ({"samples": 99}, {"grid": torch.linspace(-9, 9, 99)}):
        told = "q.log_prob must be numbers, got NaN or +∞"
        refuses(lambda o=options: measure(normal(), Odd(), **o), told)
