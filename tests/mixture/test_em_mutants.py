"""Facts of EM that a mutant once broke without a test's notice."""

import math

from course_utils.mixture import GaussianMixture, em


def test_states_are_numbered_from_the_start_to_the_end():
    """Also the last one, where the likelihood has no bound."""
    x = [[-2.0], [-1.0], [-0.5], [0.0], [0.7], [1.5], [5.0]]
    start = GaussianMixture([0.5, 0.5], [[0.0], [5.0]], [[[2.0]], [[1e-4]]])
    states = list(em(x, start, max_iterations=3, tolerance=0.0))
    assert [state.iteration for state in states] == [0, 1, 2, 3]
    states = list(em(x, start, covariance_floor=0.0))
    assert states[-1].log_likelihood == math.inf
    assert [state.iteration for state in states] == list(range(len(states)))
