"""The oracles and PPCA's neighbours meet hostile input, far numbers and other units."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, LogNormal, Normal

from course_utils.variational import (
    BinaryLatents,
    GaussianMean,
    GridModel,
    circle_model,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64

X, Z, POINTS = [1.0, 2.0, 4.0], [0.5, -1.0], [[0.5, 0.0], [-1.0, 1.5]]
GRID = [k / 4 for k in range(-40, 41)]
MEAN, BAG, CIRCLE = (
    GaussianMean(0.5, 2.0, 1.5),
    BinaryLatents(f64(*X), 1.5),
    circle_model(),
)


def grid_model(grid):
    return GridModel(Normal(0.0, 1.0), lambda x, z: Normal(z, 2.0).log_prob(x), grid)


DOORS = {
    "mean": Door("x", MEAN.log_prob, X),
    "mean-joint": Door("x", lambda x: MEAN.log_joint(x, f64(0.5)), X),
    "mean-joint-z": Door("z", lambda z: MEAN.log_joint(f64(*X), z), Z, ("column",)),
    "mean-posterior": Door("x", MEAN.posterior, X),
    "mean-elbo": Door("x", lambda x: MEAN.elbo(x, Normal(0.5, 1.0)), X),
    "bag-weights": Door("weights", lambda w: BinaryLatents(w, 1.5).log_prob(3.0), X),
    "bag": Door("x", BAG.log_prob, 3.0, ("column",)),
    "bag-posterior": Door("x", BAG.posterior, 3.0, ("column",)),
    "bag-q": Door("q", lambda q: BAG.elbo(3.0, q), [0.5, 0.5] + [0.0] * 6),
    "grid": Door("grid", lambda g: grid_model(g).log_prob(1.0), GRID),
    "grid-x": Door("x", grid_model(GRID).log_prob, X, ("column",)),
    "grid-posterior": Door("x", grid_model(GRID).log_posterior, X, ("column",)),
    "circle": Door("x", CIRCLE.log_prob, POINTS),
    "circle-z": Door("z", lambda z: CIRCLE.log_joint(f64(*POINTS), z), Z, ("column",)),
}
for name in ("mean-joint-z", "circle-z"):  # where there is no z, there is no number
    door = DOORS[name]
    DOORS[name] = Door(door.name, door.call, door.good, ("column", "empty"))
halves = st.integers(-20, 20).map(lambda k: k / 2)
quiet = settings(deadline=None, max_examples=20, derandomize=True, database=None)


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@quiet
@given(st.lists(halves, min_size=2, max_size=6))
def test_any_numbers_agree_in_all_forms(values):
    for name in ("mean", "mean-posterior", "mean-joint-z", "bag-weights"):
        same_in_all_clothes(DOORS[name], values)


@pytest.mark.parametrize("bad", [None, "text", 1j, math.nan, -1.0, 0.0, math.inf, True])
def test_a_spread_is_a_positive_number(bad):
    refuses(lambda: GaussianMean(noise_sigma=bad), "noise_sigma")
    refuses(lambda: GaussianMean(prior_sigma=bad), "prior_sigma")
    refuses(lambda: BinaryLatents(f64(*X), bad), "noise_sigma")
    refuses(lambda: circle_model(noise_sigma=bad), "noise_sigma")


@pytest.mark.parametrize("bad", [None, "text", 1j, math.nan, math.inf])
def test_a_mean_and_a_turn_are_numbers(bad):
    refuses(lambda: GaussianMean(prior_mean=bad), "prior_mean")
    refuses(lambda: circle_model(turn=bad), "turn")


def test_small_is_positive_and_too_small_says_so():
    """1e-46 became 0 in float32, and "prior_sigma must be positive, got 1e-46"."""
    assert GaussianMean(prior_sigma=1e-46).prior_sigma == 1e-46
    for sigma in (1e-200, 1e200):
        refuses(lambda sigma=sigma: GaussianMean(prior_sigma=sigma), "use other units")


def test_whole_numbers_make_no_whole_sigma():
    x = f64(*X)
    model = GaussianMean(noise_sigma=1.5)
    expected = model.log_joint(x, f64(1.0)[0]).item()
    assert model.log_joint(x, torch.tensor(1)).item() == expected
    assert expected == pytest.approx(-7.614371733153705, abs=1e-6)
    whole = BinaryLatents(torch.tensor([1, 2, 3]), 1.5).log_prob(torch.tensor(3.2))
    assert whole.item() == pytest.approx(-1.8602032661437988, abs=1e-6)
    assert BinaryLatents(torch.tensor([1, 2, 3]), 0.1).log_prob(3).isfinite()


@quiet
@given(
    st.lists(halves, min_size=1, max_size=6),
    st.sampled_from([0.0, 1e3, 1e6, -1e8]),
    st.sampled_from([1e-6, 1e-3, 1.0, 1e6]),
)
def test_the_evidence_moves_and_stretches_with_the_data(values, shift, scale):
    x = f64(*values)
    expected = GaussianMean(0.5, 2.0, 1.0).log_prob(x) - len(x) * math.log(scale)
    moved = GaussianMean((0.5 + shift) * scale, 2.0 * scale, scale)
    found = moved.log_prob((x + shift) * scale)
    assert (found - expected).abs() < 1e-6 + 1e-9 * expected.abs()


@pytest.mark.parametrize("shift", [0.0, 1e6, 1e8])
def test_the_evidence_far_from_zero(shift):
    found = GaussianMean(shift, 1.0, 1.0).log_prob(f64(*X) + shift)
    assert found.item() == pytest.approx(-7.824962780173964, abs=1e-8)


def test_the_evidence_with_little_noise():
    """Against the same integral in units in which nothing is small."""
    x = f64(5.0, 5.000001, 5.000003)
    found = GaussianMean(0.0, 1.0, 1e-6).log_prob(x)
    spread = (x - x.mean()).square().sum() / 1e-12
    wide = 1 + 1e-12 / 3
    expected = -(spread + x.mean() ** 2 / wide) / 2 - 3 * math.log(1e-6)
    expected -= (math.log(3 * wide / 1e-12) + 3 * math.log(2 * math.pi)) / 2
    assert found.item() == pytest.approx(expected.item(), abs=1e-7)


def test_tables_that_are_no_probabilities():
    bag = BinaryLatents(torch.tensor([1.0, 2.0]), 0.5)
    x = torch.tensor(1.3)
    assert bag.elbo(x, torch.full((4,), 0.25)).item() == pytest.approx(-2.8057913780212)
    for bad in ([0.5] * 4, [0.5, 0.5, 0.5, -0.5], [0.5, 0.5], [math.nan] * 4):
        refuses(lambda bad=bad: bag.elbo(x, bad), "q must be")
    assert bag.elbo(x, torch.full((3, 4), 0.25)).shape == (3,)
    refuses(lambda: bag.log_joint_table(torch.zeros(4)), "x must be a single number")
    refuses(lambda: BinaryLatents(torch.ones(60)), "weights must be at most 26")


def test_a_q_of_another_kind_is_refused():
    x, vectors = f64(*X), Independent(Normal(torch.zeros(3), 1.0), 1)
    for bad in (None, 0.5, vectors):
        refuses(lambda bad=bad: MEAN.elbo(x, bad), "q must be")
        refuses(
            lambda bad=bad: GridModel(bad, lambda x, z: z, f64(*GRID)), "prior must be"
        )
    refuses(
        lambda: GridModel(Normal(0.0, 1.0), None, f64(*GRID)), "log_likelihood must"
    )


@pytest.mark.parametrize(
    "bad", [f64(0.0, 1.0), f64(*reversed(GRID)), f64(*GRID)[:, None]]
)
def test_grids_without_sense(bad):
    refuses(lambda: grid_model(bad), "grid must")


def test_a_grid_in_float32_is_read_or_told_why():
    assert grid_model(torch.tensor(GRID)).grid.dtype == torch.float64
    with pytest.raises(ValueError, match="float32 has 7 digits"):
        grid_model(torch.tensor(GRID[:60]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, z: 0.0,
        lambda x, z: None,
        lambda x, z: Normal(z, 1.0).log_prob(x).sum(),
        lambda x, z: Normal(z, 1.0).log_prob(x).mean(0),
        lambda x, z: torch.zeros(7),
        lambda x, z: (z + 0j) * x,
    ],
)
def test_a_likelihood_of_another_shape_is_refused(wrong):
    model = GridModel(Normal(0.0, 1.0), wrong, f64(*GRID))
    refuses(lambda: model.log_prob(f64(1.0)[0]), "log_likelihood must return")


def test_a_likelihood_that_is_no_number_is_refused():
    model = GridModel(Normal(0.0, 1.0), lambda x, z: z * x * math.nan, f64(*GRID))
    refuses(lambda: model.log_prob(f64(1.0)[0]), "log_likelihood gives no finite")


def test_points_with_one_column_are_no_points_of_the_circle():
    refuses(lambda: CIRCLE.log_prob(f64([0.5], [0.2])), "points of shape (…, 2)")
    refuses(lambda: CIRCLE.log_prob(f64(1.0)[0]), "points of shape (…, 2)")


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, int])
def test_numbers_of_numpy_are_settings_too(kind):
    x = f64(1.0, 2.0, 4.0)
    mean = GaussianMean(kind(1), kind(2), kind(3))
    assert mean.log_prob(x) == GaussianMean(1.0, 2.0, 3.0).log_prob(x)
    assert mean.log_joint(x, 1.0) == GaussianMean(1.0, 2.0, 3.0).log_joint(x, 1.0)
    bag = BinaryLatents([1.0, 2.0], kind(2))
    assert bag.log_prob(3.0) == BinaryLatents([1.0, 2.0], 2.0).log_prob(3.0)
    circle = circle_model(kind(2), kind(1))
    assert circle.log_prob(f64(0.5, 0.2)) == circle_model(2.0, 1.0).log_prob(
        f64(0.5, 0.2)
    )


def test_a_bag_that_is_beyond_all_floats_has_no_posterior():
    bag = BinaryLatents([1.0, 2.0], 0.5)
    assert bag.log_prob(1e300) == -math.inf
    refuses(lambda: bag.posterior(1e300), "x must be nearer to some bag")


def test_a_prior_may_be_0_on_a_part_of_the_grid():
    grid = torch.linspace(-1, 40, 20001, dtype=torch.float64)
    prior = LogNormal(f64(0.0)[0], 0.5)
    model = GridModel(prior, lambda x, z: Normal(z, 1.0).log_prob(x), grid)
    z = torch.linspace(0, 40, 200001, dtype=torch.float64)[1:]
    joint = prior.log_prob(z) + Normal(z, 1.0).log_prob(f64(1.0))
    evidence = torch.trapezoid(joint.exp(), z).log()
    assert model.log_prob(f64(1.0)[0]).item() == pytest.approx(
        evidence.item(), abs=1e-7
    )
    refuses(
        lambda: GridModel(Categorical(f64(0.5, 0.5)), model.log_likelihood, grid), ""
    )
