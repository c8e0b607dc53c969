"""The losses against their logits, and the penalty against finite differences."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.gan import LOSSES, Discriminator, gradient_penalty

LOGITS = torch.linspace(-30, 30, 13, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("minimax", lambda x: -x.sigmoid()),
        ("non_saturating", lambda x: -(-x).sigmoid()),
        ("wasserstein", lambda x: -torch.ones_like(x)),
        ("relativistic", lambda x: -(0.7 - x).sigmoid()),
    ],
)
def test_gradients_of_the_generators_loss_against_the_logit(name, slope):
    logits = LOGITS.clone().requires_grad_(True)
    LOSSES[name].generator(logits, torch.full_like(LOGITS, 0.7)).backward()
    torch.testing.assert_close(logits.grad * len(LOGITS), slope(LOGITS))


def test_the_discriminators_loss_is_binary_cross_entropy_and_minus_the_value():
    real, fake = LOGITS, LOGITS.flip(0) / 3
    labels = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    both = F.binary_cross_entropy_with_logits(torch.cat([real, fake]), labels)
    for name in ("minimax", "non_saturating"):
        loss = LOSSES[name].discriminator(real, fake)
        torch.testing.assert_close(loss, 2 * both)
    moderate = LOGITS / 5
    v = moderate.sigmoid().log().mean() + (1 - moderate.sigmoid()).log().mean()
    torch.testing.assert_close(LOSSES["minimax"].discriminator(moderate, moderate), -v)


def test_the_other_losses_by_hand():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert LOSSES["wasserstein"].discriminator(real, fake) == -1
    assert LOSSES["wasserstein"].generator(fake) == -1
    expected = math.log(1 + math.exp(-1))
    assert LOSSES["relativistic"].discriminator(real, fake) == pytest.approx(expected)
    back = LOSSES["relativistic"].generator(fake, real)
    assert back == pytest.approx(math.log(1 + math.e))


@pytest.mark.parametrize("name", ["relativistic", "wasserstein", "non_saturating"])
def test_the_penalty_against_finite_differences(name):
    net = Discriminator(hidden=(8, 8), frequencies=2, activation="tanh", scale=2.0)
    net = net.double()
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    mix = torch.rand(6, 1, generator=generator, dtype=torch.float64)
    step = 1e-6

    def slopes(x):
        sides = []
        for axis in torch.eye(2, dtype=torch.float64):
            difference = net(x + step * axis) - net(x - step * axis)
            sides.append(difference / (2 * step))
        return 2.0 * torch.stack(sides, 1).norm(dim=1)  # per unit of x / scale

    with torch.no_grad():
        if name == "wasserstein":
            by_hand = (slopes(mix * real + (1 - mix) * fake) - 1).square().mean()
        else:
            parts = [slopes(x).square().mean() for x in (real, fake)]
            by_hand = sum(parts) / 2
    found = gradient_penalty(net, real, fake, LOSSES[name], mix)
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-6)
    found.backward()
    assert net.network[0].weight.grad.abs().sum() > 0
