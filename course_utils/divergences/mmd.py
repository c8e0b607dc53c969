"""Maximum mean discrepancy: two samples compared by a kernel only (notebook 06).

The kernel is k(x, y) = Σ_σ exp(−‖x − y‖² / (2σ²)), over one bandwidth σ or several, and

    MMD²(p, q) = E k(x, x') + E k(y, y') − 2 E k(x, y),

with x, x' from p and y, y' from q, all independent (Gretton et al. 2012, lemma 6).
Samples are ``(n, d)``, or ``(n,)`` on a line; everything is float64.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from course_utils.divergences.pairs import is_wide, kernel, pair_means

Bandwidths = float | Sequence[float]


def mmd2_biased(x, y, bandwidths: Bandwidths) -> float:
    """MMD² between the two samples themselves: never negative, above 0 for p = q.

    All pairs count, also each example with itself (Gretton et al. 2012, eq. 5).
    """
    x, y, sigmas = _check(x, y, bandwidths)
    return sum(xx + yy - 2 * xy for xx, yy, xy in pair_means(x, y, sigmas))


def mmd2_unbiased(x, y, bandwidths: Bandwidths) -> float:
    """An estimate of MMD²(p, q) whose mean is right; it can be negative.

    No example is compared with itself (Gretton et al. 2012, eq. 3).
    """
    x, y, sigmas = _check(x, y, bandwidths)
    n, m = len(x), len(y)
    _check_two_rows(n, m)
    total = 0.0
    for xx, yy, xy in pair_means(x, y, sigmas):  # k(x, x) = 1 leaves the means
        total += (n * xx - 1) / (n - 1) + (m * yy - 1) / (m - 1) - 2 * xy
    return total


def mmd2_mixtures(p, q, bandwidths: Bandwidths) -> torch.Tensor:
    """MMD² between two Gaussian mixtures, in closed form; gradients pass through.

    ``p`` and ``q`` have ``weights`` ``(k,)``, ``means`` ``(k, d)`` and ``covariances``
    ``(k, d, d)``, as a ``GaussianMixture`` has. For x ~ N(a, A) and y ~ N(b, B), x − y
    is N(a − b, A + B), so with S = σ²I + A + B:

        E k(x, y) = σᵈ |S|^(−½) exp(−½ (a − b)ᵀ S⁻¹ (a − b)).
    """
    between = mean_kernel(p, q, bandwidths)
    within = mean_kernel(p, p, bandwidths) + mean_kernel(q, q, bandwidths)
    return within - 2 * between


def mean_kernel(p, q, bandwidths: Bandwidths) -> torch.Tensor:
    """E k(x, y) for independent x ~ p and y ~ q, two Gaussian mixtures."""
    _check_mixture("p", p)
    _check_mixture("q", q, ("p", p.means.shape[1]))
    return p.weights @ _kernels(p.means, p.covariances, q, bandwidths) @ q.weights


def witness(p, q, x: torch.Tensor, bandwidths: Bandwidths) -> torch.Tensor:
    """f(x) = E_p k(x, ·) − E_q k(x, ·) of two mixtures: ``(n, d)`` to ``(n,)``.

    It is where MMD looks: MMD² = E_p f − E_q f (Gretton et al. 2012, section 2.3).
    """
    x = _rows("x", x)
    for name, mixture in (("p", p), ("q", q)):
        _check_mixture(name, mixture, ("x", x.shape[1]))
    sharp = x.new_zeros(len(x), x.shape[1], x.shape[1])
    at_p, at_q = (_kernels(x, sharp, mixture, bandwidths) for mixture in (p, q))
    return at_p @ p.weights - at_q @ q.weights


def _kernels(means, covariances, q, bandwidths) -> torch.Tensor:
    """E k(x, y) for x from each Gaussian here, y from each component of q: (k, l)."""
    sigmas = check_bandwidths(bandwidths)
    sigma = torch.tensor(sigmas, dtype=torch.float64).reshape(-1, 1, 1)
    d, gap = means.shape[1], means[:, None] - q.means  # (k, l, d)
    added = covariances[:, None] + q.covariances  # (k, l, d, d)
    axes = added.diagonal(dim1=2, dim2=3)
    if torch.equal(torch.diag_embed(axes), added):  # then S is one number per axis
        spread = axes + sigma[..., None] ** 2
        log_size = spread.log().sum(-1)
        distance = (gap.square() / spread).sum(-1)
    else:
        eye = torch.eye(d, dtype=torch.float64)
        spread = added + sigma[..., None, None] ** 2 * eye
        gap = gap.expand(spread.shape[:-1])
        log_size = torch.logdet(spread)
        distance = (gap * torch.linalg.solve(spread, gap)).sum(-1)
    return (d * sigma.log() - 0.5 * (log_size + distance)).exp().sum(0)


class TwoSampleTest(NamedTuple):
    """What a permutation test has found: the statistic, its null, and the p-value."""

    mmd2: float
    permuted: torch.Tensor  # the statistic after each shuffle
    p_value: float


def permutation_test(
    x, y, bandwidths: Bandwidths, n_permutations: int = 500, generator=None
) -> TwoSampleTest:
    """Do x and y come from one distribution? Shuffle who belongs to which, and compare.

    The statistic is ``mmd2_unbiased``. The p-value is the share of shuffles, the given
    order included, whose statistic is at least as large: under equality it is below α
    with probability at most α, for any n. Keeps the kernel matrix of all n + m rows.
    """
    x, y, sigmas = _check(x, y, bandwidths)
    both, n, m = torch.cat([x, y]), len(x), len(y)
    _check_two_rows(n, m)
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be at least 1, got {n_permutations}")
    if is_wide(both, min(sigmas)):
        kernels = sum(kernel(both, both, sigma) for sigma in sigmas)
    else:
        square = torch.cdist(both, both).square()
        kernels = sum((-square / (2 * sigma**2)).exp() for sigma in sigmas)
    kernels.fill_diagonal_(0)
    orders = [torch.arange(n + m)]
    orders += [
        torch.randperm(n + m, generator=generator) for _ in range(n_permutations)
    ]
    in_x = torch.zeros(len(orders), n + m, dtype=torch.float64)
    in_x.scatter_(1, torch.stack(orders)[:, :n], 1.0)
    to_x = in_x @ kernels
    within_x, from_x = (to_x * in_x).sum(1), to_x.sum(1)
    between = from_x - within_x
    within_y = kernels.sum() - within_x - 2 * between
    values = within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m)
    extreme = (values >= values[0] - 1e-12).double().mean().item()
    return TwoSampleTest(values[0].item(), values[1:], extreme)


def check_bandwidths(bandwidths: Bandwidths) -> list[float]:
    """The bandwidths as numbers, or a ``ValueError`` if one is not positive."""
    sigmas = torch.as_tensor(bandwidths, dtype=torch.float64).flatten().tolist()
    if not sigmas or not all(math.isfinite(s) and s > 0 for s in sigmas):
        raise ValueError(f"bandwidths must be positive and finite, got {bandwidths}")
    return sigmas


def _check(x, y, bandwidths):
    x, y = _rows("x", x), _rows("y", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            "x and y must have the same number of columns: "
            f"x has {x.shape[1]} columns, y has {y.shape[1]}"
        )
    sigmas = check_bandwidths(bandwidths)
    centre = x.mean(0)  # the kernel sees differences only, and small numbers round less
    moved = x - centre, y - centre
    if any(is_wide(rows, min(sigmas)) for rows in moved):
        return x, y, sigmas  # far from the outliers, the centre would only round
    return *moved, sigmas


def _check_two_rows(n: int, m: int) -> None:
    if min(n, m) < 2:
        raise ValueError(f"x and y must have at least 2 rows each, got {n} and {m}")


def _check_mixture(name: str, p, like: tuple[str, int] | None = None) -> None:
    if not all(hasattr(p, part) for part in ("weights", "means", "covariances")):
        raise ValueError(
            f"{name} must have weights, means and covariances as a GaussianMixture "
            f"has, got {type(p).__name__}"
        )
    d = p.means.shape[1]
    if like is not None and d != like[1]:
        raise ValueError(
            f"{name} must have d = {like[1]} as {like[0]} has, got d = {d}"
        )


def _rows(name, value) -> torch.Tensor:
    """``(n, d)`` in float64, also from ``(n,)``."""
    value = torch.as_tensor(value, dtype=torch.float64)
    value = value[:, None] if value.ndim == 1 else value
    if value.ndim != 2 or value.numel() == 0:
        raise ValueError(
            f"{name} must have shape (n, d) or (n,), got {tuple(value.shape)}"
        )
    if not bool(value.isfinite().all()):
        raise ValueError(f"{name} must be finite, it holds NaN or infinity")
    return value
