"""What the tests of the VAE share: small images, a small model, weights as a vector."""

import math

import torch

from course_utils.vae import VAE


def _two_kinds():
    """Grey images ``(300, 12)``: half of them dark, half light with four black ones."""
    generator = torch.Generator().manual_seed(0)
    dark = torch.randint(0, 60, (150, 12), generator=generator)
    light = torch.randint(200, 256, (150, 12), generator=generator)
    light[:, :4] = 0
    return torch.cat([dark, light]).byte()


GREY = _two_kinds()


def small(**options):
    return VAE(12, 2, hidden=(16,), **options)


def weights(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


NOT_COUNTS = [None, "3", 2.5, 1j, True, -1, math.nan, math.inf, [2]]
NOT_SEEDS = [*NOT_COUNTS, 2**70]
NOT_NUMBERS = [None, "1", 1j, True, math.nan, math.inf, -1.0, [1.0, 2.0]]
