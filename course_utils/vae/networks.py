"""The two networks of a VAE, and the KL between them that has a formula."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.distributions import Bernoulli, Distribution, Normal

LIKELIHOODS = ("bernoulli", "normal", "normal_shared")
ACTIVATIONS = {"silu": nn.SiLU, "tanh": nn.Tanh, "relu": nn.ReLU}
LOGVAR_RANGE = (-12.0, 12.0)  # σ from 0.0025 to 400: neither 0 nor infinity


def kl_to_standard_normal(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − 1 − log σ²), for each entry, in nats.

    Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def _layers(widths: Sequence[int], activation: str) -> nn.Sequential:
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {tuple(ACTIVATIONS)}, got {activation!r}"
        )
    if min(widths) < 1:
        raise ValueError(f"every layer needs at least 1 unit, got {tuple(widths)}")
    parts = []
    for n_in, n_out in pairwise(widths):
        parts += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts[:-1])


def _normal(mu: torch.Tensor, logvar: torch.Tensor) -> Normal:
    return Normal(mu, (0.5 * logvar).exp(), validate_args=False)


class Encoder(nn.Module):
    """x ``(n, data_dim)`` → q(z | x), a ``Normal`` with ``(n, latent_dim)`` means.

    ``hidden`` lists the widths of the layers between; without any, it is linear.
    """

    def __init__(self, data_dim, latent_dim, hidden=(400,), activation="silu"):
        super().__init__()
        self.network = _layers([data_dim, *hidden, 2 * latent_dim], activation)

    def parameters_of_q(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """μ and log σ² of q(z | x), each ``(n, latent_dim)``."""
        weight = self.network[0].weight
        mu, logvar = self.network(x.to(weight.dtype)).to(weight.dtype).chunk(2, dim=-1)
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

    def __init__(
        self,
        latent_dim,
        data_dim,
        hidden=(400,),
        likelihood="bernoulli",
        activation="silu",
    ):
        super().__init__()
        if likelihood not in LIKELIHOODS:
            raise ValueError(
                f"likelihood must be one of {LIKELIHOODS}, got {likelihood!r}"
            )
        self.likelihood = likelihood
        outputs = 2 * data_dim if likelihood == "normal" else data_dim
        self.network = _layers([latent_dim, *hidden, outputs], activation)
        if likelihood == "normal_shared":
            self.logvar = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> Distribution:
        """p(x | z), one independent factor per entry of x."""
        out = self.network(z).to(self.network[0].weight.dtype)
        if self.likelihood == "bernoulli":
            return Bernoulli(logits=out, validate_args=False)
        if self.likelihood == "normal":
            mu, logvar = out.chunk(2, dim=-1)
        else:
            mu, logvar = out, self.logvar
        return _normal(mu, logvar.clamp(*LOGVAR_RANGE).expand(mu.shape))
