"""What the GANs drew, as pictures: what they show."""

import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from course_utils.data import ring_of_gaussians
from course_utils.gan import Discriminator, Generator, gallery
from tests.hostile import refuses
from tests.performing import title

pytestmark = pytest.mark.usefixtures("course_style")


def test_a_sheet_holds_the_digits_row_by_row(ax):
    images = torch.arange(6.0)[:, None].expand(6, 784) / 8
    sheet = gallery.plot_sheet(ax, images, 3, "", ("above", "below")).get_array()
    assert sheet.shape == (56, 84)
    assert sheet[::28, ::28].tolist() == [[0, 1 / 8, 2 / 8], [3 / 8, 4 / 8, 5 / 8]]
    assert [text.get_text() for text in ax.texts] == ["above", "below"]
    ax.clear()
    generator = Generator(2, 784, hidden=(3,), output="sigmoid")
    update = gallery.draw_sheet(ax, (generator, "a"), torch.randn(6, 2), 3)
    update((generator, "b"))
    assert ax.get_title(loc="left") == "b"
    assert ax.images[0].get_array().shape == (56, 84)


def test_class_shares_are_written_into_their_squares(ax):
    shares = {"fair": torch.full((10,), 0.1), "one": torch.eye(10)[3]}
    gallery.plot_classes(ax, shares)
    assert [text.get_text() for text in ax.texts[:10]] == ["10"] * 10
    assert ax.texts[13].get_text() == "100"


def players(dim):
    nets = {"hidden": (4,), "seed": 0}
    return Generator(dim, dim, **nets), Discriminator(dim, **nets)


def places(dots):
    return torch.as_tensor(np.array(dots.get_offsets()), dtype=torch.float32)


def test_runs_and_films_show_samples_and_modes():
    ring, noise = ring_of_gaussians(), torch.randn(20, 2)
    axes = Figure().subplots(1, 2)
    gallery.plot_runs(axes[:1], [noise], ring, ["seed 0"])
    (dots,) = axes[0].collections
    circles = [tuple(circle.center) for circle in axes[0].patches]
    assert circles == [tuple(centre) for centre in ring.centres.tolist()]
    assert {circle.radius for circle in axes[0].patches} == {3 * ring.sigma}
    torch.testing.assert_close(places(dots), noise)
    generator, discriminator = players(2)
    shot = generator, discriminator, "step 1"
    gallery.draw_modes(axes[1], shot, ring, noise)
    with torch.no_grad():
        torch.testing.assert_close(places(axes[1].collections[-1]), generator(noise))
        corner = discriminator.probability(torch.tensor([[-3.2, -3.2]]))
    tint = torch.as_tensor(axes[1].images[0].get_array())
    torch.testing.assert_close(tint[0, 0], corner[0], atol=1e-6, rtol=0)


def test_spreads_leave_out_empty_modes(ax):
    spread = torch.tensor([0.5, math.nan, 1.1])
    gallery.plot_spread(ax, {"one": [spread], "two": [spread, spread]})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [2, 2, 2]


def test_gradients_point_up_the_logit(ax):
    centre = torch.tensor([1.0, 0.0])
    fake = centre + torch.tensor([[0.01, 0.0], [0.0, -0.02]])

    def outwards(x):
        return (x - centre).square().sum(1)

    gallery.plot_gradients(ax, outwards, fake, centre, 0.01, 0.006, "a test")
    arrows = ax.collections[0]
    torch.testing.assert_close(
        torch.as_tensor(np.array([arrows.U, arrows.V])).T.float(),
        0.7 * 1e-4 * (fake - centre),
    )
    assert title(ax) == "a test"


def test_the_covered_share_has_a_line_per_run_and_a_floor_per_control(ax):
    runs = {"one": [([0, 9], [0.1, 0.2]), ([0, 9], [0.3, 0.4])], "two": [([9], [0.5])]}
    gallery.plot_coverage(ax, runs, {"even circle": 0.38})
    assert [list(line.get_ydata())[-1] for line in ax.lines[:3]] == [0.2, 0.4, 0.5]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["one", "two"]
    assert [text.get_text() for text in ax.texts] == ["even circle"]
    assert ax.texts[0].get_position()[1] == 0.38


def test_the_shares_stand_mode_by_mode_over_time():
    axes = Figure().subplots(1, 2)
    shares = torch.tensor([[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]])
    gallery.plot_shares(axes, [([10, 20, 30], shares)] * 2, ["a", "b"])
    image = torch.as_tensor(axes[0].images[0].get_array())
    torch.testing.assert_close(image, shares.T)
    assert axes[0].images[0].get_extent() == [0, 30, 0.5, 2.5]
    assert [title(ax) for ax in axes] == ["a", "b"]


def test_a_sheet_is_of_digits():
    images = torch.zeros(6, 784)
    for bad in (None, 2.5, "3", True, 0, -1):
        refuses(lambda bad=bad: gallery.sheet_of(images, bad), "columns must be")
    for bad in (None, "x", images * 1j, images[0], images[:, :-1], images[:0]):
        refuses(lambda bad=bad: gallery.sheet_of(bad, 3), "images ")
    refuses(lambda: gallery.sheet_of(images, 4), "images must be a multiple of columns")
    assert gallery.sheet_of(images.T.contiguous().T.tolist(), 3).shape == (56, 84)
