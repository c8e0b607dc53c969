"""The digits as pictures: what they show."""

import pytest
import torch

from course_utils.gan import Generator, digits

pytestmark = pytest.mark.usefixtures("course_style")


def test_a_sheet_holds_the_digits_row_by_row(ax):
    images = torch.arange(6.0)[:, None].expand(6, 784)
    sheet = digits.plot_sheet(ax, images, 3, "", ("above", "below")).get_array()
    assert sheet.shape == (56, 84)
    assert sheet[::28, ::28].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert [text.get_text() for text in ax.texts] == ["above", "below"]
    ax.clear()
    generator = Generator(2, 784, hidden=(3,), output="sigmoid")
    update = digits.draw_sheet(ax, (generator, "a"), torch.randn(6, 2), 3)
    update((generator, "b"))
    assert ax.get_title(loc="left") == "b"
    assert ax.images[0].get_array().shape == (56, 84)


def test_class_shares_are_written_into_their_squares(ax):
    shares = {"fair": torch.full((10,), 0.1), "one": torch.eye(10)[3]}
    digits.plot_classes(ax, shares)
    assert [text.get_text() for text in ax.texts[:10]] == ["10"] * 10
    assert ax.texts[13].get_text() == "100"
