"""The exercises of notebook 05, each with its solution."""

from course_utils.gan.exercises.calculus import check_jsd, check_unrolled, jsd, unrolled
from course_utils.gan.exercises.players import (
    best_d,
    check_best_d,
    check_d_loss,
    d_loss,
)
from course_utils.gan.exercises.step import (
    check_generator_step,
    right_step,
)

CHECKS = (
    check_d_loss,
    check_best_d,
    check_jsd,
    check_generator_step,
    check_unrolled,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "best_d",
    "check_best_d",
    "check_d_loss",
    "check_generator_step",
    "check_jsd",
    "check_unrolled",
    "d_loss",
    "jsd",
    "right_step",
    "unrolled",
]
