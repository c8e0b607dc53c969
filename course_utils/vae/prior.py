"""Another prior behind the same decoder: a mixture of Gaussians, learned from codes.

The ELBO asks for q(z | x) near N(0, I), and does not get it: the mean of all q(z | x),
q(z), is another distribution. Here p(z) moves to q(z) instead, by EM (notebook 02) on
draws of z; encoder and decoder stay as they are. Hoffman and Johnson 2016; a prior
that is fitted after the training is the second stage of Dai and Wipf 2019, in its
simplest form.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.distributions import Normal

from course_utils.arguments import (
    check_finite,
    check_shape,
    counts,
    floats,
    functions,
    generators,
    instances,
    numbers,
    positive,
    require,
    returned,
    seed_of,
    switches,
)
from course_utils.mixture import em, random_centres, start_at
from course_utils.mixture.model import GaussianMixture
from course_utils.networks import whole_numbers
from course_utils.vae.gate import check_noise, same_shape
from course_utils.vae.model import VAE

FLOOR = 1e-3  # on every covariance: q(z | x) has variances near 0.01
START = 300_000  # rows times components at the start of EM; 3000 rows are plenty
AT_ONCE = 1000  # rows in work at a time, so that memory does not grow with n
NUMBERS = 10**6  # in one table of rows by components (by dimensions): 8 MB
FEW_NATS = 5e-4  # what rounding may cost a log-density


@dataclass(frozen=True, eq=False)
class MixturePrior:
    """p(z): a Gaussian mixture over the latents ``used``, and N(0, 1) for all others.

    ``used`` are column numbers, one for each of the mixture's dimensions. A latent that
    the encoder leaves at N(0, 1) has nothing to learn, and a full covariance over it
    costs time and likelihood. ``log_prob`` and ``sample`` speak the dtype of ``VAE``.
    """

    mixture: GaussianMixture
    used: tuple[int, ...]
    latent_dim: int

    def __post_init__(self):
        instances(GaussianMixture, mixture=self.mixture)
        counts(latent_dim=self.latent_dim)
        object.__setattr__(self, "used", _columns(self.used))
        columns, d = self.used, self.mixture.d
        fits = len(columns) == d == len(set(columns))
        fits = fits and all(0 <= column < self.latent_dim for column in columns)
        rule = f"{d} different columns below {self.latent_dim}"
        require(used=(columns, fits, rule))

    @classmethod
    def standard(cls, latent_dim: int) -> "MixturePrior":
        """N(0, I) itself, with nothing learned."""
        one = torch.ones(1, dtype=torch.float64)
        return cls(
            GaussianMixture(one, 0 * one[:, None], one[:, None, None]), (0,), latent_dim
        )

    @property
    def others(self) -> list[int]:
        """The columns that stay at N(0, 1)."""
        return [j for j in range(self.latent_dim) if j not in self.used]

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """log p(z), ``(n, latent_dim)`` to ``(n,)``, in nats; both factors added up."""
        z = floats(z, "z")
        check_shape(z, self.latent_dim, "z")
        check_finite(z, "z")
        size = max(1, NUMBERS // (self.mixture.k * self.mixture.d))
        own = [self.mixture.log_prob(rows[:, self.used]) for rows in z.split(size)]
        normal = Normal(0.0, 1.0).log_prob(z[:, self.others]).sum(dim=1)
        return torch.cat(own).to(z.dtype) + normal

    def sample(self, n: int, components: bool = False, generator=None):
        """``n`` new z ``(n, latent_dim)``; with ``components`` also whose they are."""
        positive(n=n)
        counts(n=n)
        switches(components=components)
        generators(generator=generator)
        z = torch.randn(n, self.latent_dim, generator=generator)
        whose = []
        for rows in z.split(AT_ONCE):
            drawn, which = self.mixture.sample(len(rows), True, generator)
            rows[:, self.used] = drawn.to(z.dtype)
            whose.append(which)
        return (z, torch.cat(whose)) if components else z


def used_latents(kl: torch.Tensor, least: float = 0.05) -> tuple[int, ...]:
    """The columns whose mean KL is above ``least`` nats; ``kl`` is ``(n, latents)``."""
    kl = _rows(kl, "kl")
    numbers(least=least)
    require(least=(least, least == least, "a number"))  # NaN is not
    return tuple((kl.mean(dim=0) > float(least)).nonzero()[:, 0].tolist())


def learn_prior(
    z: torch.Tensor,
    k: int,
    *,
    labels: torch.Tensor | None = None,
    used: Sequence[int] | None = None,
    max_iterations: int = 20,
    covariance_floor: float = FLOOR,
    seed: int = 0,
) -> MixturePrior:
    """EM on codes ``(n, latent_dim)``: ``k`` Gaussians, or ``k`` for each label.

    With ``labels`` ``(n,)`` EM runs once for each class, and the classes get their
    shares: component j belongs to class j // k (in the order of the labels' values).
    ``used`` are the columns that the mixture describes (all, if not given).
    ``max_iterations`` is small on purpose: EM would go on to gain thousandths of a nat.
    """
    z = _rows(z, "z")
    counts(k=k)
    k = int(k)
    columns, latents = _columns(range(z.shape[1]) if used is None else used), z.shape[1]
    fits = set(columns) <= set(range(latents)) and len(columns) > 0
    require(used=(columns, fits, f"columns below {latents}"))
    x, generator = z[:, columns].double(), torch.Generator().manual_seed(seed_of(seed))
    options = {"covariance_floor": covariance_floor, "max_iterations": max_iterations}
    if labels is None:
        groups = [x]
    else:
        labels = floats(labels, "labels", torch.float64)
        shape, rule = tuple(labels.shape), f"one for each of the {len(z)} rows of z"
        require(labels=(f"shape {shape}", shape == (len(z),), rule))
        check_finite(labels, "labels")
        groups = [x[labels == value] for value in labels.unique()]
    parts = []
    for rows in groups:
        # enough to see how wide a component is
        few = rows[: max(k, min(3000, START // k))]
        start = start_at(few, random_centres(rows, k, generator))
        *_, end = em(rows, start, **options)
        parts.append(end.mixture)
    shares = [len(rows) / len(x) for rows in groups]
    mixture = GaussianMixture.joined(parts, shares)
    return MixturePrior(mixture, columns, z.shape[1])


@torch.no_grad()
def bound_with(model: VAE, x, prior: MixturePrior | None = None, noise=None):
    """log p(x | z) + log p(z) − log q(z | x) at one z of q(z | x): ``(n,)``, in nats.

    A lower bound on log p(x) on average, for any ``prior`` with a ``log_prob`` of
    ``(n, latent_dim)`` (N(0, I), if none is given). It needs no formula for the KL, so
    p(z) may be anything. ``noise`` ``(n, latent_dim)`` is N(0, 1), drawn if not given.
    """
    instances(VAE, model=model)
    if prior is not None:
        functions(**{"prior.log_prob": getattr(prior, "log_prob", None)})
    x, parts = model.check(x), []
    like = torch.empty(len(x), model.latent_dim, dtype=model.dtype)
    noise = torch.randn(like.shape, dtype=like.dtype) if noise is None else noise
    noise = check_noise(noise, like)
    for rows, drawn in zip(x.split(AT_ONCE), noise.split(AT_ONCE), strict=True):
        q = model.encoder(rows)
        z = q.mean + q.stddev * drawn
        log_p = model.decoder.given(z).log_prob(rows.to(z.dtype)).sum(dim=-1)
        if prior is None:
            log_prior = model.prior.log_prob(z).sum(-1)
        else:
            log_prior = returned(prior.log_prob(z), z.shape[:1], "prior.log_prob")
        parts.append(log_p + log_prior - q.log_prob(z).sum(dim=-1))
    return torch.cat(parts)


def split_kl(mu: torch.Tensor, logvar: torch.Tensor, z: torch.Tensor):
    """The mean KL of m Gaussians in two parts, by one draw ``z`` ``(m, d)`` of each.

    ``mu`` and ``logvar`` are ``(m, d)``. Returns for each example log q(z | x) − log
    q_m(z) and log q_m(z) − log p(z), both ``(m,)``, where q_m is the mean of the m
    Gaussians. The mean of the first estimates I(x; z) for x uniform among these m
    examples, and never exceeds log m; the mean of the second KL(q_m(z) ‖ p(z)).
    """
    mu, logvar, z = same_shape(mu=mu, logvar=logvar, z=z)
    mu = _rows(mu, "mu")
    precision, log_m = (-logvar).exp(), math.log(len(mu))
    check_finite(precision, "exp(-logvar)")
    check_finite(z.square(), "the square of z")
    constant = (logvar + mu.square() * precision).sum(dim=1)  # (m,)
    own = -0.5 * ((z - mu).square() * precision + logvar).sum(dim=1)
    rule, least = "draws from N(mu, exp(logvar))", own.min().item()
    require(z=(f"a log-density of {least}", bool(own.isfinite().all()), rule))
    # far from 0 the squares below would lose the digits that the differences keep
    lost = constant.max().item() * torch.finfo(mu.dtype).eps
    far = not lost < FEW_NATS
    total = []
    for rows in z.split(max(1, NUMBERS // (mu.numel() if far else len(mu)))):
        if far:
            square = ((rows[:, None] - mu).square() * precision).sum(dim=2)
            log_q = -0.5 * (square + logvar.sum(dim=1))
        else:
            # Σ_j (z − μ)²/σ² = z² · 1/σ² − 2 z · μ/σ² + μ²/σ²: two matrix products
            square = rows.square() @ precision.T - 2 * rows @ (mu * precision).T
            log_q = -0.5 * (square + constant)
        total.append(log_q.logsumexp(dim=1) - log_m)
    mixed = torch.cat(total)  # log q_m(z), without −½ d log 2π, as the two below
    prior = -0.5 * z.square().sum(dim=1)
    return own - mixed, mixed - prior


def _rows(x, name: str) -> torch.Tensor:
    """``x`` as finite floats ``(n, d)``, at least one row and one column."""
    x = floats(x, name)
    shape = f"shape {tuple(x.shape)}"
    require(**{name: (shape, x.ndim == 2 and x.numel() > 0, "of shape (n, latents)")})
    check_finite(x, name)
    return x


def _columns(used) -> tuple[int, ...]:
    """Column numbers as ints; those of a tensor or of an array, too."""
    used = used.tolist() if hasattr(used, "tolist") else used
    return tuple(whole_numbers(list(used) if isinstance(used, range) else used, "used"))
