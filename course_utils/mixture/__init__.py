"""Notebook 02: Gaussian mixtures and the EM algorithm.

Read ``model`` (the mixture: density, sampling, responsibilities), then ``em`` (its two
steps, its starts, its states), then ``fast`` (the same sums as two matrix products).
"""

from course_utils.mixture.em import (
    EMState,
    e_step,
    em,
    kmeans_plus_plus,
    m_step,
    random_centres,
    restarts,
    start_at,
)
from course_utils.mixture.fast import StandardisedData, features, natural_parameters
from course_utils.mixture.model import (
    GaussianMixture,
    bic,
    match_components,
    sort_components,
    squared_distances,
)
