"""Latent-variable models whose truth is known: the oracles of notebook 03.

Each model has a latent ``z`` and an observation ``x``, and knows log p(x, z), exactly
``log_prob(x)`` = log p(x), and the posterior p(z | x). What makes it exact differs:
algebra (``GaussianMean``; ``ppca`` has another), a sum over every z
(``BinaryLatents``), or an integral on a grid (``GridModel``). Nats, float64.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.distributions import Normal
from torch.special import entr

from course_utils.arguments import positive


def _float64(*values: float) -> torch.Tensor:
    """Python numbers alone would become float32 inside ``torch.distributions``."""
    return torch.tensor(values, dtype=torch.float64)


@dataclass(frozen=True)
class GaussianMean:
    """One unknown mean: z ~ N(prior_mean, prior_sigma²), then x_i ~ N(z, noise_sigma²).

    ``x`` is the whole data set, ``(n,)``: all n values share the one z.
    """

    prior_mean: float = 0.0
    prior_sigma: float = 1.0
    noise_sigma: float = 1.0

    def __post_init__(self):
        positive(prior_sigma=self.prior_sigma, noise_sigma=self.noise_sigma)

    @property
    def prior(self) -> Normal:
        """p(z), in float64."""
        return Normal(*_float64(self.prior_mean, self.prior_sigma))

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(x, z) for ``z`` of any shape; the result has that shape."""
        noise = Normal(z[..., None], self.noise_sigma)
        return self.prior.log_prob(z) + noise.log_prob(x).sum(-1)

    def posterior(self, x: torch.Tensor) -> Normal:
        """Precisions add: 1/noise_sigma² for each x_i, 1/prior_sigma² for the prior."""
        precision = self._precision(x)
        # each number pulls the mean towards itself, with its own precision
        pull = self.prior_mean * self.prior_sigma**-2 + x.sum() * self.noise_sigma**-2
        return Normal(pull / precision, *_float64(precision**-0.5))

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) = log p(x, z) − log p(z | x), by Bayes, at any z: here z = 0."""
        (z,) = _float64(0)
        return self.log_joint(x, z) - self.posterior(x).log_prob(z)

    def elbo(self, x: torch.Tensor, q: Normal) -> torch.Tensor:
        """E_q[log p(x, z)] + H(q) without sampling: the joint is quadratic in z."""
        # a parabola's mean is its value at the mean of q, plus ½ curvature · variance
        curved = -self._precision(x) * q.variance / 2
        return self.log_joint(x, q.mean) + curved + q.entropy()

    def _precision(self, x: torch.Tensor) -> float:
        return self.prior_sigma**-2 + len(x) * self.noise_sigma**-2


@dataclass(frozen=True)
class BinaryLatents:
    """A bag of unseen items: z ∈ {0,1}^D, x ~ N(Σ_j z_j weights_j, noise_sigma²).

    Item j is in the bag with probability ½. Everything is a sum over the 2^D bags:
    element i of a table belongs to the bag whose item j is bit j of i.
    """

    weights: torch.Tensor
    noise_sigma: float = 0.1

    def totals(self) -> torch.Tensor:
        """What each bag weighs, ``(2^D,)``: each new item doubles the list."""
        totals = torch.zeros(1, dtype=self.weights.dtype)
        for weight in self.weights:  # first the bags without this item, then with it
            totals = torch.cat([totals, totals + weight])
        return totals

    def log_joint_table(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z) of all 2^D bags, ``(2^D,)``."""
        log_prior = -len(self.weights) * math.log(2)  # D fair coins
        return log_prior + Normal(self.totals(), self.noise_sigma).log_prob(x)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x): the log of the sum over all bags."""
        return self.log_joint_table(x).logsumexp(0)

    def posterior(self, x: torch.Tensor) -> torch.Tensor:
        """p(z | x) as a table of 2^D probabilities."""
        return self.log_joint_table(x).softmax(0)

    def elbo(self, x: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        """Exact, for a table ``q`` of 2^D probabilities (0 · log 0 is 0)."""
        return (q * self.log_joint_table(x) + entr(q)).sum(-1)


@dataclass(frozen=True)
class GridModel:
    """One continuous z on a grid: any prior, any likelihood, no algebra needed.

    ``log_likelihood(x, z)`` gives log p(x | z), with sample dimensions of ``z`` in
    front of the batch shape of ``x``, as in ``torch.distributions``.
    """

    prior: Normal
    log_likelihood: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    grid: torch.Tensor

    def __post_init__(self):
        # a grid that cuts mass off gives a wrong evidence without any other sign
        mass = torch.trapezoid(self.prior.log_prob(self.grid).exp(), self.grid)
        if abs(mass - 1) > 1e-8:
            raise ValueError(
                f"grid must hold the prior's mass 1, it holds {mass:.10f}: "
                "extend it on both sides, or refine it"
            )

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(z) + log p(x | z)."""
        return self.prior.log_prob(z) + self.log_likelihood(x, z)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log ∫ p(x, z) dz; every second grid point must give the same, to 1e-8."""
        log_joint = self._on_grid(x)
        fine = self._log_integral(log_joint, self.grid)
        coarse = self._log_integral(log_joint[::2], self.grid[::2])
        worst = (fine - coarse).abs().max().item()
        if not worst <= 1e-8:
            raise ValueError(
                "grid is too coarse for p(x, z): without every second point, "
                f"log p(x) moves by {worst:.1e}"
            )
        return fine

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """log p(z | x) on the grid: ``(n,)`` in front of the batch shape."""
        return self._on_grid(x) - self.log_prob(x)

    def _on_grid(self, x: torch.Tensor) -> torch.Tensor:
        # one value of z shows the batch shape of x; the grid goes in front of it
        batch_shape = self.log_likelihood(x, self.grid[0]).shape
        return self.log_joint(x, self.grid.reshape(-1, *[1] * len(batch_shape)))

    @staticmethod
    def _log_integral(log_values: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        top = log_values.amax(0)  # log-sum-exp, with the weights of the rule
        return top + torch.trapezoid((log_values - top).exp(), grid, dim=0).log()


def circle_model(turn: float = 2.0, noise_sigma: float = 0.4) -> GridModel:
    """A bent one-dimensional world: z ~ N(0, 1) is an angle, x a noisy point at it.

    x ~ N((cos(turn · z), sin(turn · z)), noise_sigma² I). The angles turn · z and
    turn · z + 2π are the same, so one x has several explanations: on the left of the
    circle two of them are equally probable, and the posterior has two peaks.
    """

    def log_likelihood(x, z):
        # z of any shape gives points (..., 2)
        point = torch.stack([(turn * z).cos(), (turn * z).sin()], dim=-1)
        return Normal(point, noise_sigma).log_prob(x).sum(-1)

    # 8 standard deviations: outside lies less than 1e-14 of the prior
    grid = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    return GridModel(Normal(0.0, 1.0), log_likelihood, grid)
