"""The exercises of notebook 02: sample, E-step, M-step, a mixture of Bernoullis.

Each is in a file of its own: its solution, other right ways to write it (wrong answers
are made from all of them), and the mistakes that are no slip but another idea.
"""

from course_utils.mixture.bernoulli_exercise import (
    bernoulli_em_step,
    check_bernoulli_em_step,
)
from course_utils.mixture.e_step_exercise import check_e_step
from course_utils.mixture.m_step_exercise import check_m_step
from course_utils.mixture.sample_exercise import check_sample

__all__ = [
    "bernoulli_em_step",
    "check_bernoulli_em_step",
    "check_e_step",
    "check_m_step",
    "check_sample",
]
