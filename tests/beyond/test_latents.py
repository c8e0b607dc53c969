"""The auto-encoder of grey digits: codes and back."""

import pytest
import torch

from course_utils.beyond.latents import (
    codes_of,
    decode_digits,
    digit_autoencoder,
    digits_of,
    train_autoencoder,
)
from course_utils.beyond.priors import standard_normal
from course_utils.data import load_mnist
from course_utils.training import last


@pytest.fixture(scope="module")
def grey():
    return load_mnist("test")[0].flatten(1)[:2000]


def test_a_short_training_lowers_the_loss_and_repeats(grey):
    losses = []
    for _ in range(2):
        model = digit_autoencoder(grey, 0, latents=8, hidden=(64,))
        states = [*train_autoencoder(model, grey, 2, n_states=4, seed=1)]
        assert states[-1].loss < states[0].loss
        losses.append(states[-1].loss)
    assert losses[0] == losses[1]
    codes = codes_of(model, grey)
    assert codes.shape == (2000, 8)
    assert not codes.requires_grad
    images = decode_digits(model, codes)
    assert images.shape == (2000, 784)
    assert images.min() >= 0
    assert images.max() <= 1
    # decoded codes are nearer to their digits than to others
    error = (images - grey / 255).square().sum(1).mean()
    assert error < (images.roll(1, 0) - grey / 255).square().sum(1).mean()
    drawn = digits_of(model, standard_normal(8), 5, seed=3)
    assert torch.equal(drawn, digits_of(model, standard_normal(8), 5, seed=3))


def test_it_begins_at_the_mean_digit(grey):
    model = digit_autoencoder(grey, 0, latents=4, hidden=(16,))
    for weight in model.decoder.network[-1].parameters():
        if weight.ndim == 2:
            torch.nn.init.zeros_(weight)
    mean = (grey.float().mean(0) / 255).clamp(0.001, 0.999)
    assert torch.allclose(decode_digits(model, torch.zeros(1, 4))[0], mean, atol=1e-5)


def test_nonsense_is_refused_at_the_call(grey):
    model = digit_autoencoder(grey, 0, latents=4, hidden=(16,))
    with pytest.raises(ValueError, match="grey must be"):
        train_autoencoder(model, grey.float())
    with pytest.raises(ValueError, match="grey must be"):
        codes_of(model, grey[:, :100])
    with pytest.raises(ValueError, match="beta must be"):
        train_autoencoder(model, grey, beta=-1)
    with pytest.raises(ValueError, match="seconds must be"):
        train_autoencoder(model, grey, seconds=0)


def test_seconds_end_a_run(grey):
    model = digit_autoencoder(grey, 0, latents=4, hidden=(16,))
    state = last(train_autoencoder(model, grey, seconds=0.2))
    assert state.seconds < 5
