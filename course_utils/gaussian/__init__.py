"""Notebook 01: one Gaussian, fitted by maximum likelihood.

Read ``model`` (the fit, the log-likelihood, its surface), then ``plates`` (what depends
on what, drawn) and ``pictures``; ``exercises`` holds the checks.
"""

from course_utils.gaussian.model import (
    fit_gaussian,
    log_likelihood,
    log_likelihood_surface,
)
