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

from course_utils.arguments import check_data, check_finite, require


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
        for name in ("weights", "means", "covariances"):
            value = torch.as_tensor(getattr(self, name)).detach()
            # A copy, so that nobody changes the record from outside. It is frozen:
            # only object.__setattr__ can still write, here, before it is used.
            object.__setattr__(self, name, value.to(torch.float64, copy=True))
        _check_parameters(self.weights, self.means, self.covariances)

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
    def components(self) -> MultivariateNormal:
        """The k Gaussians, as one batched ``torch.distributions`` object."""
        cholesky = torch.linalg.cholesky(self.covariances)  # L, with Σ = L Lᵀ
        # Not validated again: __post_init__ has looked at the parameters.
        return MultivariateNormal(self.means, scale_tril=cholesky, validate_args=False)

    @cached_property
    def distribution(self) -> MixtureSameFamily:
        """The same mixture as a ``torch.distributions`` object."""
        return MixtureSameFamily(Categorical(self.weights), self.components)

    def sample(self, n: int, labels: bool = False, generator=None):
        """``n`` new examples ``(n, d)``; with ``labels`` also the hidden z ``(n,)``.

        Ancestral sampling, as on the slide: z ~ Categorical(φ), x ~ Normal(μ_z, Σ_z).
        """
        # By hand, because torch.distributions take no generator.
        z = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.d, dtype=torch.float64, generator=generator)
        scale = self.components.scale_tril[z]  # (n, d, d): the L of each z
        x = self.means[z] + (scale @ noise[:, :, None])[:, :, 0]
        return (x, z) if labels else x

    def log_joint(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z = k) = log φₖ + log N(x | μₖ, Σₖ): ``(n, d)`` to ``(n, k)``."""
        x = as_rows(x, self.d)
        # (n, 1, d) against k Gaussians of dimension d: every row meets every one.
        return self.weights.log() + in_parts(
            lambda part: self.components.log_prob(part[:, None, :]), x, self.means
        )

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log q(x) = log Σₖ φₖ N(x | μₖ, Σₖ): ``(n, d)`` to ``(n,)``, in nats."""
        return self.log_joint(x).logsumexp(dim=1)  # no density, so no underflow

    def responsibilities(self, x: torch.Tensor) -> torch.Tensor:
        """p(z = k | x), Bayes' rule: ``(n, d)`` to ``(n, k)``; rows sum to one."""
        return self.log_joint(x).softmax(dim=1)  # log p(x, z) minus log p(x), then exp

    @classmethod
    def joined(cls, parts: list["GaussianMixture"], shares) -> "GaussianMixture":
        """A mixture of mixtures, which is a mixture: φ = share · φ within the part.

        ``shares`` has a number for each of the ``parts``; their sum is one.
        """
        weights = [s * part.weights for s, part in zip(shares, parts, strict=True)]
        return cls(
            torch.cat(weights),
            torch.cat([part.means for part in parts]),
            torch.cat([part.covariances for part in parts]),
        )

    def permuted(self, order) -> "GaussianMixture":
        """The same density with its components in another order."""
        order = torch.as_tensor(order)
        parameters = self.weights, self.means, self.covariances
        return GaussianMixture(*(p[order] for p in parameters))


def bic(x: torch.Tensor, mixture: GaussianMixture) -> float:
    """Bayesian information criterion, −2 log L + p log n, nats: lower is better.

    p is ``mixture.n_parameters`` (Schwarz 1978; twice his formula, with the sign that
    scikit-learn uses).
    """
    log_likelihood = mixture.log_prob(x).sum().item()
    return mixture.n_parameters * math.log(len(x)) - 2 * log_likelihood


def sort_components(mixture: GaussianMixture, by: int = 0) -> GaussianMixture:
    """The same density with its components in the order of coordinate ``by``."""
    return mixture.permuted(mixture.means[:, by].argsort())


def match_components(
    mixture: GaussianMixture, reference: GaussianMixture
) -> GaussianMixture:
    """The same density with its components in the order of ``reference``.

    Of all k! orders it takes the one whose means lie nearest, in the sum of squared
    distances. Raises ``ValueError`` for different k or d and for k > 8.
    """
    shape, other = tuple(mixture.means.shape), tuple(reference.means.shape)
    require(reference=(other, other == shape, f"a mixture with means of shape {shape}"))
    require(k=(mixture.k, mixture.k <= 8, "at most 8 (else use sort_components)"))
    orders = torch.tensor(list(permutations(range(mixture.k))))  # (k!, k)
    distance = squared_distances(mixture.means, reference.means)
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


def as_rows(x: torch.Tensor, d: int | None = None, name: str = "x") -> torch.Tensor:
    """``x`` as float64 ``(n, d)``, or a ``ValueError`` that says what is wrong.

    Without ``d`` any number of columns will do.
    """
    x = torch.as_tensor(x).to(torch.float64)
    return check_data(x, math.prod(x.shape[1:]) if d is None else d, name)


def check_enough(x: torch.Tensor, k: int) -> None:
    """Raise ``ValueError`` unless 1 ≤ k ≤ n."""
    require(k=(k, 1 <= k <= len(x), f"from 1 to n = {len(x)} examples"))


def is_positive_definite(covariances: torch.Tensor) -> torch.Tensor:
    """Which of ``(k, d, d)`` are positive definite, ``(k,)``."""
    # cholesky_ex does not raise: info is 0 where the decomposition has succeeded.
    return torch.linalg.cholesky_ex(covariances).info == 0


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
    asymmetry = (covariances - covariances.mT).abs().amax((1, 2))
    wrong = asymmetry > 1e-9 * covariances.abs().amax((1, 2))
    wrong |= ~is_positive_definite(covariances)
    if bool(wrong.any()):
        worst = int(wrong.nonzero()[0])
        raise ValueError(
            "covariances must be symmetric positive definite, "
            f"that of component {worst} is {covariances[worst]}"
        )
