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
from torch.distributions import Distribution, Normal
from torch.special import entr

from course_utils.arguments import (
    at_home,
    check_finite,
    finite,
    floats,
    functions,
    plain,
    positive,
    require,
    returned,
)
from course_utils.quadrature import log_density

LIMITS = (1e-150, 1e150)  # of a σ: its square is a float, and so is 1/σ²
MOST_ITEMS = 26  # 2^26 bags fill half a gigabyte


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
        sigmas = {"prior_sigma": self.prior_sigma, "noise_sigma": self.noise_sigma}
        positive(**sigmas)
        finite(prior_mean=self.prior_mean)
        for name in ("prior_mean", *sigmas):
            object.__setattr__(self, name, plain(getattr(self, name)))
        rule = "between {:g} and {:g}: use other units".format(*LIMITS)
        for name in sigmas:
            value = getattr(self, name)
            require(**{name: (value, LIMITS[0] <= value <= LIMITS[1], rule)})

    @property
    def prior(self) -> Normal:
        """p(z), in float64."""
        return Normal(*_float64(self.prior_mean, self.prior_sigma))

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(x, z) for ``z`` of any shape; the result has that shape."""
        x, z = _data(x), floats(z, "z", torch.float64)
        check_finite(z, "z")
        noise = Normal(z[..., None], self.noise_sigma)
        return self.prior.log_prob(z) + noise.log_prob(x).sum(-1)

    def posterior(self, x: torch.Tensor) -> Normal:
        """Precisions add: 1/noise_sigma² for each x_i, 1/prior_sigma² for the prior."""
        x = _data(x)
        precision = self._precision(x)
        # each number pulls the mean towards itself, with its own precision
        pull = self.prior_mean * self.prior_sigma**-2 + x.sum() * self.noise_sigma**-2
        return Normal(pull / precision, *_float64(precision**-0.5))

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x): of the spread of the data, and of their mean.

        Given z, the mean of n values has variance noise_sigma²/n; the prior adds its
        own. (Bayes' rule, log p(x, z) − log p(z | x), says the same at any z, but loses
        digits where z is far from the data.)
        """
        x = _data(x)
        n, noise = len(x), self.noise_sigma
        away = x - self.prior_mean
        mean = away.mean()
        spread = away - mean
        rounded = spread.mean()  # what the mean has missed
        mean, spread = mean + rounded, spread - rounded
        wide = math.hypot(self.prior_sigma, noise / math.sqrt(n))  # σ of the mean
        log_scales = n * math.log(noise) + math.log(wide / noise) + math.log(n) / 2
        squares = (spread / noise).square().sum() + (mean / wide).square()
        return -squares / 2 - log_scales - n * math.log(2 * math.pi) / 2

    def elbo(self, x: torch.Tensor, q: Normal) -> torch.Tensor:
        """E_q[log p(x, z)] + H(q) without sampling: the joint is quadratic in z."""
        x, q = _data(x), _one_number(q)
        # a parabola's mean is its value at the mean of q, plus ½ curvature · variance
        curved = -self._precision(x) * q.variance / 2
        return self.log_joint(x, q.mean) + curved + q.entropy()

    def _precision(self, x: torch.Tensor) -> float:
        return self.prior_sigma**-2 + len(x) * self.noise_sigma**-2


def _data(x) -> torch.Tensor:
    """``x`` as finite floats ``(n,)`` with n >= 1; else ``ValueError``."""
    x = floats(x, "x", torch.float64)
    got = f"shape {tuple(x.shape)}"
    require(x=(got, x.ndim == 1 and len(x) > 0, "numbers of shape (n,), n >= 1"))
    check_finite(x)
    return x


def _one_number(q, name: str = "q") -> Distribution:
    if not isinstance(q, Distribution):
        raise TypeError(f"{name} must be a distribution, got {q!r:.60}")
    got = f"events of shape {tuple(q.event_shape)}"
    require(**{name: (got, not q.event_shape, "a distribution of single numbers")})
    return q


@dataclass(frozen=True)
class BinaryLatents:
    """A bag of unseen items: z ∈ {0,1}^D, x ~ N(Σ_j z_j weights_j, noise_sigma²).

    Item j is in the bag with probability ½. Everything is a sum over the 2^D bags:
    element i of a table belongs to the bag whose item j is bit j of i.
    """

    weights: torch.Tensor
    noise_sigma: float = 0.1

    def __post_init__(self):
        weights = floats(self.weights, "weights", torch.float64)
        got, fits = tuple(weights.shape), weights.ndim == 1 and len(weights) > 0
        require(weights=(f"shape {got}", fits, "numbers of shape (D,), D >= 1"))
        fits = len(weights) <= MOST_ITEMS
        require(weights=(f"{len(weights)} of them", fits, f"at most {MOST_ITEMS}"))
        check_finite(weights, "weights")
        positive(noise_sigma=self.noise_sigma)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "noise_sigma", plain(self.noise_sigma))

    def totals(self) -> torch.Tensor:
        """What each bag weighs, ``(2^D,)``: each new item doubles the list."""
        totals = torch.zeros(1, dtype=self.weights.dtype)
        for weight in self.weights:  # first the bags without this item, then with it
            totals = torch.cat([totals, totals + weight])
        return totals

    def log_joint_table(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z) of all 2^D bags, ``(2^D,)``."""
        x = floats(x)
        require(x=(f"shape {tuple(x.shape)}", x.numel() == 1, "a single number"))
        check_finite(x)
        log_prior = -len(self.weights) * math.log(2)  # D fair coins
        return log_prior + Normal(self.totals(), self.noise_sigma).log_prob(x)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x): the log of the sum over all bags."""
        return self.log_joint_table(x).logsumexp(0)

    def posterior(self, x: torch.Tensor) -> torch.Tensor:
        """p(z | x) as a table of 2^D probabilities."""
        table = self.log_joint_table(x)
        fits = bool(table.amax() > -math.inf)
        require(x=(x, fits, "nearer to some bag: all probabilities are 0"))
        return table.softmax(0)

    def elbo(self, x: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        """Exact, for a table ``q`` of 2^D probabilities (0 · log 0 is 0).

        ``q`` may be several tables ``(…, 2^D)``; each must sum to 1.
        """
        q, bags = floats(q, "q"), 2 ** len(self.weights)
        got, fits = tuple(q.shape), q.ndim > 0 and q.shape[-1] == bags
        require(q=(f"shape {got}", fits, f"probabilities of shape (…, {bags})"))
        total = q.sum(-1)
        far = (total - 1).abs().max().item()
        rule = "probabilities: >= 0, with sum 1"
        fits = bool((q >= 0).all()) and far <= (
            1e-4 if q.dtype == torch.float32 else 1e-6
        )
        require(q=(f"sums {total.tolist()!s:.60}", fits, rule))
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
        shape = tuple(_one_number(self.prior, "prior").batch_shape)
        require(prior=(f"a batch {shape}", not shape, "one distribution"))
        functions(log_likelihood=self.log_likelihood)
        short = getattr(self.grid, "dtype", None) == torch.float32
        grid = floats(self.grid, "grid", torch.float64)
        got, fits = tuple(grid.shape), grid.ndim == 1 and len(grid) > 2
        require(grid=(f"shape {got}", fits, "numbers of shape (n,), n > 2"))
        check_finite(grid, "grid")
        require(grid=("one that does not", bool((grid.diff() > 0).all()), "growing"))
        object.__setattr__(self, "grid", grid)
        log_prior = log_density(self.prior, grid)
        returned(log_prior, grid.shape, "prior.log_prob")
        # a grid that cuts mass off gives a wrong evidence without any other sign
        mass = torch.trapezoid(log_prior.exp(), self.grid)
        if abs(mass - 1) > 1e-8:
            raise ValueError(
                f"grid must hold the prior's mass 1, it holds {mass:.10f}: "
                "extend it on both sides, or refine it"
                + ", and make it in float64: float32 has 7 digits"
                * short
            )

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(z) + log p(x | z)."""
        z = floats(z, "z")
        check_finite(z, "z")
        log_prior = log_density(self.prior, z)
        log_likelihood = self.log_likelihood(self._observed(x), z)
        # one number for each z, and the batch of x behind or in its last dimensions
        shape = getattr(log_likelihood, "shape", ())
        try:
            shape = torch.broadcast_shapes(shape, z.shape)
        except RuntimeError:  # it fits no z at all
            shape = z.shape
        returned(log_likelihood, shape, "log_likelihood")
        return log_prior + log_likelihood

    @staticmethod
    def _observed(x) -> torch.Tensor:
        """``x``, with a batch shape; lists and half floats become floats."""
        whole = isinstance(x, torch.Tensor) and not x.is_floating_point()
        whole = whole and not x.is_complex() and x.dtype != torch.bool
        x = x if whole else floats(x)
        require(x=(f"shape {tuple(x.shape)}", x.numel() > 0, "one number or more"))
        check_finite(x)
        return x

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log ∫ p(x, z) dz; every second grid point must give the same, to 1e-8."""
        log_joint = self._on_grid(x)
        fine = self._log_integral(log_joint, self.grid)
        coarse = self._log_integral(log_joint[::2], self.grid[::2])
        if bool(fine.isnan().any()):
            raise ValueError("log_likelihood gives no finite log p(x) for this x: NaN")
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
        x = self._observed(x)
        one = self.log_likelihood(x, self.grid[0])
        batch_shape = returned(one, getattr(one, "shape", ()), "log_likelihood").shape
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
    at_home()
    finite(turn=turn)
    positive(noise_sigma=noise_sigma)
    turn, noise_sigma = plain(turn), plain(noise_sigma)

    def log_likelihood(x, z):
        got = f"shape {tuple(x.shape)}"
        require(x=(got, x.ndim > 0 and x.shape[-1] == 2, "points of shape (…, 2)"))
        # z of any shape gives points (..., 2)
        point = torch.stack([(turn * z).cos(), (turn * z).sin()], dim=-1)
        return Normal(point, noise_sigma).log_prob(x).sum(-1)

    # 8 standard deviations: outside lies less than 1e-14 of the prior
    grid = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    return GridModel(Normal(0.0, 1.0), log_likelihood, grid)
