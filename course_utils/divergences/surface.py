"""A divergence from a fixed target, as a function of the parameters of q (notebook 06).

q is a mixture of k round Gaussians in d = 1 or 2 dimensions. Its parameters are packed
into one vector θ: k log weights, k·d means, k log sigmas. The integrals are sums over a
grid around the target. On it a round Gaussian is the outer product of one factor per
axis, and the slope of a divergence against q(x) is known in closed form; so a value
with its gradient takes a fraction of a millisecond.
"""

import math
from functools import cached_property
from numbers import Integral
from typing import NamedTuple

import torch

from course_utils.arguments import check_finite, floats, require, returned
from course_utils.divergences.mmd import check_bandwidths, mean_kernel
from course_utils.mixture.model import GaussianMixture

THEIS_BANDWIDTHS = tuple(s / math.sqrt(2) for s in (0.5, 1.0, 2.0, 4.0, 8.0))
POINTS = {1: 1201, 2: 101}  # ticks per axis
LOG_2PI = math.log(2 * math.pi)
TINY = 1e-300  # below each density that counts: keeps log q finite where q underflows


# Each: value and slope against q, per cell, from p, q and their logarithms on a grid.


def _forward_kl(p, q, log_p, log_q):
    return (p * (log_p - log_q)).sum(), -p / q  # d/dq of −p log q


def _reverse_kl(p, q, log_p, log_q):
    gap = log_q - log_p
    return (q * gap).sum(), gap + 1  # d/dq of q (log q − log p)


def _js(p, q, log_p, log_q):
    log_m = (0.5 * (p + q)).log()
    gap = log_q - log_m  # slope ½ (gap + 1 − (p + q)/(2m)): the ones cancel
    return 0.5 * (p * (log_p - log_m) + q * gap).sum(), 0.5 * gap


ON_THE_GRID = {"forward_kl": _forward_kl, "reverse_kl": _reverse_kl, "js": _js}
DIVERGENCES = (*ON_THE_GRID, "mmd")


class Parameters(NamedTuple):
    """A mixture of round Gaussians, with gradients."""

    weights: torch.Tensor  # (k,)
    means: torch.Tensor  # (k, d)
    sigmas: torch.Tensor  # (k,)

    @property
    def covariances(self) -> torch.Tensor:
        """σ²I for each component, ``(k, d, d)``."""
        eye = torch.eye(self.means.shape[1], dtype=self.means.dtype)
        return self.sigmas.square()[:, None, None] * eye


def pack(weights, means, sigmas) -> torch.Tensor:
    """θ ``(k (d + 2),)`` from weights ``(k,)``, means ``(k, d)``, sigmas ``(k,)``."""
    named = {"weights": weights, "means": means, "sigmas": sigmas}
    parts = [floats(value, name, torch.float64) for name, value in named.items()]
    k, shapes = parts[0].numel(), [tuple(part.shape) for part in parts]
    d, rest = divmod(parts[1].numel(), max(k, 1))
    fits = k > 0 and d > 0 and rest == 0 and shapes[0] == shapes[2] == (k,)
    shape_rule = "of shapes (k,), (k, d) and (k,)"
    require(**{"weights, means and sigmas": (f"shapes {shapes}", fits, shape_rule)})
    for name, value in zip(named, parts, strict=True):
        check_finite(value, name)
    require(
        weights=(parts[0].tolist(), bool((parts[0] >= 0).all()), "at least 0"),
        sigmas=(parts[2].tolist(), bool((parts[2] > 0).all()), "positive"),
    )
    return torch.cat([parts[0].log(), parts[1].flatten(), parts[2].log()])


def moments(p: GaussianMixture) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean ``(d,)`` of a mixture, and σ: σ² is its mean variance over the axes."""
    mean = p.weights @ p.means
    # law of total variance: within the components, and between their means
    own = p.covariances.diagonal(dim1=1, dim2=2)
    return mean, (p.weights @ (own + (p.means - mean).square())).mean().sqrt()


class Surface:
    """``surface(θ)`` is a divergence between ``target`` and the mixture θ.

    ``divergence`` is a name of ``DIVERGENCES``, or a function of log p and log q on the
    grid and of the size of a cell, which returns a scalar tensor; ``points`` are the
    ticks per axis. Raises ``ValueError`` for an unknown name, for a target that is no
    ``GaussianMixture`` or has d > 2, for bandwidths that are not positive, for fewer
    than 2 points, and when the grid is too coarse for the target.
    """

    def __init__(self, target, divergence, bandwidths=THEIS_BANDWIDTHS, points=None):
        known = isinstance(divergence, str) and divergence in DIVERGENCES
        known = known or callable(divergence)
        of_course = isinstance(target, GaussianMixture)
        got = f"d = {target.d}" if of_course else type(target).__name__
        fits = points is None or (isinstance(points, Integral) and points >= 2)
        require(
            divergence=(repr(divergence), known, "one of " + ", ".join(DIVERGENCES)),
            target=(got, of_course, "a GaussianMixture"),
            points=(points, fits, "a whole number from 2 on"),
        )
        require(target=(got, target.d in POINTS, "a mixture with d = 1 or 2"))
        check_bandwidths(bandwidths)
        self.target, self.divergence, self.bandwidths = target, divergence, bandwidths
        self.ticks = ticks_around(target, points or POINTS[target.d])
        self.cell = math.prod((t[1] - t[0]).item() for t in self.ticks)

    @cached_property
    def log_p(self) -> torch.Tensor:
        """log p of the target on the grid, ``(n,)`` or ``(n, n)``."""
        with torch.inference_mode(False):  # what is kept serves every later caller
            return self._log_p()

    def _log_p(self) -> torch.Tensor:
        target, sizes = self.target, [len(t) for t in self.ticks]
        variances = target.covariances.diagonal(dim1=1, dim2=2)  # (k, d)
        if torch.equal(torch.diag_embed(variances), target.covariances):
            # one factor per axis: k · 2n numbers instead of k · n² log-densities
            first, *second = log_factors(self.ticks, target.means, variances.sqrt())
            log_p = (target.weights.log()[:, None] + first)[:, :, None]  # (k, n, 1)
            log_p = log_p + second[0][:, None] if second else log_p  # (k, n, n)
            log_p = log_p.logsumexp(0).view(sizes)
        else:
            log_p = target.log_prob(torch.cartesian_prod(*self.ticks)).view(sizes)
        mass = log_p.exp().sum().item() * self.cell
        if not abs(mass - 1) < 1e-4:
            raise ValueError(
                f"the grid of {sizes[0]} ticks per axis holds mass {mass:.6g} of the "
                "target, whose components are too narrow for it: give more points"
            )
        return log_p

    @cached_property
    def p(self) -> torch.Tensor:
        """The target on the grid."""
        with torch.inference_mode(False):
            return self.log_p.exp()

    @cached_property
    def within(self) -> torch.Tensor:
        """E k(x, x') of the target, the part of MMD² that never changes."""
        with torch.inference_mode(False):
            return mean_kernel(self.target, self.target, self.bandwidths)

    def unpack(self, theta: torch.Tensor) -> Parameters:
        """The parameters behind θ."""
        theta, each = floats(theta, "theta", torch.float64), self.target.d + 2
        got, fits = tuple(theta.shape), theta.numel() > 0 and theta.ndim == 1
        fits = fits and len(theta) % each == 0
        require(theta=(f"shape {got}", fits, f"(k · {each},) for k components"))
        k = len(theta) // each
        means = theta[k:-k].view(k, self.target.d)
        # softmax and exp: every θ has weights with sum 1, and positive sigmas
        return Parameters(theta[:k].softmax(0), means, theta[-k:].exp())

    def density(self, theta: torch.Tensor) -> torch.Tensor:
        """q on the grid, ``(n,)`` or ``(n, n)``."""
        weights, means, sigmas = self.unpack(theta)
        factors = log_factors(self.ticks, means, sigmas[:, None].expand_as(means))
        return _mixture(weights, [f.exp() for f in factors])

    def __call__(self, theta: torch.Tensor) -> torch.Tensor:
        """The divergence at θ, a scalar; differentiable."""
        if self.divergence == "mmd":  # in closed form: no grid
            q = self.unpack(theta)
            within = self.within + mean_kernel(q, q, self.bandwidths)
            return within - 2 * mean_kernel(self.target, q, self.bandwidths)
        q = self.density(theta).clamp_min(TINY)
        if not callable(self.divergence):
            compare = ON_THE_GRID[self.divergence]
            return self.cell * compare(self.p, q, self.log_p, q.log())[0]
        value = self.divergence(self.log_p, q.log(), self.cell)
        return returned(value, (), "divergence")

    def with_slope(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The divergence at θ and its gradient: a scalar and ``(k (d + 2),)``."""
        if not (callable(self.divergence) or self.divergence == "mmd"):
            return self._with_known_slope(theta)
        with torch.enable_grad():
            theta = floats(theta, "theta", torch.float64).detach().requires_grad_()
            value = self(theta)
            if not value.requires_grad:
                raise ValueError(
                    "divergence must return a number with a gradient: compute it from "
                    "log_q by torch, without detach() or item()"
                )
            return value.detach(), torch.autograd.grad(value, theta)[0]

    def _with_known_slope(self, theta):
        """By hand: autograd over the whole grid takes several times longer."""
        weights, means, sigmas = self.unpack(theta)
        sides = zip(self.ticks, means.T, strict=True)
        # z = (x − μ)/σ and the factors of N(x | μ, σ²): one (k, n) per axis
        z = [(ticks - mean[:, None]) / sigmas[:, None] for ticks, mean in sides]
        f = [(-0.5 * (u.square() + LOG_2PI)).exp() / sigmas[:, None] for u in z]
        q = _mixture(weights, f).clamp_min(TINY)
        compare = ON_THE_GRID[self.divergence]
        value, slope = compare(self.p, q, self.log_p, q.log())
        # chain rule, dD/dθ = Σ_x dD/dq(x) · dq(x)/dθ. Every dq/dθ holds the component
        # N(x | μ, σ²) once: so first slope · N, summed over the other axis
        if len(f) == 1:
            pull = [f[0] * slope]
        else:
            pull = [f[0] * (f[1] @ slope.T), f[1] * (f[0] @ slope)]
        mass = pull[0].sum(1)
        # ∂ log N/∂μ = z/σ, and ∂ log N/∂ log σ = z² − 1, per axis
        shift = [(a * u).sum(1) for a, u in zip(pull, z, strict=True)]
        widen = [(a * (u.square() - 1)).sum(1) for a, u in zip(pull, z, strict=True)]
        to_weights = weights * (mass - weights @ mass)  # the softmax of the weights
        to_means = (weights / sigmas)[:, None] * torch.stack(shift, dim=1)
        parts = [to_weights, to_means.flatten(), weights * sum(widen)]
        return self.cell * value, self.cell * torch.cat(parts)

    def holds(self, theta: torch.Tensor) -> bool:
        """Whether the grid holds q (up to 1e-3), so that the value can be trusted."""
        mass = self.density(theta).sum().item() * self.cell
        return self.divergence == "mmd" or abs(mass - 1) < 1e-3


def ticks_around(target: GaussianMixture, n: int) -> tuple[torch.Tensor, ...]:
    """``n`` ticks per axis: six σ around each component, five around the whole."""
    mean, sigma = moments(target)
    reach = 6 * target.covariances.diagonal(dim1=1, dim2=2).sqrt()
    low = torch.minimum((target.means - reach).amin(0), mean - 5 * sigma)
    high = torch.maximum((target.means + reach).amax(0), mean + 5 * sigma)
    ends = zip(low.tolist(), high.tolist(), strict=True)
    return tuple(torch.linspace(*end, n, dtype=torch.float64) for end in ends)


def log_factors(ticks, means, sigmas) -> list[torch.Tensor]:
    """log N(tick | mean, σ²): one ``(k, n)`` per axis; means and sigmas ``(k, d)``."""
    factors = []
    for t, mean, sigma in zip(ticks, means.T, sigmas.T, strict=True):
        z = (t - mean[:, None]) / sigma[:, None]
        factors.append(-0.5 * z.square() - (sigma.log() + 0.5 * LOG_2PI)[:, None])
    return factors


def _mixture(weights, factors) -> torch.Tensor:
    """Σ w f(x), or Σ w f(x) g(y), from the factors of each axis, all ``(k, n)``."""
    first = weights[:, None] * factors[0]
    # in the plane a sum of outer products, which is one matrix product: (n, n)
    return first.T @ factors[1] if len(factors) == 2 else first.sum(0)
