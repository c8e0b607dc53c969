"""The exercises of notebook 04, each in a file of its own: solutions and checks."""

from course_utils.vae.elbo_exercise import check_elbo, elbo
from course_utils.vae.iwae_exercise import bound, check_iwae
from course_utils.vae.kl_exercise import check_kl_term, kl_term
from course_utils.vae.sample_exercise import check_sample, sample
from course_utils.vae.walk_exercise import check_walk, walk

__all__ = ["bound", "check_elbo", "check_iwae", "check_kl_term", "check_sample"]
__all__ += ["check_walk", "elbo", "kl_term", "sample", "walk"]
