"""An accepted answer is what runs next: ``elbo = chosen(my_elbo, exercises.elbo)``.

``chosen`` gives the learner's function if its check has accepted it, else the solution,
and says whose it is. Acceptance belongs to the function object: after an edit the
exercise is open again until its check runs. The first real call runs both, on copies
and with the same random numbers; where the learner's fails, differs or is over five
times slower, the solution goes on and a sentence says why. ``restarting`` does the same
for a whole training.
"""

import time
from collections.abc import Callable

import torch

from course_utils.checks.attempts import copies, same, tensor
from course_utils.messages import say, tell

SLOWER = 5  # times: then the solution goes on
QUICK = 0.02  # seconds of this thread, whatever else the machine does: never too slow

_accepted: dict[Callable, Callable] = {}  # solution -> the answer that was accepted


class Broken(Exception):
    """The learner's function has failed inside a training that ``restarting`` runs."""


def accept(solution: Callable, answer: Callable | None) -> None:
    """Remember the answer that a check has accepted; ``None`` takes it back."""
    if answer is None:
        _accepted.pop(solution, None)
    else:
        _accepted[solution] = answer


def accepted(solution: Callable) -> Callable | None:
    """The answer that stands for this solution, if a check has accepted one."""
    return _accepted.get(solution)


def solution_of(answer: Callable) -> Callable | None:
    """The solution that stands beside an accepted answer; ``None`` if it is none."""
    return next((ours for ours, mine in _accepted.items() if mine is answer), None)


def name_of(solution: Callable) -> str:
    """The name of an exercise: its room and its solution, such as ``vae.elbo``."""
    room = solution.__module__.removeprefix("course_utils.").partition(".")[0]
    return f"{room}.{solution.__name__}"


class Chosen:
    """A function that is the learner's as long as it does what the solution does."""

    def __init__(self, mine: Callable | None, ours: Callable):
        self.mine, self.ours = mine, ours
        self.calls, self.training = 0, False
        self.like = None  # what ours gave at the first call

    @property
    def theirs(self) -> bool:
        """Does the learner's function run?"""
        return self.mine is not None

    def __call__(self, *arguments, **options):
        if self.mine is None:
            return self.ours(*arguments, **options)
        self.calls += 1
        if self.calls == 1 and (why := self._first(arguments, options)):
            return self._instead(why, arguments, options)
        try:
            made = _in_the_form_of(self.like, self.mine(*arguments, **options))
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            why = say("it stopped with {what}", what=what)
            return self._instead(why, arguments, options)
        if why := self._unsound(made, arguments, options):
            return self._instead(why, arguments, options)
        return made

    def _instead(self, why, arguments, options):
        tell(
            say(
                "{name}: at call {n} of your function {why}. Ours goes on.",
                name=self.ours.__name__,
                n=self.calls,
                why=why,
            )
        )
        self.mine = None
        if self.training:
            raise Broken(self.ours.__name__)
        return self.ours(*arguments, **options)

    def _first(self, arguments, options) -> str:
        """Both functions on copies of the first real arguments; "" if all is well."""
        state, spent, made = torch.get_rng_state(), [], []
        for function in (self.ours, self.mine):
            torch.set_rng_state(state)
            mine = copies(arguments)
            begin = time.thread_time()
            try:
                made.append(function(*mine, **options))
            except Exception as error:
                torch.set_rng_state(state)
                if function is self.ours:
                    return ""  # these arguments are nobody's fault here
                what = f"{type(error).__name__}: {error}".splitlines()[0]
                return say("it stopped with {what}", what=what)
            spent.append(time.thread_time() - begin)
        self.like = made[0]
        torch.set_rng_state(state)
        ours, mine = spent
        if mine > SLOWER * ours and mine > QUICK:
            return say("it takes {times:.0f} times as long as ours", times=mine / ours)
        if not _alike(*made):
            return say("it gives other numbers than ours")
        return ""

    def _unsound(self, made, arguments, options) -> str:
        """No number, or no gradient, where ours has one; "" if all is well."""
        if not _tensors(made):
            return ""
        if not all(_finite(part) for part in _tensors(made)):
            if not all(_finite(part) for part in _tensors(arguments)):
                return ""  # the weights had diverged before: not the learner's fault
            ours = self.ours(*copies(arguments), **options)
            if all(_finite(part) for part in _tensors(ours)):
                return say("it gave NaN or infinity where ours gives numbers")
        wanted = torch.is_grad_enabled() and any(
            part.requires_grad for part in _tensors(arguments)
        )
        if wanted and not any(part.requires_grad for part in _tensors(made)):
            ours = self.ours(*copies(arguments), **options)
            if any(part.requires_grad for part in _tensors(ours)):
                return say("no gradient flows through it")
        return ""


def chosen(mine: Callable, otherwise: Callable) -> Chosen:
    """``mine``, if its check has accepted it, else ``otherwise``; prints whose it is.

    ``otherwise`` is the solution of the exercise, with the same arguments. Raises
    ``TypeError`` for anything that is no function.
    """
    for name, function in (("mine", mine), ("otherwise", otherwise)):
        if not callable(function):
            raise TypeError(f"{name} must be a function, got {function!r}")
    theirs = accepted(otherwise) is mine
    whose = say("yours, checked") if theirs else say("ours: the exercise is open")
    tell(f"{otherwise.__name__}: {whose}")
    return Chosen(mine if theirs else None, otherwise)


def restarting(train: Callable, *functions: Chosen):
    """``train()``, from its beginning again with our function if the learner's fails.

    ``train`` takes no arguments, makes its model afresh and returns it; it calls the
    ``functions``. The random numbers of every start are the same.
    """
    state = torch.get_rng_state()
    for function in functions:
        function.training = True
    try:
        while True:
            torch.set_rng_state(state)
            try:
                return train()
            except Broken:
                tell(say("This training starts again."))
    finally:
        for function in functions:
            function.training = False


def _tensors(value) -> list[torch.Tensor]:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return [part for part in parts if isinstance(part, torch.Tensor)]


def _in_the_form_of(like, made):
    """Floats, lists and arrays as tensors, where ours gives tensors."""
    if isinstance(like, tuple) and isinstance(made, (tuple, list)):
        return tuple(_in_the_form_of(*pair) for pair in zip(like, made, strict=True))
    if not isinstance(like, torch.Tensor):
        return made
    if not isinstance(made, torch.Tensor):
        made = tensor(made).to(like.dtype)
    # shapes of one number are all alike, in a check as here
    return made.reshape(like.shape) if like.numel() == made.numel() == 1 else made


def _finite(part: torch.Tensor) -> bool:
    return not part.is_floating_point() or bool(torch.isfinite(part.sum()))


def _alike(ours, mine) -> bool:
    """The same numbers up to rounding in 32 bits?"""
    both = [v if isinstance(v, (tuple, list)) else (v,) for v in (ours, mine)]
    try:
        pairs = [(tensor(a), tensor(b)) for a, b in zip(*both, strict=True)]
    except (TypeError, ValueError, RuntimeError):
        return False
    return all(same(b.reshape(a.shape), a, 1e-3) if a.numel() == b.numel() else False
               for a, b in pairs)  # fmt: skip
