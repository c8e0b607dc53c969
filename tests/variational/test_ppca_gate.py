"""Probabilistic PCA meets hostile input, little noise and other units."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, MultivariateNormal, Normal

from course_utils.variational import LinearGaussian, ppca_maximum_likelihood
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64, randn, seeds

W, MU = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [1.0, 2.0, 3.0]
X, Z = [[0.5, 1.0, 2.0], [1.0, -1.0, 0.0]], [[1.0, 0.0], [0.5, 2.0]]
TABLE = [[1.0, 0.5, 2.0], [0.0, 1.5, -1.0], [2.0, 2.0, 0.5], [-1.0, 0.0, 1.0]]
MODEL = LinearGaussian(f64(*W), f64(*MU), 1.5)
Q = Independent(Normal(torch.zeros(2, 2).double(), 1.0), 1)


def with_weight(weight):
    return LinearGaussian(weight, f64(*MU), 1.5).log_joint(f64(*X), f64(*Z))


def with_mean(mean):
    return LinearGaussian(f64(*W), mean, 1.5).log_joint(f64(*X), f64(*Z))


def with_sigma(sigma):
    return LinearGaussian(f64(*W), f64(*MU), sigma).log_prob(f64(*X))


def fitted(x):
    model = ppca_maximum_likelihood(x, 1)
    return model.weight @ model.weight.T, model.mean, model.noise_sigma


DOORS = {
    "weight": Door("weight", with_weight, W),
    "mean": Door("mean", with_mean, MU),
    "sigma": Door("noise_sigma", with_sigma, 1.5, ("column",)),  # one number, too
    "joint": Door("x", lambda x: MODEL.log_joint(x, f64(*Z)), X),
    "joint-z": Door("z", lambda z: MODEL.log_joint(f64(*X), z), Z),
    "posterior": Door("x", MODEL.posterior, X),
    "log-prob": Door("x", MODEL.log_prob, X),
    "elbo": Door("x", lambda x: MODEL.elbo(x, Q), X),
    "fit": Door("x", fitted, TABLE),
}
quiet = settings(deadline=None, max_examples=20, derandomize=True, database=None)
ARRAYS = ("sigma",)  # numbers of Python or torch only


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    if kind == "empty" and door.name == "x" and door.call is not fitted:
        return  # no rows of x have no log p(x), each of them
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("name", [name for name in DOORS if name not in ARRAYS])
def test_all_forms_of_the_same_numbers_agree(name):
    same_in_all_clothes(DOORS[name])


@quiet
@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), max_size=4))
def test_any_numbers_agree_in_all_forms(rows):
    for name in ("joint", "posterior", "log-prob"):
        values = [[v / 2 for v in row] for row in rows[:2]]
        same_in_all_clothes(DOORS[name], [*values, *X][:2])


def test_all_integers_make_no_whole_sigma():
    model = LinearGaussian(torch.tensor(W).long(), torch.tensor(MU).long(), 1.5)
    found = model.log_joint(torch.tensor([0.5, 1.0, 2.0]), torch.tensor([1, 0]))
    assert found.item() == pytest.approx(-7.922199101458967, abs=1e-12)


def test_long_whole_numbers_are_numbers_or_too_long():
    x = f64(1.0, 2.0, 3.0)
    assert LinearGaussian(f64(*W), x, 10**30).log_prob(x).item() == pytest.approx(
        LinearGaussian(f64(*W), x, 1e30).log_prob(x).item()
    )
    refuses(lambda: LinearGaussian(f64(*W), x, 10**400), "noise_sigma must be below")


def test_one_column_is_not_three():
    model = LinearGaussian(torch.eye(3, 2), torch.zeros(3), 0.7)
    for call in (model.posterior, model.log_prob, lambda x: model.elbo(x, Q)):
        refuses(lambda call=call: call(torch.ones(2, 1)), "x must be numbers of shape")
    refuses(lambda: model.log_joint(torch.ones(2, 3), torch.ones(2, 1)), "z must be")
    for bad in (None, Normal(0.0, 1.0), Independent(Normal(torch.zeros(3), 1.0), 1)):
        refuses(lambda bad=bad: model.elbo(torch.ones(3), bad), "q must be")
    refuses(lambda: model.sample(0), "n must be")
    refuses(lambda: model.sample(2.5), "n must be")


@pytest.mark.parametrize(
    ("sigma", "expected"),  # by mpmath with 60 digits
    [(1e-5, 7.6810), (1e-7, 12.28620), (1e-8, 14.58879)],
)
def test_little_noise_is_not_lost_beside_the_weights(sigma, expected):
    weight = f64([1.0, 0.5], [-0.3, 2.0], [0.2, 0.1])
    x = weight @ f64(0.3, -0.7)
    model = LinearGaussian(weight, x * 0, sigma)
    assert model.log_prob(x).item() == pytest.approx(expected, abs=5e-5)
    with pytest.raises(ValueError, match=r"noise_sigma must be at least .* lost"):
        LinearGaussian(weight, x * 0, 1e-14).log_prob(x)


@quiet
@given(seeds, st.sampled_from([1e-2, 1e-4, 1e-6]))
def test_bayes_rule_holds_with_little_noise(seed, sigma):
    """log p(x) = log p(x, z) − log p(z | x) at the posterior's mean."""
    model = LinearGaussian(randn(seed, 4, 2), randn(seed + 1, 4), sigma)
    x = randn(seed + 2, 5, 2) @ model.weight.T + model.mean
    posterior = model.posterior(x)
    z = posterior.mean
    bayes = model.log_joint(x, z) - posterior.log_prob(z)
    assert (bayes - model.log_prob(x)).abs().max() < 1e-5 * (1 + bayes.abs().max())


def test_roots_and_squares_agree_where_both_have_digits():
    """On either side of the noise from which roots are taken."""
    weight, mean, x = randn(0, 4, 2), randn(1, 4), randn(2, 3, 4)
    size = weight.abs().max().item()
    for share in (0.01, 0.019, 0.021):
        sigma = share * size
        model = LinearGaussian(weight, mean, sigma)
        noise = sigma**2 * torch.eye(4).double()
        squares = MultivariateNormal(mean, weight @ weight.T + noise)
        assert (model.log_prob(x) / squares.log_prob(x) - 1).abs().max() < 1e-9
        precision = torch.eye(2).double() + weight.T @ weight / sigma**2
        expected = torch.linalg.inv(precision)
        found = model.posterior(x).covariance_matrix
        assert (found / expected - 1).abs().max() < 1e-9


@quiet
@given(seeds, st.sampled_from([1e-150, 1e-6, 1e3, 1e150]), st.sampled_from([0.0, 1e6]))
def test_the_fit_moves_and_stretches_with_the_data(seed, scale, shift):
    x = randn(seed, 12, 3)
    plain = ppca_maximum_likelihood(x, 1)
    moved = ppca_maximum_likelihood((x + shift) * scale, 1)
    assert (moved.noise_sigma / scale / plain.noise_sigma - 1).abs() < 1e-8
    assert (moved.mean / scale - shift - plain.mean).abs().max() < 1e-8
    outer = [m.weight / u @ (m.weight / u).T for m, u in ((plain, 1.0), (moved, scale))]
    assert (outer[0] - outer[1]).abs().max() < 1e-7


def test_data_without_noise_are_named():
    x = randn(0, 9, 1) @ randn(1, 1, 3)
    refuses(lambda: ppca_maximum_likelihood(x, 1), "no spread outside of 1 dimensions")
    refuses(lambda: ppca_maximum_likelihood(torch.ones(9, 3).long(), 1), "no spread")
    refuses(
        lambda: ppca_maximum_likelihood(torch.full((9, 3), math.nan), 1), "27 values"
    )
    for bad in (0, 3, 1.5, None, "1"):
        refuses(lambda bad=bad: ppca_maximum_likelihood(randn(0, 9, 3), bad), "latent")


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_noise_beyond_the_floats_is_refused(kind):
    weight, mean = torch.ones(3, 2, dtype=kind), torch.zeros(3, dtype=kind)
    for noise in (1e300, torch.finfo(kind).max ** 0.5):
        refuses(lambda noise=noise: LinearGaussian(weight, mean, noise), "noise_sigma")
    model = LinearGaussian(weight, mean, np.float32(1.5))
    same = LinearGaussian(weight, mean, 1.5)
    assert torch.equal(model.log_prob(mean), same.log_prob(mean))
