"""The pictures of notebook 05, sections 1 to 5: the game and its formulas.

Real is green, fake is pink, noise is orange; the discriminator is a dark line, and the
side that it calls real or fake is tinted in the same two colours. Losses are in nats.
"""

import math

import torch
from matplotlib.collections import LineCollection
from torch.distributions import Normal
from torch.nn.functional import logsigmoid, softplus

from course_utils.arguments import check_finite, require, returned
from course_utils.drawing import (
    function,
    having,
    listing,
    mapping,
    panel,
    panels,
    parts,
    takes,
)
from course_utils.gan.canvas import (
    GRID,
    IN_DATA_UNITS,
    densities,
    normal_quantiles,
    smooth_density,
    square,
    tint,
)
from course_utils.rules import (
    array,
    density,
    growing,
    number,
    positive,
    shares,
    whole,
    word,
)
from course_utils.style import COLOUR, JUDGE, plot_density

ARROWS = 25
OUTSIDE = {"loc": "upper left", "bbox_to_anchor": (1.02, 1)}  # a legend at the right
SHOT = parts(function(array(None, 1)), having("probability"), word)
LOSSES = {"log(1 − D)": ("--", "#333333"), "−log D": ("-", "#56B4E9")}


@takes(axes=panels(2), z=array("n", 1), x=array("n", 2))
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


@takes(axes=panels(2))
def plot_machines(axes):
    """A VAE and a GAN as block diagrams: what is a network, and what judges it."""
    # per panel: boxes (place, words, colour), arrows (from, to)
    vae = (
        [
            ((0, 1), "x", "data"),
            ((1.5, 1), "encoder", None),
            ((3, 1), "q(z | x)", "latent"),
            ((4.5, 1), "decoder", None),
            ((6, 1), "p(x | z)", "model"),
            ((3, 0), "KL(q ‖ prior)", "latent"),
            ((6, 0), "ELBO", "latent"),
        ],
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 6), (2, 5), (5, 6)],
    )
    gan = (
        [
            ((0, 0), "z", "latent"),
            ((1.5, 0), "G", None),
            ((3, 0), "x = G(z)", "fake"),
            ((3, 1), "data x", "real"),
            ((4.5, 0.5), "D", None),
            ((6, 0.5), "real?\nin [0, 1]", "quiet"),
        ],
        [(0, 1), (1, 2), (2, 4), (3, 4), (4, 5)],
    )
    titles = "VAE: one goal, a bound on log p(x)", "GAN: a judge, and no density"
    for ax, (boxes, arrows), title in zip(axes, (vae, gan), titles, strict=True):
        patches = []
        for (x, y), words, role in boxes:
            colour = COLOUR[role] if role else JUDGE
            shape = "round,pad=0.35" if role else "square,pad=0.45"  # a network
            face = "white" if role else "#DDDDDD"
            frame = {"boxstyle": shape, "facecolor": face, "edgecolor": colour}
            place = {"ha": "center", "va": "center", "fontsize": 12}
            text = ax.text(x, y, words, bbox=frame | {"linewidth": 2}, **place)
            patches.append(text.get_bbox_patch())
        for start, end in arrows:
            line = {"arrowstyle": "-|>", "color": "#555555", "linewidth": 1.6}
            line |= {"patchA": patches[start], "patchB": patches[end]}
            line |= {"shrinkA": 2, "shrinkB": 2}
            ax.annotate("", boxes[end][0], boxes[start][0], arrowprops=line)
        ax.set(xlim=(-0.6, 6.9), ylim=(-0.5, 1.4), title=title)
        ax.set_axis_off()


@takes(
    ax=panel,
    step=number,
    penalty=number,
    momentum=number,
    play_round=function(),
    rounds=whole(1, 10**4),
)
def draw_dirac(ax, step, penalty, momentum, play_round, rounds=150):
    """The smallest GAN: the field of its two gradients, and two ways to follow it.

    ``play_round(theta, psi, step, penalty, alternate, momentum, last)`` returns the
    next pair; ``last`` is how far both moved in the round before.
    """
    limit = 4.0
    ticks = torch.linspace(-limit, limit, 17, dtype=torch.float64)
    theta, psi = torch.meshgrid(ticks, ticks, indexing="xy")
    style = {"color": "#999999", "pivot": "mid", "width": 0.004, **IN_DATA_UNITS}
    field = ax.quiver(theta, psi, theta, psi, **style)
    size = {"markersize": 3.5, "linewidth": 1.2}
    (at_once,) = ax.plot([], [], "o-", color=JUDGE, **size)
    (in_turns,) = ax.plot([], [], "s--", color="#56B4E9", **size)
    at_once.set_label("both at once")
    in_turns.set_label("in turns")
    ax.plot([], [], ">", color="#999999", markersize=8, label="where both want to go")
    ax.plot([1.5], [0], "*", color="black", markersize=15, label="start")
    ax.plot([0], [0], "P", color=COLOUR["real"], markersize=12, label="solution")
    square(ax, limit, xlabel="θ (the generator's sample)")
    ax.set_ylabel("ψ (slope of the logit of D)")
    ax.legend(**OUTSIDE)

    def update(step, penalty, momentum):
        ahead = play_round(theta, psi, 0.1, penalty, False)
        who, pair = "play_round", isinstance(ahead, tuple | list) and len(ahead) == 2
        require(play_round=(f"{ahead!r:.40}", pair, "a function that returns a pair"))
        ahead = [returned(place, theta.shape, who) for place in ahead]
        across, up = ahead[0] - theta, ahead[1] - psi
        # directions only: the speeds differ so much that most arrows would be dots
        shrink = 0.36 / torch.hypot(across, up).clamp(min=1e-9)
        field.set_UVC(shrink * across, shrink * up)
        ends = []
        for alternate, line in [(False, at_once), (True, in_turns)]:
            points = torch.zeros(rounds + 1, 2, dtype=torch.float64)  # θ, ψ by round
            points[0, 0], last = 1.5, torch.zeros(2, dtype=torch.float64)
            for index in range(rounds):
                now = points[index]
                moved = play_round(*now, step, penalty, alternate, momentum, last)
                points[index + 1] = torch.stack([returned(m, (), who) for m in moved])
                last = points[index + 1] - now
            check_finite(points, "what play_round returns")
            line.set_data(points[:, 0], points[:, 1])
            ends.append(f"{points[-1].norm().item():.2f}")
        far = f"distance {ends[0]} at once, {ends[1]} in turns"
        ax.set_title(f"after {rounds} rounds: {far}")

    update(step, penalty, momentum)
    return update


@takes(ax=panel, shot=SHOT, p=density)
def draw_game(ax, shot, p):
    """p_data, p_g and D above; below, where each z goes. Goodfellow et al., figure 1.

    ``shot`` is (generator, discriminator, title), ``p`` the data's distribution.
    """
    verdict = tint(ax, (-4, 4, 0, 1.25), (1, len(GRID)), aspect="auto", alpha=0.65)
    made, judge = densities(ax, p, GRID, "D(x)")
    ends, style = normal_quantiles(ARROWS), {"colors": COLOUR["latent"]}
    arrows = ax.add_collection(LineCollection([], linewidth=1.3, **style))
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
        returned(probability, GRID.shape, "probability of D")
        made.set_data(GRID, smooth_density(x, GRID))
        judge.set_data(GRID, probability)
        verdict.set_data(probability[None])
        across = torch.stack([ends[:, 0], tips], dim=1)  # from z below to x above
        heights = torch.tensor([-0.75, -0.05]).expand(ARROWS, 2)
        arrows.set_segments(torch.stack([across, heights], dim=-1).numpy())
        heads.set_data(tips, torch.full((ARROWS,), -0.05))
        ax.set_title(title)

    update(shot)
    return update


@takes(ax=panel, shots=mapping(SHOT), d_steps=number, g_steps=number, p=density)
def draw_moves(ax, d_steps, g_steps, shots, p):
    """``draw_game`` for ``shots[d_steps, g_steps]``: first D moves alone, then G."""

    def shot(*steps):
        keys, name = [*shots], "(d_steps, g_steps)"
        require(**{name: (steps, steps in keys, f"one of {keys}")})
        return shots[steps]

    show = draw_game(ax, shot(d_steps, g_steps), p)
    return lambda d_steps, g_steps: show(shot(d_steps, g_steps))


@takes(ax=panel, pairs=listing(parts(positive, positive), most=4))
def plot_peaks(ax, pairs):
    """a log y + b log(1 − y) over y for some (a, b), each with its peak."""
    y = torch.linspace(0, 1, 20_001)[1:-1]
    for (a, b), style in zip(pairs, ("-", "--", ":", "-."), strict=False):
        (line,) = ax.plot(y, a * y.log() + b * (1 - y).log(), style)
        best = a / (a + b)
        top = a * math.log(best) + b * math.log(1 - best)
        ax.plot([best], [top], "o", color=line.get_color(), markersize=9)
        line.set_label(f"a = {a:g}, b = {b:g}: peak at {best:.3g}")
    ax.set(xlabel="y", ylim=(-4.2, 0), xlim=(0, 1), ylabel="a log y + b log(1 − y)")
    ax.legend(**OUTSIDE)


@takes(
    ax=panel,
    p=density,
    q=density,
    grid=growing("n"),
    best=shares("n"),
    learned=shares("n"),
    shaded=parts(number, number),
)
def plot_best(ax, p, q, best, learned, grid, shaded):
    """Real and fake density, D* and a trained D; ``shaded`` is (from, to)."""
    plot_density(ax, p, grid, "real", "p_data")
    plot_density(ax, q, grid, "fake", "p_g", linestyle="--")
    ax.plot(grid, best, color=COLOUR["target"], linewidth=5, alpha=0.55, label="D*")
    ax.plot(grid, learned, "-.", color=JUDGE, label="trained D")
    ax.axvspan(*shaded, color="#000000", alpha=0.05, linewidth=0)
    ax.set(xlabel="x", ylim=(0, 1.02), xlim=(grid[0], grid[-1]))
    ax.set_ylabel("density, and D")
    ax.legend(**OUTSIDE)


@takes(axes=panels(2), mean=number, sigma=positive, p=density, grid=growing("n"))
def draw_best(axes, mean, sigma, p, grid):
    """Left p_data, p_g = N(mean, σ²) and D*; right V(G, D*) along all means."""
    ax = axes[0]
    made, judge = densities(ax, p, grid, "D*")
    ax.axhline(0.5, color="#999999", linewidth=1, linestyle=":")
    ax.set(xlabel="x", ylim=(0, 1.02), xlim=(grid[0], grid[-1]))
    ax.set_ylabel("density, and D*")
    ax.legend(loc="upper left")
    means = torch.linspace(-6, 6, 121, dtype=grid.dtype)
    (curve,) = axes[1].plot([], [], color=JUDGE)
    (point,) = axes[1].plot([], [], "o", color=COLOUR["fake"], markersize=11)
    for height, name in [(-math.log(4), "−log 4"), (0.0, "0")]:
        axes[1].axhline(height, color=COLOUR["quiet"], linewidth=1, linestyle=":")
        axes[1].text(-5.9, height + 0.03, name, fontsize=12)
    axes[1].set(xlim=(-6, 6), ylim=(-1.5, 0.15), xlabel="mean of p_g")
    axes[1].set(ylabel="V (nats)", title="V(G, D*) for all means; dot: this p_g")

    def values(means, sigma):
        # all integrals at once: x goes down, (n, 1), the means go across
        log_p = p.log_prob(grid)[:, None]
        log_q = Normal(means, sigma).log_prob(grid[:, None])
        logit = log_p - log_q
        terms = log_p.exp() * logsigmoid(logit) + log_q.exp() * logsigmoid(-logit)
        return torch.trapezoid(terms, grid, dim=0)

    def update(mean, sigma):
        q = Normal(grid.new_tensor(mean), grid.new_tensor(sigma))
        made.set_data(grid, q.log_prob(grid).exp())
        judge.set_data(grid, torch.sigmoid(p.log_prob(grid) - q.log_prob(grid)))
        here = values(grid.new_tensor([mean]), sigma).item()
        curve.set_data(means, values(means, sigma))
        point.set_data([mean], [here])
        jsd = max(0.0, (here + math.log(4)) / 2)  # V(G, D*) = 2 JSD − log 4
        ax.set_title(f"V = {here:.3f}, JSD = {jsd:.3f} nats".replace("-", "−"))

    update(mean, sigma)
    return update


def _both_losses(ax, x, curves, names=tuple(LOSSES)):
    for y, name, (line, colour) in zip(curves, names, LOSSES.values(), strict=True):
        ax.plot(x, y, line, color=colour, label=name)


@takes(axes=panels(2))
def plot_two_losses(axes):
    """Both losses of G over the logit of a fake, and the size of their gradients."""
    logit = torch.linspace(-8, 8, 401)
    _both_losses(axes[0], logit, (-softplus(logit), softplus(-logit)))
    slopes = logit.sigmoid(), (-logit).sigmoid()
    _both_losses(axes[1], logit, slopes, ("σ(l)", "1 − σ(l)"))
    for ax in axes:  # at the left training begins: the fakes are bad, and D is sure
        ax.axvspan(-8, -3, color=COLOUR["fake"], alpha=0.18, linewidth=0)
        ax.set(xlabel="logit l of a fake", xlim=(-8, 8))
    axes[0].set_ylabel("loss of G (nats)")
    axes[1].set_ylabel("size of the slope by l")
    axes[0].legend(loc="upper right")
    axes[1].legend(loc="center right")
    axes[1].text(-7.8, 0.5, "D is sure:\nfake", fontsize=12, va="center")


@takes(ax=panel, distance=array("n"), pulls=mapping(array("n"), keys=LOSSES))
def plot_pull(ax, distance, pulls):
    """How hard the gradient pulls a far generator back, for each loss by its name."""
    for name, pull in pulls.items():
        line, colour = LOSSES[name]
        ax.plot(distance, pull, line, color=colour, label=name)
    ax.set(
        xlabel="distance θ between fake and real", ylabel="pull on θ (nats per unit)"
    )
    ax.set(ylim=(0, 6), xlim=(0, distance[-1]))
    ax.legend()


@takes(ax=panel, paths=mapping(listing(array(None)), keys=LOSSES), goal=number)
def plot_race(ax, paths, goal):
    """The mean of the samples over the steps: one line per run, a style per loss."""
    for name, runs in paths.items():
        line, colour = LOSSES[name]
        for index, run in enumerate(runs):
            label = None if index else name  # one entry in the legend per loss
            ax.plot(run, line, color=colour, linewidth=1.6, label=label)
    ax.axhline(goal, color=COLOUR["real"], label="mean of the data")
    ax.set(xlabel="step", ylabel="mean of the fakes")
    ax.legend(loc="center right")
