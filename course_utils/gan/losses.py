"""The losses of the two players, as functions of the logits of D.

With logit l, D = σ(l), −log D = softplus(−l) and −log (1 − D) = softplus(l): in this
form nothing overflows. Every loss is minimised, and is a mean over the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Loss:
    """What D minimises, ``discriminator(d_real, d_fake)``, and G: ``generator(…)``.

    ``penalty`` is the weight of the gradient penalty that ``train_gan`` takes when none
    is given, and ``slope`` says which: None for R1 + R2 (slope 0 wanted on real and
    fake), or the slope that is wanted between them. G's loss takes ``d_fake``, and with
    ``pairs`` it needs ``d_real``, too.
    """

    discriminator: Callable
    generator: Callable
    penalty: float = 0.0
    slope: float | None = None
    pairs: bool = False


def binary_cross_entropy(d_real, d_fake) -> torch.Tensor:
    """−E log D(x) − E log (1 − D(G(z))): minus the V of the game, from logits."""
    return F.softplus(-d_real).mean() + F.softplus(d_fake).mean()


def minimax(d_fake, d_real=None) -> torch.Tensor:
    """E log (1 − D(G(z))), the game as it is written: gradient −σ(l), lost early."""
    return -F.softplus(d_fake).mean()


def non_saturating(d_fake, d_real=None) -> torch.Tensor:
    """−E log D(G(z)): gradient −(1 − σ(l)) (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-d_fake).mean()


def critic(d_real, d_fake) -> torch.Tensor:
    """E D(G(z)) − E D(x): minus a distance, if D has slope 1 (Arjovsky et al. 2017)."""
    return d_fake.mean() - d_real.mean()


def critic_generator(d_fake, d_real=None) -> torch.Tensor:
    """−E D(G(z))."""
    return -d_fake.mean()


def pairs(d_real, d_fake) -> torch.Tensor:
    """E softplus(D(G(z)) − D(x)): each real sample beside one fake.

    Jolicoeur-Martineau 2019; with R1 + R2, Huang et al. 2024.
    """
    return F.softplus(d_fake - d_real).mean()


def pairs_generator(d_fake, d_real) -> torch.Tensor:
    """E softplus(D(x) − D(G(z))): the fakes should look the more real ones."""
    return F.softplus(d_real - d_fake).mean()


LOSSES = {
    "minimax": Loss(binary_cross_entropy, minimax),
    "non_saturating": Loss(binary_cross_entropy, non_saturating),
    # without its penalty a critic could make its loss −∞: l → 2l doubles it
    "wasserstein": Loss(critic, critic_generator, penalty=0.1, slope=1.0),
    "relativistic": Loss(pairs, pairs_generator, penalty=0.03, pairs=True),
}


def input_gradient(discriminator, x: torch.Tensor) -> torch.Tensor:
    """∇ₓ D(x) of the logit, ``(n, data_dim)``, itself differentiable in D's weights."""
    x = x.detach().requires_grad_(True)
    # each logit depends on its own row alone: the gradient of the sum holds them all;
    # create_graph, because D will descend along the gradient of this gradient
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gradient


def gradient_penalty(discriminator, real, fake, loss: Loss, mix) -> torch.Tensor:
    """½ (R1 + R2), or E (‖∇D‖ − slope)² between real and fake.

    R1 is E ‖∇D‖² over real samples, R2 over fakes (Mescheder et al. 2018; Roth et al.
    2017). With a wanted slope the samples are ``mix`` · real + (1 − mix) · fake, mix
    ``(n, 1)`` uniform in [0, 1] (Gulrajani et al. 2017).
    """
    scale = discriminator.scale  # slopes are per unit of x / scale
    if loss.slope is None:
        both = torch.cat([real, fake.detach()])  # (2m, data_dim): a mean over both is ½
        squares = input_gradient(discriminator, both).square().sum(dim=1)
        return scale**2 * squares.mean()
    between = mix * real + (1 - mix) * fake.detach()
    slopes = scale * input_gradient(discriminator, between).norm(dim=1)
    return (slopes - loss.slope).square().mean()
