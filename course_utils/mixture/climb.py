"""Section 4 of notebook 02 in pictures: EM climbs the log-likelihood by the ELBO.

log p is vermilion and solid, the ELBO orange and broken, in nats per example.
"""

import torch
from matplotlib.ticker import MaxNLocator

from course_utils.drawing import function, key_of, listing, panel, panels, parts, takes
from course_utils.mixture.gate import as_rows
from course_utils.mixture.marks import PLANE, mixture_in, move_ellipses, move_shares
from course_utils.mixture.pictures import plot_ellipses, plot_shares
from course_utils.rules import array, number, shares, whole, word
from course_utils.style import COLOUR

# name, mixture, responsibilities, log-likelihood, bound
FRAME = parts(word, mixture_in(2), shares(None, None), number, number)


@takes(
    ax=panel,
    start=number,
    iterations=whole(0, 10**4),
    family=function(mixture_in(1, 2)),
    x=array(None, 1),
    grid=listing(number),
)
def draw_touch(ax, start, iterations, family, x, grid):
    """log p over one parameter θ, and the bound that touches it where θ is now.

    ``family(θ)`` is a mixture; θ has climbed from ``start`` by some iterations of EM.
    The bound keeps the responsibilities of this θ, and its top is the next θ.
    """
    joint = torch.stack([family(theta).log_joint(x) for theta in grid])  # (g, n, k)
    ax.plot(grid, joint.logsumexp(2).mean(1), color=COLOUR["target"], label="log p")
    style = {"color": COLOUR["latent"], "ls": "--", "label": "ELBO, its r kept"}
    (bound,) = ax.plot(grid, [0.0] * len(grid), **style)
    (lift,) = ax.plot([], [], color="black", ls=":", linewidth=1.5)
    style = {"color": "black", "ls": "none", "mfc": "none", "mew": 2, "zorder": 3}
    (here,) = ax.plot([], [], "o", ms=12, label="θ: here they touch", **style)
    (top,) = ax.plot([], [], "^", ms=11, label="its top: the next θ", **style)
    ax.set(xlabel="θ, the mean of the second bump (min)", ylabel="nats per example")
    ax.set(xlim=(grid[0], grid[-1]), ylim=(-4.7, -3.7))
    ax.legend(loc="upper left", ncols=2)

    def update(start, iterations):
        theta = start
        for _ in range(iterations):
            theta = next_mean(family(theta), x)
        now, after = family(theta), next_mean(family(theta), x)
        r = now.responsibilities(x)
        # ELBO = Σ r log p(x, z) − Σ r log r, its mean over the examples
        own = torch.xlogy(r, r).sum(1)
        bound.set_ydata(((r * joint).sum(2) - own).mean(1))
        here.set_data([theta], [now.log_prob(x).mean().item()])
        new = family(after)
        height = ((r * new.log_joint(x)).sum(1) - own).mean().item()
        top.set_data([after], [height])
        lift.set_data([after, after], [height, new.log_prob(x).mean().item()])
        when = f"after {iterations} iterations"
        ax.set_title(f"{when}: θ = {theta:.2f} min, the next is {after:.2f}")

    update(start, iterations)
    return update


@takes(mixture=mixture_in(None, 2))
def next_mean(mixture, x):
    """One iteration of EM in which only the mean of the second bump is free."""
    x = as_rows(x, mixture.d)
    shares = mixture.responsibilities(x)[:, 1]
    return ((shares @ x) / shares.sum()).item()


@takes(axes=panels(2), x=PLANE, film=listing(FRAME), step=key_of("film"))
def draw_half_step(axes, step, film, x):
    """The points and ellipses after a half-step; the bound climbing.

    ``film`` is a list of ``(name, mixture, responsibilities, log_likelihood, bound)``.
    """
    points = plot_shares(axes[0], x, film[step][2])
    rings = plot_ellipses(axes[0], film[step][1])
    axes[0].set(xlabel="eruption (min)", ylabel="waiting (min)")
    axes[0].set(xlim=(0.5, 6.3), ylim=(35, 105))
    heights = torch.tensor([frame[3:] for frame in film], dtype=torch.float64)  # (n, 2)
    when = torch.arange(len(film)) / 2
    axes[1].plot(when, heights[:, 0], color=COLOUR["target"], label="log-likelihood")
    axes[1].plot(when, heights[:, 1], color=COLOUR["latent"], ls="--", label="ELBO")
    (top,) = axes[1].plot([], [], "o", color=COLOUR["target"], markersize=12)
    (low,) = axes[1].plot([], [], "s", color=COLOUR["latent"], markersize=7)
    bottom = heights[1:, 1].min().item()  # the start itself lies far below
    room = 0.08 * (heights.max().item() - bottom)
    axes[1].set(ylim=(bottom - room, heights.max().item() + room))
    axes[1].set(xlabel="iteration", ylabel="nats per example", xlim=(0, when[-1] + 0.5))
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1].legend(loc="lower right")

    def update(step):
        name, mixture, r, log_p, lower = film[step]
        move_shares(points, r)
        move_ellipses(rings, mixture)
        top.set_data([when[step]], [log_p])
        low.set_data([when[step]], [lower])
        axes[0].set_title(f"step {step}: iteration {step // 2}, {name}")
        axes[1].set_title(f"log-likelihood {log_p:.3f}, ELBO {lower:.3f}")

    update(step)
    return update
