"""The digits of notebook 04, 28 × 28, dark ink on white, and their codes."""

import torch
from matplotlib.patches import Ellipse, Rectangle

from course_utils.style import COLOUR, GROUPS

CLASSES = "tab10"
INK = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "upper"}


def mosaic(images, columns, gap=2):
    """Images ``(n, 784)`` as one picture, ``columns`` in a row, white between."""
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
    columns = len(rows[0])
    plot_digits(ax, torch.cat(list(rows)), columns)
    for index, name in enumerate(names):
        ax.text(-5, 30 * index + 14, name, ha="right", va="center", fontsize=11.5)


def draw_nine(axes, beta, fits, x):
    """Clouds q(z | x) of nine digits, two σ wide, and what is decoded from them.

    ``fits`` maps β to a trained model with two latents.
    """
    clouds, names = [], []
    for index in range(len(x)):
        colour = GROUPS[index % len(GROUPS)]
        style = {"facecolor": colour, "alpha": 0.4, "edgecolor": colour}
        cloud = Ellipse((0, 0), 1, 1, linestyle="-" if index < 6 else "--", **style)
        clouds.append(axes[0].add_patch(cloud))
        names.append(axes[0].text(0, 0, f"{index + 1}", ha="center", va="center"))
    for radius in (1, 2):
        ring = Ellipse((0, 0), 2 * radius, 2 * radius, fill=False, linestyle=":")
        ring.set_edgecolor(COLOUR["quiet"])
        axes[0].add_patch(ring)
    axes[0].set(xlim=(-4, 4), ylim=(-4, 4), xlabel="z₁", ylabel="z₂")
    axes[0].set_aspect("equal")
    picture = plot_digits(axes[1], x, 3)

    def update(beta):
        model = fits[beta]
        with torch.no_grad():
            q = model.encode(x)
            noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(0))
            decoded = model.decode(q.mean + q.stddev * noise).mean
            bound = model.elbo(x, noise)
        for cloud, name, mean, sigma in zip(
            clouds, names, q.mean.tolist(), q.stddev.tolist(), strict=True
        ):
            cloud.set_center(mean)
            cloud.set(width=4 * sigma[0], height=4 * sigma[1])
            name.set_position(mean)
            name.set_visible(max(map(abs, mean)) < 3.9)
        picture.set_data(mosaic(decoded, 3))
        axes[0].set_title(f"β = {beta:g}: KL {bound.kl:.1f} nats")
        score = f"{bound.reconstruction:.1f}".replace("-", "−")
        axes[1].set_title(f"reconstruction {score} nats")

    update(beta)
    return update


def standard_normal_ticks(n):
    """n values of z that cut N(0, 1) into equal shares."""
    return torch.special.ndtri((torch.arange(n) + 0.5) / n)


def plot_manifold(ax, model, n=17):
    """What the decoder draws on a grid of z that follows the prior."""
    ticks = standard_normal_ticks(n)
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
        between = places[:, None] - places
        distance = between.norm(dim=-1, keepdim=True)
        push = (least - distance).clamp(min=0) / 2 / distance.clamp(min=1e-6)
        places += (push * between).sum(dim=1)
    return places


def plot_clouds(ax, z, labels, half_width=3.5):
    """Codes ``(n, 2)`` in the colour of their class, its digit at their median."""
    style = {
        "c": labels,
        "cmap": CLASSES,
        "vmin": -0.5,
        "vmax": 9.5,
        "s": 5,
        "alpha": 0.5,
    }
    ax.scatter(z[:, 0], z[:, 1], linewidth=0, **style)
    middles = torch.stack([z[labels == k].median(dim=0).values for k in range(10)])
    for digit, (x, y) in enumerate(apart(middles, 0.16 * half_width).tolist()):
        box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "alpha": 0.85}
        ax.text(x, y, f"{digit}", ha="center", va="center", bbox=box, zorder=1.5)
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


def plot_codes(ax, codes, row):
    """Codes ``(n, 16)`` as 4 × 4 tiles in the empty row ``row`` of ``plot_rows``."""
    top, limits = 30 * row, (ax.get_xlim(), ax.get_ylim())
    for index, code in enumerate(codes):
        box = (30 * index, 30 * index + 28, top + 28, top)
        style = {"cmap": "viridis", "vmin": 0, "vmax": 63, "extent": box}
        ax.imshow(code.view(4, 4), interpolation="nearest", **style)
    ax.set(xlim=limits[0], ylim=limits[1])
