"""Pictures of notebook 06, sections 1 to 5: two questions, bounds, kernels, fits.

p is vermilion, q blue: on a line an area and a curve, in the plane a cloud and circles
of one and two σ. Each divergence has its colour, line and marker in all pictures.
"""

import torch
from matplotlib.ticker import NullFormatter

from course_utils import rules
from course_utils.divergences.fits import NAMES, fit_isotropic_gaussian, round_mixture
from course_utils.divergences.mmd import mmd2_mixtures, witness
from course_utils.divergences.plane import (
    add_rings,
    add_target,
    dotted,
    image_of,
    place,
    plane,
    show,
    show_target,
)
from course_utils.divergences.surface import moments
from course_utils.drawing import (
    function,
    having,
    listing,
    mapping,
    panel,
    panels,
    takes,
)
from course_utils.mixture.marks import mixture_in
from course_utils.rules import (
    array,
    between,
    growing,
    number,
    one,
    positive,
    truths,
    word,
)
from course_utils.style import COLOUR, GROUPS

STYLES = {
    "forward_kl": {"color": GROUPS[0], "marker": "o", "linestyle": "-"},
    "mmd": {"color": GROUPS[2], "marker": "s", "linestyle": "--"},
    "js": {"color": GROUPS[1], "marker": "D", "linestyle": "-."},
    "reverse_kl": {"color": GROUPS[3], "marker": "^", "linestyle": ":"},
}
SHIFTED = {
    "KL(p‖q)": STYLES["forward_kl"],
    "JSD": STYLES["js"],
    "total variation": {"color": GROUPS[4], "linestyle": ":"},
    "MMD², σ = 1": STYLES["mmd"],
    "Wasserstein": {"color": "black", "linestyle": (0, (1, 1, 5, 1))},
}
FIT = having(mean=array(2), sigma=positive, minima=listing(having("mean", "sigma")))
GROWN = having(distribution=mixture_in())
KLS = ("forward_kl", "reverse_kl")
BARS = {"color": STYLES["mmd"]["color"], "alpha": 0.45}  # of estimates of MMD²
LINE = torch.linspace(-9, 9, 721, dtype=torch.float64)
NOTHING = torch.full_like(LINE, torch.nan)  # a curve that is not shown
P_STYLE = {"color": COLOUR["target"], "alpha": 0.3, "linewidth": 0, "label": "p"}
Q_STYLE = {"color": COLOUR["model"], "label": "q"}
SQUARE, WIDE = (4.6, 4.6), (5.0, 3.6)  # half widths of the panels in the plane


@takes(mixture=mixture_in(1), grid=array("n"))
def density(mixture, grid=LINE):
    """A mixture of the course on a line: ``(n,)`` to ``(n,)``."""
    return mixture.log_prob(grid[:, None]).exp()


@takes(
    axes=panels(2, "k"),
    p=rules.density,
    models=mapping(rules.density, "k"),
    grid=growing("n"),
)
def plot_prices(axes, p, models, grid=LINE):
    """Section 1: p with some q above; below, what each KL pays at each x."""
    log_p = p.log_prob(grid)
    for column, (name, q) in zip(axes.T, models.items(), strict=True):
        log_q, (above, below) = q.log_prob(grid), column
        above.fill_between(grid, log_p.exp(), **P_STYLE)
        above.plot(grid, log_q.exp(), **Q_STYLE)
        above.set(title=name, ylim=(0, 0.45), xlim=(-9, 9), yticks=[0, 0.2, 0.4])
        above.legend(loc="upper left")
        paid = {
            "KL(p‖q)": (log_p.exp() * (log_p - log_q), COLOUR["target"], "-"),
            "KL(q‖p)": (log_q.exp() * (log_q - log_p), COLOUR["model"], "--"),
        }
        for kl, (price, colour, line) in paid.items():
            total = torch.trapezoid(price, grid).item()  # the area is the divergence
            below.fill_between(grid, price, color=colour, alpha=0.25, linewidth=0)
            below.plot(grid, price, line, color=colour, label=f"{kl}: area {total:.2f}")
        below.axhline(0, color=COLOUR["quiet"], linewidth=1)
        below.set(xlabel="x", ylim=(-0.3, 1.5))
        below.legend(loc="upper right")
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("nats per unit of x")


@takes(separation=between(0), share=between(0, 1))
def two_bumps(separation, share):
    """p of section 1: two bumps with σ = 1, of which the right one has this share."""
    means = [-separation / 2, separation / 2]
    return round_mixture([1 - share, share], means, [1.0, 1.0])


@takes(
    axes=panels("k"),
    separation=between(0),
    share=between(0, 1),
    names=listing(one(NAMES), "k"),
)
def draw_separation(axes, separation, share, names=KLS):
    """Sections 1 and 2: the best Gaussian by each divergence, with all its minima."""
    fills, curves, others = [], [], {}
    for ax, name in zip(axes, names, strict=True):
        fills += ax.fill([0, 0], [0, 0], **P_STYLE)
        curves += ax.plot(LINE, NOTHING, **Q_STYLE | {"label": "best q"})
        labels = ("other minima", None) if name != "forward_kl" else ()  # it has one
        others[name] = [ax.plot(LINE, NOTHING, "k:", label=x)[0] for x in labels]
        ax.set(xlabel="x", xlim=(-8, 8), ylim=(0, 0.5))
        ax.legend(loc="upper left", ncols=3, columnspacing=1.2)
    axes[0].set_ylabel("density")

    def update(separation, share):
        p = two_bumps(separation, share)
        corners = torch.stack([LINE, density(p)], 1)
        ground = corners[[-1, 0]] * torch.tensor([1, 0])  # back along the axis
        for fill in fills:
            fill.set_xy(torch.cat([corners, ground]))
        for name, curve, ax in zip(names, curves, axes, strict=True):
            fit = fit_isotropic_gaussian(p, name, points=401)
            curve.set_ydata(density(fit.distribution))
            least = f"{fit.value:.2f} nats, σ = {fit.sigma:.2f}"
            ax.set_title(f"min {NAMES[name]}: {least}")
            rest = [density(m.distribution) for m in fit.minima[1:3]]
            for line, y in zip(others[name], [*rest, NOTHING, NOTHING], strict=False):
                line.set_ydata(y)

    update(separation, share)
    return update


@takes(
    axes=panels(2),
    shifts=growing("n", least=3),
    curves=mapping(array("n"), keys=SHIFTED),
)
def plot_shift(axes, shifts, curves):
    """Section 2: divergences of N(0, 1) and N(δ, 1), and their slopes against δ."""
    for name, values in curves.items():
        style = {**SHIFTED[name], "marker": "", "label": name}
        axes[0].plot(shifts, values, **style)
        slope = torch.gradient(values, spacing=(shifts,), edge_order=2)[0]
        axes[1].plot(shifts, slope, **style)
    axes[0].set(ylim=(0, 2.5), title="the divergence", ylabel="KL and JSD in nats")
    axes[0].axhline(0.6931, color=COLOUR["quiet"], linewidth=1, zorder=0)
    axes[0].text(7.9, 0.72, "log 2", ha="right", color="#555555")
    axes[1].set(ylim=(0, 2.1), title="what moves q: its slope", ylabel="slope")
    axes[1].legend(loc="upper right")
    for ax in axes:
        ax.set(xlim=(0, 8), xlabel="shift δ")


@takes(axes=panels(2), bandwidth=positive, p=mixture_in(1), q=mixture_in(1))
def draw_witness(axes, bandwidth, p, q):
    """Section 2: where the kernel sees a difference, and MMD² over the bandwidth."""
    sigmas = torch.logspace(-2, 2, 81, dtype=torch.float64)
    values = [mmd2_mixtures(p, q, sigma).item() for sigma in sigmas]
    axes[0].fill_between(LINE, density(p), **P_STYLE)
    axes[0].plot(LINE, density(q), **Q_STYLE)
    style = {"color": STYLES["mmd"]["color"], "linestyle": "--"}
    (curve,) = axes[0].plot(LINE, 0 * LINE, label="witness", **style)
    axes[0].axhline(0, color=COLOUR["quiet"], linewidth=1)
    axes[0].set(xlabel="x", xlim=(-7, 7), ylim=(-0.42, 0.55), ylabel="density")
    axes[0].legend(loc="upper right", ncols=3, columnspacing=1)
    axes[1].semilogx(sigmas, values, **style)
    (dot,) = axes[1].plot([], [], "s", color=style["color"], markersize=11)
    axes[1].set(xlabel="bandwidth σ", ylabel="MMD²", ylim=(0, 1.15 * max(values)))
    axes[1].xaxis.set_minor_formatter(NullFormatter())

    def update(bandwidth):
        f = witness(p, q, LINE[:, None], bandwidth)
        zoom = 0.35 / f.abs().max().item()  # its sign and shape are the message
        curve.set_ydata(zoom * f)
        value = mmd2_mixtures(p, q, bandwidth).item()
        dot.set_data([bandwidth], [value])
        axes[0].set_title(f"σ = {bandwidth:g}: witness shown × {zoom:,.2f}")
        axes[1].set_title(f"MMD² = {value:.5f}")

    update(bandwidth)
    return update


@takes(ax=panel, biased=array(None), unbiased=array(None))
def plot_estimators(ax, biased, unbiased):
    """Section 2: both estimates of MMD² when the truth is 0, over many samples."""
    edges = torch.linspace(-0.06, 0.14, 41).tolist()
    ax.hist(unbiased, edges, label="unbiased", **BARS)
    ax.hist(biased, edges, label="biased", color="black", histtype="step", lw=2)
    ax.axvline(0, color=COLOUR["target"], linestyle="--", label="truth")
    # means as triangles above the frame, where no bar hides them
    at = {"transform": ax.get_xaxis_transform(), "clip_on": False, "markersize": 11}
    for estimates, colour in ((unbiased, BARS["color"]), (biased, "black")):
        ax.plot(estimates.mean(), 1.02, "v", color=colour, **at)
    ax.plot([], [], "v", color=COLOUR["quiet"], markersize=11, label="mean of the runs")
    ax.set(xlabel="estimate of MMD²", ylabel="runs")
    ax.legend(loc="upper right")


@takes(axes=panels("k"), target=mixture_in(2), fits=mapping(FIT, "k", keys=NAMES))
def plot_fits(axes, target, fits):
    """Section 3: p and the best round Gaussian by each divergence, minima dotted."""
    for ax, (name, fit) in zip(axes, fits.items(), strict=True):
        add_target(ax, target, SQUARE)
        place(*add_rings(ax), fit.mean.tolist(), fit.sigma)
        for other in fit.minima[1:]:
            dotted(ax, other.mean.tolist(), other.sigma)
        title = f"{NAMES[name]}: σ = {fit.sigma:.3f}"
        ax.set(title=title, xticks=[-4, 0, 4], xlabel="x₁")
    axes[0].set(yticks=[-4, 0, 4], ylabel="x₂")


@takes(separation=between(0), share=between(0, 1), width=positive)
def theis_like(separation, share, width):
    """The mixture of the sliders: σ = 0.6 on the left, σ = ``width`` on the right."""
    at = separation / 2
    return round_mixture([1 - share, share], [[-at, 0.0], [at, 0.0]], [0.6, width])


@takes(axes=panels(4), separation=between(0), share=between(0, 1), width=positive)
def draw_fits(axes, separation, share, width):
    """Section 3: the four fits to a mixture of two, live; other minima are dotted."""
    start = theis_like(separation, share, width)
    panels = []  # for each divergence: p, the best q, and two circles to spare
    for ax, name in zip(axes, NAMES, strict=True):
        picture, best = add_target(ax, start, WIDE), add_rings(ax)
        panels.append((ax, name, picture, best, [dotted(ax), dotted(ax)]))

    def update(separation, share, width):
        target = theis_like(separation, share, width)
        values = image_of(target, plane(WIDE))
        own = list(zip(target.means, (0.6, width), strict=True))
        for ax, name, picture, best, spare in panels:
            show_target(picture, values)
            # MMD is smooth enough for one start; the others may end in either bump
            starts = [moments(target), *own * (name != "mmd")]
            fit = fit_isotropic_gaussian(target, name, starts=starts, points=61)
            place(*best, fit.mean.tolist(), fit.sigma)
            for ring in spare:
                ring.set_visible(False)
            for ring, other in zip(spare, fit.minima[1:], strict=False):
                ring.set(visible=True, center=other.mean.tolist(), radius=other.sigma)
            ax.set_title(f"{NAMES[name]}: σ = {fit.sigma:.2f}")

    update(separation, share, width)
    return update


@takes(ax=panel, target=mixture_in(2), x=array("n", 2), is_off=truths("n"))
def plot_samples(ax, target, x, is_off):
    """Section 4: samples of a fit over p; those off the data are crosses."""
    add_target(ax, target, SQUARE)
    ax.plot(*x[~is_off].T, "o", color=COLOUR["model"], markersize=3)
    style = {"color": "black", "markersize": 5, "markeredgewidth": 1.4}
    ax.plot(*x[is_off].T, "x", label="off the data", **style)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), handletextpad=0.1)


@takes(
    ax=panel,
    wasted=mapping(number, 4, keys=NAMES),
    off=mapping(between(0, 1), 4, keys=NAMES),
)
def plot_trade(ax, wasted, off):
    """Section 4: nats wasted on data against the share of samples off the data."""
    for name, style in STYLES.items():
        at = wasted[name], 100 * off[name]
        ax.plot(*at, **{**style, "linestyle": "none", "markersize": 13})
        up = 26 if name == "js" else 8  # its point lies close to that of KL(q‖p)
        label = {"xytext": (6, up), "textcoords": "offset points"}
        arrow = {"arrowstyle": "-", "color": COLOUR["quiet"]} if up > 8 else None
        ax.annotate(NAMES[name], at, arrowprops=arrow, **label)
    ax.set(xlabel="nats wasted per example", ylabel="samples off the data, %")
    ax.set(xlim=(0, 4.3), ylim=(-0.8, 29))


@takes(
    axes=panels("d", "k"),
    target=mixture_in(2),
    fits=mapping(mapping(GROWN, "k"), "d", keys=NAMES),
)
def plot_growing(axes, target, fits):
    """Section 5: rows are divergences, columns K; p first, then each fitted density."""
    ticks = plane(SQUARE, 81)
    p = image_of(target, ticks)
    blues = {"cmap": "Blues", "vmin": 0, "vmax": p.max().item()}  # one scale for all
    edges = {"levels": [0.01, 0.05], "colors": COLOUR["target"], "linewidths": 1.2}
    for row, (name, by_k) in zip(axes, fits.items(), strict=True):
        row[0].set_ylabel(NAMES[name])
        for ax, (k, fit) in zip(row, by_k.items(), strict=True):
            show(ax, image_of(fit.distribution, ticks), SQUARE, **blues)
            ax.contour(*ticks, p, **edges)
            ax.set_title(f"K = {k}" if ax in axes[0] else "")


@takes(ax=panel, counts=listing(positive), label=word)
def log_counts(ax, counts, label):
    """A logarithmic axis with ticks at these counts only."""
    ax.set(xscale="log", xlabel=label)
    ax.set_xticks(counts, counts)
    ax.minorticks_off()


@takes(
    ax=panel, fits=mapping(mapping(GROWN, "k"), keys=NAMES), distance=function(number)
)
def plot_meeting(ax, fits, distance):
    """Section 5: the distance of each answer from p, against K, on log axes."""
    for name, by_k in fits.items():
        values = [distance(fit.distribution) for fit in by_k.values()]
        ax.plot(list(by_k), values, label=f"fitted by {NAMES[name]}", **STYLES[name])
    ax.set(yscale="log", ylabel="JSD(p, q), nats")
    log_counts(ax, list(by_k), "bumps K in q")
    ax.legend(loc="lower left")
