"""Facts of the training of a GAN that a mutant once broke without a test's notice."""

from types import SimpleNamespace

import torch

from course_utils.gan import LOSSES, Discriminator
from course_utils.gan.losses import penalty_of
from course_utils.gan.training import penalty


def test_the_points_between_are_drawn_in_the_dtype_of_the_data():
    """One share per pair, with all digits, and the penalty is weighed once."""
    random = torch.Generator().manual_seed(0)
    x, fake = torch.randn(2, 5, 2, generator=random, dtype=torch.float64)
    critic, loss = Discriminator(2, hidden=(8,)).double(), LOSSES["wasserstein"]
    match = SimpleNamespace(
        discriminator=critic, loss=loss, random=torch.Generator().manual_seed(3)
    )
    found = penalty(match, x, fake, 7.0)
    again = torch.Generator().manual_seed(3)
    mix = torch.rand(5, 1, generator=again, dtype=torch.float64)
    torch.testing.assert_close(found, 7 * penalty_of(critic, x, fake, loss, mix))
    assert penalty(match, x, fake, 0) == 0
