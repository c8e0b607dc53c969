"""What lies between two results: one simple step from the right one to the other.

A sign, a factor, a missing root, a sum in place of a mean: ``relation`` tries them all,
and says what it finds.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch

from course_utils.checks.attempts import Result, same
from course_utils.messages import say

# name of the change, and the change: the learner's result is change(right result)
ONE_STEP: tuple[tuple[str, Callable], ...] = (
    ("the sign is turned round: a minus is missing, or there is one too many",
     lambda r: -r),
    ("this is exp() of the right value: the log is missing, or exp() is too much",
     torch.exp),
    ("this is the logarithm of the right value: exp() is missing, or log is too much",
     torch.log),
    ("this is the root of the right value: leave the root out (or square it)",
     torch.sqrt),
    ("this is the square of the right value: a square root is missing",
     torch.square),
    ("this is 1 minus the right value", lambda r: 1 - r),
    ("this is 1 over the right value: the fraction is upside down",
     torch.reciprocal),
    ("this is the absolute value: the sign matters here, too", torch.abs),
    ("negative values are cut off at 0: they are right, leave them",
     lambda r: r.clamp_min(0)),
    ("the sigmoid is taken once too often", torch.sigmoid),
    ("the sigmoid is missing: this is the logit", torch.logit),
    *(("the result is rounded: leave the decimals", partial(torch.round, decimals=n))
      for n in (0, 1, 2, 3, 4)),
    ("this is exp() of minus the right value", lambda r: torch.exp(-r)),
)  # fmt: skip
REDUCED: tuple[tuple[str, Callable], ...] = (
    ("these are added up: leave the sum out, and return one for each",
     lambda r: r.sum()),
    ("this is the mean of them all: leave the mean out, and return one for each",
     lambda r: r.mean()),
    ("these are added up over dim 0: leave this sum out", lambda r: r.sum(0)),
    ("these are added up over dim 1: leave this sum out", lambda r: r.sum(1)),
    ("this is a mean over dim 0: leave this mean out", lambda r: r.mean(0)),
    ("this is a mean over dim 1: leave this mean out", lambda r: r.mean(1)),
    ("the result is transposed: rows and columns have changed places (.T)",
     lambda r: r.mT),
    ("the order is turned round: first and last have changed places",
     lambda r: r.flip(0)),
    ("the order is turned round: first and last have changed places",
     lambda r: r.flip(-1)),
    ("this is a running sum (cumsum): leave it out", lambda r: r.cumsum(0)),
    ("it is sorted: leave the order as it is", lambda r: r.sort(dim=0).values),
    ("this is the index of the largest (argmax): return the values themselves",
     lambda r: r.argmax(-1).double()),
    ("this is a hard decision, 0 or 1: the shares between them are asked",
     lambda r: (r > 0.5).double()),
    ("the last one is missing", lambda r: r[:-1]),
    ("the first one is missing", lambda r: r[1:]),
    ("only the first one is there: was `return` inside a loop?", lambda r: r[0]),
    ("only the last one is there", lambda r: r[-1]),
    ("only the first column is there", lambda r: r[..., 0]),
    ("only the largest of each row is there", lambda r: r.amax(-1)),
    ("only the largest is there", lambda r: r.max()),
    ("off the diagonal there are zeros: the products of different coordinates are "
     "missing", lambda r: torch.diag_embed(r.diagonal(dim1=-2, dim2=-1))),
    ("only the diagonal is there: the products of different coordinates are missing",
     lambda r: r.diagonal(dim1=-2, dim2=-1)),
)  # fmt: skip
FACTORS = {  # what the result is multiplied by: what to say
    1 / math.log(2): "this is in bits (log2): use the natural logarithm, and stay in "
    "nats",
    1 / math.log(10): "this is a logarithm to base 10: use the natural logarithm",
    0.5: "it is half the right value: a factor ½ is too much, or a 2 is missing",
    2.0: "it is twice the right value: the ½ is missing, or a 2 is too much",
    0.25: "it is a quarter of the right value: ½ was taken twice too often",
    4.0: "it is four times the right value: ½ is missing twice",
}
CONSTANTS = {  # what is added to the result: how to write it
    0.5: "½", 1.0: "1", 2.0: "2", 0.5 * math.log(2 * math.pi): "½ log 2π",
    math.log(2 * math.pi): "log 2π", math.log(2): "log 2", math.log(4): "log 4",
    math.pi: "π", 0.25: "¼",
}  # fmt: skip


def relation(came: list[Result], right: list[Result], cases, entry: int) -> str:
    """What was done to the right result to get the one that came; "" if not found."""
    a, b = ([result[entry] for result in results] for results in (came, right))
    if not any(bool(x.isfinite().any()) for x in a):
        return ""
    if all(bool((x == 0).all()) for x in a):
        return say("it is 0 in every case: all its terms cancel, or none is there")
    # a single number cannot be sorted, or be the sum of its entries
    changes = (*ONE_STEP, *(REDUCED if b[0].numel() > 1 else ()))
    for text, change in changes:
        if all(_is(change, x, y) for x, y in zip(a, b, strict=True)):
            return say(text)
    if all(x.shape == y.shape for x, y in zip(a, b, strict=True)):
        return _factor(a, b, cases) or _shift(a, b, cases) or _on_the_diagonal(a, b)
    if all(x.numel() == y.numel() for x, y in zip(a, b, strict=True)):
        return ""  # nothing is left to be added up: the same numbers in another shape
    for text, change in _unfinished():
        if all(_is(change, y, x) for x, y in zip(a, b, strict=True)):
            return say(text)
    return ""


def _on_the_diagonal(a, b) -> str:
    """A number added to the diagonal of matrices, nowhere else."""
    for x, y in zip(a, b, strict=True):
        if y.ndim < 2 or y.shape[-1] != y.shape[-2] or y.shape[-1] == 1:
            return ""
        more = x - y
        each = more.diagonal(dim1=-2, dim2=-1)
        if same(more, torch.zeros_like(more)) or not (
            same(more, torch.diag_embed(each))
            and same(each, each.mean().expand_as(each))
        ):
            return ""
    return say("a number is added to the diagonal, where nothing belongs: leave it out")


def multiple(came: list[Result], right: list[Result], entry: int) -> str:
    """The right result times a number, or plus one, for which there is no reason."""
    a, b = ([result[entry] for result in results] for results in (came, right))
    if any(x.shape != y.shape for x, y in zip(a, b, strict=True)):
        return ""
    for of in (_ratio, _difference):
        found = [of(x, y) for x, y in zip(a, b, strict=True)]
        c = found[0]
        if c and 1e-4 < abs(c) < 1e4 and all(_near(each, c) for each in found):
            if of is _difference:
                return _constant(c)
            return say("it is {c:.4g} times the right value, in every case", c=c)
    return ""


def _near(each: float | None, c: float) -> bool:
    return each is not None and math.isclose(each, c, rel_tol=1e-5)


def _is(change, came, right) -> bool:
    try:
        made = change(right)
    except (RuntimeError, IndexError):
        return False
    # a change that changes nothing explains nothing
    return same(came, made) and not same(made, right)


def _unfinished() -> Iterator[tuple[str, Callable]]:
    """What is still to be done to the learner's result."""
    yield "add them all up: .sum() is missing", lambda r: r.sum()
    yield "take the mean over all of them: .mean() is missing", lambda r: r.mean()
    for dim in (0, 1):
        yield (
            f"add up over dim={dim}: .sum({dim}) is missing",
            lambda r, d=dim: r.sum(d),
        )
        yield f"take the mean over dim={dim}: it is missing", lambda r, d=dim: r.mean(d)
    yield "only its first entry is asked", lambda r: r[0]
    yield "only its first column is asked", lambda r: r[..., 0]
    yield "only its last entry is asked", lambda r: r[-1]
    yield "only its diagonal is asked", lambda r: r.diagonal(dim1=-2, dim2=-1)


def _sizes(case) -> dict[str, float]:
    """The numbers of things in a case, by which sums and means differ."""
    found = {}
    for value in case:
        if isinstance(value, torch.Tensor):
            for length in value.shape:
                found[f"{length}"] = float(length)
            found.setdefault(f"{value.numel()}", float(value.numel()))
        elif isinstance(value, int) and value > 1:
            found[f"{value}"] = float(value)
    return {name: size for name, size in found.items() if size > 1}


def _factor(a, b, cases) -> str:
    """The right value times a number: the same in all cases, or a count of things."""
    ratios = [_ratio(x, y) for x, y in zip(a, b, strict=True)]
    if None in ratios:
        return ""
    first = ratios[0]
    if all(math.isclose(ratio, first, rel_tol=1e-5) for ratio in ratios):
        for factor, text in FACTORS.items():
            if math.isclose(abs(first), factor, rel_tol=1e-5):
                return say(text) + (
                    say("; the sign is wrong, too") if first < 0 else ""
                )
    for text, of in (
        ("it is {n} times the right value: a sum stands where the mean belongs "
         "(divide by their number)", lambda n: n),
        ("it is 1/{n} of the right value: a mean stands where the sum belongs "
         "(do not divide)", lambda n: 1 / n),
        ("you divided by {n} − 1 (the unbiased estimate) where {n} belongs",
         lambda n: n / (n - 1)),
        ("you divided by {n} where {n} − 1 belongs", lambda n: (n - 1) / n),
        ("you divided by {n} + 1 where {n} belongs", lambda n: n / (n + 1)),
        ("you divided by √{n} where {n} belongs, or not at all where √{n} belongs",
         lambda n: n**0.5),
        ("you divided by {n} where √{n} belongs, or by √{n} where nothing does",
         lambda n: n**-0.5),
        ("you divided by {n} twice", lambda n: 1 / n**2),
        ("you multiplied by {n} twice", lambda n: n**2),
    ):  # fmt: skip
        names = []
        for ratio, case in zip(ratios, cases, strict=True):
            fit = [
                name
                for name, n in _sizes(case).items()
                if math.isclose(abs(ratio), of(n), rel_tol=1e-5)
            ]
            names += fit[:1]
        if len(names) == len(ratios):
            more = say("; the sign is wrong, too") if ratios[0] < 0 else ""
            return say(text, n=names[0]) + more
    return ""


def _ratio(a: torch.Tensor, b: torch.Tensor) -> float | None:
    """The number c with a = c · b, if there is one."""
    a, b = a.flatten(), b.flatten()
    use = b.isfinite() & (b != 0)
    if not bool(use.any()) or not same(a[~use], b[~use]):
        return None
    ratio = a[use] / b[use]
    spread = (ratio.max() - ratio.min()).item()
    c = ratio[0].item()
    return c if c != 0 and spread <= 1e-5 * abs(c) else None


def _shift(a, b, cases) -> str:
    """The right value plus a number, the same everywhere."""
    shifts = [_difference(x, y) for x, y in zip(a, b, strict=True)]
    if None in shifts:
        return ""
    low, high = min(shifts), max(shifts)
    even = high - low < 1e-6 * max(abs(low), abs(high))
    if even and _named(abs(low)):
        return _constant(low)
    for text, of in (
        ("log {n} is missing, or has the wrong sign, or is too much", math.log),
        ("½ log 2π is counted another number of times: it belongs to each of the {n}",
         lambda n: 0.5 * math.log(2 * math.pi) * (n - 1)),
        ("½ log 2π is missing, or is too much, for each of the {n}",
         lambda n: 0.5 * math.log(2 * math.pi) * n),
        ("½ is missing, or too much, for each of the {n}", lambda n: 0.5 * n),
        ("½ belongs to each of the {n}, not once to all", lambda n: 0.5 * (n - 1)),
        ("1 is missing, or too much, for each of the {n}", lambda n: n),
    ):  # fmt: skip
        names = []
        for shift, case in zip(shifts, cases, strict=True):
            for name, n in _sizes(case).items():
                if any(
                    math.isclose(abs(shift), times * of(n), rel_tol=1e-5)
                    for times in (1, 2)
                ):
                    names.append(name)
                    break
        if len(names) == len(shifts):
            return say(text, n=names[0])
    return ""


def _difference(x: torch.Tensor, y: torch.Tensor) -> float | None:
    """The number c with x = y + c, if there is one."""
    difference = (x - y)[y.isfinite()]
    if not len(difference) or not bool(difference.isfinite().all()):
        return None
    shift = difference.flatten()[0].item()
    size = max(1.0, y[y.isfinite()].abs().max().item())
    if abs(shift) < 1e-6 or bool(((difference - shift).abs() > 1e-6 * size).any()):
        return None
    return shift


def _constant(shift: float) -> str:
    return say(
        "it is {c} too {much} in every case: a constant is missing or too much, or "
        "stands outside of its brackets",
        c=_named(abs(shift)) or f"{abs(shift):.4g}",
        much=say("large") if shift > 0 else say("small"),
    )


def _named(value: float) -> str:
    """The constant as people write it, "" if it is none."""
    near = (
        text for c, text in CONSTANTS.items() if math.isclose(value, c, rel_tol=1e-6)
    )
    return next(near, "")
