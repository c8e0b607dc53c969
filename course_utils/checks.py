"""Checks of the exercises: they say what is wrong, not only that it is.

An ``Exercise`` holds a reference solution, the inputs to try it on, and the usual
mistakes, each as a function that makes this mistake. ``check(answer)`` runs the
learner's function on the same inputs. If its results are those of a known mistake, the
learner reads the hint that belongs to it. A check never raises: an error inside the
answer is shown in one line, with what to do.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

ADVICE = {  # a part of an error message: what usually helps, in every exercise
    "must match the size": "Two shapes do not fit: a wrong dim, or no [:, None]",
    "arget size (": "Labels have the shape of the logits: torch.ones_like(logits)",
    "must be Tensor, not": "For a plain number use math.log, math.exp, …",
    "element tensors can be converted": "For a tensor use torch.log, torch.exp, …",
    "Found dtype": "Make new tensors in the dtype of the old: torch.ones_like",
    "be cast to the desired": "Labels must be floats: torch.ones_like(logits)",
    "only for scalar outputs": "backward() needs one number: take the mean first",
    "no attribute 'backward'": "A float has no gradient: item() comes after backward()",
    "in an in-place operation": "Write x = x + …, not x += …",
}


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the hint that helps: ``wrong(*case)``."""

    hint: str
    wrong: Callable


def known_mistakes(*entries: str | Callable) -> tuple[Mistake, ...]:
    """A list of mistakes: each hint, followed by the wrong answers that get it."""
    found, hint = [], ""
    for entry in entries:
        if isinstance(entry, str):
            hint = entry
        else:
            found.append(Mistake(hint, entry))
    return tuple(found)


@dataclass(frozen=True)
class Exercise:
    """One exercise: ``check(answer)`` prints ``✓``, ``✗`` with a hint, or ``○``.

    ``cases`` are tuples of arguments, chosen so that no mistake gives the right result
    by accident. ``expected`` says in words what a good answer returns. Results are
    compared within ``tolerance``, relative to the largest entry of the reference.
    ``error_hints`` maps a part of an error message to a hint that says more.
    """

    name: str
    reference: Callable
    cases: tuple[tuple, ...]
    expected: str
    first_hint: str
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 1e-6
    error_hints: dict[str, str] = field(default_factory=dict)

    def check(self, answer: Callable) -> None:
        """Run ``answer`` on every case and print the verdict."""
        print(self.verdict(answer))

    def verdict(self, answer: Callable) -> str:
        """The line that ``check`` prints."""
        if not callable(answer):
            return self._wrong(f"it should be a function, but it is {answer!r}")
        try:
            # copies: an answer may change its arguments, and the next case needs them
            results = [answer(*_copies(case)) for case in self._runs]
        except Exception as error:  # the learner's own error: shown, never raised
            for part, hint in self.error_hints.items():
                if part in str(error):
                    return self._wrong(hint)
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            called = f"It is called with {self._call()}"
            advice = [text for part, text in ADVICE.items() if part in str(error)]
            return self._wrong(". ".join([f"it stopped with {what}", *advice, called]))
        if all(result is None for result in results):
            return f"○ {self.name}: not attempted yet. First hint: {self.first_hint}"
        return self._compare(results)

    @property
    def _runs(self) -> tuple[tuple, ...]:
        """The cases, and the first once more: is the result always the same?"""
        return *self.cases, self.cases[0]

    def _compare(self, results: list) -> str:
        right = [torch.as_tensor(self.reference(*case)) for case in self._runs]
        try:
            results = [_as_tensor(*both) for both in zip(results, right, strict=True)]
        except (TypeError, ValueError, RuntimeError):
            kinds = sorted({type(result).__name__ for result in results})
            what = " or ".join(kinds)
            return self._wrong(f"it returned {what}; expected is {self.expected}")
        if self._same(results, right):
            return f"✓ {self.name}: correct"
        # a known mistake, or one with a wrong sign on top
        turned = [-result for result in results]
        for given, and_more in ((results, ""), (turned, "; the sign is wrong, too")):
            for mistake in self.mistakes:
                known = [torch.as_tensor(mistake.wrong(*case)) for case in self._runs]
                if self._same(given, known):
                    return self._wrong(mistake.hint + and_more)
        return self._wrong(self._unknown(results, right))

    def _unknown(self, results, right) -> str:
        for result, reference in zip(results, right, strict=True):
            if result.shape != reference.shape:
                return self._shape(result, reference)
            if strange := _strange(result, reference):
                return strange
        if self._same([-result for result in results], right):
            return "the sign is turned round"
        # one factor in all cases: 2 for a lost ½, n for a sum instead of a mean
        ratios = [_ratio(a, b) for a, b in zip(results, right, strict=True)]
        if None not in ratios and max(ratios) - min(ratios) < 1e-4 * abs(ratios[0]):
            if math.isclose(ratios[0], 1 / math.log(2), rel_tol=1e-6):
                return "this is in bits: use the natural logarithm"
            return f"it is {ratios[0]:.4g} times the right value, in every case"
        if not self._same(results[:1], results[-1:]):  # the first case, run twice
            return "its result changes from call to call: draw no random numbers"
        return f"the numbers differ from the reference. First hint: {self.first_hint}"

    def _shape(self, result, reference) -> str:
        come = f"shape {tuple(result.shape)}"
        alike = [result.reshape(-1)], [reference.reshape(-1)]
        if self._same(*alike):
            return f"the numbers are right, but in {come}; expected is {self.expected}"
        return f"its result has {come}; expected is {self.expected}"

    def _same(self, results, others) -> bool:
        return all(
            a.shape == b.shape and _close(a, b, self.tolerance)
            for a, b in zip(results, others, strict=True)
        )

    def _wrong(self, why: str) -> str:
        return f"✗ {self.name}: {why}."

    def _call(self) -> str:
        return ", ".join(map(_describe, self.cases[0])) or "no arguments"


@dataclass(frozen=True)
class Parts:
    """Exercises on entries of one tuple: the verdict is on the first that is wrong.

    ``names`` are those of the entries; each exercise comes with the number of its own.
    """

    name: str
    names: tuple[str, ...]
    exercises: tuple[tuple[int, Exercise], ...]

    def check(self, answer: Callable) -> None:
        """Run ``answer`` and print the verdict."""
        print(self.verdict(answer))

    def verdict(self, answer: Callable) -> str:
        """The line that ``check`` prints."""
        for number, exercise in self.exercises:
            part = self._entry(answer, number) if callable(answer) else answer
            line = exercise.verdict(part)
            if not line.startswith("✓"):
                return line
        return f"✓ {self.name}: correct"

    def _entry(self, answer, number):
        def entry(*case):
            result = answer(*case)
            if result is None:
                return None
            kinds = (tuple, list, torch.Tensor)
            if not isinstance(result, kinds) or len(result) != len(self.names):
                raise TypeError(f"return the tuple ({', '.join(self.names)})")
            return result[number]

        return entry


def f64(*values) -> torch.Tensor:
    """The values as one float64 tensor, for the cases of an exercise."""
    return torch.tensor(values, dtype=torch.float64)


def noise(seed: int, *shape: int) -> torch.Tensor:
    """Standard normal numbers of this shape that are always the same, float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def pair(a, b) -> torch.Tensor:
    """Two numbers as a result ``(2,)``; gradients pass through."""
    return torch.stack([torch.as_tensor(a), torch.as_tensor(b)])


def _describe(value) -> str:
    if not isinstance(value, torch.Tensor):
        return f"a {type(value).__name__}"
    return f"a tensor of shape {tuple(value.shape)}" if value.ndim else "a number"


def _copies(case):
    """Arguments of their own for the learner, who may change them in place."""
    return [v.clone() if isinstance(v, torch.Tensor) else v for v in case]


def _as_tensor(result, like: torch.Tensor | None = None) -> torch.Tensor:
    """The result as one tensor; where ``like`` is one number, in its shape."""
    if isinstance(result, (tuple, list)):
        result = torch.stack([torch.as_tensor(part) for part in result])
    result = torch.as_tensor(result).detach().double()  # float32 answers count, too
    if like is not None and like.numel() == result.numel() == 1:
        return result.reshape(like.shape)
    return result


def _strange(result: torch.Tensor, reference: torch.Tensor) -> str:
    """What is wrong with NaN or infinity in a result, if there is something."""
    finite = reference.isfinite()
    if not bool(result[finite].isfinite().all()):
        return "its result holds NaN or infinity; look for log 0 or x / 0"
    if bool(result[~finite].isnan().any()):
        return "it is NaN where the right value is infinite; look for 0 · ∞ or ∞ − ∞"
    if bool(result[~finite].isfinite().any()):
        return "it is finite where the right value is infinite"
    return ""


def _close(a: torch.Tensor, b: torch.Tensor, tolerance: float) -> bool:
    """Equal up to rounding; NaN equals NaN, so that mistakes may hold it, too."""
    a, b = a.double(), b.double()
    sizes = b[b.isfinite()].abs()
    atol = tolerance * max(sizes.max().item() if len(sizes) else 0.0, 1e-12)
    return torch.allclose(a, b, rtol=0, atol=atol, equal_nan=True)


def _ratio(a: torch.Tensor, b: torch.Tensor) -> float | None:
    """The number c with a = c · b, if there is one."""
    a, b = a.double().flatten(), b.double().flatten()
    if not bool((b != 0).all()):
        return None
    ratio = a / b
    spread = (ratio.max() - ratio.min()).item()
    return ratio[0].item() if spread <= 1e-6 * abs(ratio[0].item()) else None
