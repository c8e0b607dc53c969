"""Guidance: exact in the plane, and a small network that is told words."""

import math

import pytest
import torch

from course_utils.beyond.diffusion import Denoiser
from course_utils.beyond.guidance import (
    ExactDenoiser,
    Guided,
    draw_exactly,
    draw_guided,
    drop_words,
    guide,
    latent_denoiser,
    train_latent,
)
from course_utils.mixture import GaussianMixture
from course_utils.training import last

EYE = torch.eye(2).double()


def mixture(*centres, spread=0.5, weights=None):
    means = torch.tensor(centres).double()
    shares = torch.full((len(means),), 1 / len(means)) if weights is None else weights
    covariances = (spread**2 * EYE).expand(len(means), 2, 2)
    return GaussianMixture(torch.as_tensor(shares), means, covariances)


ALL = mixture([-1.0, 0.0], [1.0, 0.0], [0.0, 1.5])
ONE = mixture([1.0, 0.0])


@pytest.mark.parametrize("sigma", [0.1, 0.7, 3.0])
def test_the_exact_score_is_the_gradient_of_the_noisy_density(sigma):
    exact = ExactDenoiser(ALL)
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).double()
    x.requires_grad_()
    (slope,) = torch.autograd.grad(exact.noisy(sigma).log_prob(x).sum(), x)
    assert torch.allclose(exact.score(x.detach(), sigma), slope, atol=1e-8)


@pytest.mark.parametrize("w", [-1.0, 0.0, 0.5, 2.0])
def test_guided_scores_are_those_of_the_powers_at_each_sigma(w):
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(1)).double()
    x.requires_grad_()
    with_words, without = ExactDenoiser(ONE), ExactDenoiser(ALL)
    power = (1 + w) * with_words.noisy(0.4).log_prob(x)
    power = power - w * without.noisy(0.4).log_prob(x)
    (slope,) = torch.autograd.grad(power.sum(), x)
    x = x.detach()
    scores = [each.score(x, 0.4) for each in (with_words, without)]
    assert torch.allclose(guide(*scores, w), slope, atol=1e-8)
    # guesses and scores differ linearly, so both can be guided alike
    guesses = [each(x, 0.4) for each in (with_words, without)]
    assert torch.allclose((guide(*guesses, w) - x) / 0.16, slope, atol=1e-8)


def draw(w, n=4000):
    levels = Denoiser(sigma_range=(0.02, 20.0)).levels(40)
    random = torch.Generator().manual_seed(0)
    return draw_exactly(ONE, ALL, w, n, levels, random)


def test_without_guidance_the_walk_draws_what_was_asked():
    x = draw(0.0)
    assert (x.mean(0) - ONE.means[0]).abs().max() < 0.05
    assert (x.std(0) / 0.5 - 1).abs().max() < 0.05


def test_guidance_moves_away_and_its_samples_are_not_those_of_the_powers():
    """The mean of p(x|c)^(1+w) / p(x)^w by quadrature, beside that of the samples."""
    w, ticks = 1.0, torch.linspace(-8, 8, 801).double()
    grid = torch.cartesian_prod(ticks, ticks)
    log = (1 + w) * ONE.log_prob(grid) - w * ALL.log_prob(grid)
    density = (log - log.logsumexp(0)).exp()
    expected = density @ grid
    assert density.sum() == pytest.approx(1)
    x = draw(w)
    assert x[:, 0].mean() > draw(0.0)[:, 0].mean() + 0.1  # away from the others
    error = x.std(0).max() / math.sqrt(len(x))
    assert (x.mean(0) - expected).abs().max() > 6 * error


def test_words_are_dropped_at_their_rates():
    bags = torch.ones(20_000, 6)
    kept = drop_words(bags, torch.Generator().manual_seed(0), 0.2, 0.1)
    assert kept.mean().item() == pytest.approx(0.8 * 0.9, abs=0.01)
    silent = (kept.sum(dim=1) == 0).double().mean().item()
    assert silent == pytest.approx(0.1 + 0.9 * 0.2**6, abs=0.01)


@pytest.fixture(scope="module")
def taught():
    """Codes at −1 or 1 in the first column; a word says which."""
    random = torch.Generator().manual_seed(0)
    side = (torch.rand(4000, generator=random) < 0.5).float()
    z = 0.3 * torch.randn(4000, 3, generator=random)
    z[:, 0] += 2 * side - 1
    bags = torch.stack([side, 1 - side], dim=1)
    denoiser = latent_denoiser(z, 2)
    state = last(train_latent(denoiser, z, bags, steps=300, n_states=3))
    return denoiser, z, bags, state


def test_the_network_follows_its_words(taught):
    denoiser, _, _, state = taught
    assert math.isfinite(state.loss)
    asked = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(200, 1)
    random = torch.Generator().manual_seed(1)
    z = draw_guided(denoiser, asked, 1.0, generator=random)
    right = (z[:, 0] > 0) == asked[:, 0].bool()
    assert right.double().mean() > 0.97
    again = draw_guided(
        denoiser, asked, 1.0, generator=torch.Generator().manual_seed(1)
    )
    assert torch.equal(z, again)


def test_guided_guesses_are_the_formula(taught):
    denoiser, z, bags, _ = taught
    x, told = z[:20] + 0.5, bags[:20]
    with torch.no_grad():
        with_words, without = denoiser(x, 0.5, told), denoiser(x, 0.5)
        for w in (0.0, 0.5, 3.0):
            expected = with_words + w * (with_words - without)
            made = Guided(denoiser, told, w)(x, 0.5)
            assert torch.allclose(made, expected, atol=1e-5)


def test_nonsense_is_refused_at_the_call(taught):
    denoiser, z, bags, _ = taught
    with pytest.raises(ValueError, match="bags must"):
        train_latent(denoiser, z, bags[:5])
    with pytest.raises(ValueError, match="bags must"):
        train_latent(denoiser, z)
    with pytest.raises(ValueError, match="average must be"):
        train_latent(denoiser, z, bags, average=1.0)
    with pytest.raises(ValueError, match="guidance must be"):
        draw_guided(denoiser, bags[:2], math.nan)
    with pytest.raises(ValueError, match="bags must"):
        draw_guided(denoiser, torch.zeros(2, 5))
    with pytest.raises(ValueError, match="log_sigma must be"):
        Denoiser(log_sigma=(0.0, -1.0))
    with pytest.raises(ValueError, match="extra must be"):
        Denoiser(extra=-1)
