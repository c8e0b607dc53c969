"""The pictures of notebook 04, in its order; nats, and digits as dark ink on white."""

import math
from itertools import pairwise

import torch
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle

from course_utils.arguments import check_data, counts, floats, require
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
INK = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "upper"}


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


def add_inference(ax):
    """On a drawn ``PLATE``: the dashed arrows of q(z | x), from x to z and from φ."""
    dashed = {"mutation_scale": 13, "linestyle": "--", "color": COLOUR["latent"]}
    # bent, so that it does not cover the arrow of the model from z to x
    _arrow(ax, (1.72, -0.32), (0.18, -0.32), connectionstyle="arc3,rad=-0.3", **dashed)
    _arrow(ax, (0, 1.45), (0, 0.34), **dashed)
    ax.set(xlim=(-0.9, 2.8), ylim=(-1.2, 2.1))


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


def plot_digits(ax, images, columns, title=""):
    """Images ``(n, 784)`` in rows of ``columns``; returns the artist."""
    ax.set_axis_off()
    ax.set_title(title)
    return ax.imshow(mosaic(images, columns), **INK)


def plot_rows(ax, rows, names):
    """Some rows of digits, ``(n, 784)`` each, with a name at the left of each row."""
    require(names=(list(names), len(names) == len(rows), f"{len(rows)}, one a row"))
    columns = len(rows[0])
    plot_digits(ax, torch.cat(list(rows)), columns)
    for index, name in enumerate(names):  # a row is 28 pixels high, 2 lie between
        ax.text(-5, 30 * index + 14, name, ha="right", va="center", fontsize=11.5)


def draw_nine(axes, beta, fits, x):
    """Clouds q(z | x) of nine digits, two σ wide, and what is decoded from them.

    ``fits`` maps β to a trained model with two latents.
    """
    update_clouds = _draw_clouds(axes[0], len(x), half_width=4)
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


def _draw_clouds(ax, n, half_width):
    """Empty clouds with the digits 1 to n; returns what moves them, and how it does.

    That function takes q(z | x), n Gaussians, and gives how many lie outside.
    """
    style = {"facecolor": COLOUR["latent"], "alpha": 0.35, "edgecolor": "black"}
    clouds = [ax.add_patch(Ellipse((0, 0), 1, 1, **style)) for _ in range(n)]
    words = {"ha": "center", "va": "center", "clip_on": True}
    names = [ax.text(0, 0, f"{index + 1}", **words) for index in range(n)]
    for radius in (1, 2):  # one and two σ of the prior
        style = {"fill": False, "linestyle": ":", "edgecolor": "#333333"}
        ax.add_patch(Ellipse((0, 0), 2 * radius, 2 * radius, **style))
    _latent_plane(ax, half_width)

    def update(q):
        outside = 0
        for cloud, name, mean, sigma in zip(
            clouds, names, q.mean.tolist(), q.stddev.tolist(), strict=True
        ):
            cloud.set_center(mean)
            cloud.set(width=4 * sigma[0], height=4 * sigma[1])
            name.set_position(mean)
            outside += max(map(abs, mean)) > half_width
        return outside

    return update


def plot_nine_splits(axes, fits, x, splits):
    """One panel of clouds for each β of ``splits``: β → (KL, I(x; z), KL(q(z) ‖ p(z))).

    Each frame is as large as its clouds need: at β = 0 they are far away.
    """
    for ax, (beta, (kl, says, misses)) in zip(axes, splits.items(), strict=True):
        with torch.no_grad():
            q = fits[beta].encode(x)
        furthest = q.mean.abs().max().item()
        half_width = 4 if furthest < 4 else 10 * math.ceil(1.1 * furthest / 10)
        _draw_clouds(ax, len(x), half_width)(q)
        ax.set_title(f"β = {beta:g}\n{kl:.1f} = {abs(says):.1f} + {misses:.1f} nats")
        ax.set(ylabel="z₂" if ax is axes[0] else "")


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


def standard_normal_ticks(n):
    """n values of z that cut N(0, 1) into equal shares."""
    counts(n=n)
    return torch.special.ndtri((torch.arange(n) + 0.5) / n)


def plot_manifold(ax, model, n=17):
    """What the decoder draws on a grid of z that follows the prior."""
    ticks = standard_normal_ticks(n)
    # rows of (z₁, z₂): z₁ grows to the right, z₂ upwards, so the first row is the last
    z = torch.cartesian_prod(ticks.flip(0), ticks).flip(1)
    with torch.no_grad():
        plot_digits(ax, model.decode(z).mean, n)


def mark_manifold(ax, n=17):
    """On the codes of ``plot_clouds``: the square that ``plot_manifold`` covers."""
    edge = standard_normal_ticks(n)[-1].item()
    style = {"fill": False, "edgecolor": "black", "linestyle": "--", "linewidth": 1.5}
    ax.add_patch(Rectangle((-edge, -edge), 2 * edge, 2 * edge, **style))


def apart(places, least, sweeps=100):
    """``places`` ``(n, 2)``, pushed apart until they lie ``least`` from each other."""
    places = places.clone()
    for _ in range(sweeps):
        between = places[:, None] - places  # (n, n, 2)
        distance = between.norm(dim=-1, keepdim=True)
        push = (least - distance).clamp(min=0) / 2 / distance.clamp(min=1e-6)
        places += (push * between).sum(dim=1)
    return places


def plot_clouds(ax, z, labels, half_width=3.5):
    """Codes ``(n, 2)`` in the colour of their class, its digit at their median."""
    style = {"cmap": "tab10", "vmin": -0.5, "vmax": 9.5, "alpha": 0.5, "linewidth": 0}
    ax.scatter(z[:, 0], z[:, 1], c=labels, s=5, **style)
    middles = torch.stack([z[labels == k].median(dim=0).values for k in range(10)])
    for digit, (x, y) in enumerate(apart(middles, 0.16 * half_width).tolist()):
        box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "alpha": 0.85}
        ax.text(x, y, f"{digit}", ha="center", va="center", bbox=box, zorder=1.5)
    _latent_plane(ax, half_width)


def _latent_plane(ax, half_width):
    limits = (-half_width, half_width)
    ax.set(xlim=limits, ylim=limits, xlabel="z₁", ylabel="z₂")
    ax.set_aspect("equal")


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


def plot_aggregated(ax, ticks, aggregated, prior, hole):
    """q(z) as filled contours, the prior as dotted lines, the holes hatched.

    All three are tables over ``ticks`` × ``ticks``, z₂ first; ``hole`` holds truths.
    Holes are drawn within three σ of the prior: outside there is nothing to miss.
    """
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
    _latent_plane(ax, ticks.max().item())
