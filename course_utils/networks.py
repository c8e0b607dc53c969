"""What the networks of the course share: plain layers, copies, files."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from course_utils.files import ModelFileError, read_model, write_model

ACTIVATIONS = {
    "relu": nn.ReLU,
    # slope 0.2 below zero: units of D that are off still learn (Radford et al. 2016)
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def layers(widths: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers from ``widths[0]`` numbers to ``widths[-1]``, activations between.

    Raises ``ValueError`` for an unknown ``activation`` and for a width below 1.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {tuple(ACTIVATIONS)}, got {activation!r}"
        )
    if min(widths) < 1:
        raise ValueError(f"every layer needs at least 1 unit, got {tuple(widths)}")
    parts = []
    for n_in, n_out in pairwise(widths):
        parts += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts[:-1])  # nothing bends the last output


class SavedModule(nn.Module):
    """A network that knows the ``settings`` that it was made with, and goes to disk."""

    settings: dict

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights: float32, or float64 after ``.double()``."""
        return next(self.parameters()).dtype

    def at(self, parameters: dict[str, torch.Tensor]):
        """A copy that holds ``parameters``, such as ``state.parameters`` of a run."""
        other = copy.deepcopy(self)
        other.load_state_dict(parameters)
        return other

    def save(self, path) -> None:
        """Write settings and parameters as tensors; the old file stays until done."""
        write_model(path, self.settings, self.state_dict())

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote, to the last digit; runs no code.

        Raises ``ModelFileError``, also where the weights are not floats of one type.
        """
        settings, parameters = read_model(path)
        kinds = {value.dtype for value in parameters.values()}
        if len(kinds) != 1 or not all(kind.is_floating_point for kind in kinds):
            found = sorted(map(str, kinds)) or "nothing"
            raise ModelFileError(path, f"holds {found}, not floats of one type")
        try:
            # to its type first: a copy into float32 would lose the digits of float64
            model = cls(**settings).to(*kinds)
            model.load_state_dict(parameters)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ModelFileError(path, f"does not hold a {cls.__name__}") from error
        return model
