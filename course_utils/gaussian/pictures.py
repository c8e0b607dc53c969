"""The pictures of notebook 01. Heights are in metres, log-likelihoods in nats."""

import torch
from matplotlib.colors import ListedColormap
from torch.distributions import Normal, kl_divergence

from course_utils.gaussian.model import log_likelihood_surface
from course_utils.style import COLOUR, plot_density, plot_rug
from course_utils.training import seeded

MU_GRID = torch.linspace(1.55, 1.8, 126, dtype=torch.float64)
SIGMA_GRID = torch.linspace(0.02, 0.14, 121, dtype=torch.float64)
HEIGHT_GRID = torch.linspace(1.4, 1.95, 400, dtype=torch.float64)
X_GRID = torch.linspace(-6, 6, 601, dtype=torch.float64)


def plot_family(ax, members, x, names="ABCDEFGH"):
    """Some members of one family, with a letter on each peak, and the data below."""
    for name, member in zip(names, members, strict=True):
        style = "-" if member.stddev < 0.06 else "--"
        line = plot_density(ax, member, HEIGHT_GRID, linestyle=style, linewidth=1.6)
        ax.text(member.mean, line.get_ydata().max() + 0.15, name, ha="center")
    plot_rug(ax, x)
    ax.set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 11.2))


def plot_surface(ax, x):
    """The log-likelihood of ``x`` over (μ, σ), with its value on some lines."""
    surface = log_likelihood_surface(x, MU_GRID, SIGMA_GRID)
    below = torch.tensor([30, 25, 20, 15, 10, 7, 5, 3.5, 2, 1, 0.4, 0])
    bands = (surface.max() - below).tolist()
    ax.contourf(MU_GRID, SIGMA_GRID, surface, levels=bands, extend="min")
    style = {"colors": "black", "linewidths": 0.8, "linestyles": "solid"}
    levels = [0, 5, 10, 12, 14]
    ax.contour(MU_GRID, SIGMA_GRID, surface, levels=levels, **style)
    for level in levels:  # written where the line crosses a column from below or above
        column = surface.amax(dim=0).argmax() if level > 9 else 25
        above = (surface[:, column] >= level).nonzero().flatten()
        row = above[-1] if level > 9 else above[0]
        place = (MU_GRID[column], SIGMA_GRID[row])
        colour = "black" if level > 9 else "white"
        ax.text(*place, f"{level}", color=colour, ha="center", va="bottom", fontsize=11)
    ax.set(xlabel="μ (m)", ylabel="σ (m)", ylim=(SIGMA_GRID[0], SIGMA_GRID[-1]))


def draw_likelihood(axes, mu, sigma, x):
    """Left the surface with the point (μ, σ), right the curve that belongs to it."""
    plot_surface(axes[0], x)
    (point,) = axes[0].plot([mu], [sigma], "o", color=COLOUR["target"], markersize=10)
    point.set_markeredgecolor("white")
    curve = plot_density(axes[1], Normal(mu, sigma), HEIGHT_GRID, label="model")
    ends = x.new_zeros(len(x))
    sticks = axes[1].vlines(x, ends, ends + 1, color=COLOUR["target"], linewidth=1.6)
    (dots,) = axes[1].plot(
        x, ends, "o", color=COLOUR["data"], label="data", markersize=5
    )
    dots.set_clip_on(False)
    axes[1].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 14))
    axes[1].legend(loc="upper left")

    def update(mu, sigma):
        model = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
        point.set_data([mu], [sigma])
        curve.set_ydata(model.log_prob(HEIGHT_GRID).exp())
        tops = model.log_prob(x).exp()
        sticks.set_segments([[(a, 0), (a, b)] for a, b in zip(x, tops, strict=True)])
        total = model.log_prob(x).sum().item()
        axes[0].set_title(f"log-likelihood: {total:.2f} nats")
        axes[1].set_title(f"N({mu:.3f}, {sigma:.3f}²)")

    update(mu, sigma)
    return update


def plot_ascent(ax, x, path):
    """The steps of gradient ascent ``(steps, 2)`` on the surface of ``x``."""
    plot_surface(ax, x)
    ax.plot(path[:, 0], path[:, 1], ".-", color="black", linewidth=1, markersize=6)
    ax.plot(*path[0], "s", color=COLOUR["latent"], markersize=9, label="start")
    ax.plot(*path[-1], "*", color=COLOUR["target"], markersize=13, label="end")
    legend = ax.legend(loc="upper right", frameon=True)
    legend.get_frame().set_alpha(0.9)


def draw_two_gaussians(axes, mu, sigma):
    """P = N(0, 1) and Q = N(μ, σ²), with KL(P‖Q) and KL(Q‖P) as bars."""
    p = Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    plot_density(axes[0], p, X_GRID, role="target", label="P = N(0, 1)")
    curve = plot_density(axes[0], Normal(mu, sigma), X_GRID, linestyle="--")
    curve.set_label("Q = N(μ, σ²)")
    axes[0].set(xlabel="x", ylabel="density", xlim=(-6, 6), ylim=(0, 0.85))
    axes[0].legend(loc="upper left")
    names = ["KL(P‖Q)", "KL(Q‖P)"]
    bars = axes[1].barh(names, [0, 0], color=[COLOUR["target"], COLOUR["model"]])
    bars[1].set_hatch("//")
    texts = [axes[1].text(0, y, "", va="center") for y in (0, 1)]
    axes[1].set(xlabel="nats", xlim=(0, 6))
    axes[1].invert_yaxis()

    def update(mu, sigma):
        q = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
        curve.set_ydata(q.log_prob(X_GRID).exp())
        values = [kl_divergence(p, q).item(), kl_divergence(q, p).item()]
        for bar, text, value in zip(bars, texts, values, strict=True):
            bar.set_width(min(value, 6))
            text.set_position((min(value, 5) + 0.1, text.get_position()[1]))
            text.set_text(f"{value:.2f}")
        axes[0].set_title(f"μ = {mu:.2f}, σ = {sigma:.2f}")

    update(mu, sigma)
    return update


def plot_cross_entropy(ax, mu_grid, cross_entropy, entropy):
    """Cross-entropy, entropy, and their difference, the KL, on one axis."""
    level = torch.full_like(mu_grid, entropy)
    kl = cross_entropy - entropy
    curves = [
        ("cross-entropy  −E$_P$ log p$_θ$", cross_entropy, COLOUR["model"], "-"),
        ("entropy H(P)", level, COLOUR["target"], ":"),
        ("KL(P‖P$_θ$)", kl, COLOUR["data"], "--"),
    ]
    for label, values, colour, style in curves:
        ax.plot(mu_grid, values, color=colour, linestyle=style, label=label)
    best = mu_grid[kl.argmin()]
    ax.axvline(best, color=COLOUR["quiet"], linewidth=0.8)
    ax.plot([best, best], [kl.min(), cross_entropy.min()], "o", color=COLOUR["data"])
    ax.set(xlabel="μ of the model", ylabel="nats", ylim=(0, None))
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    ax.legend(ncols=3, columnspacing=1.2, handlelength=1.6, **place)


def draw_empirical(ax, m, seed, mu=1.68, sigma=0.07):
    """Expected log-likelihood of N(θ, σ²) against θ, and its mean over m samples."""
    grid = torch.linspace(1.55, 1.81, 200, dtype=torch.float64)

    def mean_log_likelihood(mean, variance):
        squares = variance + (mean - grid).square()
        return Normal(0.0, sigma).log_prob(squares.sqrt())

    (truth,) = ax.plot(grid, mean_log_likelihood(mu, sigma**2), color=COLOUR["target"])
    truth.set_label("expected, over P")
    (sample,) = ax.plot(grid, 0 * grid, color=COLOUR["model"], linestyle="--")
    sample.set_label("empirical, over m samples")
    ax.axvline(mu, color=COLOUR["target"], linewidth=1)
    line = ax.axvline(mu, color=COLOUR["model"], linewidth=1, linestyle="--")
    ax.set(xlabel="μ of the model (m)", ylabel="nats per example", ylim=(-1.5, 2.2))
    ax.legend(loc="upper right")

    def update(m, seed):
        with seeded(seed):
            x = mu + sigma * torch.randn(m, dtype=torch.float64)
        mean, variance = x.mean(), x.var(correction=0)
        sample.set_ydata(mean_log_likelihood(mean, variance))
        line.set_xdata([mean, mean])
        error = 1000 * (mean.item() - mu)
        side = "right" if error > 0 else "left"
        ax.set_title(f"m = {m}: the maximum is {abs(error):.1f} mm too far {side}")

    update(m, seed)
    return update


def plot_spread(ax, sizes, spread, sigma):
    """The spread of the estimated mean against m, beside σ/√m, on log axes."""
    theory = sigma / sizes.double().sqrt()
    ax.loglog(sizes, 100 * theory, color=COLOUR["target"], label="σ/√m")
    ax.loglog(sizes, 100 * spread, "o", color=COLOUR["model"], label="measured")
    ax.set(xlabel="number of examples m", ylabel="spread of the mean (cm)")
    ax.set_xticks(sizes.tolist(), [str(m) for m in sizes.tolist()])
    ax.set_yticks([0.5, 1, 2, 3], ["0.5", "1", "2", "3"])
    ax.minorticks_off()
    ax.grid(color="#DDDDDD")
    ax.legend()


def plot_bias(ax, sizes, ratio, standard_error):
    """Mean of the estimated variance over the true one, with (m − 1)/m beside it."""
    m = torch.linspace(2, float(sizes.max()), 200)
    ax.plot(m, (m - 1) / m, color=COLOUR["target"], label="(m − 1)/m")
    ax.axhline(1, color=COLOUR["quiet"], linestyle=":", label="no bias")
    style = {"fmt": "o", "color": COLOUR["model"], "capsize": 4}
    ax.errorbar(sizes, ratio, 4 * standard_error, label="measured, ± 4 s.e.", **style)
    ax.set(xlabel="number of examples m", ylabel="E[σ̂²] / σ²", ylim=(0.4, 1.1))
    ax.set_xticks(sizes.tolist())
    ax.legend(loc="lower right")


def plot_histogram(ax, x, label="data", **style):
    """A histogram of heights, scaled as a density."""
    bins = torch.arange(1.40, 2.02, 0.0254)
    style = {"color": "#BBBBBB", "alpha": 0.7, **style}
    ax.hist(x, bins=bins, density=True, label=label, **style)
    ax.set(xlabel="height (m)", ylabel="density (per m)")
    ax.legend(loc="upper left")


def plot_hidden_states(ax, hidden, x):
    """A time series over the hidden state that made it, as a band of colour."""
    bands = {
        "extent": (-0.5, len(x) - 0.5, -4, 4),
        "aspect": "auto",
        "vmin": 0,
        "vmax": 1,
    }
    shades = ListedColormap(["white", "#F6E3B5"])
    ax.imshow(hidden[None], cmap=shades, interpolation="nearest", **bands)
    ax.plot(x, ".-", color=COLOUR["data"], linewidth=1)
    ax.set(xlabel="time", ylabel="x", ylim=(-4, 4), xlim=(-0.5, len(x) - 0.5))
