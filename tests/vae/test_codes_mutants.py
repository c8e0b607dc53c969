"""Facts of the VQ-VAE that a mutant once broke without a test's notice."""

import pytest
import torch

from course_utils.training import seeded
from course_utils.vae.codes import VQVAE, train_vq_vae
from tests.vae.cases import weights


def small_vq():
    return VQVAE(data_dim=12, positions=3, n_codes=7, code_dim=4, hidden=16).double()


@pytest.fixture
def x():
    with seeded(0):
        return (torch.rand(20, 12) < 0.4).double()


def test_the_encoder_is_pulled_with_a_quarter_of_the_distance(x):
    """Both pulls are ‖e − c‖² in value: their sum is 1 + ¼ of it."""
    model = small_vq()
    e = model.vectors(x)
    distance = (e - model.codebook[model.codes(x)].detach()).square().sum((1, 2)).mean()
    _, pulls = model.loss(x)
    torch.testing.assert_close(pulls, 1.25 * distance)
    weight = model.encoder[0].weight
    (found,) = torch.autograd.grad(pulls, weight)
    (expected,) = torch.autograd.grad(distance, weight)
    torch.testing.assert_close(found, expected / 4)


def test_a_step_of_training_is_a_step_of_adam_on_the_sum_of_the_losses(x):
    trained, by_hand = small_vq(), small_vq()
    options = {"epochs": 1, "batch_size": 20, "restart": False, "learning_rate": 0.01}
    (state,) = train_vq_vae(trained, x, **options)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.01)
    reconstruction, pulls = by_hand.loss(x)
    (reconstruction + pulls).backward()
    optimizer.step()
    torch.testing.assert_close(weights(trained), weights(by_hand))
    assert state.reconstruction == pytest.approx(-reconstruction.item())
