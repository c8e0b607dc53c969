"""Loaders give what the books say; a damaged copy of any file is named."""

import gzip
import shutil
import time

import pytest
import torch

from course_utils import data
from course_utils.data import (
    PROSE_ALPHABET,
    SHA256,
    DataError,
    grid_of_gaussians,
    load_galton_heights,
    load_heights,
    load_mnist,
    load_old_faithful,
    load_prose,
    ring_of_gaussians,
)

IMAGES = "mnist/t10k-images-idx3-ubyte.gz"
LABELS = "mnist/t10k-labels-idx1-ubyte.gz"


def test_heights_are_the_ten_of_the_slides():
    expected = [1.6, 1.7, 1.65, 1.63, 1.75, 1.71, 1.68, 1.72, 1.77, 1.62]
    assert load_heights().tolist() == expected


def test_galton_heights_are_in_metres_and_two_groups():
    height, female = load_galton_heights()
    assert height.shape == female.shape == (934,)
    assert 1.4 < height.min() < height.max() < 2.1
    assert 400 < female.sum() < 500
    assert height[~female].mean() - height[female].mean() == pytest.approx(
        0.13, abs=0.01
    )


def test_old_faithful_has_272_eruptions():
    x = load_old_faithful()
    assert x.shape == (272, 2)
    assert x.mean(0).tolist() == pytest.approx([3.4878, 70.897], abs=1e-3)


def test_the_prose_is_text_in_small_letters():
    text = load_prose()
    assert len(text) == 137_682
    assert set(text) == set(PROSE_ALPHABET)
    assert "".join(sorted(PROSE_ALPHABET)) == PROSE_ALPHABET
    paragraphs = text.splitlines()
    assert len(set(paragraphs)) == len(paragraphs) == 692
    assert all(line[-1] in ".?!:" and "  " not in line for line in paragraphs)
    for words in ("maximum likelihood", "the elbo", "mode collapse"):
        assert words in text


def test_prose_with_other_characters_is_named(monkeypatch):
    """Even when somebody has changed the checksum together with the file."""
    monkeypatch.setattr(data, "read_verified", lambda name: b"From here")
    with pytest.raises(DataError, match=r"course_prose.txt.*'F'"):
        load_prose()


@pytest.mark.parametrize(("split", "n"), [("train", 60_000), ("test", 10_000)])
def test_mnist(split, n):
    images, labels = load_mnist(split)
    assert images.shape == (n, 28, 28)
    assert images.dtype == torch.uint8
    assert labels.shape == (n,)
    assert set(labels.tolist()) == set(range(10))
    assert images.double().mean() / 255 == pytest.approx(0.131, abs=2e-3)


def test_mnist_is_quick_the_second_time_and_safe_to_write_on():
    images, _ = load_mnist("test")
    images.zero_()
    start = time.thread_time()
    again, _ = load_mnist("test")
    assert time.thread_time() - start < 0.05
    assert again.any()


def test_unknown_split():
    with pytest.raises(ValueError, match="'train' or 'test', got 'valid'"):
        load_mnist("valid")


@pytest.mark.parametrize("name", SHA256)
def test_each_shipped_file_is_the_one_of_its_checksum(name):
    assert data.read_verified(name)


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    """A copy of the data to damage; the loaders look there."""
    for name in SHA256:
        if not name.startswith("mnist/train"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(data.DATA_DIR / name, tmp_path / name)
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    data._unpacked_mnist.cache_clear()
    yield tmp_path
    data._unpacked_mnist.cache_clear()


def cut(content):
    return content[: len(content) // 2]


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


PROSE = "course_prose.txt"


@pytest.mark.parametrize(
    "name", ["heights.csv", "galton_heights.csv", PROSE, IMAGES, LABELS]
)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "damaged"),
        (flip, "damaged"),
        (lambda _: b"", "empty"),
        (None, "cannot be"),
    ],
    ids=["cut", "flipped", "empty", "missing"],
)
def test_damage_is_named_with_a_remedy(copied_data, name, damage, words):
    path = copied_data / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    load = {
        "heights.csv": load_heights,
        "galton_heights.csv": load_galton_heights,
        PROSE: load_prose,
    }.get(name, lambda: load_mnist("test"))
    with pytest.raises(DataError, match=words) as caught:
        load()
    assert name in str(caught.value)
    assert "git checkout" in str(caught.value)


def test_swapped_files_are_noticed(copied_data):
    images = (copied_data / IMAGES).read_bytes()
    (copied_data / IMAGES).write_bytes((copied_data / LABELS).read_bytes())
    (copied_data / LABELS).write_bytes(images)
    with pytest.raises(DataError, match="t10k-images"):
        load_mnist("test")


def zipped(content):
    """The same bytes each time, for the workers of one test run."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not gzip at all", "whole gzip"),
        (zipped(b"\0\0\x08\x03")[:-4], "whole gzip"),
        (zipped(b""), "magic"),
        (zipped(b"\0\0\x0d\x03" + bytes(12)), "magic"),
        (zipped(b"\0\0\x08\x01\0\0\0\x02ab"), "magic"),
        (zipped(b"\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x02abc"), "has 3"),
    ],
)
def test_a_file_that_is_not_idx_is_named(copied_data, monkeypatch, content, words):
    """Even when somebody has changed the checksum together with the file."""
    monkeypatch.setattr(data, "read_verified", lambda name: content)
    with pytest.raises(DataError, match=words):
        load_mnist("test")


def test_line_ends_of_windows_are_harmless(copied_data):
    for name in ("heights.csv", PROSE):
        path = copied_data / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(load_heights()) == 10
    assert "\r" not in load_prose()


def test_data_are_found_from_any_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(load_heights()) == 10


@pytest.mark.parametrize("n", [1, 2, 7, 8, 25])
def test_ring_has_n_distinct_modes_on_the_circle(n):
    ring = ring_of_gaussians(n, radius=3.0, sigma=0.2)
    assert ring.centres.shape == (n, 2)
    assert len({tuple(c) for c in ring.centres.mul(1e4).round().int().tolist()}) == n
    torch.testing.assert_close(ring.centres.norm(dim=1), torch.full((n,), 3.0))
    torch.testing.assert_close(ring.mixture_distribution.probs, torch.full((n,), 1 / n))


def test_grid_has_25_distinct_modes_around_the_origin():
    grid = grid_of_gaussians(5, spacing=2.0, sigma=0.05)
    assert len({tuple(c) for c in grid.centres.tolist()}) == 25
    assert grid.centres.mean(0).tolist() == [0, 0]
    assert grid.centres.amax(0).tolist() == [4, 4]


@pytest.mark.parametrize("make", [ring_of_gaussians, grid_of_gaussians])
def test_modes_are_a_distribution_of_the_stated_width(make):
    torch.manual_seed(0)
    modes = make(sigma=0.1)
    x = modes.sample((20_000,))
    nearest = torch.cdist(x, modes.centres).amin(dim=1)
    assert nearest.square().mean() == pytest.approx(2 * 0.1**2, rel=0.05)
    assert torch.isfinite(modes.log_prob(x)).all()


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_sigma_of_the_modes_is_checked(sigma):
    with pytest.raises(ValueError, match="sigma must be positive"):
        ring_of_gaussians(sigma=sigma)


@pytest.mark.parametrize("make", [ring_of_gaussians, grid_of_gaussians])
def test_number_of_modes_is_checked(make):
    with pytest.raises(ValueError, match="must be positive, got 0"):
        make(0)
