"""How good are drawn digits? A small classifier says which, and how far from real ones.

The Fréchet distance compares Gaussians fitted to features of two sets of images, as the
FID does (Heusel et al. 2017), here with the 128 features of a small network that knows
digits. The network is shipped as tensors; ``python -m tools.digit_classifier`` trains
it again.
"""

import copy
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.arguments import check_finite, check_unit, floats, require
from course_utils.data import load_mnist, read_verified
from course_utils.files import read_model

FILE = "digit_classifier.safetensors"
COVERED = 0.02  # share of the images from which a class counts as covered
SURE = 0.9  # probability from which the classifier counts as confident


class DigitClassifier(nn.Module):
    """Images ``(n, 784)`` in [0, 1] → logits ``(n, 10)``; two convolutions, two layers.

    ``features`` are the 128 numbers before the last ReLU.
    """

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2),  # (n, 1, 28, 28) → (n, 16, 12, 12)
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2),  # → (n, 32, 4, 4)
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 128),  # the features: what the Fréchet distance sees
        )
        self.last = nn.Linear(128, 10)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """``(n, 128)``."""
        return self.convolutions(images.view(-1, 1, 28, 28))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, 10)``."""
        return self.last(F.relu(self.features(images)))


def load_digit_classifier() -> DigitClassifier:
    """The shipped classifier, right on about 99 % of the test digits.

    Each call gives a new one: what a caller does to it changes no score. Raises
    ``DataError`` if its file is missing or damaged.
    """
    return copy.deepcopy(_classifier())


@lru_cache(maxsize=1)
def _classifier() -> DigitClassifier:
    _, parameters = read_model(FILE, read_verified(FILE))
    model = DigitClassifier().requires_grad_(False)
    model.load_state_dict({k: v.float() for k, v in parameters.items()})
    return model.eval()


@dataclass(frozen=True, eq=False)
class DigitScores:
    """What ``digit_scores`` found.

    ``classes`` have at least 2 % of the images, ``min_share`` is the smallest of the
    ``class_shares`` ``(10,)``. ``frechet`` is the distance to the 10 000 test digits;
    compare it with ``frechet_floor()``. ``confident`` is the share of images of whose
    class the classifier is at least 90 % sure.
    """

    classes: int
    min_share: float
    frechet: float
    class_shares: torch.Tensor
    confident: float

    def __str__(self):
        return (
            f"{self.classes} classes of 10, smallest share {self.min_share:.3f}, "
            f"Fréchet distance {self.frechet:.1f}"
        )


@torch.no_grad()
def digit_scores(images: torch.Tensor) -> DigitScores:
    """Score ``images`` ``(n, 784)`` or ``(n, 28, 28)``: in [0, 1], or uint8 levels.

    A tensor or a NumPy array; ``ValueError`` for another shape or other values. Take
    10 000: with fewer, the Fréchet distance is larger, because two covariances of 128
    numbers are estimated.
    """
    features, probabilities = _look_at(_checked(images))
    shares = torch.bincount(probabilities.argmax(1), minlength=10) / len(images)
    return DigitScores(
        classes=int((shares >= COVERED).sum()),
        min_share=shares.min().item(),
        frechet=frechet_distance(features, _real_features()),
        class_shares=shares,
        confident=(probabilities.amax(1) >= SURE).float().mean().item(),
    )


def frechet_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½) of two sets of rows ``(n, d)``.

    The squared 2-Wasserstein distance of the Gaussians that fit them (Dowson and Landau
    1982), in float64. The trace of the root is the sum of the roots of the eigenvalues
    of Σ_a^½ Σ_b Σ_a^½, which is symmetric. Tensors or NumPy arrays; ``ValueError`` for
    other shapes, NaN or infinity, and where the distance is beyond float64.
    """
    a, b = floats(a, "a", torch.float64), floats(b, "b", torch.float64)
    d = a.shape[1] if a.ndim == 2 and a.shape[1] > 0 else "d"
    for name, rows in [("a", a), ("b", b)]:
        if rows.ndim != 2 or len(rows) < 2 or rows.shape[1] != d:
            raise ValueError(
                f"{name} must have shape (n, {d}) with n >= 2, got {tuple(rows.shape)}"
            )
        check_finite(rows, name)
    # far from 0, or in other units, squares would lose digits: the distance of x / s is
    # that of x over s²
    shift = a.mean(0)
    a, b = a - shift, b - shift
    scale = max(a.abs().max().item(), b.abs().max().item()) or 1.0
    a, b = a / scale, b / scale
    cov_a, cov_b = torch.cov(a.T).reshape(a.shape[1], -1), torch.cov(b.T)
    cov_b = cov_b.reshape(cov_a.shape)
    # Σ_a^½ from the eigenvalues; rounding makes the smallest ones slightly negative
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    roots = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt()
    gap = (a.mean(0) - b.mean(0)).square().sum()
    distance = (gap + cov_a.trace() + cov_b.trace() - 2 * roots.sum()).item()
    distance = max(0.0, distance) * scale * scale  # (rounding may fall below 0)
    require(scale=(scale, math.isfinite(distance), "small enough to be squared"))
    return distance


def real_features() -> torch.Tensor:
    """Features ``(10 000, 128)`` of the test digits; computed once, copied."""
    return _real_features().clone()


@lru_cache(maxsize=1)
def _real_features() -> torch.Tensor:
    return _look_at(_checked(load_mnist("test")[0]))[0]


@lru_cache(maxsize=1)
def frechet_floor() -> float:
    """The Fréchet distance of 10 000 training digits to the test digits.

    No generator can be expected to do better: this is real against real.
    """
    images = load_mnist("train")[0]
    rows = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return frechet_distance(
        _look_at(_checked(images[rows[:10_000]]))[0], _real_features()
    )


@torch.inference_mode(False)  # what is cached must serve every later caller
@torch.no_grad()
def _look_at(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    model = _classifier()
    parts = []
    for rows in images.split(1000):  # a float copy of all images would be large
        rows = rows.float() / 255 if rows.dtype == torch.uint8 else rows.float()
        features = model.features(rows)
        parts.append((features, model.last(F.relu(features)).softmax(dim=1)))
    features, probabilities = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(probabilities)


def _checked(images) -> torch.Tensor:
    grey = str(getattr(images, "dtype", "")).removeprefix("torch.") == "uint8"
    images = floats(images, "images", torch.uint8 if grey else torch.float32)
    images = images.flatten(1) if images.ndim == 3 else images
    if images.ndim != 2 or images.shape[1] != 784 or len(images) < 2:
        raise ValueError(
            f"images must have shape (n, 784) with n >= 2, got {tuple(images.shape)}"
        )
    if images.dtype == torch.uint8:
        return images
    check_unit(images, "images")
    return images
