"""What a VAE and its training refuse, by name, and the model after a failure."""

import math
import re

import pytest
import torch

from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae.networks import LIKELIHOODS
from tests.gan.cases import weights

GREY = torch.randint(
    0, 256, (300, 12), generator=torch.Generator().manual_seed(0)
).byte()


def small():
    return VAE(12, 2, hidden=(16,))


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
        ([[0.0] * 6], "^x must be a tensor, got list$"),
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
            "activation must be one of ('silu', 'tanh', 'relu'), got 'step'",
        ),
        (lambda: VAE(6, 0), "data_dim and latent_dim must be >= 1, got 6, 0"),
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


@pytest.mark.parametrize("name", ["x", "held_out"])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            torch.zeros(3, 2, 6),
            "{} must have shape (n, 12), got (3, 2, 6); use {}.flatten(1)",
        ),
        (torch.zeros(0, 12), "{} is empty: its shape is (0, 12)"),
        (
            torch.full((4, 12), math.nan),
            "{} must be finite, got 48 values that are NaN or infinite",
        ),
        (
            torch.full((4, 12), 200.0),
            "{} must hold zeros and ones, got values from 200 to 200; "
            "give grey levels 0 to 255 as uint8, to binarise()",
        ),
    ],
)
def test_bad_data_stop_before_the_first_step(name, bad, words):
    model = small()
    before = weights(model)
    with pytest.raises(ValueError, match="^" + re.escape(words.format(name, name))):
        next(train_vae(model, **{"x": torch.zeros(4, 12), name: bad}))
    assert torch.equal(before, weights(model))


def test_held_out_data_are_not_drawn_anew():
    words = r"^held_out holds grey levels \(uint8\); binarise\(held_out\) first$"
    with pytest.raises(ValueError, match=words):
        next(train_vae(small(), GREY, held_out=GREY))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, "> 0 and finite"),
        ("epochs", math.inf, "> 0 and finite"),
        ("seconds", -1, "None or > 0"),
        ("batch_size", 0, ">= 1"),
        ("learning_rate", 0.0, "> 0 and finite"),
        ("learning_rate", -1.0, "> 0 and finite"),
        ("learning_rate", math.nan, "> 0 and finite"),
        ("beta", -1.0, ">= 0 and finite"),
        ("beta", math.inf, ">= 0 and finite"),
        ("kl_warm_up", 2.0, "from 0 to 1"),
        ("k", 0, ">= 1"),
        ("n_states", 0, ">= 1"),
    ],
)
def test_bad_settings_of_a_training_are_named(name, value, rule):
    message = f"^{re.escape(f'{name} must be {rule}, got {value}')}$"
    with pytest.raises(ValueError, match=message):
        next(train_vae(small(), torch.zeros(4, 12), **{name: value}))


@pytest.mark.parametrize("extra", [{"kl_warm_up": 0.5}, {"beta": 2.0}, {"beta": 0}])
def test_a_bound_of_k_samples_has_no_kl_to_weigh(extra):
    given = {"beta": 1.0, "kl_warm_up": 0.0, **extra}
    got = f"got k = 5, beta = {given['beta']}, kl_warm_up = {given['kl_warm_up']}"
    words = f"needs beta = 1 and kl_warm_up = 0, {re.escape(got)}$"
    with pytest.raises(ValueError, match=words):
        next(train_vae(small(), GREY, k=5, **extra))


def test_a_loss_that_is_not_finite_puts_the_model_back():
    model = small()
    options = {"epochs": 50, "batch_size": 50, "n_states": 300}
    last = None
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train_vae(model, GREY, snapshots=True, **options):
            last = state
            if state.step == 10:
                with torch.no_grad():
                    model.encoder.network[0].bias.fill_(math.nan)
    for name, value in model.state_dict().items():
        assert torch.equal(value, last.parameters[name])
