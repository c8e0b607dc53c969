"""Notebook 01: one Gaussian, fitted by maximum likelihood.

Read ``model`` first: the fit by the two formulas of section 4, the log-likelihood of
section 3, and its surface, the map of sections 3 and 4. ``plates`` draws what depends
on what (section 1; notebooks 02 and 04 use it too). ``pictures`` holds the sliders and
figures, ``exercises`` the four checks, all in the order of the
sections.
"""

from course_utils.gaussian.model import (
    fit_gaussian,
    log_likelihood,
    log_likelihood_surface,
)
