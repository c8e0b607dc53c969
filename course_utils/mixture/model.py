"""The Gaussian mixture as a model: density, sampling, inference (notebook 02).

Data are ``(n, d)`` and everything is float64; log-densities are in nats. Slides:
*Approximation by mixture models*.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from course_utils.arguments import (
    check_finite,
    counts,
    floats,
    generators,
    probabilities,
    require,
    unit_of,
)
from course_utils.mixture.gate import as_rows

PARAMETERS = ("weights", "means", "covariances")
FAR = -1e6  # log p(x, z) below has lost the digits in which components differ


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """q(x) = Σₖ φₖ N(x | μₖ, Σₖ): built once, checked once, never changed.

    ``weights`` φ ``(k,)``, ``means`` μ ``(k, d)``, ``covariances`` Σ ``(k, d, d)``, all
    kept as float64. Raises ``ValueError`` for wrong shapes, NaN or infinity, weights
    that are negative or do not sum to one, and covariances that are not symmetric
    positive definite.
    """

    weights: torch.Tensor
    means: torch.Tensor
    covariances: torch.Tensor

    def __post_init__(self):
        for name in PARAMETERS:
            value = floats(self.__dict__.pop(name), name, torch.float64).detach()
            with torch.inference_mode(False):  # whose tensors are of no use outside
                self.__dict__[f"_{name}"] = value.clone()
        _check_parameters(self.weights, self.means, self.covariances)

    def __getattr__(self, name: str):
        """The parameters, as copies: what a reader does with them changes no record."""
        if name not in PARAMETERS:
            raise AttributeError(f"a GaussianMixture has no {name!r}")
        return self.__dict__[f"_{name}"].clone()

    @property
    def k(self) -> int:
        """How many components."""
        return len(self.weights)

    @property
    def d(self) -> int:
        """How many dimensions x has."""
        return self.means.shape[1]

    @property
    def n_parameters(self) -> int:
        """Numbers that are free: k − 1 weights, k·d means, k·d(d + 1)/2 covariances."""
        return self.k - 1 + self.k * self.d + self.k * self.d * (self.d + 1) // 2

    @cached_property
    def _components(self) -> MultivariateNormal:
        with torch.inference_mode(False):
            cholesky = torch.linalg.cholesky(self.covariances)  # L, with Σ = L Lᵀ
            # Not validated again: __post_init__ has looked at the parameters.
            return MultivariateNormal(
                self.means, scale_tril=cholesky, validate_args=False
            )

    @property
    def components(self) -> MultivariateNormal:
        """The k Gaussians, as one batched ``torch.distributions`` object."""
        cholesky = self._components.scale_tril.clone()  # yours; ours stays
        return MultivariateNormal(self.means, scale_tril=cholesky, validate_args=False)

    @property
    def distribution(self) -> MixtureSameFamily:
        """The same mixture as a ``torch.distributions`` object."""
        return MixtureSameFamily(Categorical(self.weights), self.components)

    def sample(self, n: int, labels: bool = False, generator=None):
        """``n`` new examples ``(n, d)``; with ``labels`` also the hidden z ``(n,)``.

        Ancestral sampling, as on the slide: z ~ Categorical(φ), x ~ Normal(μ_z, Σ_z).
        """
        counts(n=n)
        if not isinstance(labels, bool):
            raise TypeError(f"labels must be True or False, got {labels!r:.60}")
        generators(generator=generator)
        # By hand, because torch.distributions take no generator.
        z = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.d, dtype=torch.float64, generator=generator)
        scale = self._components.scale_tril[z]  # (n, d, d): the L of each z
        x = self.means[z] + (scale @ noise[:, :, None])[:, :, 0]
        return (x, z) if labels else x

    def log_joint(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z = k) = log φₖ + log N(x | μₖ, Σₖ): ``(n, d)`` to ``(n, k)``."""
        x = as_rows(x, self.d)
        # (n, 1, d) against k Gaussians of dimension d: every row meets every one.
        return self.weights.log() + in_parts(
            lambda part: self._components.log_prob(part[:, None, :]), x, self.means
        )

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log q(x) = log Σₖ φₖ N(x | μₖ, Σₖ): ``(n, d)`` to ``(n,)``, in nats."""
        return self.log_joint(x).logsumexp(dim=1)  # no density, so no underflow

    def responsibilities(self, x: torch.Tensor) -> torch.Tensor:
        """p(z = k | x), Bayes' rule: ``(n, d)`` to ``(n, k)``; rows sum to one."""
        joint = self.log_joint(x)
        r = joint.softmax(dim=1)  # log p(x, z) minus log p(x), then exp
        far = joint.amax(1) < FAR
        if bool(far.any()):
            x = as_rows(x, self.d)[far]
            shares = in_parts(lambda part: _shares_far_away(part, self), x, self.means)
            r = r.index_put((far,), shares)
        return r

    @classmethod
    def joined(cls, parts: list["GaussianMixture"], shares) -> "GaussianMixture":
        """A mixture of mixtures, which is a mixture: φ = share · φ within the part.

        ``shares`` has a number for each of the ``parts``; their sum is one.
        """
        parts, shares = mixtures(parts, "parts"), probabilities(shares, "shares")
        sizes = sorted({part.d for part in parts})
        require(parts=(f"d = {sizes}", len(sizes) == 1, "mixtures of one dimension"))
        fits = len(shares) == len(parts)
        require(shares=(f"{len(shares)}", fits, f"{len(parts)}, as many as parts"))
        weights = [s * part.weights for s, part in zip(shares, parts, strict=True)]
        return cls(
            torch.cat(weights),
            torch.cat([part.means for part in parts]),
            torch.cat([part.covariances for part in parts]),
        )

    def permuted(self, order) -> "GaussianMixture":
        """The same density with its components in another order."""
        order = floats(order, "order", torch.float64)
        fits = torch.equal(order.flatten().sort().values, torch.arange(self.k).double())
        rule = f"a permutation of 0 to {self.k - 1}"
        require(order=(order.tolist(), fits and order.ndim == 1, rule))
        order = order.long()
        parameters = self.weights, self.means, self.covariances
        return GaussianMixture(*(p[order] for p in parameters))


def bic(x: torch.Tensor, mixture: GaussianMixture) -> float:
    """Bayesian information criterion, −2 log L + p log n, nats: lower is better.

    p is ``mixture.n_parameters`` (Schwarz 1978; twice his formula, with the sign that
    scikit-learn uses).
    """
    check_mixture(mixture)
    x = as_rows(x, mixture.d)
    log_likelihood = mixture.log_prob(x).sum().item()
    return mixture.n_parameters * math.log(len(x)) - 2 * log_likelihood


def sort_components(mixture: GaussianMixture, by: int = 0) -> GaussianMixture:
    """The same density with its components in the order of coordinate ``by``."""
    check_mixture(mixture)
    counts(0, by=by)
    require(by=(by, by < mixture.d, f"below {mixture.d}, the number of coordinates"))
    return mixture.permuted(mixture.means[:, by].argsort())


def match_components(
    mixture: GaussianMixture, reference: GaussianMixture
) -> GaussianMixture:
    """The same density with its components in the order of ``reference``.

    Of all k! orders it takes the one whose means lie nearest, in the sum of squared
    distances. Raises ``ValueError`` for different k or d and for k > 8.
    """
    check_mixture(mixture)
    check_mixture(reference, "reference")
    shape, other = tuple(mixture.means.shape), tuple(reference.means.shape)
    require(reference=(other, other == shape, f"a mixture with means of shape {shape}"))
    require(k=(mixture.k, mixture.k <= 8, "at most 8 (else use sort_components)"))
    orders = torch.tensor(list(permutations(range(mixture.k))))  # (k!, k)
    unit = unit_of(torch.cat([mixture.means, reference.means]))  # no square overflows
    distance = squared_distances(mixture.means / unit, reference.means / unit)
    # Entry j of an order is the component that takes the place of component j.
    total = distance[orders, torch.arange(mixture.k)].sum(1)  # (k!,)
    return mixture.permuted(orders[total.argmin()])


def squared_distances(x: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """‖xₙ − cₖ‖² for ``(n, d)`` and ``(k, d)``: ``(n, k)``."""
    return in_parts(lambda p: (p[:, None] - centres).square().sum(2), x, centres)


def in_parts(function, x: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """``function(x)``, ``(n, k)``, for some rows at a time.

    A function that meets ``(n, 1, d)`` with ``(k, d)`` never has n·k·d numbers in
    memory at once.
    """
    rows = rows_at_once(centres.numel())
    if len(x) <= rows:
        return function(x)
    # All memory that stays is taken first: pieces would stand in the way of others.
    values = x.new_empty(len(x), len(centres))
    for first in range(0, len(x), rows):
        values[first : first + rows] = function(x[first : first + rows])
    return values


def rows_at_once(numbers: int) -> int:
    """How many rows to take at once where each needs so many float64: 8 MiB."""
    return max(1, 2**20 // numbers)


def _shares_far_away(x: torch.Tensor, mixture: GaussianMixture) -> torch.Tensor:
    # Squares of large distances have lost their differences. With a and b the distances
    # from two components, each in its own units, |a|² − |b|² = (a − b)·(a + b) keeps
    # them. Only components with a weight take part.
    used = mixture.weights.nonzero()[:, 0]
    weights, means = mixture.weights[used], mixture.means[used]
    scale = mixture._components.scale_tril[used]
    inverse = torch.linalg.inv(scale)
    peaks = weights.log() - scale.diagonal(dim1=1, dim2=2).log().sum(1)
    nearest = mixture.log_joint(x)[:, used].argmax(1)  # (n,), a guess where all is −∞
    for _ in range(2):  # the second time beside the one that has won
        log_ratio = x.new_empty(len(x), len(used))
        for j in nearest.unique().tolist():
            gap = _half_gap(x[nearest == j] - means[j], inverse, means - means[j], j)
            log_ratio[nearest == j] = peaks - peaks[j] + gap
        nearest = log_ratio.argmax(1)
    shares = log_ratio.softmax(1)
    if bool(shares.isnan().any()):
        raise ValueError("x must lie nearer to the means: the distances overflow")
    return shares.new_zeros(len(x), mixture.k).index_copy(1, used, shares)


def _half_gap(y, inverse, shifts, j: int) -> torch.Tensor:
    """½ |b|² − ½ |a|² from component j and from each, ``(n, k)``; y is x − μⱼ."""
    units = unit_of(y.T, each_column=True), unit_of(inverse)  # for no square overflows
    y, inverse = y / units[0][:, None], inverse / units[1]
    b = (y @ inverse[j].T)[:, None]  # (n, 1, d)
    shifts = (inverse @ shifts[:, :, None])[:, :, 0] / units[0][:, None, None]
    difference = torch.einsum("kij,nj->nki", inverse - inverse[j], y) - shifts  # a − b
    half = -0.5 * (difference * (difference + 2 * b)).sum(2)
    for unit in units * 2:  # one after the other: their product may overflow
        half = half * (unit[:, None] if unit.ndim else unit)
    return half.clamp(-1e300, 1e300)


def is_positive_definite(covariances: torch.Tensor) -> torch.Tensor:
    """Which of ``(k, d, d)`` are positive definite, ``(k,)``."""
    # cholesky_ex does not raise: info is 0 where the decomposition has succeeded.
    return torch.linalg.cholesky_ex(covariances).info == 0


def check_mixture(mixture: GaussianMixture, name: str = "mixture") -> None:
    """Raise ``TypeError`` for what is no ``GaussianMixture``."""
    if not isinstance(mixture, GaussianMixture):
        raise TypeError(f"{name} must be a GaussianMixture, got {mixture!r:.60}")


def mixtures(items, name: str) -> list[GaussianMixture]:
    """The ``items`` as a list, if they are mixtures; else ``TypeError``."""
    try:
        items = list(items)
    except (TypeError, RuntimeError):  # torch raises either
        raise TypeError(f"{name} must be a list, got {items!r:.60}") from None
    for item in items:
        check_mixture(item, name)
    return items


def _check_parameters(weights, means, covariances) -> None:
    k, d = weights.numel(), means.shape[-1] if means.ndim else 0
    for name, value, shape, words in (
        ("weights", weights, (k,), "(k,)"),
        ("means", means, (k, d), f"(k, d) with k = {k}"),
        ("covariances", covariances, (k, d, d), f"{(k, d, d)}"),
    ):
        if value.shape != shape or value.numel() == 0:
            raise ValueError(
                f"{name} must have shape {words}, got {tuple(value.shape)}"
            )
        check_finite(value, name)
    total = weights.sum().item()
    if not bool((weights >= 0).all()) or abs(total - 1) > 1e-6:
        raise ValueError(
            f"weights must be >= 0 and sum to 1, got {weights} with sum {total:.6g}"
        )
    # A matrix product may leave the two halves of a covariance a rounding apart.
    # Measured in the spread of each pair of columns, so that no unit hides a fault.
    asymmetry = (covariances - covariances.mT).abs()
    spread = covariances.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
    pairs = spread[:, :, None] * spread[:, None, :]
    wrong = (asymmetry > 1e-6 * pairs).flatten(1).any(1)
    wrong |= asymmetry.amax((1, 2)) > 1e-9 * covariances.abs().amax((1, 2))
    wrong |= ~is_positive_definite(covariances)
    if bool(wrong.any()):
        worst = int(wrong.nonzero()[0])
        raise ValueError(
            "covariances must be symmetric positive definite, "
            f"that of component {worst} is {covariances[worst]}"
        )
