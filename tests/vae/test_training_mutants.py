"""Facts of the training of a VAE that a mutant once broke without a test's notice."""

import pytest
import torch

from course_utils.vae.training import VAERecipe, binarise, train_vae
from tests.vae.cases import GREY, small, weights


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_kl_term_rises_from_a_tenth_of_beta_along_a_line(beta):
    recipe = VAERecipe(beta=beta, kl_warm_up=0.5)
    done = [0.0, 0.125, 0.25, 0.45, 0.5, 1.0]
    shares = [0.1, 0.35, 0.6, 1.0, 1.0, 1.0]
    found = [recipe.weight_at(d) for d in done]
    assert found == pytest.approx([beta * share for share in shares])
    assert VAERecipe(beta=beta).weight_at(0.0) == beta


def test_a_run_starts_with_a_tenth_of_the_kl_term():
    """Its first step is that of a run with a tenth of β, and not that of all of β."""
    options = {"epochs": 1, "batch_size": len(GREY)}
    ends = []
    for recipe in ({"kl_warm_up": 0.5, "beta": 1.0}, {"beta": 0.1}, {"beta": 1.0}):
        model = small()
        with torch.no_grad():  # a q far from the prior: the KL term has a say
            model.encoder.network[-1].bias.fill_(1.5)
        list(train_vae(model, binarise(GREY), **options, **recipe))
        ends.append(weights(model))
    warm, tenth, whole = ends
    assert torch.equal(warm, tenth)
    assert not torch.equal(warm, whole)
