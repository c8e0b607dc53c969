"""A saved network comes back whole, and a damaged file says so."""

import io
import pickle
import zipfile

import pytest
import torch

from course_utils.files import FORMAT, ModelFileError, read_model, write_model
from course_utils.gan import Discriminator, Generator
from course_utils.vae import VAE

NETWORKS = {
    "VAE": VAE(6, 2, hidden=(5,)),
    "Generator": Generator(hidden=(4,)),
    "Discriminator": Discriminator(hidden=(4,), frequencies=2),
}


@pytest.fixture
def model():
    return VAE(6, 2, hidden=(5,), likelihood="normal", activation="tanh", seed=3)


def test_what_is_saved_comes_back(model, tmp_path):
    model.save(tmp_path / "model.pt")
    again = VAE.load(tmp_path / "model.pt")
    assert again.settings == model.settings
    x, noise = torch.randn(4, 6), torch.randn(4, 2)
    assert torch.equal(again.elbo(x, noise).elbo, model.elbo(x, noise).elbo)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    model.double().save(tmp_path / "model.pt")
    assert VAE.load(tmp_path / "model.pt").prior.mean.dtype == torch.float64


@pytest.fixture(params=NETWORKS)
def saved(request, tmp_path):
    """A network, and the file that holds it."""
    network = NETWORKS[request.param]
    network.save(tmp_path / "model.pt")
    return network, tmp_path / "model.pt"


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_named(saved, kept):
    network, path = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelFileError, match=r"model\.pt' is damaged or not a model"):
        type(network).load(path)


@pytest.mark.parametrize("damage", [b"\xff" * 8, b"\x00" * 8, b"\x01"])
def test_no_damaged_byte_comes_in_unseen(saved, damage):
    """Wherever it is: the file is refused, or nothing that is read lay there."""
    network, path = saved
    content, weights, refused = path.read_bytes(), network.state_dict(), 0
    for start in range(0, len(content), 11):
        bad = content[:start] + damage + content[start + len(damage) :]
        try:
            settings, parameters = read_model(io.BytesIO(bad[: len(content)]))
        except ModelFileError:
            refused += 1
        else:
            assert settings == network.settings
            assert parameters.keys() == weights.keys()
            assert all(torch.equal(parameters[name], weights[name]) for name in weights)
    assert refused > 100


def test_damaged_weights_are_refused(saved):
    network, path = saved
    first = next(iter(network.state_dict().values())).numpy().tobytes()
    content = path.read_bytes()
    place = content.index(first)
    path.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
    damaged = r"model\.pt' is damaged or not a model file\. Train and save it again\.$"
    with pytest.raises(ModelFileError, match=damaged):
        type(network).load(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"settings": {}, "parameters": {}}, "is not of the format"),
        ({"format": FORMAT, "parameters": {}}, r"holds no settings\."),
        ({"format": FORMAT, "settings": {}}, r"holds no parameters\."),
        ({"format": FORMAT}, r"holds no settings and no parameters\."),
        ({"format": FORMAT, "settings": [], "parameters": {}}, r"holds no settings\."),
        ([1, 2], "is not of the format"),
        (torch.ones(3), "is not of the format"),
    ],
)
def test_missing_keys_are_named(saved, content, problem):
    network, path = saved
    torch.save(content, path)
    with pytest.raises(ModelFileError, match=r"model\.pt' " + problem):
        type(network).load(path)


@pytest.mark.parametrize("left_out", [0, -1])
def test_missing_weights_are_refused(saved, left_out):
    network, path = saved
    kind = rf"model\.pt' does not hold a (?i:{type(network).__name__})"
    parameters = network.state_dict()
    del parameters[list(parameters)[left_out]]
    write_model(path, network.settings, parameters)
    with pytest.raises(ModelFileError, match=kind):
        type(network).load(path)
    write_model(path, {**network.settings, "depth": 3}, network.state_dict())
    with pytest.raises(ModelFileError, match=kind):
        type(network).load(path)


def test_something_else_entirely_is_refused(saved):
    network, path = saved
    for other in (b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(500)):
        path.write_bytes(other)
        with pytest.raises(ModelFileError, match="is damaged or not a model file"):
            type(network).load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("letter.txt", "hello" * 100)
    with pytest.raises(ModelFileError, match="is damaged or not a model file"):
        type(network).load(path)
    with pytest.raises(ModelFileError, match="cannot be read: "):
        type(network).load(path.parent)


def test_other_files_are_refused(model, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        VAE.load(path)
    torch.save(model.state_dict(), path)
    with pytest.raises(
        ModelFileError, match=rf"model\.pt' is not of the format '{FORMAT}'\."
    ):
        VAE.load(path)
    model.save(path)
    content = torch.load(path, weights_only=True)
    content["settings"]["latent_dim"] = 3
    torch.save(content, path)
    with pytest.raises(ModelFileError, match="does not hold a VAE"):
        VAE.load(path)


class Harmful:
    """Unpickling this would write a file."""

    def __reduce__(self):
        return open, ("harm.txt", "w")


@pytest.mark.parametrize("write", [torch.save, lambda o, p: p.write_bytes(o)])
def test_no_code_is_run(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    harmful = Harmful() if write is torch.save else pickle.dumps(Harmful(), protocol=2)
    write(harmful, tmp_path / "model.pt")
    with pytest.raises(ModelFileError, match="is damaged or not a model file"):
        VAE.load(tmp_path / "model.pt")
    assert not (tmp_path / "harm.txt").exists()


def test_a_failed_save_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    model.save(path)
    before = path.read_bytes()

    def fail(content, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]
