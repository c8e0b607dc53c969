"""Running an answer, and what it has returned as a result that can be compared.

It runs on copies, in three ways, and its errors and its prints are kept.

A result is a tuple of float64 tensors, one for each entry that an exercise asks for.
``read`` makes it from whatever came back: Python numbers, lists, arrays.
"""

import contextlib
import copy
import dis
import io
import itertools
from collections.abc import Iterator, KeysView, ValuesView

import numpy as np
import torch

from course_utils.messages import say

Result = tuple[torch.Tensor, ...]


class Unfit(Exception):
    """What came back cannot be compared; the text says why."""


def read(value, right: Result, names: tuple[str, ...], expected: str) -> Result:
    """``value`` as a result with the entries of ``right``; else ``Unfit``."""
    if isinstance(value, (KeysView, ValuesView, Iterator)):
        value = list(value)
    if not names:
        return (_one(value, right[0], expected),)
    listed = ", ".join(names)
    if not isinstance(value, (tuple, list, torch.Tensor, np.ndarray)) or (
        hasattr(value, "ndim") and value.ndim == 0
    ):
        kind = type(value).__name__
        raise Unfit(
            say(
                "it returned one {kind}; expected are {n} values, as a tuple: {names} "
                "({expected})",
                kind=_kinds().get(kind, kind),
                expected=say(expected),
                n=len(names),
                names=listed,
            )
        )
    if len(value) != len(names):
        raise Unfit(
            say(
                "it returned {got} values; expected are {n}, as a tuple: {names} "
                "({expected})",
                got=len(value),
                expected=say(expected),
                n=len(names),
                names=listed,
            )
        )
    entries = []
    for name, entry, like in zip(names, value, right, strict=True):
        if entry is None:
            raise Unfit(say("{name} is None: this entry is missing", name=name))
        try:
            entries.append(_one(entry, like, expected))
        except Unfit:
            kind = type(entry).__name__
            raise Unfit(
                say(
                    "{name} is no number but a {kind}; expected is {expected}",
                    name=name,
                    kind=kind,
                    expected=say(expected),
                )
            ) from None
    return tuple(entries)


def _kinds() -> dict[str, str]:
    return {"Tensor": say("number"), "float": say("number"), "int": say("number")}


def _one(value, right: torch.Tensor, expected: str) -> torch.Tensor:
    """One entry as a float64 tensor; shapes of one number are all alike."""
    try:
        found = tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise Unfit(_no_numbers(value, right, expected)) from None
    if isinstance(value, tuple) and found.numel() == 1 and right.ndim == 0:
        raise Unfit(
            say(
                "it returned a tuple with one value in place of the value itself: take "
                "its first entry, [0] (torch.autograd.grad gives a tuple), or leave "
                "the comma out"
            )
        )
    if found.numel() == right.numel() == 1:
        return found.reshape(right.shape)
    wrapped = isinstance(value, tuple) or found.ndim != right.ndim
    if wrapped and isinstance(value, (tuple, list)) and found.shape != right.shape:
        raise Unfit(_no_numbers(value, right, expected))
    return found


def tensor(value) -> torch.Tensor:
    """Numbers in any wrapping as one float64 tensor, without their gradient."""
    if isinstance(value, (tuple, list)):
        value = torch.stack([tensor(part) for part in value])
    found = torch.as_tensor(value).detach()
    if found.is_complex():
        raise TypeError("complex numbers")
    return found.double()


def _no_numbers(value, right: torch.Tensor, expected: str) -> str:
    kind = type(value).__name__
    if isinstance(value, (tuple, list)):
        parts = [part for part in value if isinstance(part, (torch.Tensor, float))]
        fit = [n for n, part in enumerate(parts) if same(tensor(part), right)]
        text = say(
            "it returned a {kind} of {n} values; return one: {expected}",
            kind=kind,
            n=len(value),
            expected=say(expected),
        )
        if fit:
            text += say(" (number {n} of yours is right)", n=fit[0] + 1)
        return text
    if isinstance(value, torch.distributions.Distribution):
        return say(
            "it returned a distribution ({kind}), no numbers; expected is {expected}",
            kind=kind,
            expected=say(expected),
        )
    return say(
        "it returned a {kind}; expected is {expected}",
        kind=kind,
        expected=say(expected),
    )


def same(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-6) -> bool:
    """Equal up to rounding, relative to the largest entry; NaN equals NaN."""
    if a.shape != b.shape:
        return False
    sizes = b[b.isfinite()].abs()
    atol = tolerance * max(sizes.max().item() if len(sizes) else 0.0, 1e-12)
    return torch.allclose(a, b, rtol=0, atol=atol, equal_nan=True)


def exchanged(came: list[Result], right: list[Result], names) -> str:
    """Two entries of a tuple in the wrong order."""
    for order in itertools.permutations(range(len(names))):
        if order == tuple(range(len(names))):
            continue
        turned = [tuple(result[i] for i in order) for result in right]
        if all(
            same(x, y)
            for a, b in zip(came, turned, strict=True)
            for x, y in zip(a, b, strict=True)
        ):
            i = next(i for i, j in enumerate(order) if i != j)
            return say(
                "{first} and {second} have changed places (order): return {names}",
                first=names[i],
                second=names[order[i]],
                names=f"({', '.join(names)})",
            )
    return ""


def strange(came: torch.Tensor, right: torch.Tensor) -> str:
    """What is wrong with NaN or infinity in a result, if there is something."""
    finite = right.isfinite()
    if bool(came[finite].isnan().any()):
        return say(
            "its result holds NaN, from the log, root or power of a negative number, "
            "from 0 / 0, 0 · log 0 or ∞ − ∞; or the arguments stand in another order"
        )
    if not bool(came[finite].isfinite().all()):
        return say("its result is infinite: look for log 0 or a division by 0")
    if bool(came[~finite].isnan().any()):
        return say(
            "it is NaN where the right value is infinite; look for 0 · ∞ or ∞ − ∞"
        )
    if bool(came[~finite].isfinite().any()):
        return say("it is finite where the right value is infinite")
    return ""


# --- running


class Attempt:
    """A function run on every case: its values, or the error at which it stopped."""

    def __init__(self, function, cases):
        self.cases = cases
        self.values, self.changed, self.error, self.printed = [], [], None, ""
        for case in cases:
            mine, out = copies(case), io.StringIO()
            try:
                with contextlib.redirect_stdout(out):
                    self.values.append(function(*mine))
            except Exception as error:  # the learner's own: shown, never raised
                self.error, self.case = error, case
                break
            self.printed = self.printed or out.getvalue()
            for i, (old, new) in enumerate(zip(case, mine, strict=True)):
                if isinstance(old, torch.Tensor) and not _untouched(old, new):
                    self.changed += [i] * (i not in self.changed)
        self.errors = len(cases) - len(self.values)


def _untouched(old, new) -> bool:
    return old.shape == new.shape and torch.equal(old.nan_to_num(), new.nan_to_num())


def is_close(found, right) -> bool:
    """Wrong by no more than rounding in 32 bits?"""
    return isinstance(found, list) and all(
        same(a, b, 1e-3)
        for mine, theirs in zip(found, right, strict=False)
        for a, b in zip(mine, theirs, strict=True)
    )


def is_stub(answer) -> bool:
    """Nothing but ``return None`` (or ``pass``)?"""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    plain = {
        "RESUME",
        "LOAD_CONST",
        "RETURN_VALUE",
        "RETURN_CONST",
        "NOP",
        "COPY_FREE_VARS",
    }
    steps = list(dis.get_instructions(code))
    values = [s.argval for s in steps if s.opname in ("LOAD_CONST", "RETURN_CONST")]
    return {s.opname for s in steps} <= plain and values == [None]


def as_they_are(case):
    """Tensors in 64 bits, as the cases have them."""
    return case


def with_floats(case):
    """Single numbers as Python's own."""
    return tuple(
        v.item() if isinstance(v, torch.Tensor) and v.ndim == 0 else v for v in case
    )


def in_float32(case):
    """Everything in 32 bits."""
    return tuple(
        v.float() if isinstance(v, torch.Tensor) and v.is_floating_point() else v
        for v in case
    )


def copies(case) -> list:
    """Arguments of their own for the learner, who may change them in place.

    Networks and optimizers are copied together: the copy of an optimizer then moves the
    copy of its network.
    """
    moving = (torch.nn.Module, torch.optim.Optimizer)
    twins = iter(copy.deepcopy([v for v in case if isinstance(v, moving)]))
    return [
        v.clone()
        if isinstance(v, torch.Tensor)
        else next(twins)
        if isinstance(v, moving)
        else v
        for v in case
    ]
