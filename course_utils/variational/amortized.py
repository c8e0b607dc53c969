"""Amortized inference: one network that answers for every x, and what that costs.

``AmortizedEncoder`` is f_w: x → φ; ``train_encoder`` fits w; ``fit_each_point`` gives
every x its own φ by optimization, which is what the network saves. Nats, float64.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal


class AmortizedEncoder(nn.Module):
    """f_w: x → (mean, logvar) of a diagonal normal q(z | x).

    ``hidden`` lists the widths of the tanh layers between; without any, f_w is linear.
    ``latent_shape`` is ``(d,)``, or ``()`` for a single number z.
    """

    def __init__(
        self,
        data_dim: int,
        latent_shape: tuple[int, ...] = (),
        hidden: Sequence[int] = (),
        seed: int = 0,
    ):
        super().__init__()
        self.latent_shape = torch.Size(latent_shape)
        widths = [data_dim, *hidden, 2 * math.prod(latent_shape)]
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out, dtype=torch.float64), nn.Tanh()]
        self.network = nn.Sequential(*layers[:-1])
        self._initialise(torch.Generator().manual_seed(seed))

    def _initialise(self, generator: torch.Generator) -> None:
        for layer in self.network[::2]:
            bound = 1 / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        with torch.no_grad():
            self.network[-1].weight.mul_(0.1)

    def forward(self, x: torch.Tensor) -> Distribution:
        """q(z | x) for x ``(..., data_dim)``: one forward pass, no optimization."""
        if not bool(torch.isfinite(x).all()):
            raise ValueError("x holds NaN or infinity")
        mean, logvar = self.network(x).chunk(2, dim=-1)
        shape = (*x.shape[:-1], *self.latent_shape)
        return _normal(
            mean.reshape(shape), logvar.reshape(shape), len(shape) - x.ndim + 1
        )


@dataclass(frozen=True)
class EncoderState:
    """One step of ``train_encoder``: the minibatch estimate of the mean ELBO."""

    step: int
    elbo: float


def train_encoder(
    encoder: AmortizedEncoder,
    log_joint: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    n_steps: int = 1000,
    batch_size: int = 100,
    n_samples: int = 4,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> Iterator[EncoderState]:
    """Climb (1/m) Σ_i L(x_i; θ, f_w(x_i)) in w: minibatches, z = μ + σ ε, Adam.

    ``log_joint(x, z)`` is log p(x, z), its θ stays as it is. ``encoder`` changes in
    place; the step size falls linearly to zero. Source: slides "Amortized inference".
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(encoder.parameters(), learning_rate, maximize=True)
    for step in range(n_steps):
        batch = x[torch.randint(len(x), (batch_size,), generator=generator)]
        q = encoder(batch)
        shape = (n_samples, *q.mean.shape)
        noise = torch.randn(shape, dtype=x.dtype, generator=generator)
        z = q.mean + q.stddev * noise
        elbo = (log_joint(batch, z) - q.log_prob(z)).mean()
        optimizer.zero_grad()
        elbo.backward()
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / n_steps)
        optimizer.step()
        yield EncoderState(step, elbo.item())


@dataclass(frozen=True)
class PointsState:
    """The best q_i found so far for every x_i, and its ELBO ``(m,)``."""

    step: int
    q: Distribution
    elbo: torch.Tensor


def fit_each_point(
    elbo_of: Callable[[Distribution], torch.Tensor],
    start: Distribution,
    n_steps: int = 300,
    learning_rate: float = 0.1,
) -> Iterator[PointsState]:
    """Give every x_i its own mean and logvar, and climb all their ELBOs at once.

    ``elbo_of(q)`` returns one exact ELBO per point, ``(m,)``, with gradients. Adam may
    step down; the states keep the best, so that ``elbo`` never falls below its start.
    """
    event_ndim = len(start.event_shape)
    mean = start.mean.detach().clone().requires_grad_()
    logvar = start.variance.detach().log().requires_grad_()
    best_mean, best_logvar, best = mean.detach(), logvar.detach(), None
    optimizer = torch.optim.Adam([mean, logvar], learning_rate, maximize=True)
    for step in range(n_steps + 1):
        elbo = elbo_of(_normal(mean, logvar, event_ndim))
        optimizer.zero_grad()
        elbo.sum().backward()
        with torch.no_grad():
            better = elbo > (-math.inf if best is None else best)
            best = elbo.clone() if best is None else torch.where(better, elbo, best)
            pick = better.reshape(*better.shape, *[1] * event_ndim)
            best_mean = torch.where(pick, mean, best_mean)
            best_logvar = torch.where(pick, logvar, best_logvar)
        yield PointsState(step, _normal(best_mean, best_logvar, event_ndim), best)
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / (n_steps + 1))
        optimizer.step()


def _normal(mean: torch.Tensor, logvar: torch.Tensor, event_ndim: int) -> Distribution:
    q = Normal(mean, (logvar / 2).exp(), validate_args=False)
    return Independent(q, event_ndim, validate_args=False) if event_ndim else q
