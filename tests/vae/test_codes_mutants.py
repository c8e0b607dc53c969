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


def test_the_decoder_has_the_widths_of_the_encoder_in_reverse():
    model = VQVAE(data_dim=12, positions=3, n_codes=7, code_dim=4, hidden=(16, 8, 5))

    def widths(network):
        linear = [one for one in network if isinstance(one, torch.nn.Linear)]
        return [linear[0].in_features, *(one.out_features for one in linear)]

    assert widths(model.encoder) == [12, 16, 8, 5, 3 * 4]
    assert widths(model.decoder) == [3 * 4, 5, 8, 16, 12]


def test_no_code_moves_after_the_last_state(x):
    """Unused codes move before further steps only: the last state shows the model."""
    model = VQVAE(data_dim=12, positions=1, n_codes=64, code_dim=4, hidden=16).double()
    for state in train_vq_vae(model, x, epochs=2, batch_size=10):
        used, shown = state.codes_used, weights(model)
    assert 0 < used < 64  # there are unused ones
    assert torch.equal(weights(model), shown)
