"""Facts of ``verify`` that a mutant once broke without a test's notice."""

import math
import random
from fractions import Fraction

import pytest

from course_utils.verification import verify


def cases_that_rounding_decides(power):
    """(left, right, rtol) near 2^power where floats and fractions disagree."""
    rng, found = random.Random(power), []
    while len(found) < 10:
        right, rtol = math.ldexp(rng.uniform(0.5, 1), power), rng.uniform(1e-3, 0.1)
        left = right - rtol * right
        exact = Fraction(right) - Fraction(left) <= Fraction(rtol) * Fraction(right)
        if exact != (right - left <= rtol * right):
            found.append((left, right, rtol, exact))
    return found


@pytest.mark.parametrize("power", [-900, -30, 0, 30, 900, 1023])
def test_no_rounding_decides_at_any_scale(power):
    for left, right, rtol, exact in cases_that_rounding_decides(power):
        try:
            verify("the claim", left, right, rtol=rtol)
        except AssertionError:
            assert not exact
        else:
            assert exact


@pytest.mark.parametrize("power", [-900, 0, 900])
def test_two_terms_that_vanish_beside_the_first_count_together(power):
    """1 + 2⁻⁵³ + 2⁻⁵³ is 1 in floats: only fractions see that the gap is allowed."""
    right, atol, error = (math.ldexp(v, power) for v in (0.5, 1.0, 2**-53))
    options = {"atol": atol, "rtol": 2**-52, "standard_error": error, "within": 1}
    verify("the claim", 3 * right + 2 * error, right, **options)
    with pytest.raises(AssertionError, match="does not hold"):
        verify("the claim", 3 * right + 4 * error, right, **options)


def test_a_number_that_is_none_is_the_worst_of_all():
    with pytest.raises(AssertionError, match=r"nan == 0 .* worst at element 1 of 3"):
        verify("zeros", [5.0, math.nan, 7.0], 0.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tolerance_is_large_beside_the_largest_number_of_both_sides(sign):
    """A million times is the most: of 1, or of the largest finite number."""
    for left, right in ([3.0 * sign], [0.0]), ([0.0], [3.0 * sign]):
        verify("the claim", left, right, atol=2e6)
        with pytest.raises(ValueError, match="beside numbers up to 3"):
            verify("the claim", left, right, atol=4e6)
    with pytest.raises(ValueError, match="beside numbers up to 3"):
        verify("infinities count nothing", [3.0, math.inf], [0.0, math.inf], atol=4e6)
    verify("small numbers", 0.1 * sign, 0.0, atol=9e5)
    with pytest.raises(ValueError, match="no claim could fail"):
        verify("small numbers", 0.1 * sign, 0.0, atol=2e6)
