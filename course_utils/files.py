"""Models on disk: tensors as ``safetensors`` and plain settings, never code."""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

FORMAT = "course_utils 1"


class ModelFileError(RuntimeError):
    """A model file is missing or damaged; the message names it and the remedy."""

    def __init__(self, path, problem: str):
        super().__init__(
            f"model file {str(path)!r} {problem}. Train and save it again."
        )


def write_model(path, settings: dict, parameters: dict[str, torch.Tensor]) -> None:
    """Write a ``safetensors`` file, with ``settings`` as JSON in its metadata.

    It is written beside ``path`` and then moved there, so that a stop in between leaves
    the old file whole.
    """
    path = Path(path)
    tensors = {k: v.detach().cpu().contiguous() for k, v in parameters.items()}
    text = json.dumps(settings)
    checksum = _checksum(text, tensors)
    notes = {"format": FORMAT, "settings": text, "sha256": checksum}
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(save(tensors, notes))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_model(path, raw: bytes | None = None) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings and parameters; raises ``ModelFileError`` for anything else.

    ``raw`` is the content of the file, if it has been read already. All of it is
    compared with the checksum, so that no damaged number comes in unseen.
    """
    try:
        raw = Path(path).read_bytes() if raw is None else raw
        tensors = load(raw)
        # the library gives no notes from bytes: they stand in the header, as JSON
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelFileError(path, f"cannot be read: {reason}") from error
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise ModelFileError(path, "is damaged or not a model file") from error
    notes = header.get("__metadata__") or {}
    if notes.get("format") != FORMAT:
        raise ModelFileError(path, f"is not of the format {FORMAT!r}")
    if notes.get("sha256") != _checksum(notes.get("settings", ""), tensors):
        raise ModelFileError(path, "is damaged: its checksum is wrong")
    return json.loads(notes["settings"]), tensors


def _checksum(settings: str, tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 of the settings, and of name, type, shape and bytes of each tensor."""
    digest = hashlib.sha256(settings.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
