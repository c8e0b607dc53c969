"""The Fréchet distance against SciPy, and the classifier through which it looks."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from course_utils import data, scores
from course_utils.data import DATA_DIR, SHA256, DataError, load_mnist
from course_utils.scores import (
    digit_scores,
    frechet_distance,
    frechet_floor,
    load_digit_classifier,
)


def sample(n, d, seed, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=random, dtype=dtype)
    shift = torch.randn(d, generator=random, dtype=dtype)
    return torch.randn(n, d, generator=random, dtype=dtype) @ mix + shift


@settings(max_examples=20)
@given(st.integers(0, 999), st.integers(1, 12), st.integers(20, 60))
def test_the_distance_agrees_with_scipy(seed, d, n):
    a, b = sample(n, d, seed), sample(n + 5, d, seed + 1)
    cov_a, cov_b = torch.cov(a.T).reshape(d, d), torch.cov(b.T).reshape(d, d)
    root = torch.from_numpy(sqrtm((cov_a @ cov_b).numpy()).real.copy())
    expected = (a.mean(0) - b.mean(0)).square().sum()
    expected = expected + (cov_a + cov_b).trace() - 2 * root.reshape(d, d).trace()
    found = frechet_distance(a, b)
    assert found == pytest.approx(expected.item(), rel=1e-7, abs=1e-8)
    assert found == pytest.approx(frechet_distance(b, a), rel=1e-7, abs=1e-8)
    assert abs(frechet_distance(a, a)) < 1e-6


def test_the_distance_of_known_gaussians():
    a = sample(500, 3, 0)
    assert frechet_distance(a, a + 2.0) == pytest.approx(12.0)
    centred = a - a.mean(0)
    scatter = torch.cov(a.T).trace().item()
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * scatter)
    few = sample(4, 9, 1)  # singular covariances are no obstacle
    assert math.isfinite(frechet_distance(few, sample(5, 9, 2)))
    assert frechet_distance(a.numpy(), (a + 2.0).numpy()) == frechet_distance(a, a + 2)
    assert frechet_distance(a.float(), a.float() + 2.0) == pytest.approx(12.0, rel=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (torch.ones(5), torch.ones(5), r"a must have shape"),
        (torch.ones(5, 2), torch.ones(5, 3), r"b must have shape \(n, 2\).*\(5, 3\)"),
        (torch.ones(1, 2), torch.ones(5, 2), "n >= 2"),
        (
            torch.ones(5, 2),
            torch.full((5, 2), math.nan),
            "b must be finite, got 10 values",
        ),
    ],
)
def test_bad_features_are_named(a, b, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(a, b)


def test_the_shipped_classifier_knows_digits():
    images, labels = load_mnist("test")
    model = load_digit_classifier()
    with torch.no_grad():
        logits = model(images[:2000].flatten(1).float() / 255)
    assert (logits.argmax(1) == labels[:2000]).double().mean() > 0.975
    assert not any(p.requires_grad for p in model.parameters())
    assert (DATA_DIR / scores.FILE).stat().st_size < 400_000


def test_real_digits_score_near_the_floor():
    images, labels = load_mnist("train")
    rows = torch.randperm(60_000, generator=torch.Generator().manual_seed(1))[:10_000]
    images, labels = images[rows], labels[rows]
    found = digit_scores(images)
    shares = labels.bincount(minlength=10) / 10_000
    assert found.classes == 10
    assert (found.class_shares - shares).abs().max() < 0.005
    assert found.min_share == found.class_shares.min().item()
    assert found.confident > 0.95
    assert found.min_share > 0.085
    assert 0 < found.frechet < 1.5 * frechet_floor()
    assert "10 classes of 10" in str(found)
    again = digit_scores(images.flatten(1).float() / 255)
    assert again.frechet == pytest.approx(found.frechet, rel=1e-4)
    few, array = digit_scores(images[:200]), digit_scores(images[:200].numpy())
    assert array.frechet == few.frechet and str(array) == str(few)


def test_bad_digits_score_badly():
    images, _ = load_mnist("train")
    same = digit_scores(images[:1].expand(200, 28, 28))
    assert (same.classes, same.min_share) == (1, 0.0)
    random = torch.Generator().manual_seed(0)
    noise = digit_scores(torch.rand(500, 784, generator=random))
    blurred = torch.nn.functional.avg_pool2d(images[:2000].float() / 255, 5, 1, 2)
    blurred = digit_scores(blurred)
    floor = frechet_floor()
    assert noise.frechet > 20 * floor
    assert same.frechet > 20 * floor
    assert floor < blurred.frechet < noise.frechet


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.ones(5, 783), r"images must have shape \(n, 784\) .* got \(5, 783\)"),
        (torch.ones(1, 784), "n >= 2"),
        (torch.full((5, 784), 255.0), "got values from 255 to 255; .*uint8"),
        (torch.full((5, 784), math.nan), "images must lie in"),
        (torch.ones(5, 783).numpy(), r"images must have shape .* got \(5, 783\)"),
    ],
)
def test_bad_images_are_named(images, words):
    with pytest.raises(ValueError, match=words):
        digit_scores(images)


def test_a_damaged_classifier_is_named(tmp_path, monkeypatch):
    content = (DATA_DIR / scores.FILE).read_bytes()
    (tmp_path / scores.FILE).write_bytes(content[:-100])
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    scores._classifier.cache_clear()
    with pytest.raises(DataError, match=r"digit_classifier\.safetensors.* is damaged"):
        load_digit_classifier()
    monkeypatch.undo()


def test_the_tool_trains_such_a_classifier(monkeypatch, tmp_path, capsys):
    from tools import digit_classifier

    images, labels = load_mnist("train")
    monkeypatch.setattr(
        digit_classifier, "load_mnist", lambda split: (images[:640], labels[:640])
    )
    monkeypatch.setattr(digit_classifier, "DATA_DIR", tmp_path)
    monkeypatch.setattr("sys.argv", ["digit_classifier", "--epochs", "2"])
    threads = torch.get_num_threads()
    digit_classifier.main()
    torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    assert re.search(
        r"digit_classifier\.safetensors: \d+ bytes, SHA-256 [0-9a-f]{64}", printed
    )
    assert (tmp_path / scores.FILE).exists()
    assert scores.FILE in SHA256


def test_what_is_cached_is_not_shared():
    images = torch.rand(20, 784, generator=torch.Generator().manual_seed(0))
    before = digit_scores(images).frechet
    features = scores.real_features()
    features -= features.mean(0)
    with torch.no_grad():
        load_digit_classifier().last.weight.zero_()
    assert digit_scores(images).frechet == before


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e6, 1e150])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_the_distance_knows_no_units(scale, shift):
    generator = torch.Generator().manual_seed(3)
    a, b = torch.randn(2, 50, 3, dtype=torch.float64, generator=generator)
    b = 2 * b + 1
    moved = frechet_distance(scale * (a + shift), scale * (b + shift))
    assert moved == pytest.approx(scale**2 * frechet_distance(a, b), rel=1e-8)


def test_the_distance_is_never_negative_nor_infinite():
    few = torch.randn(5, 128, generator=torch.Generator().manual_seed(0))
    assert 0 <= frechet_distance(few, few) < 1e-9
    assert frechet_distance(torch.full((4, 2), 7.0), torch.full((4, 2), 7.0)) == 0
    with pytest.raises(ValueError, match="small enough to be squared"):
        frechet_distance(1e160 * few.double(), few)
    with pytest.raises(TypeError, match="a must be real numbers"):
        frechet_distance(few * 1j, few)
