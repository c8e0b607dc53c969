"""Facts of the record of a step that a mutant once broke without a test's notice."""

import contextlib

import pytest
import torch

from course_utils.gan.steps import Fault, after, right_step


@pytest.mark.parametrize("width", [2, 4])
def test_a_call_that_g_has_refused_is_not_its_noise(width):
    """G takes rows of 3 numbers: after a refusal, other noise is still other noise."""

    def step(generator, discriminator, optimizer, z):
        with contextlib.suppress(ValueError, RuntimeError):
            generator(z.new_ones(len(z), width))
        other = torch.randn(z.shape, generator=torch.Generator().manual_seed(1)).to(z)
        return right_step(generator, discriminator, optimizer, other)

    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double()
    with pytest.raises(Fault, match="<other noise>"):
        after(step)(z)
