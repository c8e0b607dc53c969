"""What the pictures of notebook 05 draw on: tints of D, square axes, even noise."""

import math

import torch

from course_utils import rules
from course_utils.arguments import check_finite, counts, floats, positive, require
from course_utils.drawing import panel, parts, takes
from course_utils.rules import number, whole
from course_utils.style import COLOUR, JUDGE, VERDICT, plot_density

IN_DATA_UNITS = {"angles": "xy", "scale_units": "xy", "scale": 1}  # arrows as long as x
GRID = torch.linspace(-4, 4, 321)
WIDTH = 0.07  # of the kernel that makes a density of the samples


@takes(
    ax=panel,
    extent=parts(number, number, number, number),
    shape=parts(whole(), whole()),
)
def tint(ax, extent, shape, **style):
    """An empty picture of D behind everything else: green real, white undecided."""
    style = {"cmap": VERDICT, "vmin": 0, "vmax": 1, "extent": extent, **style}
    return ax.imshow(torch.zeros(shape), **style)


@takes(ax=panel, half=rules.positive)
def square(ax, half, **settings):
    """Axes of equal scale from −half to half."""
    ax.set(xlim=(-half, half), ylim=(-half, half), **settings)
    ax.set_aspect("equal")


def normal_quantiles(n):
    """n numbers that cut N(0, 1) into equal shares, ``(n, 1)``: noise without luck."""
    counts(n=n)
    return torch.special.ndtri((torch.arange(n) + 0.5) / n)[:, None]


def smooth_density(x, grid, width=WIDTH):
    """A density over ``grid`` from samples ``(n,)``: the mean of n narrow Gaussians.

    Raises ``ValueError`` for samples or a grid that are no finite ``(n,)``.
    """
    positive(width=width)
    x, grid = floats(x), floats(grid, "grid")
    for name, values in (("x", x), ("grid", grid)):
        got, line = f"shape {tuple(values.shape)}", values.ndim == 1 and len(values) > 0
        require(**{name: (got, line, "(n,) with n >= 1")})
        check_finite(values, name)
    gaps = (grid[:, None] - x) / width
    return (-0.5 * gaps.square()).exp().mean(dim=1) / (width * math.sqrt(2 * math.pi))


def densities(ax, p, grid, judge):
    """p_data as a curve, and two lines to be filled: p_g and a discriminator."""
    plot_density(ax, p, grid, "real", "p_data")
    (made,) = ax.plot([], [], "--", color=COLOUR["fake"], label="p_g")
    return made, ax.plot([], [], "-.", color=JUDGE, label=judge)[0]
