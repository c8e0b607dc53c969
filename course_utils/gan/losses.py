"""The losses of the two players, as functions of the logits of D.

With logit l, D = σ(l), −log D = softplus(−l) and −log (1 − D) = softplus(l): in this
form nothing overflows. Every loss is minimised, and is a mean over the batch. Logits
may be lists or arrays; no logits at all are a ``ValueError``, and so are pairs of two
shapes, which would be broadcast to all pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from course_utils.arguments import (
    check_finite,
    check_shape,
    check_unit,
    floats,
    functions,
    instances,
    require,
    returned,
)


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
    d_real, d_fake = _logits(d_real=d_real, d_fake=d_fake)
    return F.softplus(-d_real).mean() + F.softplus(d_fake).mean()


def minimax(d_fake, d_real=None) -> torch.Tensor:
    """E log (1 − D(G(z))), the game as it is written: gradient −σ(l), lost early."""
    (d_fake,) = _logits(d_fake=d_fake)
    return -F.softplus(d_fake).mean()


def non_saturating(d_fake, d_real=None) -> torch.Tensor:
    """−E log D(G(z)): gradient −(1 − σ(l)) (Goodfellow et al. 2014, section 3)."""
    (d_fake,) = _logits(d_fake=d_fake)
    return F.softplus(-d_fake).mean()


def critic(d_real, d_fake) -> torch.Tensor:
    """E D(G(z)) − E D(x): minus a distance, if D has slope 1 (Arjovsky et al. 2017)."""
    d_real, d_fake = _logits(d_real=d_real, d_fake=d_fake)
    return d_fake.mean() - d_real.mean()


def critic_generator(d_fake, d_real=None) -> torch.Tensor:
    """−E D(G(z))."""
    (d_fake,) = _logits(d_fake=d_fake)
    return -d_fake.mean()


def pairs(d_real, d_fake) -> torch.Tensor:
    """E softplus(D(G(z)) − D(x)): each real sample beside one fake.

    Jolicoeur-Martineau 2019; with R1 + R2, Huang et al. 2024.
    """
    d_real, d_fake = _pairs(d_real, d_fake)
    return F.softplus(d_fake - d_real).mean()


def pairs_generator(d_fake, d_real) -> torch.Tensor:
    """E softplus(D(x) − D(G(z))): the fakes should look the more real ones."""
    d_real, d_fake = _pairs(d_real, d_fake)
    return F.softplus(d_real - d_fake).mean()


def _logits(**logits) -> list[torch.Tensor]:
    """Each as a tensor of floats, with at least one number: no batch has no mean."""
    found = [floats(value, name) for name, value in logits.items()]
    for name, value in zip(logits, found, strict=True):
        got = f"shape {tuple(value.shape)}"
        require(**{name: (got, value.numel() > 0, "at least one logit")})
    return found


def _pairs(d_real, d_fake) -> list[torch.Tensor]:
    d_real, d_fake = _logits(d_real=d_real, d_fake=d_fake)
    real, fake = tuple(d_real.shape), tuple(d_fake.shape)
    require(d_fake=(fake, fake == real, f"of the shape of d_real, {real}"))
    return [d_real, d_fake]


LOSSES = {
    "minimax": Loss(binary_cross_entropy, minimax),
    "non_saturating": Loss(binary_cross_entropy, non_saturating),
    # without its penalty a critic could make its loss −∞: l → 2l doubles it
    "wasserstein": Loss(critic, critic_generator, penalty=0.1, slope=1.0),
    "relativistic": Loss(pairs, pairs_generator, penalty=0.03, pairs=True),
}


def input_gradient(discriminator, x: torch.Tensor) -> torch.Tensor:
    """∇ₓ D(x) of the logit, ``(n, data_dim)``, itself differentiable in D's weights.

    Raises ``ValueError`` for an x that is not finite ``(n, data_dim)``, and for a
    ``discriminator`` that does not return one finite logit for each x, or pack of x.
    """
    x = _rows(discriminator, x, "x")
    return _slopes(discriminator, x)


@torch.inference_mode(False)  # a gradient is wanted, whatever is switched off outside
def _slopes(discriminator, x: torch.Tensor) -> torch.Tensor:
    x = (x.clone() if x.is_inference() else x).detach()  # those know no gradients
    x = x.requires_grad_(True)
    # each logit depends on its own row alone: the gradient of the sum holds them all;
    # create_graph, because D will descend along the gradient of this gradient
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gradient


def gradient_penalty(discriminator, real, fake, loss: Loss, mix) -> torch.Tensor:
    """½ (R1 + R2), or E (‖∇D‖ − slope)² between real and fake, both ``(n, data_dim)``.

    R1 is E ‖∇D‖² over real samples, R2 over fakes (Mescheder et al. 2018; Roth et al.
    2017). With a wanted slope the samples are ``mix`` · real + (1 − mix) · fake, mix
    ``(n, 1)`` uniform in [0, 1] (Gulrajani et al. 2017); else ``mix`` is not used.
    Slopes are per unit of x / ``discriminator.scale``, which is 1 for a plain function.
    Raises ``ValueError`` for samples, a mix or logits of another shape, or not finite.
    """
    instances(Loss, loss=loss)
    real, fake = (
        _rows(discriminator, real, "real"),
        _rows(discriminator, fake, "fake"),
    )
    got, wanted = tuple(fake.shape), tuple(real.shape)
    require(fake=(got, got == wanted, f"of the shape of real, {wanted}"))
    if loss.slope is not None:
        mix = floats(mix, "mix")
        got, wanted = tuple(mix.shape), (len(real), 1)
        require(mix=(f"shape {got}", got == wanted, f"of shape {wanted}"))
        check_finite(mix, "mix")
        check_unit(mix, "mix")
    return penalty_of(discriminator, real, fake, loss, mix)


def penalty_of(discriminator, real, fake, loss: Loss, mix) -> torch.Tensor:
    """``gradient_penalty`` without a look at its arguments, for the steps of a run."""
    scale = getattr(discriminator, "scale", 1.0)  # slopes are per unit of x / scale
    if loss.slope is None:
        both = torch.cat([real, fake.detach()])  # (2m, data_dim): a mean over both is ½
        squares = _slopes(discriminator, both).square().sum(dim=1)
        return scale**2 * squares.mean()
    between = mix * real + (1 - mix) * fake.detach()
    slopes = scale * _slopes(discriminator, between).norm(dim=1)
    return (slopes - loss.slope).square().mean()


def _rows(discriminator, x, name: str) -> torch.Tensor:
    """``x`` as finite floats ``(n, d)``, each of which has one finite logit."""
    functions(discriminator=discriminator)
    an_object = not isinstance(discriminator, type)
    require(discriminator=("a class", an_object, "a network or another function"))
    weights = getattr(discriminator, "parameters", tuple)()
    made_there = any(each.is_inference() for each in weights)
    rule = "a network made outside of inference mode"
    require(discriminator=("such a one", not made_there, rule))
    x = floats(x, name)
    columns = max(1, x.shape[-1:].numel())
    check_shape(x, getattr(discriminator, "data_dim", columns), name)
    check_finite(x, name)
    with torch.no_grad():
        logits = discriminator(x)
    shape = (len(x) // getattr(discriminator, "pack", 1),)
    check_finite(returned(logits, shape, "discriminator"), "discriminator's logits")
    return x
