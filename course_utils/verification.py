"""``verify``: a claim of the text, executed."""

import math

import torch


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
    ``standard_error``: the allowed distance is then ``within`` standard errors. The
    printed line holds no measured number, so that it is the same on every machine.

    Raises ``AssertionError`` when the claim fails (NaN always fails), and
    ``ValueError`` when there is nothing to compare or the shapes do not match.
    """
    if relation not in ("==", ">=", "<="):
        raise ValueError(f"relation must be '==', '>=' or '<=', got {relation!r}")
    left, right = _as_float64("left", left), _as_float64("right", right)
    if left.shape != right.shape and 1 not in (left.numel(), right.numel()):
        raise ValueError(
            f"left has shape {tuple(left.shape)}, right {tuple(right.shape)}"
        )
    size = torch.where(right.isfinite(), right.abs(), 0.0)
    allowed, how = atol + rtol * size, _tolerance_text(atol, rtol)
    if standard_error is not None:
        error = _as_float64("standard_error", standard_error)
        if not bool((error > 0).all()):
            raise ValueError(f"standard_error must be positive, got {standard_error}")
        allowed = allowed + within * error
        how = f"within {within:g} standard errors"
    gap = {"==": (left - right).abs(), ">=": right - left, "<=": left - right}[relation]
    gap = torch.where(left == right, 0.0, gap)  # also for two equal infinities
    holds = gap <= allowed
    if not bool(holds.all()):
        raise AssertionError(_failure(claim, left, right, relation, how, gap, holds))
    notes = [how] if how != "exactly" or relation == "==" else []
    notes += [f"{holds.numel()} cases"] * (holds.numel() > 1)
    print(f"✓ {claim}" + f"   ({', '.join(notes)})" * bool(notes))


def _as_float64(name: str, value) -> torch.Tensor:
    if isinstance(value, int | float):  # as_tensor would round it to the default dtype
        value = torch.tensor(value, dtype=torch.float64)
    tensor = torch.as_tensor(value).detach().to("cpu", torch.float64)
    if tensor.numel() == 0:
        raise ValueError(f"{name} is empty: there is nothing to compare")
    return tensor


def _tolerance_text(atol: float, rtol: float) -> str:
    if not all(math.isfinite(tol) and tol >= 0 for tol in (atol, rtol)):
        raise ValueError(f"atol and rtol must be finite and >= 0, got {atol}, {rtol}")
    parts = [f"{atol:g}"] * (atol > 0) + [f"{rtol:g} relative"] * (rtol > 0)
    return "within " + " + ".join(parts) if parts else "exactly"


def _failure(claim, left, right, relation, how, gap, holds) -> str:
    gap, left, right, holds = torch.broadcast_tensors(gap, left, right, holds)
    worst = torch.where(holds, -math.inf, gap.nan_to_num(nan=math.inf)).argmax()
    a, b = left.flatten()[worst].item(), right.flatten()[worst].item()
    where = f", worst at element {worst.item()} of {gap.numel()}" * (gap.numel() > 1)
    return f"✗ {claim}: {a:.10g} {relation} {b:.10g} does not hold ({how}{where})"
