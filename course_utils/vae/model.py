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

from course_utils.arguments import (
    check_data,
    check_finite,
    check_shape,
    counts,
    floats,
    one_of,
    positive,
    require,
    seed_of,
)
from course_utils.networks import SavedModule, layers, whole_numbers
from course_utils.training import seeded
from course_utils.vae.gate import check_noise, check_not_grey, check_pixels, same_shape

LIKELIHOODS = ("bernoulli", "normal", "normal_shared")
LOGVAR_RANGE = (-12.0, 12.0)  # σ from 0.0025 to 400: neither 0 nor infinity
DECODED_ROWS = 6_000  # how many z are decoded at once when memory matters


def kl_to_standard_normal(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − 1 − log σ²), for each entry, in nats.

    ``mu`` and ``logvar`` have one shape; ``ValueError`` where the KL is beyond all
    floats. No rounding brings it below 0. Kingma and Welling 2014, appendix B.
    """
    mu, logvar = same_shape(mu=mu, logvar=logvar)
    kl = _kl(mu, logvar)
    if not bool(kl.isfinite().all()):
        got = f"|mu| up to {mu.abs().max():g}, logvar up to {logvar.max():g}"
        raise ValueError(f"the KL of mu and logvar must be finite, got {got}")
    return kl


def _kl(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)
    with torch.no_grad():
        # near N(0, 1) the terms cancel, even to less than 0: there expm1 gives the
        # value; the gradient needs no such care
        exact = 0.5 * (mu.square() + (logvar.expm1() - logvar).clamp_min(0))
        change = torch.where(kl.isfinite(), exact - kl, 0.0)
    return kl + change


def _normal(mu: torch.Tensor, logvar: torch.Tensor) -> Normal:
    return Normal(mu, (0.5 * logvar).exp(), validate_args=False)  # σ = exp(½ log σ²)


class Encoder(nn.Module):
    """x ``(n, data_dim)`` → q(z | x), a ``Normal`` with ``(n, latent_dim)`` means.

    ``hidden`` lists the widths of the layers between; without any, it is linear.
    """

    @torch.inference_mode(False)  # weights of that mode could never be trained
    def __init__(self, data_dim, latent_dim, hidden=(400,), activation="silu"):
        super().__init__()
        hidden = _check_sizes(data_dim, latent_dim, hidden)
        # two outputs for each latent: its μ and its log σ²
        self.network = layers([data_dim, *hidden, 2 * latent_dim], activation)

    def parameters_of_q(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """μ and log σ² of q(z | x), each ``(n, latent_dim)``."""
        first = self.network[0]
        check_not_grey(x)
        x = floats(x, "x", first.weight.dtype)
        check_shape(x, first.in_features)
        check_finite(x)
        # autocast may compute in 16 bits; the bound itself is added up in full
        mu, logvar = self.network(x).to(x.dtype).chunk(2, dim=-1)
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

    @torch.inference_mode(False)  # weights of that mode could never be trained
    def __init__(self, latent_dim, data_dim, hidden, likelihood, activation):
        super().__init__()
        hidden = _check_sizes(data_dim, latent_dim, hidden)
        one_of(LIKELIHOODS, likelihood=likelihood)
        self.likelihood = likelihood
        outputs = 2 * data_dim if likelihood == "normal" else data_dim
        self.network = layers([latent_dim, *hidden, outputs], activation)
        if likelihood == "normal_shared":  # without hidden layers: probabilistic PCA
            self.logvar = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> Distribution:
        """p(x | z), one independent factor per entry of x."""
        first = self.network[0]
        z = floats(z, "z", first.weight.dtype)
        if z.shape[-1:] != (first.in_features,):
            raise ValueError(
                f"z must have {first.in_features} columns, got shape {tuple(z.shape)}"
            )
        got = f"shape {tuple(z.shape)}"
        require(z=(got, z.numel() > 0, "at least one row"))
        check_finite(z, "z")
        return self.given(z)

    def given(self, z: torch.Tensor) -> Distribution:
        """p(x | z) where z comes from the encoder, and nobody has to look at it."""
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

    @torch.inference_mode(False)
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
        hidden = _check_sizes(data_dim, latent_dim, hidden)
        self.data_dim, self.latent_dim = int(data_dim), int(latent_dim)
        self.settings = {"data_dim": self.data_dim, "latent_dim": self.latent_dim}
        self.settings |= {"hidden": hidden, "likelihood": likelihood}
        self.settings |= {"activation": activation}
        back = hidden[::-1]  # wide near x, narrow near z, on both sides
        with seeded(seed_of(seed)):
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
        return self.decoder(z)

    def sample(self, n: int) -> torch.Tensor:
        """New x ``(n, data_dim)``: z from the prior, then x from p(x | z)."""
        counts(n=n)
        with torch.no_grad():
            return self.decode(self.prior.sample((n,))).sample()

    def reconstruct(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of p(x | z) for one z drawn from q(z | x): ``(n, data_dim)``."""
        with torch.no_grad():
            return self.decode(self.encode(x).sample()).mean

    def terms(self, x, noise: torch.Tensor | None = None, checked: bool = False):
        """log p(x | z) ``(n,)`` at z = μ + σ · noise, and the KL of each z ``(n, d)``.

        ``noise`` is ``(n, latent_dim)``, drawn from N(0, 1) if it is not given. With
        ``checked`` a loop has looked at all x already: they are used as they are.
        """
        x = x if checked else self.check(x)
        mu, logvar = self.encoder.parameters_of_q(x)
        noise = torch.randn_like(mu) if noise is None else check_noise(noise, mu)
        z = mu + (0.5 * logvar).exp() * noise  # reparameterized: gradients reach μ, σ
        # the entries of x are independent given z: their logs add up
        log_p = self.decoder.given(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        return log_p, _kl(mu, logvar)

    def elbo(self, x: torch.Tensor, noise: torch.Tensor | None = None) -> Bound:
        """The ELBO of the batch, in two parts, from one draw of z per example."""
        log_p, kl = self.terms(x, noise)
        return Bound(log_p.mean(), kl.sum(dim=-1).mean())

    def log_weights(self, x, k: int, noise=None, checked: bool = False):
        """log p(x, z_j) − log q(z_j | x) for k draws of z per example: ``(k, n)``.

        ``noise`` is ``(k, n, latent_dim)``; it and ``checked`` are those of ``terms``.
        """
        counts(k=k)
        x = x if checked else self.check(x)
        q = self.encoder(x)
        like = q.mean.expand(k, *q.mean.shape)
        if noise is None:
            noise = torch.randn(like.shape, dtype=like.dtype)
        z = q.mean + q.stddev * check_noise(noise, like)  # (k, n, latent_dim)
        log_p = self.decoder.given(z).log_prob(x.to(z.dtype)).sum(dim=-1)
        # no formula for the KL here: the ratio needs log p(z) − log q(z) of each draw
        return log_p + (self.prior.log_prob(z) - q.log_prob(z)).sum(dim=-1)

    @torch.no_grad()
    def iwae(self, x: torch.Tensor, k: int = 100) -> torch.Tensor:
        """log (1/k) Σ_j p(x, z_j) / q(z_j | x) for each example: ``(n,)``, in nats.

        A lower bound on log p(x) on average, tighter as k grows (Burda et al. 2016).
        The draws are made in chunks, so that memory does not grow with k.
        """
        x = self.check(x)
        counts(k=k)
        draws = min(int(k), 500)  # of each example at once
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
        bias = logits_of_mean(x, self.data_dim, self.dtype)
        with torch.no_grad():  # sigmoid(bias) = mean
            self.decoder.network[-1].bias.copy_(bias)

    def check(self, x: torch.Tensor, name: str = "x", grey: bool = False):
        """``x``, if this model can score it; else a ``ValueError`` that says why not.

        A Bernoulli takes zeros and ones; with ``grey`` also grey levels, uint8.
        """
        if self.decoder.likelihood == "bernoulli":
            return check_pixels(x, self.data_dim, name, grey)
        return check_data(x, self.data_dim, name)


def logits_of_mean(x: torch.Tensor, data_dim: int, dtype: torch.dtype) -> torch.Tensor:
    """The logit of each pixel's mean, ``(data_dim,)``.

    x is ``(n, data_dim)``, zeros and ones or grey levels as uint8.
    """
    counts(data_dim=data_dim)
    check_pixels(x, data_dim, grey=True)
    # in parts: a float copy of x is large
    mean = sum(part.to(dtype).sum(0) for part in x.split(5000)) / len(x)
    mean = mean / 255 if x.dtype == torch.uint8 else mean
    return mean.clamp(0.001, 0.999).logit()  # a mean of 0 has no finite logit


def _check_sizes(data_dim: int, latent_dim: int, hidden: Sequence[int]) -> list[int]:
    """``hidden`` as a list; layers without units are left to ``layers``."""
    counts(0, data_dim=data_dim)
    positive(latent_dim=latent_dim)
    counts(latent_dim=latent_dim)
    return whole_numbers(hidden, "hidden")
