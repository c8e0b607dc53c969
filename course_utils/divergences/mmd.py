"""Maximum mean discrepancy: two samples compared by a kernel only (notebook 06).

The kernel is k(x, y) = Σ_σ exp(−‖x − y‖² / (2σ²)), over one bandwidth σ or several, and

    MMD²(p, q) = E k(x, x') + E k(y, y') − 2 E k(x, y),

with x, x' from p and y, y' from q, all independent (Gretton et al. 2012, lemma 6).
Samples are ``(n, d)``, or ``(n,)`` on a line; everything is float64.

A mean over all pairs needs no matrix of all pairs. Two ways lead to the same numbers,
to about twelve digits:

- *Blocks.* The exponent is a matrix product, exp works in place, and the pairs within
  one sample are symmetric, so half of them is enough. Right for every dimension; the
  time grows with n². A product would lose digits on numbers far beyond σ: then the
  differences themselves are taken, which is slower.
- *Frequencies*, on a line or in the plane: ``waves``. The time grows with n.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from course_utils.arguments import check_finite, counts, floats, require
from course_utils.divergences.waves import by_frequencies, frequencies

Bandwidths = float | Sequence[float]
ROWS, COLUMNS = 256, 1024  # one block is 2 MB: it stays in the cache of the processor
FLAT = 1 / 32  # the largest distance, in σ, for which k − 1 is taken
WIDE = 1e3  # σ from 0: beyond, the matrix product of the blocks loses too many digits


def mmd2_biased(x, y, bandwidths: Bandwidths) -> float:
    """MMD² between the two samples themselves: never negative, above 0 for p = q.

    All pairs count, also each example with itself (Gretton et al. 2012, eq. 5).
    """
    x, y, sigmas = _check(x, y, bandwidths)
    means = _pair_means(x, y, sigmas)
    # where p = q, rounding may leave it just below 0
    return max(0.0, sum(xx + yy - 2 * xy for xx, yy, xy, _ in means))


def mmd2_unbiased(x, y, bandwidths: Bandwidths) -> float:
    """An estimate of MMD²(p, q) whose mean is right; it can be negative.

    No example is compared with itself (Gretton et al. 2012, eq. 3).
    """
    x, y, sigmas = _check(x, y, bandwidths, least=2)
    n, m, total = len(x), len(y), 0.0
    for xx, yy, xy, one in _pair_means(x, y, sigmas):
        # n² xx is the sum over all pairs; the n pairs of x with itself have k = 1
        total += (n * xx - one) / (n - 1) + (m * yy - one) / (m - 1) - 2 * xy
    return total


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
    x, y, sigmas = _check(x, y, bandwidths, least=2)
    counts(n_permutations=n_permutations)
    known = generator is None or isinstance(generator, torch.Generator)
    require(generator=(repr(generator), known, "a torch.Generator"))
    both, n, m = torch.cat([x, y]), len(x), len(y)
    # k − 1 will do as well as k: the three means cancel any constant
    kernels = sum(_kernel(both, both, s, _is_flat(x, y, s)) for s in sigmas)
    kernels.fill_diagonal_(0)
    rounding = 1e-12 * kernels.abs().max().item()
    orders = [torch.arange(n + m)]  # the given order comes first
    for _ in range(n_permutations):
        orders.append(torch.randperm(n + m, generator=generator))
    # one row of 0 and 1 for each order: who is called x. Sums of pairs are products
    in_x = torch.zeros(len(orders), n + m, dtype=torch.float64)
    in_x.scatter_(1, torch.stack(orders)[:, :n], 1.0)
    to_x = in_x @ kernels
    within_x, from_x = (to_x * in_x).sum(1), to_x.sum(1)
    between = from_x - within_x
    within_y = kernels.sum() - within_x - 2 * between
    values = within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m)
    # ties count as larger, also those that rounding has broken
    extreme = (values >= values[0] - rounding).double().mean().item()
    return TwoSampleTest(values[0].item(), values[1:], extreme)


def mmd2_mixtures(p, q, bandwidths: Bandwidths) -> torch.Tensor:
    """MMD² between two Gaussian mixtures, in closed form; gradients pass through.

    ``p`` and ``q`` have ``weights`` ``(k,)``, ``means`` ``(k, d)`` and ``covariances``
    ``(k, d, d)``, as a ``GaussianMixture`` has. For x ~ N(a, A) and y ~ N(b, B), x − y
    is N(a − b, A + B), so with S = σ²I + A + B:

        E k(x, y) = σᵈ |S|^(−½) exp(−½ (a − b)ᵀ S⁻¹ (a − b)).
    """
    p, q = _two(p, q)
    sigmas, parts = check_bandwidths(bandwidths), []
    wide = [sigma for sigma in sigmas if _is_wider(p, q, sigma)]
    near = [sigma for sigma in sigmas if sigma not in wide]
    for some, less_one in ((near, False), (wide, True)):  # k, or k − 1
        if some:
            pairs = (p, q), (p, p), (q, q)
            pq, pp, qq = (_mean(*two, some, less_one) for two in pairs)
            parts.append((pp + qq) - 2 * pq)
    return sum(parts[1:], parts[0])


def mean_kernel(p, q, bandwidths: Bandwidths) -> torch.Tensor:
    """E k(x, y) for independent x ~ p and y ~ q, two Gaussian mixtures."""
    return _mean(*_two(p, q), bandwidths)


def _two(p, q) -> tuple["_Mixture", "_Mixture"]:
    p = _mixture("p", p)
    return p, _mixture("q", q, ("p", p.means.shape[1]))


def _mean(p, q, bandwidths, less_one=False) -> torch.Tensor:
    k = _kernels(p.means, p.covariances, q, bandwidths, less_one)
    return p.weights @ k @ q.weights


def _is_wider(p, q, sigma) -> bool:
    """Whether σ is so wide that k is almost 1 wherever p and q are."""
    means = torch.cat([p.means, q.means]).detach()
    spread = torch.cat([p.covariances, q.covariances]).detach().diagonal(0, 1, 2)
    extent = (means.amax(0) - means.amin(0)).square() + 2 * spread.amax(0)
    return extent.sum().sqrt().item() < FLAT * sigma


def witness(p, q, x: torch.Tensor, bandwidths: Bandwidths) -> torch.Tensor:
    """f(x) = E_p k(x, ·) − E_q k(x, ·) of two mixtures: ``(n, d)`` to ``(n,)``.

    It is where MMD looks: MMD² = E_p f − E_q f (Gretton et al. 2012, section 2.3).
    """
    x = _rows("x", x)
    p, q = (_mixture(s, r, ("x", x.shape[1])) for s, r in (("p", p), ("q", q)))
    sharp = x.new_zeros(len(x), x.shape[1], x.shape[1])  # a point: a covariance of 0
    at_p, at_q = (_kernels(x, sharp, mixture, bandwidths) for mixture in (p, q))
    return at_p @ p.weights - at_q @ q.weights


def _kernels(means, covariances, q, bandwidths, less_one=False) -> torch.Tensor:
    """E k(x, y) for x from each Gaussian here, y from each component of q: (k, l).

    ``less_one``: E k − 1, with all its digits where k is almost 1.
    """
    sigmas = check_bandwidths(bandwidths)
    fits = all(1e-150 < sigma < 1e150 for sigma in sigmas)  # their squares, too
    require(bandwidths=(bandwidths, fits, "between 1e-150 and 1e150"))
    sigma = torch.tensor(sigmas, dtype=torch.float64).reshape(-1, 1, 1)  # (s, 1, 1)
    d, gap = means.shape[1], means[:, None] - q.means  # (k, l, d)
    added = covariances[:, None] + q.covariances  # (k, l, d, d)
    if less_one:
        narrow = added / sigma[..., None, None] ** 2  # (s, k, l, d, d)
        log_size = torch.linalg.eigvalsh(narrow).log1p().sum(-1)
        gap = (gap / sigma[..., None]).expand(narrow.shape[:-1])
        eye = torch.eye(d, dtype=torch.float64)
        distance = (gap * torch.linalg.solve(narrow + eye, gap)).sum(-1)
        return (-0.5 * (log_size + distance)).expm1().sum(0)
    axes = added.diagonal(dim1=2, dim2=3)
    if torch.equal(torch.diag_embed(axes), added):  # then S is one number per axis
        spread = axes + sigma[..., None] ** 2  # (s, k, l, d)
        log_size = spread.log().sum(-1)
        distance = (gap.square() / spread).sum(-1)
    else:
        eye = torch.eye(d, dtype=torch.float64)
        spread = added + sigma[..., None, None] ** 2 * eye  # (s, k, l, d, d)
        gap = gap.expand(spread.shape[:-1])
        log_size = torch.logdet(spread)
        distance = (gap * torch.linalg.solve(spread, gap)).sum(-1)
    # as a logarithm until the end: σᵈ and |S| may be too small to be multiplied
    return (d * sigma.log() - 0.5 * (log_size + distance)).exp().sum(0)


def check_bandwidths(bandwidths: Bandwidths) -> list[float]:
    """The bandwidths as numbers, or a ``ValueError`` if one is not positive."""
    sigmas = floats(bandwidths, "bandwidths", torch.float64).flatten().tolist()
    good = bool(sigmas) and all(0 < sigma < math.inf for sigma in sigmas)
    require(bandwidths=(bandwidths, good, "positive and finite"))
    return sigmas


def _check(x, y, bandwidths, least=1):
    x, y = _rows("x", x), _rows("y", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            "x and y must have the same number of columns: "
            f"x has {x.shape[1]} columns, y has {y.shape[1]}"
        )
    if min(len(x), len(y)) < least:
        got = f"{len(x)} and {len(y)}"
        raise ValueError(f"x and y must have at least {least} rows each, got {got}")
    sigmas = check_bandwidths(bandwidths)
    # in units of the bandwidth, as a power of two: no digit is lost, none overflows
    unit = math.ldexp(1.0, math.frexp(min(sigmas))[1] - 1)
    x, y, sigmas = x.detach() / unit, y.detach() / unit, [s / unit for s in sigmas]
    if not bool(
        (x.isfinite().all() & y.isfinite().all()) and math.isfinite(sum(sigmas))
    ):
        raise ValueError(f"x and y are too large for bandwidths of {bandwidths}")
    centre = x.mean(0)  # the kernel sees differences only, and small numbers round less
    moved = x - centre, y - centre
    if not any(_is_wide(rows, min(sigmas)) for rows in moved):
        return *moved, sigmas
    # far from the outliers, a mean would only round; from an example as far away as all
    # the others, which is at most half or twice as large, differences are exact
    share = torch.cat([x, y]) / x[0]
    exact = bool(((share >= 0.5) & (share <= 2)).all())
    return (x - x[0], y - x[0], sigmas) if exact else (x, y, sigmas)


def _rows(name, value) -> torch.Tensor:
    """``(n, d)`` in float64, also from ``(n,)``."""
    value = floats(value, name, torch.float64)
    value = value[:, None] if value.ndim == 1 else value
    if value.ndim != 2 or value.numel() == 0:
        got = tuple(value.shape)
        raise ValueError(f"{name} must have shape (n, d) or (n,), got {got}")
    check_finite(value, name)
    return value


class _Mixture(NamedTuple):
    weights: torch.Tensor  # (k,)
    means: torch.Tensor  # (k, d)
    covariances: torch.Tensor  # (k, d, d)


def _mixture(name: str, p, like: tuple[str, int] | None = None) -> _Mixture:
    """The three parts in float64, with their gradients; ``ValueError`` for shapes."""
    if not all(hasattr(p, part) for part in _Mixture._fields):
        raise ValueError(
            f"{name} must have weights, means and covariances as a GaussianMixture "
            f"has, got {type(p).__name__}"
        )
    parts = [
        floats(getattr(p, part), f"{part} of {name}", torch.float64)
        for part in _Mixture._fields
    ]
    shapes = [tuple(part.shape) for part in parts]
    k, d = (*shapes[1], 0, 0)[:2]
    fits = shapes == [(k,), (k, d), (k, d, d)]
    rule = "a mixture with parts (k,), (k, d) and (k, d, d)"
    require(**{name: (f"shapes {shapes}", fits, rule)})
    if like is not None and d != like[1]:
        of = f"d = {like[1]} as {like[0]} has"
        raise ValueError(f"{name} must have {of}, got d = {d}")
    return _Mixture(*parts)


def _pair_means(x, y, sigmas) -> Iterator[tuple[float, float, float, float]]:
    """For each σ the mean of k within x, within y, and between; ``(n, d)``, ``(m, d)``.

    Within one sample, each example also meets itself; the last number is k of such a
    pair. It is 1; or 0 for a σ so wide that the means are those of k − 1.
    """
    n, m = len(x), len(y)
    for sigma in sigmas:
        flat = _is_flat(x, y, sigma)
        waves = None if flat else frequencies(x, y, sigma, fewer_than=(n + m) / 4)
        if waves is not None:
            yield *by_frequencies(x, y, sigma, waves), 1.0
        else:
            sums = [_sum_pairs(*two, sigma, flat) for two in ((x, x), (y, y), (x, y))]
            yield sums[0] / n**2, sums[1] / m**2, sums[2] / (n * m), 1.0 - flat


def _sum_pairs(x, y, sigma, flat=False) -> float:
    """Σᵢⱼ k(xᵢ, yⱼ), block by block; within one sample (y is x) half of them."""
    total, (left, right, block) = 0.0, _prepared(x, y, sigma, flat)
    for start in range(0, len(x), ROWS):
        rows, end = left[start : start + ROWS], start + ROWS
        if x is y:  # what lies to the right of the diagonal counts twice
            total += block(rows, right[start:end])
        others, times = (right[end:], 2) if x is y else (right, 1)
        for columns in others.split(COLUMNS):
            total += times * block(rows, columns)
    return total


def _prepared(x, y, sigma, flat):
    """Rows of x, rows of y, and the function that sums k over a block of them."""
    if _is_wide(x, sigma) or _is_wide(y, sigma):
        return x, y, lambda rows, columns: _kernel(rows, columns, sigma).sum().item()
    x, y = x / sigma, y / sigma
    x2, y2 = (-0.5 * v.square().sum(1, keepdim=True) for v in (x, y))
    one_x, one_y = torch.ones_like(x2), torch.ones_like(y2)
    # (x, −½x², 1) · (y, 1, −½y²) = −½ ‖x − y‖²: one product gives all exponents
    left, right = torch.cat([x, x2, one_x], dim=1), torch.cat([y, one_y, y2], dim=1)
    if flat:
        return left, right, lambda a, b: (a @ b.T).expm1_().sum().item()
    return left, right, lambda a, b: (a @ b.T).exp_().sum().item()


def _is_wide(x, sigma) -> bool:
    """Whether x ``(n, d)`` holds numbers too far beyond σ for a matrix product."""
    return not x.abs().max().item() <= WIDE * sigma


def _is_flat(x, y, sigma) -> bool:
    """Whether σ is so wide that each k is almost 1, and only k − 1 has all digits."""
    width = 2 * max(v.norm(dim=1).max().item() for v in (x, y))  # of centred samples
    return width < FLAT * sigma


def _kernel(x, y, sigma, flat=False) -> torch.Tensor:
    """k(x, y) of all pairs ``(n, m)``, from their differences; k − 1 if ``flat``."""
    mode = "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(x, y, compute_mode=mode) / sigma
    exponent = distance.square_().mul_(-0.5)
    return exponent.expm1_() if flat else exponent.exp_()
