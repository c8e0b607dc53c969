"""Where a search looks from: near its target, and in units of its width (notebook 06).

A descent takes steps of at most 1 and stops at a gradient of 1e-6, so it needs numbers
of ordinary size. ``Frame`` moves a target there and brings the fit back: the same fit
in metres and in micrometres, and 1e8 away from the origin. A target of ordinary size
stays where it is.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from course_utils.arguments import floats, require
from course_utils.divergences.mmd import check_bandwidths
from course_utils.divergences.surface import THEIS_BANDWIDTHS, Surface, moments
from course_utils.mixture.model import GaussianMixture

ORDINARY = 1 / 8, 8.0  # sigmas of targets that need no other unit
FAR = 1e3  # so many widths from the origin a target is moved
BLIND = 100.0  # widths beyond which no kernel sees how wide a target is


@dataclass(frozen=True, eq=False)
class Frame:
    """x of the caller is ``shift + unit · x`` inside; ``surface`` is the inside."""

    surface: Surface
    shift: torch.Tensor  # (d,)
    unit: float  # a power of two, so that nothing is rounded

    @classmethod
    def of(cls, target, divergence, options: dict) -> "Frame":
        """The frame of a target; errors are those of ``Surface``."""
        surface = Surface(target, divergence, **options)  # checks all arguments
        mean, sigma = moments(target)
        fits = 1e-150 < sigma.item() < 1e150  # so that squares are numbers
        require(target=(f"sigma {sigma:g}", fits, "of sigma 1e-150 to 1e150"))
        unit, (low, high) = 1.0, ORDINARY
        if not low <= sigma.item() <= high:  # then sigma is from 1 to 2 inside
            unit = math.ldexp(1.0, math.frexp(sigma.item())[1] - 1)
        far = bool((mean.abs() > FAR * sigma).any())
        shift = mean if far else torch.zeros_like(mean)
        options = dict(options)
        if divergence == "mmd":
            given = options.get("bandwidths", THEIS_BANDWIDTHS)
            given = floats(given, "bandwidths", torch.float64).flatten()
            seen = given.min().item() <= BLIND * sigma.item()
            rule = f"not all above {BLIND:g} times the sigma {sigma:.3g} of the target"
            require(bandwidths=(given.tolist(), seen, rule))
            options["bandwidths"] = (given / unit).tolist()
        if unit == 1 and not far and not target.means.is_inference():
            return cls(surface, shift, unit)
        inside = GaussianMixture(
            target.weights.clone(),
            (target.means - shift) / unit,
            target.covariances / unit / unit,
        )
        if callable(divergence) and unit != 1:
            divergence = _in_units(divergence, unit**target.d)
        return cls(Surface(inside, divergence, **options), shift, unit)

    def with_slope(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the search lowers: the divergence, in units that its slopes can show."""
        value, slope = self.surface.with_slope(theta)
        return value / self.size, slope / self.size

    def value(self, theta: torch.Tensor) -> float:
        """The divergence itself."""
        return self.surface(theta).item()

    @cached_property
    def size(self) -> float:
        """1; less for MMD² by kernels so narrow or wide that it hardly changes.

        A narrow kernel makes all of it small, a wide one what depends on the sigmas.
        """
        if self.surface.divergence != "mmd":
            return 1.0
        n = len(check_bandwidths(self.surface.bandwidths))
        share = self.surface.within.item() / n
        size = min(share, (1 - share) ** 2)
        return size if size < 1 / 64 else 1.0

    def inwards(self, mean, sigma) -> tuple[torch.Tensor, torch.Tensor]:
        """A start of the caller, inside."""
        return (mean - self.shift) / self.unit, sigma / self.unit

    def outwards(self, fit) -> dict[str, torch.Tensor]:
        """Means and sigmas of a fit as the caller counts, where they differ."""
        if self.unit == 1 and not bool(self.shift.any()):
            return {}
        means = self.shift + self.unit * fit.means
        return {"means": means, "sigmas": self.unit * fit.sigmas}


def _in_units(divergence, volume: float):
    """The function of a reader, with densities and cells in the reader's own units."""

    def inside(log_p, log_q, cell):
        moved = math.log(volume)
        return divergence(log_p - moved, log_q - moved, cell * volume)

    return inside
