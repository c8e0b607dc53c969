"""What the GANs of notebook 05 drew: modes in the plane (sections 6 and 7), digits (8).

Real is green, fake is pink; the truth, a circle of 3σ around each mode, is vermilion.
"""

import torch
from matplotlib.patches import Circle

from course_utils.arguments import check_shape, counts, floats, require, returned
from course_utils.drawing import (
    MODES,
    alone,
    either,
    function,
    having,
    listing,
    mapping,
    panel,
    panels,
    parts,
    takes,
)
from course_utils.gan.canvas import IN_DATA_UNITS, square, tint
from course_utils.rules import (
    array,
    between,
    digits,
    number,
    positive,
    shares,
    whole,
    word,
)
from course_utils.style import COLOUR, plot_modes

TICKS = 61  # of a tint in the plane, in each direction
DOTS = "#7A2E5D"  # fakes on a tint, where pink would be lost
JUDGING = having("probability")
HISTORY = alone(parts(listing(number, "t"), shares("t")))  # steps, shares
SHARES = alone(parts(listing(number, "t"), shares("t", None)))
SETTINGS = [("-", "#333333"), ("--", "#56B4E9")]


def _frame(ax, modes):
    half = 1.6 * modes.centres.abs().max().item()
    square(ax, half, xticks=[], yticks=[])
    return half


def _map(ax, half, **style):
    """A tint of the plane, and its places ``(TICKS², 2)``, row by row from below."""
    ticks = torch.linspace(-half, half, TICKS)
    cloth = tint(ax, (-half, half, -half, half), (TICKS, TICKS), **style)
    return cloth, torch.cartesian_prod(ticks, ticks).flip(1)


@takes(
    axes=panels("k"),
    runs=listing(array(None, 2), "k"),
    modes=MODES,
    titles=listing(word, "k"),
)
def plot_runs(axes, runs, modes, titles):
    """One small panel of samples ``(n, 2)`` for each run; circles are the modes."""
    for ax, x, title in zip(axes, runs, titles, strict=True):
        plot_modes(ax, modes)
        ax.scatter(x[:, 0], x[:, 1], s=3, color=COLOUR["fake"], linewidth=0)
        _frame(ax, modes)
        ax.set_title(title)


@takes(
    ax=panel,
    noise=array("n", None),
    shot=parts(function(array("n", 2)), JUDGING, word),
    modes=MODES,
)
def draw_modes(ax, shot, modes, noise):
    """Samples from fixed ``noise`` over the tint of D: green real, pink fake.

    ``shot`` is (generator, discriminator, title).
    """
    half = _frame(ax, modes)
    verdict, places = _map(ax, half, alpha=0.65, interpolation="bilinear")
    plot_modes(ax, modes)
    dots = ax.scatter([], [], s=7, color=DOTS, linewidth=0)

    def update(shot):
        generator, discriminator, title = shot
        with torch.no_grad():
            moved = generator(noise)
            sure = returned(discriminator.probability(places), (TICKS**2,), "D")
        dots.set_offsets(moved)
        verdict.set_data(sure.view(TICKS, TICKS))
        ax.set_title(title)

    update(shot)
    return update


@takes(ax=panel, spreads=mapping(listing(array(None, gaps=True))))
def plot_spread(ax, spreads):
    """The spread inside each mode, over the true one: a column of dots per method.

    ``spreads`` maps a name to a list of ``(k,)``, one for each run.
    """
    for column, runs in enumerate(spreads.values()):
        for index, spread in enumerate(runs):
            values = spread[spread.isfinite()]  # an empty mode has no spread
            side = 0.5 * (index + 0.5) / len(runs) - 0.25
            across = torch.linspace(-0.2, 0.2, len(values)) / len(runs)
            x = column + side + across  # one after the other, so that none is hidden
            ax.plot(x, values, "o", color=COLOUR["fake"], markersize=7)
    ax.axhspan(0.8, 1.2, color=COLOUR["real"], alpha=0.15, linewidth=0)
    ax.axhline(1, color=COLOUR["real"], label="a perfect sampler")
    ax.set(xticks=range(len(spreads)), xticklabels=list(spreads), ylim=(0, 1.5))
    ax.set(ylabel="spread in a mode / σ", xlim=(-0.5, len(spreads) - 0.5))
    ax.legend(loc="upper right")


@takes(
    ax=panel,
    logit=function(),
    fake=array("n", 2),
    centre=array(2),
    sigma=positive,
    narrow=positive,
    title=word,
)
def plot_gradients(ax, logit, fake, centre, sigma, narrow, title):
    """One mode from near: the tint of D, and where its gradient pushes each fake.

    ``logit`` maps ``(n, 2)`` to logits; ``fake`` ``(n, 2)`` are the samples; circles
    show two standard deviations of the data (``sigma``) and of the fakes (``narrow``).
    """
    half, x = 2.7 * sigma, fake.clone().requires_grad_()
    value = returned(logit(x), (len(x),), "logit").sum()
    finite = bool(value.isfinite()) and value.requires_grad
    require(logit=(value.item(), finite, "finite, and with a gradient by x"))
    (gradient,) = torch.autograd.grad(value, x)
    # near ½ everywhere: narrow limits, so that small differences can be seen
    cloth, places = _map(ax, half, vmin=0.2, vmax=0.8, alpha=0.7)
    with torch.no_grad():
        cloth.set_data(logit(places + centre).sigmoid().view(TICKS, TICKS))
    at, push = (fake - centre).T, 0.35 * sigma**2 * gradient.T
    ax.plot(*at, "o", color=DOTS, markersize=3.5)
    ax.quiver(*at, *push, color="black", width=0.014, **IN_DATA_UNITS)
    for radius, role, line in [(sigma, "real", "-"), (narrow, "fake", "--")]:
        ring = Circle((0, 0), 2 * radius, fill=False, edgecolor=COLOUR[role])
        ring.set(linewidth=2.5, linestyle=line)
        ax.add_patch(ring)
    square(ax, half, xticks=[], yticks=[], title=title)


@takes(
    ax=panel,
    runs=mapping(listing(HISTORY), most=len(SETTINGS)),
    floors=mapping(between(0, 1), empty=True),
    top=positive,
)
def plot_coverage(ax, runs, floors, top=1.0):
    """The covered share over the steps: a line per run, a style per setting.

    ``runs`` maps a setting to a list of (steps, shares); ``floors`` maps the name of a
    known sampler to its share, a dotted line.
    """
    for (name, lines), (style, colour) in zip(runs.items(), SETTINGS, strict=False):
        for index, (steps, covered) in enumerate(lines):
            label = None if index else name  # one entry in the legend per setting
            ax.plot(steps, covered, style, color=colour, linewidth=1.6, label=label)
    end = max(steps[-1] for lines in runs.values() for steps, _ in lines)
    for name, share in floors.items():
        ax.axhline(share, color=COLOUR["real"], linestyle=":", linewidth=1.8)
        ax.text(1.01 * end, share, name, va="center", fontsize=12)
    ax.set(xlabel="step", ylabel="covered share", xlim=(0, end), ylim=(0, top))
    ax.legend(loc="lower right")


@takes(
    axes=panels("k"),
    runs=listing(SHARES, "k"),
    titles=listing(word, "k"),
    top=either(None, positive),
)
def plot_shares(axes, runs, titles, top=None):
    """Which mode holds how much, over time: a column of eight squares per moment.

    ``runs`` is a list of (steps, shares ``(t, k)``). White is an empty mode; darkest is
    the share ``top``, by default twice the fair one.
    """
    for ax, (steps, held), title in zip(axes, runs, titles, strict=True):
        k = held.shape[1]
        frame = {"extent": (0, steps[-1], 0.5, k + 0.5), "aspect": "auto"}
        frame |= {"origin": "lower", "interpolation": "nearest"}
        ax.imshow(held.T, cmap="Blues", vmin=0, vmax=top or 2 / k, **frame)
        ax.set(xticks=[0, steps[-1]], yticks=[], title=title)
        ax.grid(visible=False)
    axes[0].set(yticks=range(1, k + 1), ylabel="mode")
    axes[0].set_xlabel("step")


def sheet_of(images, columns):
    """Digits ``(n, 784)`` as one picture without gaps, n a multiple of ``columns``.

    Raises ``ValueError`` for other shapes.
    """
    counts(columns=columns)
    images = floats(images, "images")
    check_shape(images, 784, "images")
    n, rule = len(images), f"a multiple of columns = {columns} digits"
    require(images=(n, n % columns == 0, rule))
    rows = len(images) // columns
    grid = images.reshape(rows, columns, 28, 28)  # row, column, y, x
    return grid.transpose(1, 2).reshape(28 * rows, -1)  # row, y, column, x


@takes(
    ax=panel,
    images=digits(),
    columns=whole(),
    title=word,
    names=listing(word, empty=True),
)
def plot_sheet(ax, images, columns, title, names=()):
    """A sheet of digits, dark ink on white, a name for each row; returns the artist."""
    sheet = sheet_of(images, columns)
    most = len(sheet) // 28
    require(names=(names, len(names) <= most, f"at most {most}, one for each row"))
    ax.set_axis_off()
    ax.set_title(title)
    for row, name in enumerate(names):  # a row is 28 pixels high
        ax.text(-4, 28 * row + 14, name, ha="right", va="center", fontsize=12)
    ink = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "origin": "upper"}
    return ax.imshow(sheet, **ink)


@takes(
    ax=panel,
    noise=array("n", None),
    shot=parts(function(digits("n")), word),
    columns=whole(),
)
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


@takes(ax=panel, shares=mapping(shares(10)))
def plot_classes(ax, shares):
    """The share of each class of digits, one row of ten squares per model."""
    table = torch.stack(list(shares.values()))
    ax.imshow(table, cmap="Blues", vmin=0, vmax=0.3, aspect="auto", origin="upper")
    for row, values in enumerate(table.tolist()):
        for column, share in enumerate(values):
            colour = "white" if share > 0.18 else "#222222"  # readable on its square
            text = f"{100 * share:.0f}"
            ax.text(column, row, text, ha="center", va="center", color=colour)
    ax.set(xticks=range(10), yticks=range(len(shares)), yticklabels=list(shares))
    ax.set(xlabel="class", title="share of each class (%); fair is 10")
