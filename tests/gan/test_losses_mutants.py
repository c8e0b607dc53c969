"""Facts of the losses that a mutant once broke without a test's notice."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.gan import LOSSES, gradient_penalty


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_real_samples_should_get_high_logits_and_fakes_low_ones(name):
    """Logits that are not symmetric about 0, so that no sign may be exchanged."""
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-2.0, 0.5])
    expected = F.softplus(torch.tensor([-1.0, -3.0])).mean()
    expected += F.softplus(torch.tensor([-2.0, 0.5])).mean()
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(expected)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_slopes_are_taken_in_units_of_the_data(scale):
    """D(x) = 2 x₁ has slope 2 per unit of x, and 2 · scale per unit of x / scale."""

    class Plane:
        def __init__(self):
            self.scale = scale

        def __call__(self, x):
            return 2 * x[:, 0]

    real, fake, mix = torch.ones(4, 2), torch.zeros(4, 2), torch.full((4, 1), 0.5)
    both = gradient_penalty(Plane(), real, fake, LOSSES["relativistic"], mix)
    assert both.item() == pytest.approx((2 * scale) ** 2)
    between = gradient_penalty(Plane(), real, fake, LOSSES["wasserstein"], mix)
    assert between.item() == pytest.approx((2 * scale - 1) ** 2)


@pytest.mark.parametrize(
    ("name", "expected"), [("relativistic", 25), ("wasserstein", 16)]
)
def test_a_plain_function_has_slopes_per_unit_of_x(name, expected):
    """D(x) = 3 x₁ + 4 x₂ has slope 5: without a scale it is 1."""
    slope = torch.tensor([3.0, 4.0])
    real, fake = [[1.0, 2.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]
    mix = [[0.25], [0.75]]
    found = gradient_penalty(
        lambda x: x @ slope.to(x.dtype), real, fake, LOSSES[name], mix
    )
    assert found.item() == pytest.approx(expected)
