"""The pictures of notebook 04, in its order; nats, and digits as dark ink on white."""

import math
from itertools import pairwise

import torch
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from course_utils.arguments import require
from course_utils.drawing import (
    having,
    key_of,
    listing,
    mapping,
    panel,
    panels,
    parts,
    takes,
)
from course_utils.rules import (
    array,
    between,
    digits,
    growing,
    number,
    positive,
    truths,
    whole,
    wholes,
    word,
)
from course_utils.style import COLOUR
from course_utils.vae.ink import INK, mosaic, plot_digits, plot_rows
from course_utils.vae.plane import (
    apart,
    draw_clouds,
    latent_plane,
    standard_normal_ticks,
)

PLANE = having("encode", "decode", "elbo", latent_dim=whole(2, 2))
MOMENT = having(epoch=number, elbo=number, held_out_elbo=number)
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


@takes(
    axes=panels(2),
    z=array("n"),
    mean=array("n"),
    sigma=positive,
    grid=array("m"),
    density=array("m", low=0),
)
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
    for at in (-1.7, -1.2, -0.4, 0.65, 1.3):  # five that can be seen on the right
        i = (z - at).abs().argmin()
        axes[0].plot(z[i], mean[i], "o", color="black", zorder=3)
        bump = torch.distributions.Normal(mean[i], sigma).log_prob(grid).exp()
        axes[1].plot(grid, 0.1 * weight[i] * bump, label=label, **style)
        label = None  # the legend names the dashed curves once
    axes[1].set(xlabel="x", ylabel="density", title="p(x): their average over z")
    axes[1].set(xlim=(low, high), ylim=(0, 1.25 * density.max()))
    axes[1].legend(loc="upper left")


@takes(ax=panel)
def add_inference(ax):
    """On a drawn ``PLATE``: the dashed arrows of q(z | x), from x to z and from φ."""
    dashed = {"mutation_scale": 13, "linestyle": "--", "color": COLOUR["latent"]}
    # bent, so that it does not cover the arrow of the model from z to x
    _arrow(ax, (1.72, -0.32), (0.18, -0.32), connectionstyle="arc3,rad=-0.3", **dashed)
    _arrow(ax, (0, 1.45), (0, 0.34), **dashed)
    ax.set(xlim=(-0.9, 2.8), ylim=(-1.2, 2.1))


@takes(ax=panel)
def draw_data_path(ax):
    """x → encoder → μ, σ → z = μ + σ ε → decoder → p(x | z), and ε from outside."""
    boxes = {  # orange belongs to q, blue to the model
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
    # a bracket under the three boxes that make q(z | x)
    ax.plot([0.9, 0.9, 3.6, 3.6], [-0.52, -0.62, -0.62, -0.52], color="#333333", lw=1)
    ax.text(2.25, -1.0, "$q_\\varphi(z\\mid x)$", ha="center", fontsize=13)
    ax.set(xlim=(-0.75, 8.35), ylim=(-1.2, 1.9))
    ax.set_axis_off()


def _box(ax, x, y, text, face):
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "edgecolor": "#333333"}
    corner = (x - 0.62, y - 0.4)
    ax.add_patch(FancyBboxPatch(corner, 1.24, 0.8, facecolor=face, **style))
    ax.text(x, y, text, ha="center", va="center", fontsize=11.5)


def _arrow(ax, start, end, mutation_scale=16, color="black", **style):
    style |= {"arrowstyle": "-|>", "mutation_scale": mutation_scale, "color": color}
    ax.add_patch(FancyArrowPatch(start, end, **style))


@takes(axes=panels(2), fits=mapping(PLANE), beta=key_of("fits"), x=digits("n"))
def draw_nine(axes, beta, fits, x):
    """Clouds q(z | x) of nine digits, two σ wide, and what is decoded from them.

    ``fits`` maps β to a trained model with two latents.
    """
    update_clouds = draw_clouds(axes[0], len(x), half_width=4)
    picture = plot_digits(axes[1], x, 3)

    def update(beta):
        model = fits[beta]
        with torch.no_grad():
            q = model.encode(x)
            # the same noise for every β: what changes is the model, not the draw
            noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(0))
            decoded = model.decode(q.mean + q.stddev * noise).mean
            bound = model.elbo(x, noise)
        outside = update_clouds(q)
        picture.set_data(mosaic(decoded, 3))
        away = f", {outside} of {len(x)} outside the frame" * (outside > 0)
        axes[0].set_title(f"β = {beta:g}: KL {bound.kl:.1f} nats{away}")
        score = f"{bound.reconstruction:.1f}".replace("-", "−")
        axes[1].set_title(f"reconstruction {score} nats")

    update(beta)
    return update


@takes(
    fits=mapping(PLANE),
    x=digits("n"),
    splits=mapping(parts(number, number, number), "k", keys="fits"),
    axes=panels("k"),
)
def plot_nine_splits(axes, fits, x, splits):
    """One panel of clouds for each β of ``splits``: β → (KL, I(x; z), KL(q(z) ‖ p(z))).

    Each frame is as large as its clouds need: at β = 0 they are far away.
    """
    for ax, (beta, (kl, says, misses)) in zip(axes, splits.items(), strict=True):
        with torch.no_grad():
            q = fits[beta].encode(x)
        furthest = q.mean.abs().max().item()
        half_width = 4 if furthest < 4 else 10 * math.ceil(1.1 * furthest / 10)
        draw_clouds(ax, len(x), half_width)(q)
        ax.set_title(f"β = {beta:g}\n{kl:.1f} = {abs(says):.1f} + {misses:.1f} nats")
        ax.set(ylabel="z₂" if ax is axes[0] else "")


@takes(ax=panel, states=listing(MOMENT))
def plot_training(ax, states):
    """The ELBO over the epochs, of the training digits and of those held out."""
    epochs = [state.epoch for state in states]
    values = [state.elbo for state in states]
    bound = {"color": COLOUR["latent"]}
    ax.plot(epochs, values, "o-", label="training digits", **bound)
    held_out = [state.held_out_elbo for state in states]
    hollow = {"markerfacecolor": "white", "markeredgewidth": 1.6}
    ax.plot(epochs, held_out, "s--", label="digits set aside", **bound, **hollow)
    ax.set(xlabel="epochs", ylabel="ELBO (nats per digit)", ylim=(-150, -85))
    ax.grid(color="#DDDDDD")
    ax.legend(loc="lower center")


@takes(
    axes=panels(2),
    x=digits("n"),
    film=listing(parts(MOMENT, digits("n"))),
    moment=parts(MOMENT, digits("n")),
)
def draw_training(axes, moment, film, x):
    """A moment of a training: where on its curve, and what ``x`` is rebuilt to.

    ``moment`` is one of ``film``: pairs of a ``VAEState`` and rebuilt digits.
    """
    plot_training(axes[0], [state for state, _ in film])
    now = axes[0].axvline(0, color="#333333", linestyle=":")
    plot_rows(axes[1], [x, 0 * x], ["data", "rebuilt"])
    (sheet,) = axes[1].images

    def update(moment):
        state, rebuilt = moment
        now.set_xdata([state.epoch] * 2)
        sheet.set_data(mosaic(torch.cat([x, rebuilt]), len(x)))
        score = f"{state.held_out_elbo:.1f}".replace("-", "−")
        axes[0].set_title(f"{state.epoch:.1f} epochs: {score} nats set aside")

    update(moment)
    return update


@takes(ax=panel, model=PLANE, n=whole(1, 200))
def plot_manifold(ax, model, n=17):
    """What the decoder draws on a grid of z that follows the prior."""
    ticks = standard_normal_ticks(n)
    # rows of (z₁, z₂): z₁ grows to the right, z₂ upwards, so the first row is the last
    z = torch.cartesian_prod(ticks.flip(0), ticks).flip(1)
    with torch.no_grad():
        plot_digits(ax, model.decode(z).mean, n)


@takes(ax=panel, n=whole())
def mark_manifold(ax, n=17):
    """On the codes of ``plot_clouds``: the square that ``plot_manifold`` covers."""
    edge = standard_normal_ticks(n)[-1].item()
    style = {"fill": False, "edgecolor": "black", "linestyle": "--", "linewidth": 1.5}
    ax.add_patch(Rectangle((-edge, -edge), 2 * edge, 2 * edge, **style))


@takes(ax=panel, z=array("n", 2), labels=wholes(0, 9, "n"), half_width=positive)
def plot_clouds(ax, z, labels, half_width=3.5):
    """Codes ``(n, 2)`` in the colour of their class, its digit at their median."""
    style = {"cmap": "tab10", "vmin": -0.5, "vmax": 9.5, "alpha": 0.5, "linewidth": 0}
    ax.scatter(z[:, 0], z[:, 1], c=labels, s=5, **style)
    there = labels.unique().tolist()
    middles = torch.stack([z[labels == k].median(dim=0).values for k in there])
    places = apart(middles, 0.16 * half_width).tolist()
    for digit, (x, y) in zip(there, places, strict=True):
        box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "alpha": 0.85}
        ax.text(x, y, f"{digit}", ha="center", va="center", bbox=box, zorder=1.5)
    latent_plane(ax, half_width)


@takes(
    axes=panels(2),
    z1=number,
    z2=number,
    model=PLANE,
    z=array("n", 2),
    labels=wholes(0, 9, "n"),
)
def draw_latent(axes, z1, z2, model, z, labels):
    """Left the codes of test digits with the chosen point, right what it decodes to."""
    plot_clouds(axes[0], z, labels)
    (point,) = axes[0].plot([z1], [z2], "P", color="black", markersize=13)
    point.set_markeredgecolor("white")
    picture = axes[1].imshow(torch.zeros(28, 28), **INK)
    axes[1].set_axis_off()

    def update(z1, z2):
        point.set_data([z1], [z2])
        with torch.no_grad():
            image = model.decode(torch.tensor([[z1, z2]])).mean
        picture.set_data(image.view(28, 28))
        axes[1].set_title(f"z = ({z1:.2f}, {z2:.2f})")

    update(z1, z2)
    return update


@takes(
    axes=panels(2),
    names=listing(word, 4),
    variance=listing(between(0), 4),
    edges=listing(between(0), 4),
)
def plot_sharpness(axes, names, variance, edges):
    """Two measures of blur as bars, one bar per kind of image."""
    colours = [COLOUR[role] for role in ("data", "quiet", "model", "model")]
    panels = [
        (variance, "variance of a pixel", "mean over the pixels (ink = 1)"),
        (edges, "energy of edges", "mean squared difference (ink = 1)"),
    ]
    for ax, (values, title, unit) in zip(axes, panels, strict=True):
        bars = ax.barh(names, values, color=colours)
        for bar, hatch in zip(bars, ("", "xx", "//", ".."), strict=True):
            bar.set(hatch=hatch, edgecolor="white")
        ax.bar_label(bars, fmt="%.3f", padding=3)
        ax.set(title=title, xlabel=unit, xlim=(0, 1.25 * max(values)))
        ax.invert_yaxis()


@takes(ax=panel, kl=array("n"))
def plot_kl_per_dimension(ax, kl):
    """The KL of every latent dimension, the largest first."""
    kl = kl.sort(descending=True).values
    used = kl > 0.05  # nats; below, the notebook calls a latent collapsed
    index = torch.arange(len(kl))
    ax.bar(index[used], kl[used], color=COLOUR["latent"], label="used")
    style = {"color": COLOUR["quiet"], "markersize": 8, "markeredgewidth": 2}
    ax.plot(index[~used], kl[~used], "x", label="collapsed", clip_on=False, **style)
    ax.set(xlabel="latent dimension, sorted", ylabel="KL (nats)")
    ax.set_title(f"{used.sum()} latents used, {(~used).sum()} collapsed")
    ax.legend()


@takes(
    ax=panel,
    ticks=growing("n"),
    aggregated=array("n", "n", low=0),
    prior=array("n", "n", low=0),
    hole=truths("n", "n"),
)
def plot_aggregated(ax, ticks, aggregated, prior, hole):
    """q(z) as filled contours, the prior as dotted lines, the holes hatched.

    All three are tables over ``ticks`` × ``ticks``, z₂ first; ``hole`` holds truths.
    Holes are drawn within three σ of the prior: outside there is nothing to miss.
    """
    for name, table in (("aggregated", aggregated), ("prior", prior)):
        require(**{name: ("0 everywhere", table.max() > 0, "a density")})
    levels = (torch.linspace(0.04, 1.0001, 9) * aggregated.max()).tolist()
    dark = {"cmap": "YlOrBr", "vmin": -0.25 * levels[-1]}  # no pale start
    ax.contourf(ticks, ticks, aggregated, levels=levels, **dark)
    # at three, two and one σ the prior has exp(−r²/2) of its height
    one_two_three = [prior.max().item() * part for part in (0.011, 0.135, 0.607)]
    dotted = {"colors": "#333333", "linestyles": ":"}
    ax.contour(ticks, ticks, prior, levels=one_two_three, **dotted)
    hatched = {"levels": [0.5, 1.5], "colors": "none", "hatches": ["///"]}
    ax.contourf(ticks, ticks, (hole & (prior > one_two_three[0])).float(), **hatched)
    ax.set_title("q(z), the prior (dotted), holes (///)")
    latent_plane(ax, ticks.max().item())
