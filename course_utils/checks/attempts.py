"""Running an answer: on copies, in three ways, with its errors and its prints kept."""

import contextlib
import dis
import io

import torch

from course_utils.checks.results import same
from course_utils.messages import say


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
    return case


def with_floats(case):
    """Single numbers as Python's own."""
    return tuple(
        v.item() if isinstance(v, torch.Tensor) and v.ndim == 0 else v for v in case
    )


def in_float32(case):
    return tuple(
        v.float() if isinstance(v, torch.Tensor) and v.is_floating_point() else v
        for v in case
    )


def copies(case) -> list:
    """Arguments of their own for the learner, who may change them in place."""
    return [v.clone() if isinstance(v, torch.Tensor) else v for v in case]


def spell(message: str, values: dict) -> str:
    """The words of a slip; those of two slips hold the words of each."""
    return say(
        message,
        **{k: spell(*v) if isinstance(v, tuple) else v for k, v in values.items()},
    )


def describe(value) -> str:
    if not isinstance(value, torch.Tensor):
        return say("a {kind}", kind=type(value).__name__)
    return (
        say("shape {shape}", shape=tuple(value.shape))
        if value.ndim
        else say("a number")
    )
