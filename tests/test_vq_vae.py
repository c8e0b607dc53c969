"""VQ-VAE: the nearest code, the straight-through gradient, and no dead codebook."""

import pytest
import torch

from course_utils.training import seeded
from course_utils.vq_vae import VQVAE, train_vq_vae


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
    repeat = list(train_vq_vae(again, x, epochs=12, batch_size=64))
    assert repeat == states
