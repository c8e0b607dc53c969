"""The diagrams and curves of notebook 04; nats."""

from itertools import pairwise

import torch
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_utils.style import COLOUR

PLATE = (  # nodes, edges and plates, as draw_plates takes them
    {
        "z": ("$z_i$", 0, 0, "latent"),
        "x": ("$x_i$", 1.9, 0, "observed"),
        "f": ("$\\varphi$", 0, 1.5, "parameter"),
        "t": ("$\\theta$", 1.9, 1.5, "parameter"),
    },
    ["z -> x", "t -> x"],
    {"$m$": (-0.7, -1.05, 2.6, 0.75)},
)


def add_inference(ax):
    """On a drawn ``PLATE``: the dashed arrows of q(z | x), from x to z and from φ."""
    bent = {"arrowstyle": "-|>", "mutation_scale": 13, "linestyle": "--"}
    bent["color"] = COLOUR["latent"]
    ends = (1.72, -0.32), (0.18, -0.32)
    ax.add_patch(FancyArrowPatch(*ends, connectionstyle="arc3,rad=-0.3", **bent))
    ax.add_patch(FancyArrowPatch((0, 1.45), (0, 0.34), **bent))
    ax.set(xlim=(-0.9, 2.8), ylim=(-1.2, 2.1))


def draw_data_path(ax):
    """x → encoder → μ, σ → z = μ + σ ε → decoder → p(x | z), and ε from outside."""
    boxes = {
        0.0: ("$x$", "#C8C8C8"),
        1.5: ("encoder\n$\\varphi$", "#FBE3B3"),
        3.0: ("$\\mu,\\ \\sigma$", "#FBE3B3"),
        4.55: ("$z=\\mu+\\sigma\\varepsilon$", "white"),
        6.1: ("decoder\n$\\theta$", "#BFDDF0"),
        7.6: ("$p_\\theta(x\\mid z)$", "#BFDDF0"),
    }
    for x, (text, face) in boxes.items():
        _box(ax, x, 0, text, face)
    _box(ax, 4.55, 1.35, "$\\varepsilon\\sim\\mathcal{N}(0,I)$", "white")
    for left, right in pairwise(boxes):
        _arrow(ax, (left + 0.64, 0), (right - 0.64, 0))
    _arrow(ax, (4.55, 0.94), (4.55, 0.42))
    ax.plot([0.9, 0.9, 3.6, 3.6], [-0.52, -0.62, -0.62, -0.52], color="#333333", lw=1)
    ax.text(2.25, -1.0, "$q_\\varphi(z\\mid x)$", ha="center", fontsize=13)
    ax.set(xlim=(-0.75, 8.35), ylim=(-1.2, 1.9))
    ax.set_axis_off()


def _box(ax, x, y, text, face):
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "edgecolor": "#333333"}
    corner = (x - 0.62, y - 0.4)
    ax.add_patch(FancyBboxPatch(corner, 1.24, 0.8, facecolor=face, **style))
    ax.text(x, y, text, ha="center", va="center", fontsize=11.5)


def _arrow(ax, start, end):
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16))


def plot_marginal(axes, z, mean, sigma, grid, density):
    """Left the mean of x for each z; right its marginal density, and some parts."""
    low, high = (mean.min() - 4 * sigma).item(), (mean.max() + 4 * sigma).item()
    axes[0].plot(z, mean, color=COLOUR["model"])
    axes[0].fill_between(z, mean - 2 * sigma, mean + 2 * sigma, alpha=0.25)
    weight = torch.exp(-0.5 * z**2)  # p(z), scaled to height 1
    foot = low - 0.25 * (high - low)
    top = foot + 0.23 * (high - low) * weight
    axes[0].fill_between(z, foot, top, color=COLOUR["quiet"], alpha=0.45, linewidth=0)
    axes[0].text(2.1, foot + 0.02, "p(z)", va="bottom", fontsize=12)
    axes[0].set(xlabel="z", ylabel="x", title="p(x | z): one Gaussian for each z")
    axes[0].set(xlim=(-5, 5), ylim=(foot, high))
    axes[1].plot(grid, density, color=COLOUR["model"], label="p(x)")
    style = {"color": COLOUR["model"], "linestyle": "--", "linewidth": 1.4}
    label = "five of the p(x | z), weighted"
    for at in (-2.5, -1.4, -0.4, 0.6, 1.5):
        i = (z - at).abs().argmin()
        axes[0].plot(z[i], mean[i], "o", color="black", zorder=3)
        bump = torch.distributions.Normal(mean[i], sigma).log_prob(grid).exp()
        axes[1].plot(grid, 0.06 * weight[i] * bump, label=label, **style)
        label = None
    axes[1].set(xlabel="x", ylabel="density", title="p(x): their average over z")
    axes[1].set(xlim=(low, high), ylim=(0, 1.25 * density.max()))
    axes[1].legend(loc="upper left")


def plot_training(ax, states):
    """The ELBO over the epochs, of the training digits and of those held out."""
    epochs = [state.epoch for state in states]
    values = [state.elbo for state in states]
    ax.plot(epochs, values, "o-", color=COLOUR["model"], label="train")
    held_out = [state.held_out_elbo for state in states]
    ax.plot(epochs, held_out, "s--", color=COLOUR["data"], label="held out")
    ax.set(xlabel="epochs", ylabel="ELBO (nats per digit)", ylim=(-150, -85))
    ax.grid(color="#DDDDDD")
    ax.legend(loc="lower right")


def plot_kl_per_dimension(ax, kl):
    """The KL of every latent dimension, the largest first."""
    kl = kl.sort(descending=True).values
    used = kl > 0.05
    index = torch.arange(len(kl))
    ax.bar(index[used], kl[used], color=COLOUR["latent"], label="used")
    style = {"color": COLOUR["target"], "markersize": 8, "markeredgewidth": 2}
    ax.plot(index[~used], kl[~used], "x", label="collapsed", clip_on=False, **style)
    ax.set(xlabel="latent dimension, sorted", ylabel="KL (nats)")
    ax.set_title(f"{used.sum()} latents used, {(~used).sum()} collapsed")
    ax.legend()


def plot_sharpness(axes, names, variance, edges):
    """Two measures of blur as bars, one bar per kind of image."""
    colours = [COLOUR["real"], COLOUR["quiet"], COLOUR["fake"], COLOUR["model"]]
    panels = [(variance, "variance of a pixel"), (edges, "energy of edges")]
    for ax, (values, title) in zip(axes, panels, strict=True):
        bars = ax.barh(names, values, color=colours)
        for bar, hatch in zip(bars, ("", "xx", "//", ".."), strict=True):
            bar.set(hatch=hatch, edgecolor="white")
        ax.bar_label(bars, fmt="%.3f", padding=3)
        ax.set(title=title, xlim=(0, 1.25 * max(values)))
        ax.invert_yaxis()


def plot_aggregated(ax, ticks, aggregated, prior, hole):
    """q(z) as filled contours, the prior as dotted lines, the holes hatched.

    All three are tables over ``ticks`` × ``ticks``, z₂ first; ``hole`` holds truths.
    Holes are drawn within three σ of the prior: outside there is nothing to miss.
    """
    levels = (torch.linspace(0.04, 1.0001, 9) * aggregated.max()).tolist()
    dark = {"cmap": "YlOrBr", "vmin": -0.25 * levels[-1]}  # no pale start
    ax.contourf(ticks, ticks, aggregated, levels=levels, **dark)
    one_two_three = [prior.max().item() * part for part in (0.011, 0.135, 0.607)]
    dotted = {"colors": "#333333", "linestyles": ":"}
    ax.contour(ticks, ticks, prior, levels=one_two_three, **dotted)
    hatched = {"levels": [0.5, 1.5], "colors": "none", "hatches": ["///"]}
    ax.contourf(ticks, ticks, (hole & (prior > one_two_three[0])).float(), **hatched)
    ax.set(xlabel="z₁", ylabel="z₂", title="q(z), the prior (dotted), holes (///)")
    ax.set_aspect("equal")
