"""What people really type: the same numbers in other clothes, and nonsense.

A function gives the answer that it gives for float64 tensors, or refuses with a
``ValueError`` or ``TypeError`` that names the argument. ``Door`` is one argument of one
function: how to call it, and numbers that fit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

NONSENSE = ["none", "text", "complex", "ragged", "nan", "infinite", "column", "empty"]


@dataclass(frozen=True)
class Door:
    """``call(good)`` works; ``takes`` are the kinds of nonsense that are none here."""

    name: str  # of the argument
    call: Callable
    good: list
    takes: tuple[str, ...] = ()

    def kinds(self) -> list[str]:
        """The nonsense that must be refused."""
        return [kind for kind in NONSENSE if kind not in self.takes]


def clothes(values) -> dict[str, object]:
    """The same numbers (multiples of ½, so that halves hold them) in each form."""
    array = np.array(values, dtype=np.float64)
    tensor = torch.tensor(values, dtype=torch.float64)
    locked = array.copy()
    locked.flags.writeable = False
    spread = np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array
    forms = {
        "list": array.tolist(),
        "array": array,
        "locked": locked,
        "strided": spread,
        "backwards": np.ascontiguousarray(array[::-1])[::-1] if array.ndim else array,
        "columns": array.copy(order="F"),
        "longdouble": array.astype(np.longdouble),
        "tensor": tensor,
        "tensor of columns": tensor.mT.contiguous().mT if array.ndim > 1 else tensor,
        "float": tensor.float(),
        "half": tensor.half(),
        "bfloat16": tensor.bfloat16(),
    }
    if bool((array == array.round()).all()):
        forms |= {"whole numbers": tensor.long(), "int array": array.astype(np.int32)}
        forms["int list"] = array.astype(int).tolist()
        if bool((array >= 0).all()):
            forms["bytes"] = tensor.to(torch.uint8)
    return forms


def nonsense(kind: str, good) -> object:
    """Numbers that fit, made into what fits nowhere."""
    tensor = torch.tensor(good, dtype=torch.float64)
    if kind in ("nan", "infinite"):
        tensor.view(-1)[-1] = math.nan if kind == "nan" else math.inf
        return tensor
    return {
        "none": None,
        "text": "text",
        "complex": tensor.to(torch.complex128),
        "ragged": [[1.0, 2.0], [3.0]],
        "column": tensor[..., None],  # it would be broadcast
        "empty": tensor[:0] if tensor.ndim else tensor.new_zeros(0),
    }[kind]


def refuses(call: Callable, name: str) -> None:
    """``call()`` raises a ValueError or TypeError whose message says ``name``."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert name in str(caught.value), f"{name} is not named: {caught.value}"


def numbers(result) -> torch.Tensor:
    """All numbers of a result, whatever it is, as float64 ``(n,)``."""
    if isinstance(result, torch.distributions.Distribution):
        result = (result.mean, result.variance)
    if isinstance(result, tuple | list):
        return torch.cat([numbers(part) for part in result])
    return torch.as_tensor(result).detach().double().flatten()


def same_in_all_clothes(door: Door, values=None, rtol=1e-9, refusing=False) -> None:
    """Each form gives the numbers of float64; those of 32 bits to 2e-4 of the size.

    ``refusing`` doors may refuse a form, too, if they name the argument.
    """
    values = door.good if values is None else values
    expected = numbers(door.call(torch.tensor(values, dtype=torch.float64)))
    size = 1 + expected.abs().max().item()
    for kind, form in clothes(values).items():
        before = form.clone() if isinstance(form, torch.Tensor) else None
        try:
            got = numbers(door.call(form))
        except (ValueError, TypeError) as error:
            assert refusing and door.name in str(error), (door.name, kind, error)
            continue
        short = kind in ("float", "half", "bfloat16")
        error = (got - expected).abs().max().item()
        limit = (2e-4 if short else rtol) * size
        assert got.shape == expected.shape and error <= limit, (door.name, kind, got)
        assert before is None or torch.equal(before, form), f"{kind} was written on"


def cases(doors: dict[str, Door]) -> list:
    """``(door, kind)`` of all doors, for ``pytest.mark.parametrize``."""
    return [
        pytest.param(door, kind, id=f"{name}-{kind}")
        for name, door in doors.items()
        for kind in door.kinds()
    ]
