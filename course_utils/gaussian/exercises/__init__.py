"""The exercises of notebook 01, each with its solution."""

from course_utils.gaussian.exercises.families import (
    check_kl_gaussians,
    check_laplace_mle,
    kl_gaussians,
    laplace_mle,
)
from course_utils.gaussian.exercises.likelihood import (
    check_log_likelihood,
    check_mle_variance,
    log_likelihood,
    mle_variance,
)

CHECKS = (
    check_log_likelihood,
    check_mle_variance,
    check_kl_gaussians,
    check_laplace_mle,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "check_kl_gaussians",
    "check_laplace_mle",
    "check_log_likelihood",
    "check_mle_variance",
    "kl_gaussians",
    "laplace_mle",
    "log_likelihood",
    "mle_variance",
]
