"""Facts of the VAE that a mutant once broke without a test's notice."""

import pytest
import torch

from course_utils.vae.training import binarise
from tests.vae.cases import GREY, small


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal", "normal_shared"])
def test_data_are_called_by_the_name_that_they_have(likelihood):
    with pytest.raises(ValueError, match=r"^held_out must have shape \(n, 12\)"):
        small(likelihood=likelihood).check(torch.zeros(5, 11), "held_out")


def test_the_bound_takes_a_hundred_samples_if_nothing_is_said():
    x, model = binarise(GREY)[:7], small()
    torch.manual_seed(0)
    unsaid = model.iwae(x)
    torch.manual_seed(0)
    assert torch.equal(unsaid, model.iwae(x, 100))
