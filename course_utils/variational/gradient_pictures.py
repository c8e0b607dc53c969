"""The pictures of notebook 03, section 6: two gradients, and how noisy they are."""

import torch
from torch.distributions import Normal

from course_utils.drawing import function, having, panel, panels, takes
from course_utils.rules import array, density, number, positive, whole
from course_utils.style import COLOUR
from course_utils.variational.pictures import DARK_LATENT


@takes(axes=panels(2), mu=number, sigma=positive, noise=array("n"), target=number)
def draw_reparameterization(axes, mu, sigma, noise, target=1.0):
    """Left each ε and its z = μ + σ ε; right r(z) = log N(z; target, 1), with slopes.

    The arrows are r'(z), at half their length; their mean is the gradient for μ.
    """
    left, right = axes
    style = {"color": COLOUR["quiet"], "linewidth": 0.9}
    lines = [left.plot([e, e], [1, 0], **style)[0] for e in noise]
    left.plot(noise, torch.ones_like(noise), "s", color=COLOUR["quiet"])
    (dots,) = left.plot(noise, 0 * noise, "o", color=COLOUR["latent"])
    left.set(xlim=(-6, 6), ylim=(-0.35, 1.35), xlabel="value of ε, and of z")
    left.set_yticks([0, 1], ["z = μ + σε", "ε ~ N(0, 1)"])
    z = torch.linspace(-6, 6, 200, dtype=noise.dtype)
    reward = Normal(noise.new_tensor(target), 1.0)
    right.plot(z, reward.log_prob(z), color=COLOUR["target"], label="r(z)")
    (marks,) = right.plot(
        noise, 0 * noise, "o", color=COLOUR["latent"], label="samples"
    )
    marks.set_label("samples")
    style = {"angles": "uv", "scale_units": "x", "scale": 2, "width": 0.006}
    arrows = right.quiver(noise, 0 * noise, noise, 0 * noise, zorder=3, **style)
    right.set(xlim=(-6, 6), ylim=(-14, 1), xlabel="z", ylabel="r(z) in nats")
    right.legend(loc="lower right")

    def update(mu, sigma):
        z = mu + sigma * noise
        dots.set_xdata(z)
        for line, e, end in zip(lines, noise.tolist(), z.tolist(), strict=True):
            line.set_xdata([e, end])
        slope, height = target - z, reward.log_prob(z)
        marks.set_data(z, height)
        arrows.set_offsets(torch.stack([z, height], 1))
        arrows.set_UVC(slope, 0 * slope)
        left.set_title(f"μ = {mu:.1f}, σ = {sigma:.1f}: ε stays, z moves")
        means = f"{slope.mean():+.2f} for μ, {(slope * noise).mean():+.2f} for σ"
        right.set_title(f"mean slope {means}")

    update(mu, sigma)
    return update


@takes(ax=panel, d=whole(1, 10**4), constant=number, variance=function(array()))
def draw_variances(ax, d, constant, variance):
    """Variance of one gradient, against how far q is off in every coordinate.

    ``variance(a, k, c)`` is that of the score function for r = k + a·ε − ½ c ‖ε‖².
    """
    off = torch.logspace(-2, 0.7, 60, dtype=torch.float64)
    styles = [(DARK_LATENT, "-"), (COLOUR["latent"], "--"), (COLOUR["data"], ":")]
    names = ["score function, b = 0", "score function, b = E[r]", "reparameterized"]
    lines = [
        ax.loglog(off, off, style, color=tone, label=name, linewidth=2.4)[0]
        for (tone, style), name in zip(styles, names, strict=True)
    ]
    ax.set(xlabel="distance of q from p in each coordinate", ylim=(1e-4, 1e7))
    ax.set_ylabel("variance of one gradient")
    ax.legend(loc="upper left")

    def update(d, constant):
        every = off[:, None].expand(-1, d)  # a = (δ, …, δ) for each distance δ
        size = every.square().sum(1)  # E[r] = constant − ‖a‖²/2
        plain = [
            variance(a, constant - s / 2, 0) for a, s in zip(every, size, strict=True)
        ]
        lines[0].set_ydata(torch.stack(plain))
        lines[1].set_ydata(torch.stack([variance(a, 0.0, 0) for a in every]))
        lines[2].set_ydata(torch.ones_like(off))
        ax.set_title(f"r = log p − log q + {constant:.0f}, in {d} dimensions")

    update(d, constant)
    return update


@takes(
    axes=panels(2),
    model=having("grid", "log_prob", "log_posterior"),
    q=density,
    bounds=array(None),
)
def plot_climb(axes, model, x, q, bounds):
    """Left the q that was found, beside the posterior of x; right the ELBO on the way.

    ``bounds`` is the ELBO after each step; its axis begins 3 nats below log p(x).
    """
    left, right = axes
    log_p = number(model.log_prob(x), "model.log_prob(x)")
    left.plot(
        model.grid,
        model.log_posterior(x).exp(),
        color=COLOUR["target"],
        label="posterior p(z | x)",
    )
    style = {"color": COLOUR["latent"], "label": "q(z), found"}
    left.plot(model.grid, q.log_prob(model.grid).exp().detach(), "--", **style)
    left.set(xlabel="z", ylabel="density", xlim=(-1, 3), ylim=(0, 1.2))
    left.legend(loc="upper left")
    right.plot(range(1, len(bounds) + 1), bounds, color=COLOUR["latent"], label="ELBO")
    right.axhline(log_p, color=COLOUR["target"], linestyle="--", label="log p(x)")
    right.set(xlabel="step", ylabel="nats", ylim=(log_p - 3, log_p + 0.3))
    right.legend(loc="lower right")
