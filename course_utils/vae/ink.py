"""Digits as dark ink on white: sheets of them, and rows with names."""

import torch

from course_utils.arguments import check_data, counts, floats, require
from course_utils.drawing import listing, panel, takes
from course_utils.rules import digits, whole, word

INK = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "upper"}


def mosaic(images, columns, gap=2):
    """Images ``(n, 784)`` as one picture, ``columns`` in a row, white between.

    Ink is 1 and paper is 0: grey levels as bytes are refused.
    """
    counts(columns=columns)
    byte = getattr(images, "dtype", None) == torch.uint8
    require(images=("uint8", not byte, "ink from 0 to 1: use images / 255"))
    images = check_data(floats(images, "images").detach(), 784, "images")
    rows = -(-len(images) // columns)
    side = 28 + gap
    sheet = torch.zeros(rows * side - gap, columns * side - gap)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * side, column * side
        sheet[top : top + 28, left : left + 28] = image.reshape(28, 28)
    return sheet


@takes(ax=panel, images=digits(), columns=whole(), title=word)
def plot_digits(ax, images, columns, title=""):
    """Images ``(n, 784)`` in rows of ``columns``; returns the artist."""
    ax.set_axis_off()
    ax.set_title(title)
    return ax.imshow(mosaic(images, columns), **INK)


@takes(ax=panel, rows=listing(digits("n"), "k"), names=listing(word, "k"))
def plot_rows(ax, rows, names):
    """Some rows of digits, ``(n, 784)`` each, with a name at the left of each row."""
    require(names=(list(names), len(names) == len(rows), f"{len(rows)}, one a row"))
    columns = len(rows[0])
    plot_digits(ax, torch.cat(list(rows)), columns)
    for index, name in enumerate(names):  # a row is 28 pixels high, 2 lie between
        ax.text(-5, 30 * index + 14, name, ha="right", va="center", fontsize=11.5)
