"""The density panels of notebook 02 show the density of their mixture."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.mixture import shapes
from tests.mixture.cases import close, random_mixture

pytestmark = pytest.mark.usefixtures("course_style")  # its pictures grow upwards


def test_quantiles_are_a_standard_normal():
    z = shapes.standard_normal_quantiles(4000)
    assert z.mean().item() == pytest.approx(0, abs=1e-12)
    assert z.std().item() == pytest.approx(1, abs=2e-3)


def test_the_panel_is_the_density_and_its_rows_go_upwards():
    mixture = random_mixture(0, 3, 2)
    x = mixture.sample(5, generator=torch.Generator().manual_seed(0))
    axes = Figure().subplots(1, 2)
    shapes.draw_shape(axes, 3, {3: mixture}, x, half_width=4.0)
    (image,) = axes[1].images
    ticks = torch.linspace(-4, 4, 112, dtype=torch.float64)
    for row, column in ((0, 0), (20, 90), (111, 50)):
        at = torch.stack([ticks[column], ticks[row]])[None]
        shown = torch.as_tensor(image.get_array()[row, column])
        close(shown, mixture.log_prob(at).exp()[0], rtol=1e-6, atol=1e-12)
    assert image.origin == "lower"
