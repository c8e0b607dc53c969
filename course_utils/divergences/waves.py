"""Means of a Gaussian kernel over all pairs, as sums over waves (notebook 06).

A Gaussian is the mean of waves, so k(x, y) = Σ_ω w(ω) cos(ω · (x − y)), and the mean
over all pairs is Σ_ω w(ω) |φ(ω)|², where φ(ω) is the mean of exp(iω · x): the time
grows with n, not with n². The sum over a grid of frequencies with step h is
Σ_j k(x − y + 2πj/h) (Poisson's formula), so it is exact to rounding as soon as 2π/h
exceeds the largest difference by some σ. On a line or in the plane.
"""

import math

import torch

REACH = 8.5  # exp(−REACH² / 2) is below the rounding of float64
CHUNK = 2048  # rows whose waves are held at a time


def frequencies(x, y, sigma, fewer_than=math.inf) -> list[torch.Tensor] | None:
    """A grid of frequencies for each column of x and y; None beyond the plane.

    None too if the whole grid would not have ``fewer_than`` frequencies: they are
    counted before they are made.
    """
    if x.shape[1] > 2:  # the grid grows with a power of d
        return None
    both = torch.cat([x, y])
    grid, count = [], 1
    for column, width in enumerate((both.amax(0) - both.amin(0)).tolist()):
        step = 2 * math.pi / (width + REACH * sigma)
        size = sigma * step  # the weight of ω falls as exp(−(σω)² / 2)
        if not size * fewer_than > REACH:  # also where the size underflows to 0
            return None
        last = math.ceil(REACH / size)
        first = 0 if column == 0 else -last  # waves come in pairs ±ω: half is enough
        grid.append((step, first, last + 1))
        count *= last + 1 - first
    if not count < fewer_than:
        return None
    return [step * torch.arange(*ends, dtype=x.dtype) for step, *ends in grid]


def by_frequencies(x, y, sigma, waves) -> tuple[float, float, float]:
    """The three means, as weighted sums over the frequencies."""
    factors = []
    for omega in waves:  # h times the density of N(0, 1/σ²), for each axis
        bell = (-0.5 * (sigma * omega).square()).exp()
        factors.append((omega[1] - omega[0]) * sigma / (2 * math.pi) ** 0.5 * bell)
    factors[0][1:] *= 2  # for −ω
    weight = factors[0] if len(factors) == 1 else torch.outer(*factors)
    at_x, at_y = _mean_wave(x, waves), _mean_wave(y, waves)
    return tuple(  # the real part of φ times the conjugate of φ'
        (weight * (a.real * b.real + a.imag * b.imag)).sum().item()
        for a, b in ((at_x, at_x), (at_y, at_y), (at_x, at_y))
    )


def _mean_wave(x, waves) -> torch.Tensor:
    """φ(ω) = mean of exp(iω · x) on the grid of frequencies."""
    total = 0.0
    for rows in x.split(CHUNK):
        angles = [rows[:, c, None] * omega for c, omega in enumerate(waves)]
        # exp(i(ω₁x₁ + ω₂x₂)) is a product, so the sum over rows is a matrix product
        first, *second = [torch.complex(a.cos(), a.sin()) for a in angles]
        total = total + (first.T @ second[0] if second else first.sum(0))
    return total / len(x)
