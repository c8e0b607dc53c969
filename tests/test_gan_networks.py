"""The two networks: shapes, scales, packs, waves, files, and what they refuse."""

import pytest
import torch
from gan_cases import weights

from course_utils.gan import Discriminator, Generator, ModelFileError
from course_utils.vae_files import write_model


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
        path = tmp_path / "network.pt"
        network.double().save(path)
        other = type(network).load(path)
        assert torch.equal(weights(network), weights(other))
        assert network.settings == other.settings
        assert weights(other).dtype == torch.float64
    with pytest.raises(ModelFileError, match="does not hold a generator"):
        Generator.load(path)
    write_model(path, {"hidden": [2]}, {})
    with pytest.raises(ModelFileError, match="does not hold a discriminator"):
        Discriminator.load(path)
    with pytest.raises(ModelFileError, match="cannot be read"):
        Generator.load(tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Generator(activation="swish"), "activation must be one of"),
        (lambda: Generator(output="tanh"), "output must be one of"),
        (lambda: Generator(noise_dim=0), "noise_dim must be positive, got 0"),
        (lambda: Generator(hidden=(4, 0)), "at least 1 unit"),
        (lambda: Generator(scale=-1.0), "scale must be positive, got -1"),
        (lambda: Generator()(torch.ones(3, 5)), "z must have 2 columns"),
        (lambda: Generator().begin_at_mean_of(torch.ones(3, 2)), "'sigmoid'"),
        (lambda: Discriminator(pack=0), "pack must be positive, got 0"),
        (lambda: Discriminator(frequencies=-1), "frequencies must be 0 or more"),
        (
            lambda: Discriminator(frequency_scale=0.0),
            "frequency_scale must be positive",
        ),
        (lambda: Discriminator(frequency_scale=(3, 2)), r"low <= high: \(3, 2\)"),
        (lambda: Discriminator()(torch.ones(3)), r"x must have shape \(n, 2\)"),
        (lambda: Discriminator(pack=2)(torch.ones(3, 2)), "a multiple of 2"),
    ],
)
def test_wrong_networks_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
