"""What is wrong with an answer: the simplest thing that explains what came back.

First what needs no numbers: it stopped, it returned nothing, or no numbers. Then, in
this order: a case at which only some answers fail; the mistakes written by hand; one
step from the right result; one slip in the solution; an argument that is not used; a
mistake with one step more; two slips.
"""

import itertools
import traceback

from course_utils.checks.attempts import (
    Attempt,
    Result,
    Unfit,
    as_they_are,
    exchanged,
    read,
    same,
    strange,
)
from course_utils.checks.relations import multiple, relation
from course_utils.checks.slips import slips
from course_utils.checks.words import describe, spell, spoken
from course_utils.messages import say

PAIRS = 3000  # answers with two slips that are tried: about a second
NUMPY = "NumPy knows no tensors: write x.var(), x.sum(), or start with x.numpy()"
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
    "bitwise_xor": "A power is ** in Python, not ^",
    "for ^": "A power is ** in Python, not ^",
    "builtin_function_or_method": "Brackets are missing after a method: x.mean()",
    "'method'": "Brackets are missing after a method: x.mean()",
    "(got float)": "An index is a whole number: divide by //, not by /",
    "must be integers or slices": "An index is a whole number: divide by //, not by /",
    "converted to Scalar": "item() is for one number; this tensor has more",
    "name 'np' is not defined": "Write `import numpy as np` first, or use torch",
    "is not defined": "Import it first, or spell it as it was written before",
    "GreaterThan(lower_bound=0.0)": "A scale is positive: is this another argument?",
    'arguments: "dim"': "Say over which dim: x.cumsum(0)",
    "positional argument": "Keep the arguments of the stub, in their order",
    "to unpack": "The number of names left of = must be right",
    "same dtype": "Make your own tensors with dtype=x.dtype",
    "expected scalar type": "Make your own tensors with dtype=x.dtype",
    "requires grad. Use": "Use detach() before numpy(), or stay with torch",
    "mat1 and mat2 shapes": "A product A @ B needs as many columns as rows: try .T",
    "size mismatch": "A product A @ B needs as many columns as rows: try .T",
    "Dimension out of range": "This tensor has fewer dimensions: another dim",
    "object has no attribute 'size'": "Use a tensor: labels are torch.ones_like(x)",
    "out of bounds": "Indices count from 0 to the length minus 1",
    "out of range": "Indices count from 0 to the length minus 1",
    "not callable": "Is an operator missing, such as * between two factors?",
    "return_types": "median(dim=0), max(dim=0), sort() give a pair: take .values",
    "does not require grad": "The graph is cut: no detach(), item() or NumPy before",
    "second time": "Keep the graph: create_graph=True, or one backward() only",
}


def first_fault(exercise, answer, attempt: Attempt, found, right) -> str:
    """What to say; ``found`` are the results of ``attempt``, or why there are none."""
    if attempt.errors and not attempt.values:
        return _stopped(exercise, attempt)
    if any(value is None for value in attempt.values):
        if attempt.printed:
            return say(
                "your function returned None: it prints its result; use `return` in "
                "place of print()"
            )
        return say("your function returned None: is `return` missing?")
    if isinstance(found, str):
        return found
    if len(attempt.values) < len(right) - len(exercise.extremes):
        return _stopped(exercise, attempt)
    return _by_numbers(exercise, answer, attempt, found, right)


def _by_numbers(exercise, answer, attempt, found, right) -> str:
    again = taken(exercise, Attempt(answer, attempt.cases[:1]), right)
    if isinstance(again, str) or not equal(exercise, found[:1], again):
        return say(
            "its result changes from call to call: it draws random numbers of its own; "
            "use those that are given"
        )
    usual = len(right) - len(exercise.extremes)
    if equal(exercise, found[:usual], right[:usual]):
        return _at_an_extreme(exercise, attempt, found, right)
    # An answer that is wrong everywhere may fail at the extremes besides: they are
    # left out, so that its mistake is found all the same.
    found, right = found[:usual], right[:usual]
    # the first entry that is wrong; later ones may be wrong for its sake
    entries = range(len(right[0]))
    entry = next(i for i in entries if not equal(exercise, found, right, i))
    where = f"{exercise.entries[entry]}: " if exercise.entries else ""
    known = [(hint, made[:usual]) for hint, made in exercise.known]
    searches = (
        lambda: _by_hand(exercise, found, known, None),
        lambda: exchanged(found, right, exercise.entries),
        lambda: _by_hand(exercise, found, known, entry),
        lambda: relation(found, right, exercise.cases[:usual], entry),
        lambda: _slip(exercise, found, entry),
        lambda: multiple(found, right, entry),
        lambda: _by_hand_and_more(exercise, found, known, right, entry),
        lambda: _not_finite(found, right, entry),
        lambda: _not_used(exercise, answer, found[0]),
        lambda: _trait(exercise, found),
        lambda: _two_slips(exercise, found, right, entry),
        lambda: _changed(exercise, attempt),
        lambda: _shape(exercise, found, right, entry),
        lambda: _nearly(exercise, found, right, entry),
    )
    if what := next(filter(None, (search() for search in searches)), ""):
        return where + what
    text = say("the numbers differ from the reference")
    return f"{where}{text}. {exercise.next_hint()}"


def _at_an_extreme(exercise, attempt, found, right) -> str:
    """What to say where only an extreme is wrong, or stops the answer."""
    for part, hint in exercise.error_hints.items() if attempt.errors else ():
        if part in str(attempt.error):
            return say(hint)
    # a mistake written by hand that fails in the same way is told first
    for hint, made in exercise.known:
        if equal(exercise, found, made):
            return say(hint)
    usual = len(right) - len(exercise.extremes)
    return next(
        say(extreme.hint)
        for i, extreme in enumerate(exercise.extremes, usual)
        if not equal(exercise, found[i : i + 1], right[i : i + 1])
    )


def equal(exercise, some, others, entry=None, tolerance=None) -> bool:
    """Are these results the same, or one entry of them?"""
    return len(some) == len(others) and all(
        same(a, b, tolerance or exercise.tolerance)
        for mine, theirs in zip(some, others, strict=True)
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True))
        if entry in (None, i)
    )


def results(exercise, function, right, cases=None) -> list[Result] | None:
    """What a function gives, in the form of the right results; None if it fails."""
    tried = exercise.cases[: cases or len(right)]
    attempt = Attempt(function, [as_they_are(case) for case in tried])
    made = taken(exercise, attempt, right)
    return None if attempt.errors or isinstance(made, str) else made


def taken(exercise, attempt, right) -> list[Result] | str:
    """The values of an attempt as results, or why they are none."""
    try:
        return [
            read(value, like, exercise.entries, exercise.expected)
            for value, like in zip(attempt.values, right, strict=False)
        ]
    except Unfit as why:
        return str(why)


# --- searches: each says what it finds, or nothing


def _by_hand(exercise, found, known, entry) -> str:
    for hint, made in known:
        if equal(exercise, found, made, entry):
            return say(hint)
    return ""


def _by_hand_and_more(exercise, found, known, right, entry) -> str:
    for hint, made in known:
        shapes = [[one[entry].shape for one in some] for some in (found, made, right)]
        if shapes[0] != shapes[1] != shapes[2]:
            continue  # the mistake is in the shape, and this answer has another one
        if not equal(exercise, made, right, entry) and (
            more := relation(found, made, exercise.cases[: len(found)], entry)
            or multiple(found, made, entry)
        ):
            return say("{one}; besides, {other}", one=say(hint), other=more)
    return ""


def _slip(exercise, found, entry) -> str:
    """A mistake made from the solution; the first that fits is the simplest."""
    if not _any_number(found, entry):
        return ""
    known = [(slip, made[: len(found)]) for slip, made in exercise.slips]
    for only in (None, entry):
        for slip, made in known:
            if equal(exercise, found, made, only):
                return spell(slip.message, slip.values)
    return ""


def _two_slips(exercise, found, right, entry) -> str:
    """Two of them at once, as far as there is time."""
    if not _any_number(found, entry):
        return ""
    forms = (exercise.solution, *exercise.also)
    for form in forms:
        for slip in itertools.islice(slips(form, 2), PAIRS // len(forms)):
            made = results(exercise, slip.wrong, right, 1)
            if not made or not equal(exercise, found[:1], made, entry):
                continue
            made = results(exercise, slip.wrong, right)
            wrong = made and not equal(exercise, made, right)
            if wrong and equal(exercise, found, made, entry):
                return spell(slip.message, slip.values)
    return ""


def _any_number(found, entry) -> bool:
    """NaN everywhere looks like any other NaN: then nothing is learned from it."""
    return any(bool(one[entry].isfinite().any()) for one in found)


def _trait(exercise, found) -> str:
    """What wrong answers of a kind share, whatever their numbers."""
    for trait in exercise.traits:
        try:
            cases = zip(found, exercise.cases, strict=False)
            if all(bool(trait.shown(result, *case)) for result, case in cases):
                return say(trait.hint)
        except (RuntimeError, IndexError):  # another shape
            continue
    return ""


def _not_used(exercise, answer, first: Result) -> str:
    """An argument on which the right result depends, and this one does not."""
    one, others = exercise.draw(0), [exercise.draw(seed) for seed in (2, 3, 4)]
    right = exercise.right(one)
    for i, name in enumerate(exercise.names):
        cases = [(*one[:i], other[i], *one[i + 1 :]) for other in others]
        try:
            moves = not equal(exercise, [exercise.right(cases[0])], [right])
        except (RuntimeError, ValueError, IndexError):
            continue
        made = taken(exercise, Attempt(answer, cases), [right] * len(cases))
        if moves and isinstance(made, list) and equal(exercise, made, [first] * 3):
            return say(
                "your result does not depend on {x}, the argument: you did not use it, "
                "or a global variable or a number stands in its place",
                x=spoken(name),
            )
    return ""


def _not_finite(found, right, entry) -> str:
    """NaN or infinity where a number should be."""
    pairs = ((a[entry], b[entry]) for a, b in zip(found, right, strict=True))
    said = (strange(came, like) for came, like in pairs if came.shape == like.shape)
    return next(filter(None, said), "")


def _nearly(exercise, found, right, entry) -> str:
    """All numbers are off by little, relative to the largest."""
    if not equal(exercise, found, right, entry, 0.01):
        return ""
    return say(
        "the numbers are nearly right, less than 1 % off: is something small added, "
        "rounded or cut off, a step or a grid too coarse, or a small term left out?"
    )


def _changed(exercise, attempt) -> str:
    """An argument that was changed in place: later lines read the new value."""
    if not attempt.changed:
        return ""
    return say(
        "you changed {x} in place (+=, or a function with _ at its end): make a new "
        "tensor, x = x + …, or a clone() first",
        x=", ".join(spoken(exercise.names[i]) for i in attempt.changed),
    )


def _shape(exercise, found, right, entry) -> str:
    """Another shape, with the right numbers or with others."""
    for result, reference in zip(found, right, strict=True):
        came, like = result[entry], reference[entry]
        if came.shape == like.shape:
            continue
        words = {"shape": f"{tuple(came.shape)}", "expected": say(exercise.expected)}
        if came.numel() == like.numel() and same(came.flatten(), like.flatten()):
            return say(
                "the numbers are right, but in shape {shape}; expected is {expected}",
                **words,
            )
        return say("its result has shape {shape}; expected is {expected}", **words)
    return ""


# --- an error inside the answer


def _stopped(exercise, attempt) -> str:
    error = attempt.error
    for part, hint in exercise.error_hints.items():
        if part in str(error):
            return say(hint)
    # other errors have the same words for many reasons; those of shapes name the sizes
    shapes = isinstance(error, (RuntimeError, IndexError))
    if shapes and (slip := _same_error(exercise, error)):
        return slip
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    told = [say("it stopped with {what}", what=what)]
    advice = [text for part, text in ADVICE.items() if part in str(error)]
    told += [say(text) for text in [NUMPY] * _in_numpy(error) + advice][:1]
    given = zip(exercise.names, attempt.case, strict=True)
    kinds = ", ".join(f"{name}: {describe(value)}" for name, value in given)
    told.append(say("It was called with {kinds}", kinds=kinds))
    return ". ".join(told)


def _in_numpy(error) -> bool:
    """Whether a function of NumPy was at work, as in ``np.var`` of a tensor."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(f.f_globals["__name__"].startswith("numpy.") for f in frames)


def _same_error(exercise, error) -> str:
    """A slip that stops with the same words."""
    solutions = (exercise.solution, *exercise.also)
    for slip in itertools.chain.from_iterable(map(slips, solutions)):
        stopped = Attempt(slip.wrong, exercise.cases).error
        if type(stopped) is type(error) and str(stopped) == str(error):
            return spell(slip.message, slip.values)
    return ""
