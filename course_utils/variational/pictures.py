"""The pictures of notebook 03, but for section 6. Bounds and gaps are in nats."""

import math

import torch
from matplotlib.patches import Ellipse
from torch.distributions import Normal

from course_utils.style import COLOUR, plot_points
from course_utils.variational.bounds import elbo_by_quadrature

GAP = "#FBE7B5"  # a gap: a light tone of the colour of q, always hatched or framed
DARK_LATENT = "#6B4A00"  # a second q in the same picture: a dark tone


def plot_bags(ax, labels, probability):
    """p(z | x) over a handful of bags, as horizontal bars."""
    bars = ax.barh(labels, probability, color=COLOUR["latent"], height=0.7)
    ax.bar_label(bars, [f"{p:.3f}" for p in probability.tolist()], padding=4)
    ax.invert_yaxis()
    ax.set(xlabel="p(z | x)", xlim=(0, 1.12 * probability.max().item()))


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


def _posterior_and_q(ax, model, x, label, **limits):
    """The posterior of x on the grid of ``model``; returns a curve that becomes q."""
    posterior = model.log_posterior(x).exp()
    ax.plot(model.grid, posterior, color=COLOUR["target"], label="posterior p(z | x)")
    ax.set(xlabel="z", ylabel="density", **limits)
    # it stands on the posterior until the first update gives it the values of q
    return ax.plot(model.grid, posterior, "--", color=COLOUR["latent"], label=label)[0]


def draw_identity(axes, mu, sigma, model, x, floor=-10.0):
    """Left q beside the posterior, right ELBO + KL, stacked up to log p(x).

    The axis of the bars is cut at ``floor``, which must lie below every ELBO shown.
    """
    grid, log_p = model.grid, model.log_prob(x).item()
    left, right = axes
    curve = _posterior_and_q(left, model, x, "q(z)", xlim=(-3, 4), ylim=(0, 1.6))
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


def plot_staircase(ax, bounds, log_likelihoods):
    """ELBO after each half-step of EM, log p above it, and the gap between them.

    The first half-step is an M-step.
    """
    step = torch.arange(len(bounds))
    style = {"facecolor": GAP, "edgecolor": COLOUR["latent"], "hatch": "//"}
    ax.fill_between(
        step, bounds, log_likelihoods, step="mid", linewidth=0, label="KL", **style
    )
    style = {"where": "mid", "linewidth": 2}
    ax.step(step, log_likelihoods, color=COLOUR["target"], label="log p", **style)
    ax.step(step, bounds, "--", color=COLOUR["latent"], label="ELBO", **style)
    ax.set_xticks(step, ["ME"[i % 2] for i in step.tolist()])
    ax.set(xlabel="half-steps of EM", ylabel="nats per example")
    ax.legend(loc="lower right")


def _ellipse(ax, mean, covariance, **style):
    """The ellipse of two standard deviations of a 2-D normal."""
    shape = _axes_of(covariance)
    return ax.add_patch(Ellipse(mean.tolist(), **shape, fill=False, lw=2.4, **style))


def _axes_of(covariance):
    values, vectors = torch.linalg.eigh(covariance)
    angle = math.degrees(math.atan2(vectors[1, 1].item(), vectors[0, 1].item()))
    # two standard deviations to each side; the largest eigenvalue comes last
    width, height = (4 * values.flip(0).sqrt()).tolist()
    return {"width": width, "height": height, "angle": angle}


def draw_mean_field(axes, rho):
    """A correlated target, its best product q, and both marginals of z₁."""
    left, right = axes
    grid = torch.linspace(-3.5, 3.5, 400, dtype=torch.float64)
    zero, unit = grid.new_zeros(2), grid.new_ones(2).diag()
    posterior = _ellipse(left, zero, unit, edgecolor=COLOUR["target"])
    product = _ellipse(left, zero, unit, edgecolor=COLOUR["latent"], linestyle="--")
    marginal = Normal(zero[0], 1.0).log_prob(grid).exp()
    right.plot(grid, marginal, color=COLOUR["target"], label="posterior")
    (curve,) = right.plot(grid, marginal, "--", color=COLOUR["latent"])
    curve.set_label("mean-field q")
    left.set(xlabel="z₁", ylabel="z₂", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
    left.set_aspect("equal")
    right.set(xlabel="z₁", ylabel="density", xlim=(-3.5, 3.5), ylim=(0, 1.5))
    right.legend(loc="upper left")

    def update(rho):
        shrunk = 1 - rho**2  # 1/Λ_jj: the variance of the best product
        posterior.set(**_axes_of(unit + rho * (1 - unit)))  # 1 and 1, ρ beside them
        product.set(**_axes_of(shrunk * unit))
        curve.set_ydata(Normal(zero[0], shrunk**0.5).log_prob(grid).exp())
        left.set_title(f"correlation {rho:.2f}")
        right.set_title(f"variance {shrunk:.2f} instead of 1")

    update(rho)
    return update


def draw_cavi(ax, state, states, target):
    """The path of coordinate ascent up to ``state``, on the target's ellipse."""
    _ellipse(ax, target.mean, target.covariance_matrix, edgecolor=COLOUR["target"])
    # every film picture is drawn anew: the path so far, then the q of this moment
    means = torch.stack([s.mean for s in states[: state.step + 1]])
    ax.plot(means[:, 0], means[:, 1], ".-", color=COLOUR["latent"], linewidth=1.4)
    variances = state.sigma.square().diag()
    _ellipse(ax, state.mean, variances, edgecolor=COLOUR["latent"], linestyle="--")
    ax.plot(*target.mean, "x", color=COLOUR["target"], markersize=11, markeredgewidth=3)
    ax.text(3, -2.3, "— posterior, × its mean", color=COLOUR["target"], ha="right")
    ax.text(3, -2.8, "- - mean-field q", color=COLOUR["latent"], ha="right")
    moved = "start" if state.coordinate is None else f"moved z{'₁₂'[state.coordinate]}"
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(-2.8, 3.2), ylim=(-3, 3))
    ax.set_aspect("equal")
    ax.set_title(f"update {state.step}: {moved}")


def draw_two_peaks(ax, x, start, readings, starts, fits, model):
    """Where a single normal ends for reading ``x`` if its mean starts at ``start``.

    ``fits`` are computed beforehand, for all ``readings`` and ``starts``: ``(r, s)``.
    """
    log_p, posteriors = model.log_prob(readings), model.log_posterior(readings).exp()
    shown = {"xlim": (-3.2, 3.2), "ylim": (0, 3.4)}
    curve = _posterior_and_q(ax, model, readings[-1], "q", **shown)
    posterior = ax.lines[0]
    (arrow,) = ax.plot([], [], "v", color=COLOUR["latent"], label="start", markersize=9)
    ax.legend(loc="upper right")

    def update(x, start):
        row, column = (readings - x).abs().argmin(), (starts - start).abs().argmin()
        q = Normal(fits.q.mean[row, column], fits.q.stddev[row, column])
        posterior.set_ydata(posteriors[:, row])
        curve.set_ydata(q.log_prob(model.grid).exp())
        arrow.set_data([start], [0.12])
        gap = log_p[row] - fits.elbo[row, column]
        ends = f"q starts at {start:+.2f}, ends at {q.mean:+.2f}, KL = {gap:.3f}"
        ax.set_title(f"x = {x:.2f}: {ends}")

    update(x, start)
    return update


def plot_curves(ax, grid, curves, **limits):
    """Log-densities ``{label: (log values, role or colour, line style)}`` on a grid."""
    for name, (log_values, role, style) in curves.items():
        ax.plot(grid, log_values.exp(), style, color=COLOUR.get(role, role), label=name)
    ax.set(xlabel="z", ylabel="density", **limits)
    ax.legend(loc="upper left")


def plot_inclusion(ax, weights, mean_field, exact):
    """Is each item in the bag? What mean field says, and what is true."""
    style = {"linestyle": "", "markersize": 5}
    ax.plot(weights, exact, "s", color=COLOUR["target"], label="exact", **style)
    ax.plot(
        weights, mean_field, "o", color=COLOUR["latent"], label="mean field", **style
    )
    ax.set(xlabel="weight of the item (kg)", ylabel="probability: in the bag")
    ax.set(ylim=(-0.05, 1.05))
    ax.legend(loc="center right", bbox_to_anchor=(1.0, 0.72))


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
        right.plot(*ends.T, style, color=COLOUR[role], label=name, linewidth=3)
    right.set_aspect("equal", adjustable="datalim")  # as high as the left panel
    right.set(xlabel="x₁", ylabel="x₂")
    right.legend(loc="upper left")


def plot_parameter_counts(ax, per_point, network):
    """Variational parameters as the data grow: one set for each x, or one network."""
    m = torch.logspace(0, 7, 50)
    ax.loglog(m, per_point * m, color=COLOUR["latent"], label="φ₁ … φₘ")
    flat = torch.full_like(m, network)
    ax.loglog(m, flat, "--", color=DARK_LATENT, label="one network f_w")
    ax.set(xlabel="number of examples m", ylabel="numbers to store")
    ax.legend(loc="upper left")


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
