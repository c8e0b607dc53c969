"""The gate of the package: what comes in is converted here, or refused.

Lists, NumPy arrays of any stride, whole numbers and half floats become what a function
computes in. A refusal names the argument, its value, and what was expected.
"""

import math
import sys
from numbers import Integral

import numpy as np
import torch


def require(**arguments) -> None:
    """``NAME=(value, fits, rule)``: ``ValueError`` for the first that does not fit."""
    for name, (value, fits, rule) in arguments.items():
        if not fits:
            raise ValueError(f"{name} must be {rule}, got {value}")


def positive(**values) -> None:
    """Raise a ``ValueError`` for the first value that is not > 0 and finite."""
    for name, value in values.items():
        _check_number(name, value)
    require(**{k: (v, 0 < v < math.inf, "positive") for k, v in values.items()})


def counts(least: int = 1, /, **values) -> None:
    """``ValueError`` for the first value that is no whole number from ``least``.

    2⁶³ and more, which torch does not take, are refused, too.
    """
    for name, value in values.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        require(**{name: (value, whole, "a whole number")})
        require(**{name: (value, value >= least, f"at least {least}")})
        require(**{name: (value, value < 2**63, "below 2**63")})


def seed_of(seed: int) -> int:
    """``seed`` as an int that torch takes; ``ValueError`` unless from 0 to 2⁶³ − 1."""
    counts(0, seed=seed)
    return int(seed)


def generators(**values) -> None:
    """``TypeError`` for the first that is neither a ``torch.Generator`` nor None."""
    for name, value in values.items():
        if not (value is None or isinstance(value, torch.Generator)):
            got = f"{value!r:.60}"
            raise TypeError(f"{name} must be a torch.Generator or None, got {got}")


def finite(**values) -> None:
    """Raise a ``ValueError`` for the first value that is NaN or infinite."""
    for name, value in values.items():
        _check_number(name, value)
        require(**{name: (value, math.isfinite(value), "finite")})


def functions(**values) -> None:
    """Raise a ``TypeError`` for the first value that can't be called."""
    for name, value in values.items():
        if not callable(value):
            raise TypeError(f"{name} must be a function, got {value!r:.60}")


def instances(kind: type, /, **values) -> None:
    """Raise a ``TypeError`` for the first value that is no ``kind``."""
    for name, value in values.items():
        if not isinstance(value, kind):
            got = type(value).__name__
            raise TypeError(f"{name} must be a {kind.__name__}, got {got}")


def one_of(options: tuple[str, ...], /, **values) -> None:
    """Raise a ``ValueError`` for the first value that is none of the ``options``."""
    for name, value in values.items():
        fits = isinstance(value, str) and value in options
        require(**{name: (repr(value), fits, f"one of {options}")})


def switches(**values) -> None:
    """Raise a ``TypeError`` for the first value that is neither True nor False."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r:.60}")


def numbers(**values) -> None:
    """Raise a ``TypeError`` for the first value that is no real number."""
    for name, value in values.items():
        _check_number(name, value)


def _check_number(name: str, value) -> None:
    single = isinstance(value, torch.Tensor) and not value.is_nested
    single = single and value.numel() == 1 and not value.is_meta
    single = single and not (value.is_complex() or value.dtype == torch.bool)
    real = isinstance(value, int | float | np.integer | np.floating)
    if not (real or single) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r:.60}")
    # a whole number of Python may be larger than any float
    if isinstance(value, Integral) and abs(value) > sys.float_info.max:
        raise ValueError(f"{name} must be below 1.8e308, got {value!r:.60}")


def plain(value):
    """A number as a float; tensors stay, and so do their gradients.

    Beside tensors, torch does not take all numbers of NumPy.
    """
    return value if isinstance(value, torch.Tensor) else float(value)


def floats(x, name: str = "x", dtype: torch.dtype | None = None) -> torch.Tensor:
    """``x`` as a tensor of real floats; ``TypeError`` for what has none.

    Tensors and arrays of 32 or 64 bits keep their type, half floats get 32 bits; lists,
    single numbers and whole numbers are read as float64. ``dtype`` decides otherwise.
    """
    if not isinstance(x, torch.Tensor):
        x = torch.from_numpy(_array(x, name))
    if x.is_complex():
        raise TypeError(f"{name} must be real numbers, got {x.dtype}")
    check_dense(x, name)
    if dtype is None:
        half = x.dtype in (torch.float16, torch.bfloat16)
        dtype = torch.float32 if half else torch.float64
        dtype = x.dtype if x.dtype == torch.float32 else dtype
    return outside(x).to(dtype)


def _array(x, name: str) -> np.ndarray:
    """Lists and arrays as a plain array of numbers, whatever their strides."""
    try:
        if isinstance(x, list | tuple):  # of tensors, perhaps
            x = [_entry(v) if isinstance(v, torch.Tensor) else v for v in x]
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} has rows of several lengths") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} must be numbers, got {x!r:.60}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if np.ma.is_masked(x):
        raise TypeError(f"{name} must have no masked values: choose what they are")
    # a copy: torch knows no negative strides, and no foreign order of bytes
    return np.array(array, dtype=array.dtype.newbyteorder("="))


def _entry(x: torch.Tensor) -> np.ndarray:
    # NumPy has no bfloat16
    x = (x.float() if x.dtype == torch.bfloat16 else x).detach()
    return x.resolve_neg().numpy()


def returned(value, shape: tuple[int, ...], name: str) -> torch.Tensor:
    """What the function ``name`` has returned, if it is real numbers of this shape.

    Another shape would be broadcast: many wrong numbers, and no error.
    """
    is_tensor = isinstance(value, torch.Tensor)
    if not is_tensor or value.is_complex() or value.dtype == torch.bool:
        kind = value.dtype if is_tensor else type(value).__name__
        raise TypeError(f"{name} must return a tensor of real numbers, got {kind}")
    shape, got = tuple(shape), tuple(value.shape)
    if got != shape:
        raise ValueError(f"{name} must return the shape {shape}, got {got}")
    return value


def known(value: torch.Tensor, name: str, log: bool = True) -> torch.Tensor:
    """What the function ``name`` has returned, if it is no NaN and not infinite.

    A ``log`` may be −∞: the log of 0.
    """
    unknown = value.isnan() | (value.isposinf() if log else value.isinf())
    bad = int(unknown.sum())
    if bad:
        raise ValueError(
            f"{name} must return numbers, got {bad} of {value.numel()} that are NaN or "
            "infinite"
        )
    return value


def unit_of(x: torch.Tensor, each_column: bool = False) -> torch.Tensor:
    """A power of two near the largest |x|, of all or of ``each_column``.

    Numbers that are divided by it lose no digit, and their squares do not overflow.
    """
    size = x.detach().abs()
    size = size.amax(0) if each_column else size.amax()
    return torch.ldexp(torch.ones_like(size), size.frexp().exponent - 1)


def probabilities(x, name: str = "weights") -> torch.Tensor:
    """``(k,)`` in float64: finite, >= 0, with sum 1; else ``ValueError``."""
    weights = floats(x, name, torch.float64)
    if weights.ndim != 1 or len(weights) == 0:
        got = tuple(weights.shape)
        raise ValueError(f"{name} must have shape (k,) with k >= 1, got {got}")
    total = weights.sum().item()
    if not (bool((weights >= 0).all()) and abs(total - 1) <= 1e-6):
        raise ValueError(f"{name} must be >= 0 and sum to 1, got {x} with sum {total}")
    return weights


def covariance(x, name: str = "covariance") -> torch.Tensor:
    """``(d, d)`` in float64: symmetric and positive definite; else ``ValueError``."""
    matrix = floats(x, name, torch.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.numel() == 0:
        got = tuple(matrix.shape)
        raise ValueError(f"{name} must have shape (d, d), got {got}")
    check_finite(matrix, name)
    even = torch.allclose(matrix, matrix.T, rtol=1e-6, atol=0.0)
    if not even or torch.linalg.cholesky_ex(matrix).info.item() > 0:
        raise ValueError(
            f"{name} must be symmetric and positive definite, got {matrix.tolist()}"
        )
    return matrix


def check_data(x: torch.Tensor, data_dim: int, name: str = "x") -> torch.Tensor:
    """``x`` as it is, if it is finite floats ``(n, data_dim)``; else ``ValueError``."""
    wide = isinstance(x, torch.Tensor) and x.dtype.itemsize > 1  # not 8 bits
    if not wide or not x.is_floating_point():
        kind = f"{type(x).__name__}; use torch.as_tensor({name})"
        kind = x.dtype if isinstance(x, torch.Tensor) else kind
        raise ValueError(f"{name} must be a tensor of floats, got {kind}")
    check_dense(x, name)
    check_shape(x, data_dim, name)
    check_finite(x, name)
    return outside(x)


def outside(x: torch.Tensor) -> torch.Tensor:
    """``x``, or its copy where ``x`` was made in inference mode and is used outside.

    What was made there knows no gradients, not even those of others.
    """
    copied = x.is_inference() and not torch.is_inference_mode_enabled()
    return x.clone() if copied else x


def at_home() -> None:
    """Raise a ``TypeError`` where new tensors are not made for the processor."""
    home = torch.empty(0)
    if not home.is_cpu:
        raise TypeError(
            "this course computes on the processor, but new tensors are made on "
            f"{home.device}: torch.set_default_device('cpu')"
        )


def check_dense(x: torch.Tensor, name: str = "x") -> None:
    """Raise a ``TypeError`` for a sparse tensor and for one without numbers.

    Also for one that lies elsewhere than in the memory of the processor, and where new
    tensors would lie elsewhere.
    """
    at_home()
    # nothing here knows those
    strange = x.layout != torch.strided or x.is_nested or x.is_quantized
    if strange or not x.is_cpu:
        kind = x.dtype if x.is_quantized else x.layout
        kind = "a nested one" if x.is_nested else kind
        kind = kind if strange else f"one on {x.device}; use {name}.cpu()"
        kind = "a tensor without numbers" if x.is_meta else kind
        raise TypeError(f"{name} must be an ordinary dense tensor, got {kind}")


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
