"""The pictures of notebook 05 on its formulas: the best D, the losses of G; nats."""

import math

import torch
from torch.distributions import Normal

from course_utils.style import COLOUR, JUDGE


def plot_peaks(ax, pairs):
    """a log y + b log(1 − y) over y for some (a, b), each with its peak."""
    y = torch.linspace(0, 1, 20_001)[1:-1]
    styles = ("-", "--", ":", "-.")
    for (a, b), style in zip(pairs, styles, strict=False):
        (line,) = ax.plot(y, a * y.log() + b * (1 - y).log(), style)
        best = a / (a + b)
        top = a * math.log(best) + b * math.log(1 - best)
        ax.plot([best], [top], "o", color=line.get_color(), markersize=9)
        line.set_label(f"a = {a:g}, b = {b:g}: peak at {best:.3g}")
    ax.set(xlabel="y", ylim=(-4.2, 0), xlim=(0, 1), ylabel="a log y + b log(1 − y)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))


def plot_best(ax, p, q, best, learned, grid, support):
    """Real and fake density, D* and a trained D; ``support`` is shaded."""
    for density, role, style, name in [
        (p, "real", "-", "p_data"),
        (q, "fake", "--", "p_g"),
    ]:
        curve = density.log_prob(grid).exp()
        ax.plot(grid, curve, style, color=COLOUR[role], label=name)
    ax.plot(grid, best, color=COLOUR["target"], linewidth=5, alpha=0.55, label="D*")
    ax.plot(grid, learned, "-.", color=JUDGE, label="trained D")
    ax.axvspan(*support, color="#000000", alpha=0.05, linewidth=0)
    ax.set(xlabel="x", ylim=(0, 1.02), xlim=(grid[0], grid[-1]))
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))


def draw_best(axes, mean, sigma, p, grid):
    """Left p_data, p_g = N(mean, σ²) and D*; right V(G, D*) along all means."""
    ax = axes[0]
    ax.plot(grid, p.log_prob(grid).exp(), color=COLOUR["real"], label="p_data")
    (made,) = ax.plot([], [], "--", color=COLOUR["fake"], label="p_g")
    (judge,) = ax.plot([], [], "-.", color=JUDGE, label="D*")
    ax.axhline(0.5, color="#999999", linewidth=1, linestyle=":")
    ax.set(xlabel="x", ylim=(0, 1.02), xlim=(grid[0], grid[-1]))
    ax.legend(loc="upper left")
    means = torch.linspace(-6, 6, 121, dtype=grid.dtype)
    (curve,) = axes[1].plot([], [], color=COLOUR["model"])
    (point,) = axes[1].plot([], [], "o", color=COLOUR["target"], markersize=11)
    for height, name in [(-math.log(4), "−log 4"), (0.0, "0")]:
        axes[1].axhline(height, color=COLOUR["quiet"], linewidth=1, linestyle=":")
        axes[1].text(-5.9, height + 0.03, name, fontsize=12)
    axes[1].set(xlim=(-6, 6), ylim=(-1.5, 0.15), xlabel="mean of p_g")
    axes[1].set_title("V(G, D*), all means")

    def values(means, sigma):
        log_p = p.log_prob(grid)[:, None]
        log_q = Normal(means, sigma).log_prob(grid[:, None])
        logit = log_p - log_q
        terms = log_p.exp() * torch.nn.functional.logsigmoid(logit)
        terms = terms + log_q.exp() * torch.nn.functional.logsigmoid(-logit)
        return torch.trapezoid(terms, grid, dim=0)

    def update(mean, sigma):
        q = Normal(grid.new_tensor(mean), grid.new_tensor(sigma))
        made.set_data(grid, q.log_prob(grid).exp())
        judge.set_data(grid, torch.sigmoid(p.log_prob(grid) - q.log_prob(grid)))
        here = values(grid.new_tensor([mean]), sigma).item()
        curve.set_data(means, values(means, sigma))
        point.set_data([mean], [here])
        jsd = max(0.0, (here + math.log(4)) / 2)
        text = f"V = {here:.3f}, JSD = {jsd:.3f} nats".replace("-", "−")
        axes[0].set_title(text)

    update(mean, sigma)
    return update


def plot_two_losses(axes):
    """Both losses of G over the logit of a fake, and the size of their gradients."""
    logit = torch.linspace(-8, 8, 401)
    one, two = COLOUR["target"], COLOUR["model"]
    softplus = torch.nn.functional.softplus
    axes[0].plot(logit, -softplus(logit), "--", color=one, label="log(1 − D)")
    axes[0].plot(logit, softplus(-logit), color=two, label="−log D")
    axes[0].set(xlabel="logit l of a fake", ylabel="loss of G (nats)")
    axes[0].legend(loc="upper right")
    axes[1].plot(logit, logit.sigmoid(), "--", color=one, label="σ(l)")
    axes[1].plot(logit, (-logit).sigmoid(), color=two, label="1 − σ(l)")
    axes[1].set(xlabel="logit l of a fake", ylabel="size of the gradient")
    axes[1].legend(loc="center right")
    for ax in axes:
        ax.axvspan(-8, -3, color=COLOUR["fake"], alpha=0.18, linewidth=0)
        ax.set_xlim(-8, 8)
    axes[1].text(-7.8, 0.5, "D is sure:\nfake", fontsize=12, va="center")


def plot_pull(ax, distance, pulls):
    """How hard the gradient pulls a far generator back, for each loss by its name."""
    styles = {"log(1 − D)": ("--", COLOUR["target"]), "−log D": ("-", COLOUR["model"])}
    for name, pull in pulls.items():
        style, colour = styles[name]
        ax.plot(distance, pull, style, color=colour, label=name)
    ax.set(xlabel="distance θ between fake and real", ylabel="pull on θ")
    ax.set(ylim=(0, 6), xlim=(0, distance[-1]))
    ax.legend()


def plot_race(ax, paths, goal):
    """The mean of the samples over the steps: one line per run, a style per loss."""
    styles = {"log(1 − D)": ("--", COLOUR["target"]), "−log D": ("-", COLOUR["model"])}
    for name, runs in paths.items():
        style, colour = styles[name]
        for index, run in enumerate(runs):
            label = name if index == 0 else None
            ax.plot(run, style, color=colour, linewidth=1.6, label=label)
    ax.axhline(goal, color=COLOUR["real"], label="mean of the data")
    ax.set(xlabel="step", ylabel="mean of the fakes")
    ax.legend(loc="center right")
