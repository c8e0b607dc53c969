"""The pictures of notebook 05 on the game: in one dimension, and in two numbers.

Real is green, fake is pink, noise is orange; the discriminator is a dark line, and the
side that it calls real or fake is tinted in the same two colours.
"""

import math

import torch
from matplotlib.collections import LineCollection

from course_utils.style import COLOUR, JUDGE, VERDICT

GRID = torch.linspace(-4, 4, 321)
WIDTH = 0.07  # of the kernel that makes a density of the samples
ARROWS = 25


def normal_quantiles(n):
    """n numbers that cut N(0, 1) into equal shares, ``(n, 1)``: noise without luck."""
    return torch.special.ndtri((torch.arange(n) + 0.5) / n)[:, None]


def smooth_density(x, grid, width=WIDTH):
    """A density over ``grid`` from samples ``(n,)``: the mean of n narrow Gaussians."""
    gaps = (grid[:, None] - x) / width
    return (-0.5 * gaps.square()).exp().mean(dim=1) / (width * math.sqrt(2 * math.pi))


def plot_curve_of_samples(axes, z, x):
    """Left the noise ``(n, 1)``; right what becomes of it, ``(n, 2)``: a thin curve.

    The same sample has the same colour in both panels.
    """
    style = {"c": z[:, 0], "cmap": "viridis", "vmin": -3, "vmax": 3, "s": 9}
    lift = torch.rand(len(z), generator=torch.Generator().manual_seed(99))
    axes[0].scatter(z[:, 0], lift, linewidth=0, **style)
    axes[0].set(xlabel="z (height has no meaning)", yticks=[], xlim=(-4, 4))
    axes[0].set_title("noise z ~ N(0, 1)")
    axes[0].spines["left"].set_visible(False)
    axes[1].scatter(x[:, 0], x[:, 1], linewidth=0, **style)
    axes[1].set_aspect("equal", adjustable="datalim")
    axes[1].set(xlabel="x₁", ylabel="x₂", title="x = G(z): all on one curve")


def draw_dirac(ax, step, penalty, play_round, rounds=150):
    """The smallest GAN: the field of its two gradients, and two ways to follow it.

    ``play_round(theta, psi, step, penalty, alternate)`` returns the next pair.
    """
    limit = 4.0
    ticks = torch.linspace(-limit, limit, 17, dtype=torch.float64)
    theta, psi = torch.meshgrid(ticks, ticks, indexing="xy")
    style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.004}
    field = ax.quiver(theta, psi, theta, psi, color="#999999", pivot="mid", **style)
    paths = {
        False: ax.plot([], [], "o-", color=COLOUR["target"], markersize=3.5)[0],
        True: ax.plot([], [], "s--", color=COLOUR["model"], markersize=3.5)[0],
    }
    paths[False].set(label="both at once", linewidth=1.2)
    paths[True].set(label="in turns", linewidth=1.2)
    ax.plot([], [], ">", color="#999999", markersize=8, label="where both want to go")
    ax.plot([1.5], [0], "*", color="black", markersize=15, label="start")
    ax.plot([0], [0], "P", color=COLOUR["real"], markersize=12, label="solution")
    ax.set(xlabel="θ (the generator's sample)", ylabel="ψ (slope of the logit of D)")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set_aspect("equal")
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))

    def update(step, penalty):
        ahead = play_round(theta, psi, 0.1, penalty, False)
        across, up = ahead[0] - theta, ahead[1] - psi
        speed = torch.hypot(across, up).clamp(min=1e-9)
        shrink = 0.48 * (speed / speed.max()).sqrt() / speed
        field.set_UVC(shrink * across, shrink * up)
        ends = []
        for alternate, line in paths.items():
            points = torch.zeros(rounds + 1, 2, dtype=torch.float64)
            points[0, 0] = 1.5
            for index in range(rounds):
                moved = play_round(*points[index], step, penalty, alternate)
                points[index + 1] = torch.stack(moved)
            line.set_data(points[:, 0], points[:, 1])
            ends.append(f"{points[-1].norm().item():.2f}")
        ax.set_title(
            f"after {rounds} rounds: distance {ends[0]} at once, {ends[1]} in turns"
        )

    update(step, penalty)
    return update


def draw_game(ax, shot, p):
    """p_data, p_g and D above; below, where each z goes. Goodfellow et al., figure 1.

    ``shot`` is (generator, discriminator, title), ``p`` the data's distribution.
    """
    tint = ax.imshow(
        torch.zeros(1, len(GRID)),
        extent=(-4, 4, 0, 1.25),
        aspect="auto",
        cmap=VERDICT,
        vmin=0,
        vmax=1,
        alpha=0.65,
    )
    ax.plot(GRID, p.log_prob(GRID).exp(), color=COLOUR["real"], label="p_data")
    (made,) = ax.plot([], [], "--", color=COLOUR["fake"], label="p_g")
    (judge,) = ax.plot([], [], "-.", color=JUDGE, label="D(x)")
    ends = normal_quantiles(ARROWS)
    arrows = ax.add_collection(
        LineCollection([], colors=COLOUR["latent"], linewidth=1.3)
    )
    (heads,) = ax.plot([], [], "^", color=COLOUR["latent"], markersize=6)
    for height, name in [(0, "x"), (-0.75, "z")]:
        ax.axhline(height, color="#444444", linewidth=1)
        ax.text(4.1, height, name, va="center", fontsize=13)
    ax.plot(ends[:, 0], torch.full((ARROWS,), -0.75), "o", color=COLOUR["latent"])
    ax.axhline(0.5, color="#999999", linewidth=1, linestyle=":")
    ax.set(xlim=(-4, 4), ylim=(-0.85, 1.25), yticks=[0, 0.5, 1], xticks=range(-4, 5))
    ax.set_ylabel("density, and D", loc="top")
    ax.spines["bottom"].set_visible(False)
    ax.legend(loc="upper left", ncols=3)
    noise = normal_quantiles(2000)

    def update(shot):
        generator, discriminator, title = shot
        with torch.no_grad():
            x, tips = generator(noise)[:, 0], generator(ends)[:, 0]
            probability = discriminator.probability(GRID[:, None])
        made.set_data(GRID, smooth_density(x, GRID))
        judge.set_data(GRID, probability)
        tint.set_data(probability[None])
        heights = torch.tensor([-0.75, -0.05])
        paths = torch.stack([torch.cat([ends, tips[:, None]], 1)], dim=-1)
        lines = torch.stack([paths[..., 0], heights.expand(ARROWS, 2)], dim=-1)
        arrows.set_segments(lines.numpy())
        heads.set_data(tips, torch.full((ARROWS,), -0.05))
        ax.set_title(title)

    update(shot)
    return update


def draw_moves(ax, d_steps, g_steps, shots, p):
    """``draw_game`` for ``shots[d_steps, g_steps]``: first D moves alone, then G."""
    show = draw_game(ax, shots[d_steps, g_steps], p)
    return lambda d_steps, g_steps: show(shots[d_steps, g_steps])
