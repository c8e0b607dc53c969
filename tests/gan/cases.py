"""What the tests of GANs share: data, two small players, their weights as a vector."""

import torch

from course_utils.data import ring_of_gaussians
from course_utils.gan import Discriminator, Generator

RING = ring_of_gaussians(radius=1.0, sigma=0.05)
POINTS = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)) + 3


def players(seed=0, **options):
    made = Generator(hidden=(16, 16), seed=seed)
    return made, Discriminator(hidden=(16, 16), seed=seed + 1, **options)


def weights(*networks):
    parts = [p.detach().flatten().clone() for n in networks for p in n.parameters()]
    return torch.cat(parts)
