"""Priors for codes: all draw, some have a density, none needs to know the decoder."""

import math

import pytest
import torch

from course_utils.beyond.priors import (
    diffusion_prior,
    fit_by_class,
    fit_mixture,
    flow_prior,
    gan_prior,
    mixture_prior,
    one_gaussian,
    standard_normal,
    whole,
)
from course_utils.training import seeded


@pytest.fixture(scope="module")
def codes():
    """Two clusters in four dimensions, and which one each row belongs to."""
    random = torch.Generator().manual_seed(0)
    labels = (torch.rand(3000, generator=random) < 0.3).long()
    z = 0.5 * torch.randn(3000, 4, generator=random)
    return z + 3 * (labels[:, None] - 0.5), labels


def made(z):
    options = {"steps": 60, "seed": 0}
    return [
        standard_normal(4),
        one_gaussian(z),
        mixture_prior(z, 2),
        flow_prior(z, **options),
        gan_prior(z, **options),
        diffusion_prior(z, walk=4, **options),
    ]


def test_all_draw_alike(codes):
    z, _ = codes
    for prior in made(z):
        with seeded(1):
            first = prior.sample(7)
        with seeded(1):
            again = prior.sample(7)
        assert first.shape == (7, 4), prior.name
        assert torch.equal(first, again), prior.name
        assert not first.requires_grad
        if prior.log_prob is not None:
            assert prior.log_prob(z[:9]).shape == (9,), prior.name
            assert not prior.log_prob(z[:9]).requires_grad


def test_densities_are_right(codes):
    z, _ = codes
    at_zero = standard_normal(4).log_prob(torch.zeros(1, 4)).item()
    assert at_zero == pytest.approx(-2 * math.log(2 * math.pi))
    one, two = one_gaussian(z), mixture_prior(z, 2)
    # a mixture of two knows that there are two clusters
    assert two.log_prob(z).mean() > one.log_prob(z).mean() + 0.5
    entropy = 2 * math.log(2 * math.pi * math.e) + torch.cov(z.T).logdet() / 2
    assert one.log_prob(z).mean().item() == pytest.approx(-entropy.item(), abs=0.01)


def test_classes_have_their_shares(codes):
    z, labels = codes
    mixture = fit_by_class(z, labels, 3, iterations=5)
    assert mixture.k == 6
    share = (labels == 0).double().mean()
    assert torch.isclose(mixture.weights[:3].sum(), share)
    drawn = whole(mixture).sample(4000)
    assert (drawn.mean(dim=1) < 0).double().mean().item() == pytest.approx(
        share.item(), abs=0.03
    )


def test_seconds_end_em(codes):
    z, labels = codes
    short = fit_mixture(z, 2, iterations=50, seconds=1e-6)
    long = fit_mixture(z, 2, iterations=50)
    log = [whole(m).log_prob(z).mean() for m in (short, long)]
    assert log[0] < log[1]
    assert fit_by_class(z, labels, 2, seconds=0.01).k == 4


def test_nonsense_is_refused(codes):
    z, labels = codes
    with pytest.raises(ValueError, match="iterations must be"):
        fit_mixture(z, 2, iterations=0)
    with pytest.raises(ValueError, match="labels must be"):
        fit_by_class(z, labels[:5], 2)
    with pytest.raises(ValueError, match="z must be finite"):
        one_gaussian(z / 0)
    with pytest.raises(ValueError, match="z must be rows that spread"):
        one_gaussian(z[:, [0, 0]])
