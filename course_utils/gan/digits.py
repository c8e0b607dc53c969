"""The digits of notebook 05 as pictures: sheets of samples, and shares of classes."""

import torch


def sheet_of(images, columns):
    """Digits ``(n, 784)`` as one picture without gaps, n a multiple of ``columns``."""
    rows = len(images) // columns
    grid = images.view(rows, columns, 28, 28)  # row, column, y, x
    return grid.transpose(1, 2).reshape(28 * rows, -1)  # row, y, column, x


def plot_sheet(ax, images, columns, title, names=()):
    """A sheet of digits, dark ink on white, a name for each row; returns the artist."""
    ax.set_axis_off()
    ax.set_title(title)
    for row, name in enumerate(names):  # a row is 28 pixels high
        ax.text(-4, 28 * row + 14, name, ha="right", va="center", fontsize=12)
    ink = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "upper"}
    return ax.imshow(sheet_of(images, columns), **ink)


def draw_sheet(ax, shot, noise, columns):
    """What a generator makes of the same noise; ``shot`` is (generator, title)."""
    picture = plot_sheet(ax, torch.zeros(len(noise), 784), columns, "")

    def update(shot):
        generator, title = shot
        with torch.no_grad():
            picture.set_data(sheet_of(generator(noise), columns))
        ax.set_title(title)

    update(shot)
    return update


def plot_classes(ax, shares):
    """The share of each class of digits, one row of ten squares per model."""
    table = torch.stack(list(shares.values()))
    ax.imshow(table, cmap="Blues", vmin=0, vmax=0.3, aspect="auto", origin="upper")
    for row, values in enumerate(table.tolist()):
        for column, share in enumerate(values):
            colour = "white" if share > 0.18 else "#222222"  # readable on its square
            text = f"{100 * share:.0f}"
            ax.text(column, row, text, ha="center", va="center", color=colour)
    ax.set(xticks=range(10), yticks=range(len(shares)), yticklabels=list(shares))
    ax.set(xlabel="class", title="share of each class (%); fair is 10")
