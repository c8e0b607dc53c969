"""Pictures of digits: sheets of priors, scores, triangles, guidance, phrases (07)."""

import math

import torch
from matplotlib.patches import Polygon

from course_utils.arguments import require
from course_utils.beyond.words import THIRDS, spell
from course_utils.divergences.trilemma import CORNERS, colour_of
from course_utils.drawing import (
    function,
    key_of,
    listing,
    mapping,
    panel,
    panels,
    parts,
    row,
    takes,
)
from course_utils.rules import (
    array,
    between,
    digits,
    number,
    positive,
    whole,
    wholes,
    word,
)
from course_utils.style import COLOUR, GROUPS, plot_points
from course_utils.vae.ink import plot_digits

FLOOR = 3.4  # d² between two sets of 10 000 real digits
ROW, REAL = row("confident", "covered", "ms"), row("confident", "covered")
SLOWEST, FASTEST = 300, 15  # ms per 1000 digits that count as speed 0, and as 1


@takes(drawn=mapping(digits(), "k"), axes=panels("k", spare=True), columns=whole())
def plot_sheets(axes, drawn, columns=5):
    """One panel of digits for each entry of ``drawn``: name → images ``(n, 784)``."""
    panels = list(axes.flatten())
    for ax in panels:
        ax.set_axis_off()
    for ax, (name, images) in zip(panels, drawn.items(), strict=False):
        plot_digits(ax, images, columns, name)


@takes(decode=function(digits()), columns=whole(), ax=panel)
def sharpening(decode, columns=10):
    """``draw(ax, state)`` for ``watch``: a sheet of the images of ``decode()``."""

    def draw(ax, state):
        plot_digits(ax, decode(), columns, str(state))

    return draw


@takes(axes=panels(3), images=digits("n"), thirds=wholes(0, 2, "n", 3))
def plot_thirds(axes, images, thirds):
    """For each moment a panel: ten digits of its lower, middle and upper third.

    ``images`` are digits of one class ``(n, 784)``, ``thirds`` ``(n, 3)`` theirs.
    """
    for column, (ax, words) in enumerate(zip(axes, THIRDS, strict=True)):
        rows = [images[thirds[:, column] == third][:5] for third in range(3)]
        few = min(map(len, rows))
        require(thirds=(f"{few} in column {column}", few == 5, "5 digits or more each"))
        plot_digits(ax, torch.cat(rows), 5)
        for third, name in enumerate(words):
            ax.text(-4, 30 * third + 14, name or "–", ha="right", va="center")


@takes(axes=panels(4), rows=mapping(listing(row("d2", "confident", "log_prob", "ms"))))
def plot_scores(axes, rows):
    """d², sure digits, held-out log p(z) and milliseconds: a line for each model.

    ``rows`` maps a name to a list of rows of ``data/trilemma_digits.csv``.
    """
    panels = [
        # key, factor, label, limits, logarithmic?, the value of real digits
        ("d2", 1, "d² (low is good)", (2, 500), True, FLOOR),
        ("confident", 100, "sure of (%)", (0, 104), False, 96),
        ("log_prob", 1, "log p(z), nats", None, False, None),
        ("ms", 1, "ms for 1000", (3, 1000), True, None),
    ]
    for ax, (key, scale, label, limits, logarithmic, ideal) in zip(
        axes, panels, strict=True
    ):
        for place, (name, runs) in enumerate(rows.items()):
            values = [scale * float(run[key]) for run in runs]
            values = [value for value in values if math.isfinite(value)]
            if not values:
                middle = {"ha": "center", "va": "center", "color": COLOUR["quiet"]}
                ax.text(0.5, place, "–", transform=ax.get_yaxis_transform(), **middle)
                continue
            ends = [min(values), max(values)]
            ax.plot(ends, [place, place], color=colour_of(name), linewidth=3)
            ax.plot(values, [place] * len(values), "o", color=colour_of(name))
        if ideal is not None:
            ax.axvline(ideal, color=COLOUR["target"], linestyle="--", linewidth=1.4)
        if logarithmic:
            ax.set_xscale("log")
            ticks = [t for t in (3, 10, 30, 100, 300) if limits[0] <= t <= limits[1]]
            ax.set_xticks(ticks, [str(t) for t in ticks])
            ax.minorticks_off()
        ax.set(xlabel=label, yticks=range(len(rows)), yticklabels=[])
        if limits:
            ax.set_xlim(limits)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(axis="y", color="#DDDDDD")
    axes[0].set_yticks(range(len(rows)), rows)


@takes(row=ROW, real=REAL)
def corners_of(row, real) -> dict[str, float]:
    """Quality, coverage and speed of a row from 0 (poor) to 1 (as real digits).

    Quality is the share of digits that are sure, over that of ``real`` ones; coverage
    is ``covered`` over theirs. Speed is 1 at 15 ms for 1000 digits and 0 at 300 ms, by
    its logarithm.
    """
    quality = float(row["confident"]) / float(real["confident"])
    coverage = float(row["covered"]) / float(real["covered"])
    speed = math.log(SLOWEST / float(row["ms"])) / math.log(SLOWEST / FASTEST)
    raw = zip(CORNERS, (quality, coverage, speed), strict=True)
    return {corner: min(1.0, max(0.0, value)) for corner, value in raw}


@takes(rows=mapping(listing(ROW), "k"), axes=panels("k", spare=True), real=REAL)
def plot_triangles(axes, rows, real):
    """A triangle for each model, one outline for each seed: corners pulled outwards."""
    panels, frame = list(axes.flatten()), torch.tensor([*CORNERS.values()])
    for ax in panels:
        ax.set_axis_off()
        ax.set(xlim=(-1.35, 1.35), ylim=(-0.95, 1.4), aspect="equal")
    for ax, (name, runs) in zip(panels, rows.items(), strict=False):
        ax.add_patch(Polygon(frame, fill=False, edgecolor="#999999", linewidth=1.2))
        for run in runs:
            pulled = torch.tensor([*corners_of(run, real).values()])
            shape = frame * pulled[:, None]
            tint = {"facecolor": colour_of(name), "alpha": 0.55 / len(runs)}
            ax.add_patch(Polygon(shape, linewidth=0, **tint))
            edge = {"fill": False, "edgecolor": colour_of(name), "linewidth": 1.8}
            ax.add_patch(Polygon(shape, **edge))
        ax.set_title(name, loc="center")
        for corner, (x, y) in CORNERS.items():
            side = "bottom" if corner == "quality" else "top"
            middle = {"ha": "center", "va": side, "fontsize": 9}
            ax.text(1.05 * x, 1.08 * y, corner, **middle)


@takes(
    axes=panels(2),
    samples=mapping(array(None, 2), "g"),
    powers=mapping(array("m", "m", low=0), "g", keys="samples"),
    guidance=key_of("samples"),
    w=key_of("samples"),
    centres=array(None, 2),
    half=positive,
)
def draw_plane(axes, guidance, samples, powers, centres, half=4.0):
    """Guided samples in the plane, and the density that the formula seems to promise.

    ``samples`` maps a guidance to x ``(n, 2)``, ``powers`` to a density on a square
    grid ``(m, m)`` over [−half, half]². Returns ``update(w)``.
    """
    ends = (-half, half)
    dots = plot_points(axes[0], samples[guidance], role="model", s=5, alpha=0.4)
    frame = {"extent": (*ends, *ends), "origin": "lower", "cmap": "Blues"}
    picture = axes[1].imshow(powers[guidance], **frame)
    for ax in axes:
        for index, (x, y) in enumerate(centres.tolist()):
            own = {"marker": "*" if index == 0 else "x", "s": 90, "zorder": 5}
            ax.scatter([x], [y], color=COLOUR["target"], **own)
        ax.set(xlim=ends, ylim=ends, aspect="equal")

    def update(w):
        dots.set_offsets(samples[w])
        density = powers[w]
        picture.set_data(density)
        picture.set_clim(0, density.max().item())
        axes[0].set_title(f"w = {w:g}: samples of the guided walk")
        axes[1].set_title("p(x | c)^(1 + w) / p(x)^w")

    update(guidance)
    return update


@takes(axes=panels(2), table=mapping(parts(between(0, 1), number)))
def plot_trade(axes, table):
    """Words obeyed and d² against guidance; ``table`` maps w to (share right, d²)."""
    strengths = [*table]
    right, distance = zip(*table.values(), strict=True)
    axes[0].plot(strengths, [100 * r for r in right], "o-", color=GROUPS[0])
    axes[0].set(xlabel="guidance w", ylabel="all words right (%)", ylim=(0, 102))
    axes[1].plot(strengths, distance, "s--", color=GROUPS[5])
    axes[1].set(xlabel="guidance w", ylabel="d² (low is good)")
    axes[1].set_ylim(0, None)


@takes(
    ax=panel,
    paint=function(digits()),
    unknown=listing(word, empty=True),
    guidance=number,
    seed=whole(0, 2**63 - 1),
    columns=whole(),
)
def phrase(ax, paint, bag, unknown, guidance, seed, columns=10):
    """What ``paint(bag, guidance, seed)`` makes of a phrase, under the phrase itself.

    Words that nobody knows are named in the title.
    """
    rest = f"; I do not know: {', '.join(unknown)}" if unknown else ""
    title = f"{spell(bag)}  (w = {guidance:g}, seed {seed}){rest}"
    plot_digits(ax, paint(bag, guidance, seed), columns, title)
