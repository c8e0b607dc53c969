"""The machinery of the exercises, on a small exercise of its own."""

import math

import pytest
import torch

from course_utils.exercises import Exercise, Mistake

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
