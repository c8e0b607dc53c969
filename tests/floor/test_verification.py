"""``verify``: one line when it holds, both numbers when it does not."""

import math

import pytest
import torch

from course_utils.verification import verify


def test_verify_prints_one_line_without_measured_numbers(capsys):
    verify("a = b", 1.0, 1.0 + 1e-8, atol=1e-6)
    verify("a = b", [1.0, 2.0], [1.0, 2.0])
    verify("a ≥ b", torch.tensor([1.0, 2.0, 3.0]), 1.0, relation=">=")
    verify("a ≥ b", 2.0, 1.0, relation=">=")
    verify("mean = 0", 0.3, 0.0, standard_error=0.1)
    verify("a = b", 100.0, 101.0, rtol=0.1, atol=0.5)
    assert capsys.readouterr().out.splitlines() == [
        "✓ a = b   (within 1e-06)",
        "✓ a = b   (exactly, 2 cases)",
        "✓ a ≥ b   (3 cases)",
        "✓ a ≥ b",
        "✓ mean = 0   (within 4 standard errors)",
        "✓ a = b   (within 0.5 + 0.1 relative)",
    ]


@pytest.mark.parametrize(
    ("left", "right", "options"),
    [
        (1.0, 1.1, {"atol": 0.05}),
        (math.nan, math.nan, {"atol": 1.0}),
        (math.nan, 1.0, {"relation": ">="}),
        (math.inf, 1.0, {"atol": 1.0}),
        (1.0, math.inf, {"rtol": 1.0}),
        (1.0, 2.0, {"relation": ">="}),
        (2.0, 1.0, {"relation": "<=", "atol": 0.5}),
        (0.5, 0.0, {"standard_error": 0.1}),
        ([1.0, 5.0], [1.0, 2.0], {"atol": 1e-6}),
    ],
)
def test_verify_raises_with_both_numbers(left, right, options, capsys):
    with pytest.raises(AssertionError) as caught:
        verify("the claim", left, right, **options)
    message = str(caught.value)
    for value in (left, right):
        worst = value[-1] if isinstance(value, list) else value
        assert f"{worst:.10g}" in message
    assert message.startswith("✗ the claim")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("left", "right", "options", "words"),
    [
        ([], [], {}, "empty"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], {}, "shape"),
        (1.0, 1.0, {"relation": "~"}, "relation"),
        (1.0, 1.0, {"atol": -1.0}, "atol"),
        (1.0, 1.0, {"atol": math.inf}, "atol"),
        (1.0, 1.0, {"standard_error": 0.0}, "standard_error"),
    ],
)
def test_verify_refuses_a_check_that_cannot_fail(left, right, options, words):
    with pytest.raises(ValueError, match=words):
        verify("the claim", left, right, **options)


def test_verify_accepts_equal_infinities_and_names_the_worst_element():
    verify("−∞ = −∞", -math.inf, -math.inf)
    with pytest.raises(AssertionError, match="worst at element 2 of 3"):
        verify("zeros", [0.0, 0.1, 0.3], 0.0, atol=0.01)
