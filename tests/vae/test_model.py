"""The VAE as a model: every bound against a model whose log p(x) is known exactly."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Normal, kl_divergence

from course_utils.networks import ACTIVATIONS
from course_utils.training import seeded
from course_utils.vae import VAE, binarise, kl_to_standard_normal
from course_utils.vae.model import LIKELIHOODS
from course_utils.variational.ppca import LinearGaussian, ppca_maximum_likelihood


@pytest.fixture
def linear():
    """A linear VAE in float64 whose encoder is the exact posterior, and its oracle.

    Columns of W at right angles make the true posterior a diagonal normal.
    """
    with seeded(0):
        x = torch.randn(60, 5, dtype=torch.float64) @ torch.randn(5, 5).double()
    return linear_vae(ppca_maximum_likelihood(x, 2)), x


def linear_vae(oracle: LinearGaussian):
    d, latent = oracle.weight.shape
    model = VAE(d, latent, hidden=(), likelihood="normal_shared").double()
    pull = torch.linalg.solve(oracle.precision, oracle.weight.T / oracle.noise_sigma**2)
    logvar = -oracle.precision.diagonal().log()
    with torch.no_grad():
        model.decoder.network[0].weight.copy_(oracle.weight)
        model.decoder.network[0].bias.copy_(oracle.mean)
        model.decoder.logvar.copy_(2 * oracle.noise_sigma.log())
        model.encoder.network[0].weight.copy_(
            torch.cat([pull, torch.zeros(latent, d).double()])
        )
        model.encoder.network[0].bias.copy_(torch.cat([-pull @ oracle.mean, logvar]))
    model.oracle = oracle
    return model


def worsen(model):
    """Make q wrong: means shifted by 0.3, variances doubled."""
    with torch.no_grad():
        latent = model.latent_dim
        model.encoder.network[0].bias[:latent] += 0.3
        model.encoder.network[0].bias[latent:] += math.log(2)


@settings(deadline=None, max_examples=50)
@given(st.floats(-5, 5), st.floats(-8, 4))
def test_kl_is_that_of_torch(mu, logvar):
    mu, logvar = (torch.tensor(v, dtype=torch.float64) for v in (mu, logvar))
    zero = torch.zeros((), dtype=torch.float64)
    expected = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(zero, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mu, logvar), expected)


def test_with_the_exact_posterior_every_weight_is_p_of_x(linear):
    model, x = linear
    expected = model.oracle.log_prob(x)
    weights = model.log_weights(x, k=3)
    torch.testing.assert_close(weights, expected.expand(3, -1), rtol=1e-10, atol=1e-9)
    torch.testing.assert_close(model.iwae(x, k=7), expected, rtol=1e-10, atol=1e-9)


def test_elbo_agrees_with_the_closed_form(linear):
    model, x = linear
    worsen(model)
    with torch.no_grad():
        draws = []
        for _ in range(2000):
            log_p, kl = model.terms(x)
            draws.append((log_p - kl.sum(1)).mean())
        q = model.encode(x)
    draws = torch.stack(draws)
    exact = torch.stack(
        [
            model.oracle.elbo(xi, torch.distributions.Independent(Normal(m, s), 1))
            for xi, m, s in zip(x, q.mean, q.stddev, strict=True)
        ]
    )
    error = draws.std() / len(draws) ** 0.5
    assert abs(draws.mean() - exact.mean()) < 4 * error
    expected_kl = kl_divergence(q, Normal(torch.zeros_like(q.mean), 1.0)).sum(1)
    torch.testing.assert_close(model.elbo(x).kl, expected_kl.mean())


def test_iwae_rises_with_k_and_tends_to_the_log_likelihood(linear):
    model, x = linear
    worsen(model)
    exact = model.oracle.log_prob(x).mean()
    with seeded(1):
        repeats = {k: 1500 if k < 10 else 40 for k in (1, 2, 4, 16, 64)}
        means = [
            torch.stack([model.iwae(x, k).mean() for _ in range(n)])
            for k, n in repeats.items()
        ]
        close = model.iwae(x, 5000).mean()
    errors = [m.std() / len(m) ** 0.5 for m in means]
    for low, high, a, b in zip(means, means[1:], errors, errors[1:], strict=False):
        assert high.mean() > low.mean() - 4 * (a**2 + b**2) ** 0.5
    assert means[0].mean() < exact - 0.1
    assert abs(close - exact) < 0.01


def test_iwae_in_chunks_is_the_same_number_of_draws(linear, monkeypatch):
    model, x = linear
    decoded = []
    original = model.log_weights

    def counting(rows, k, noise=None):
        decoded.append(k * len(rows))
        return original(rows, k, noise)

    monkeypatch.setattr(model, "log_weights", counting)
    monkeypatch.setattr("course_utils.vae.model.DECODED_ROWS", 1000)
    values = model.iwae(x, k=1203)
    assert sum(decoded) == 1203 * len(x)
    assert max(decoded) <= 1000
    torch.testing.assert_close(values, model.oracle.log_prob(x), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal", "normal_shared"])
def test_gradients_against_finite_differences(likelihood):
    model = VAE(3, 2, hidden=(4,), likelihood=likelihood, activation="tanh").double()
    with seeded(2):
        x = torch.randn(5, 3).double() if likelihood != "bernoulli" else None
        x = binarise(torch.randint(0, 256, (5, 3)).byte()).double() if x is None else x
        noise = torch.randn(5, 2).double()
    names, values = zip(*model.named_parameters(), strict=True)

    def elbo(*parameters):
        given = dict(zip(names, parameters, strict=True))
        terms = torch.func.functional_call(_Terms(model), _prefixed(given), (x, noise))
        return terms

    assert torch.autograd.gradcheck(elbo, values, atol=1e-6)


class _Terms(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, noise):
        return self.model.elbo(x, noise).elbo


def _prefixed(parameters):
    return {f"model.{name}": value for name, value in parameters.items()}


def test_samples_have_the_mean_and_covariance_of_the_model(linear):
    model, _ = linear
    n = 40_000
    with seeded(3):
        x = model.sample(n)
    marginal = model.oracle.marginal()
    error = (marginal.variance / n).sqrt()
    assert bool(((x.mean(0) - marginal.mean).abs() < 4.5 * error).all())
    scale = marginal.variance.sqrt()
    correlation = (x.T.cov() - marginal.covariance_matrix) / (scale * scale[:, None])
    assert correlation.abs().max() < 4.5 * (2 / n) ** 0.5


def test_answers_are_distributions_of_the_right_shape():
    model = VAE(6, 3, hidden=(8,))
    x = binarise(torch.randint(0, 256, (4, 6)).byte())
    q, p = model.encode(x), model.decode(torch.zeros(2, 5, 3))
    assert isinstance(q, Normal) and q.mean.shape == (4, 3)
    assert isinstance(p, Bernoulli) and p.mean.shape == (2, 5, 6)
    assert set(model.sample(50).unique().tolist()) <= {0.0, 1.0}
    assert model.reconstruct(x).shape == x.shape
    bound = model.elbo(x)
    assert bound.elbo == bound.reconstruction - bound.kl
    assert bound.kl >= 0


def test_the_bernoulli_term_is_minus_the_sum_of_cross_entropies():
    model = VAE(6, 3, hidden=(8,)).double()
    x = binarise(torch.randint(0, 256, (4, 6)).byte()).double()
    noise = torch.zeros(4, 3).double()
    p = model.decode(model.encode(x).mean).probs
    by_hand = (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
    torch.testing.assert_close(model.terms(x, noise)[0], by_hand)
    assert model.elbo(x, noise).reconstruction.item() == pytest.approx(
        by_hand.mean().item()
    )


def test_nothing_depends_on_the_mode_and_the_seed_makes_the_weights():
    one, same, other = VAE(6, 2), VAE(6, 2), VAE(6, 2, seed=1)
    x, noise = torch.ones(3, 6), torch.randn(3, 2)
    assert one.elbo(x, noise) == same.eval().elbo(x, noise)
    assert one.elbo(x, noise) != other.elbo(x, noise)
    before = torch.get_rng_state()
    VAE(6, 2)
    assert torch.equal(before, torch.get_rng_state())


def test_the_first_picture_is_the_mean_of_the_data():
    model = VAE(4, 2, hidden=(3,))
    x = torch.tensor([[0, 255, 51, 102]], dtype=torch.uint8).expand(10, 4)
    model.begin_at_mean_of(x)
    bias = model.decoder.network[-1].bias.sigmoid()
    torch.testing.assert_close(bias, torch.tensor([0.001, 0.999, 0.2, 0.4]))


@pytest.mark.parametrize("likelihood", ["normal", "normal_shared"])
def test_only_pixels_begin_at_their_mean(likelihood):
    model = VAE(4, 2, hidden=(3,), likelihood=likelihood)
    bias = model.decoder.network[-1].bias.detach().clone()
    message = f"^likelihood must be 'bernoulli' for this, got '{likelihood}'$"
    with pytest.raises(ValueError, match=message):
        model.begin_at_mean_of(torch.ones(10, 4))
    assert torch.equal(model.decoder.network[-1].bias, bias)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(3, 7), r"^x must have shape \(n, 6\), got \(3, 7\)$"),
        (torch.zeros(3, 2, 3), r"^x must have .*got \(3, 2, 3\); use x\.flatten\(1\)$"),
        (torch.zeros(6), r"^x must have shape \(n, 6\), got \(6,\)$"),
        (torch.zeros(0, 6), r"^x is empty: its shape is \(0, 6\)$"),
        (
            torch.full((2, 6), math.nan),
            "^x must be finite, got 12 values that are NaN or",
        ),
        (
            torch.full((2, 6), 255.0),
            "^x must hold zeros and ones, got values from 255 to 255",
        ),
        (
            torch.full((2, 6), 0.5),
            "^x must hold zeros and ones, got grey values between",
        ),
        (
            torch.zeros(2, 6, dtype=torch.uint8),
            r"^x holds grey levels \(uint8\); binarise\(x\) first$",
        ),
        (
            [[0.0] * 6],
            r"^x must be a tensor of floats, got list; use torch\.as_tensor\(x\)$",
        ),
    ],
)
def test_bad_data_are_named(x, words):
    model = VAE(6, 2)
    asks = [model.encode, model.elbo, model.iwae, model.reconstruct]
    if "uint8" not in words:  # of grey levels there is a mean
        asks.append(model.begin_at_mean_of)
    for ask in asks:
        with pytest.raises(ValueError, match=words):
            ask(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: VAE(6, 2, likelihood="poisson"),
            f"likelihood must be one of {LIKELIHOODS}, got 'poisson'",
        ),
        (
            lambda: VAE(6, 2, activation="step"),
            f"activation must be one of {tuple(ACTIVATIONS)}, got 'step'",
        ),
        (lambda: VAE(6, 0), "latent_dim must be positive, got 0"),
        (
            lambda: VAE(0, 2, hidden=(5,)),
            "every layer needs at least 1 unit, got (0, 5, 4)",
        ),
        (
            lambda: VAE(6, 2, hidden=(5, 0)),
            "every layer needs at least 1 unit, got (6, 5, 0, 4)",
        ),
        (
            lambda: VAE(6, 2).iwae(torch.zeros(1, 6), k=0),
            "k must be at least 1, got 0",
        ),
        (
            lambda: VAE(6, 2).decode(torch.zeros(1, 3)),
            "z must have 2 columns, got shape (1, 3)",
        ),
        (
            lambda: binarise(torch.rand(2, 6)),
            "images must be uint8 grey levels, got torch.float32",
        ),
    ],
)
def test_bad_settings_of_a_model_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
