"""The exercises of notebook 03, each with its solution."""

from course_utils.variational.exercises.cavi import cavi_sweep, check_cavi
from course_utils.variational.exercises.control import (
    check_control_variate,
    control_variate,
)
from course_utils.variational.exercises.elbo import check_elbo, elbo
from course_utils.variational.exercises.gradient import (
    check_reparameterized_gradient,
    reparameterized_gradient,
)
from course_utils.variational.exercises.kl import check_kl_monte_carlo, kl_monte_carlo

CHECKS = (
    check_kl_monte_carlo,
    check_elbo,
    check_cavi,
    check_reparameterized_gradient,
    check_control_variate,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "cavi_sweep",
    "check_cavi",
    "check_control_variate",
    "check_elbo",
    "check_kl_monte_carlo",
    "check_reparameterized_gradient",
    "control_variate",
    "elbo",
    "kl_monte_carlo",
    "reparameterized_gradient",
]
