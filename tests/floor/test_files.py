"""A saved network comes back whole, and a damaged file says so."""

import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

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
    model.save(tmp_path / "model.safetensors")
    again = VAE.load(tmp_path / "model.safetensors")
    assert again.settings == model.settings
    x, noise = torch.randn(4, 6), torch.randn(4, 2)
    assert torch.equal(again.elbo(x, noise).elbo, model.elbo(x, noise).elbo)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    model.double().save(tmp_path / "model.safetensors")
    assert VAE.load(tmp_path / "model.safetensors").prior.mean.dtype == torch.float64


@pytest.fixture(params=NETWORKS)
def saved(request, tmp_path):
    """A network, and the file that holds it."""
    network = NETWORKS[request.param]
    network.save(tmp_path / "model.safetensors")
    return network, tmp_path / "model.safetensors"


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_named(saved, kept):
    network, path = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(
        ModelFileError, match=r"model\.safetensors' is damaged or not a model"
    ):
        type(network).load(path)


@pytest.mark.parametrize("damage", [b"\xff" * 8, b"\x00" * 8, b"\x01"])
def test_no_damaged_byte_comes_in_unseen(saved, damage):
    """Wherever it is: the file is refused, or nothing that is read lay there."""
    network, path = saved
    content, weights, refused = path.read_bytes(), network.state_dict(), 0
    places = range(0, len(content), 7)
    for start in places:
        bad = content[:start] + damage + content[start + len(damage) :]
        try:
            settings, parameters = read_model(path, bad[: len(content)])
        except ModelFileError:
            refused += 1
        else:
            assert settings == network.settings
            assert parameters.keys() == weights.keys()
            assert all(torch.equal(parameters[name], weights[name]) for name in weights)
    assert refused > 0.8 * len(places)


def test_damaged_weights_are_refused(saved):
    network, path = saved
    first = next(iter(network.state_dict().values())).numpy().tobytes()
    content = path.read_bytes()
    place = content.index(first)
    path.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
    damaged = r"' is damaged: its checksum is wrong\. Train and save it again\.$"
    with pytest.raises(ModelFileError, match=damaged):
        type(network).load(path)


@pytest.mark.parametrize("notes", [None, {}, {"format": "other 1"}])
def test_tensors_of_another_program_are_refused(saved, notes):
    network, path = saved
    path.write_bytes(save(network.state_dict(), notes))
    not_ours = rf"model\.safetensors' is not of the format '{FORMAT}'\."
    with pytest.raises(ModelFileError, match=not_ours):
        type(network).load(path)


@pytest.mark.parametrize("left_out", ["settings", "sha256"])
def test_missing_notes_are_damage(saved, left_out):
    network, path = saved
    with safe_open(path, "pt") as file:
        notes = file.metadata()
    del notes[left_out]
    path.write_bytes(save(network.state_dict(), notes))
    with pytest.raises(ModelFileError, match="its checksum is wrong"):
        type(network).load(path)


@pytest.mark.parametrize("left_out", [0, -1])
def test_missing_weights_are_refused(saved, left_out):
    network, path = saved
    kind = rf"model\.safetensors' does not hold a (?i:{type(network).__name__})"
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
    path = tmp_path / "model.safetensors"
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        VAE.load(path)
    torch.save(model.state_dict(), path)
    with pytest.raises(ModelFileError, match="is damaged or not a model file"):
        VAE.load(path)
    write_model(path, {**model.settings, "latent_dim": 3}, model.state_dict())
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
    write(harmful, tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="is damaged or not a model file"):
        VAE.load(tmp_path / "model.safetensors")
    assert not (tmp_path / "harm.txt").exists()


def test_a_failed_save_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    model.save(path)
    before = path.read_bytes()

    def fail(self, content):
        with self.open("wb") as file:
            file.write(content[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
