"""The plane of two latents: its axes, its clouds q(z | x), its numbers in place."""

import torch
from matplotlib.patches import Ellipse

from course_utils.arguments import counts
from course_utils.drawing import takes
from course_utils.rules import array, between, whole
from course_utils.style import COLOUR


def standard_normal_ticks(n):
    """n values of z that cut N(0, 1) into equal shares."""
    counts(n=n)
    return torch.special.ndtri((torch.arange(n) + 0.5) / n)


@takes(places=array("n", 2), least=between(0), sweeps=whole(0))
def apart(places, least, sweeps=100):
    """``places`` ``(n, 2)``, pushed apart until they lie ``least`` from each other."""
    places = places.clone()
    for _ in range(sweeps):
        between = places[:, None] - places  # (n, n, 2)
        distance = between.norm(dim=-1, keepdim=True)
        push = (least - distance).clamp(min=0) / 2 / distance.clamp(min=1e-6)
        places += (push * between).sum(dim=1)
    return places


def latent_plane(ax, half_width):
    """The axes of z₁ and z₂, from −``half_width`` to it."""
    limits = (-half_width, half_width)
    ax.set(xlim=limits, ylim=limits, xlabel="z₁", ylabel="z₂")
    ax.set_aspect("equal")


def draw_clouds(ax, n, half_width):
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
    latent_plane(ax, half_width)

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
