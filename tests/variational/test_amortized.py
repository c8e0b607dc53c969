"""One encoder for every x: exact where it can be, never above a q_i of its own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, Normal

from course_utils.training import seeded
from course_utils.variational import (
    AmortizedEncoder,
    LinearGaussian,
    circle_model,
    elbo_by_quadrature,
    fit_each_point,
    ppca_maximum_likelihood,
    train_encoder,
)
from tests.variational.cases import randn


def exact_encoder(model):
    """The linear encoder with the posterior's mean and (constant) log variance."""
    data_dim, latent_dim = model.weight.shape
    encoder = AmortizedEncoder(data_dim, (latent_dim,))
    pull = torch.linalg.solve(model.precision, model.weight.T / model.noise_sigma**2)
    (layer,) = encoder.network
    with torch.no_grad():
        layer.weight.copy_(torch.cat([pull, torch.zeros_like(pull)]))
        logvar = model.precision.diagonal().reciprocal().log()
        layer.bias.copy_(torch.cat([-pull @ model.mean, logvar]))
    return encoder


def test_a_linear_encoder_is_exact_for_ppca():
    x = randn(0, 200, 2) @ randn(1, 2, 4) + 0.3 * randn(2, 200, 4)
    model = ppca_maximum_likelihood(x, 2)
    bound = model.elbo(x, exact_encoder(model)(x))
    assert (bound - model.log_prob(x)).abs().max() < 1e-10


def test_training_finds_that_encoder():
    model = LinearGaussian(torch.tensor([[1.0], [0.5]]).double(), randn(1, 2), 0.5)
    with seeded(0):
        x, _ = model.sample(500)
    encoder = AmortizedEncoder(2, (1,))
    states = list(train_encoder(encoder, model.log_joint, x, 500, 100, 4, 0.05))
    assert len(states) == 500
    gap = (model.log_prob(x) - model.elbo(x, encoder(x))).mean()
    assert 0 <= gap < 2e-3
    expected = exact_encoder(model).network[0]
    assert (encoder.network[0].weight - expected.weight).abs().max() < 0.03


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from([(), (1,), (4,), (8, 8)]))
def test_gaps_are_never_negative(seed, hidden):
    model = circle_model()
    x = randn(seed, 12, 2)
    encoder = AmortizedEncoder(2, (), hidden, seed)

    def elbo_of(q):
        return elbo_by_quadrature(lambda z: model.log_joint(x, z), q)

    start = encoder(x)
    states = list(fit_each_point(elbo_of, start, n_steps=40))
    first, last = states[0], states[-1]
    assert (first.elbo - elbo_of(start)).abs().max() < 1e-12
    assert bool((last.elbo >= first.elbo).all())
    assert bool((model.log_prob(x) >= last.elbo - 1e-8).all())
    assert (elbo_of(last.q) - last.elbo).abs().max() < 1e-9


def test_each_point_reaches_its_exact_posterior():
    model = LinearGaussian(torch.eye(2).double(), randn(1, 2), 0.7)
    x = randn(2, 20, 2)
    start = Independent(Normal(torch.zeros(20, 2).double(), 1.0), 1)
    *_, last = fit_each_point(lambda q: model.elbo(x, q), start, n_steps=500)
    assert (last.elbo - model.log_prob(x)).abs().max() < 1e-4
    assert (last.q.mean - model.posterior(x).mean).abs().max() < 1e-2


def test_shapes_seeds_and_errors():
    x = randn(0, 6, 3)
    assert AmortizedEncoder(3)(x).mean.shape == (6,)
    assert AmortizedEncoder(3, (2,), (5,))(x).mean.shape == (6, 2)
    assert AmortizedEncoder(3, (2,))(x).log_prob(randn(1, 6, 2)).shape == (6,)
    same = [AmortizedEncoder(3, (2,), (5,), seed=4)(x).mean for _ in range(2)]
    assert torch.equal(*same)
    with pytest.raises(ValueError, match="NaN"):
        AmortizedEncoder(3)(x / 0 * 0)
