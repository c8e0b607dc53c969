"""Each refusal names the argument, its value, and what was expected."""

import math

import pytest
import torch

from course_utils.arguments import (
    check_binary,
    check_data,
    check_unit,
    positive,
    require,
)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_what_is_not_positive_is_named(value):
    positive(steps=1, rate=1e-9)
    with pytest.raises(ValueError, match=f"rate must be positive, got {value}"):
        positive(steps=1, rate=value)


def test_the_first_that_does_not_fit_is_named():
    require(a=(1, True, "one"), b=(2, True, "two"))
    with pytest.raises(ValueError, match="b must be two, got 3"):
        require(a=(1, True, "one"), b=(3, False, "two"), c=(4, False, "three"))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([[1.0]], r"x must be a tensor of floats, got list; use torch.as_tensor\(x\)"),
        (torch.ones(2, 3, dtype=torch.int64), "of floats, got torch.int64"),
        (torch.ones(2, 2), r"shape \(n, 3\), got \(2, 2\)$"),
        (torch.ones(2, 3, 1), r"got \(2, 3, 1\); use x.flatten\(1\)"),
        (torch.ones(0, 3), r"x is empty: its shape is \(0, 3\)"),
        (torch.full((2, 3), math.nan), "x must be finite, got 6 values that are NaN"),
    ],
)
def test_data_that_no_model_takes(x, words):
    good = torch.ones(2, 3)
    assert check_data(good, 3) is good
    with pytest.raises(ValueError, match=words):
        check_data(x, 3)


def test_single_numbers_are_told_to_become_a_column():
    with pytest.raises(ValueError, match=r"got \(5,\); use heights\[:, None\]"):
        check_data(torch.ones(5), 1, "heights")


def test_large_numbers_are_finite():
    x = torch.full((4, 1), 3e38)  # their sum is infinite
    assert check_data(x, 1) is x


def test_grey_levels_and_bits():
    check_unit(torch.tensor([0.0, 0.5, 1.0]))
    check_binary(torch.tensor([[0.0, 1.0]]))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\] like G, got .* 0 to 9"):
        check_unit(torch.tensor([0.0, 9.0]), like=" like G")
    with pytest.raises(ValueError, match="got values from nan"):
        check_unit(torch.tensor([math.nan]))
    with pytest.raises(ValueError, match="as uint8, to binarise"):
        check_binary(torch.tensor([[0.0, 255.0]]))
    with pytest.raises(ValueError, match="grey values between"):
        check_binary(torch.tensor([[0.0, 0.5]]))
