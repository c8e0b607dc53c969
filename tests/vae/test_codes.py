"""VQ-VAE: the nearest code, the straight-through gradient, and no dead codebook."""

import math
import re

import pytest
import torch

from course_utils.training import seeded
from course_utils.vae.codes import VQVAE, train_vq_vae
from course_utils.vae.training import binarise
from tests.vae.cases import GREY, weights


@pytest.fixture
def model():
    return VQVAE(data_dim=12, positions=3, n_codes=7, code_dim=4, hidden=16).double()


@pytest.fixture
def x():
    with seeded(0):
        return (torch.rand(20, 12) < 0.4).double()


def test_the_code_is_the_nearest_row(model, x):
    e = model.vectors(x)
    assert e.shape == (20, 3, 4)
    expected = torch.cdist(e.flatten(0, 1), model.codebook).argmin(dim=1).view(20, 3)
    assert torch.equal(model.codes(x), expected)
    assert model.decode(model.codes(x)).mean.shape == (20, 12)


def test_the_gradient_jumps_over_the_choice(model, x):
    """The encoder receives the gradient that the decoder's input has."""
    e = model.vectors(x).detach()
    code = model.codebook[model.nearest(e)].detach().requires_grad_()
    log_p = model._decode(code).log_prob(x).sum(dim=1).mean()
    (at_code,) = torch.autograd.grad(log_p, code)
    leaf = e.clone().requires_grad_()
    straight = leaf + (code - leaf).detach()
    log_p = model._decode(straight).log_prob(x).sum(dim=1).mean()
    (at_encoder,) = torch.autograd.grad(log_p, leaf)
    torch.testing.assert_close(at_encoder, at_code)
    reconstruction, _ = model.loss(x)
    torch.testing.assert_close(-reconstruction, log_p)


def test_the_pulls_move_the_right_side(model, x):
    _, pulls = model.loss(x, commitment=0.0)
    book, weight = torch.autograd.grad(
        pulls, [model.codebook, model.encoder[0].weight], allow_unused=True
    )
    assert book.abs().sum() > 0
    assert weight is None or weight.abs().sum() == 0


def test_training_improves_and_uses_the_codes():
    with seeded(0):
        kind = torch.randint(4, (2000, 1))
        probs = torch.rand(4, 12)[kind.flatten()]
        x = torch.bernoulli(probs)
    model = VQVAE(data_dim=12, positions=2, n_codes=8, code_dim=3, hidden=32)
    states = list(train_vq_vae(model, x, epochs=12, batch_size=64))
    assert states[-1].reconstruction > states[0].reconstruction + 0.5
    assert states[-1].codes_used >= 6
    assert 3 < states[-1].perplexity <= 8
    again = VQVAE(data_dim=12, positions=2, n_codes=8, code_dim=3, hidden=32)
    repeat = list(train_vq_vae(again, x, epochs=3, batch_size=64))
    assert repeat == states[:3]


BAD_DATA = [
    (torch.zeros(20, 11), "x must have shape (n, 12), got (20, 11)"),
    (
        torch.zeros(20, 3, 4),
        "x must have shape (n, 12), got (20, 3, 4); use x.flatten(1)",
    ),
    (torch.zeros(0, 12), "x is empty: its shape is (0, 12)"),
    (
        torch.full((20, 12), math.nan),
        "x must be finite, got 240 values that are NaN or infinite",
    ),
    (
        torch.linspace(0, 255, 240).view(20, 12),
        "x must hold zeros and ones, got values from 0 to 255; "
        "give grey levels 0 to 255 as uint8, to binarise()",
    ),
    (
        torch.linspace(0, 1, 240).view(20, 12),
        "x must hold zeros and ones, got grey values between: a Bernoulli "
        "gives them no probability; use binarise()",
    ),
    (
        torch.zeros(20, 12, dtype=torch.uint8),
        "x holds grey levels (uint8); binarise(x) first",
    ),
    (torch.zeros(20, 12).long(), "x must be a tensor of floats, got torch.int64"),
    (
        torch.zeros(2, 12).numpy(),
        "x must be a tensor of floats, got ndarray; use torch.as_tensor(x)",
    ),
    ([[0.0] * 12], "x must be a tensor of floats, got list; use torch.as_tensor(x)"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_DATA)
def test_bad_data_are_named(model, bad, message):
    before = weights(model)
    calls = (lambda x: next(train_vq_vae(model, x)), model.codes, model.loss)
    for call in (*calls, model.vectors):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            call(bad)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", -1),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
    ],
)
def test_bad_settings_are_named(model, x, name, value):
    message = f"^{name} must be positive, got {value}$"
    with pytest.raises(ValueError, match=message):
        next(train_vq_vae(model, x, **{name: value}))


@pytest.mark.parametrize(
    "name", ["data_dim", "positions", "n_codes", "code_dim", "hidden"]
)
def test_bad_sizes_are_named(name):
    with pytest.raises(ValueError, match=f"^{name} must be positive, got 0$"):
        VQVAE(**{name: 0})


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (torch.zeros(2, 4).long(), "(n, 3), got torch.int64 of shape (2, 4)"),
        (torch.zeros(2, 3), "(n, 3), got torch.float32 of shape (2, 3)"),
        (torch.tensor([[0, 7, 1]]), "codes must be from 0 to 6, got 0 to 7"),
        (torch.tensor([[0, -1, 1]]), "codes must be from 0 to 6, got -1 to 1"),
    ],
)
def test_bad_codes_are_named(model, codes, message):
    with pytest.raises(ValueError, match=f"{re.escape(message)}$"):
        model.decode(codes)


def test_a_loss_that_is_not_finite_puts_the_model_back(model, x):
    start = weights(model)
    with torch.no_grad():
        model.decoder[0].bias.fill_(math.inf)
    broken = weights(model)
    with pytest.raises(ValueError, match=r"^model must be a network of finite weights"):
        train_vq_vae(model, x)
    assert torch.equal(weights(model), broken)
    with torch.no_grad():
        model.decoder[0].bias.fill_(0.0)
    good = None
    with pytest.raises(
        FloatingPointError, match=r"at step 6; .*smaller learning_rate$"
    ):
        for state in train_vq_vae(model, x, epochs=5, batch_size=7):
            if state.epoch == 2:
                good = weights(model)
                with torch.no_grad():
                    model.encoder[0].bias.fill_(math.nan)
    assert bool(torch.isfinite(good).all())
    assert not torch.equal(good, start)
    assert torch.equal(weights(model), good)


def test_booleans_train_as_floats_do():
    """A boolean takes a quarter of the memory of a float, and changes no number."""
    grey = (37 * torch.arange(480) % 256).to(torch.uint8).view(40, 12)
    bits = binarise(grey, seed=1, dtype=torch.bool)
    torch.testing.assert_close(bits.float(), binarise(grey, seed=1), atol=0, rtol=0)
    ends = []
    for x in (bits, bits.float()):
        model = VQVAE(data_dim=12, positions=2, n_codes=4, code_dim=2, hidden=8)
        ends.append(list(train_vq_vae(model, x, epochs=2))[-1])
    assert ends[0] == ends[1]


def bits_of_twelve():
    return VQVAE(data_dim=12, positions=6, n_codes=2, code_dim=1, hidden=(16, 8))


def test_a_code_of_bits_is_the_sign_and_starts_at_the_mean():
    grey = (37 * torch.arange(480) % 256).to(torch.uint8).view(40, 12)
    model, x = bits_of_twelve(), binarise(grey)
    model.begin_with_bits(grey)
    assert torch.equal(model.codes(x), (model.vectors(x)[..., 0] > 0).long())
    bias = model.decoder[-1].bias
    expected = (grey.float().mean(0) / 255).logit()
    torch.testing.assert_close(bias.detach(), expected)
    with pytest.raises(ValueError, match=r"codebook must be of shape \(2, 1\)"):
        VQVAE(data_dim=12, positions=3).begin_with_bits(grey)


def test_bits_train_on_grey_levels_drawn_anew():
    model, same = bits_of_twelve(), bits_of_twelve()
    options = {"dynamic": True, "restart": False, "falling": True, "batch_size": 50}
    options["learning_rate"] = 0.02
    for each in (model, same):
        each.begin_with_bits(GREY)
        states = list(train_vq_vae(each, GREY, epochs=30.5, **options))
    assert [s.epoch for s in states] == list(range(1, 32))
    assert torch.equal(weights(model), weights(same))
    assert states[-1].reconstruction > states[0].reconstruction + 0.05
    with pytest.raises(ValueError, match="holds grey levels"):
        next(train_vq_vae(model, GREY))
