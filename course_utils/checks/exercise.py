"""What an exercise is: a solution, the cases to try an answer on, mistakes, hints."""

import functools
import inspect
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from course_utils.checks.attempts import (
    Attempt,
    Result,
    as_they_are,
    copies,
    in_float32,
    is_close,
    is_stub,
    same,
    with_floats,
)
from course_utils.checks.choice import accept
from course_utils.checks.diagnosis import equal, first_fault, results, taken
from course_utils.checks.slips import Slip, slips
from course_utils.checks.words import spoken
from course_utils.messages import say, tell

ORDINAL = ("First hint: {hint}", "Second hint: {hint}", "Third hint: {hint}")


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
class Extreme:
    """A case at which an answer fails that is right elsewhere, and what to say then."""

    hint: str
    case: tuple


@dataclass(frozen=True)
class Trait:
    """What wrong answers of one kind share, whatever their numbers.

    ``shown(result, *case)`` says whether a result (a tuple of tensors) shows it: for
    a step of any length, or a slope that is not the best one.
    """

    hint: str
    shown: Callable


@dataclass(frozen=True)
class Exercise:
    """One exercise: ``check(answer)`` prints ``✓``, ``✗`` with a hint, or ``○``.

    ``solution`` is a plain function with the arguments of the stub; ``also`` are other
    right ways to write it. Wrong answers are made from all of them, and ``mistakes``
    are those written by hand, with ``traits`` for those with a free number.
    ``draw(seed)`` is a random case, of the same shapes for every seed; ``extremes`` are
    added. Where a tuple is asked, ``entries`` names its entries. ``expected`` says in
    words what a good answer returns. ``hints`` go from what to think of to the line. A
    gradient must flow back to the arguments named in ``gradient``, and a tensor has the
    dtype of the argument named in ``dtype_of``, where the prompt says so.
    ``error_hints`` maps a part of an error message to a hint.
    Results are compared within ``tolerance``, relative to the largest entry.
    """

    name: str
    solution: Callable
    draw: Callable[[int], tuple]
    expected: str
    hints: tuple[str, str, str]
    entries: tuple[str, ...] = ()
    extremes: tuple[Extreme, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    traits: tuple[Trait, ...] = ()
    also: tuple[Callable, ...] = ()
    gradient: tuple[str, ...] = ()
    dtype_of: str = ""
    tolerance: float = 1e-5
    error_hints: dict[str, str] = field(default_factory=dict)

    def check(self, answer: Callable, hint: bool = False) -> None:
        """Run ``answer`` on every case and print the verdict, with ``hint`` a hint."""
        tell(self.verdict(answer, hint))

    def verdict(self, answer: Callable, hint: bool = False) -> str:
        """The line that ``check`` prints, after what the answer itself has printed."""
        if not callable(answer):
            ask = say("give the function itself, without calling it; {got!r} is none")
            return self._line("✗", ask.format(got=answer))
        if is_stub(answer):
            ask = say("not attempted yet. For a hint, add hint=True to this call")
            return self._line("○", self.next_hint() if hint else ask)
        read = _given[self.solution]
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            wrong, printed = self._judge(answer)
        if wrong and hint and _given[self.solution] == read:  # else it has one already
            wrong += (" " if wrong.endswith("?") else ". ") + self.next_hint()
        accept(self.solution, None if wrong else answer)
        line = self._line("✗", wrong) if wrong else self._line("✓", say("correct"))
        return printed + line

    def next_hint(self) -> str:
        """The next of the hints, in the order of the calls; the last one stays."""
        n = min(_given[self.solution], len(self.hints) - 1)
        _given[self.solution] += 1
        return say(ORDINAL[n], hint=say(self.hints[n]))

    @functools.cached_property
    def cases(self) -> tuple[tuple, ...]:
        """Two random cases, then the extremes."""
        return (self.draw(0), self.draw(1), *(e.case for e in self.extremes))

    @functools.cached_property
    def rights(self) -> list[Result]:
        """What the solution gives for each case."""
        return [self.right(case) for case in self.cases]

    @functools.cached_property
    def known(self) -> list[tuple[str, list[Result]]]:
        """The hints of the mistakes written by hand, and what those give."""
        made = ((m.hint, results(self, m.wrong, self.rights)) for m in self.mistakes)
        return [(hint, found) for hint, found in made if found]

    @functools.cached_property
    def slips(self) -> list[tuple[Slip, list[Result]]]:
        """The mistakes with one slip in a solution, and what those give."""
        made = (slip for form in (self.solution, *self.also) for slip in slips(form))
        usual = len(self.cases) - len(self.extremes)
        right = self.rights[:usual]
        made = ((slip, results(self, slip.wrong, right, usual)) for slip in made)
        return [
            (slip, found)
            for slip, found in made
            if found and not equal(self, found, right)
        ]

    @property
    def names(self) -> list[str]:
        """The names of the arguments."""
        return list(inspect.signature(self.solution).parameters)

    def right(self, case: tuple) -> Result:
        """What the solution gives for a case."""
        return self.with_entries(self.solution(*copies(case)))

    def with_entries(self, made) -> Result:
        """The value of a well-formed answer as a result."""
        made = made if self.entries else (made,)
        return tuple(torch.as_tensor(part).detach().double() for part in made)

    def _judge(self, answer) -> tuple[str, str]:
        """What is wrong, "" if nothing is, and what the answer has printed."""
        right, tries = self.rights, []
        # numbers as tensors or as floats, in 64 or in 32 bits: each way counts as right
        for way in (as_they_are, with_floats, in_float32):
            attempt = Attempt(answer, [way(case) for case in self.cases])
            found = taken(self, attempt, right)
            loose = 1e-4 if way is in_float32 else self.tolerance
            loose = max(loose, self.tolerance)
            if isinstance(found, list) and equal(self, found, right, None, loose):
                return self._besides(answer, attempt), attempt.printed
            tries.append((attempt, found))
            if not attempt.errors and not is_close(found, right):
                break
        # where all of them stop, an error of types tells least
        attempt, found = min(
            tries, key=lambda one: (one[0].errors, "dtype" in str(one[0].error))
        )
        return first_fault(self, answer, attempt, found, right), attempt.printed

    def _besides(self, answer, attempt) -> str:
        """What is wrong although the numbers are right."""
        if attempt.changed:
            return say(
                "the numbers are right, but you changed {x} in place, and the caller "
                "still needs it: make a new tensor (clone())",
                x=", ".join(self.names[i] for i in attempt.changed),
            )
        for name in self.gradient:
            if not self._flows(answer, self.names.index(name)):
                return say(
                    "the numbers are right, but no gradient flows back to {x}, or not "
                    "the right one: detach(), item(), no_grad() and NumPy cut it",
                    x=spoken(name),
                )
        return self._other_dtype(answer) if self.dtype_of else ""

    def _other_dtype(self, answer) -> str:
        """A tensor in 32 bits for an argument in 64, or the other way round."""
        for way in (as_they_are, in_float32):
            case = way(self.draw(0))
            wanted = case[self.names.index(self.dtype_of)].dtype
            made = next(iter(Attempt(answer, [case]).values), None)
            if isinstance(made, torch.Tensor) and made.dtype != wanted:
                return say(
                    "the numbers are right, but in {got}; return them in the dtype of "
                    "{x}, here {wanted}: dtype={x}.dtype",
                    got=str(made.dtype).removeprefix("torch."),
                    x=self.dtype_of,
                    wanted=str(wanted).removeprefix("torch."),
                )
        return ""

    def _flows(self, answer, i) -> bool:
        slopes = []
        for function in (self.solution, answer):
            case = copies(self.draw(0))
            case[i].requires_grad_()
            try:
                made = function(*case)
                parts = made if isinstance(made, (tuple, list)) else (made,)
                total = sum((part * part).sum() for part in parts)
                slopes.append(torch.autograd.grad(total, case[i])[0])
            except (RuntimeError, TypeError, AttributeError):
                return False
        return same(*slopes[::-1], self.tolerance)

    def _line(self, mark: str, what: str) -> str:
        end = "" if what.endswith(("?", ".")) else "."
        return f"{mark} {self.name}: {what}{end}"


def exercise_of(check: Callable) -> Exercise | None:
    """The exercise behind a ``check_…``; ``None`` if it is none."""
    exercise = getattr(check, "exercise", getattr(check, "__self__", None))
    return exercise if isinstance(exercise, Exercise) else None


_given: Counter[Callable] = Counter()  # how many hints of an exercise have been read


def f64(*values) -> torch.Tensor:
    """The values as one float64 tensor, for the cases of an exercise."""
    return torch.tensor(values, dtype=torch.float64)


def noise(seed: int, *shape: int) -> torch.Tensor:
    """Standard normal numbers of this shape that are always the same, float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)
