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
        cholesky = torch.linalg.cholesky(self.covariances)
        return MultivariateNormal(self.means, scale_tril=cholesky, validate_args=False)

    @cached_property
    def distribution(self) -> MixtureSameFamily:
        """The same mixture as a ``torch.distributions`` object."""
        return MixtureSameFamily(Categorical(self.weights), self.components)

    def sample(self, n: int, labels: bool = False, generator=None):
        """``n`` new examples ``(n, d)``; with ``labels`` also the hidden z ``(n,)``.

        Ancestral sampling, as on the slide: z ~ Categorical(φ), x ~ Normal(μ_z, Σ_z).
        """
        z = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.d, dtype=torch.float64, generator=generator)
        scale = self.components.scale_tril[z]
        x = self.means[z] + (scale @ noise[:, :, None])[:, :, 0]
        return (x, z) if labels else x

    def log_joint(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z = k) = log φₖ + log N(x | μₖ, Σₖ): ``(n, d)`` to ``(n, k)``."""
        x = check_data(x, self.d)
        return self.weights.log() + self.components.log_prob(x[:, None, :])

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log q(x) = log Σₖ φₖ N(x | μₖ, Σₖ): ``(n, d)`` to ``(n,)``, in nats."""
        return self.log_joint(x).logsumexp(dim=1)

    def responsibilities(self, x: torch.Tensor) -> torch.Tensor:
        """p(z = k | x), Bayes' rule: ``(n, d)`` to ``(n, k)``; rows sum to one."""
        return self.log_joint(x).softmax(dim=1)

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
    x = check_data(x, mixture.d)
    penalty = mixture.n_parameters * math.log(len(x))
    return penalty - 2 * mixture.log_prob(x).sum().item()


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
    if mixture.means.shape != reference.means.shape:
        raise ValueError(
            f"mixture has means of shape {tuple(mixture.means.shape)}, "
            f"reference {tuple(reference.means.shape)}"
        )
    if mixture.k > 8:
        raise ValueError(f"k must be at most 8, got {mixture.k}: use sort_components")
    orders = torch.tensor(list(permutations(range(mixture.k))))
    distance = squared_distances(mixture.means, reference.means)
    total = distance[orders, torch.arange(mixture.k)].sum(1)
    return mixture.permuted(orders[total.argmin()])


def squared_distances(x: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """‖xₙ − cₖ‖² for ``(n, d)`` and ``(k, d)``: ``(n, k)``."""
    return (x[:, None, :] - centres[None, :, :]).square().sum(2)


def check_data(x: torch.Tensor, d: int | None = None, name: str = "x") -> torch.Tensor:
    """``x`` as float64 ``(n, d)``, or a ``ValueError`` that says what is wrong."""
    x = torch.as_tensor(x)
    if x.ndim != 2:
        hint = f"; for numbers on a line use {name}[:, None]" if x.ndim == 1 else ""
        raise ValueError(f"{name} must have shape (n, d), got {tuple(x.shape)}{hint}")
    if x.numel() == 0:
        raise ValueError(f"{name} is empty: its shape is {tuple(x.shape)}")
    if d is not None and x.shape[1] != d:
        raise ValueError(f"{name} has {x.shape[1]} columns, expected d = {d}")
    x = x.to(torch.float64)
    # A sum with NaN or infinity in it is not finite: a look that takes no memory.
    if not bool(torch.isfinite(x.sum())) and not bool(torch.isfinite(x).all()):
        bad = int((~torch.isfinite(x)).sum())
        raise ValueError(
            f"{name} must be finite, got {bad} values that are NaN or infinite"
        )
    return x


def check_enough(x: torch.Tensor, k: int) -> None:
    """Raise ``ValueError`` unless 1 ≤ k ≤ n."""
    if not 1 <= k <= len(x):
        raise ValueError(f"k must be from 1 to n = {len(x)} examples, got {k}")


def _check_parameters(weights, means, covariances) -> None:
    if weights.ndim != 1 or len(weights) == 0:
        raise ValueError(f"weights must have shape (k,), got {tuple(weights.shape)}")
    k = len(weights)
    if means.ndim != 2 or len(means) != k or means.shape[1] == 0:
        raise ValueError(
            f"means must have shape (k, d) with k = {k}, got {tuple(means.shape)}"
        )
    d = means.shape[1]
    if covariances.shape != (k, d, d):
        raise ValueError(
            f"covariances must have shape {(k, d, d)}, got {tuple(covariances.shape)}"
        )
    for name, value in (
        ("weights", weights),
        ("means", means),
        ("covariances", covariances),
    ):
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} must be finite, got {value}")
    if not bool((weights >= 0).all()) or abs(weights.sum().item() - 1) > 1e-6:
        raise ValueError(
            "weights must be >= 0 and sum to 1, "
            f"got {weights} with sum {weights.sum().item():.6g}"
        )
    asymmetry = (covariances - covariances.mT).abs().amax((1, 2))
    wrong = asymmetry > 1e-9 * covariances.abs().amax((1, 2))
    wrong |= ~is_positive_definite(covariances)
    if bool(wrong.any()):
        worst = int(wrong.nonzero()[0])
        raise ValueError(
            "covariances must be symmetric positive definite, "
            f"that of component {worst} is {covariances[worst]}"
        )


def is_positive_definite(covariances: torch.Tensor) -> torch.Tensor:
    """Which of ``(k, d, d)`` are positive definite, ``(k,)``."""
    return torch.linalg.cholesky_ex(covariances).info == 0
