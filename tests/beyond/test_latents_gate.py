"""The auto-encoder of digits meets hostile input."""

import math

import numpy as np
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
from course_utils.vae import VAE
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

GREY = load_mnist("test")[0].flatten(1)[:40]


def small():
    return digit_autoencoder(GREY, latents=2, hidden=(4,))


MODEL = small()
Z = [[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]]
DOORS = {"decode": Door("z", lambda z: decode_digits(MODEL, z), Z)}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


def test_all_forms_of_the_same_codes_agree():
    same_in_all_clothes(DOORS["decode"], rtol=1e-6)


@pytest.mark.parametrize(
    "grey", [None, "grey", GREY.float(), GREY.tolist(), GREY[:0], GREY[0], GREY[:, :9]]
)
def test_grey_levels_are_bytes(grey):
    for call in (
        digit_autoencoder,
        lambda g: codes_of(MODEL, g),
        lambda g: train_autoencoder(MODEL, g),
    ):
        refuses(lambda c=call: c(grey), "grey must be")


def test_arrays_of_bytes_are_grey_levels():
    array = GREY.numpy()
    for same in (array, np.ascontiguousarray(array[::-1])[::-1]):
        assert torch.equal(codes_of(MODEL, same), codes_of(MODEL, GREY))
    losses = [last(train_autoencoder(small(), grey, 1)).loss for grey in (GREY, array)]
    assert losses[0] == losses[1]


def test_double_models_compute_in_double():
    model = small().double()
    assert codes_of(model, GREY).dtype == torch.float64
    assert last(train_autoencoder(model, GREY, 1)).loss > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("model", {"model": None}),
        ("epochs", {"epochs": math.nan}),
        ("batch_size", {"batch_size": 2.5}),
        ("n_states", {"n_states": 0}),
        ("beta", {"beta": "1"}),
        ("beta", {"beta": math.inf}),
        ("learning_rate", {"learning_rate": None}),
        ("seed", {"seed": 0.5}),
    ],
)
def test_training_without_sense_is_refused_at_the_call(name, options):
    options = {"model": small(), "grey": GREY} | options
    refuses(lambda: train_autoencoder(**options), name)


def test_a_training_that_goes_wild_is_stopped():
    model = small()
    with pytest.raises(FloatingPointError, match="learning_rate"):
        last(train_autoencoder(model, GREY, 20, learning_rate=1e30))
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())


def test_other_things_are_named():
    refuses(lambda: digits_of(MODEL, None, 3), "prior must be")
    refuses(lambda: digits_of(MODEL, standard_normal(2), 2.5), "n must be")
    refuses(lambda: digits_of(MODEL, standard_normal(3), 2), "z must have shape (n, 2)")
    refuses(lambda: digits_of(None, standard_normal(2), 2), "model must be a VAE")
    refuses(lambda: digit_autoencoder(GREY, latents=0), "latents must be")


def test_an_epoch_may_be_a_tensor():
    states = train_autoencoder(VAE(784, 2, (4,)), GREY, torch.tensor(0.1), n_states=1)
    assert math.isfinite(last(states).loss)
    refuses(lambda: codes_of(VAE(784, 2, (4,)), GREY.to_sparse()), "grey must be")
