"""``verify``: one line when it holds, both numbers when it does not."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

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
        (1.0, 2.0, {"standard_error": math.inf}, "standard_error must be finite"),
        (
            1.0,
            2.0,
            {"standard_error": 0.1, "within": math.inf},
            "within must be finite",
        ),
        (1.0, 1.0, {"standard_error": 0.1, "within": -1}, "within must be"),
        (1.0, 2.0, {"rtol": 5.0}, "rtol must be at most 1"),
        (1.0, 2.0, {"atol": 1e300}, "no claim could fail"),
        (1.0, 2.0, {"standard_error": 1e9}, "no claim could fail"),
        ([1.0, 2.0], [1.0, 2.0], {"standard_error": [[0.1], [0.2]]}, "standard_error"),
        ([1.0, 2.0], [1.0, 2.0], {"standard_error": [0.1] * 3}, "standard_error"),
        (2**53, 2**53 + 1, {}, "right holds 9007199254740993"),
        (torch.tensor([2**60 + 1]), 1.0, {}, "2\\*\\*53"),
        (Fraction(1, 3), 0.0, {"atol": 1.0}, "left holds 1/3"),
        ([[1.0], [1.0, 2.0]], 1.0, {}, "several lengths"),
        ([torch.zeros(2), torch.zeros(3)], 0.0, {}, "several shapes"),
    ],
)
def test_verify_refuses_a_check_that_cannot_fail(left, right, options, words):
    with pytest.raises(ValueError, match=words):
        verify("the claim", left, right, **options)


@pytest.mark.parametrize(
    ("left", "right", "options"),
    [
        (1 + 2j, 1 - 5j, {}),
        (torch.tensor([1j]), 0.0, {}),
        (None, 1.0, {}),
        ("1", 1.0, {}),
        ([1.0, None], 1.0, {}),
        (1.0, 1.0, {"atol": "0.1"}),
        (1.0, 1.0, {"standard_error": 1j}),
    ],
)
def test_verify_takes_real_numbers_only(left, right, options):
    with pytest.raises(TypeError, match=r"must be (real numbers|a number)"):
        verify("the claim", left, right, **options)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([0.1], [0.1 + 1e-9]),
        ([1e39], [5e38]),
        ([1e-50], [2e-50]),
        ((1.0, 1e5), (1.0, 1e6)),
        ([torch.tensor(0.1)], [0.1]),  # float32 holds another number
    ],
)
def test_lists_are_not_rounded(left, right):
    with pytest.raises(AssertionError, match="does not hold"):
        verify("equal", left, right)


def test_every_kind_of_real_number_is_read_exactly(capsys):
    verify("lists", [0.1, 0.2], torch.tensor([0.1, 0.2], dtype=torch.float64))
    verify("whole numbers", 2**60, torch.tensor([2**60]))
    verify("Booleans", torch.tensor([True, False]), [1, 0])
    verify("half", torch.tensor(0.5, dtype=torch.bfloat16), Fraction(1, 2))
    verify("rows", [torch.zeros(2), torch.ones(2)], np.array([[0, 0], [1, 1]]))
    verify("both named", 1.0, 1.2, standard_error=0.1, atol=0.1)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "✓ both named   (within 4 standard errors + 0.1)"
    )


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.sampled_from([0.0, 1e-300, 1e-12, 1e-6, 0.1, 0.3, 1.0])


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=3),
    st.booleans(),
    SMALL,
    SMALL,
    st.sampled_from(["==", ">=", "<="]),
    st.sampled_from([None, 1e-9, 0.1, 2.5]),
)
def test_verify_agrees_with_exact_fractions(pairs, near, atol, rtol, relation, error):
    left = [a for a, _ in pairs]
    # every second case sits where rounding could decide: right = left ± what is allowed
    right = [a * (1 + rtol) + atol if near else b for a, b in pairs]
    assume(all(map(math.isfinite, right)))
    options = {} if error is None else {"standard_error": error, "within": 3}
    exact = True
    for a, b in zip(left, right, strict=True):
        gap = Fraction(a) - Fraction(b)
        gap = {"==": abs(gap), ">=": -gap, "<=": gap}[relation]
        more = 3 * Fraction(error or 0)
        exact &= gap <= Fraction(atol) + Fraction(rtol) * abs(Fraction(b)) + more
    try:
        verify("the claim", left, right, atol, rtol, relation, **options)
    except AssertionError:
        assert not exact
    else:
        assert exact


def test_verify_accepts_equal_infinities_and_names_the_worst_element():
    verify("−∞ = −∞", -math.inf, -math.inf)
    with pytest.raises(AssertionError, match="worst at element 2 of 3"):
        verify("zeros", [0.0, 0.1, 0.3], 0.0, atol=0.01)


def test_tolerances_of_numpy_are_numbers_too(capsys):
    for kind in (np.float64, np.float32):
        verify("near", 1.0, 1.25, atol=kind(0.25), rtol=kind(0.5))
        verify("near", 1.0, 1.25, standard_error=kind(0.25), within=kind(2.0))
    verify("third", 1.0, 1.25, atol=Fraction(1, 2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✓ near   (within 0.25 + 0.5 relative)"
    assert lines[1] == "✓ near   (within 2 standard errors)"


@pytest.mark.parametrize("name", ["atol", "rtol", "within"])
@pytest.mark.parametrize("bad", [True, None, "x", 1j, 10**400])
def test_a_tolerance_is_a_number(name, bad):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        verify("equal", 1.0, 1.0, **{name: bad})


def test_what_is_hidden_or_beyond_all_floats_is_refused():
    hidden = np.ma.array([1.0, 2.0], mask=[False, True])
    for bad, rule in (
        (hidden, "must have no masked values"),
        ([10**400, 1], "must be below 1.8e308"),
        (torch.eye(2).to_sparse(), "must be an ordinary dense tensor"),
        (torch.ones(2, device="meta"), "must be an ordinary dense tensor"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"left {rule}"):
            verify("equal", bad, 1.0)
    negative = torch._neg_view(torch.ones(2))
    verify("equal", negative, [-1.0, -1.0])
