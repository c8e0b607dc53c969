"""The two networks: shapes, scales, packs, waves, files, and what they refuse."""

import math
import re

import pytest
import torch

from course_utils.files import ModelFileError, write_model
from course_utils.gan import Discriminator, Generator
from tests.gan.cases import weights


def test_networks_keep_their_promises():
    made = Generator(noise_dim=3, data_dim=5, output="sigmoid", hidden=(8,))
    x = made.sample(7, seed=1)
    assert x.shape == (7, 5)
    assert not x.requires_grad
    assert bool(((x > 0) & (x < 1)).all())
    assert torch.equal(x, made.sample(7, seed=1))
    assert not torch.equal(x, made.sample(7, seed=2))
    assert torch.equal(x, 0 * x + Generator(3, 5, (8,), output="sigmoid").sample(7, 1))
    data = torch.rand(500, 5)
    made.begin_at_mean_of(data)
    made.begin_at_mean_of((255 * data).byte())
    torch.testing.assert_close(
        made.network[-1].bias.sigmoid(), data.mean(0), atol=5e-3, rtol=0
    )
    with torch.no_grad():
        made.network[-1].bias.zero_()
    made.begin_at_mean_of(data.double())
    torch.testing.assert_close(made.network[-1].bias.sigmoid(), data.mean(0))
    wide = Generator(scale=10.0).sample(100, 0)
    torch.testing.assert_close(wide, 10 * Generator().sample(100, 0))


def test_packs_and_waves():
    x = torch.randn(12, 2)
    assert Discriminator(pack=3)(x).shape == (4,)
    net = Discriminator(frequencies=4, scale=2.0)
    features = net.features(x)
    assert features.shape == (12, 10)
    torch.testing.assert_close(features[:, 2:6], (x / 2 @ net.waves).sin())
    torch.testing.assert_close(features[:, 6:], (x / 2 @ net.waves).cos())
    spaced = Discriminator(data_dim=400, frequencies=3, frequency_scale=(1, 100))
    sizes = spaced.waves.std(dim=0).log10()
    torch.testing.assert_close(sizes, torch.tensor([0.0, 1.0, 2.0]), atol=0.1, rtol=0)
    line = Discriminator(data_dim=1, hidden=(4,))
    assert torch.equal(line(x[:, 0]), line(x[:, :1]))
    probability = net.probability(1e6 * x)
    assert bool(((probability >= 0) & (probability <= 1)).all())


def test_files(tmp_path):
    for network in (Generator(hidden=(4,), scale=3.0), Discriminator(frequencies=2)):
        path = tmp_path / "network.safetensors"
        network.double().save(path)
        other = type(network).load(path)
        assert torch.equal(weights(network), weights(other))
        assert network.settings == other.settings
        assert weights(other).dtype == torch.float64
    with pytest.raises(
        ModelFileError, match=r"network\.safetensors' does not hold a Generator\."
    ):
        Generator.load(path)
    write_model(path, {"hidden": [2]}, {})
    with pytest.raises(
        ModelFileError, match=r"network\.safetensors' does not hold a Discriminator\."
    ):
        Discriminator.load(path)
    with pytest.raises(
        ModelFileError, match=r"none\.safetensors' cannot be read: No such"
    ):
        Generator.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(3, 4), "x must have shape (n, 2), got (3, 4)"),
        (torch.ones(3), "x must have shape (n, 2), got (3,)"),
        (torch.ones(3, 4).byte(), "x must have shape (n, 2), got (3, 4)"),
        (torch.zeros(0, 2), "x is empty: its shape is (0, 2)"),
        (torch.zeros(0, 2).byte(), "x is empty: its shape is (0, 2)"),
        (
            torch.full((3, 2), math.nan),
            "x must be finite, got 6 values that are NaN or infinite",
        ),
        (
            torch.tensor([[0.0, 255.0]]),
            "x must lie in [0, 1] like a sigmoid, got values from 0 to 255; "
            "give grey levels 0 to 255 as uint8",
        ),
        (
            torch.tensor([[-1.0, 1.0]]),
            "x must lie in [0, 1] like a sigmoid, got values from -1 to 1; "
            "give grey levels 0 to 255 as uint8",
        ),
        (torch.ones(3, 2).long(), "x must be a tensor of floats, got torch.int64"),
        (
            [[0.0, 1.0]],
            "x must be a tensor of floats, got list; use torch.as_tensor(x)",
        ),
    ],
)
def test_bad_pixels_have_no_mean_to_begin_at(x, message):
    made = Generator(output="sigmoid")
    before = weights(made)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        made.begin_at_mean_of(x)
    assert torch.equal(weights(made), before)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: Generator(activation="swish"),
            r"^activation must be one of .*'tanh'\), got 'swish'$",
        ),
        (
            lambda: Generator(output="tanh"),
            r"^output must be one of \('linear', 'sigmoid'\), got 'tanh'$",
        ),
        (lambda: Generator(noise_dim=0), "^noise_dim must be positive, got 0$"),
        (
            lambda: Generator(hidden=(4, 0)),
            r"^every layer needs at least 1 unit, got \(2, 4, 0, 2\)$",
        ),
        (lambda: Generator(scale=-1.0), r"^scale must be positive, got -1\.0$"),
        (
            lambda: Generator()(torch.ones(3, 5)),
            r"^z must have 2 columns, got shape \(3, 5\)$",
        ),
        (
            lambda: Generator().begin_at_mean_of(torch.ones(3, 2)),
            r"^output must be 'sigmoid' for this, got 'linear'$",
        ),
        (lambda: Discriminator(pack=0), "^pack must be positive, got 0$"),
        (
            lambda: Discriminator(frequencies=-1),
            "^frequencies must be 0 or more, got -1$",
        ),
        (
            lambda: Discriminator(frequency_scale=0.0),
            r"^frequency_scale must be positive, .* low <= high, got 0\.0$",
        ),
        (
            lambda: Discriminator(frequency_scale=(3, 2)),
            r"^frequency_scale .* low <= high, got \(3, 2\)$",
        ),
        (
            lambda: Discriminator()(torch.ones(3)),
            r"^x must have shape \(n, 2\), got \(3,\)$",
        ),
        (
            lambda: Discriminator(pack=2)(torch.ones(3, 2)),
            r"^x must have shape \(a multiple of 2, 2\), got \(3, 2\)$",
        ),
    ],
)
def test_wrong_networks_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
