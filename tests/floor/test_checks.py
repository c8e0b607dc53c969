"""The machinery of the exercises, on a small exercise of its own."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.checks import Exercise, Mistake, Parts, known_mistakes

X = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
exercise = Exercise(
    name="mean",
    reference=lambda x: x.mean(),
    cases=((X,), (X.square(),)),
    expected="one number",
    first_hint="add up, then divide",
    mistakes=(Mistake("divide by m, not by m − 1", lambda x: x.sum() / (len(x) - 1)),),
)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (lambda x: x.mean(), "✓ mean: correct"),
        (lambda x: float(x.mean()), "✓ mean: correct"),
        (lambda x: x.float().mean(), "✓ mean: correct"),
        (lambda x: None, "○ mean: not attempted yet. First hint: add up, then divide"),
        (lambda x: x.sum() / (len(x) - 1), "✗ mean: divide by m, not by m − 1."),
        (lambda x: -x.mean(), "✗ mean: the sign is turned round."),
        (lambda x: 3 * x.mean(), "3 times the right value, in every case"),
        (lambda x: x, "shape (3,); expected is one number"),
        (lambda x: x.mean() / 0, "NaN or infinity"),
        (lambda x: math.nan, "NaN or infinity"),
        (lambda x: x.mean() + 1, "differ from the reference. First hint: add up"),
        (lambda x: x.mean() / math.log(2), "✗ mean: this is in bits"),
        (lambda x: x.sum() / (1 - len(x)), "by m − 1; the sign is wrong, too."),
        (lambda x: x.mean() + torch.rand(()), "changes from call to call"),
        (lambda x: x > 0, "shape (3,); expected is one number"),
        (lambda x: x.mean() > 9, "differ from the reference"),
        (lambda x: math.log(x), "For a tensor use torch.log"),
        (lambda x: x + x[:2], "Two shapes do not fit"),
        (lambda x: torch.log(3), "For a plain number use math.log"),
        (lambda x: x.requires_grad_().add_(1), "Write x = x + …"),
        (lambda x: x.requires_grad_().exp().backward(), "take the mean first"),
        (lambda x: x.mean().item().backward(), "item() comes after backward()"),
        (lambda x: F.binary_cross_entropy(x / 9, x.float()), "in the dtype of the old"),
        (lambda x: F.binary_cross_entropy(x / 9, x[:2] / 9), "the shape of the logits"),
        (lambda x: "seven", "it returned str; expected is one number"),
        (lambda x: None if x[2] == 4 else x.mean(), "it returned NoneType or Tensor"),
        (lambda x: undefined, "stopped with NameError"),  # noqa: F821
        (lambda: 1.0, "stopped with TypeError"),
        (7, "it should be a function, but it is 7"),
    ],
)
def test_verdicts(answer, verdict):
    assert verdict in exercise.verdict(answer)


def test_an_answer_may_write_on_its_arguments():
    assert "✓" in exercise.verdict(lambda x: x.div_(len(x)).sum())
    assert X.tolist() == [1.0, 2.0, 4.0]


def test_check_prints_and_never_raises(capsys):
    exercise.check(lambda x: 1 / 0)
    assert "it stopped with ZeroDivisionError" in capsys.readouterr().out


def test_several_results_may_come_as_a_tuple():
    pair = Exercise(
        name="pair",
        reference=lambda x: torch.stack([x.min(), x.max()]),
        cases=((X,),),
        expected="two numbers",
        first_hint="",
    )
    assert pair.verdict(lambda x: (x.min(), x.max())).startswith("✓")
    assert "shape (3,)" in pair.verdict(lambda x: (1.0, 2.0, 3.0))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_number_may_come_in_any_shape(shape):
    """``torch.autograd.grad`` gives a tuple of one; ``keepdim`` gives (1, 1)."""
    assert "✓" in exercise.verdict(lambda x: x.mean().reshape(shape))
    assert "✓" in exercise.verdict(lambda x: (x.mean().reshape(shape),))


def test_right_numbers_in_another_shape():
    doubled = Exercise("double", lambda x: 2 * x, ((X,),), "shape (n,)", "")
    line = doubled.verdict(lambda x: 2 * x[:, None])
    assert "right, but in shape (3, 1); expected is shape (n,)" in line
    assert "its result has shape (3, 1)" in doubled.verdict(lambda x: x[:, None])


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (math.inf, "correct"),
        (math.nan, "it is NaN where the right value is infinite"),
        (1e9, "it is finite where the right value is infinite"),
        (-math.inf, "the sign is turned round"),
    ],
)
def test_infinity_may_be_right(value, verdict):
    infinite = Exercise("∞", lambda x: x / 0, ((X[0],),), "a number", "")
    assert verdict in infinite.verdict(lambda x: value)


def test_each_hint_holds_for_the_wrong_answers_after_it():
    found = known_mistakes("first", math.sin, math.cos, "second", math.tan)
    expected = [("first", math.sin), ("first", math.cos), ("second", math.tan)]
    assert [(each.hint, each.wrong) for each in found] == expected


def test_parts_may_come_as_a_tensor_and_nothing_else_stops_them():
    number = Exercise("part", lambda: torch.tensor(2), ((),), "a number", "")
    parts = Parts("both", ("a", "b"), ((0, number), (1, number)))
    assert parts.verdict(lambda: torch.tensor([2, 2])) == "✓ both: correct"
    for answer in (2, {2}, "22", (2, 2, 2)):
        line = parts.verdict(lambda answer=answer: answer)
        assert "return the tuple (a, b). It is called with no arguments." in line
