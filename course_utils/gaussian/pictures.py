"""The pictures of notebook 01. Heights are in metres, log-likelihoods in nats.

A ``draw_…`` belongs to a slider: it draws once, and returns ``update``, which changes
what depends on the values. A ``plot_…`` draws once and for all.
"""

import torch
from matplotlib.colors import ListedColormap
from torch.distributions import Normal, kl_divergence

from course_utils.arguments import require
from course_utils.drawing import having, letters, listing, panel, panels, parts, takes
from course_utils.gaussian.model import log_likelihood_surface
from course_utils.rules import (
    array,
    between,
    number,
    positive,
    shares,
    truths,
    whole,
    wholes,
    word,
)
from course_utils.style import COLOUR, plot_density, plot_rug
from course_utils.training import seeded

MU_GRID = torch.linspace(1.55, 1.8, 126, dtype=torch.float64)
SIGMA_GRID = torch.linspace(0.02, 0.14, 121, dtype=torch.float64)
HEIGHT_GRID = torch.linspace(1.4, 1.95, 400, dtype=torch.float64)
INCHES = torch.arange(1.4, 2.02, 0.0254, dtype=torch.float64)  # Galton used inches
X_GRID = torch.linspace(-6, 6, 601, dtype=torch.float64)
HEIGHTS = array("m", low=0, high=3)  # in metres, not in centimetres
IN_BINS = array("m", low=INCHES[0].item(), high=INCHES[-1].item())
RATE = between(0, 1)
MANY = 10**9
MEMBER = having("log_prob", mean=number, stddev=positive)
MIXTURE = having("component_distribution", mixture_distribution=having(probs=shares(2)))


@takes(
    axes=panels(2),
    members=listing(MEMBER, "k"),
    x=HEIGHTS,
    names=letters("k", spare=True),
)
def plot_family(axes, members, x, names="ABCDEFGH"):
    """Members of one family: narrow ones left, wide ones right, the data below both."""
    for name, member in zip(names, members, strict=True):
        wide = int(member.stddev > 0.06)
        style = {"linestyle": "--" if wide else "-", "linewidth": 1.6}
        line = plot_density(axes[wide], member, HEIGHT_GRID, **style)
        top = line.get_ydata().max() + 0.15
        axes[wide].text(member.mean, top, name, ha="center", fontsize=13)
    for ax, sigma in zip(axes, ("4 cm", "8 cm"), strict=True):
        plot_rug(ax, x)
        ax.set(xlabel="height (m)", ylim=(0, 11.2), title=f"σ = {sigma}")
    axes[0].set_ylabel("density (per m)")


@takes(ax=panel, x=HEIGHTS)
def plot_surface(ax, x):
    """The log-likelihood of ``x`` over (μ, σ), with its value on some lines."""
    mean, ends = x.mean().item(), (MU_GRID[0].item(), MU_GRID[-1].item())
    fits = ends[0] <= mean <= ends[1]
    require(x=(f"mean {mean:g}", fits, f"heights in metres with a mean in {ends}"))
    surface = log_likelihood_surface(x, MU_GRID, SIGMA_GRID)
    # Bands in nats below the summit; finer near the top, where the map is flat.
    below = torch.tensor([30, 25, 20, 15, 10, 7, 5, 3.5, 2, 1, 0.4, 0])
    bands = (surface.max() - below).tolist()
    ax.contourf(MU_GRID, SIGMA_GRID, surface, levels=bands, extend="min")
    style = {"colors": "black", "linewidths": 0.8, "linestyles": "solid"}
    levels = [0, 5, 10, 12, 14]
    ax.contour(MU_GRID, SIGMA_GRID, surface, levels=levels, **style)
    # Each line gets its number: high ones on top, in the column of the summit; low ones
    # on the left, where the map is dark.
    summit = surface.amax(dim=0).argmax()
    for level in levels:
        column, end, colour = (summit, -1, "black") if level > 9 else (25, 0, "white")
        rows = (surface[:, column] >= level).nonzero().flatten()
        if len(rows) == 0:  # so few examples reach no such level
            continue
        place = (MU_GRID[column], SIGMA_GRID[rows[end]])
        ax.text(*place, f"{level}", color=colour, ha="center", va="bottom", fontsize=11)
    ax.set(xlabel="μ (m)", ylabel="σ (m)", ylim=(SIGMA_GRID[0], SIGMA_GRID[-1]))


@takes(axes=panels(2), mu=number, sigma=positive, x=HEIGHTS)
def draw_likelihood(axes, mu, sigma, x):
    """Left the surface with the point (μ, σ), right the curve that belongs to it."""
    plot_surface(axes[0], x)
    (point,) = axes[0].plot([mu], [sigma], "o", color=COLOUR["model"], markersize=11)
    point.set(markeredgecolor="white", markeredgewidth=2)
    curve = plot_density(axes[1], Normal(mu, sigma), HEIGHT_GRID, label="model")
    ends = x.new_zeros(len(x))
    sticks = axes[1].vlines(x, ends, ends + 1, color=COLOUR["model"], linewidth=1.6)
    style = {"color": COLOUR["data"], "markersize": 5, "clip_on": False}
    axes[1].plot(x, ends, "o", label="data", **style)  # whole dots, also below the axis
    axes[1].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 14))
    axes[1].legend(loc="upper left")

    def update(mu, sigma):
        model = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
        point.set_data([mu], [sigma])
        curve.set_ydata(model.log_prob(HEIGHT_GRID).exp())
        tops = model.log_prob(x).exp()  # the factors of the likelihood
        sticks.set_segments([[(a, 0), (a, b)] for a, b in zip(x, tops, strict=True)])
        total = model.log_prob(x).sum().item()
        axes[0].set_title(f"log-likelihood: {total:.2f} nats")
        axes[1].set_title(f"N({mu:.3f}, {sigma:.3f}²)")

    update(mu, sigma)
    return update


@takes(ax=panel, x=HEIGHTS, path=array(None, 2))
def plot_ascent(ax, x, path):
    """The steps of gradient ascent ``(steps, 2)`` on the surface of ``x``."""
    plot_surface(ax, x)
    ax.plot(path[:, 0], path[:, 1], ".-", color="black", linewidth=1, markersize=6)
    _mark(ax, path[0], "s", "white", "start")
    _mark(ax, path[-1], "*", COLOUR["model"], "end")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9)  # readable on the map


def _mark(ax, place, shape, colour, label):
    edge = {"markeredgecolor": "black" if colour == "white" else "white"}
    size = {"s": 9, "*": 15, "o": 16}[shape]
    style = {"color": colour, "markersize": size, "linestyle": "", **edge}
    (mark,) = ax.plot(*[[float(value)] for value in place], shape, label=label, **style)
    return mark


@takes(x=HEIGHTS, rate=RATE, steps=whole(0), start=parts(number, positive))
def ascent_path(x, rate, steps=80, start=(1.60, 0.12)):
    """Gradient ascent ``(steps + 1, 2)`` by the two derivatives of section 4.

    It ends early where a step makes σ ≤ 0: there is no such Gaussian.
    """
    m, mean, variance = len(x), x.mean().item(), x.var(correction=0).item()
    path = [start]
    while len(path) <= steps and path[-1][1] > 0:
        mu, sigma = path[-1]
        slope = m * (mean - mu) / sigma**2
        squares = variance + (mean - mu) ** 2
        slope_of_sigma = m * (squares / sigma**3 - 1 / sigma)
        path.append((mu + rate * slope, sigma + rate * slope_of_sigma))
    return torch.tensor(path, dtype=torch.float64)


@takes(ax=panel, rate=RATE, x=HEIGHTS)
def draw_ascent(ax, rate, x):
    """The walk of ``plot_ascent`` for another learning rate, and where it has come."""
    best = x.mean(), x.std(correction=0)
    require(x=(f"σ = {best[1]:g}", best[1] > 0, "heights that differ"))
    plot_surface(ax, x)
    (walk,) = ax.plot([], [], ".-", color="black", linewidth=1, markersize=6)
    _mark(ax, (1.60, 0.12), "s", "white", "start")
    last = _mark(ax, best, "o", COLOUR["model"], "last step")
    _mark(ax, best, "*", COLOUR["target"], "summit (formula)")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9)
    ax.set(xlim=(MU_GRID[0], MU_GRID[-1]), autoscale_on=False)
    summit = Normal(*best).log_prob(x).sum()

    def update(rate):
        path = ascent_path(x, rate)
        walk.set_data(path[:, 0], path[:, 1])
        last.set_data(path[-1:, 0], path[-1:, 1])
        heights = [Normal(*at).log_prob(x).sum() for at in path[-10:] if at[1] > 0]
        low, high = summit - max(heights), summit - min(heights)
        outside = int((path[:, 1] > SIGMA_GRID[-1]).sum())
        text = f"rate {rate:.5f}: the last steps {low:.2f} to {high:.2f} nats too low"
        ax.set_title(text + f", {outside} outside" * (outside > 0))

    update(rate)
    return update


@takes(axes=panels(2), mu=number, sigma=positive)
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
            bar.set_width(min(value, 6))  # the axis ends there; the number goes on
            text.set(x=min(value, 5) + 0.1, text=f"{value:.2f}")
        axes[0].set_title(f"μ = {mu:.2f}, σ = {sigma:.2f}")

    update(mu, sigma)
    return update


@takes(ax=panel, mu_grid=array("n"), cross_entropy=array("n"), entropy=number)
def plot_cross_entropy(ax, mu_grid, cross_entropy, entropy):
    """Cross-entropy, entropy, and their difference, the KL, on one axis."""
    level = torch.full_like(mu_grid, entropy)  # it does not depend on θ
    kl = cross_entropy - entropy
    for label, values, role, style in (
        ("cross-entropy  −E$_P$ log p$_θ$", cross_entropy, "model", "-"),
        ("entropy H(P)", level, "target", ":"),
        ("KL(P‖P$_θ$)", kl, "quiet", "--"),
    ):
        ax.plot(mu_grid, values, color=COLOUR[role], linestyle=style, label=label)
    best = mu_grid[kl.argmin()]  # of both curves: they differ by a constant
    ax.axvline(best, color=COLOUR["quiet"], linewidth=0.8)
    ax.plot([best, best], [kl.min(), cross_entropy.min()], "o", color=COLOUR["data"])
    ax.set(xlabel="μ of the model", ylabel="nats", ylim=(0, None))
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    ax.legend(ncols=3, columnspacing=1.2, handlelength=1.6, **place)


@takes(ax=panel, m=whole(1, 10**7), seed=whole(0, 2**63 - 1), mu=number, sigma=positive)
def draw_empirical(ax, m, seed, mu=1.68, sigma=0.07):
    """Expected log-likelihood of N(θ, σ²) against θ, and its mean over m samples."""
    grid = torch.linspace(1.55, 1.81, 200, dtype=torch.float64)

    # The mean of (x − θ)² is variance + (mean − θ)², over P as over a sample.
    def mean_log_likelihood(mean, variance):
        squares = variance + (mean - grid).square()
        return Normal(0.0, sigma).log_prob(squares.sqrt())

    truth, model = {"color": COLOUR["target"]}, {"color": COLOUR["model"], "ls": "--"}
    expected = mean_log_likelihood(mu, sigma**2)
    ax.plot(grid, expected, label="expected, over P", **truth)
    (sample,) = ax.plot(grid, 0 * grid, label="empirical, over m samples", **model)
    ax.axvline(mu, linewidth=1, **truth)
    line = ax.axvline(mu, linewidth=1, **model)
    ax.set(xlabel="μ of the model (m)", ylabel="nats per example", ylim=(-1.5, 2.2))
    ax.legend(loc="upper right")

    def update(m, seed):
        with seeded(seed):
            x = mu + sigma * torch.randn(m, dtype=torch.float64)
        mean, variance = x.mean(), x.var(correction=0)
        sample.set_ydata(mean_log_likelihood(mean, variance))
        line.set_xdata([mean, mean])
        error = 1000 * (mean.item() - mu)  # in millimetres
        side = "right" if error > 0 else "left"
        ax.set_title(f"m = {m}: the maximum is {abs(error):.1f} mm too far {side}")

    update(m, seed)
    return update


@takes(ax=panel, sizes=wholes(1, MANY, "n"), spread=array("n", low=0), sigma=positive)
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


@takes(
    ax=panel,
    sizes=wholes(1, MANY, "n"),
    ratio=array("n"),
    standard_error=array("n", low=0),
)
def plot_bias(ax, sizes, ratio, standard_error):
    """Mean of the estimated variance over the true one, with (m − 1)/m beside it."""
    m = torch.linspace(2, float(sizes.max()), 200)  # as if m were a real number
    ax.plot(m, (m - 1) / m, color=COLOUR["target"], label="(m − 1)/m")
    ax.axhline(1, color=COLOUR["quiet"], linestyle=":", label="no bias")
    style = {"fmt": "o", "color": COLOUR["model"], "capsize": 4}
    ax.errorbar(sizes, ratio, 4 * standard_error, label="measured, ± 4 s.e.", **style)
    ax.set(xlabel="number of examples m", ylabel="E[σ̂²] / σ²", ylim=(0.4, 1.1))
    ax.set_xticks(sizes.tolist())
    ax.legend(loc="lower right")


@takes(ax=panel, grid=array("n"), prior=array("n"), posterior=array("n"), x=HEIGHTS)
def plot_posterior(ax, grid, prior, posterior, x):
    """What we believe about μ before and after the data, which lie below."""
    belief = {"color": COLOUR["latent"], "linewidth": 2.2}
    ax.plot(grid, prior, linestyle="--", label="prior  p(μ | α)", **belief)
    ax.plot(grid, posterior, label="posterior  p(μ | x, α)", **belief)
    plot_rug(ax, x)
    ax.axvline(x.mean(), color=COLOUR["data"], linestyle=":", label="mean of the data")
    ax.set(xlabel="μ (m)", ylabel="density (per m)", xlim=(1.45, 1.85), ylim=(0, 24))
    ax.legend(loc="upper left")


@takes(ax=panel, x=IN_BINS, label=word, share=positive)
def plot_histogram(ax, x, label="data", share=1.0, **style):
    """A histogram of heights, scaled as a density; its area is ``share``."""
    style = {"color": "#BBBBBB", "alpha": 0.7, **style}
    weights = torch.full_like(x, share / (len(x) * (INCHES[1] - INCHES[0]).item()))
    ax.hist(x, bins=INCHES, weights=weights, label=label, **style)
    ax.set(xlabel="height (m)", ylabel="density (per m)")
    ax.legend(loc="upper left")


@takes(ax=panel, x=IN_BINS, first=truths("m"), mixture=MIXTURE, grid=array("n"))
def plot_groups(ax, x, first, mixture, grid):
    """Women and men, and the Gaussian of each, with their shares as areas."""
    hatched = {"fill": False, "edgecolor": "#555555", "hatch": "//"}
    groups = ("women", first, {}), ("men", ~first, hatched)
    parts = mixture.component_distribution.log_prob(grid[:, None]).exp()  # (grid, 2)
    parts = parts * mixture.mixture_distribution.probs
    for (label, group, style), part in zip(groups, parts.T, strict=True):
        plot_histogram(ax, x[group], label, group.double().mean().item(), **style)
        ax.plot(grid, part, color=COLOUR["model"], linestyle="--")
    ax.set(ylabel="", ylim=(0, 5.4))  # the legend stands above the bars


@takes(ax=panel, hidden=wholes(0, 1, "n"), x=array("n"))
def plot_hidden_states(ax, hidden, x):
    """A time series over the hidden state that made it, as a band of colour."""
    shades = ListedColormap(["white", "#F6E3B5"])  # state 0, state 1
    place = {"extent": (-0.5, len(x) - 0.5, -4, 4), "aspect": "auto"}
    values = {"vmin": 0, "vmax": 1, "interpolation": "nearest"}
    ax.imshow(hidden[None], cmap=shades, **place, **values)
    ax.plot(x, ".-", color=COLOUR["model"], linewidth=1)
    ax.set(xlabel="time (steps)", ylabel="x", ylim=(-4, 4), xlim=(-0.5, len(x) - 0.5))
