"""Refusals of wrong arguments: the name, the value, and what was expected."""

import torch


def check_data(x: torch.Tensor, data_dim: int, name: str = "x") -> torch.Tensor:
    """``x`` as it is, or a ``ValueError`` that says what is wrong."""
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        kind = f"{type(x).__name__}; use torch.as_tensor({name})"
        kind = x.dtype if isinstance(x, torch.Tensor) else kind
        raise ValueError(f"{name} must be a tensor of floats, got {kind}")
    check_shape(x, data_dim, name)
    check_finite(x, name)
    return x


def check_shape(x: torch.Tensor, data_dim: int, name: str = "x") -> None:
    """Raise a ``ValueError`` unless x is ``(n, data_dim)`` with n >= 1."""
    if x.ndim != 2 or x.shape[1] != data_dim:
        raise ValueError(
            f"{name} must have shape (n, {data_dim}), got {tuple(x.shape)}"
        )
    if len(x) == 0:
        raise ValueError(f"{name} is empty: its shape is {tuple(x.shape)}")


def check_finite(x: torch.Tensor, name: str = "x") -> None:
    """Raise a ``ValueError`` that counts NaN and infinity; copies x only if any."""
    if bool(torch.isfinite(x.sum())):
        return
    bad = int((~torch.isfinite(x)).sum())
    if bad:  # a sum of large numbers may be infinite, too
        raise ValueError(
            f"{name} must be finite, got {bad} values that are NaN or infinite"
        )


def check_binary(x: torch.Tensor, name: str = "x") -> None:
    """Raise a ``ValueError`` unless x holds zeros and ones only."""
    low, high = x.min().item(), x.max().item()
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must hold zeros and ones, got values from {low:g} to {high:g}; "
            "give grey levels 0 to 255 as uint8, to binarise()"
        )
    if not all(bool(((part == 0) | (part == 1)).all()) for part in x.split(5000)):
        raise ValueError(
            f"{name} must hold zeros and ones, got grey values between: a Bernoulli "
            "gives them no probability; use binarise()"
        )
