"""The best Gaussian, or small mixture, by KL, reverse KL, JSD or MMD (notebook 06).

``fit_isotropic_gaussian(target, divergence)`` is Figure 1 of Theis, van den Oord and
Bethge (2015), *A note on the evaluation of generative models*, for any Gaussian mixture
on a line or in the plane. Values are in nats (MMD² has no unit).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from course_utils.arguments import check_finite, counts, floats, require, seed_of
from course_utils.data import read_csv
from course_utils.divergences.frame import Frame
from course_utils.divergences.surface import moments, pack
from course_utils.mixture.model import GaussianMixture

NAMES = {"forward_kl": "KL(p‖q)", "mmd": "MMD", "js": "JSD", "reverse_kl": "KL(q‖p)"}
SUFFICIENT = 1e-4  # of the decrease that the gradient promises


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted mixture of round Gaussians: weights ``(k,)``, means ``(k, d)``, sigmas.

    ``minima`` holds the different local minima to which the starts have led, this best
    one first.
    """

    value: float
    weights: torch.Tensor
    means: torch.Tensor
    sigmas: torch.Tensor
    minima: tuple["FitResult", ...] = ()

    @property
    def mean(self) -> torch.Tensor:
        """The mean ``(d,)``, of a single Gaussian."""
        return self.means[0]

    @property
    def sigma(self) -> float:
        """The standard deviation of a single Gaussian."""
        return self.sigmas[0].item()

    @cached_property
    def distribution(self) -> GaussianMixture:
        """The fit as a ``GaussianMixture``."""
        return round_mixture(self.weights, self.means, self.sigmas)


def round_mixture(weights, means, sigmas) -> GaussianMixture:
    """A mixture of round Gaussians: weights, means, sigmas, one per component.

    Means are ``(k, d)``, or ``(k,)`` for numbers on a line. Raises ``ValueError`` for
    other shapes, and for sigmas that are not positive.
    """
    means = floats(means, "means", torch.float64)
    means = means[:, None] if means.ndim == 1 else means
    sigmas = floats(sigmas, "sigmas", torch.float64)
    weights = floats(weights, "weights", torch.float64)
    got, fits = tuple(means.shape), means.ndim == 2 and means.numel() > 0
    require(means=(f"shape {got}", fits, "of shape (k, d) or (k,)"))
    got, fits = tuple(sigmas.shape), sigmas.shape == means.shape[:1]
    require(
        sigmas=(f"shape {got}", fits, f"of shape ({len(means)},), as many as means")
    )
    fits = bool(((sigmas > 0) & sigmas.isfinite()).all())
    require(sigmas=(sigmas.tolist(), fits, "positive and finite"))
    eye = torch.eye(means.shape[1], dtype=torch.float64)
    variances = sigmas.square()  # (k,)
    return GaussianMixture(weights, means, variances[:, None, None] * eye)


def load_theis_mixture() -> GaussianMixture:
    """Ten round Gaussians in the plane: the target of Theis et al. (2015), Figure 1."""
    keys = ("weight", "mean_x", "mean_y", "variance")
    rows = [[float(row[key]) for key in keys] for row in read_csv("theis_mixture.csv")]
    weights, *means, variances = torch.tensor(rows, dtype=torch.float64).T
    return round_mixture(weights, torch.stack(means, dim=1), variances.sqrt())


def fit_isotropic_gaussian(
    target: GaussianMixture, divergence: str | Callable, starts=None, **options
) -> FitResult:
    """The round Gaussian q = N(μ, σ²I) that is nearest to ``target`` p (d = 1 or 2).

    ``divergence`` is ``"forward_kl"`` for KL(p‖q), ``"reverse_kl"`` for KL(q‖p),
    ``"js"``, ``"mmd"`` (MMD², in closed form, its kernels summed over ``bandwidths``),
    or a function of log p and log q on a grid and of the size of a cell. ``starts`` are
    pairs (mean, sigma): by default the Gaussian with the moments of the target, and one
    on each of its components, for there may be a local minimum at each.

    ``options`` are those bandwidths and ``points``, the ticks of the grid per axis.

    ``forward_kl`` needs no search: its minimum has the moments of the target. Raises
    ``ValueError`` for an unknown name, another d, starts, ``bandwidths`` or ``points``
    without sense, a grid that is too coarse (give more ``points``), and when every
    start has left the grid.
    """
    with torch.inference_mode(False), torch.no_grad():
        frame = Frame.of(target, divergence, options)
        target = frame.surface.target
        mean, sigma = moments(target)
        if starts is None:
            widths = target.covariances.diagonal(dim1=1, dim2=2).mean(1).sqrt()
            starts = [(mean, sigma), *zip(target.means, widths, strict=True)]
        else:
            starts = [frame.inwards(*start) for start in _pairs(target.d, starts)]
        begins = [_begin(*start) for start in starts]
        # maximum likelihood is moment matching: no search
        ends = [pack([1.0], mean[None], sigma[None])]
        if divergence != "forward_kl":
            ends = [descend(frame.with_slope, theta) for theta in begins]
        return _best(frame, ends)


def fit_round_mixture(
    target, divergence, k: int, n_starts=4, max_steps=200, seed=0, **options
) -> FitResult:
    """The nearest mixture of ``k`` round Gaussians that ``n_starts`` runs have found.

    Each run starts near ``k`` components of the target that lie well apart.
    ``target``, ``divergence``, ``options`` and errors are those of
    ``fit_isotropic_gaussian``; also ``k``, ``n_starts`` and ``max_steps`` must be at
    least 1.
    """
    counts(k=k, n_starts=n_starts, max_steps=max_steps)
    seed = seed_of(seed)
    with torch.inference_mode(False), torch.no_grad():
        frame = Frame.of(target, divergence, options)
        target = frame.surface.target
        generator = torch.Generator().manual_seed(seed)
        sigma = moments(target)[1] / k**0.5  # k components share the area of the whole
        ends = []
        for _ in range(n_starts):
            means = _far_apart(target, k, generator)
            # a bit aside: two components in one place would stay together
            aside = torch.randn(k, target.d, dtype=torch.float64, generator=generator)
            start = pack(torch.ones(k), means + 0.3 * sigma * aside, sigma.expand(k))
            ends.append(descend(frame.with_slope, start, max_steps))
        return _best(frame, ends)


def _far_apart(target, k, generator) -> torch.Tensor:
    """Means of components, drawn by weight · squared distance, as in k-means++."""
    chance, chosen = target.weights, []
    for _ in range(k):
        chosen += torch.multinomial(chance, 1, generator=generator).tolist()
        distance = torch.cdist(target.means, target.means[chosen]).amin(1)
        chance = target.weights * distance.square()  # 0 for those already chosen
        chance = chance if bool(chance.any()) else target.weights
    return target.means[chosen]


def descend(f: Callable, x: torch.Tensor, max_steps: int = 100) -> torch.Tensor:
    """The end of a descent of f from x ``(p,)``, by BFGS with halving of steps.

    ``f`` returns a value and its gradient (Nocedal and Wright 2006, algorithm 6.1). No
    step is longer than 1, so x should be scaled accordingly. It stops where the
    gradient is below 1e-6, or where no step leads down any more. Raises
    ``FloatingPointError`` where f is NaN or infinite at the start; later, a step to
    such a place is halved.
    """
    x = floats(x)
    got = f"shape {tuple(x.shape)}"
    require(x=(got, x.ndim == 1 and len(x) > 0, "numbers of shape (p,)"))
    check_finite(x)
    inverse = eye = torch.eye(len(x), dtype=x.dtype)  # of the curvature: not known yet
    value, slope = f(x)
    if not bool(value.isfinite() & slope.isfinite().all()):
        where = f"{value.item():g}, its gradient {slope.tolist()}"
        raise FloatingPointError(f"at a start of the search the value is {where}")
    for _ in range(max_steps):
        step = -(inverse @ slope)
        step = step / max(1.0, step.norm().item())
        promised = (step @ slope).item()  # how much the value falls, if it is a plane
        if slope.abs().max() < 1e-6 or not promised < 0:
            break
        for _ in range(30):  # halve the step until it is worth it
            new_value, new_slope = f(x + step)
            if new_value <= value + SUFFICIENT * promised:
                break
            step, promised = step / 2, promised / 2
        else:
            break
        change = new_slope - slope
        x, value, slope = x + step, new_value, new_slope
        along = step @ change
        if along > 1e-14:  # the slope has grown along the step: a curvature to learn
            # Nocedal and Wright, eq. 6.17: the inverse now maps ``change`` to ``step``
            left = eye - torch.outer(step, change) / along
            inverse = left @ inverse @ left.T + torch.outer(step, step) / along
    return x


def _pairs(d, starts) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The starts as pairs, mean ``(d,)`` and sigma ``()``; ``ValueError`` if not."""
    try:
        starts = list(starts)
    except TypeError:
        raise ValueError(
            f"starts must hold pairs (mean, sigma), got {starts}"
        ) from None
    if not starts:
        raise ValueError("starts is empty: give at least one pair (mean, sigma)")
    return [_pair(d, start) for start in starts]


def _pair(d, start) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        mean, sigma = (floats(v, dtype=torch.float64).detach() for v in start)
    except (TypeError, ValueError):
        raise ValueError(f"starts must hold pairs (mean, sigma), got {start}") from None
    if mean.numel() != d or not bool(mean.isfinite().all()):
        raise ValueError(f"the mean of a start must be {d} finite numbers, got {mean}")
    if sigma.numel() != 1 or not 0 < sigma.item() < torch.inf:
        raise ValueError(f"the sigma of a start must be one number > 0, got {sigma}")
    return mean.reshape(d), sigma.reshape(())


def _begin(mean, sigma) -> torch.Tensor:
    """θ of a start, a bit aside: exactly between two modes there is often a saddle."""
    mean, sigma = mean[None], sigma.reshape(1)
    aside = 1e-3 * sigma * torch.arange(1.0, mean.shape[1] + 1, dtype=torch.float64)
    return pack([1.0], mean + aside, sigma)


def _best(frame: Frame, ends: list[torch.Tensor]) -> FitResult:
    """The best of the ends, with all that differ from one another."""
    surface = frame.surface
    fits = [
        FitResult(frame.value(theta), *surface.unpack(theta))
        for theta in ends
        if surface.holds(theta)
    ]
    if not fits:
        raise ValueError("from every start the search has left the grid: try others")
    minima = []  # several starts may end in one valley: it counts once
    for fit in sorted(fits, key=_rank):
        if not any(_same(fit, other) for other in minima):
            minima.append(fit)
    minima = [replace(fit, **frame.outwards(fit)) for fit in minima]
    return replace(minima[0], minima=tuple(minima))


def _rank(fit: FitResult) -> tuple[float, float]:
    """By value; of mirror images, equal up to rounding, the left one comes first."""
    return round(fit.value, 6), fit.means[0, 0].item()


def _same(fit: FitResult, other: FitResult) -> bool:
    """Equal up to the order of the components and a hundredth of σ."""
    gap = torch.cdist(fit.means, other.means) / other.sigmas  # (k, k)
    ratio = (fit.sigmas[:, None] / other.sigmas).log().abs()
    near = (gap < 0.01) & (ratio < 0.01)
    # each has a partner on the other side
    return bool(near.any(0).all() and near.any(1).all())
