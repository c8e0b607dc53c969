"""Amortized inference: one network that answers for every x, and what that costs.

``AmortizedEncoder`` is f_w: x → φ; ``train_encoder`` fits w; ``fit_each_point`` gives
every x its own φ by optimization, which is what the network saves. Nats, float64.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Distribution

from course_utils.arguments import (
    check_finite,
    counts,
    floats,
    functions,
    positive,
    require,
    returned,
    seed_of,
)
from course_utils.networks import layers
from course_utils.training import checked
from course_utils.variational.families import diagonal_normal
from course_utils.variational.gradients import ascent, insist


class AmortizedEncoder(nn.Module):
    """f_w: x → (mean, logvar) of a diagonal normal q(z | x).

    ``hidden`` lists the widths of the tanh layers between; without any, f_w is linear.
    ``latent_shape`` is ``(d,)``, or ``()`` for a single number z.
    """

    @torch.inference_mode(False)  # weights of that mode could never be trained
    def __init__(
        self,
        data_dim: int,
        latent_shape: tuple[int, ...] = (),
        hidden: Sequence[int] = (),
        seed: int = 0,
    ):
        super().__init__()
        counts(data_dim=data_dim)
        seed = seed_of(seed)
        for name, widths in (("latent_shape", latent_shape), ("hidden", hidden)):
            if not isinstance(widths, tuple | list | torch.Size):
                raise TypeError(f"{name} must be a tuple, got {widths!r:.60}")
            counts(**{f"{name}[{i}]": width for i, width in enumerate(widths)})
        self.latent_shape = torch.Size(latent_shape)
        outputs = 2 * math.prod(latent_shape)  # the product of no numbers is 1
        self.network = layers([data_dim, *hidden, outputs], "tanh").double()
        # the usual start of PyTorch, ±1/√n_in, but from a seed of its own
        generator = torch.Generator().manual_seed(seed)
        for layer in self.network[::2]:  # every other layer is an activation
            bound = 1 / math.sqrt(layer.in_features)
            for weights in layer.parameters():
                nn.init.uniform_(weights, -bound, bound, generator=generator)
        with torch.no_grad():  # a small last layer: at first, q hardly depends on x
            self.network[-1].weight.mul_(0.1)

    def forward(self, x: torch.Tensor) -> Distribution:
        """q(z | x) for x ``(..., data_dim)``: one forward pass, no optimization."""
        first = self.network[0]
        x = floats(x, "x", first.weight.dtype)
        got, size = f"shape {tuple(x.shape)}", first.in_features
        fits = x.ndim > 0 and x.shape[-1] == size
        require(x=(got, fits, f"numbers of shape (…, {size})"))
        check_finite(x)
        shape = (*x.shape[:-1], *self.latent_shape)
        halves = self.network(x).chunk(2, dim=-1)  # (..., 2d): means, then logvars
        mean, logvar = (half.reshape(shape) for half in halves)
        return diagonal_normal(mean, logvar, len(self.latent_shape))


@dataclass(frozen=True)
class EncoderState:
    """One step of ``train_encoder``: the minibatch estimate of the mean ELBO."""

    step: int
    elbo: float


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
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
    Raises ``FloatingPointError`` where the ELBO or its gradient is no finite number.
    """
    counts(n_steps=n_steps, batch_size=batch_size, n_samples=n_samples)
    seed = seed_of(seed)
    positive(learning_rate=learning_rate)
    functions(log_joint=log_joint)
    if not isinstance(encoder, nn.Module):
        raise TypeError(f"encoder must be a module, got {encoder!r:.60}")
    x = floats(x, "x", next(encoder.parameters()).dtype)
    got = f"shape {tuple(x.shape)}"
    require(x=(got, x.ndim > 1 and x.numel() > 0, "(m, data_dim) with m >= 1"))
    check_finite(x)
    with torch.no_grad():
        encoder(x[:1])  # it refuses what it can't read now, not at the first step
    generator = torch.Generator().manual_seed(seed)
    climb = ascent(encoder.parameters(), n_steps, learning_rate)
    yield
    for step in range(n_steps):
        batch = x[torch.randint(len(x), (batch_size,), generator=generator)]
        with torch.enable_grad():
            q = encoder(batch)
            shape = (n_samples, *q.mean.shape)  # (S, batch_size, d)
            noise = torch.randn(shape, dtype=x.dtype, generator=generator)
            z = q.mean + q.stddev * noise  # gradients pass through z into the network
            log_p, log_q = log_joint(batch, z), q.log_prob(z)
            elbo = (returned(log_p, log_q.shape, "log_joint") - log_q).mean()
        insist(elbo, step)
        climb(elbo)
        yield EncoderState(step, elbo.item())


@dataclass(frozen=True)
class PointsState:
    """The best q_i found so far for every x_i, and its ELBO ``(m,)``."""

    step: int
    q: Distribution
    elbo: torch.Tensor


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def fit_each_point(
    elbo_of: Callable[[Distribution], torch.Tensor],
    start: Distribution,
    n_steps: int = 300,
    learning_rate: float = 0.1,
) -> Iterator[PointsState]:
    """Give every x_i its own mean and logvar, and climb all their ELBOs at once.

    ``elbo_of(q)`` returns one exact ELBO per point, ``(m,)``, with gradients. Adam may
    step down; the states keep the best, so that ``elbo`` never falls below its start.
    Raises ``FloatingPointError`` where an ELBO or its gradient is no finite number.
    """
    counts(0, n_steps=n_steps)
    positive(learning_rate=learning_rate)
    functions(elbo_of=elbo_of)
    if not isinstance(start, Distribution):
        raise TypeError(f"start must be a distribution, got {start!r:.60}")
    event_ndim = len(start.event_shape)  # 1 where z is a vector, 0 where it is a number
    mean = floats(start.mean, "start.mean").detach().clone().requires_grad_()
    logvar = floats(start.variance, "start.variance").detach().log().requires_grad_()
    for name, values in (("start.mean", mean), ("start.variance", logvar)):
        check_finite(values, name)
    best, best_mean, best_logvar = mean.new_tensor(-math.inf), mean, logvar
    climb = ascent([mean, logvar], n_steps + 1, learning_rate)
    yield
    for step in range(n_steps + 1):
        with torch.enable_grad():
            elbo = elbo_of(diagonal_normal(mean, logvar, event_ndim))
            total = returned(elbo, start.batch_shape, "elbo_of").sum()
        if not total.requires_grad:
            raise ValueError("elbo_of must compute with q by torch, got no gradient")
        insist(elbo, step)
        with torch.no_grad():
            better = elbo > best  # (m,): each point keeps its own best step
            best = torch.where(better, elbo, best)
            rows = better.reshape((*better.shape, *[1] * event_ndim))
            best_mean = torch.where(rows, mean, best_mean)
            best_logvar = torch.where(rows, logvar, best_logvar)
        q = diagonal_normal(best_mean.clone(), best_logvar, event_ndim)
        yield PointsState(step, q, best.clone())
        climb(total)  # the gradient of a sum: each φ_i moves by its own ELBO alone
