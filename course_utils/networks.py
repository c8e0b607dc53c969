"""What the networks of the course share: plain layers, copies, files."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from course_utils.arguments import at_home, counts, one_of, require
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

    Raises ``ValueError`` for an unknown ``activation``, for fewer than two widths and
    for a width that is no whole number from 1; ``TypeError`` for no sequence.
    """
    at_home()
    one_of(tuple(ACTIVATIONS), activation=activation)
    widths = whole_numbers(widths, "widths")
    if len(widths) < 2:
        raise ValueError(f"widths must be two numbers or more, got {widths}")
    if min(widths) < 1:
        raise ValueError(f"every layer needs at least 1 unit, got {tuple(widths)}")
    parts = []
    for n_in, n_out in pairwise(widths):
        parts += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts[:-1])  # nothing bends the last output


def whole_numbers(values: Sequence[int], name: str) -> list[int]:
    """``values`` as a list of ints; ``TypeError`` or ``ValueError`` by ``name``."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a list of whole numbers, got {values!r:.60}")
    for i, value in enumerate(values):
        counts(0, **{f"{name}[{i}]": value})
    return [int(value) for value in values]  # those of NumPy do not go to a file


def check_trainable(model: nn.Module, name: str = "model") -> None:
    """``TypeError`` or ``ValueError`` unless ``model`` has weights that can move."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"{name} must be a network, got {model!r:.60}")
    weights = list(model.parameters())
    moving = any(each.requires_grad for each in weights)
    made_there = any(each.is_inference() for each in weights)
    bad = sum(int((~each.detach().isfinite()).sum()) for each in weights)
    for got, fits, rule in (
        (f"{len(weights)} tensors", moving, "a network with weights that can move"),
        ("such a one", not made_there, "a network made outside of inference mode"),
        (f"{bad} weights that are not", bad == 0, "a network of finite weights"),
    ):
        require(**{name: (got, fits, rule)})


class SavedModule(nn.Module):
    """A network that knows the ``settings`` that it was made with, and goes to disk."""

    settings: dict

    def __init__(self):
        at_home()
        super().__init__()

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights: float32, or float64 after ``.double()``."""
        return next(self.parameters()).dtype

    def at(self, parameters: dict[str, torch.Tensor]):
        """A copy that holds ``parameters``, such as ``state.parameters`` of a run.

        Raises ``TypeError`` for what is no dictionary of float tensors, as from a run
        without snapshots, and ``ValueError`` for those of another network.
        """
        _check_parameters(parameters)
        other = copy.deepcopy(self)
        try:
            other.load_state_dict(parameters)
        except RuntimeError as error:
            raise ValueError(f"parameters must fit: {error}") from None
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
        if len(kinds) > 1 or not all(kind.is_floating_point for kind in kinds):
            found = ", ".join(sorted(map(str, kinds)))
            raise ModelFileError(path, f"holds {found}, not floats of one type")
        try:
            # to its type first: a copy into float32 would lose the digits of float64
            model = cls(**settings).to(*kinds)
            model.load_state_dict(parameters)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ModelFileError(path, f"does not hold a {cls.__name__}") from error
        return model


def _check_parameters(parameters) -> None:
    """Other numbers than floats would be cut without a word as they are copied."""
    if not isinstance(parameters, dict):
        got = f"{parameters!r:.60}; a run keeps them with snapshots=True"
        raise TypeError(f"parameters must be a dictionary of tensors, got {got}")
    for name, value in parameters.items():
        if not (isinstance(value, torch.Tensor) and value.is_floating_point()):
            kind = getattr(value, "dtype", type(value).__name__)
            raise TypeError(f"parameters[{name!r}] must be floats, got {kind}")
