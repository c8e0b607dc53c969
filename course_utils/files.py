"""Models on disk: tensors and plain settings, never code."""

import io
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import torch

FORMAT = "course_utils.vae 1"
DAMAGED = (  # what zipfile and torch raise for bytes that are no model
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)


class ModelFileError(RuntimeError):
    """A model file is missing or damaged; the message names it and the remedy."""

    def __init__(self, path, problem: str):
        super().__init__(
            f"model file {str(path)!r} {problem}. Train and save it again."
        )


def write_model(path, settings: dict, parameters: dict[str, torch.Tensor]) -> None:
    """Write a file that ``torch.load(…, weights_only=True)`` reads.

    It is written beside ``path`` and then moved there, so that a stop in between leaves
    the old file whole.
    """
    path = Path(path)
    content = {
        "format": FORMAT,
        "settings": settings,
        "parameters": {k: v.detach().cpu().clone() for k, v in parameters.items()},
    }
    unfinished = path.with_name(path.name + ".part")
    try:
        torch.save(content, unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_model(path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings and parameters; raises ``ModelFileError`` for anything else.

    ``path`` names a file, or is one that is open. Every part of the file is compared
    with its checksum before it is used, so that no damaged number comes in unseen.
    """
    try:
        raw = path.read() if hasattr(path, "read") else Path(path).read_bytes()
        _insist_on_checksums(raw)
        content = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelFileError(path, f"cannot be read: {reason}") from error
    except DAMAGED as error:
        raise ModelFileError(path, "is damaged or not a model file") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(path, f"is not of the format {FORMAT!r}")
    parts = ("settings", "parameters")
    missing = [name for name in parts if not isinstance(content.get(name), dict)]
    if missing:
        raise ModelFileError(path, f"holds no {' and no '.join(missing)}")
    return content["settings"], content["parameters"]


def _insist_on_checksums(raw: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum of {damaged!r} is wrong")
