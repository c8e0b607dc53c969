"""The data that the course ships, and the toy distributions that it draws from.

Everything is on disk: nothing here uses the network. Each file is checked by SHA-256
before it is read, so a half copied or altered file is named at once. In a clone the
files are in ``data/``, and in an installed wheel in ``shipped/`` beside this module.
"""

import csv
import gzip
import hashlib
import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_utils.arguments import (
    check_finite,
    counts,
    floats,
    one_of,
    positive,
    require,
)

_SHIPPED = Path(__file__).resolve().with_name("shipped")
# asked for first: in site-packages, ``data`` may be somebody else's
DATA_DIR = _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parents[1] / "data"
METRES_PER_INCH = 0.0254
MOST_MODES = 1_000_000
# what the course's prose is written with, in the order of ASCII
PROSE_ALPHABET = "\n \"%'()+,-./0123456789:;=?abcdefghijklmnopqrstuvwxyz|"

CHECKSUMS = """\
0c5579b39971e2fc996afb4f718e9e2b28c97867ba427792021aa8727fbb0f92  heights.csv
bbb0560675adb55edc014cdf46117ac00861b3742f0e6edb213531d6c28609e1  galton_heights.csv
b820d4b990f58ea07552d64fe2461d1c454df3ec6cc0bfe7aa6eb73a95f47dbf  old_faithful.csv
f1d6e389797477acf8ffb24c70ba6b557f5fcc4b366c7d9f3c5fa1941f0255f9  theis_mixture.csv
bbaee599e7e6971b7b402d6b24b280d51eebcdb24d42cf535aa21114771af2b1  course_prose.txt
e61656d685530504d2d49e277f15060fec5699fac39243da9662c85e241308fd  trilemma.csv
76a1a4983dc15315b0080c2f95243cf1f1de6700c03c0052a5dfdcb7eb09253b  trilemma_digits.csv
6e07f6cd95c38a7bc4e7c88b741fee43a47a8c15e0565dafe713b13dcdeba9a3  gan_strip.csv
40b3c600bdb58b243e9ea0ca01c1424f6c4ef596ea5f5e88e10ceb934963800b  gan_digits.safetensors
44bd27f8fdc0e3413ede4d4381aacdadb58c4f553607d6601812a4b8d5e594f1  digit_classifier.safetensors
0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971  mnist/train-images-idx3-ubyte.gz
1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203  mnist/train-labels-idx1-ubyte.gz
1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be  mnist/t10k-images-idx3-ubyte.gz
b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b  mnist/t10k-labels-idx1-ubyte.gz
"""  # noqa: E501 (the lines are those of sha256sum)
SHA256 = {name: sha for sha, name in map(str.split, CHECKSUMS.strip().splitlines())}

TABLES = tuple(name for name in SHA256 if name.endswith(".csv"))


class DataError(RuntimeError):
    """A data file is missing or damaged; the message names the file and the remedy."""

    def __init__(self, name: str, problem: str):
        super().__init__(
            f"data file {name!r} {problem} (looked in {DATA_DIR}). "
            f"In a clone `git checkout -- data/{name}` restores it; "
            "else download or install the course again."
        )


class GaltonHeights(NamedTuple):
    """Heights of 934 adults: ``height`` (934,) float64, metres; ``female`` (934,)."""

    height: torch.Tensor
    female: torch.Tensor


def read_verified(name: str) -> bytes:
    """The bytes of ``data/name``, after a check of their SHA-256.

    Raises ``DataError`` when the file is missing, empty, or not the one we shipped, and
    ``ValueError`` for a name that is not in ``SHA256``.
    """
    one_of(tuple(SHA256), name=name)
    try:
        content = (DATA_DIR / name).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(name, f"cannot be read: {reason}") from error
    if not content:
        raise DataError(name, "is empty")
    # a checkout on Windows may have changed the line ends
    if name.endswith((".csv", ".txt")):
        content = content.replace(b"\r\n", b"\n")
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(name, f"is damaged: wrong SHA-256 over {len(content)} bytes")
    return content


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a shipped table as dictionaries, one file of ``TABLES``.

    Raises ``ValueError`` for another name, ``DataError`` for a damaged file.
    """
    one_of(TABLES, name=name)
    return list(csv.DictReader(read_verified(name).decode("utf-8").splitlines()))


def load_heights() -> torch.Tensor:
    """The ten heights of the lecture: ``(10,)`` float64, metres."""
    return _column(read_csv("heights.csv"), "height_m")


def load_galton_heights() -> GaltonHeights:
    """Heights of 934 adult children (Galton, 1886), converted from inches to metres."""
    rows = read_csv("galton_heights.csv")
    female = torch.tensor([row["gender"] == "female" for row in rows])
    return GaltonHeights(_column(rows, "height_in") * METRES_PER_INCH, female)


def load_old_faithful() -> torch.Tensor:
    """Old Faithful: ``(272, 2)`` float64, minutes of eruption and of waiting."""
    rows = read_csv("old_faithful.csv")
    columns = [_column(rows, key) for key in ("eruption_min", "waiting_min")]
    return torch.stack(columns, dim=1)


def load_prose() -> str:
    """What notebooks 01 to 06 say, in small letters: one paragraph a line.

    Only characters of ``PROSE_ALPHABET`` occur. Sentences with formulas or code were
    left out. The text is frozen: later changes of the notebooks do not change it.
    Raises ``DataError`` for a missing or damaged file.
    """
    text = read_verified("course_prose.txt").decode("ascii")
    if strange := set(text) - set(PROSE_ALPHABET):
        raise DataError("course_prose.txt", f"holds {sorted(strange)}")
    return text


def load_mnist(split: str = "train") -> tuple[torch.Tensor, torch.Tensor]:
    """Images ``(n, 28, 28)`` uint8 and labels ``(n,)`` int64; n = 60 000 or 10 000.

    The split asked for last stays in memory: asked again, it returns a fresh copy in
    milliseconds. Raises ``ValueError`` for an unknown split and ``DataError`` for a
    missing or damaged file.
    """
    prefixes = {"train": "train", "test": "t10k"}
    fits = isinstance(split, str) and split in prefixes
    require(split=(repr(split), fits, "'train' or 'test'"))
    images, labels = _unpacked_mnist(prefixes[split])
    return images.clone(), labels.clone()


@lru_cache(maxsize=1)  # both would take 55 MB for as long as the program runs
def _unpacked_mnist(prefix: str) -> tuple[torch.Tensor, torch.Tensor]:
    images = read_idx(f"mnist/{prefix}-images-idx3-ubyte.gz", dimensions=3)
    labels = read_idx(f"mnist/{prefix}-labels-idx1-ubyte.gz", dimensions=1)
    return images, labels.long()


def read_idx(name: str, dimensions: int) -> torch.Tensor:
    """A gzipped IDX file of unsigned bytes, the format of MNIST, as a uint8 tensor.

    Raises ``ValueError`` for a name that is not shipped, and ``DataError`` for a file
    that does not hold an array of so many ``dimensions``.
    """
    counts(dimensions=dimensions)
    dimensions = int(dimensions)
    try:
        content = bytearray(gzip.decompress(read_verified(name)))
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(name, f"is not a whole gzip file: {error}") from error
    header = 4 + 4 * dimensions
    if len(content) < header or [*content[:4]] != [0, 0, 8, dimensions]:
        raise DataError(name, f"has a wrong magic number: {bytes(content[:4])!r}")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise DataError(name, f"should hold {shape} bytes, has {len(content) - header}")
    return torch.frombuffer(content, dtype=torch.uint8, offset=header).view(shape)


class EqualGaussians(MixtureSameFamily):
    """Equal weights, round Gaussians of one ``sigma`` around ``centres`` ``(k, d)``.

    A ``torch.distributions`` object (``sample``, ``log_prob``) that remembers where
    its modes are. Centres that are whole numbers or lists become float64. Raises
    ``ValueError`` for centres that are no finite ``(k, d)``, and for a sigma whose
    square their dtype does not hold.
    """

    def __init__(self, centres: torch.Tensor, sigma: float):
        positive(sigma=sigma)
        centres = floats(centres, "centres")
        shape = tuple(centres.shape)
        filled = centres.ndim == 2 and centres.numel() > 0
        require(centres=(f"shape {shape}", filled, "(k, d) with k, d >= 1"))
        check_finite(centres, "centres")
        variance = torch.tensor(float(sigma), dtype=torch.float64).to(centres).square()
        fits = torch.finfo(centres.dtype).tiny <= variance.item() < math.inf
        rule = f"a number whose square is not 0 and not infinite in {centres.dtype}"
        require(sigma=(sigma, fits, rule))
        scale = torch.full_like(centres, float(sigma))
        self.centres, self.sigma = centres, float(sigma)
        weights = Categorical(logits=centres.new_zeros(len(centres)))
        super().__init__(weights, Independent(Normal(centres, scale), 1))

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log density at x ``(…, d)``; ``ValueError`` for other shapes and for NaN."""
        x, d = floats(x), self.centres.shape[1]
        # one column would be broadcast over all d
        fits = x.ndim > 0 and x.shape[-1] == d
        fits = fits and x.numel() > 0
        require(x=(f"shape {tuple(x.shape)}", fits, f"numbers of shape (…, {d})"))
        bad = int(x.isnan().sum())
        require(x=(f"{bad} that are NaN", bad == 0, "numbers"))
        return super().log_prob(x)


def ring_of_gaussians(
    n_modes: int = 8, radius: float = 2.0, sigma: float = 0.1
) -> EqualGaussians:
    """``n_modes`` Gaussians on a circle, in torch's default dtype.

    The angles are 2πk/n for k = 0 … n − 1. Taking ``linspace(0, 2π, n)`` instead
    would put the last mode on the first one.
    """
    positive(n_modes=n_modes, radius=radius)
    counts(n_modes=n_modes)
    require(n_modes=(n_modes, n_modes <= MOST_MODES, f"at most {MOST_MODES}"))
    angle = 2 * math.pi * torch.arange(n_modes) / n_modes
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    return EqualGaussians(float(radius) * circle, sigma)


def grid_of_gaussians(
    n: int = 5, spacing: float = 2.0, sigma: float = 0.05
) -> EqualGaussians:
    """``n`` × ``n`` Gaussians on a square grid around the origin."""
    positive(n=n, spacing=spacing)
    counts(n=n)
    require(n=(n, n**2 <= MOST_MODES, f"the root of at most {MOST_MODES} modes"))
    ticks = float(spacing) * (torch.arange(n) - (n - 1) / 2)
    return EqualGaussians(torch.cartesian_prod(ticks, ticks), sigma)


def _column(rows: list[dict[str, str]], key: str) -> torch.Tensor:
    return torch.tensor([float(row[key]) for row in rows], dtype=torch.float64)
