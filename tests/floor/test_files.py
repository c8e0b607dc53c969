"""A saved network comes back whole, and a damaged file says so."""

import os
import pickle
import zipfile
from random import Random

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from course_utils.beyond.language import Writer
from course_utils.data import read_verified
from course_utils.files import FORMAT, ModelFileError, read_model, write_model
from course_utils.gan import Discriminator, Generator
from course_utils.vae import VAE
from course_utils.vae.code_prior import MADE

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

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("course_utils.files.os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_half_written_file_never_replaces_a_good_one(model, tmp_path, monkeypatch):
    """A second save of the same file, in the midst of the first one."""
    path, other = tmp_path / "model.safetensors", VAE(6, 2, hidden=(5,), seed=9)
    sync, seen = os.fsync, []

    def stop_and_save_again(descriptor):
        monkeypatch.setattr("course_utils.files.os.fsync", sync)
        other.save(path)
        seen.append(VAE.load(path).settings["likelihood"])
        sync(descriptor)

    monkeypatch.setattr("course_utils.files.os.fsync", stop_and_save_again)
    model.save(path)
    assert seen == ["bernoulli"]
    assert VAE.load(path).settings == model.settings
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def unharmed_or_refused(path, content: bytes, network) -> bool:
    """Whether the bytes are refused; if they are read, then right."""
    try:
        settings, parameters = read_model(path, content)
    except ModelFileError:
        return True
    weights = network.state_dict()
    assert settings == network.settings
    assert parameters.keys() == weights.keys()
    assert all(torch.equal(parameters[name], weights[name]) for name in weights)
    return False


def test_no_flipped_bit_of_a_small_file_comes_in_unseen(tmp_path):
    """Every bit of the file, one after the other."""
    network, path = Generator(1, 1, (1,)), tmp_path / "small.safetensors"
    network.save(path)
    content, harmless = path.read_bytes(), 0
    assert not unharmed_or_refused(path, content, network)
    for place in range(8 * len(content)):
        bad = bytearray(content)
        bad[place // 8] ^= 1 << place % 8
        harmless += not unharmed_or_refused(path, bytes(bad), network)
    assert harmless < 0.01 * 8 * len(content)


def test_no_damage_of_a_large_file_comes_in_unseen(tmp_path):
    """A seeded sample of flipped bits, cuts, swapped pieces and pieces put in."""
    network, path = VAE(784, 8, hidden=(64,)), tmp_path / "large.safetensors"
    network.save(path)
    content, random = path.read_bytes(), Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    for trial in range(160):
        end = header if trial % 2 else len(content)
        at, to, size = (random.randrange(end) for _ in range(3))
        flipped = bytearray(content)
        flipped[at] ^= 1 << random.randrange(8)
        low, high = sorted((at, to))
        piece, rest = content[low:high], content[high:]
        moved = piece[size % (high - low + 1) :] + piece[: size % (high - low + 1)]
        bad = [bytes(flipped), content[:at], content[:low] + moved + rest]
        bad += [content[:low] + piece + piece + rest, content[:low] + rest]
        for damaged in bad:
            refused = unharmed_or_refused(path, damaged, network)
            assert refused or damaged == content


def test_two_files_that_are_swapped_are_told_apart(tmp_path):
    """Each class refuses the files of the others, whatever their names say."""
    networks = [*NETWORKS.values(), MADE(6, 5), Writer(4, 3, 2, 5)]
    for network in networks:
        network.save(tmp_path / "model.safetensors")
        for other in {type(n) for n in networks} - {type(network)}:
            with pytest.raises(ModelFileError, match=f"hold a {other.__name__}"):
                other.load(tmp_path / "model.safetensors")


def test_the_shipped_files_load():
    for name in ("digit_classifier.safetensors", "gan_digits.safetensors"):
        _, parameters = read_model(name, read_verified(name))
        assert all(bool(value.isfinite().all()) for value in parameters.values())


@pytest.mark.parametrize("name", ["mạng đã học.safetensors", 'a\'b "c".part', "…"])
def test_a_path_in_any_language(model, tmp_path, name):
    place = tmp_path / "Bài tập 7 — mô hình"
    place.mkdir()
    model.save(str(place / name))
    assert VAE.load(place / name).settings == model.settings
    (place / name).write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"mô hình/.* is damaged"):
        VAE.load(place / name)


@pytest.mark.parametrize(
    "path", ["nowhere/model", "", ".", "file/model", "a\0b", None, 3, b"model"]
)
def test_a_path_without_sense_is_named(model, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((ValueError, TypeError), match="path must be"):
        model.save(path)
    with pytest.raises((ModelFileError, TypeError), match=r"path must be|cannot|is d"):
        VAE.load(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("settings", "parameters", "words"),
    [
        ({"a": 1j}, {}, "settings must be plain values"),
        ([1], {}, "settings must be a dictionary"),
        ({}, [torch.zeros(1)], "parameters must map names"),
        ({}, {"a": [1.0]}, "parameters must be dense .* list named 'a'"),
        ({}, {3: torch.zeros(1)}, "parameters must be dense"),
        ({}, {"a": torch.zeros(2, 2).to_sparse()}, "parameters must be dense"),
        ({}, {"a": torch.zeros(2, device="meta")}, "parameters must be dense"),
    ],
)
def test_what_no_file_can_hold_is_named(tmp_path, settings, parameters, words):
    with pytest.raises(TypeError, match=words):
        write_model(tmp_path / "model", settings, parameters)
    assert list(tmp_path.iterdir()) == []


def test_views_and_shared_memory_are_written_as_they_look(tmp_path):
    x = torch.arange(12.0).view(3, 4)
    views = {"a": x, "b": x.T, "c": x[:, ::2], "d": x[0, 0], "e": x[:0]}
    write_model(tmp_path / "model", {"n": "đ"}, views)
    settings, again = read_model(tmp_path / "model")
    assert settings == {"n": "đ"}
    assert all(torch.equal(again[name], view) for name, view in views.items())


@pytest.mark.parametrize(
    "strange",
    [
        lambda w: w.long(),
        lambda w: w.to(torch.complex64),
        lambda w: w.bool(),
        lambda w: w.double() if w.ndim == 2 else w,
    ],
)
def test_weights_that_are_not_floats_of_one_type_are_refused(model, tmp_path, strange):
    weights = {name: strange(value) for name, value in model.state_dict().items()}
    write_model(tmp_path / "model", model.settings, weights)
    with pytest.raises(ModelFileError, match=r"holds .* not floats of one type"):
        VAE.load(tmp_path / "model")
    write_model(tmp_path / "model", model.settings, {})
    with pytest.raises(ModelFileError, match="does not hold a VAE"):
        VAE.load(tmp_path / "model")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_every_digit_of_the_weights_comes_back(model, tmp_path, dtype):
    model = model.to(dtype)
    with torch.no_grad():
        for weight in model.parameters():
            weight += (torch.rand(weight.shape, dtype=torch.float64) / 3).to(dtype)
    model.save(tmp_path / "model")
    again = VAE.load(tmp_path / "model").state_dict()
    assert all(torch.equal(again[k], v) for k, v in model.state_dict().items())
    assert all(again[k].dtype == dtype for k in again)
