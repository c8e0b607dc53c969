"""The pictures of notebook 03, section 5: what a family of q can do, and what not."""

import math

import torch
from matplotlib.patches import Ellipse
from torch.distributions import Normal

from course_utils.arguments import require
from course_utils.drawing import (
    having,
    listing,
    mapping,
    panel,
    panels,
    parts,
    takes,
)
from course_utils.rules import (
    array,
    between,
    colour,
    growing,
    number,
    one,
    shares,
    whole,
)
from course_utils.style import COLOUR
from course_utils.variational.pictures import DARK_LATENT, posterior_and_q

TARGET = having(mean=array(2), covariance_matrix=array(2, 2))
STATE = having("coordinate", step=whole(0), mean=array(2), sigma=array(2))
NAMED = having(step=whole(0), means=array(2), sigmas=array(2), elbo=number)
LINES = ("-", "--", ":", "-.")
STEPS = torch.arange(9.0) * -2  # contours: down to 16 nats below the highest density


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


@takes(axes=panels(2), rho=between(-0.9999, 0.9999))
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


@takes(ax=panel, state=STATE, states=listing(STATE), target=TARGET)
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


@takes(
    ax=panel,
    x=number,
    start=number,
    readings=array("r"),
    starts=array("s"),
    fits=having(
        elbo=array("r", "s"), q=having(mean=array("r", "s"), stddev=array("r", "s"))
    ),
    model=having("grid", "log_prob", "log_posterior"),
)
def draw_two_peaks(ax, x, start, readings, starts, fits, model):
    """Where a single normal ends for reading ``x`` if its mean starts at ``start``.

    ``fits`` are computed beforehand, for all ``readings`` and ``starts``: ``(r, s)``.
    """
    log_p, posteriors = model.log_prob(readings), model.log_posterior(readings).exp()
    shown = {"xlim": (-3.2, 3.2), "ylim": (0, 3.4)}
    curve = posterior_and_q(ax, model, readings[-1], "q", **shown)
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


def _role(value, name, given):
    """A meaning that has a colour, or a colour."""
    return value if value in list(COLOUR) else colour(value, name)


@takes(
    ax=panel,
    grid=array("n"),
    curves=mapping(parts(array("n", gaps=True), _role, one(LINES))),
)
def plot_curves(ax, grid, curves, **limits):
    """Log-densities ``{label: (log values, role or colour, line style)}`` on a grid."""
    for name, (log_values, role, style) in curves.items():
        ax.plot(grid, log_values.exp(), style, color=COLOUR.get(role, role), label=name)
    ax.set(xlabel="z", ylabel="density", **limits)
    ax.legend(loc="upper left")


@takes(ax=panel, weights=array("n"), mean_field=shares("n"), exact=shares("n"))
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


@takes(ax=panel, variance=array("n"), wider=array("n"), narrower=array("n"))
def plot_two_forces(ax, variance, wider, narrower):
    """Two parts of the ELBO against the variance of one factor, and their sum.

    A mark stands where the sum is highest.
    """
    style = {"linewidth": 2}
    ax.plot(variance, wider, "--", color=COLOUR["quiet"], label="entropy", **style)
    ax.plot(variance, narrower, ":", color=COLOUR["data"], label="fit", **style)
    total = wider + narrower
    ax.plot(variance, total, color=COLOUR["latent"], label="their sum", linewidth=3)
    top = total.argmax()
    ax.plot(variance[top], total[top], "v", color=DARK_LATENT, markersize=10)
    ax.axvline(1.0, color=COLOUR["target"], linewidth=1.2)
    ax.text(1.02, -2.4, "variance of the posterior", color=COLOUR["target"])
    ax.set(
        xlabel="variance of the factor", ylabel="nats", xlim=(0, 1.75), ylim=(-2.7, 0.3)
    )
    ax.set_title(f"highest at {variance[top]:.2f}")
    ax.legend(loc="lower left", bbox_to_anchor=(0.2, 0.0))


@takes(
    axes=panels(2),
    target=TARGET,
    begin=array(2),
    line=array("n"),
    density=array("n", low=0),
    mean=number,
)
def plot_slice(axes, target, begin, line, density, mean):
    """One update: z₂ is held, z₁ goes to the mean of the slice through the posterior.

    ``line`` are the values of z₁, ``density`` is the posterior along them.
    """
    left, right = axes
    _ellipse(left, target.mean, target.covariance_matrix, edgecolor=COLOUR["target"])
    held = begin[1].item()
    left.axhline(held, color=COLOUR["quiet"], linestyle=":")
    ends = [begin[0].item(), float(mean)]
    style = {"arrowstyle": "->", "color": COLOUR["latent"], "lw": 2.4}
    left.annotate("", (ends[1], held), (ends[0], held), arrowprops=style)
    left.plot(ends, [held, held], "o", color=COLOUR["latent"], markersize=8)
    left.set(xlabel="z₁", ylabel="z₂", xlim=(-2.8, 4.2), ylim=(-3, 3.4))
    left.set_title(f"z₂ is held at {held:g}")
    right.plot(line, density, color=COLOUR["target"], linewidth=2.4)
    right.axvline(float(mean), color=COLOUR["latent"], linestyle="--")
    right.set(xlabel="z₁", ylabel="density", xlim=(-2.8, 4.2), ylim=(0, 0.8))
    right.set_title("the posterior along the dotted line")


@takes(ax=panel, ticks=growing("n"), log_density=array("n", "n"))
def plot_mirror(ax, ticks, log_density):
    """A density over two means, as filled contours, with the diagonal as a mirror.

    ``log_density`` is ``(n, n)``; the first mean is the row.
    """
    top = log_density.max().item()
    require(log_density=(f"{top:g} at most", abs(top) < 1e6, "of ordinary size"))
    levels = log_density.max() + STEPS.flip(0).to(log_density)
    style = {"cmap": "Greys", "alpha": 0.75, "extend": "max"}
    ax.contourf(ticks, ticks, log_density.T, levels, **style)
    ends = [ticks[0].item(), ticks[-1].item()]
    ax.plot(ends, ends, ":", color=COLOUR["target"], label="both means equal")
    ax.set(xlabel="μ₁", ylabel="μ₂", xlim=ends, ylim=ends)
    ax.set_aspect("equal")
    ax.legend(loc="lower right")


@takes(
    ax=panel,
    state=NAMED,
    states=listing(NAMED),
    ticks=growing("n"),
    log_density=array("n", "n"),
)
def draw_names(ax, state, states, ticks, log_density):
    """q of a Bayesian mixture up to ``state``, on the posterior of its two means."""
    plot_mirror(ax, ticks, log_density)
    means = torch.stack([s.means for s in states[: state.step + 1]])
    ax.plot(*means.T, ".-", color=COLOUR["latent"], linewidth=1.6, markersize=10)
    variances = state.sigmas.square().diag()
    _ellipse(ax, state.means, variances, edgecolor=COLOUR["latent"], linestyle="--")
    ax.set_title(f"sweep {state.step}: ELBO = {state.elbo:.3f}")
