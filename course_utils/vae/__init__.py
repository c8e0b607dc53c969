"""Notebook 04: the variational auto-encoder, and VQ-VAE.

Read ``networks`` and ``model``, then ``training``, then ``codes`` (VQ-VAE).
"""

from course_utils.vae.codes import VQVAE, train_vq_vae
from course_utils.vae.model import VAE, Bound
from course_utils.vae.networks import Decoder, Encoder, kl_to_standard_normal
from course_utils.vae.pixels import binarise
from course_utils.vae.training import VAEState, train_vae
