"""The exercises of notebook 04, each with its solution."""

from course_utils.vae.exercises.elbo import check_elbo, elbo
from course_utils.vae.exercises.iwae import bound, check_iwae
from course_utils.vae.exercises.kl import check_kl_term, kl_term
from course_utils.vae.exercises.prior import check_prior_bound, prior_bound
from course_utils.vae.exercises.sample import check_sample, sample
from course_utils.vae.exercises.walk import check_walk, walk

CHECKS = (
    check_kl_term,
    check_sample,
    check_elbo,
    check_walk,
    check_prior_bound,
    check_iwae,
)  # in the order of the notebook
__all__ = [
    "CHECKS",
    "bound",
    "check_elbo",
    "check_iwae",
    "check_kl_term",
    "check_prior_bound",
    "check_sample",
    "check_walk",
    "elbo",
    "kl_term",
    "prior_bound",
    "sample",
    "walk",
]
