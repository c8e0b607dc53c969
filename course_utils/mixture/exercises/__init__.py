"""The exercises of notebook 02, each with its solution."""

from course_utils.mixture.exercises.bernoulli import (
    bernoulli_em_step,
    check_bernoulli_em_step,
)
from course_utils.mixture.exercises.e_step import check_e_step, e_step
from course_utils.mixture.exercises.m_step import check_m_step, m_step
from course_utils.mixture.exercises.sample import check_sample, sample

CHECKS = (
    check_sample,
    check_e_step,
    check_m_step,
    check_bernoulli_em_step,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "bernoulli_em_step",
    "check_bernoulli_em_step",
    "check_e_step",
    "check_m_step",
    "check_sample",
    "e_step",
    "m_step",
    "sample",
]
