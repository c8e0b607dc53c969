"""The variational auto-encoder: two networks, one bound (notebook 04).

The encoder gives q(z | x), the decoder p(x | z), both as ``torch.distributions``. Sums
over dimensions, means over the batch, nats per example; ``logvar`` is log σ². z is
always drawn by an explicit call, and nothing depends on train or eval mode. Slides:
*Variational auto-encoder*; Kingma and Welling 2014; Rezende et al. 2014.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.distributions import Distribution, Normal

from course_utils.files import ModelFileError, read_model, write_model
from course_utils.training import seeded
from course_utils.vae.networks import Decoder, Encoder, kl_to_standard_normal
from course_utils.vae.pixels import binarise, check_data
from course_utils.vae.training import VAEState, train_vae

__all__ = [
    "VAE",
    "Bound",
    "Decoder",
    "Encoder",
    "ModelFileError",
    "VAEState",
    "binarise",
    "kl_to_standard_normal",
    "train_vae",
]

DECODED_ROWS = 6_000  # how many z are decoded at once when memory matters


class Bound(NamedTuple):
    """The two parts of the ELBO, nats per example; ``elbo`` is their difference."""

    reconstruction: torch.Tensor
    kl: torch.Tensor

    @property
    def elbo(self) -> torch.Tensor:
        """E_q[log p(x | z)] − KL(q(z | x) ‖ p(z))."""
        return self.reconstruction - self.kl


class VAE(nn.Module):
    """z ~ N(0, I), x ~ p(x | z) by the decoder; q(z | x) by the encoder.

    ``hidden`` are the widths of the encoder; the decoder has them in reverse. The start
    of the weights depends on ``seed`` only. x is ``(n, data_dim)``.
    """

    def __init__(
        self,
        data_dim: int = 784,
        latent_dim: int = 20,
        hidden: Sequence[int] = (400,),
        likelihood: str = "bernoulli",
        activation: str = "silu",
        seed: int = 0,
    ):
        super().__init__()
        if data_dim < 1 or latent_dim < 1:
            raise ValueError(
                f"data_dim and latent_dim must be >= 1, got {data_dim}, {latent_dim}"
            )
        self.data_dim, self.latent_dim = data_dim, latent_dim
        self.settings = {
            "data_dim": data_dim,
            "latent_dim": latent_dim,
            "hidden": list(hidden),
            "likelihood": likelihood,
            "activation": activation,
        }
        back = list(hidden)[::-1]
        with seeded(seed):
            self.encoder = Encoder(data_dim, latent_dim, hidden, activation)
            self.decoder = Decoder(latent_dim, data_dim, back, likelihood, activation)

    @property
    def prior(self) -> Normal:
        """p(z) = N(0, I), with ``(latent_dim,)`` means."""
        zeros = self.encoder.network[0].weight.new_zeros(self.latent_dim)
        return Normal(zeros, zeros + 1, validate_args=False)

    def encode(self, x: torch.Tensor) -> Normal:
        """q(z | x), ``(n, latent_dim)``. Raises ``ValueError`` for wrong data."""
        return self.encoder(check_data(x, self))

    def decode(self, z: torch.Tensor) -> Distribution:
        """p(x | z): ``(…, latent_dim)`` to a ``Bernoulli`` or ``Normal``."""
        if z.shape[-1:] != (self.latent_dim,):
            raise ValueError(
                f"z must have {self.latent_dim} columns, got shape {tuple(z.shape)}"
            )
        return self.decoder(z)

    def sample(self, n: int) -> torch.Tensor:
        """New x ``(n, data_dim)``: z from the prior, then x from p(x | z)."""
        with torch.no_grad():
            return self.decode(self.prior.sample((n,))).sample()

    def reconstruct(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of p(x | z) for one z drawn from q(z | x): ``(n, data_dim)``."""
        with torch.no_grad():
            return self.decode(self.encode(x).sample()).mean

    def terms(self, x: torch.Tensor, noise: torch.Tensor | None = None):
        """log p(x | z) ``(n,)`` at z = μ + σ · noise, and the KL of each z ``(n, d)``.

        ``noise`` is ``(n, latent_dim)``, drawn from N(0, 1) if it is not given.
        """
        mu, logvar = self.encoder.parameters_of_q(x)
        noise = torch.randn_like(mu) if noise is None else noise
        z = mu + (0.5 * logvar).exp() * noise
        log_p = self.decoder(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        return log_p, kl_to_standard_normal(mu, logvar)

    def elbo(self, x: torch.Tensor, noise: torch.Tensor | None = None) -> Bound:
        """The ELBO of the batch, in two parts, from one draw of z per example."""
        log_p, kl = self.terms(check_data(x, self), noise)
        return Bound(log_p.mean(), kl.sum(dim=-1).mean())

    def log_weights(self, x, k: int, noise: torch.Tensor | None = None):
        """log p(x, z_j) − log q(z_j | x) for k draws of z per example: ``(k, n)``."""
        q = self.encoder(x)
        shape = (k, *q.mean.shape)
        noise = torch.randn(shape, dtype=q.mean.dtype) if noise is None else noise
        z = q.mean + q.stddev * noise
        log_p = self.decoder(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        return log_p + (self.prior.log_prob(z) - q.log_prob(z)).sum(dim=-1)

    @torch.no_grad()
    def iwae(self, x: torch.Tensor, k: int = 100) -> torch.Tensor:
        """log (1/k) Σ_j p(x, z_j) / q(z_j | x) for each example: ``(n,)``, in nats.

        A lower bound on log p(x) on average, tighter as k grows (Burda et al. 2016).
        The draws are made in chunks, so that memory does not grow with k.
        """
        x = check_data(x, self)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        draws = min(k, 500)
        parts = []
        for rows in x.split(max(1, DECODED_ROWS // draws)):
            total = rows.new_full((len(rows),), -math.inf, dtype=self.prior.mean.dtype)
            for done in range(0, k, draws):
                weights = self.log_weights(rows, min(draws, k - done))
                total = torch.logaddexp(total, weights.logsumexp(dim=0))
            parts.append(total - math.log(k))
        return torch.cat(parts)

    def begin_at_mean_of(self, x: torch.Tensor) -> None:
        """Set the last bias so that p(x | z) starts at the mean of Bernoulli data.

        x is ``(n, data_dim)``, zeros and ones or grey levels as uint8; anything else,
        or another ``likelihood``, is a ``ValueError``.
        """
        likelihood = self.decoder.likelihood
        if likelihood != "bernoulli":
            raise ValueError(
                f"likelihood must be 'bernoulli' for this, got {likelihood!r}"
            )
        parts = check_data(x, self, grey=True).split(5000)  # a float copy of x is large
        mean = sum(part.to(self.prior.mean.dtype).sum(0) for part in parts) / len(x)
        mean = mean / 255 if x.dtype == torch.uint8 else mean
        with torch.no_grad():
            self.decoder.network[-1].bias.copy_(mean.clamp(0.001, 0.999).logit())

    def save(self, path) -> None:
        """Write settings and parameters as tensors; the old file stays until done."""
        write_model(path, self.settings, self.state_dict())

    @classmethod
    def load(cls, path) -> "VAE":
        """Read what ``save`` wrote. Raises ``ModelFileError``; runs no code."""
        settings, parameters = read_model(path)
        try:
            model = cls(**settings)
            model.load_state_dict(parameters)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ModelFileError(path, "does not hold a VAE of this course") from error
        return model.to(parameters["encoder.network.0.weight"].dtype)
