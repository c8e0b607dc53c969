"""The exercises of notebook 06, each with its solution."""

from course_utils.divergences.exercises.choice import check_choice, choice
from course_utils.divergences.exercises.js import check_js, js
from course_utils.divergences.exercises.kl import both_kls, check_kl
from course_utils.divergences.exercises.mmd import check_mmd2, unbiased_mmd2
from course_utils.divergences.exercises.renyi import check_renyi, renyi

CHECKS = (
    check_kl,
    check_js,
    check_mmd2,
    check_choice,
    check_renyi,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "both_kls",
    "check_choice",
    "check_js",
    "check_kl",
    "check_mmd2",
    "check_renyi",
    "choice",
    "js",
    "renyi",
    "unbiased_mmd2",
]
