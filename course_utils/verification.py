"""``verify``: a claim of the text, executed."""

import math
from fractions import Fraction
from numbers import Integral, Real

import numpy as np
import torch

from course_utils.arguments import check_dense
from course_utils.messages import tell

NOTHING_FAILS = 1e6  # a tolerance so many times the numbers (at least 1) guards nothing


def verify(
    claim: str,
    left,
    right,
    atol: float = 0.0,
    rtol: float = 0.0,
    relation: str = "==",
    standard_error=None,
    within: float = 4.0,
) -> None:
    """Print one line if ``left relation right`` holds, else raise with both numbers.

    ``left`` and ``right`` are numbers or arrays of one shape (a single number may face
    an array). ``relation`` is ``"=="``, ``">="`` or ``"<="``; every element must
    satisfy it, up to ``atol + rtol · |right|``. For a Monte-Carlo estimate give its
    ``standard_error``, one number or one for each element: ``within`` of them are
    allowed as well. The line names every tolerance and holds no measured number, so
    that it is the same on every machine. Numbers are compared in float64, and as
    fractions where its rounding would decide.

    Raises ``AssertionError`` when the claim fails (NaN always fails), ``ValueError``
    when there is nothing to compare, when the shapes do not match or when a tolerance
    lets everything pass, and ``TypeError`` for what is no real number.
    """
    if relation not in ("==", ">=", "<="):
        raise ValueError(f"relation must be '==', '>=' or '<=', got {relation!r}")
    left, right = _as_float64("left", left), _as_float64("right", right)
    if left.shape != right.shape and 1 not in (left.numel(), right.numel()):
        raise ValueError(
            f"left has shape {tuple(left.shape)}, right {tuple(right.shape)}"
        )
    _check_tolerances(atol, rtol, within)
    atol, rtol, within = float(atol), float(rtol), float(within)  # not those of NumPy
    left, right = torch.broadcast_tensors(left, right)
    size = torch.where(right.isfinite(), right.abs(), 0.0)
    terms, parts = [(atol, 1.0), (rtol, size)], _tolerance_parts(atol, rtol)
    if standard_error is not None:
        terms.append((within, _standard_error(standard_error, left.shape)))
        parts.insert(0, f"{within:g} standard errors")
    allowed = sum(factor * term for factor, term in terms) + torch.zeros_like(size)
    _can_fail(allowed, left, right)
    gap = {"==": (left - right).abs(), ">=": right - left, "<=": left - right}[relation]
    gap = torch.where(left == right, 0.0, gap)  # also for two equal infinities
    holds = _holds(gap, allowed, left, right, relation, terms)
    how = "within " + " + ".join(parts) if parts else "exactly"
    if not bool(holds.all()):
        raise AssertionError(_failure(claim, left, right, relation, how, gap, holds))
    notes = [how] if how != "exactly" or relation == "==" else []
    notes += [f"{holds.numel()} cases"] * (holds.numel() > 1)
    tell(f"✓ {claim}" + f"   ({', '.join(notes)})" * bool(notes))


def _as_float64(name: str, value) -> torch.Tensor:
    """The same numbers in float64; what it cannot hold exactly is refused."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if not value.is_meta:
            value = value.cpu().resolve_neg()
        check_dense(value, name)
        value = (value.double() if value.is_floating_point() else value).numpy()
    arrays = (torch.Tensor, np.ndarray)
    if isinstance(value, list | tuple) and any(isinstance(v, arrays) for v in value):
        rows = [_as_float64(name, row) for row in value]
        if len({row.shape for row in rows}) > 1:
            raise ValueError(f"{name} has rows of several shapes")
        return torch.stack(rows)
    try:  # not as_tensor, which rounds lists to the default dtype
        given = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} has rows of several lengths") from None
    if np.ma.is_masked(value):
        raise TypeError(f"{name} must have no masked values: choose what they are")
    objects = given.dtype.kind == "O"
    real = all(isinstance(v, Real) for v in given.flat) if objects else True
    if given.dtype.kind not in "biufO" or not real:
        raise TypeError(f"{name} must be real numbers, got {value!r:.60}")
    if given.size == 0:
        raise ValueError(f"{name} is empty: there is nothing to compare")
    try:
        numbers = given.astype(np.float64)
    except OverflowError:  # a whole number of Python, beyond all floats
        raise ValueError(f"{name} must be below 1.8e308, got {value!r:.60}") from None
    if given.dtype.kind in "iuO" or given.dtype.itemsize > 8:
        for number, exact in zip(numbers.flat, given.flat, strict=True):
            exact = int(exact) if isinstance(exact, np.integer) else exact
            if float(number) != exact and number == number:
                raise ValueError(
                    f"{name} holds {exact}, which float64 cannot hold exactly (whole "
                    "numbers end at 2**53): compare the difference with 0"
                )
    return torch.from_numpy(numbers)


def _check_tolerances(atol, rtol, within) -> None:
    """Finite numbers that leave something to fail."""
    for name, value in (("atol", atol), ("rtol", rtol), ("within", within)):
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, got {value!r:.60}")
        if isinstance(value, Integral) and abs(value) > 1e308:
            raise ValueError(f"{name} must be below 1e308, got {value!r:.60}")
    if not all(math.isfinite(tol) and tol >= 0 for tol in (atol, rtol)):
        raise ValueError(f"atol and rtol must be finite and >= 0, got {atol}, {rtol}")
    if rtol > 1:
        raise ValueError(f"rtol must be at most 1, got {rtol}: it is a share of right")
    if not (math.isfinite(within) and within > 0):
        raise ValueError(f"within must be finite and > 0, got {within}")


def _standard_error(value, shape) -> torch.Tensor:
    """One number, or one for each element."""
    error = _as_float64("standard_error", value)
    if not bool((error.isfinite() & (error > 0)).all()):
        raise ValueError(f"standard_error must be finite and positive, got {value}")
    if error.numel() > 1 and error.shape != shape:
        raise ValueError(
            f"standard_error has shape {tuple(error.shape)}, the numbers {tuple(shape)}"
        )
    return error.reshape(shape) if error.numel() == math.prod(shape) else error


def _can_fail(allowed, left, right) -> None:
    """Refuse a tolerance far beyond the numbers that it should tell apart."""
    numbers = torch.cat([left.flatten(), right.flatten()])
    size = numbers[numbers.isfinite()].abs().max() if numbers.isfinite().any() else 0
    most = allowed.max().item()
    if most > NOTHING_FAILS * max(1.0, float(size)):
        raise ValueError(
            f"a tolerance of {most:g} beside numbers up to {float(size):g}: no claim "
            "could fail"
        )


def _tolerance_parts(atol: float, rtol: float) -> list[str]:
    return [f"{atol:g}"] * (atol > 0) + [f"{rtol:g} relative"] * (rtol > 0)


def _holds(gap, allowed, left, right, relation, terms) -> torch.Tensor:
    """Is the gap allowed? Where rounding could decide it, fractions do."""
    holds = gap <= allowed
    scale = left.abs() / 2 + right.abs() / 2 + allowed / 2  # (the sum may overflow)
    close = (gap - allowed).abs() <= 2e-15 * scale + 1e-320  # (nearly 0 underflows)
    close &= (scale > 0) & scale.isfinite() & (left != right)
    if not bool(close.any()):
        return holds
    holds = holds.clone()
    terms = [[torch.as_tensor(t, dtype=left.dtype).expand(left.shape) for t in term]
             for term in terms]  # fmt: skip
    for where in close.nonzero():
        index = tuple(where.tolist())
        a, b = Fraction(left[index].item()), Fraction(right[index].item())
        exact = {"==": abs(a - b), ">=": b - a, "<=": a - b}[relation]
        limit = sum(
            Fraction(one[index].item()) * Fraction(two[index].item())
            for one, two in terms
        )
        holds[index] = exact <= limit
    return holds


def _failure(claim, left, right, relation, how, gap, holds) -> str:
    worst = torch.where(holds, -math.inf, gap.nan_to_num(nan=math.inf)).argmax()
    a, b = left.flatten()[worst].item(), right.flatten()[worst].item()
    where = f", worst at element {worst.item()} of {gap.numel()}" * (gap.numel() > 1)
    return f"✗ {claim}: {a:.10g} {relation} {b:.10g} does not hold ({how}{where})"
