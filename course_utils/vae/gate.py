"""What comes into the room of notebook 04: pixels, noise, numbers of one shape.

The gate of the package (``arguments``) knows numbers; here stands what pixels may be:
zeros and ones as floats or booleans, or grey levels as bytes where they are binarised.
"""

import functools

import torch

from course_utils.arguments import (
    check_binary,
    check_data,
    check_dense,
    check_finite,
    check_shape,
    floats,
    outside,
    require,
)


def same_shape(**values) -> list[torch.Tensor]:
    """The values as finite floats of one type; ``ValueError`` unless of one shape."""
    tensors = [floats(value, name) for name, value in values.items()]
    kind = functools.reduce(torch.promote_types, (each.dtype for each in tensors))
    tensors = [each.to(kind) for each in tensors]
    first, shape = next(iter(values)), tensors[0].shape
    for name, tensor in zip(values, tensors, strict=True):
        rule, got = f"of the shape of {first}, {tuple(shape)}", tuple(tensor.shape)
        require(**{name: (f"shape {got}", tensor.shape == shape, rule)})
        check_finite(tensor, name)
    return tensors


def check_pixels(x, data_dim: int, name: str = "x", grey: bool = False):
    """``x``, if it is zeros and ones or booleans ``(n, data_dim)``; ``grey``: uint8."""
    if isinstance(x, torch.Tensor) and x.dtype in (torch.uint8, torch.bool):
        if not grey:
            check_not_grey(x, name)
        check_dense(x, name)
        check_shape(x, data_dim, name)
        if grey:
            check_levels(x, name)
        return outside(x)
    x = check_data(x, data_dim, name)
    check_binary(x, name)
    return x


def check_levels(x: torch.Tensor, name: str) -> None:
    """``ValueError`` for bytes 0 and 1: as grey levels they would be nearly white."""
    if x.dtype == torch.uint8 and x.max() == 1:
        raise ValueError(
            f"{name} must be grey levels 0 to 255, got 0 and 1: use {name}.bool()"
        )


def check_not_grey(x, name: str = "x") -> None:
    """``ValueError`` for grey levels, uint8: they are neither numbers nor bits yet."""
    if getattr(x, "dtype", None) == torch.uint8:
        raise ValueError(f"{name} holds grey levels (uint8); binarise({name}) first")


def check_noise(noise, like: torch.Tensor) -> torch.Tensor:
    """``noise`` in the dtype of ``like``, if it has its shape and is finite."""
    noise = floats(noise, "noise", like.dtype)
    fits, rule = noise.shape == like.shape, f"of shape {tuple(like.shape)}"
    require(noise=(f"shape {tuple(noise.shape)}", fits, rule))
    check_finite(noise, "noise")
    most = noise.detach().abs().max().item()
    require(noise=(most, most < 1e3, "drawn from N(0, 1)"))
    return noise
