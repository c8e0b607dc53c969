"""Pictures of notebook 06 in the plane: four fits, their price, how they meet."""

import torch
from matplotlib.patches import Circle

from course_utils.divergences.fits import (
    NAMES,
    fit_isotropic_gaussian,
    moments,
    round_mixture,
)
from course_utils.divergences.surface import log_factors
from course_utils.style import COLOUR

IMAGE = {"cmap": "Oranges", "interpolation": "bilinear"}


def plane(half_widths, n=101):
    """Ticks of both axes of a panel, float64."""
    return tuple(torch.linspace(-h, h, n, dtype=torch.float64) for h in half_widths)


def image_of(mixture, ticks):
    """The density of a mixture of round Gaussians: ``(n, n)``, lowest row first."""
    sigmas = mixture.covariances.diagonal(dim1=1, dim2=2).sqrt()
    first, second = log_factors(ticks, mixture.means, sigmas)
    return second.exp().T @ (mixture.weights[:, None] * first.exp())


def add_target(ax, target, half_widths):
    """p as an orange picture; returns the artist, for ``show_target``."""
    ticks = plane(half_widths)
    extent = [edge for h in half_widths for edge in (-h, h)]
    picture = ax.imshow(torch.zeros(2, 2), extent=extent, **IMAGE)
    ax.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    show_target(picture, image_of(target, ticks))
    return picture


def show_target(picture, values):
    """Put a density into its picture; the shade follows the root, so faint is seen."""
    shade = values.sqrt()
    picture.set_data(shade)
    picture.set_clim(0, shade.max().item())


def add_rings(ax, colour=COLOUR["model"]):
    """An empty Gaussian: circles of one and two σ and a cross at the mean."""
    rings = []
    for radius, line, width in ((1, "-", 2.4), (2, "--", 1.6)):
        ring = Circle((0, 0), radius, fill=False, edgecolor=colour)
        ring.set(linestyle=line, linewidth=width)
        rings.append(ax.add_patch(ring))
    (cross,) = ax.plot([], [], "+", color=colour, markersize=11, markeredgewidth=2)
    return rings, cross


def place(rings, cross, mean, sigma):
    """Move the circles and the cross."""
    for radius, ring in enumerate(rings, start=1):
        ring.set_center(mean)
        ring.set_radius(radius * sigma)
    cross.set_data([mean[0]], [mean[1]])


def _dotted(mean=(0, 0), sigma=1.0):
    """The circle of one σ of another local minimum."""
    style = {"edgecolor": "black", "linestyle": ":", "linewidth": 1.6}
    return Circle(mean, sigma, fill=False, **style)


def plot_fits(axes, target, fits, half_widths=(4.6, 4.6)):
    """Section 3: one panel per divergence, p and the best round Gaussian.

    Other local minima are dotted circles of one σ.
    """
    for ax, (name, fit) in zip(axes, fits.items(), strict=True):
        add_target(ax, target, half_widths)
        place(*add_rings(ax), fit.mean.tolist(), fit.sigma)
        for minimum in fit.minima[1:]:
            ax.add_patch(_dotted(minimum.mean.tolist(), minimum.sigma))
        ax.set_title(f"{NAMES[name]}: σ = {fit.sigma:.3f}")
        ax.set_xticks([-4, 0, 4])
    axes[0].set_yticks([-4, 0, 4])


def theis_like(separation, share, width):
    """The mixture of the sliders: σ = 0.6 on the left, σ = ``width`` on the right."""
    at = separation / 2
    return round_mixture([1 - share, share], [[-at, 0.0], [at, 0.0]], [0.6, width])


def draw_fits(axes, separation, share, width, half_widths=(5.0, 3.6)):
    """Section 3: the four fits to a mixture of two, live; other minima are dotted."""
    start = theis_like(separation, share, width)
    pictures = [add_target(ax, start, half_widths) for ax in axes]
    parts = [add_rings(ax) for ax in axes]
    others = [[ax.add_patch(_dotted()) for _ in range(2)] for ax in axes]
    ticks = plane(half_widths)

    def update(separation, share, width):
        target = theis_like(separation, share, width)
        values = image_of(target, ticks)
        own = list(zip(target.means, (0.6, width), strict=True))
        for ax, name, picture, (rings, cross), spare in zip(
            axes, NAMES, pictures, parts, others, strict=True
        ):
            show_target(picture, values)
            starts = [moments(target), *own * (name != "mmd")]
            fit = fit_isotropic_gaussian(target, name, starts=starts, points=61)
            place(rings, cross, fit.mean.tolist(), fit.sigma)
            for i, ring in enumerate(spare, start=1):
                ring.set_visible(i < len(fit.minima))
                if ring.get_visible():
                    ring.set_center(fit.minima[i].mean.tolist())
                    ring.set_radius(fit.minima[i].sigma)
            ax.set_title(f"{NAMES[name]}: σ = {fit.sigma:.2f}")

    update(separation, share, width)
    return update


def plot_samples(ax, target, x, is_off, half_widths=(4.6, 4.6)):
    """Section 4: samples of a fit over p; those off the data are crosses."""
    add_target(ax, target, half_widths)
    ax.plot(*x[~is_off].T, "o", color=COLOUR["model"], markersize=3)
    style = {"color": "black", "markersize": 5, "markeredgewidth": 1.4}
    ax.plot(*x[is_off].T, "x", label="off the data", **style)
    ax.legend(loc="upper left", handletextpad=0.1, frameon=True, framealpha=0.9)


def plot_growing(axes, target, fits, half_widths=(4.6, 4.6)):
    """Section 5: rows are divergences, columns K; p first, then each fitted density."""
    ticks = plane(half_widths, 81)
    top = image_of(target, ticks).max().item()
    extent = [edge for h in half_widths for edge in (-h, h)]
    for row, (name, by_k) in zip(axes, fits.items(), strict=True):
        row[0].set_ylabel(NAMES[name])
        for ax, (k, fit) in zip(row, by_k.items(), strict=True):
            values = image_of(fit.distribution, ticks)
            ax.imshow(values, extent=extent, cmap="Blues", vmin=0, vmax=top)
            ax.contour(*ticks, image_of(target, ticks), **CONTOURS)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
            if ax in axes[0]:
                ax.set_title(f"K = {k}")


CONTOURS = {
    "levels": [0.01, 0.05],
    "colors": COLOUR["target"],
    "linewidths": 1.2,
}
