"""An exercise: right answers in any form, stubs, hints, gradients, what is shared."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from course_utils.checks import Exercise, exercise, known_mistakes
from tests.checks.cases import MEAN, PAIR, SAFE, mean, spread


@pytest.fixture(autouse=True)
def _no_hint_was_read(monkeypatch):
    monkeypatch.setattr(exercise, "_given", exercise.Counter())


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x.mean(),
        lambda x: float(x.mean()),
        lambda x: x.float().mean(),
        lambda x: np.mean(x.numpy()),
        lambda x: np.float32(x.mean()),
        lambda x: [x.mean()],
        lambda x: x.mean().reshape(1, 1),
        lambda x: x.mean(0, keepdim=True).requires_grad_(),
        lambda x: x @ torch.full((5,), 0.2),  # works in 32 bits only
        lambda x: sum(x.tolist()) / len(x),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_right_answer_may_have_any_form(answer, dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        assert MEAN.verdict(answer) == "✓ mean: correct."
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("answer", [np.var, np.mean, np.sum, np.std])
def test_a_tensor_in_a_function_of_numpy_is_told_so(answer):
    line = MEAN.verdict(lambda x: answer(x))
    assert line.startswith("✗ mean: ") and "or start with x.numpy()" in line


def test_numbers_come_as_tensors_or_as_floats():
    def with_floats(x, centre, scale):
        scale = math.exp(math.log(scale))  # takes tensors, too
        squares = ((x - centre) / scale) ** 2
        first = np.divide(1.0, 1.0) * squares.mean()
        return first, -0.5 * math.log(2 * math.pi) - math.log(scale)

    no_gradient = dataclasses.replace(PAIR, gradient=())
    assert no_gradient.verdict(with_floats).startswith("✓")


@pytest.mark.parametrize(
    "stub",
    [
        lambda x: None,
        lambda *anything: None,
    ],
)
def test_a_stub_gives_nothing_away(stub):
    assert MEAN.verdict(stub) == (
        "○ mean: not attempted yet. For a hint, add hint=True to this call."
    )
    for hint in ("First hint: what is", "Second hint: add", "Third hint: x.sum()"):
        assert f"○ mean: {hint}" in MEAN.verdict(stub, hint=True)
    assert "Third hint" in MEAN.verdict(stub, hint=True)


def test_a_function_with_a_docstring_alone_is_a_stub():
    def stub(x):
        """Not yet."""

    assert MEAN.verdict(stub).startswith("○")


def test_an_unnamed_answer_gets_one_hint_after_the_other():
    odd = [MEAN.verdict(lambda x: x.sin().mean() + x[0]) for _ in range(4)]
    for line, ordinal in zip(odd, ("First", "Second", "Third", "Third"), strict=True):
        assert f"the numbers differ from the reference. {ordinal} hint:" in line


def test_a_named_answer_gets_a_hint_if_it_asks():
    line = MEAN.verdict(lambda x: -x.mean(), hint=True)
    assert "the sign is turned round" in line
    assert "First hint: what is a mean?" in line


def test_one_call_gives_one_hint():
    line = MEAN.verdict(lambda x: x.sin().mean() + x[0], hint=True)
    assert "First hint" in line
    assert "Second hint" not in line

    def forgets(x):
        x.mean()

    assert "missing? Second hint" in MEAN.verdict(forgets, hint=True)


def test_what_is_no_function():
    assert MEAN.verdict(3.0) == (
        "✗ mean: give the function itself, without calling it; 3.0 is none."
    )


def test_changed_arguments_are_seen_and_leak_into_nothing():
    def in_place(x):
        x /= len(x)
        return x.sum()

    assert "right, but you changed x in place" in MEAN.verdict(in_place)
    assert MEAN.verdict(mean).startswith("✓")


def test_a_gradient_must_flow_and_must_be_the_right_one():
    assert PAIR.verdict(spread).startswith("✓")
    for cut in (
        lambda x, c, s: spread(x, c.detach(), s),
        lambda x, c, s: spread(x, c.item(), s),
        lambda x, c, s: spread((x - c).detach() + c, c, s),
        lambda x, c, s: [v.item() for v in spread(x, c, s)],
        lambda x, c, s: spread(x, 2 * c - c.detach(), s),
    ):
        assert "no gradient flows back to centre" in PAIR.verdict(cut)


def test_a_tensor_has_the_dtype_that_the_prompt_asks_for():
    asked = dataclasses.replace(MEAN, dtype_of="x")
    for right in (mean, lambda x: x.mean().item(), lambda x: np.mean(x.numpy())):
        assert asked.verdict(right).startswith("✓")
    for other, name in (
        (lambda x: x.float().mean(), "in float32"),
        (lambda x: x.double().mean(), "in float64"),
    ):
        assert name in asked.verdict(other)
        assert MEAN.verdict(other).startswith("✓")


def test_a_check_prints_once_and_never_raises(capsys):
    MEAN.check(lambda x: 1 / 0)
    assert "it stopped with ZeroDivisionError" in capsys.readouterr().out
    MEAN.check(lambda x: print("look:", len(x)) or x.mean())
    assert capsys.readouterr().out == "look: 5\n✓ mean: correct.\n"


def test_a_check_draws_from_nobody_elses_numbers():
    torch.manual_seed(5)
    first = torch.rand(2)
    torch.manual_seed(5)
    MEAN.verdict(lambda x: x.mean() + torch.rand(()))
    torch.testing.assert_close(torch.rand(2), first, atol=0, rtol=0)


def test_an_extreme_case_has_its_own_hint():
    line = SAFE.verdict(lambda x: x.exp().mean().log())
    assert line == "✗ log-mean: exp() is 0 here: use logsumexp."
    for eps in (1e-300, 1e-30, 1e-8):
        assert "use logsumexp" in SAFE.verdict(
            lambda x, eps=eps: (x.exp().mean() + eps).log()
        )
    assert SAFE.verdict(lambda x: (x - x.max()).exp().mean().log() + x.max())[0] == "✓"


def test_each_hint_holds_for_the_wrong_answers_after_it():
    found = known_mistakes("first", math.sin, math.cos, "second", math.tan)
    expected = [("first", math.sin), ("first", math.cos), ("second", math.tan)]
    assert [(each.hint, each.wrong) for each in found] == expected


def test_an_answer_that_equals_several_mistakes_gets_the_first():
    twice = Exercise(
        name="double",
        solution=lambda x: 2 * x,
        draw=lambda seed: (torch.tensor([1.0, seed + 3.0]),),
        expected="shape (n,)",
        hints=("", "", ""),
        mistakes=known_mistakes(
            "the simple one", lambda x: x, "the other", lambda x: x * 1
        ),
    )
    assert "the simple one" in twice.verdict(lambda x: x)
