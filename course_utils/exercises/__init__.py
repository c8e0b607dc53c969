"""Checks of the exercises: they say what is wrong, not only that it is.

An ``Exercise`` holds a reference solution, the inputs to try it on, and the usual
mistakes, each as a function that makes this mistake. ``check(answer)`` runs the
learner's function on the same inputs. If its results are those of a known mistake, the
learner reads the hint that belongs to it. A check never raises: an error inside the
answer is shown in one line, with what to do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the hint that helps: ``wrong(*case)``."""

    hint: str
    wrong: Callable


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
            results = [answer(*_copies(case)) for case in self.cases]
        except Exception as error:  # the learner's own error: shown, never raised
            for part, hint in self.error_hints.items():
                if part in str(error):
                    return self._wrong(hint)
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            return self._wrong(
                f"it stopped with {what}. It is called with {self._call()}"
            )
        if all(result is None for result in results):
            return f"○ {self.name}: not attempted yet. First hint: {self.first_hint}"
        return self._compare(results)

    def _compare(self, results: list) -> str:
        right = [torch.as_tensor(self.reference(*case)) for case in self.cases]
        try:
            results = [_as_tensor(result) for result in results]
        except (TypeError, ValueError, RuntimeError):
            kinds = sorted({type(result).__name__ for result in results})
            what = " or ".join(kinds)
            return self._wrong(f"it returned {what}; expected is {self.expected}")
        if self._same(results, right):
            return f"✓ {self.name}: correct"
        for mistake in self.mistakes:
            known = [torch.as_tensor(mistake.wrong(*case)) for case in self.cases]
            if self._same(results, known):
                return self._wrong(mistake.hint)
        return self._wrong(self._unknown(results, right))

    def _unknown(self, results, right) -> str:
        for result, reference in zip(results, right, strict=True):
            if result.shape != reference.shape:
                return (
                    f"its result has shape {tuple(result.shape)}; "
                    f"expected is {self.expected}"
                )
            if not bool(torch.isfinite(result).all()):
                return "its result holds NaN or infinity; look for log 0 or x / 0"
        if self._same([-result for result in results], right):
            return "the sign is turned round"
        ratios = [_ratio(a, b) for a, b in zip(results, right, strict=True)]
        if None not in ratios and max(ratios) - min(ratios) < 1e-4 * abs(ratios[0]):
            return f"it is {ratios[0]:.4g} times the right value, in every case"
        return f"the numbers differ from the reference. First hint: {self.first_hint}"

    def _same(self, results, others) -> bool:
        return all(
            a.shape == b.shape and _close(a, b, self.tolerance)
            for a, b in zip(results, others, strict=True)
        )

    def _wrong(self, why: str) -> str:
        return f"✗ {self.name}: {why}."

    def _call(self) -> str:
        return ", ".join(_describe(value) for value in self.cases[0])


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
            if not isinstance(result, (tuple, list)) or len(result) != len(self.names):
                raise TypeError(f"return the tuple ({', '.join(self.names)})")
            return result[number]

        return entry


def f64(*values) -> torch.Tensor:
    """The values as one float64 tensor, for the cases of an exercise."""
    return torch.tensor(values, dtype=torch.float64)


def noise(seed: int, n: int) -> torch.Tensor:
    """``n`` standard normal numbers that are always the same, float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, generator=generator, dtype=torch.float64)


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


def _as_tensor(result) -> torch.Tensor:
    if isinstance(result, (tuple, list)):
        result = torch.stack([torch.as_tensor(part) for part in result])
    return torch.as_tensor(result).detach()


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
