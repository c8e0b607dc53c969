"""Notebook 04: the variational auto-encoder, and VQ-VAE.

Read ``model`` first: the two networks, the KL that has a formula, and the ELBO with its
two terms (sections 1, 2 and 8 of the notebook). Then ``training``: zeros and ones from
grey digits, and the loop that climbs the bound (sections 3 to 7). Then ``codes``:
VQ-VAE, with a codebook in place of the Gaussian (section 9). ``pictures`` and
``exercises`` hold what the notebook draws and checks.
"""

from course_utils.vae.model import VAE, kl_to_standard_normal
from course_utils.vae.training import binarise, train_vae
