"""Facts of mean field that a mutant once broke without a test's notice."""

import pytest

from course_utils.variational import BayesianMixture, cavi_gaussian

PRECISION = [[1.0, 0.9], [0.9, 1.0]]


def test_a_step_is_one_coordinate_and_they_take_turns():
    states = list(cavi_gaussian([1.0, -1.0], PRECISION, [5.0, 5.0], n_sweeps=2))
    assert [state.step for state in states] == [0, 1, 2, 3, 4]
    assert [state.coordinate for state in states] == [None, 0, 1, 0, 1]
    # m₁ = μ₁ − Λ₁₂ (m₂ − μ₂) / Λ₁₁, and σ² = 1/Λᵢᵢ all the time
    assert states[1].mean.tolist() == pytest.approx([1 - 0.9 * 6, 5.0])
    assert all(state.sigma.tolist() == [1.0, 1.0] for state in states)


@pytest.mark.parametrize(("inside", "outside"), [(1e-149, 9e-151), (9e149, 1.1e150)])
def test_a_prior_is_as_wide_as_its_square_allows(inside, outside):
    assert BayesianMixture(2, inside).prior_sigma == inside
    with pytest.raises(ValueError, match="prior_sigma must be between 1e-150"):
        BayesianMixture(2, outside)


def test_the_step_that_leaves_the_floats_is_named():
    """The start is further from the mean than the largest float64."""
    with pytest.raises(FloatingPointError, match="at step 0: use other units"):
        list(cavi_gaussian([0.0, 1.7e308], PRECISION, [0.0, -1e307]))
