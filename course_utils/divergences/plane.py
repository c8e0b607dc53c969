"""The panels of notebook 06 in the plane: p as a cloud, q as circles."""

import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle

from course_utils.divergences.surface import log_factors
from course_utils.drawing import having, panel, parts, takes
from course_utils.mixture.marks import mixture_in
from course_utils.rules import array, positive, whole
from course_utils.style import COLOUR

CLOUD = LinearSegmentedColormap.from_list("p", ["#FFFFFF", COLOUR["target"]])


@takes(half_widths=parts(positive, positive), n=whole(2, 5000))
def plane(half_widths, n=101):
    """Ticks of both axes of a panel, float64."""
    return tuple(torch.linspace(-h, h, n, dtype=torch.float64) for h in half_widths)


@takes(mixture=mixture_in(2), ticks=parts(array(None), array(None)))
def image_of(mixture, ticks):
    """The density of a mixture of round Gaussians: ``(n, n)``, lowest row first."""
    sigmas = mixture.covariances.diagonal(dim1=1, dim2=2).sqrt()
    first, second = log_factors(ticks, mixture.means, sigmas)  # (k, n) each
    return second.exp().T @ (mixture.weights[:, None] * first.exp())


def show(ax, values, half_widths, **style):
    """An image in the plane, in a frame without ticks; returns the artist."""
    extent = [edge for h in half_widths for edge in (-h, h)]
    picture = ax.imshow(values, extent=extent, **style)
    ax.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    return picture


@takes(ax=panel, target=mixture_in(2), half_widths=parts(positive, positive))
def add_target(ax, target, half_widths):
    """p as a vermilion cloud; returns the artist, for ``show_target``."""
    style = {"cmap": CLOUD, "interpolation": "bilinear"}
    picture = show(ax, torch.zeros(2, 2), half_widths, **style)
    show_target(picture, image_of(target, plane(half_widths)))
    return picture


@takes(picture=having("set_data", "set_clim"), values=array(None, None, low=0))
def show_target(picture, values):
    """Put a density into its picture; the shade follows the root, so faint is seen."""
    shade = values.sqrt()
    picture.set_data(shade)
    picture.set_clim(0, shade.max().item())


@takes(ax=panel)
def add_rings(ax):
    """An empty Gaussian: circles of one and two σ and a cross at the mean."""
    rings, colour = [], COLOUR["model"]
    for radius, line, width in ((1, "-", 2.4), (2, "--", 1.6)):
        style = {"edgecolor": colour, "linestyle": line, "linewidth": width}
        rings.append(ax.add_patch(Circle((0, 0), radius, fill=False, **style)))
    (cross,) = ax.plot([], [], "+", color=colour, markersize=11, markeredgewidth=2)
    return rings, cross


def place(rings, cross, mean, sigma):
    """Move the circles and the cross."""
    for radius, ring in enumerate(rings, start=1):
        ring.set(center=mean, radius=radius * sigma)
    cross.set_data([mean[0]], [mean[1]])


def dotted(ax, mean=(0, 0), sigma=1.0):
    """The circle of one σ of another local minimum."""
    style = {"edgecolor": "black", "linestyle": ":", "linewidth": 1.6}
    return ax.add_patch(Circle(mean, sigma, fill=False, **style))
