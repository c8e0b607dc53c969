"""The means of a Gaussian kernel over all pairs, without a matrix of all pairs.

MMD² needs the mean of k(x, y) = exp(−‖x − y‖² / (2σ²)) over the pairs within x, within
y, and between them. Two ways lead to the same numbers, to about twelve digits:

- *Blocks.* The exponent is a matrix product, exp works in place, and the pairs within
  one sample are symmetric, so half of them is enough. Right for every dimension; the
  time grows with n². A product would lose digits on numbers far beyond σ: then the
  differences themselves are taken, which is slower.
- *Frequencies*, on a line or in the plane. A Gaussian is the mean of waves, so
  k(x, y) = Σ_ω w(ω) cos(ω · (x − y)), and the mean over all pairs is Σ_ω w(ω) |φ(ω)|²,
  where φ(ω) is the mean of exp(iω · x): the time grows with n. The sum over a grid of
  frequencies with step h is Σ_j k(x − y + 2πj/h) (Poisson's formula), so it is exact to
  rounding as soon as 2π/h exceeds the largest difference by some σ.
"""

import math
from collections.abc import Iterator

import torch

ROWS, COLUMNS = 256, 1024  # one block is 2 MB: it stays in the cache of the processor
REACH = 8.5  # exp(−REACH² / 2) is below the rounding of float64
CHUNK = 2048  # rows whose waves are held at a time
WIDE = 1e3  # σ from 0: beyond, the matrix product of the blocks loses too many digits


def pair_means(x, y, sigmas) -> Iterator[tuple[float, float, float]]:
    """For each σ the mean of k within x, within y, and between; ``(n, d)``, ``(m, d)``.

    Within one sample, each example also meets itself.
    """
    n, m = len(x), len(y)
    for sigma in sigmas:
        waves = frequencies(x, y, sigma, fewer_than=(n + m) / 4)
        if waves is not None:
            yield _by_frequencies(x, y, sigma, waves)
        else:
            within = _sum_within(x, sigma) / n**2, _sum_within(y, sigma) / m**2
            yield *within, _sum_between(x, y, sigma) / (n * m)


def frequencies(x, y, sigma, fewer_than=math.inf) -> list[torch.Tensor] | None:
    """A grid of frequencies for each column of x and y; None beyond the plane.

    None too if the whole grid would not have ``fewer_than`` frequencies: they are
    counted before they are made. The first column has ω ≥ 0 only: waves come in pairs
    ±ω.
    """
    if x.shape[1] > 2:
        return None
    low = torch.minimum(x.amin(0), y.amin(0))
    widest = torch.maximum(x.amax(0), y.amax(0)) - low
    steps, ranges = [], []
    for column, width in enumerate(widest.tolist()):
        steps.append(2 * math.pi / (width + REACH * sigma))
        size = sigma * steps[-1]
        if not size * fewer_than > REACH:  # also where the size underflows to 0
            return None
        last = math.ceil(REACH / size)
        ranges.append((0 if column == 0 else -last, last + 1))
    if not math.prod(end - first for first, end in ranges) < fewer_than:
        return None
    return [
        step * torch.arange(*ends, dtype=x.dtype)
        for step, ends in zip(steps, ranges, strict=True)
    ]


def _by_frequencies(x, y, sigma, waves) -> tuple[float, float, float]:
    """The three means, as weighted sums over the frequencies."""
    factors = []
    for omega in waves:
        bell = (-0.5 * (sigma * omega).square()).exp()
        factors.append((omega[1] - omega[0]) * sigma / (2 * math.pi) ** 0.5 * bell)
    factors[0][1:] *= 2  # for −ω
    weight = factors[0] if len(factors) == 1 else torch.outer(*factors)
    at_x, at_y = _mean_wave(x, waves), _mean_wave(y, waves)
    return tuple(
        (weight * (a.real * b.real + a.imag * b.imag)).sum().item()
        for a, b in ((at_x, at_x), (at_y, at_y), (at_x, at_y))
    )


def _mean_wave(x, waves) -> torch.Tensor:
    """φ(ω) = mean of exp(iω · x) on the grid of frequencies."""
    total = 0.0
    for rows in x.split(CHUNK):
        angles = [rows[:, c, None] * omega for c, omega in enumerate(waves)]
        first, *second = [torch.complex(a.cos(), a.sin()) for a in angles]
        total = total + (first.T @ second[0] if second else first.sum(0))
    return total / len(x)


def _sum_between(x, y, sigma) -> float:
    """Σᵢⱼ k(xᵢ, yⱼ), block by block."""
    left, right, block = _prepared(x, y, sigma)
    return sum(
        block(rows, columns)
        for rows in left.split(ROWS)
        for columns in right.split(COLUMNS)
    )


def _sum_within(x, sigma) -> float:
    """Σᵢⱼ k(xᵢ, xⱼ): what lies above the diagonal blocks counts twice."""
    total, (left, right, block) = 0.0, _prepared(x, x, sigma)
    for start in range(0, len(x), ROWS):
        rows, end = left[start : start + ROWS], start + ROWS
        total += block(rows, right[start:end])
        for columns in right[end:].split(COLUMNS):
            total += 2 * block(rows, columns)
    return total


def is_wide(x, sigma) -> bool:
    """Whether x ``(n, d)`` holds numbers too far beyond σ for a matrix product."""
    return not x.abs().max().item() <= WIDE * sigma


def _prepared(x, y, sigma):
    """Rows of x, rows of y, and the function that sums k over a block of them."""
    if is_wide(x, sigma) or is_wide(y, sigma):
        return x, y, lambda rows, columns: kernel(rows, columns, sigma).sum().item()
    return _left(x, sigma), _right(y, sigma), _block


def kernel(x, y, sigma) -> torch.Tensor:
    """k(x, y) of all pairs ``(n, m)``, from their differences."""
    mode = "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(x, y, compute_mode=mode) / sigma
    return distance.square_().mul_(-0.5).exp_()


def _left(x, sigma):
    """Rows a for which a · b = −‖x − y‖² / (2σ²), with b a row of ``_right(y)``."""
    x = x / sigma
    half = -0.5 * x.square().sum(1, keepdim=True)
    return torch.cat([x, half, torch.ones_like(half)], dim=1)


def _right(y, sigma):
    y = y / sigma
    half = -0.5 * y.square().sum(1, keepdim=True)
    return torch.cat([y, torch.ones_like(half), half], dim=1)


def _block(rows, columns) -> float:
    """Σ exp(a · b) over a block; exp works in place, so it takes no second block."""
    return (rows @ columns.T).exp_().sum().item()
