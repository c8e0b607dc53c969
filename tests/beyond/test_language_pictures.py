"""What the pictures of the writing model show, read from their artists."""

import math

import pytest
import torch
from matplotlib.colors import to_hex

from course_utils.beyond.language_pictures import (
    draw_temperature,
    draw_writing,
    plot_bits,
    plot_reach,
    plot_surprise,
)

ALPHABET = "\n abcdefghijklmno"


def a_guess(seed):
    return torch.randn(17, generator=torch.Generator().manual_seed(seed)).log_softmax(0)


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_bars_are_the_likeliest_characters_and_the_rest(ax):
    log_p = torch.full((17,), math.log(0.5 / 16))
    log_p[1] = math.log(0.5)
    update = draw_writing(ax, ("at the en", log_p), ALPHABET)
    heights = [bar.get_height() for bar in ax.patches]
    assert sum(heights) == pytest.approx(1, abs=1e-6)
    assert heights[0] == pytest.approx(0.5)
    assert words(ax)[0] == "space"
    assert words(ax)[12] == "others"
    assert words(ax)[-1] == "at the en_"
    assert "9 characters" in ax.get_title()
    assert "3.00 bits" in ax.get_title()
    update(("a", a_guess(1)))
    assert "1 character:" in ax.get_title()
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[:12] == sorted(heights[:12], reverse=True)


def test_a_long_text_shows_its_last_rows(ax):
    draw_writing(ax, ("x" * 170 + "\n" + "the end", a_guess(0)), ALPHABET, rows=2)
    shown = words(ax)[-1].splitlines()
    assert len(shown) == 2
    assert shown[1].endswith("¶the end_")


def test_the_reach_is_the_table_of_truths(ax):
    sees = torch.ones(6, 6, dtype=torch.bool).triu(1)
    plot_reach(ax, sees)
    (image,) = ax.images
    assert torch.equal(torch.as_tensor(image.get_array().data), sees)
    assert [line.get_label() for line in ax.lines] == ["s = t"]


def test_each_model_has_a_bar_and_the_last_is_ours(ax):
    plot_bits(ax, {"equal": 5.75, "pairs": 3.4, "writer": 2.5})
    assert [bar.get_width() for bar in ax.patches] == [5.75, 3.4, 2.5]
    assert words(ax) == ["5.75", "3.40", "2.50"]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours[0] == colours[1] != colours[2]


def test_surprise_is_dark_and_all_characters_stand_there(ax):
    text = "ab\n" * 40
    bits = torch.linspace(0, 12, 120)
    plot_surprise(ax, text, bits)
    assert "".join(words(ax)) == text.replace("\n", "¶")
    shades = [sum(square.get_facecolor()[:3]) for square in ax.patches]
    assert shades == sorted(shades, reverse=True)
    assert shades[-1] == shades[100]  # beyond the most: as dark as it gets


def test_the_bars_follow_the_temperature(ax):
    update = draw_temperature(
        ax,
        1.0,
        ["aa", "b"],
        lambda t: torch.tensor([1 / (1 + t), t / (1 + t)]),
        lambda t: torch.tensor([0.25, 0.75]),
    )
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.5, 0.25, 0.75]
    update(3.0)
    assert [bar.get_height() for bar in ax.patches] == [0.25, 0.75, 0.25, 0.75]
    assert ax.get_title() == "temperature 3.00"
    assert words(ax)[0] == "0.25"
