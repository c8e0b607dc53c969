"""More pictures of notebook 02: what goes wrong, how many components, what they reach.

Heights are in metres, log-likelihoods in nats per example.
"""

import torch
from matplotlib.ticker import NullLocator
from torch.distributions import Normal

from course_utils.gaussian.model import fit_gaussian
from course_utils.mixture.fast import features, natural_parameters
from course_utils.style import COLOUR, GROUPS, plot_rug

HEIGHT_GRID = torch.linspace(1.4, 2.0, 601, dtype=torch.float64)


def draw_spike(axes, log10_sigma, x, tallest=1.77, weight=0.1):
    """Section 5: a bump on one person, and the log-likelihood against its width."""
    first = fit_gaussian(x)
    around = tallest + torch.linspace(-0.03, 0.03, 301, dtype=torch.float64)
    grid = torch.cat([HEIGHT_GRID, around]).sort().values

    def density(sigma, at):
        bump = Normal(torch.tensor(tallest, dtype=torch.float64), sigma)
        return (1 - weight) * first.log_prob(at).exp() + weight * bump.log_prob(
            at
        ).exp()

    exponents = torch.linspace(-6, -1, 101, dtype=torch.float64)
    trace = [density(10**e, x).log().mean() for e in exponents.tolist()]
    (curve,) = axes[0].plot(grid, 0 * grid, color=COLOUR["model"], label="model")
    plot_rug(axes[0], x, label="ten people")
    axes[0].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 30))
    axes[0].set(xlim=(1.5, 1.9))
    axes[0].legend(loc="upper left")
    axes[1].plot(exponents, trace, color=COLOUR["model"])
    (here,) = axes[1].plot([], [], "o", color=COLOUR["target"], markersize=10)
    names = ["10 cm", "1 cm", "1 mm", "0.1 mm", "10 μm", "1 μm"]
    axes[1].set(xlabel="σ of the narrow bump", ylabel="nats per person")
    axes[1].set_xticks(range(-1, -7, -1), names)
    axes[1].invert_xaxis()

    def update(log10_sigma):
        sigma = 10**log10_sigma
        value = density(sigma, x).log().mean().item()
        curve.set_ydata(density(sigma, grid))
        here.set_data([log10_sigma], [value])
        top = density(sigma, torch.tensor(tallest)).item()
        axes[0].set_title(f"density at {tallest} m: {top:.3g} per m")
        axes[1].set_title(f"{value:.3f} nats per person")

    update(log10_sigma)
    return update


def plot_ends(ax, ends, edges):
    """Histograms of final log-likelihoods, one outline or filled per kind of start."""
    styles = [
        {"color": GROUPS[1], "alpha": 0.6},
        {"color": GROUPS[0], "histtype": "step", "linewidth": 2.5},
    ]
    for (name, states), style in zip(ends.items(), styles, strict=True):
        values = [state.log_likelihood for state in states]
        ax.hist(values, bins=edges, label=name, **style)
    ax.set(xlabel="final log-likelihood (nats per example)", ylabel="runs")
    ax.legend(loc="upper left")


def plot_choice(axes, ks, training, held_out, criterion, title):
    """Over K: log-likelihoods of training and of held-out data, and the BIC.

    ``held_out`` is ``(len(ks), n)``: bars are two standard errors of the difference to
    the second K, over the examples.
    """
    difference = held_out - held_out[1]
    bars = 2 * difference.std(dim=1) / held_out.shape[1] ** 0.5
    style = {"color": COLOUR["target"], "capsize": 4, "label": "held out"}
    axes[0].plot(ks, training, "o-", color=COLOUR["model"], label="training")
    axes[0].errorbar(ks, held_out.mean(1), bars, fmt="s--", **style)
    axes[0].set(xlabel="K", ylabel="nats per example", title=title, xticks=ks)
    axes[0].legend(loc="lower right")
    axes[1].plot(ks, criterion, "D-", color=COLOUR["data"])
    best = min(range(len(ks)), key=lambda i: criterion[i])
    axes[1].plot(ks[best], criterion[best], "*", color=COLOUR["target"], markersize=18)
    axes[1].set(xlabel="K", ylabel="BIC", xticks=ks, title=f"{title}: lower is better")


def plot_found_groups(axes, mixture, height, female):
    """Galton: the two bumps over the recorded groups, and p(woman | height)."""
    bins = torch.arange(1.40, 2.02, 0.0254)
    for chosen, name, colour in (
        (female, "women", GROUPS[1]),
        (~female, "men", GROUPS[4]),
    ):
        weights = torch.full((int(chosen.sum()),), 1 / len(height) / 0.0254)
        style = {"color": colour, "alpha": 0.55, "label": name}
        axes[0].hist(height[chosen], bins=bins, weights=weights, **style)
    bumps = mixture.log_joint(HEIGHT_GRID[:, None]).exp()
    for k, line in enumerate(("--", "-.")):
        label = f"found: component {k}"
        axes[0].plot(HEIGHT_GRID, bumps[:, k], color="black", ls=line, label=label)
    axes[0].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, 5))
    axes[0].legend(loc="upper left", fontsize=10)
    share = mixture.responsibilities(HEIGHT_GRID[:, None])[:, 0]
    axes[1].plot(
        HEIGHT_GRID, share, color="black", ls="--", label="found: p(z = 0 | x)"
    )
    where = torch.bucketize(height, bins)
    filled = [b for b in where.unique().tolist() if (where == b).sum() >= 5]
    recorded = [female[where == b].double().mean().item() for b in filled]
    middle = [bins[b].item() - 0.0127 for b in filled]
    axes[1].plot(
        middle, recorded, "o", color=GROUPS[1], label="recorded share of women"
    )
    axes[1].set(xlabel="height (m)", ylabel="probability", xlim=(1.45, 1.95))
    axes[1].legend(loc="upper right", fontsize=10)


def draw_approximation(axes, k, fits, grid, target):
    """Section 7: the target, the best mixture of k bumps, and KL on a log axis.

    ``fits`` maps k to ``(mixture, kl)``.
    """
    grid, target = grid[::8], target[::8]  # enough for the eye
    axes[0].fill_between(grid, target, color=COLOUR["target"], alpha=0.3, linewidth=0)
    axes[0].plot(grid, target, color=COLOUR["target"], linewidth=1, label="target")
    (curve,) = axes[0].plot(grid, 0 * grid, color=COLOUR["model"], label="mixture")
    axes[0].set(xlabel="x", ylabel="density", ylim=(0, 1.25 * target.max().item()))
    axes[0].legend(loc="upper right")
    ks, values = list(fits), [kl for _, kl in fits.values()]
    axes[1].loglog(ks, values, "o-", color=COLOUR["model"])
    (here,) = axes[1].plot([], [], "o", color=COLOUR["target"], markersize=12)
    axes[1].set(xlabel="number of bumps K", ylabel="KL (nats)", xticks=ks)
    axes[1].set_xticklabels(ks)
    axes[1].xaxis.set_minor_locator(NullLocator())
    curves = {
        k: mixture.log_prob(grid[:, None]).exp() for k, (mixture, _) in fits.items()
    }

    def update(k):
        kl = fits[k][1]
        curve.set_ydata(curves[k])
        here.set_data([k], [kl])
        axes[0].set_title(f"K = {k}")
        axes[1].set_title(f"KL(target‖mixture) = {kl:.4f} nats")

    update(k)
    return update


def draw_shape(axes, k, fits, x, half_width=3.2):
    """Section 7: points of a hard shape, and the density of k Gaussians."""
    ticks = torch.linspace(-half_width, half_width, 112, dtype=torch.float64)
    points = features(torch.cartesian_prod(ticks, ticks).flip(1))
    axes[0].scatter(*x.T, s=5, color=COLOUR["data"], alpha=0.5, linewidth=0)
    image = draw_image(axes[1], ticks)
    for ax in axes:
        ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
        ax.set_aspect("equal")
    axes[0].set_title("data")
    values = {k: mixture.log_prob(x).mean().item() for k, mixture in fits.items()}

    def update(k):
        mixture = fits[k]
        natural = natural_parameters(
            mixture.weights, mixture.means, mixture.covariances
        )
        show_density(image, (natural @ points).exp_().sum(0))
        axes[1].set_title(f"K = {k}: {values[k]:.2f} nats per example")

    update(k)
    return update


def draw_infinite(axes, components, sigma, curve, half_width=3.2):
    """Section 8: components on a curve μ(z), and the marginal density of x."""
    ticks = torch.linspace(-half_width, half_width, 112, dtype=torch.float64)
    points = features(torch.cartesian_prod(ticks, ticks).flip(1))
    path = curve(standard_normal_quantiles(400))
    axes[0].plot(*path.T, color=COLOUR["quiet"], linewidth=1, label="μ(z)")
    (dots,) = axes[0].plot([], [], "o", color=COLOUR["latent"], markersize=5)
    dots.set_label("components")
    image = draw_image(axes[1], ticks)
    for ax in axes:
        ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
        ax.set_aspect("equal")
    axes[0].legend(loc="upper right")

    def update(components, sigma):
        means = curve(standard_normal_quantiles(components))
        weights = torch.full((components,), 1 / components, dtype=torch.float64)
        width = sigma**2 * torch.eye(2, dtype=torch.float64).expand(components, 2, 2)
        dots.set_data(*means.T)
        natural = natural_parameters(weights, means, width)
        show_density(image, (natural @ points).exp_().sum(0))
        axes[0].set_title(f"{components} values of z")
        axes[1].set_title(f"marginal density of x, σ = {sigma:.2f}")

    update(components, sigma)
    return update


def standard_normal_quantiles(n):
    """``n`` values of z, each for an equal share of N(0, 1)."""
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.special.ndtri(u)


def draw_image(ax, ticks):
    """An empty density panel on a square grid; ``show_density`` fills it."""
    extent = (ticks[0].item(), ticks[-1].item()) * 2
    empty = torch.zeros(len(ticks), len(ticks))
    return ax.imshow(empty, extent=extent, cmap="Blues", interpolation="bilinear")


def show_density(image, density):
    """Put flat values into a panel; white is 0, dark is the highest value."""
    size = image.get_array().shape
    image.set_data(density.reshape(size))
    image.set_clim(0, density.max().item())


def plot_digits(axes, prototypes, weights):
    """Mean images ``(k, 784)``, one per axis, with their weights."""
    for ax, image, weight in zip(axes.flat, prototypes, weights, strict=True):
        ax.imshow(image.reshape(28, 28), cmap="gray_r", origin="upper", vmin=0, vmax=1)
        ax.set_title(f"{weight:.2f}")
        ax.set_axis_off()
