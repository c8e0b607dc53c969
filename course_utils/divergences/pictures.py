"""Pictures of notebook 06 on a line: two questions, bounds, kernels, estimates.

p is vermillion and filled, q a blue line. Where divergences are compared, each has its
colour, its line and its marker in all pictures.
"""

import torch
from matplotlib.ticker import MaxNLocator, NullFormatter

from course_utils.divergences.fits import NAMES, fit_isotropic_gaussian, round_mixture
from course_utils.divergences.mmd import mmd2_mixtures, witness
from course_utils.style import COLOUR, GROUPS

STYLES = {
    "forward_kl": {"color": GROUPS[0], "marker": "o", "linestyle": "-"},
    "mmd": {"color": GROUPS[2], "marker": "s", "linestyle": "--"},
    "js": {"color": GROUPS[1], "marker": "D", "linestyle": "-."},
    "reverse_kl": {"color": GROUPS[3], "marker": "^", "linestyle": ":"},
}
KLS = ("forward_kl", "reverse_kl")
LINE = torch.linspace(-9, 9, 721, dtype=torch.float64)
NOTHING = torch.full_like(LINE, torch.nan)  # a curve that is not shown
P_STYLE = {"color": COLOUR["target"], "alpha": 0.3, "linewidth": 0}


def density(mixture, grid=LINE):
    """A mixture of the course on a line: ``(n,)`` to ``(n,)``."""
    return mixture.log_prob(grid[:, None]).exp()


def plot_prices(axes, p, models, grid=LINE):
    """Section 1: p with some q above; below, what each KL pays at each x."""
    log_p = p.log_prob(grid)
    for column, (name, q) in zip(axes.T, models.items(), strict=True):
        log_q, (above, below) = q.log_prob(grid), column
        above.fill_between(grid, log_p.exp(), label="p", **P_STYLE)
        above.plot(grid, log_q.exp(), color=COLOUR["model"], label="q")
        above.set(title=name, ylim=(0, 0.45), xlim=(-9, 9), yticks=[0, 0.2, 0.4])
        above.legend(loc="upper left")
        paid = {
            "KL(p‖q)": (log_p.exp() * (log_p - log_q), COLOUR["target"], "-"),
            "KL(q‖p)": (log_q.exp() * (log_q - log_p), COLOUR["model"], "--"),
        }
        for label, (price, colour, line) in paid.items():
            total = torch.trapezoid(price, grid).item()
            below.fill_between(grid, price, color=colour, alpha=0.25, linewidth=0)
            style = {"color": colour, "linestyle": line}
            below.plot(grid, price, label=f"{label}: area {total:.2f}", **style)
        below.axhline(0, color=COLOUR["quiet"], linewidth=1)
        below.set(xlabel="x", ylim=(-0.3, 1.5))
        below.legend(loc="upper right")
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("nats per unit of x")


def two_bumps(separation, share):
    """p of section 1: two bumps with σ = 1, of which the right one has this share."""
    at = separation / 2
    return round_mixture([1 - share, share], [-at, at], [1.0, 1.0])


def draw_separation(axes, separation, share):
    """Section 1: the best Gaussian by KL(p‖q), and by KL(q‖p) with all its minima."""
    fills, curves, others = [], [], []
    for ax in axes:
        fills += ax.fill([0, 0], [0, 0], label="p", **P_STYLE)
        curves += ax.plot(LINE, NOTHING, color=COLOUR["model"], label="best q")
        for label in ("other minima", None) if ax is axes[1] else ():
            style = {"color": "black", "linestyle": ":", "label": label}
            others += ax.plot(LINE, NOTHING, **style)
        ax.set(xlabel="x", xlim=(-8, 8), ylim=(0, 0.5))
        ax.legend(loc="upper left", ncols=3, columnspacing=1.2)
    axes[0].set_ylabel("density")

    def update(separation, share):
        p = two_bumps(separation, share)
        corners = torch.stack([LINE, density(p)], 1)
        for fill in fills:
            fill.set_xy(torch.cat([corners, corners[[-1, 0]] * torch.tensor([1, 0])]))
        for name, curve, ax in zip(KLS, curves, axes, strict=True):
            fit = fit_isotropic_gaussian(p, name, points=401)
            curve.set_ydata(density(fit.distribution))
            text = f"min {NAMES[name]}: {fit.value:.2f} nats, σ = {fit.sigma:.2f}"
            ax.set_title(text)
        rest = [density(m.distribution) for m in fit.minima[1:3]]
        for line, values in zip(others, [*rest, NOTHING, NOTHING], strict=False):
            line.set_ydata(values)

    update(separation, share)
    return update


def plot_shift(axes, shifts, curves):
    """Section 2: divergences of N(0, 1) and N(δ, 1), and their slopes against δ."""
    styles = {
        "KL(p‖q)": STYLES["forward_kl"],
        "JSD": STYLES["js"],
        "total variation": {"color": GROUPS[4], "linestyle": ":"},
        "MMD², σ = 1": STYLES["mmd"],
        "Wasserstein": {"color": "black", "linestyle": (0, (1, 1, 5, 1))},
    }
    for name, values in curves.items():
        style = {**styles[name], "marker": ""}
        axes[0].plot(shifts, values, label=name, **style)
        slope = torch.gradient(values, spacing=(shifts,), edge_order=2)[0]
        axes[1].plot(shifts, slope, label=name, **style)
    axes[0].set(ylim=(0, 2.5), title="the divergence", xlabel="shift δ")
    axes[0].set_ylabel("KL and JSD in nats")
    axes[0].axhline(0.6931, color=COLOUR["quiet"], linewidth=1, zorder=0)
    axes[0].text(7.9, 0.72, "log 2", ha="right", color="#555555")
    axes[1].set(ylim=(0, 2.1), title="its slope: what moves q", xlabel="shift δ")
    axes[1].legend(loc="upper right")
    for ax in axes:
        ax.set_xlim(0, 8)


def draw_witness(axes, bandwidth, p, q):
    """Section 2: where the kernel sees a difference, and MMD² over the bandwidth."""
    sigmas = torch.logspace(-2, 2, 81, dtype=torch.float64)
    values = [mmd2_mixtures(p, q, sigma).item() for sigma in sigmas]
    axes[0].fill_between(LINE, density(p), label="p", **P_STYLE)
    axes[0].plot(LINE, density(q), color=COLOUR["model"], label="q")
    style = {"color": STYLES["mmd"]["color"], "linestyle": "--"}
    (curve,) = axes[0].plot(LINE, 0 * LINE, label="witness (scaled)", **style)
    axes[0].axhline(0, color=COLOUR["quiet"], linewidth=1)
    axes[0].set(xlabel="x", xlim=(-7, 7), ylim=(-0.42, 0.55), ylabel="density")
    axes[0].legend(loc="upper right", ncols=3, columnspacing=1)
    axes[1].semilogx(sigmas, values, **style)
    (dot,) = axes[1].plot([], [], "s", color=style["color"], markersize=11)
    axes[1].set(xlabel="bandwidth σ", ylabel="MMD²", ylim=(0, 1.15 * max(values)))
    axes[1].xaxis.set_minor_formatter(NullFormatter())

    def update(bandwidth):
        f = witness(p, q, LINE[:, None], bandwidth)
        curve.set_ydata(0.35 * f / f.abs().max())
        value = mmd2_mixtures(p, q, bandwidth).item()
        dot.set_data([bandwidth], [value])
        axes[0].set_title(f"σ = {bandwidth:g}")
        axes[1].set_title(f"MMD² = {value:.5f}")

    update(bandwidth)
    return update


def plot_estimators(ax, biased, unbiased):
    """Section 2: both estimates of MMD² when the truth is 0, over many samples."""
    edges = torch.linspace(-0.06, 0.14, 41).tolist()
    filled = {"color": STYLES["mmd"]["color"], "alpha": 0.45}
    ax.hist(unbiased, edges, label="unbiased", **filled)
    outline = {"color": "black", "histtype": "step", "linewidth": 2}
    ax.hist(biased, edges, label="biased", **outline)
    ax.axvline(0, color=COLOUR["target"], linestyle="--", label="truth")
    for estimates, colour in ((unbiased, filled["color"]), (biased, "black")):
        at = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot(estimates.mean(), 1.02, "v", color=colour, markersize=11, **at)
    ax.plot([], [], "v", color=COLOUR["quiet"], markersize=11, label="mean of the runs")
    ax.set(xlabel="estimate of MMD²", ylabel="runs")
    ax.legend(loc="upper right")


def plot_trade(ax, wasted, off):
    """Section 4: nats wasted on data against the share of samples off the data."""
    for name, style in STYLES.items():
        at = wasted[name], 100 * off[name]
        ax.plot(*at, **{**style, "linestyle": "none", "markersize": 13})
        up = 26 if name == "js" else 8
        label = {"xytext": (6, up), "textcoords": "offset points"}
        arrow = {"arrowstyle": "-", "color": COLOUR["quiet"]} if up > 8 else None
        ax.annotate(NAMES[name], at, arrowprops=arrow, **label)
    ax.set(xlabel="nats wasted per example", ylabel="samples off the data, %")
    ax.set(xlim=(0, 4.3), ylim=(-0.8, 29))


def plot_meeting(ax, fits, distance):
    """Section 5: the distance of each answer from p, against K, on log axes."""
    for name, by_k in fits.items():
        values = [distance(fit.distribution) for fit in by_k.values()]
        ax.plot(list(by_k), values, label=f"fitted by {NAMES[name]}", **STYLES[name])
    ks = list(next(iter(fits.values())))
    ax.set(xscale="log", yscale="log", xticks=ks, xlabel="bumps K in q")
    ax.set_xticklabels(ks)
    ax.minorticks_off()
    ax.set_ylabel("JSD(p, q), nats")
    ax.legend(loc="lower left")


def plot_estimates(axes, sizes, mmd2, truth_mmd2, jsd, truth_jsd):
    """Section 6: estimates against n; ``mmd2`` and each ``jsd`` are (sizes, runs)."""
    panels = [{"unbiased": mmd2}, jsd]
    styles = [STYLES["mmd"], STYLES["js"], {"color": "black", "marker": "v"}]
    truths = truth_mmd2, truth_jsd
    for ax, estimates, truth in zip(axes, panels, truths, strict=True):
        for shift, (name, runs) in enumerate(estimates.items()):
            style = {**styles[shift + (ax is axes[1])], "linestyle": "none"}
            low, high = runs.amin(1), runs.amax(1)
            spread = torch.stack([runs.mean(1) - low, high - runs.mean(1)])
            at = torch.tensor(sizes) * (1 + 0.12 * shift)
            bars = {"capsize": 4, "elinewidth": 2, "label": name}
            ax.errorbar(at, runs.mean(1), spread, **style, **bars)
        ax.axhline(truth, color=COLOUR["target"], linestyle="--", label="truth")
        ax.set(xscale="log", xlabel="examples from each side", xticks=sizes)
        ax.set_xticklabels([f"{size}" for size in sizes])
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.minorticks_off()
        ax.legend(loc="lower right")
    axes[0].set_title("MMD²: a kernel is enough")
    axes[1].set_title("JSD (nats): a discriminator is trained")


def plot_permutation(axes, tests):
    """Section 6: statistics after shuffles, and the one of the given order."""
    for ax, (name, test) in zip(axes, tests.items(), strict=True):
        style = {"color": STYLES["mmd"]["color"], "alpha": 0.45}
        ax.hist(test.permuted, 30, label="shuffled", **style)
        ax.axvline(test.mmd2, color="black", linewidth=3, label="as given")
        ax.set(title=f"{name}: p-value {test.p_value:.3f}", xlabel="MMD²")
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.legend(loc="upper center")
    axes[0].set_ylabel("shuffles")
