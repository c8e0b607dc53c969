"""The best Gaussian, or small mixture, by KL, reverse KL, JSD or MMD (notebook 06).

``fit_isotropic_gaussian(target, divergence)`` is Figure 1 of Theis, van den Oord and
Bethge (2015), *A note on the evaluation of generative models*, for any Gaussian mixture
on a line or in the plane. Values are in nats (MMD² has no unit).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from course_utils.data import read_csv
from course_utils.divergences.newton import descend
from course_utils.divergences.surface import (
    DIVERGENCES,
    THEIS_BANDWIDTHS,
    Surface,
    moments,
    pack,
)
from course_utils.mixture.model import GaussianMixture

NAMES = {"forward_kl": "KL(p‖q)", "mmd": "MMD", "js": "JSD", "reverse_kl": "KL(q‖p)"}

__all__ = [
    "DIVERGENCES",
    "NAMES",
    "THEIS_BANDWIDTHS",
    "FitResult",
    "fit_isotropic_gaussian",
    "fit_round_mixture",
    "load_theis_mixture",
    "moments",
    "round_mixture",
]


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

    Means are ``(k, d)``, or ``(k,)`` for numbers on a line.
    """
    means = torch.as_tensor(means, dtype=torch.float64)
    means = means[:, None] if means.ndim == 1 else means
    variances = torch.as_tensor(sigmas, dtype=torch.float64).square()
    eye = torch.eye(means.shape[1], dtype=torch.float64)
    return GaussianMixture(weights, means, variances[:, None, None] * eye)


def load_theis_mixture() -> GaussianMixture:
    """Ten round Gaussians in the plane: the target of Theis et al. (2015), Figure 1."""
    rows = [
        [float(row[key]) for key in ("weight", "mean_x", "mean_y", "variance")]
        for row in read_csv("theis_mixture.csv")
    ]
    table = torch.tensor(rows, dtype=torch.float64)
    return round_mixture(table[:, 0], table[:, 1:3], table[:, 3].sqrt())


def fit_isotropic_gaussian(
    target: GaussianMixture,
    divergence: str | Callable,
    starts: "Sequence[tuple | FitResult] | FitResult | None" = None,
    bandwidths=THEIS_BANDWIDTHS,
    points: int | None = None,
) -> FitResult:
    """The round Gaussian q = N(μ, σ²I) that is nearest to ``target`` p (d = 1 or 2).

    ``divergence`` is ``"forward_kl"`` for KL(p‖q), ``"reverse_kl"`` for KL(q‖p),
    ``"js"``, ``"mmd"`` (MMD², in closed form, its kernels summed over ``bandwidths``),
    or a function of log p and log q on a grid and of the size of a cell. ``starts`` are
    pairs (mean, sigma): by default the Gaussian with the moments of the target, and one
    on each of its components. To start warm, give the last fit, alone or in the list.

    ``forward_kl`` needs no search: its minimum has the moments of the target. Raises
    ``ValueError`` for an unknown name, another d, starts, ``bandwidths`` or ``points``
    without sense, a grid that is too coarse (give more ``points`` per axis), and when
    every start has left the grid.
    """
    surface = Surface(target, divergence, bandwidths, points)
    mean, sigma = moments(target)
    if starts is None:
        widths = target.covariances.diagonal(dim1=1, dim2=2).mean(1).sqrt()
        starts = [(mean, sigma), *zip(target.means, widths, strict=True)]
    starts = [starts] if isinstance(starts, FitResult) else starts
    if not starts:
        raise ValueError("starts is empty: give at least one pair (mean, sigma)")
    begins = [_begin(target.d, start) for start in starts]
    if divergence == "forward_kl":
        return _best(surface, [pack([1.0], mean, sigma[None])])
    return _best(surface, [descend(surface.with_slope, theta) for theta in begins])


def fit_round_mixture(
    target: GaussianMixture,
    divergence: str | Callable,
    k: int,
    n_starts: int = 4,
    max_steps: int = 200,
    seed: int = 0,
    **options,
) -> FitResult:
    """The nearest mixture of ``k`` round Gaussians that ``n_starts`` runs have found.

    Each run starts near ``k`` components of the target that lie well apart.
    ``options`` are ``bandwidths`` and ``points``, as above. Errors as above, and for
    ``k``, ``n_starts`` or ``max_steps`` below 1.
    """
    for name, count in (("k", k), ("n_starts", n_starts), ("max_steps", max_steps)):
        if not count >= 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    surface = Surface(target, divergence, **options)
    generator = torch.Generator().manual_seed(seed)
    sigma = moments(target)[1] / k**0.5
    ends = []
    for _ in range(n_starts):
        means = _far_apart(target, k, generator)
        aside = torch.randn(k, target.d, dtype=torch.float64, generator=generator)
        start = pack(torch.ones(k), means + 0.3 * sigma * aside, sigma.expand(k))
        ends.append(descend(surface.with_slope, start, max_steps))
    return _best(surface, ends)


def _far_apart(target, k, generator) -> torch.Tensor:
    """Means of components, drawn by weight · squared distance, as in k-means++."""
    chance, chosen = target.weights, []
    for _ in range(k):
        chosen += torch.multinomial(chance, 1, generator=generator).tolist()
        distance = torch.cdist(target.means, target.means[chosen]).amin(1)
        chance = target.weights * distance.square()
        chance = chance if bool(chance.any()) else target.weights
    return target.means[chosen]


def _begin(d, start) -> torch.Tensor:
    """θ of a start, a bit aside: exactly between two modes there is often a saddle."""
    if isinstance(start, FitResult):
        if len(start.weights) != 1:
            k = len(start.weights)
            raise ValueError(
                f"starts must hold single Gaussians, got a fit with k = {k}"
            )
        start = start.mean, start.sigma
    try:
        mean, sigma = (torch.as_tensor(v, dtype=torch.float64) for v in start)
    except (TypeError, ValueError):
        raise ValueError(f"starts must hold pairs (mean, sigma), got {start}") from None
    if mean.numel() != d or not bool(mean.isfinite().all()):
        raise ValueError(f"the mean of a start must be {d} finite numbers, got {mean}")
    if sigma.numel() != 1 or not 0 < sigma.item() < torch.inf:
        raise ValueError(f"the sigma of a start must be one number > 0, got {sigma}")
    mean, sigma = mean.reshape(1, d), sigma.reshape(1)
    aside = 1e-3 * sigma * torch.arange(1.0, d + 1, dtype=torch.float64)
    return pack([1.0], mean + aside, sigma)


def _best(surface: Surface, ends: list[torch.Tensor]) -> FitResult:
    """The best of the ends, with all that differ from one another."""
    fits = []
    for theta in ends:
        with torch.no_grad():
            if surface.holds(theta):
                fits.append(FitResult(surface(theta).item(), *surface.unpack(theta)))
    if not fits:
        raise ValueError("from every start the search has left the grid: try others")
    minima = []
    for fit in sorted(fits, key=_rank):
        if not any(_same(fit, other) for other in minima):
            minima.append(fit)
    return replace(minima[0], minima=tuple(minima))


def _rank(fit: FitResult) -> tuple[float, float]:
    """By value; of mirror images, equal up to rounding, the left one comes first."""
    return round(fit.value, 6), fit.means[0, 0].item()


def _same(fit: FitResult, other: FitResult) -> bool:
    """Equal up to the order of the components and a hundredth of σ."""
    gap = torch.cdist(fit.means, other.means) / other.sigmas
    ratio = (fit.sigmas[:, None] / other.sigmas).log().abs()
    near = (gap < 0.01) & (ratio < 0.01)
    return bool(near.any(0).all() and near.any(1).all())
