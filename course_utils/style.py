"""Palette and shared pieces of the pictures; one module per notebook holds the rest.

Every function draws into the ``ax`` that it is given. A colour has one meaning in all
notebooks, and never stands alone: a line style, a marker or a label says the same.
The colours are those of Okabe and Ito, which colour-blind readers can tell apart.
"""

import math

import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle

from course_utils.arguments import require, returned
from course_utils.drawing import MODES, having, panel, takes
from course_utils.quadrature import log_density
from course_utils.rules import array, density, one, positive, whole

COLOUR = {
    "data": "#000000",
    "model": "#0072B2",  # p_theta
    "latent": "#E69F00",  # z and q_phi
    "real": "#009E73",
    "fake": "#CC79A7",
    "target": "#D55E00",  # the truth p, where we know it
    "quiet": "#888888",
}
JUDGE = "#333333"  # a discriminator
VERDICT = LinearSegmentedColormap.from_list(  # what it says: fake, undecided, real
    "verdict", [COLOUR["fake"], "#FFFFFF", COLOUR["real"]], N=21
)
GROUPS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]


@takes(ax=panel, density=density, grid=array("n"), role=one(COLOUR))
def plot_density(ax, density, grid, role="model", label=None, **style):
    """The curve of a 1-D ``torch.distributions`` object over ``grid``; returns it."""
    style = {"color": COLOUR[role], **style}
    heights = returned(log_density(density, grid), grid.shape, "density.log_prob").exp()
    (line,) = ax.plot(grid, heights, label=label, **style)
    return line


@takes(ax=panel, x=array("n"), role=one(COLOUR), height=positive)
def plot_rug(ax, x, role="data", height=0.06, **style):
    """One short stroke on the axis for each number in ``x``, as in a rug plot."""
    style = {"color": COLOUR[role], "linewidth": 1.6, **style}
    return ax.vlines(x, 0, height, transform=ax.get_xaxis_transform(), **style)


@takes(ax=panel, x=array("n", 2), role=one(COLOUR))
def plot_points(ax, x, role="data", label=None, **style):
    """The rows of ``x`` ``(n, 2)`` as small dots on axes of equal scale."""
    style = {"s": 8, "alpha": 0.6, "linewidth": 0, "color": COLOUR[role], **style}
    ax.set_aspect("equal")
    return ax.scatter(x[:, 0], x[:, 1], label=label, **style)


@takes(half_width=positive, n=whole(2, 5000))
def grid_2d(half_width, n=120):
    """Points of a square grid: ticks ``(n,)`` and all pairs ``(n, n, 2)``, float64."""
    ticks = torch.linspace(-half_width, half_width, n, dtype=torch.float64)
    return ticks, torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), dim=-1)


@takes(
    ax=panel,
    density=having("log_prob", "mean"),
    half_width=positive,
    n=whole(2, 5000),
    levels=whole(2, 1000),
)
def plot_density_2d(ax, density, half_width, n=120, levels=10):
    """Filled contours of a 2-D distribution; white below 4 % of the highest density."""
    ticks, points = grid_2d(half_width, n)
    values = density.log_prob(points.to(density.mean.dtype)).exp()
    values = returned(values, (n, n), "density.log_prob").detach()
    top = values.max().item()
    require(density=(f"{top:g} at most", 0 < top < math.inf, "above 0 in the square"))
    steps = torch.linspace(0.04 * top, 1.0001 * top, levels)
    ax.set_aspect("equal")
    ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
    return ax.contourf(ticks, ticks, values, levels=steps.tolist(), cmap="Blues")


@takes(ax=panel, modes=MODES, role=one(COLOUR))
def plot_modes(ax, modes, role="target"):
    """A circle of radius 3σ around each mode of an ``EqualGaussians``."""
    for x, y in modes.centres.tolist():
        circle = Circle((x, y), 3 * modes.sigma, fill=False, color=COLOUR[role])
        ax.add_patch(circle)
