"""Notebook 06, sections 1 to 6: how far is q from p?

Read ``measures`` (KL, JSD, total variation), ``mmd``, then ``fits`` (what minimizing
each of them does).
"""

from course_utils.divergences.fits import (
    NAMES,
    fit_isotropic_gaussian,
    fit_round_mixture,
    load_theis_mixture,
    round_mixture,
)
from course_utils.divergences.measures import js, kl, total_variation
from course_utils.divergences.mmd import (
    mmd2_biased,
    mmd2_mixtures,
    mmd2_unbiased,
    permutation_test,
    witness,
)
