"""Notebook 06: how far is q from p?

Read ``measures`` (KL, JSD and total variation of two densities; sections 1 and 2),
``mmd`` (two samples and a kernel, no density; 2 and 6; ``waves`` makes it fast),
``surface`` (a divergence as a function of the parameters of q), ``fits`` (what
minimizing it does; 3 to 5; ``frame`` is where its search looks from) and
``classifier`` (the JSD from samples; 6). ``pictures``, ``plane``, ``sample_pictures``,
``trilemma`` (the pictures of section 7) and ``exercises`` stand on these.
"""

from course_utils.divergences.classifier import js_bound, train_discriminator
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
