"""Divergences from samples, where a density is zero, and on a grid that cuts mass."""

import math

import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Binomial,
    Categorical,
    Distribution,
    Geometric,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    Uniform,
)

from course_utils.beyond.flow import Flow
from course_utils.divergences import js, kl, total_variation
from course_utils.divergences.fits import round_mixture
from course_utils.mixture.model import GaussianMixture
from course_utils.quadrature import draw, log_density
from course_utils.training import seeded
from course_utils.variational.ppca import LinearGaussian

ALL = pytest.mark.parametrize("divergence", [kl, js, total_variation])
TICKS = torch.linspace(-7, 7, 141, dtype=torch.float64)
LINE = torch.linspace(-3, 14, 1701, dtype=torch.float64)
STANDARD = Normal(torch.zeros((), dtype=torch.float64), 1.0)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def bumps(means, sigmas=(1.0, 1.0)):
    return MixtureSameFamily(
        Categorical(f64(0.5, 0.5)), Normal(f64(*means), f64(*sigmas))
    )


class Density:
    """Only ``log_prob``: nothing can be drawn."""

    def __init__(self, p):
        self.log_prob = p.log_prob


class Custom:
    """An object with ``sample`` that takes a shape, as in torch."""

    def sample(self, shape):
        return torch.randn(*shape, 2)


@pytest.mark.parametrize(
    ("p", "shape"),
    [
        (GaussianMixture([1.0], [[0.0, 1.0]], [[[1.0, 0.0], [0.0, 1.0]]]), (5, 2)),
        (MultivariateNormal(torch.zeros(3), torch.eye(3)), (5, 3)),
        (Normal(0.0, 1.0), (5,)),
        (Custom(), (5, 2)),
    ],
    ids=lambda p: type(p).__name__,
)
def test_draws_from_models_of_the_course_and_of_torch(p, shape):
    with seeded(0):
        x = draw(p, 5)
    assert x.shape == shape
    with seeded(0):
        assert torch.equal(x, p.sample(5 if isinstance(p, GaussianMixture) else (5,)))


@ALL
def test_models_of_the_course_can_be_sampled(divergence):
    p = round_mixture((0.5, 0.5), [[-1.5, 0.0], [1.5, 0.0]], (0.6, 0.6))
    q = round_mixture((1.0,), [[0.0, 0.0]], (1.4,))
    torch.manual_seed(0)
    found = divergence(p, q, samples=4000)
    truth = divergence(p, q, grid=(TICKS, TICKS)).item()
    assert abs(found.value - truth) < 4 * found.standard_error < 0.2
    torch.manual_seed(0)
    theirs = divergence(p.distribution, q.distribution, samples=4000)
    assert abs(theirs.value - truth) < 4 * theirs.standard_error
    untrained = divergence(Flow(), round_mixture([1.0], [[0.0, 0.0]], [1.0]), samples=9)
    assert untrained.value == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_drawn_is_named():
    only = Density(STANDARD)
    with pytest.raises(ValueError, match=r"p must have \.sample, got Density"):
        kl(only, STANDARD, samples=9)
    with pytest.raises(ValueError, match=r"q must have \.sample, got Density"):
        js(STANDARD, only, samples=9)
    both = LinearGaussian(torch.ones(2, 1), torch.zeros(2), 1.0)
    with pytest.raises(ValueError, match="a tensor of 3 rows, got tuple"):
        draw(both, 3)  # x and z


def test_a_batch_of_distributions_is_refused():
    pair = Normal(torch.zeros(2), 1.0)
    with pytest.raises(ValueError, match=r"p must be one distribution.* \(2,\)"):
        kl(pair, pair, samples=9)
    column = Normal(torch.zeros(1), 1.0)
    assert kl(column, column, samples=9).value == 0


def test_where_q_is_zero_the_kl_is_infinite_from_samples_too():
    edge = 1.0025  # halfway between two points of the grid
    q = Uniform(f64(-edge)[0], f64(edge)[0])
    torch.manual_seed(0)
    found = kl(STANDARD, q, samples=1000)
    assert found.value == math.inf and math.isnan(found.standard_error)
    grid = torch.linspace(-8, 8, 3201, dtype=torch.float64)
    for divergence in (js, total_variation):
        found = divergence(STANDARD, q, samples=4000)
        truth = divergence(STANDARD, q, grid=grid).item()
        assert abs(found.value - truth) < 4 * found.standard_error < 0.1
    inside = kl(q, STANDARD, samples=4000)
    truth = 0.5 * math.log(2 * math.pi) + edge**2 / 6 - math.log(2 * edge)
    assert abs(inside.value - truth) < 4 * inside.standard_error


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Categorical(f64(0.5, 0.5)), Categorical(f64(1.0, 0.0))),
        (Categorical(torch.ones(2)), Categorical(torch.tensor([1.0, 0.0]))),
        (Categorical(torch.ones(3)), Categorical(torch.ones(2))),
        (Bernoulli(f64(0.3)[0]), Bernoulli(f64(1.0)[0])),
        (Bernoulli(f64(0.3)[0]), Bernoulli(f64(0.0)[0])),
        (Binomial(3, f64(0.3)[0]), Binomial(3, f64(0.0)[0])),
        (OneHotCategorical(f64(0.5, 0.5)), OneHotCategorical(f64(0.0, 1.0))),
        (Bernoulli(f64(0.3)[0]), Categorical(f64(1.0, 0.0))),
    ],
    ids=lambda p: type(p).__name__,
)
def test_a_probability_of_zero_is_zero(p, q):
    torch.manual_seed(0)
    assert kl(p, q, samples=200).value == math.inf
    if not isinstance(p, Binomial) and (
        p.enumerate_support().shape == q.enumerate_support().shape
    ):
        assert kl(p, q) == math.inf


def test_densities_that_are_zero():
    p = Categorical(torch.tensor([0.25, 0.75, 0.0]))
    found = log_density(p, torch.tensor([0, 1, 2, 3]))
    assert found.exp().tolist() == pytest.approx([0.25, 0.75, 0, 0])
    assert found[2] == found[3] == -math.inf
    assert log_density(Geometric(0.5), torch.tensor([-1.0, 0.0]))[0] == -math.inf
    with pytest.raises(ValueError, match="x must be numbers, got 1 that are NaN"):
        log_density(STANDARD, f64(0.0, math.nan))

    class Silent(Distribution):
        def log_prob(self, x):
            return -x.abs() - math.log(2)

    assert log_density(Silent(validate_args=False), f64(0.0)) == -math.log(2)


def test_a_small_probability_stays_what_it_is():
    p, q = Categorical(torch.ones(2)), Categorical(logits=torch.tensor([0.0, -200.0]))
    torch.manual_seed(0)
    found = kl(p, q, samples=400)
    assert abs(found.value - (100 - math.log(2))) < 4 * found.standard_error
    p, q = (Categorical(torch.tensor(w)) for w in ([0.5, 0.5, 0.0], [0.0, 0.0, 1.0]))
    assert js(p, q).item() == pytest.approx(math.log(2), abs=2e-7)  # float32
    assert total_variation(p, q).item() == pytest.approx(1, abs=2e-7)


def test_lists_of_different_outcomes():
    for q in (3, 1):
        words = f"p has 2 outcomes, q has {q}"
        with pytest.raises(ValueError, match=words):
            kl(Categorical(torch.ones(2)), Categorical(torch.ones(q)))
    torch.manual_seed(0)
    found = kl(Categorical(torch.ones(2)), Categorical(torch.ones(3)), samples=50)
    assert found.value == pytest.approx(math.log(1.5))  # 0 and 1 are outcomes of both


@ALL
@pytest.mark.parametrize(
    ("p", "words"),
    [
        (bumps((-10.0, 10.0)), "to the left of -3, or"),
        (bumps((10.0, 30.0)), "to the right of 14, or"),
        (bumps((-40.0, 10.0)), "to the left of -3, or"),
        (bumps((-8.0, 5.0)), "to the left of -3, or"),
        (Uniform(f64(-10.0)[0], f64(-5.0)[0]), "to the left of -3, or"),
        (bumps((-20.0, 30.0)), "to the left of -3 and to the right of 14, or"),
        (Density(bumps((-8.0, 8.0))), "to the left of -3, or"),
        (Density(bumps((-80.0, 5.0))), "on either side, or refine it"),
        (Density(bumps((5.0, 5.005), (1.0, 1e-9))), "on either side, or refine it"),
    ],
)
def test_the_side_that_is_named_is_the_one_that_is_cut(divergence, p, words):
    state = torch.random.get_rng_state()
    with pytest.raises(ValueError, match=f"of p: extend it {words}"):
        divergence(p, Normal(f64(5.0)[0], 1.0), grid=LINE)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_bump_between_the_ticks_is_not_outside():
    with pytest.raises(ValueError, match="of p: refine it"):
        kl(bumps((5.0, 5.005), (1.0, 1e-9)), STANDARD, grid=LINE)


@pytest.mark.parametrize(
    ("means", "words"),
    [
        ([[0.0, 0.0], [-20.0, 0.0]], "to the left of -7, or"),
        ([[0.0, 0.0], [1.0, 30.0]], "above 7, or"),
        ([[0.0, 0.0], [9.0, -9.0]], "to the right of 7 and below -7, or"),
    ],
)
def test_the_side_in_the_plane_also_of_a_model_of_the_course(means, words):
    p = round_mixture([0.5, 0.5], means, [1.0, 1.0])
    q = MultivariateNormal(f64(0.0, 0.0), torch.eye(2).double())
    for either in (p, p.distribution):
        with pytest.raises(ValueError, match=f"of p: extend it {words}"):
            kl(either, q, grid=(TICKS, TICKS))
