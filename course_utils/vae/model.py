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
from torch.distributions import Bernoulli, Distribution, Normal

from course_utils.arguments import check_binary, check_data, check_shape, require
from course_utils.networks import SavedModule, layers
from course_utils.training import seeded

LIKELIHOODS = ("bernoulli", "normal", "normal_shared")
LOGVAR_RANGE = (-12.0, 12.0)  # σ from 0.0025 to 400: neither 0 nor infinity
DECODED_ROWS = 6_000  # how many z are decoded at once when memory matters


def kl_to_standard_normal(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − 1 − log σ²), for each entry, in nats.

    Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def _normal(mu: torch.Tensor, logvar: torch.Tensor) -> Normal:
    return Normal(mu, (0.5 * logvar).exp(), validate_args=False)  # σ = exp(½ log σ²)


class Encoder(nn.Module):
    """x ``(n, data_dim)`` → q(z | x), a ``Normal`` with ``(n, latent_dim)`` means.

    ``hidden`` lists the widths of the layers between; without any, it is linear.
    """

    def __init__(self, data_dim, latent_dim, hidden=(400,), activation="silu"):
        super().__init__()
        # two outputs for each latent: its μ and its log σ²
        self.network = layers([data_dim, *hidden, 2 * latent_dim], activation)

    def parameters_of_q(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """μ and log σ² of q(z | x), each ``(n, latent_dim)``."""
        dtype = self.network[0].weight.dtype
        # autocast may compute in 16 bits; the bound itself is added up in full
        mu, logvar = self.network(x.to(dtype)).to(dtype).chunk(2, dim=-1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def forward(self, x: torch.Tensor) -> Normal:
        """q(z | x)."""
        return _normal(*self.parameters_of_q(x))


class Decoder(nn.Module):
    """z ``(…, latent_dim)`` → p(x | z) over ``(…, data_dim)``.

    ``likelihood`` is ``"bernoulli"`` (x is 0 or 1), ``"normal"`` (the network gives the
    mean and the log-variance of every entry, as on the slides), or ``"normal_shared"``
    (it gives the mean; one learned σ serves all entries and all z).
    """

    def __init__(self, latent_dim, data_dim, hidden, likelihood, activation):
        super().__init__()
        known = likelihood in LIKELIHOODS
        require(likelihood=(repr(likelihood), known, f"one of {LIKELIHOODS}"))
        self.likelihood = likelihood
        outputs = 2 * data_dim if likelihood == "normal" else data_dim
        self.network = layers([latent_dim, *hidden, outputs], activation)
        if likelihood == "normal_shared":  # without hidden layers: probabilistic PCA
            self.logvar = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> Distribution:
        """p(x | z), one independent factor per entry of x."""
        out = self.network(z).to(self.network[0].weight.dtype)  # (…, outputs)
        if self.likelihood == "bernoulli":
            return Bernoulli(logits=out, validate_args=False)
        if self.likelihood == "normal":
            mu, logvar = out.chunk(2, dim=-1)
        else:
            mu, logvar = out, self.logvar
        return _normal(mu, logvar.clamp(*LOGVAR_RANGE).expand(mu.shape))


class Bound(NamedTuple):
    """The two parts of the ELBO, nats per example; ``elbo`` is their difference."""

    reconstruction: torch.Tensor
    kl: torch.Tensor

    @property
    def elbo(self) -> torch.Tensor:
        """E_q[log p(x | z)] − KL(q(z | x) ‖ p(z))."""
        return self.reconstruction - self.kl


class VAE(SavedModule):
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
        require(latent_dim=(latent_dim, latent_dim > 0, "positive"))
        self.data_dim, self.latent_dim = data_dim, latent_dim
        self.settings = {"data_dim": data_dim, "latent_dim": latent_dim}
        self.settings |= {"hidden": list(hidden), "likelihood": likelihood}
        self.settings |= {"activation": activation}
        back = list(hidden)[::-1]  # wide near x, narrow near z, on both sides
        with seeded(seed):
            self.encoder = Encoder(data_dim, latent_dim, hidden, activation)
            self.decoder = Decoder(latent_dim, data_dim, back, likelihood, activation)

    @property
    def prior(self) -> Normal:
        """p(z) = N(0, I), with ``(latent_dim,)`` means."""
        zeros = torch.zeros(self.latent_dim, dtype=self.dtype)
        return Normal(zeros, zeros + 1, validate_args=False)

    def encode(self, x: torch.Tensor) -> Normal:
        """q(z | x), ``(n, latent_dim)``. Raises ``ValueError`` for wrong data."""
        return self.encoder(self.check(x))

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
        z = mu + (0.5 * logvar).exp() * noise  # reparameterized: gradients reach μ, σ
        # the entries of x are independent given z: their logs add up
        log_p = self.decoder(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        return log_p, kl_to_standard_normal(mu, logvar)

    def elbo(self, x: torch.Tensor, noise: torch.Tensor | None = None) -> Bound:
        """The ELBO of the batch, in two parts, from one draw of z per example."""
        log_p, kl = self.terms(self.check(x), noise)
        return Bound(log_p.mean(), kl.sum(dim=-1).mean())

    def log_weights(self, x, k: int, noise: torch.Tensor | None = None):
        """log p(x, z_j) − log q(z_j | x) for k draws of z per example: ``(k, n)``."""
        q = self.encoder(x)
        shape = (k, *q.mean.shape)
        noise = torch.randn(shape, dtype=q.mean.dtype) if noise is None else noise
        z = q.mean + q.stddev * noise  # (k, n, latent_dim)
        log_p = self.decoder(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        # no formula for the KL here: the ratio needs log p(z) − log q(z) of each draw
        return log_p + (self.prior.log_prob(z) - q.log_prob(z)).sum(dim=-1)

    @torch.no_grad()
    def iwae(self, x: torch.Tensor, k: int = 100) -> torch.Tensor:
        """log (1/k) Σ_j p(x, z_j) / q(z_j | x) for each example: ``(n,)``, in nats.

        A lower bound on log p(x) on average, tighter as k grows (Burda et al. 2016).
        The draws are made in chunks, so that memory does not grow with k.
        """
        x = self.check(x)
        require(k=(k, k >= 1, "at least 1"))
        draws = min(k, 500)  # of each example at once
        parts = []
        for rows in x.split(max(1, DECODED_ROWS // draws)):
            # the log of a growing sum; it starts at log 0 = −∞
            total = rows.new_full((len(rows),), -math.inf, dtype=self.dtype)
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
        kind = self.decoder.likelihood
        require(likelihood=(repr(kind), kind == "bernoulli", "'bernoulli' for this"))
        bias = logits_of_mean(self.check(x, grey=True), self.dtype)
        with torch.no_grad():  # sigmoid(bias) = mean
            self.decoder.network[-1].bias.copy_(bias)

    def check(self, x: torch.Tensor, name: str = "x", grey: bool = False):
        """``x``, if this model can score it; else a ``ValueError`` that says why not.

        A Bernoulli takes zeros and ones; with ``grey`` also grey levels, uint8.
        """
        if self.decoder.likelihood == "bernoulli":
            return check_pixels(x, self.data_dim, name, grey)
        return check_data(x, self.data_dim, name)


def logits_of_mean(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The logit of each pixel's mean, ``(pixels,)``; x is zeros and ones, or uint8."""
    # in parts: a float copy of x is large
    mean = sum(part.to(dtype).sum(0) for part in x.split(5000)) / len(x)
    mean = mean / 255 if x.dtype == torch.uint8 else mean
    return mean.clamp(0.001, 0.999).logit()  # a mean of 0 has no finite logit


def check_pixels(x, data_dim: int, name: str = "x", grey: bool = False):
    """``x``, if it is zeros and ones or booleans ``(n, data_dim)``; ``grey``: uint8."""
    if isinstance(x, torch.Tensor) and x.dtype in (torch.uint8, torch.bool):
        if x.dtype == torch.uint8 and not grey:
            raise ValueError(
                f"{name} holds grey levels (uint8); binarise({name}) first"
            )
        check_shape(x, data_dim, name)
        return x
    check_binary(check_data(x, data_dim, name), name)
    return x
