"""The two shapes of the trilemma benchmark, and what is counted on them."""

import math

import torch

from course_utils.coverage import FAIR, forward_kl, mode_coverage
from course_utils.data import ring_of_gaussians


class Ring:
    """Eight Gaussians on a circle of radius 2, σ = 0.1: the ring of all notebooks."""

    def __init__(self):
        self.density = ring_of_gaussians()
        self.log_prob = self.density.log_prob

    def sample(self, n: int) -> torch.Tensor:
        """``(n, 2)``."""
        return self.density.sample((n,))

    def even(self, n: int) -> torch.Tensor:
        """A control that knows of no modes: points evenly on the circle, ``(n, 2)``."""
        angle = 2 * math.pi * torch.arange(n) / n
        return 2 * torch.stack([angle.cos(), angle.sin()], dim=1)

    def score(self, x: torch.Tensor):
        """High quality, samples of each mode, and their spread over the true one."""
        found = mode_coverage(x, self.density.centres, self.density.sigma)
        return found.high_quality, found.counts, found.spread


class Checkerboard:
    """The eight black squares of a board of 4 × 4, side 1, all points alike."""

    def __init__(self):
        ticks = torch.arange(4) - 1.5
        centres = torch.cartesian_prod(ticks, ticks)
        black = (centres.sum(dim=1).long() % 2) == 0
        self.centres = centres[black]

    def sample(self, n: int) -> torch.Tensor:
        """``(n, 2)``."""
        square = torch.randint(len(self.centres), (n,))
        return self.centres[square] + torch.rand(n, 2) - 0.5

    def even(self, n: int) -> torch.Tensor:
        """A control that knows of no squares: noise all over the board, ``(n, 2)``."""
        return 4 * torch.rand(n, 2) - 2

    def _distance(self, x):
        return torch.cdist(x, self.centres.to(x.dtype), p=math.inf).min(dim=1)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """−log 8 in the squares, −∞ elsewhere."""
        inside = self._distance(x).values <= 0.5
        return torch.where(inside, -math.log(8), -math.inf)

    def score(self, x: torch.Tensor):
        """High quality, samples of each square, and their spread over the true one.

        For the spread a point counts up to half a side outside of its square.
        """
        distance, nearest = self._distance(x)
        inside = distance <= 0.5
        counts = torch.bincount(nearest[inside], minlength=8)
        spread = torch.full((8,), math.nan)
        for mode in range(8):
            own = x[(nearest == mode) & (distance <= 1)]
            if len(own) >= 10:
                spread[mode] = own.var(dim=0).mean().mul(12).sqrt()
        return inside.double().mean().item(), counts, spread


SHAPES = {"ring": Ring(), "board": Checkerboard()}


def score(shape, x: torch.Tensor) -> dict:
    """What the benchmark says about samples ``(n, 2)``."""
    quality, counts, spread = shape.score(x)
    shares = counts.double() / counts.sum()
    even = torch.full_like(shares, 1 / len(shares))
    known = spread[~spread.isnan()]
    return {
        "quality": quality,
        # each mode earns its share of all samples, at most a fair one
        "covered": (counts / len(x)).clamp(max=1 / len(counts)).sum().item(),
        "strict": int((counts >= FAIR * len(x) / len(counts)).sum()),
        "forward_kl": forward_kl(counts),
        "reverse_kl": torch.special.xlogy(shares, shares / even).sum().item(),
        "spread_least": known.min().item() if len(known) else math.nan,
        "spread_mean": known.mean().item() if len(known) else math.nan,
    }
