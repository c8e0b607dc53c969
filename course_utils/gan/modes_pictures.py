"""The pictures of notebook 05 in the plane and on digits: modes, spread, a blind D."""

import torch
from matplotlib.patches import Circle

from course_utils.style import COLOUR, VERDICT, plot_modes


def _frame(ax, modes, margin=1.6):
    half = margin * modes.centres.abs().max().item()
    ax.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[])
    ax.set_aspect("equal")
    return half


def plot_runs(axes, runs, modes, titles):
    """One small panel of samples ``(n, 2)`` for each run; circles are the modes."""
    for ax, x, title in zip(axes, runs, titles, strict=True):
        plot_modes(ax, modes)
        ax.scatter(x[:, 0], x[:, 1], s=3, color=COLOUR["fake"], linewidth=0)
        _frame(ax, modes)
        ax.set_title(title)


def draw_modes(ax, shot, modes, noise):
    """Samples from fixed ``noise`` over the tint of D: green real, pink fake.

    ``shot`` is (generator, discriminator, title).
    """
    half = _frame(ax, modes)
    ticks = torch.linspace(-half, half, 61)
    places = torch.cartesian_prod(ticks, ticks).flip(1)
    tint = ax.imshow(
        torch.zeros(61, 61),
        extent=(-half, half, -half, half),
        cmap=VERDICT,
        vmin=0,
        vmax=1,
        alpha=0.65,
        interpolation="bilinear",
    )
    plot_modes(ax, modes)
    dots = ax.scatter([], [], s=7, color="#7A2E5D", linewidth=0)

    def update(shot):
        generator, discriminator, title = shot
        with torch.no_grad():
            dots.set_offsets(generator(noise))
            tint.set_data(discriminator.probability(places).view(61, 61))
        ax.set_title(title)

    update(shot)
    return update


def plot_spread(ax, spreads):
    """The spread inside each mode, over the true one: a column of dots per method.

    ``spreads`` maps a name to a list of ``(k,)``, one for each run.
    """
    for column, (_, runs) in enumerate(spreads.items()):
        for index, spread in enumerate(runs):
            values = spread[spread.isfinite()]
            side = 0.5 * (index + 0.5) / len(runs) - 0.25
            across = torch.linspace(-0.2, 0.2, len(values)) / len(runs)
            x = column + side + across  # one after the other, so that none is hidden
            ax.plot(x, values, "o", color=COLOUR["fake"], markersize=7)
    ax.axhspan(0.8, 1.2, color=COLOUR["real"], alpha=0.15, linewidth=0)
    ax.axhline(1, color=COLOUR["real"], label="a perfect sampler")
    ax.set(xticks=range(len(spreads)), xticklabels=list(spreads), ylim=(0, 1.5))
    ax.set(ylabel="spread in a mode / σ", xlim=(-0.5, len(spreads) - 0.5))
    ax.legend(loc="upper right")


def plot_gradients(ax, logit, fake, centre, sigma, narrow, title):
    """One mode from near: the tint of D, and where its gradient pushes each fake.

    ``logit`` maps ``(n, 2)`` to logits; ``fake`` ``(n, 2)`` are the samples; circles
    show two standard deviations of the data (``sigma``) and of the fakes (``narrow``).
    """
    half = 2.7 * sigma
    ticks = torch.linspace(-half, half, 61)
    places = torch.cartesian_prod(ticks, ticks).flip(1) + centre
    with torch.no_grad():
        probability = logit(places).sigmoid().view(61, 61)
    extent = (-half, half, -half, half)
    ax.imshow(probability, cmap=VERDICT, vmin=0.2, vmax=0.8, extent=extent, alpha=0.7)
    x = fake.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(logit(x).sum(), x)
    at, push = (fake - centre).T, 0.35 * sigma**2 * gradient.T
    style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.014}
    ax.plot(*at, "o", color="#7A2E5D", markersize=3.5)
    ax.quiver(*at, *push, color="black", **style)
    for radius, role, line in [(sigma, "real", "-"), (narrow, "fake", "--")]:
        ring = Circle((0, 0), 2 * radius, fill=False, edgecolor=COLOUR[role])
        ring.set(linewidth=2.5, linestyle=line)
        ax.add_patch(ring)
    ax.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[], title=title)
    ax.set_aspect("equal")


def sheet_of(images, columns):
    """Digits ``(n, 784)`` as one picture without gaps, n a multiple of ``columns``."""
    rows = len(images) // columns
    return images.view(rows, columns, 28, 28).transpose(1, 2).reshape(28 * rows, -1)


def plot_sheet(ax, images, columns, title, names=()):
    """A sheet of digits, dark ink on white, a name for each row; returns the artist."""
    ax.set_axis_off()
    ax.set_title(title)
    for row, name in enumerate(names):
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
            dark = share > 0.18
            text = f"{100 * share:.0f}"
            colour = "white" if dark else "#222222"
            ax.text(column, row, text, ha="center", va="center", color=colour)
    ax.set(xticks=range(10), yticks=range(len(shares)), yticklabels=list(shares))
    ax.set(xlabel="class", title="share of each class (%); fair is 10")
