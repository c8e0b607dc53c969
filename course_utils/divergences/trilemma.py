"""The trilemma in pictures: samples beside each other, scores, triangles (06)."""

import math

import torch
from matplotlib.patches import Polygon

from course_utils.drawing import (
    MODES,
    either,
    listing,
    mapping,
    panel,
    panels,
    row,
    takes,
)
from course_utils.rules import array, switch
from course_utils.style import COLOUR, plot_modes, plot_points

HALF_WIDTH = 3.2
CONTROLS = {"data": "data", "even circle": "quiet"}  # no models; their colours
PERFECT = 1 - math.exp(-4.5)  # the share of a 2-D Gaussian within 3σ
N_MODES = 8  # of both shapes
SLOWEST = 1000  # ms per 10 000 samples that count as speed 0; 1 ms counts as 1
CORNERS = {"quality": (0.0, 1.0), "coverage": (-0.87, -0.5), "speed": (0.87, -0.5)}


ROW = row("quality", "covered", "strict", "reverse_kl", "ms")


def colour_of(name: str) -> str:
    """GANs have the colour of fakes, other models that of models, controls theirs."""
    if name in CONTROLS:
        return COLOUR[CONTROLS[name]]
    return COLOUR["fake"] if "GAN" in name else COLOUR["model"]


@takes(ax=panel, ring=either(None, MODES))
def square(ax, ring=None):
    """The same piece of the plane in every panel, and the modes if there are some."""
    ends = (-HALF_WIDTH, HALF_WIDTH)
    ax.set(xlim=ends, ylim=ends, xticks=[], yticks=[], aspect="equal")
    if ring is not None:
        plot_modes(ax, ring)


@takes(
    ring=either(None, MODES),
    drawn=mapping(array(None, 2), "k"),
    axes=panels("k", spare=True),
)
def plot_samples(axes, ring, drawn):
    """One panel of dots for each entry of ``drawn``: name → x ``(n, 2)``."""
    panels = list(axes.flatten())
    for ax in panels[len(drawn) :]:
        ax.set_axis_off()
    for ax, (name, x) in zip(panels, drawn.items(), strict=False):
        some = x[:: max(1, len(x) // 1500)]  # from all of x: its order may mean much
        plot_points(ax, some, s=4, alpha=0.5, color=colour_of(name))
        square(ax, ring)
        ax.set_title(name)


@takes(
    axes=panels(4),
    rows=mapping(listing(row("quality", "covered", "spread_mean", "ms"))),
)
def plot_scores(axes, rows):
    """Four panels beside each other, one line of dots for each model.

    ``rows`` maps the name of a model to a list of dictionaries, one for each seed, with
    ``quality`` and ``covered`` in [0, 1], ``spread_mean`` and ``ms``. The dashed line
    is a perfect sampler.
    """
    panels = [
        # key in a row, factor, label, limits of the axis, the value of a perfect model
        ("quality", 100, "near a mode (%)", (0, 105), 100 * PERFECT),
        ("covered", 100, "covered (%), at least", (0, 105), 100 * PERFECT),
        ("spread_mean", 1, "spread / truth", (0, 3.4), 1),
        ("ms", 1, "ms for 10 000", (0.08, 3000), None),
    ]
    for ax, (key, scale, label, limits, ideal) in zip(axes, panels, strict=True):
        for place, (name, runs) in enumerate(rows.items()):
            values = [scale * float(run[key]) for run in runs]
            ends = [min(values), max(values)]
            ax.plot(ends, [place, place], color=colour_of(name), linewidth=3)  # range
            ax.plot(values, [place] * len(values), "o", color=colour_of(name))  # seeds
        if ideal is not None:
            ax.axvline(ideal, color=COLOUR["target"], linestyle="--", linewidth=1.4)
        ax.set(xlabel=label, xlim=limits, yticks=range(len(rows)), yticklabels=[])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(axis="y", color="#DDDDDD")
    axes[0].set_yticks(range(len(rows)), rows)
    axes[3].set_xscale("log")
    axes[3].set_xticks([0.1, 1, 10, 100, 1000], ["0.1", "1", "10", "100", "1000"])
    axes[3].minorticks_off()


@takes(row=ROW, generous=switch)
def corners_of(row, generous: bool = False) -> dict[str, float]:
    """Quality, coverage and speed of a row as numbers from 0 (poor) to 1 (ideal).

    Quality is the share near a mode over that of a perfect sampler, coverage is
    ``covered`` over the same. The ``generous`` coverage is what an even circle gets,
    too: the share of the modes that are found (strictly), or e to minus the reverse KL
    of their shares, whichever is less. Speed is 1 at 1 ms per 10 000 samples and falls
    to 0 at 1000 ms, by its logarithm.
    """
    if generous:
        even = math.exp(-float(row["reverse_kl"]))
        coverage = min(even, float(row["strict"]) / N_MODES)
    else:
        coverage = float(row["covered"]) / PERFECT
    speed = 1 - math.log10(float(row["ms"])) / math.log10(SLOWEST)
    raw = (float(row["quality"]) / PERFECT, coverage, speed)
    # NaN fails every comparison, so a model without a number gets 0
    return {
        key: min(1.0, v) if v > 0 else 0.0 for key, v in zip(CORNERS, raw, strict=True)
    }


@takes(rows=mapping(listing(ROW), "k"), axes=panels("k", spare=True))
def plot_triangles(axes, rows):
    """A triangle for each model: the further a corner is pulled, the better.

    ``rows`` maps a name to a list of rows with ``quality``, ``covered``, ``strict``,
    ``reverse_kl`` and ``ms``. Filled is the triangle with the strict coverage, dashed
    that with the generous one.
    """
    panels = list(axes.flatten())
    frame = torch.tensor([*CORNERS.values()])
    for ax in panels:
        ax.set_axis_off()
        ax.set(xlim=(-1.35, 1.35), ylim=(-0.95, 1.4), aspect="equal")
    for ax, (name, runs) in zip(panels, rows.items(), strict=False):
        ax.add_patch(Polygon(frame, fill=False, edgecolor="#999999", linewidth=1.2))
        for run in runs:
            full, dashed = (
                frame * torch.tensor([*corners_of(run, generous).values()])[:, None]
                for generous in (False, True)
            )
            tint = {"facecolor": colour_of(name), "alpha": 0.55 / len(runs)}
            ax.add_patch(Polygon(full, linewidth=0, **tint))
            edge = {"fill": False, "edgecolor": colour_of(name), "linewidth": 1.8}
            ax.add_patch(Polygon(full, **edge))
            edge |= {"linestyle": "--", "linewidth": 1.4, "edgecolor": "black"}
            ax.add_patch(Polygon(dashed, **edge))
        ax.set_title(name, loc="center")
        places = {"quality": "bottom", "coverage": "top", "speed": "top"}
        for corner, (x, y) in CORNERS.items():
            middle = {"ha": "center", "va": places[corner], "fontsize": 9}
            ax.text(1.05 * x, 1.08 * y, corner, **middle)
