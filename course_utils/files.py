"""Models on disk: tensors as ``safetensors`` and plain settings, never code."""

import hashlib
import json
import os
import secrets
from pathlib import Path

import torch
from safetensors.torch import load, save

from course_utils.arguments import require

FORMAT = "course_utils 1"


class ModelFileError(RuntimeError):
    """A model file is missing or damaged; the message names it and the remedy."""

    def __init__(self, path, problem: str):
        super().__init__(
            f"model file {str(path)!r} {problem}. Train and save it again."
        )


def write_model(path, settings: dict, parameters: dict[str, torch.Tensor]) -> None:
    """Write a ``safetensors`` file, with ``settings`` as JSON in its metadata.

    It is written beside ``path``, under a name of its own, and moved there when it is
    whole and on the disk: a stop in between leaves the old file as it was. Raises
    ``ValueError`` or ``TypeError`` for a path, settings or parameters without sense.
    """
    path = _place_for(path)
    tensors = {name: _plain(name, value) for name, value in _named(parameters)}
    try:
        text = json.dumps(settings)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"settings must be plain values for JSON: {error}") from error
    if not isinstance(settings, dict):
        raise TypeError(f"settings must be a dictionary, got {settings!r:.60}")
    checksum = _checksum(text, tensors)
    notes = {"format": FORMAT, "settings": text, "sha256": checksum}
    # two savers at once must not write into one file
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(save(tensors, notes))
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _place_for(path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a text or a Path, got {path!r:.60}")
    place = Path(path)
    folder = place.parent.is_dir() and place.name != "" and not place.is_dir()
    rule = "the name of a file, in a folder that exists"
    require(path=(repr(str(path)), folder and "\0" not in place.name, rule))
    return place


def _named(parameters):
    if not isinstance(parameters, dict):
        kind = type(parameters).__name__
        raise TypeError(f"parameters must map names to tensors, got {kind}")
    return parameters.items()


def _plain(name, value) -> torch.Tensor:
    """A copy of its own: the format takes no memory that two names share."""
    dense = isinstance(value, torch.Tensor) and value.layout == torch.strided
    if not (dense and isinstance(name, str)) or value.is_meta or value.is_quantized:
        kind = f"{type(value).__name__} named {name!r}"
        raise TypeError(f"parameters must be dense tensors with names, got {kind}")
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def read_model(path, raw: bytes | None = None) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings and parameters; raises ``ModelFileError`` for anything else.

    ``raw`` is the content of the file, if it has been read already. What is compared
    with the checksum is what is returned: names, types, shapes and all bytes of the
    tensors, and the settings. So no damaged number comes in unseen, whatever the
    library that reads the file makes of a flipped bit.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a text or a Path, got {path!r:.60}")
    try:
        raw = Path(path).read_bytes() if raw is None else raw
        tensors = load(raw)
        # the library gives no notes from bytes: they stand in the header, as JSON
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        notes = header.get("__metadata__") or {}
        text = notes.get("settings", "")
        settings = json.loads(text) if text else {}
        checksum = _checksum(text, tensors)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelFileError(path, f"cannot be read: {reason}") from error
    except Exception as error:  # of whatever kind: this is no file of ours
        raise ModelFileError(path, "is damaged or not a model file") from error
    if notes.get("format") != FORMAT:
        raise ModelFileError(path, f"is not of the format {FORMAT!r}")
    if notes.get("sha256") != checksum:
        raise ModelFileError(path, "is damaged: its checksum is wrong")
    return settings, tensors


def _checksum(settings: str, tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 of the settings, and of name, type, shape and bytes of each tensor."""
    digest = hashlib.sha256(settings.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
