"""Each refusal names the argument, its value, and what was expected."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from course_utils.arguments import (
    check_binary,
    check_data,
    check_unit,
    counts,
    covariance,
    finite,
    floats,
    functions,
    generators,
    known,
    numbers,
    one_of,
    plain,
    positive,
    probabilities,
    require,
    returned,
    seed_of,
    switches,
    unit_of,
)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_what_is_not_positive_is_named(value):
    positive(steps=1, rate=1e-9)
    with pytest.raises(ValueError, match=f"rate must be positive, got {value}"):
        positive(steps=1, rate=value)


@pytest.mark.parametrize("value", ["1", None, 1j, [1.0], True])
def test_what_is_no_number_is_named(value):
    with pytest.raises(TypeError, match="rate must be a number, got"):
        positive(rate=value)


@pytest.mark.parametrize("value", [0, -3, 2.5, 2.0, math.nan, "2", None, True])
def test_a_count_is_a_whole_number(value):
    counts(k=1, steps=np.int64(7))
    with pytest.raises(ValueError, match=r"k must be (a whole number|at least 1), got"):
        counts(k=value)


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        ([1e6 + 0.03, 1.0], torch.float64),
        (3, torch.float64),
        ((True, False), torch.float64),
        (torch.tensor([1, 2]), torch.float64),
        (torch.tensor([1.0, 2.0]), torch.float32),
        (torch.tensor([1.0], dtype=torch.bfloat16), torch.float32),
        (np.arange(6.0)[::-2], torch.float64),
        (np.arange(6, dtype=np.uint16), torch.float64),
        (np.float32([[1, 2], [3, 4]]).T, torch.float32),
        (np.longdouble([1, 2]), torch.float64),
        ([torch.zeros(2), torch.ones(2)], torch.float32),
        ([torch.tensor(1.0), 2.0], torch.float64),
    ],
)
def test_numbers_of_any_kind_become_floats(x, kept):
    made = floats(x)
    assert made.dtype == kept
    plain = x.double() if isinstance(x, torch.Tensor) else x
    assert made.double().tolist() == np.array(plain, dtype=np.float64).tolist()
    assert floats(x, dtype=torch.float32).dtype == torch.float32


def test_an_array_is_not_written_on_through_its_tensor():
    given = np.zeros(3)
    floats(given)[0] = 1.0
    assert given.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "x", [None, "abc", 1j, torch.tensor([1j]), [None], {"a": 1}, [Fraction(1, 3)]]
)
def test_what_holds_no_real_numbers_is_refused(x):
    with pytest.raises(TypeError, match=r"heights must be (real )?numbers, got"):
        floats(x, "heights")


def test_masked_values_are_not_read():
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="x must have no masked values"):
        floats(masked)
    assert floats(np.ma.masked_array([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_bytes_of_any_order_and_short_floats_in_lists():
    assert floats(np.array([1.5, 2.0], dtype=">f8")).tolist() == [1.5, 2.0]
    assert floats(np.array([1, 2], dtype=">i4")).tolist() == [1.0, 2.0]
    assert floats([torch.ones(2).bfloat16()]).tolist() == [[1.0, 1.0]]


def test_ragged_rows_are_refused():
    with pytest.raises(ValueError, match="x has rows of several lengths"):
        floats([[1.0], [1.0, 2.0]])
    for strange in (torch.ones(3, device="meta"), torch.ones(3).to_sparse()):
        with pytest.raises(TypeError, match="heights must be an ordinary dense tensor"):
            floats(strange, "heights")
        with pytest.raises(TypeError, match="heights must be an ordinary dense tensor"):
            check_data(strange[:, None], 1, "heights")


@pytest.mark.parametrize("x", [[0.5, 0.6], [1.5, -0.5], [], [[1.0]], [math.nan]])
def test_probabilities_sum_to_one(x):
    assert probabilities([1, 0]).tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="weights must"):
        probabilities(x)


@pytest.mark.parametrize(
    "x", [[[1.0, 3.0], [3.0, 1.0]], [[1.0, 0.5], [0.1, 1.0]], [[-1.0]], [1.0]]
)
def test_a_covariance_is_symmetric_and_positive_definite(x):
    assert covariance([[2, 1], [1, 1]]).tolist() == [[2.0, 1.0], [1.0, 1.0]]
    with pytest.raises(ValueError, match="covariance must"):
        covariance(x)


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


def test_counts_may_begin_elsewhere():
    counts(0, seed=0)
    with pytest.raises(ValueError, match="n_samples must be at least 2, got 1"):
        counts(2, n_samples=1)


def test_what_is_not_finite_is_named():
    finite(turn=-2.5, shift=0, far=torch.tensor(1e30))
    for bad in (math.nan, -math.inf):
        with pytest.raises(ValueError, match="turn must be finite, got"):
            finite(turn=bad)
    for call in (finite, positive):
        with pytest.raises(ValueError, match="turn must be below"):
            call(turn=10**400)
        with pytest.raises(TypeError, match="turn must be a number"):
            call(turn=torch.tensor(1j))


@pytest.mark.parametrize("seed", [None, 1.5, "1", True, -1, 2**63])
def test_a_seed_is_a_whole_number_that_torch_takes(seed):
    with pytest.raises(ValueError, match=f"seed must be .*, got {seed}"):
        seed_of(seed)
    for good in (0, np.int64(3), 2**63 - 1):
        torch.Generator().manual_seed(seed_of(good))


def test_what_draws_nothing_and_what_is_no_number_are_named():
    generators(one=None, other=torch.Generator())
    with pytest.raises(TypeError, match=r"other must be a torch.Generator .*, got 3"):
        generators(one=None, other=3)
    switches(one=True, other=False)
    with pytest.raises(TypeError, match="other must be True or False, got 0"):
        switches(one=True, other=0)
    numbers(least=-math.inf, most=np.float32(2), k=torch.tensor([1]))
    with pytest.raises(TypeError, match="most must be a number, got 'two'"):
        numbers(least=0, most="two")


def test_what_can_not_be_called_is_named():
    functions(r=len)
    with pytest.raises(TypeError, match="log_joint must be a function, got None"):
        functions(r=len, log_joint=None)


def test_what_is_no_option_is_named():
    one_of(("mean", "best"), baseline="mean")
    for bad in ("median", None, ["mean"], np.zeros(2)):
        with pytest.raises(
            ValueError, match=r"baseline must be one of \('mean', 'best'"
        ):
            one_of(("mean", "best"), baseline=bad)


def test_what_a_function_returns_has_one_shape():
    value = torch.zeros(3)
    assert returned(value, (3,), "r") is value
    with pytest.raises(
        ValueError, match=r"r must return the shape \(3,\), got \(3, 1\)"
    ):
        returned(value[:, None], (3,), "r")
    for bad, kind in ((None, "NoneType"), (0.5, "float"), (value * 1j, "complex64")):
        with pytest.raises(TypeError, match=f"r must return a tensor .* got .*{kind}"):
            returned(bad, (3,), "r")


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-160, 0.3, 1.0, 1e160, 1.7e308])
def test_a_unit_is_a_power_of_two_that_loses_nothing(scale):
    x = torch.tensor([0.0, -0.7, 1.0], dtype=torch.float64) * scale
    unit = unit_of(x)
    assert math.frexp(unit.item())[0] == 0.5
    assert torch.equal(x / unit * unit, x)
    assert 0.5 <= (x / unit).abs().max() < 4
    table = torch.stack([x, x], 1)
    assert unit_of(table, each_column=True).tolist() == [unit.item()] * 2


@pytest.mark.filterwarnings("ignore:.*nested tensors")
def test_tensors_of_another_kind_are_named():
    rows = [torch.ones(2), torch.ones(3)]
    nested = torch.nested.nested_tensor(rows, layout=torch.strided)
    for bad, rule in (
        (nested, "dense tensor, got a nested one"),
        (torch.ones(2, device="meta"), "dense tensor, got a tensor without numbers"),
    ):
        with pytest.raises(TypeError, match=rule):
            floats(bad)
    with pytest.raises(ValueError, match="x must be a tensor of floats, got"):
        check_data(torch.ones(2, 1).to(torch.float8_e4m3fn), 1)
    negative = torch._neg_view(torch.ones(2))
    assert floats([negative, negative]).tolist() == [[-1.0, -1.0]] * 2


@pytest.mark.parametrize(
    "value",
    [torch.tensor(True), torch.ones((), device="meta"), Fraction(1, 2), np.bool_(True)],
)
def test_truth_and_fractions_are_no_numbers(value):
    for check in (positive, finite, numbers):
        with pytest.raises(TypeError, match="rate must be a number, got"):
            check(rate=value)


def test_a_plain_number_is_a_float_and_keeps_its_gradient():
    for value in (2, np.float32(2), np.int8(2)):
        assert type(plain(value)) is float and plain(value) == 2.0
    moving = torch.tensor(2.0, requires_grad=True)
    assert plain(moving) is moving


def test_new_tensors_must_lie_where_the_course_computes():
    torch.set_default_device("meta")
    try:
        with pytest.raises(TypeError, match="set_default_device\\('cpu'\\)"):
            floats([1.0, 2.0])
    finally:
        torch.set_default_device(None)
    assert floats([1.0, 2.0]).tolist() == [1.0, 2.0]


def test_data_from_inference_mode_are_copied_outside():
    with torch.inference_mode():
        x = torch.ones(2, 1)
        assert check_data(x, 1) is x
    assert x.is_inference() and not check_data(x, 1).is_inference()
    usual = torch.ones(2, 1)
    assert check_data(usual, 1) is usual


def test_what_a_function_returns_is_known():
    value = torch.tensor([-math.inf, 0.0])
    assert known(value, "f") is value
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="f must return numbers, got 1 of 2"):
            known(torch.tensor([0.0, bad]), "f")
    with pytest.raises(ValueError, match="f must return numbers, got 1 of 2"):
        known(value, "f", log=False)
    with pytest.raises(TypeError, match=r"got torch\.bool"):
        returned(value > 0, (2,), "f")
