"""Notebook 04: the variational auto-encoder, other priors for it, and VQ-VAE.

Read ``model`` first: the two networks, the KL that has a formula, and the ELBO with its
two terms (sections 1 and 2 of the notebook, and its last appendix). Then ``training``:
zeros and ones from grey digits, and the loop that climbs the bound (sections 3 to 6).
Then ``prior``: a mixture of Gaussians in place of N(0, I), behind the same decoder, and
what the KL pays for (section 7). Then ``codes``: VQ-VAE, with a codebook in place of
the Gaussian, and ``code_prior``: one network that writes codes, bit by bit (section 8).
``pictures``, ``prior_pictures`` and ``exercises`` hold what the notebook draws and
checks (``ink`` and ``plane`` have sheets of digits, and the plane of two latents);
``gate`` says what may come in.
"""

from course_utils.vae.model import VAE, kl_to_standard_normal
from course_utils.vae.training import binarise, train_vae
