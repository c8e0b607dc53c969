"""The pictures of notebook 04, sections 7 and 8: learned priors, and codes of bits."""

import math

from course_utils.arguments import require
from course_utils.drawing import (
    having,
    key_of,
    mapping,
    panel,
    panels,
    parts,
    takes,
)
from course_utils.rules import array, between, digits, number, positive, whole, wholes
from course_utils.style import COLOUR
from course_utils.vae.ink import INK, mosaic


@takes(
    axes=panels(3),
    found=mapping(parts(digits(), number, between(0, 1), number, number)),
    gaussians=key_of("found"),
)
def draw_numbers(axes, gaussians, found):
    """New digits of a mixture prior, and what the number of its Gaussians does.

    ``found`` maps a number to (digits ``(n, 784)``, d², share of clear digits, log p(z)
    of draws that EM has seen, and of others).
    """
    numbers = list(found)
    _, distance, _, seen, new = zip(*found.values(), strict=True)
    sheet = axes[0].imshow(mosaic(found[gaussians][0], 6), **INK)
    # white, not off: what is never drawn stays stale, and costs a whole drawing
    axes[0].set(xticks=[], yticks=[])
    axes[0].spines[:].set_color("white")
    axes[1].plot(numbers, distance, "o-", color=COLOUR["model"])
    axes[1].set(ylim=(0, 1.1 * max(distance)))
    latent = {"color": COLOUR["latent"]}
    hollow = {"markerfacecolor": "white", "markeredgewidth": 1.6}
    axes[2].plot(numbers, seen, "o-", label="draws that EM saw", **latent)
    axes[2].plot(numbers, new, "s--", label="draws of test digits", **latent, **hollow)
    axes[2].legend(loc="upper left")
    axes[2].set(ylim=(min(new) - 1, max(seen) + 0.35 * (max(seen) - min(new))))
    marks = []
    for ax in axes[1:]:
        ax.set(xscale="log", xlabel="Gaussians")
        ax.set_xticks(numbers, [f"{k}" for k in numbers])
        ax.minorticks_off()
        marks.append(ax.axvline(gaussians, color="#333333", linestyle=":"))

    def update(gaussians):
        digits, frechet, clear, _, held_out = found[gaussians]
        sheet.set_data(mosaic(digits, 6))
        for mark in marks:
            mark.set_xdata([gaussians] * 2)
        axes[0].set_title(f"{gaussians} Gaussians: {clear:.0%} clear")
        axes[1].set_title(f"d² {frechet:.1f} (0 is best)")
        score = f"{held_out:.1f}".replace("-", "−")
        axes[2].set_title(f"log p(z), test: {score} nats")

    update(gaussians)
    return update


@takes(ax=panel, codes=array(None, None), row=whole(0), highest=positive)
def plot_codes(ax, codes, row, highest=63):
    """Codes ``(n, 16)`` as 4 × 4 tiles in the empty row ``row`` of ``plot_rows``."""
    side = math.isqrt(codes.shape[-1])
    fits = side**2 == codes.shape[-1]
    require(codes=(f"shape {tuple(codes.shape)}", fits, "rows of square tiles"))
    top, limits = 30 * row, (ax.get_xlim(), ax.get_ylim())
    for index, code in enumerate(codes):
        box = (30 * index, 30 * index + 28, top + 28, top)
        style = {"cmap": "viridis", "vmin": 0, "vmax": highest, "extent": box}
        ax.imshow(code.view(side, side), interpolation="nearest", **style)
    ax.set(xlim=limits[0], ylim=limits[1])  # imshow has changed them


@takes(ax=panel, bits=wholes(0, 1, None, None), row=whole(0))
def plot_bits(ax, bits, row):
    """Bits ``(n, 64)`` as 8 × 8 tiles in the empty row ``row`` of ``plot_rows``."""
    plot_codes(ax, bits, row, highest=1)


@takes(made=having("layers", "mask0"), axes=panels(None))
def plot_masks(axes, made):
    """Which weights of a MADE may differ from 0, layer by layer; then all together."""
    masks = [getattr(made, f"mask{index}") for index in range(len(made.layers))]
    whole = masks[0]
    for mask in masks[1:]:
        whole = mask @ whole
    fits, need = len(axes) == len(masks) + 1, f"{len(masks)}, and one for all together"
    require(axes=(f"{len(axes)} axes", fits, need))
    titles = [f"layer {index + 1}" for index in range(len(masks))]
    for ax, mask, title in zip(
        axes, [*masks, (whole > 0).float()], [*titles, "all together"], strict=True
    ):
        style = {"cmap": "Blues", "vmin": 0, "vmax": 1.4, "aspect": "auto"}
        style["origin"] = "upper"  # row 1 on top, as a matrix is written
        ax.imshow(mask, interpolation="nearest", **style)
        ax.set(title=title, xlabel="input", ylabel="output", xticks=[], yticks=[])
    for ax in axes[:-1]:
        ax.set(xlabel="from", ylabel="to")
