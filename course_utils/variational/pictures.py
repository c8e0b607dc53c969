"""The pictures of notebook 03, without sections 5 and 6. Bounds and gaps in nats."""

import math

import torch
from torch.distributions import Normal

from course_utils.drawing import having, listing, panel, panels, parts, takes
from course_utils.rules import (
    array,
    between,
    number,
    positive,
    shares,
    truths,
    wholes,
    word,
)
from course_utils.style import COLOUR, plot_points
from course_utils.variational.bounds import elbo_by_quadrature

GAP = "#FBE7B5"  # a gap: a light tone of the colour of q, always hatched or framed
DARK_LATENT = "#6B4A00"  # a second q in the same picture: a dark tone
LINEAR = having("log_prob", mean=array(2), weight=array(2, None))


@takes(ax=panel, labels=listing(word, "k"), probability=shares("k"))
def plot_bags(ax, labels, probability):
    """p(z | x) over a handful of bags, as horizontal bars."""
    bars = ax.barh(labels, probability, color=COLOUR["latent"], height=0.7)
    ax.bar_label(bars, [f"{p:.3f}" for p in probability.tolist()], padding=4)
    ax.invert_yaxis()
    ax.set(xlabel="p(z | x)", xlim=(0, 1.12 * probability.max().item()))


@takes(ax=panel, per_second=between(1, 1e30))
def plot_term_count(ax, per_second):
    """How many terms the sum has, and how long it takes at ``per_second`` terms."""
    d = torch.arange(1, 101)
    ax.semilogy(d, 2.0**d, color=COLOUR["model"])
    marks = {"1 second": 1, "1 year": 3.156e7, "age of the universe": 4.35e17}
    for name, seconds in marks.items():
        ax.axhline(seconds * per_second, color=COLOUR["quiet"], linestyle=":")
        ax.text(2, 1.6 * seconds * per_second, name, fontsize=11, va="bottom")
    ax.plot([100], [2.0**100], "o", color=COLOUR["target"])
    ax.annotate("$2^{100}$", (100, 2.0**100), (90, 2.0**100), va="center", ha="right")
    power = round(math.log10(per_second))
    ax.set_title(f"dotted: the time at $10^{{{power}}}$ terms per second")
    ax.set(xlabel="number of binary latents D", ylabel="terms in the sum")
    ax.set_ylim(1, 1e33)  # 2¹⁰⁰ is about 1.3 · 10³⁰


@takes(ax=panel, share=between(0, 1), low=positive, high=positive)
def draw_jensen(ax, share, low=0.25, high=3.0):
    """The log curve, two points on it, and the gap at their weighted mean."""
    w = torch.linspace(0.08, 3.4, 300)
    ax.plot(w, w.log(), color=COLOUR["quiet"], label="log w")
    ends = [math.log(low), math.log(high)]
    ax.plot([low, high], ends, "o--", color=COLOUR["latent"], label="chord")
    (gap,) = ax.plot([], [], color=COLOUR["data"], linewidth=3, label="gap")
    (top,) = ax.plot([], [], "s", color=COLOUR["target"], markersize=10)
    (bottom,) = ax.plot([], [], "o", color=COLOUR["latent"], markersize=10)
    top.set_label("log E[w]")
    bottom.set_label("E[log w]")
    ax.set(xlabel="w", ylabel="log w", ylim=(-2, 1.6))
    ax.legend(loc="lower right")

    def update(share):
        mean = (1 - share) * low + share * high
        outside, inside = math.log(mean), (1 - share) * ends[0] + share * ends[1]
        gap.set_data([mean, mean], [inside, outside])
        top.set_data([mean], [outside])
        bottom.set_data([mean], [inside])
        text = f"log E[w] = {outside:.3f}, E[log w] = {inside:.3f}"
        ax.set_title(f"share {share:.2f}: {text}, gap {outside - inside:.3f}")

    update(share)
    return update


@takes(ax=panel, model=having("grid", "log_posterior"), label=word)
def posterior_and_q(ax, model, x, label, **limits):
    """The posterior of x on the grid of ``model``; returns a curve that becomes q."""
    posterior = model.log_posterior(x).exp()
    ax.plot(model.grid, posterior, color=COLOUR["target"], label="posterior p(z | x)")
    ax.set(xlabel="z", ylabel="density", **limits)
    # it stands on the posterior until the first update gives it the values of q
    return ax.plot(model.grid, posterior, "--", color=COLOUR["latent"], label=label)[0]


@takes(
    axes=panels(2),
    mu=number,
    sigma=positive,
    model=having("grid", "log_prob", "log_posterior", "log_joint"),
    floor=number,
)
def draw_identity(axes, mu, sigma, model, x, floor=-10.0):
    """Left q beside the posterior, right ELBO + KL, stacked up to log p(x).

    The axis of the bars is cut at ``floor``, which must lie below every ELBO shown.
    """
    grid, log_p = model.grid, number(model.log_prob(x), "model.log_prob(x)")
    left, right = axes
    curve = posterior_and_q(left, model, x, "q(z)", xlim=(-3, 4), ylim=(0, 1.6))
    left.legend(loc="upper left")
    # two bars on top of each other: from the floor to the ELBO, and on to log p(x)
    below = right.bar([0], [1], bottom=floor, width=0.5, color=COLOUR["latent"])[0]
    style = {"color": GAP, "hatch": "//", "edgecolor": COLOUR["latent"]}
    gap = right.bar([0], [1], width=0.5, **style)[0]
    right.axhline(log_p, color=COLOUR["target"], linewidth=2)
    right.text(0.95, log_p + 0.12, f"log p(x) = {log_p:.3f}", ha="right")
    texts = [right.text(0.32, 0, "", va="center") for _ in range(2)]
    right.set(ylabel="nats", xlim=(-0.6, 1), ylim=(floor, -2), xticks=[])
    right.set_title("the axis is cut below the ELBO")

    def update(mu, sigma):
        q = Normal(grid.new_tensor(mu), sigma)
        elbo = elbo_by_quadrature(lambda z: model.log_joint(x, z), q).item()
        curve.set_ydata(q.log_prob(grid).exp())
        below.set_height(elbo - floor)
        gap.set_y(elbo)
        gap.set_height(log_p - elbo)
        texts[0].set(y=(elbo + floor) / 2, text=f"ELBO = {elbo:.3f}")
        texts[1].set(y=(log_p + elbo) / 2 - 0.3, text=f"KL = {log_p - elbo:.3f}")
        left.set_title(f"q = N({mu:.2f}, {sigma:.2f}²)")

    update(mu, sigma)
    return update


@takes(axes=panels(2), x=array("n", 2), elbos=array(None), exact=LINEAR, learned=LINEAR)
def plot_learning(axes, x, elbos, exact, learned):
    """Left the ELBO while learning, right the data with the learned direction."""
    left, right = axes
    left.plot(elbos, color=COLOUR["latent"], linewidth=0.7, alpha=0.6, label="ELBO")
    best = exact.log_prob(x).mean().item()
    left.axhline(best, color=COLOUR["target"], linestyle="--", label="exact maximum")
    left.set(xlabel="step", ylabel="nats per example", ylim=(best - 3, best + 1))
    left.legend(loc="lower right")
    plot_points(right, x)
    lines = [(exact, "target", "-", "exact"), (learned, "model", "--", "learned")]
    for model, role, style, name in lines:
        # the points that z = −2 and z = 2 stand for: a line along W through the mean
        ends = model.mean + torch.tensor([[-2.0], [2.0]]).to(x) * model.weight[:, 0]
        right.plot(*ends.detach().T, style, color=COLOUR[role], label=name, linewidth=3)
    right.set_aspect("equal", adjustable="datalim")  # as high as the left panel
    right.set(xlabel="x₁", ylabel="x₂")
    right.legend(loc="upper left")


@takes(ax=panel, per_point=positive, network=positive)
def plot_parameter_counts(ax, per_point, network):
    """Variational parameters as the data grow: one set for each x, or one network."""
    m = torch.logspace(0, 7, 50)
    ax.loglog(m, per_point * m, color=COLOUR["latent"], label="φ₁ … φₘ")
    flat = torch.full_like(m, network)
    ax.loglog(m, flat, "--", color=DARK_LATENT, label="one network f_w")
    ax.set(xlabel="number of examples m", ylabel="numbers to store")
    ax.legend(loc="upper left")


@takes(
    axes=panels(2),
    bounds=array(None),
    x=array("n", 2),
    q=having(mean=array("n"), stddev=array("n")),
)
def plot_encoder(axes, bounds, x, q):
    """Left the ELBO of each batch; right q(z | x) against the direction of x.

    For ``circle_model`` with turn 2: z, z − π and z + π give the same point.
    """
    left, right = axes
    left.plot(bounds, color=COLOUR["latent"], linewidth=0.7, label="ELBO of a batch")
    left.set(xlabel="step", ylabel="nats per example", ylim=(-5, 0))
    left.legend(loc="lower right")
    direction = torch.atan2(x[:, 1], x[:, 0])
    style = {"fmt": ".", "color": COLOUR["latent"], "elinewidth": 0.6, "alpha": 0.6}
    mean, width = q.mean.detach(), 2 * q.stddev.detach()
    right.errorbar(direction, mean, width, label="q(z | x): mean, ± 2σ", **style)
    turn = torch.tensor([-math.pi, math.pi])
    for shift in (-math.pi, 0.0, math.pi):
        name = "in the direction of x" if shift == 0 else None
        right.plot(turn, turn / 2 + shift, color=COLOUR["target"], label=name)
    right.set(xlabel="direction of x (radians)", ylabel="z", ylim=(-5.5, 4))
    right.legend(loc="lower right")


@takes(
    ax=panel,
    names=listing(word, "k"),
    approximation=number,
    amortization=array("k"),
    errors=array("k", low=0),
)
def plot_gaps(ax, names, approximation, amortization, errors):
    """Stacked bars: what the family costs, and what sharing one network costs.

    ``errors`` are the standard errors of ``amortization``, the upper part.
    """
    bottom = torch.full((len(names),), approximation)
    labels = ["approximation gap (the family)", "amortization gap (the network)"]
    style = {"color": GAP, "edgecolor": COLOUR["latent"], "hatch": "//"}
    ax.bar(names, bottom, width=0.55, label=labels[0], **style)
    style = {"color": COLOUR["latent"]}
    ax.bar(names, amortization, 0.55, bottom, label=labels[1], **style)
    style = {"fmt": "none", "ecolor": COLOUR["data"], "capsize": 4}
    ax.errorbar(range(len(names)), bottom + amortization, errors, **style)
    ax.set(ylabel="nats per example", xlabel="encoder")
    ax.legend(loc="upper right")


@takes(
    ax=panel,
    x=array("n", 2),
    gap=array("n"),
    other_peak=truths("n"),
    title=word,
    top=positive,
)
def plot_gap_map(ax, x, gap, other_peak, title, top=1.0):
    """Each x at its place over the circle; bright where the encoder loses most.

    Crosses: the points whose q stands on the other peak. Colours stop at ``top``: say
    so at the colour bar. On the dashed line both peaks are equally probable.
    """
    turn = torch.linspace(0, 6.2832, 200)
    ax.plot(turn.cos(), turn.sin(), color=COLOUR["quiet"], linewidth=1)
    ax.plot([-2.2, 0], [0, 0], "--", color=COLOUR["quiet"], linewidth=1.4)
    order = gap.argsort()  # large gaps are drawn last, on top
    style = {"c": gap[order].clamp(max=top), "cmap": "viridis", "s": 14, "zorder": 2}
    dots = ax.scatter(x[order, 0], x[order, 1], vmin=0, vmax=top, **style)
    style = {"color": COLOUR["target"], "linewidth": 1.4, "zorder": 3}
    ax.scatter(*x[other_peak].T, 60, marker="x", label="q on the other peak", **style)
    ax.set(title=title, xlabel="x₁", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    ax.set_aspect("equal")
    return dots


@takes(
    ax=panel,
    k=wholes(1, 10**9, "n"),
    bounds=array("n"),
    log_p=number,
    estimates=parts(array("n"), array("n", low=0)),
)
def plot_iwae(ax, k, bounds, log_p, estimates):
    """The exact bound against k, and log p(x); ``estimates`` are (values, errors)."""
    ax.axhline(log_p, color=COLOUR["target"], label="log p(x)")
    ax.plot(k, bounds, "o-", color=COLOUR["latent"], label="exact bound $L_k$")
    values, errors = estimates
    style = {"fmt": "s", "color": DARK_LATENT, "capsize": 4, "mfc": "white"}
    ax.errorbar(k, values, 4 * errors, label="sampled, ± 4 s.e.", **style)
    ax.set(xlabel="samples k inside the log", ylabel="nats", xscale="log")
    # a tick at each k of the table, none of those of a logarithmic axis
    ax.set_xticks(k, [str(number) for number in k.tolist()])
    ax.minorticks_off()
    ax.legend(loc="lower right")
