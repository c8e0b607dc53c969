"""The sliders of sections 7 and 8 of notebook 02: enough components make any shape.

Here the density counts, not the components: many of them stand for one curve or one
picture, and their number is on the slider.
"""

import torch
from matplotlib.ticker import NullLocator

from course_utils.arguments import counts, require, returned
from course_utils.drawing import function, key_of, mapping, panels, parts, takes
from course_utils.mixture.fast import features, natural_parameters
from course_utils.mixture.marks import PLANE, mixture_in
from course_utils.mixture.pictures import name_plane
from course_utils.rules import array, between, growing, positive, whole
from course_utils.style import COLOUR


@takes(
    axes=panels(2),
    fits=mapping(parts(mixture_in(1), positive)),
    k=key_of("fits"),
    grid=growing("n"),
    target=array("n", low=0),
)
def draw_approximation(axes, k, fits, grid, target):
    """Section 7: the target, the best mixture of k bumps, and KL on a log axis.

    ``fits`` maps k to ``(mixture, kl)``.
    """
    grid, target = grid[::8], target[::8]  # enough for the eye
    curves = {k: fit.log_prob(grid[:, None]).exp() for k, (fit, _) in fits.items()}
    axes[0].fill_between(grid, target, color=COLOUR["target"], alpha=0.3, linewidth=0)
    axes[0].plot(grid, target, color=COLOUR["target"], linewidth=1, label="target")
    (curve,) = axes[0].plot(grid, 0 * grid, color=COLOUR["model"], label="mixture")
    axes[0].set(xlabel="x", ylabel="density", ylim=(0, 1.25 * target.max().item()))
    axes[0].legend(loc="upper right")
    ks, values = list(fits), [kl for _, kl in fits.values()]
    axes[1].loglog(ks, values, "o-", color=COLOUR["model"])
    style = {"color": "black", "markersize": 14, "markerfacecolor": "none"}
    (here,) = axes[1].plot([], [], "o", markeredgewidth=2, **style)
    axes[1].set(xlabel="number of bumps K", ylabel="KL (nats)", xticks=ks)
    axes[1].set_xticklabels(ks)
    axes[1].xaxis.set_minor_locator(NullLocator())

    def update(k):
        kl = fits[k][1]
        curve.set_ydata(curves[k])
        here.set_data([k], [kl])
        axes[0].set_title(f"K = {k}")
        axes[1].set_title(f"KL(target‖mixture) = {kl:.4f} nats")

    update(k)
    return update


def _density_panel(axes, half_width):
    """Two square panels; the function returned shows a mixture in the right one."""
    ticks = torch.linspace(-half_width, half_width, 112, dtype=torch.float64)
    points = features(torch.cartesian_prod(ticks, ticks).flip(1))  # (6, 112²), once
    place = {"extent": (-half_width, half_width) * 2, "interpolation": "bilinear"}
    image = axes[1].imshow(torch.zeros(112, 112), cmap="Blues", **place)
    for ax in axes:
        ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
        ax.set_aspect("equal")
    name_plane(axes)

    def show(weights, means, covariances):
        natural = natural_parameters(weights, means, covariances)
        density = (natural @ points).exp_().sum(0)  # one product, as in section 4
        image.set_data(density.reshape(112, 112))
        image.set_clim(0, density.max().item())  # white is 0, dark is the highest

    return show


@takes(
    axes=panels(2),
    fits=mapping(mixture_in(2)),
    k=key_of("fits"),
    x=PLANE,
    half_width=positive,
)
def draw_shape(axes, k, fits, x, half_width=3.2):
    """Section 7: points of a hard shape, and the density of k Gaussians."""
    values = {k: mixture.log_prob(x).mean().item() for k, mixture in fits.items()}
    axes[0].scatter(*x.T, s=5, color=COLOUR["data"], alpha=0.5, linewidth=0)
    show = _density_panel(axes, half_width)
    axes[0].set_title("data")

    def update(k):
        show(fits[k].weights, fits[k].means, fits[k].covariances)
        axes[1].set_title(f"K = {k}: {values[k]:.2f} nats per example")

    update(k)
    return update


@takes(
    axes=panels(2),
    components=whole(1, 10**4),
    sigma=between(1e-6, 1e6),
    curve=function(array(None, 2)),
    half_width=positive,
)
def draw_infinite(axes, components, sigma, curve, half_width=3.2):
    """Section 8: components on a curve μ(z), and the marginal density of x."""
    path = curve(standard_normal_quantiles(400))
    axes[0].plot(*path.T, color=COLOUR["quiet"], linewidth=1, label="μ(z)")
    style = {"color": COLOUR["latent"], "markersize": 5, "label": "components"}
    (dots,) = axes[0].plot([], [], "o", **style)
    show = _density_panel(axes, half_width)
    axes[0].legend(loc="upper right")

    def update(components, sigma):
        means = curve(standard_normal_quantiles(components))
        returned(means, (components, 2), "curve")
        weights = torch.full((components,), 1 / components, dtype=torch.float64)
        ball = sigma**2 * torch.eye(2, dtype=torch.float64)
        dots.set_data(*means.T)
        show(weights, means, ball.expand(components, 2, 2))
        axes[0].set_title(f"{components} values of z")
        axes[1].set_title(f"marginal density of x, σ = {sigma:.2f}")

    update(components, sigma)
    return update


def standard_normal_quantiles(n):
    """``n`` values of z, each for an equal share of N(0, 1)."""
    counts(n=n)
    require(n=(n, n <= 10**8, "at most 100 million"))
    return torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)
