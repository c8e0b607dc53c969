"""A saved VAE comes back whole, and a damaged file says so."""

import pickle

import pytest
import torch

from course_utils.vae import VAE, ModelFileError


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


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_named(model, tmp_path, kept):
    path = tmp_path / "model.pt"
    model.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelFileError, match=r"model\.pt' is damaged"):
        VAE.load(path)


def test_other_files_are_refused(model, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        VAE.load(path)
    path.write_text("hello")
    with pytest.raises(ModelFileError, match="damaged or not a model file"):
        VAE.load(path)
    torch.save(model.state_dict(), path)
    with pytest.raises(ModelFileError, match="not of the format"):
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
    with pytest.raises(ModelFileError):
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
