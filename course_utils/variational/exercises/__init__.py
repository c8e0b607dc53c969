"""The exercises of notebook 03: the bound, its climb by coordinates, its gradients."""

from course_utils.variational.exercises.cavi import check_cavi
from course_utils.variational.exercises.control import check_control_variate
from course_utils.variational.exercises.elbo import check_elbo
from course_utils.variational.exercises.gradient import check_reparameterized_gradient
from course_utils.variational.exercises.kl import check_kl_monte_carlo

__all__ = [
    "check_cavi",
    "check_control_variate",
    "check_elbo",
    "check_kl_monte_carlo",
    "check_reparameterized_gradient",
]
