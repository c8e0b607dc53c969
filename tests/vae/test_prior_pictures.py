"""The pictures of sections 7 and 8: what they show is what they were given."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.vae import pictures, prior_pictures
from course_utils.vae.code_prior import MADE
from tests.hostile import refuses
from tests.performing import title


@pytest.fixture
def found():
    digits = torch.rand(6, 784, generator=torch.Generator().manual_seed(0))
    return {
        1: (digits, 80.0, 0.51, -71.0, -71.1),
        10: (digits.flip(0), 23.4, 0.752, -69.5, -69.62),
        300: (1 - digits, 11.8, 0.87, -65.3, -70.6),
    }


def test_numbers_of_gaussians(found):
    axes = Figure(figsize=(11, 4)).subplots(1, 3)
    update = prior_pictures.draw_numbers(axes, 10, found)
    assert title(axes[0]) == "10 Gaussians: 75% clear"
    assert title(axes[1]) == "d² 23.4 (0 is best)"
    assert title(axes[2]) == "log p(z), test: −69.6 nats"
    distance, seen, new = (
        list(line.get_ydata()) for line in (axes[1].lines[0], *axes[2].lines[:2])
    )
    assert distance == [80.0, 23.4, 11.8]
    assert seen == [-71.0, -69.5, -65.3]
    assert new == [-71.1, -69.62, -70.6]
    update(300)
    assert title(axes[0]) == "300 Gaussians: 87% clear"
    marks = [ax.lines[-1].get_xdata()[0] for ax in axes[1:]]
    assert marks == [300, 300]
    shown = torch.as_tensor(axes[0].images[0].get_array())
    torch.testing.assert_close(shown[:28, :28].reshape(-1), found[300][0][0])
    low, high = axes[2].get_ylim()
    assert low < -71.1
    assert high > -65.3


def test_bits_are_tiles():
    ax = Figure().subplots()
    pictures.plot_rows(ax, [torch.zeros(3, 784)] * 2, ["data", "bits"])
    bits = (torch.arange(192).view(3, 64) % 5 == 0).long()
    prior_pictures.plot_bits(ax, bits, row=1)
    tile = torch.as_tensor(ax.images[2].get_array())
    assert torch.equal(tile.flatten().long(), bits[1])
    assert ax.images[2].get_extent() == [30, 58, 58, 30]


def test_masks_and_their_product():
    made = MADE(4, units=3)
    axes = Figure().subplots(1, 4)
    prior_pictures.plot_masks(axes, made)
    whole = torch.as_tensor(axes[-1].images[0].get_array())
    assert torch.equal(whole, torch.ones(4, 4).tril(-1))
    assert [title(ax) for ax in axes[:2]] == ["layer 1", "layer 2"]
    assert axes[0].images[0].get_array().shape == (12, 4)


def test_codes_are_four_by_four_tiles(ax):
    codes = torch.arange(32).view(2, 16)
    pictures.plot_rows(ax, [torch.zeros(2, 784)] * 2, ["digits", "codes"])
    prior_pictures.plot_codes(ax, codes, row=1)
    tiles = torch.as_tensor(ax.images[2].get_array())
    assert tiles.flatten().tolist() == list(range(16, 32))
    assert ax.images[2].get_extent() == [30, 58, 58, 30]  # under the second digit


def test_codes_that_make_no_square_are_refused(ax):
    for bad in (None, torch.zeros(16), torch.zeros(2, 15), torch.zeros(2, 0)):
        refuses(lambda bad=bad: prior_pictures.plot_codes(ax, bad, 1), "codes must")
    refuses(lambda: prior_pictures.plot_bits(ax, torch.zeros(2, 64), -1), "row must")
