"""Which modes of a known mixture do samples reach, and how well do they fill them?

The protocol of VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018): 2500
samples, each given to its nearest mode; one within 3σ of it is of high quality. Those
counts are generous: an even circle through the ring "finds" all eight modes. So two
numbers are added that a sampler without structure cannot get: the covered share, and
the spread inside a mode.
"""

import math
from dataclasses import dataclass

import torch

from course_utils.arguments import (
    check_finite,
    check_shape,
    floats,
    positive,
    require,
)

HIGH_QUALITY = 3.0  # σ
NEAR = 6.0  # σ: beyond, a sample lies between the modes
FAIR = 0.2  # of its fair share makes a mode count, strictly
FEWEST = 10  # samples from which a spread is computed


@dataclass(frozen=True, eq=False)
class Coverage:
    """What ``mode_coverage`` found.

    ``covered`` is Σ_k min(q_k, 1/K), where q_k is the share of all samples that lie
    within 3σ of mode k: samples in the wrong place count nothing, nor does what exceeds
    a mode's fair share 1/K. 1 is perfect but for noise; a sampler of one mode has 1/K,
    an even circle through eight modes 0.38. ``modes`` have at least one sample of high
    quality; ``strict`` modes at least a fifth of their fair share.
    ``high_quality`` is a share in [0, 1]: a perfect sampler
    in two dimensions has 1 − e^(−4.5) = 0.989. ``reverse_kl`` is KL(shares ‖ uniform)
    in nats over the samples of high quality (NaN without any), ``forward_kl`` is
    KL(uniform ‖ shares), infinite if a mode is empty; ``counts`` ``(k,)`` is how many
    each mode has. ``spread`` ``(k,)`` is the standard deviation of the samples
    within 6σ of the centre, over σ: 1 for a perfect sampler, NaN with too few samples.
    """

    covered: float
    modes: int
    strict: int
    high_quality: float
    reverse_kl: float
    forward_kl: float
    counts: torch.Tensor
    spread: torch.Tensor

    def __str__(self):
        k = len(self.counts)
        return (
            f"covered {100 * self.covered:.1f} %; {self.modes} modes of {k} "
            f"({self.strict} strictly), high quality {100 * self.high_quality:.1f} %, "
            f"reverse KL {self.reverse_kl:.3f} nats"
        )


@torch.no_grad()
def mode_coverage(samples, centres: torch.Tensor, sigma: float) -> Coverage:
    """Compare ``samples`` ``(n, d)`` with round Gaussians at ``centres`` ``(k, d)``.

    Both are tensors or NumPy arrays. Raises ``ValueError`` for other shapes, NaN or
    infinity, and a ``sigma`` that is not positive.
    """
    samples = floats(samples, "samples", torch.float64)
    centres = floats(centres, "centres", torch.float64)
    shape = f"shape {tuple(centres.shape)}"
    require(centres=(shape, centres.ndim == 2 and centres.numel() > 0, "(k, d)"))
    for name, rows in [("samples", samples), ("centres", centres)]:
        check_shape(rows, centres.shape[-1], name)
        check_finite(rows, name)
    positive(sigma=sigma)
    n, k = len(samples), len(centres)
    # by differences: a product of matrices would lose the digits far from 0
    exact = "donot_use_mm_for_euclid_dist"
    distance, nearest = torch.cdist(samples, centres, compute_mode=exact).min(dim=1)
    good = distance <= HIGH_QUALITY * sigma
    counts = torch.bincount(nearest[good], minlength=k)
    shares = counts.double() / counts.sum()
    divergence = torch.special.xlogy(shares, k * shares).sum().item()
    near = distance <= NEAR * sigma
    spread = torch.full((k,), math.nan, dtype=torch.float64)
    for mode in range(k):
        own = samples[near & (nearest == mode)]
        if len(own) >= FEWEST:
            spread[mode] = own.var(dim=0).mean().sqrt() / sigma
    return Coverage(
        covered=(counts / n).clamp(max=1 / k).sum().item(),
        modes=int((counts > 0).sum()),
        strict=int((counts >= FAIR * n / k).sum()),
        high_quality=good.double().mean().item(),
        reverse_kl=divergence,
        forward_kl=forward_kl(counts),
        counts=counts,
        spread=spread,
    )


def forward_kl(counts: torch.Tensor) -> float:
    """KL(uniform ‖ counts / sum) of ``counts`` ``(k,)`` in nats.

    Infinite if one of them is 0, NaN if all are. ``ValueError`` for counts below 0.
    """
    counts = floats(counts, "counts", torch.float64)
    fits = counts.ndim == 1 and len(counts) > 0 and bool((counts >= 0).all())
    require(counts=(counts.tolist(), fits, "(k,) numbers >= 0"))
    check_finite(counts, "counts")
    shares = counts / counts.sum()
    even = torch.full_like(shares, 1 / len(shares))
    return (even * (even / shares).log()).sum().item()
