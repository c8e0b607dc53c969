"""Pictures of a diffusion model in the plane: the walk, and how many steps it takes."""

import math

from course_utils.divergences.trilemma import HALF_WIDTH, square
from course_utils.drawing import (
    MODES,
    either,
    having,
    key_of,
    mapping,
    panel,
    parts,
    takes,
)
from course_utils.rules import array, between, positive, whole, wholes
from course_utils.style import GROUPS, plot_points


@takes(
    ax=panel,
    moment=parts(whole(0), positive, array("n", 2), wholes(0, 10**6, "n")),
    steps=whole(),
)
def draw_walk(ax, moment, steps: int):
    """Noise on its way to data: one colour for all points that end in one mode.

    ``moment`` is (step, σ, x ``(n, 2)``, mode ``(n,)``); x is drawn at σ's own scale.
    """
    _, _, x, mode = moment
    colours = [GROUPS[index % 4] for index in mode.tolist()]
    style = {"s": 8, "alpha": 0.6, "linewidth": 0, "c": colours}
    dots = ax.scatter(*x.T, **style)
    square(ax)

    def update(moment):
        step, sigma, x, _ = moment
        zoom = math.hypot(1, sigma / 1.5)  # the width of ring and noise together
        dots.set_offsets(x / zoom)
        digits = 3 if sigma < 0.1 else 2
        where = f"step {step} of {steps}: σ = {sigma:.{digits}f}"
        ax.set_title(where + f", shown {zoom:.1f} times smaller" * (sigma > 0.5))

    update(moment)
    return update


@takes(
    ax=panel,
    ring=either(None, MODES),
    drawn=mapping(array(None, 2), "k"),
    found=mapping(having(high_quality=between(0, 1)), "k", keys="drawn"),
    steps=key_of("drawn"),
)
def draw_steps(ax, steps: int, ring, drawn, found):
    """Samples after a walk of ``steps``; both mappings go from steps to results."""
    dots = plot_points(ax, drawn[steps], role="model", s=6)
    square(ax, ring)

    def update(steps):
        dots.set_offsets(drawn[steps])
        quality = 100 * found[steps].high_quality
        many = "1 step" if steps == 1 else f"{steps} steps"
        beyond = (drawn[steps].abs() > HALF_WIDTH).any(dim=1).double().mean().item()
        lost = f", {100 * beyond:.0f} % outside the frame" * (beyond > 0.005)
        ax.set_title(f"{many}: {quality:.0f} % near a mode{lost}")

    update(steps)
    return update
