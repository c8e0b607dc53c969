"""More pictures of notebook 03: gradients, learning, amortization, tighter bounds."""

import torch

from course_utils.style import COLOUR, plot_points

MARKERS = ["o", "s", "^", "D"]


def plot_variances(ax, n, theory, measured):
    """Variance of a mean of ``n`` draws: lines from formulas, markers from draws.

    ``theory`` maps a name to the variance of one draw; ``measured`` maps the same names
    to one variance per entry of ``n``. Each name stands at the right end of its line.
    """
    roles = ["target", "fake", "latent", "model"]
    for (name, one), role, marker in zip(theory.items(), roles, MARKERS, strict=False):
        ax.loglog(n, one / n, color=COLOUR[role], linewidth=1.6)
        ax.loglog(n, measured[name], marker, color=COLOUR[role])
        ax.text(1.3 * n[-1], one / n[-1], name, color=COLOUR[role], va="center")
    ax.set(xlabel="samples per gradient S", ylabel="variance of the gradient")
    ax.set_xlim(n[0] / 1.3, 20 * n[-1])


def plot_learning(axes, x, elbos, exact, learned):
    """Left the ELBO while learning, right the data with the learned direction."""
    left, right = axes
    left.plot(elbos, color=COLOUR["model"], linewidth=0.7, alpha=0.6, label="ELBO")
    best = exact.log_prob(x).mean().item()
    left.axhline(best, color=COLOUR["target"], linestyle="--", label="exact maximum")
    left.set(xlabel="step", ylabel="nats per example", ylim=(best - 3, best + 1))
    left.legend(loc="lower right")
    plot_points(right, x)
    for model, role, style, name in [
        (exact, "target", "-", "exact"),
        (learned, "model", "--", "learned"),
    ]:
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
    ax.loglog(m, flat, "--", color=COLOUR["model"], label="one network f_w")
    ax.set(xlabel="number of examples m", ylabel="numbers to store")
    ax.legend(loc="upper left")


def plot_gaps(ax, names, approximation, amortization, errors):
    """Stacked bars: what the family costs, and what sharing one network costs.

    ``errors`` are the standard errors of ``amortization``, the upper part.
    """
    bottom = torch.full((len(names),), approximation)
    labels = ["approximation gap (the family)", "amortization gap (the network)"]
    ax.bar(names, bottom, width=0.55, color="#F2C14E", label=labels[0])
    style = {"color": COLOUR["model"], "hatch": "//", "edgecolor": "white"}
    ax.bar(names, amortization, 0.55, bottom, label=labels[1], **style)
    style = {"fmt": "none", "ecolor": COLOUR["data"], "capsize": 4}
    ax.errorbar(range(len(names)), bottom + amortization, errors, **style)
    ax.set(ylabel="nats per example", xlabel="encoder")
    ax.legend(loc="upper right")


def plot_gap_map(ax, x, gap, title, top=1.0):
    """Each x at its place over the circle; bright where the encoder loses most.

    The colours stop at ``top``: say so at the colour bar.
    """
    turn = torch.linspace(0, 6.2832, 200)
    ax.plot(turn.cos(), turn.sin(), color=COLOUR["quiet"], linewidth=1)
    ax.annotate("z jumps here", (-1, 0), (-2.1, -1.9), arrowprops={"arrowstyle": "->"})
    order = gap.argsort()
    style = {"c": gap[order].clamp(max=top), "cmap": "viridis", "s": 14, "zorder": 2}
    dots = ax.scatter(x[order, 0], x[order, 1], vmin=0, vmax=top, **style)
    ax.set(title=title, xlabel="x₁", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    ax.set_aspect("equal")
    return dots


def plot_iwae(ax, k, bounds, log_p, estimates=None):
    """The bound against k, and log p(x); ``estimates`` are (values, errors) or None."""
    ax.axhline(log_p, color=COLOUR["target"], label="log p(x)")
    ax.plot(k, bounds, "o-", color=COLOUR["model"], label="exact bound $L_k$")
    if estimates is not None:
        values, errors = estimates
        style = {"fmt": "s", "color": COLOUR["latent"], "capsize": 4, "mfc": "white"}
        ax.errorbar(k, values, 4 * errors, label="sampled, ± 4 s.e.", **style)
    ax.set(xlabel="samples k inside the log", ylabel="nats", xscale="log")
    ax.set_xticks(k, [str(number) for number in k.tolist()])
    ax.minorticks_off()
    ax.legend(loc="lower right")
