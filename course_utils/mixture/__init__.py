"""Notebook 02: Gaussian mixtures and the EM algorithm.

Read ``model`` first (sections 1 to 3: the mixture as a record, its density, samples and
responsibilities; BIC and the order of components for sections 5 and 6), then ``em``
(section 4: the two steps, the iterator of states), then ``starts`` (section 5: where EM
starts, many starts that run together), then ``fast`` (end of section 4: the same sums
as two matrix products). ``gate`` turns what comes in into float64, or refuses it.
``pictures`` draws sections 1 to 6 (``marks`` are those of a component), ``climb`` the
sliders of section 4, ``shapes`` those of sections 7 and 8; ``exercises`` names the four
checks, each in a file of its own.
"""

from course_utils.mixture.em import EMState, e_step, em, m_step
from course_utils.mixture.fast import features, natural_parameters
from course_utils.mixture.model import (
    GaussianMixture,
    bic,
    match_components,
    sort_components,
)
from course_utils.mixture.starts import (
    EMStates,
    em_together,
    kmeans_plus_plus,
    random_centres,
    restarts,
    start_around,
    start_at,
)
