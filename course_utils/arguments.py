"""Refusals of wrong arguments: the name, the value, and what was expected."""

import math

import torch


def require(**arguments) -> None:
    """``NAME=(value, fits, rule)``: ``ValueError`` for the first that does not fit."""
    for name, (value, fits, rule) in arguments.items():
        if not fits:
            raise ValueError(f"{name} must be {rule}, got {value}")


def positive(**values) -> None:
    """Raise a ``ValueError`` for the first value that is not > 0 and finite."""
    require(**{k: (v, 0 < v < math.inf, "positive") for k, v in values.items()})


def check_data(x: torch.Tensor, data_dim: int, name: str = "x") -> torch.Tensor:
    """``x`` as it is, if it is finite floats ``(n, data_dim)``; else ``ValueError``."""
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
        hint = ""
        if x.ndim > 2 and x[:1].numel() == data_dim:
            hint = f"; use {name}.flatten(1)"
        if x.ndim == 1 and data_dim == 1:
            hint = f"; use {name}[:, None]"
        got = f"{tuple(x.shape)}{hint}"
        raise ValueError(f"{name} must have shape (n, {data_dim}), got {got}")
    if len(x) == 0:
        raise ValueError(f"{name} is empty: its shape is {tuple(x.shape)}")


def check_finite(x: torch.Tensor, name: str = "x") -> None:
    """Raise a ``ValueError`` that counts NaN and infinity; copies x only if any."""
    if bool(torch.isfinite(x.sum())):  # one pass, no copy: nearly always the end
        return
    bad = int((~torch.isfinite(x)).sum())
    if bad:  # a sum of large numbers may be infinite, too
        raise ValueError(
            f"{name} must be finite, got {bad} values that are NaN or infinite"
        )


def check_unit(x: torch.Tensor, name: str = "x", like: str = "") -> None:
    """Raise a ``ValueError`` unless x lies in [0, 1]; ``like`` may say why."""
    low, high = x.min().item(), x.max().item()
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"{name} must lie in [0, 1]{like}, got values from {low:g} to {high:g}; "
            "give grey levels 0 to 255 as uint8"
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
