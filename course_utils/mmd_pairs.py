"""The means of a Gaussian kernel over all pairs, without a matrix of all pairs.

MMD² needs the mean of k(x, y) = exp(−‖x − y‖² / (2σ²)) over the pairs within x, within
y, and between them. Two ways lead to the same numbers, to about twelve digits:

- *Blocks.* The exponent is a matrix product, exp works in place, and the pairs within
  one sample are symmetric, so half of them is enough. Right for every dimension; the
  time grows with n².
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


def pair_means(x, y, sigmas) -> Iterator[tuple[float, float, float]]:
    """For each σ the mean of k within x, within y, and between; ``(n, d)``, ``(m, d)``.

    Within one sample, each example also meets itself.
    """
    n, m = len(x), len(y)
    for sigma in sigmas:
        waves = frequencies(x, y, sigma)
        if waves is not None and math.prod(map(len, waves)) < (n + m) / 4:
            yield _by_frequencies(x, y, sigma, waves)
        else:
            within = _sum_within(x, sigma) / n**2, _sum_within(y, sigma) / m**2
            yield *within, _sum_between(x, y, sigma) / (n * m)


def frequencies(x, y, sigma) -> list[torch.Tensor] | None:
    """A grid of frequencies for each column of x and y; None beyond the plane.

    The first column has ω ≥ 0 only: waves come in pairs ±ω.
    """
    if x.shape[1] > 2:
        return None
    low = torch.minimum(x.amin(0), y.amin(0))
    widest = torch.maximum(x.amax(0), y.amax(0)) - low
    grids = []
    for column, width in enumerate(widest.tolist()):
        step = 2 * math.pi / (width + REACH * sigma)
        last = math.ceil(REACH / (sigma * step))
        first = 0 if column == 0 else -last
        grids.append(step * torch.arange(first, last + 1, dtype=x.dtype))
    return grids


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
    return sum(
        _block(rows, columns)
        for rows in _left(x, sigma).split(ROWS)
        for columns in _right(y, sigma).split(COLUMNS)
    )


def _sum_within(x, sigma) -> float:
    """Σᵢⱼ k(xᵢ, xⱼ): what lies above the diagonal blocks counts twice."""
    total, left, right = 0.0, _left(x, sigma), _right(x, sigma)
    for start in range(0, len(x), ROWS):
        rows, end = left[start : start + ROWS], start + ROWS
        total += _block(rows, right[start:end])
        for columns in right[end:].split(COLUMNS):
            total += 2 * _block(rows, columns)
    return total


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
