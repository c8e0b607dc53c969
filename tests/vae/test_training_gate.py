"""Binarisation and the training of a VAE meet hostile input, at the call."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.training import last
from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae.training import VAERecipe, redraw, steps_of
from tests.hostile import refuses
from tests.vae.cases import GREY, NOT_COUNTS, NOT_NUMBERS, NOT_SEEDS, small, weights

quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)
BITS = (GREY > 127).float()


@pytest.mark.parametrize("name", ["batch_size", "k", "n_states"])
def test_counts_are_refused_at_the_call(name):
    for bad in [*NOT_COUNTS, 0]:
        refuses(lambda bad=bad: train_vae(small(), BITS, **{name: bad}), f"{name} must")


@pytest.mark.parametrize("name", ["epochs", "seconds", "learning_rate"])
def test_positive_numbers_are_refused_at_the_call(name):
    for bad in [*NOT_NUMBERS, 0, 10**400, Fraction(-1, 2)]:
        if (name, bad) == ("seconds", None):
            continue  # no limit
        refuses(lambda bad=bad: train_vae(small(), BITS, **{name: bad}), f"{name} must")


@pytest.mark.parametrize("name", ["beta", "kl_warm_up"])
def test_other_numbers_are_refused_at_the_call(name):
    for bad in NOT_NUMBERS:
        refuses(lambda bad=bad: train_vae(small(), BITS, **{name: bad}), f"{name} must")
        refuses(lambda bad=bad: VAERecipe().weight_at(bad), "done must")


def test_what_is_no_setting_is_refused_at_the_call():
    for bad in (None, "yes", 1, [True]):
        refuses(lambda b=bad: train_vae(small(), BITS, snapshots=b), "snapshots must")
        if bad is not None:
            refuses(lambda b=bad: train_vae(small(), BITS, bf16=b), "bf16 must")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: train_vae(small(), BITS, seed=bad), "seed must")
        refuses(lambda bad=bad: binarise(GREY, bad), "seed must")
    for bad in (None, 3, VAE, torch.nn.Linear(12, 2)):
        refuses(lambda bad=bad: train_vae(bad, BITS), "model must be a VAE")
    refuses(lambda: train_vae(small(), BITS, epochs=1e308), "epochs must")
    for bad in ("resume", "start"):
        refuses(lambda bad=bad: train_vae(small(), BITS, **{bad: 3}), bad)


@pytest.mark.parametrize("name", ["x", "held_out"])
def test_data_are_refused_at_the_call(name):
    for bad in (
        *(None, "text", 3.0, BITS.numpy(), BITS.tolist(), BITS.long(), BITS + 0j),
        *(BITS[:0], BITS[0], BITS[:, :5], BITS / 2, BITS * math.nan, BITS.byte()),
        *(BITS.to_sparse(), BITS.to("meta")),
    ):
        if not (name == "held_out" and bad is None):
            data = {"x": BITS, name: bad}
            refuses(lambda data=data: train_vae(small(), **data), f"{name} ")


def test_a_frozen_or_broken_model_is_refused_at_the_call():
    frozen, broken = small().requires_grad_(False), small()
    with torch.no_grad():
        broken.decoder.network[0].bias.fill_(math.inf)
    for model in (frozen, broken):
        refuses(lambda model=model: train_vae(model, BITS), "model must be")


def test_it_trains_wherever_gradients_are_switched_off():
    ends = []
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
            model, grey = small(), GREY.clone()
            options = {"epochs": 2, "snapshots": True, "held_out": BITS}
            state = last(train_vae(model, grey, **options))
            assert (
                torch.is_grad_enabled(),
                torch.is_inference_mode_enabled(),
            ) == before
        assert torch.equal(weights(model.at(state.parameters)), weights(model))
        ends.append(weights(model))
        last(train_vae(model, BITS, epochs=1))  # nothing was left behind
    assert torch.equal(ends[0], ends[1]) and torch.equal(ends[0], ends[2])


def test_what_a_state_holds_may_be_changed():
    """A failure goes back to what was kept, not to what the caller made of it."""
    model = small()
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train_vae(model, BITS, epochs=9, n_states=9, snapshots=True):
            kept = weights(model)
            for value in state.parameters.values():
                value.zero_()
            if state.step == 3:
                with torch.no_grad():
                    model.encoder.network[0].bias.fill_(math.nan)
    assert torch.equal(weights(model), kept)
    assert bool(kept.isfinite().all())


def test_a_run_of_nan_stops_and_brings_the_model_back():
    model = small()
    start = weights(model)
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        last(train_vae(model, BITS, epochs=50, learning_rate=1e30))
    assert bool(weights(model).isfinite().all())
    assert torch.equal(weights(model), start) or last(train_vae(model, BITS, 1))


def test_settings_of_numpy_and_of_torch_are_numbers():
    ends = []
    for number, count in ((float, int), (np.float64, np.int64), (torch.tensor, int)):
        model = small(seed=count(1))
        options = {"beta": number(0.5), "kl_warm_up": number(0.5)}
        options |= {"learning_rate": number(0.01), "batch_size": count(64)}
        options |= {"n_states": count(3), "seed": count(2)}
        last(train_vae(model, BITS, number(2.0), **options))
        ends.append(weights(model))
    assert torch.equal(ends[0], ends[1])
    torch.testing.assert_close(ends[0], ends[2])


def test_images_are_bytes_in_rows():
    for bad in (
        None,
        "text",
        3,
        GREY.numpy(),
        GREY.tolist(),
        GREY.float(),
        GREY.long(),
    ):
        refuses(lambda bad=bad: binarise(bad), "images must be uint8")
        refuses(lambda b=bad: redraw(b, torch.Generator()), "grey must be uint8")
    for bad in (GREY[0], GREY[:0], GREY[:, :0]):
        refuses(lambda bad=bad: binarise(bad), "images must be of shape (n, …)")
    refuses(lambda: binarise(GREY // 255), "images must be grey levels 0 to 255")
    for bad in (None, "float", float, torch.int64, torch.uint8, torch.complex64):
        refuses(lambda bad=bad: binarise(GREY, dtype=bad), "dtype must be")
    refuses(lambda: redraw(GREY, 0), "generator must be a torch.Generator")


@quiet
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_images_of_any_layout_are_the_same_images(n, height, width, turned):
    grey = torch.arange(n * height * width).view(n, height, width) * 37 % 256
    grey = grey.byte()
    grey[0, 0, 0] = 255
    other = grey.permute(0, 2, 1).contiguous().permute(0, 2, 1) if turned else grey
    expected = binarise(grey, seed=3)
    assert expected.shape == (n, height * width)
    assert torch.equal(binarise(other, seed=3), expected)
    assert torch.equal(binarise(grey.flatten(1), seed=np.int64(3)), expected)
    assert torch.equal(binarise(grey, 3, torch.bool).float(), expected)
    same = [redraw(rows, torch.Generator().manual_seed(1)) for rows in (grey, other)]
    assert torch.equal(*same)


@pytest.mark.parametrize("bad", [None, "3", 0, -1, 2.5, True, math.nan])
def test_steps_are_counted_in_whole_numbers(bad):
    refuses(lambda: steps_of(1.0, bad, 4), "n must be")
    refuses(lambda: steps_of(1.0, 10, bad), "batch_size must be")
    assert steps_of(torch.tensor(2.0), np.int8(10), 4) == 5


def test_sparse_grey_levels_are_refused():
    sparse = torch.eye(3, dtype=torch.uint8).to_sparse()
    refuses(lambda: binarise(sparse), "images must be an ordinary dense tensor")
