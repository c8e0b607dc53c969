"""The exercises of notebook 07, each with its solution."""

from course_utils.beyond.exercises.coupling import check_coupled, coupled
from course_utils.beyond.exercises.denoising import check_denoising, denoising_loss
from course_utils.beyond.exercises.guidance import check_guided, guided
from course_utils.beyond.exercises.text import check_text_log_prob, text_log_prob

CHECKS = (
    check_text_log_prob,
    check_coupled,
    check_denoising,
    check_guided,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "check_coupled",
    "check_denoising",
    "check_guided",
    "check_text_log_prob",
    "coupled",
    "denoising_loss",
    "guided",
    "text_log_prob",
]
