"""The pictures of notebook 02, in the order of its sections, up to section 6.

Each component has one colour and one marker, the same in every picture; a black ring
is a point in doubt. Heights are in metres, log-likelihoods in nats per example. A
``draw_…`` belongs to a slider: it draws once, and returns ``update``, which changes
what depends on the values. Section 4 is in ``climb``, sections 7 and 8 in ``shapes``.
"""

import torch
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from torch.distributions import Normal

from course_utils.arguments import require
from course_utils.drawing import having, listing, mapping, panel, panels, takes
from course_utils.gaussian import fit_gaussian
from course_utils.gaussian.pictures import IN_BINS, INCHES
from course_utils.mixture.marks import (
    COMPONENTS,
    MARKERS,
    PLANE,
    TINY,
    mixture_in,
    move_ellipses,
    move_shares,
    shares_of,
)
from course_utils.mixture.model import GaussianMixture
from course_utils.rules import (
    array,
    between,
    digits,
    growing,
    number,
    positive,
    shares,
    truths,
    wholes,
    word,
)
from course_utils.style import COLOUR, GROUPS, plot_rug

LINES = ["--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1))]
LINE = array("n", dtype=torch.float64)
HEIGHT_GRID = torch.linspace(1.4, 2.0, 601, dtype=torch.float64)


# ------------------------------------------------------ groups, shares, ellipses


@takes(ax=panel, x=PLANE, z=wholes(0, len(COMPONENTS) - 1, "n"))
def plot_groups(ax, x, z):
    """The rows of ``x`` ``(n, 2)``, with one colour and marker per group ``z``."""
    for k in range(int(z.max()) + 1):
        style = {"color": COMPONENTS[k], "marker": MARKERS[k], "s": 14, "alpha": 0.7}
        ax.scatter(*x[z == k].T, linewidth=0, label=f"z = {k}", **style)


@takes(axes=panels(None), letter=word)
def name_plane(axes, letter="x"):
    """Name the coordinates of panels in a row, which have no unit: x₁ and x₂."""
    for ax in axes:
        ax.set_xlabel(f"{letter}₁")
    axes[0].set_ylabel(f"{letter}₂")


@takes(ax=panel, x=PLANE, r=shares("n", None))
def plot_shares(ax, x, r):
    """The rows of ``x`` ``(n, 2)`` in the mixed colour of their responsibilities.

    The marker is that of the likeliest component, and a ring says that it is in doubt.
    """
    r = shares_of(r)
    points = ax.scatter(*x.T, s=16, edgecolor="black")
    move_shares(points, r)
    return points


@takes(ax=panel, mixture=mixture_in(2), radii=array(None, low=TINY))
def plot_ellipses(ax, mixture, radii=(1, 2)):
    """Each component as ellipses at 1σ and 2σ; returns one list per component."""
    radii = radii.tolist()
    drawn = []
    for k in range(mixture.k):
        line = "-" if k < len(COMPONENTS) else "--"  # colours repeat after six
        style = {"facecolor": "none", "linestyle": line, "linewidth": 2.4}
        style["edgecolor"] = COMPONENTS[k % len(COMPONENTS)]
        rings = [Ellipse((0, 0), 1, 1, **style) for _ in radii]
        drawn.append([ax.add_patch(ring) for ring in rings])
    move_ellipses(drawn, mixture, radii)
    return drawn


# ---------------------------------------------------------------- sections 2 and 3


@takes(ax=panel, mixture=mixture_in(1, most=len(LINES)), grid=LINE)
def plot_components(ax, mixture, grid):
    """A 1-D mixture: each weighted bump, and their sum; returns the curves."""
    lines = []
    for k in range(mixture.k):
        style = {"color": COMPONENTS[k], "linestyle": LINES[k]}
        lines += ax.plot(grid, 0 * grid, label=f"bump {k}", **style)
    lines += ax.plot(grid, 0 * grid, color=COLOUR["model"], label="sum", zorder=1.9)
    move_components(lines, mixture, grid)
    return lines


@takes(lines=listing(having("set_ydata")), mixture=mixture_in(1), grid=LINE)
def move_components(lines, mixture, grid):
    """Give the curves of ``plot_components`` the values of another mixture."""
    bumps = mixture.log_joint(grid[:, None]).exp()  # (n, k)
    few = f"{len(lines)} of them"
    require(lines=(few, len(lines) == mixture.k + 1, f"{mixture.k} bumps and the sum"))
    for line, values in zip(lines, [*bumps.T, bumps.sum(1)], strict=True):
        line.set_ydata(values)


@takes(weight=between(0, 1), mean=number, sigma=positive)
def two_bumps(weight, mean, sigma):
    """A standard normal, and beside it a second bump with this weight."""
    covariances = [[[1.0]], [[float(sigma) ** 2]]]
    means = [[0.0], [float(mean)]]
    return GaussianMixture([1 - float(weight), float(weight)], means, covariances)


@takes(ax=panel, weight=between(0, 1), mean=number, sigma=positive)
def draw_two_bumps(ax, weight, mean, sigma):
    """Section 2: two weighted bumps and their sum."""
    grid = torch.linspace(-5, 8, 521, dtype=torch.float64)
    lines = plot_components(ax, two_bumps(weight, mean, sigma), grid)
    ax.set(xlabel="x", ylabel="density", ylim=(0, 0.85), xlim=(-5, 8))
    ax.legend(loc="upper right")

    def update(weight, mean, sigma):
        move_components(lines, two_bumps(weight, mean, sigma), grid)
        second = f"{weight:.2f} · N({mean:.1f}, {sigma:.1f}²)"
        ax.set_title(f"{1 - weight:.2f} · N(0, 1²) + {second}")

    update(weight, mean, sigma)
    return update


@takes(axes=panels(2), x=number, mixture=mixture_in(1, most=len(LINES)))
def draw_inference(axes, x, mixture):
    """Section 3: the bumps over x, and p(z | x) at one x as bars."""
    grid = torch.linspace(-12, 12, 601, dtype=torch.float64)
    plot_components(axes[0], mixture, grid)
    here = axes[0].axvline(x, ymax=0.88, color=COLOUR["data"], linewidth=1.5)
    axes[0].set(xlabel="x", ylabel="density", xlim=(-12, 12))
    axes[0].set_ylim(1e-12, 30)  # before the scale: it refuses 0
    axes[0].set_yscale("log")
    axes[0].legend(loc="upper center", ncols=4, columnspacing=0.9, handlelength=1.5)
    axes[0].set_title("the weighted bumps, and a line at x")
    names = [f"z = {k}" for k in range(mixture.k)]
    bars = axes[1].bar(names, [0] * mixture.k, color=COMPONENTS[: mixture.k])
    axes[1].set(ylabel="p(z | x)", ylim=(0, 1.12))
    labels = [axes[1].text(k, 0, "", ha="center") for k in range(mixture.k)]

    def update(x):
        here.set_xdata([x, x])
        shares = mixture.responsibilities(torch.tensor([[x]]))[0].tolist()
        for bar, text, share in zip(bars, labels, shares, strict=True):
            bar.set_height(share)
            text.set(y=share + 0.02, text=f"{share:.2f}")
        axes[1].set_title(f"x = {x:.1f}: who made it?")

    update(x)
    return update


# ---------------------------------------------------- section 5: what goes wrong


@takes(
    axes=panels(2),
    log10_sigma=between(-12, 2),
    x=LINE,
    tallest=number,
    weight=between(0, 1),
)
def draw_spike(axes, log10_sigma, x, tallest=1.77, weight=0.1):
    """Section 5: a bump on one person, and the log-likelihood against its width."""
    first = fit_gaussian(x)
    at_tallest = torch.tensor(tallest, dtype=torch.float64)
    # Finer around the spike, which is narrower than a step of the grid.
    around = tallest + torch.linspace(-0.03, 0.03, 301, dtype=torch.float64)
    grid = torch.cat([HEIGHT_GRID, around]).sort().values

    def density(sigma, at):
        spike = Normal(at_tallest, sigma).log_prob(at).exp()
        return (1 - weight) * first.log_prob(at).exp() + weight * spike

    exponents = torch.linspace(-6, -1, 101, dtype=torch.float64)
    trace = [density(10**e, x).log().mean() for e in exponents.tolist()]
    (curve,) = axes[0].plot(grid, 0 * grid, color=COLOUR["model"], label="model")
    plot_rug(axes[0], x)
    axes[0].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 30))
    axes[0].set(xlim=(1.5, 1.9))
    style = {"color": COLOUR["data"], "ls": "none", "marker": "|", "markersize": 13}
    strokes = Line2D([], [], label="ten people", markeredgewidth=1.6, **style)
    axes[0].legend(handles=[curve, strokes], loc="upper left")
    axes[1].plot(exponents, trace, color=COLOUR["target"], label="log-likelihood")
    (here,) = axes[1].plot([], [], "o", color="black", markersize=10)
    names = ["10 cm", "1 cm", "1 mm", "0.1 mm", "10 μm", "1 μm"]
    axes[1].set(xlabel="σ of the narrow bump", ylabel="nats per person")
    axes[1].set_xticks(range(-1, -7, -1), names)
    axes[1].invert_xaxis()
    axes[1].legend(loc="upper left")

    def update(log10_sigma):
        sigma = 10**log10_sigma
        value = density(sigma, x).log().mean().item()
        curve.set_ydata(density(sigma, grid))
        here.set_data([log10_sigma], [value])
        top = density(sigma, at_tallest).item()
        axes[0].set_title(f"density at {tallest} m: {top:.3g} per m")
        axes[1].set_title(f"{value:.3f} nats per person")

    update(log10_sigma)
    return update


@takes(
    ax=panel,
    ends=mapping(listing(having(log_likelihood=number)), 2),
    edges=growing("n"),
)
def plot_ends(ax, ends, edges):
    """Histograms of final log-likelihoods, one outline or filled per kind of start."""
    filled = {"color": GROUPS[1], "alpha": 0.6}
    outline = {"color": GROUPS[0], "histtype": "step", "linewidth": 2.5}
    for (name, states), style in zip(ends.items(), (filled, outline), strict=True):
        values = [state.log_likelihood for state in states]
        ax.hist(values, bins=edges, label=name, **style)
    ax.set(xlabel="final log-likelihood (nats per example)", ylabel="runs")
    ax.legend(loc="upper left")


@takes(ax=panel, mixture=mixture_in(2), near=positive)
def mark_doubles(ax, mixture, near=0.7):
    """Write "2 here" beside each pair of components with means nearer than ``near``."""
    distances = torch.cdist(mixture.means, mixture.means)
    style = {"ha": "center", "va": "center"}
    style["arrowprops"] = {"arrowstyle": "->", "color": "black"}
    for pair in (distances.triu(1) * (distances < near)).nonzero().tolist():
        middle = mixture.means[pair].mean(0)
        ax.annotate("2 here", middle, 0.35 * middle, **style)  # nearer to the centre


# ------------------------------------------------ section 6: how many components


@takes(
    axes=panels(2),
    ks=wholes(1, 10**6, "k"),
    training=array("k"),
    held_out=array("k", "n"),
    criterion=listing(number, "k"),
    title=word,
)
def plot_choice(axes, ks, training, held_out, criterion, title):
    """Over K: log-likelihoods of training and of held-out data, and the BIC.

    ``held_out`` is ``(len(ks), n)``: bars are two standard errors of the difference to
    the second K, over the examples.
    """
    ks = ks.tolist()
    require(ks=(ks, len(ks) > 1, "two numbers or more"))
    difference = held_out - held_out[1]  # example by example: much less noisy
    bars = 2 * difference.std(dim=1) / held_out.shape[1] ** 0.5
    style = {"color": COLOUR["target"], "label": "log-likelihood, training"}
    axes[0].plot(ks, training, "o-", **style)
    style |= {"capsize": 4, "label": "held out", "markerfacecolor": "white"}
    axes[0].errorbar(ks, held_out.mean(1), bars, fmt="s--", **style)
    axes[0].set(xlabel="K", ylabel="nats per example", title=title, xticks=ks)
    axes[0].legend(loc="lower right")
    axes[1].plot(ks, criterion, "D-", color=COLOUR["data"])
    best = criterion.index(min(criterion))
    style = {"color": COLOUR["data"], "markersize": 20, "label": "lowest"}
    axes[1].plot(ks[best], criterion[best], "*", ls="none", **style)
    axes[1].set(xlabel="K", ylabel="BIC (nats)", xticks=ks)
    axes[1].set_title(f"{title}: lower is better")
    axes[1].legend(loc="upper center")


@takes(axes=panels(2), mixture=mixture_in(1, 2), height=IN_BINS, female=truths("n"))
def plot_found_groups(axes, mixture, height, female):
    """Galton: the two bumps over the recorded groups, and p(woman | height)."""
    inch = 0.0254
    filled = {"color": "#BBBBBB", "alpha": 0.7, "label": "women"}  # as in notebook 01
    hatched = {"facecolor": "none", "edgecolor": "#333333", "hatch": "//"}
    for chosen, style in ((female, filled), (~female, hatched | {"label": "men"})):
        # As a density of all people, so that the two groups add up to area 1.
        weights = torch.full_like(height[chosen], 1 / len(height) / inch)
        axes[0].hist(height[chosen], bins=INCHES, weights=weights, **style)
    bumps = mixture.log_joint(HEIGHT_GRID[:, None]).exp()
    for k, line in enumerate(("--", ":")):
        style = {"color": COLOUR["model"], "ls": line, "linewidth": 2.8}
        style["label"] = f"found: component {k}"
        axes[0].plot(HEIGHT_GRID, bumps[:, k], **style)
    axes[0].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 5))
    axes[0].legend(loc="upper left", fontsize=10)
    share = mixture.responsibilities(HEIGHT_GRID[:, None])[:, 0]
    style = {"color": COLOUR["model"], "ls": "--", "label": "found: p(z = 0 | x)"}
    axes[1].plot(HEIGHT_GRID, share, **style)
    where = torch.bucketize(height, INCHES)  # bin b ends at INCHES[b]
    filled = [b for b in where.unique().tolist() if (where == b).sum() >= 5]
    recorded = [female[where == b].double().mean().item() for b in filled]
    style = {"color": COLOUR["data"], "label": "recorded share of women"}
    axes[1].plot(INCHES[filled] - inch / 2, recorded, "o", **style)
    axes[1].set(xlabel="height (m)", ylabel="probability", xlim=(1.45, 1.95))
    axes[1].legend(loc="upper right", fontsize=10)


@takes(axes=panels("k"), prototypes=digits("k"), weights=shares("k"))
def plot_digits(axes, prototypes, weights):
    """Mean images ``(k, 784)``, one per axis, with their weights."""
    for ax, image, weight in zip(axes.flat, prototypes, weights, strict=True):
        ax.imshow(image.reshape(28, 28), cmap="gray_r", origin="upper", vmin=0, vmax=1)
        ax.set_title(f"{weight:.2f}")
        ax.set_axis_off()
