"""The pictures of notebook 02: groups, components, inference, and EM step by step.

Each component has one colour and one marker, the same in every picture.
"""

import math

import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator

from course_utils.mixture.em import GaussianMixture
from course_utils.style import COLOUR, GROUPS

COMPONENTS = [*GROUPS[1:], GROUPS[0]]  # blue last: it is the colour of the whole model
MARKERS = ["o", "^", "s", "D", "v", "P"]
LINES = ["--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1))]
RGB = torch.tensor([to_rgb(colour) for colour in COMPONENTS], dtype=torch.float64)


def colours(k):
    """``k`` colours for components; they repeat after six."""
    return [COMPONENTS[i % len(COMPONENTS)] for i in range(k)]


def plot_groups(ax, x, z):
    """The rows of ``x`` ``(n, 2)``, with one colour and marker per group ``z``."""
    for k in range(int(z.max()) + 1):
        style = {"color": COMPONENTS[k], "marker": MARKERS[k], "s": 14, "alpha": 0.7}
        ax.scatter(*x[z == k].T, linewidth=0, label=f"z = {k}", **style)


def plot_shares(ax, x, r, **style):
    """The rows of ``x`` ``(n, 2)`` in the mixed colour of their responsibilities."""
    style = {"s": 16, "linewidth": 0, **style}
    return ax.scatter(x[:, 0], x[:, 1], c=mix_colours(r), **style)


def mix_colours(r):
    """Responsibilities ``(n, k)`` as RGB ``(n, 3)``: a mixture of the k colours."""
    return (r @ RGB[: r.shape[1]]).clamp(0, 1).numpy()


def plot_ellipses(ax, mixture, radii=(1, 2)):
    """Each component as ellipses at 1σ and 2σ; returns one list per component."""
    drawn = []
    for k, colour in enumerate(colours(mixture.k)):
        line = "-" if k < len(COMPONENTS) else "--"
        style = {"edgecolor": colour, "facecolor": "none", "linestyle": line}
        style["linewidth"] = 2.4
        rings = [Ellipse((0, 0), 1, 1, **style) for _ in radii]
        drawn.append([ax.add_patch(ring) for ring in rings])
    move_ellipses(drawn, mixture, radii)
    return drawn


def move_ellipses(drawn, mixture, radii=(1, 2)):
    """Put ellipses that are already drawn where the components of ``mixture`` are."""
    for rings, mean, covariance in zip(
        drawn, mixture.means, mixture.covariances, strict=True
    ):
        values, vectors = torch.linalg.eigh(covariance)
        angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
        height, width = (2 * values.sqrt()).tolist()
        for ring, radius in zip(rings, radii, strict=True):
            ring.set_center(mean.tolist())
            ring.set(width=radius * width, height=radius * height, angle=angle)


def mark_doubles(ax, mixture, near=0.7):
    """Write "2 here" beside each pair of components with means nearer than ``near``."""
    distances = torch.cdist(mixture.means, mixture.means)
    pairs = (distances.triu(1) * (distances < near)).nonzero().tolist()
    for i, j in pairs:
        middle = mixture.means[[i, j]].mean(0)
        arrow = {"arrowstyle": "->", "color": "black"}
        ax.annotate(
            "2 here", middle, 0.35 * middle, ha="center", va="center", arrowprops=arrow
        )


# ---------------------------------------------------------------- sections 2 and 3


def plot_components(ax, mixture, grid):
    """A 1-D mixture: each weighted bump, and their sum; returns the curves."""
    lines = []
    for k, colour in enumerate(colours(mixture.k)):
        style = {"color": colour, "linestyle": LINES[k]}
        lines += ax.plot(grid, torch.zeros_like(grid), label=f"bump {k}", **style)
    lines += ax.plot(grid, 0 * grid, color=COLOUR["model"], label="sum", zorder=1.9)
    move_components(lines, mixture, grid)
    return lines


def move_components(lines, mixture, grid):
    """Give the curves of ``plot_components`` the values of another mixture."""
    bumps = mixture.log_joint(grid[:, None]).exp()
    for line, values in zip(lines, [*bumps.T, bumps.sum(1)], strict=True):
        line.set_ydata(values)


def two_bumps(weight, mean, sigma):
    """A standard normal, and beside it a second bump with this weight."""
    weights = torch.tensor([1 - weight, weight])
    means = torch.tensor([[0.0], [mean]])
    return GaussianMixture(weights, means, torch.tensor([[[1.0]], [[sigma**2]]]))


def draw_two_bumps(ax, weight, mean, sigma):
    """Section 2: two weighted bumps and their sum."""
    grid = torch.linspace(-5, 8, 521, dtype=torch.float64)
    lines = plot_components(ax, two_bumps(weight, mean, sigma), grid)
    ax.set(xlabel="x", ylabel="density", ylim=(0, 0.7), xlim=(-5, 8))
    ax.legend(loc="upper right")

    def update(weight, mean, sigma):
        move_components(lines, two_bumps(weight, mean, sigma), grid)
        ax.set_title(
            f"{1 - weight:.2f} · N(0, 1²) + {weight:.2f} · N({mean:.1f}, {sigma:.1f}²)"
        )

    update(weight, mean, sigma)
    return update


def draw_inference(axes, x, mixture):
    """Section 3: the bumps over x, and p(z | x) at one x as bars."""
    grid = torch.linspace(-12, 12, 601, dtype=torch.float64)
    plot_components(axes[0], mixture, grid)
    here = axes[0].axvline(x, color=COLOUR["data"], linewidth=1.5)
    axes[0].set(xlabel="x", ylabel="density", xlim=(-12, 12))
    axes[0].set_ylim(1e-12, 30)  # before the scale: it refuses 0
    axes[0].set_yscale("log")
    axes[0].legend(loc="upper center", ncols=4, columnspacing=0.9, handlelength=1.5)
    names = [f"z = {k}" for k in range(mixture.k)]
    bars = axes[1].bar(names, [0] * mixture.k, color=colours(mixture.k))
    axes[1].set(ylabel="p(z | x)", ylim=(0, 1.12))
    labels = [axes[1].text(k, 0, "", ha="center") for k in range(mixture.k)]

    def update(x):
        here.set_xdata([x, x])
        shares = mixture.responsibilities(torch.tensor([[x]]))[0].tolist()
        for bar, text, share in zip(bars, labels, shares, strict=True):
            bar.set_height(share)
            text.set(y=share + 0.02, text=f"{share:.2f}")
        axes[1].set_title(f"x = {x:.1f}: who made it?")

    update(x)
    return update


# ---------------------------------------------------------------- section 4: EM


def draw_half_step(axes, step, film, x):
    """Section 4: the points and ellipses after a half-step; the bound climbing.

    ``film`` is a list of ``(name, mixture, responsibilities, log_likelihood, bound)``.
    """
    points = plot_shares(axes[0], x, film[step][2])
    rings = plot_ellipses(axes[0], film[step][1])
    axes[0].set(xlabel="eruption (min)", ylabel="waiting (min)")
    axes[0].set(xlim=(0.5, 6.3), ylim=(35, 105))
    heights = torch.tensor([frame[3:] for frame in film], dtype=torch.float64)
    when = torch.arange(len(film)) / 2
    axes[1].plot(when, heights[:, 0], color=COLOUR["model"], label="log-likelihood")
    axes[1].plot(when, heights[:, 1], color=COLOUR["latent"], ls="--", label="bound")
    (top,) = axes[1].plot([], [], "o", color=COLOUR["model"], markersize=9)
    (low,) = axes[1].plot([], [], "s", color=COLOUR["latent"], markersize=8)
    bottom = heights[1:, 1].min().item()  # the start itself lies far below
    room = 0.08 * (heights.max().item() - bottom)
    axes[1].set(ylim=(bottom - room, heights.max().item() + room))
    axes[1].set(xlabel="iteration", ylabel="nats per example", xlim=(0, when[-1] + 0.5))
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1].legend(loc="lower right")

    def update(step):
        name, mixture, r, *_ = film[step]
        points.set_facecolor(mix_colours(r))
        move_ellipses(rings, mixture)
        top.set_data(when[step : step + 1], heights[step : step + 1, 0])
        low.set_data(when[step : step + 1], heights[step : step + 1, 1])
        axes[0].set_title(f"iteration {step // 2}, {name}")
        log_p, lower = heights[step].tolist()
        axes[1].set_title(f"log-likelihood {log_p:.3f}, bound {lower:.3f}")

    update(step)
    return update
