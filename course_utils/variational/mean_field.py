"""Mean field: q is a product, and each factor has its best form given the others.

Coordinate ascent variational inference (CAVI), for a correlated Gaussian and for the
Bayesian mixture of Blei, Kucukelbir and McAuliffe 2017, whose evidence is known exactly
when n is small. Nats, float64.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.distributions import Normal

from course_utils.arguments import (
    check_finite,
    counts,
    covariance,
    finite,
    floats,
    plain,
    positive,
    require,
)
from course_utils.training import checked

LOST = 1e-9  # nats that x m − ½ m² may lose by rounding, before (x − m)² is taken


@dataclass(frozen=True)
class GaussianCAVIState:
    """After updating ``coordinate``: q(z) = Π_i N(mean_i, sigma_i²)."""

    step: int
    coordinate: int | None
    mean: torch.Tensor
    sigma: torch.Tensor


@checked
def cavi_gaussian(
    mean: torch.Tensor, precision: torch.Tensor, start: torch.Tensor, n_sweeps: int = 10
) -> Iterator[GaussianCAVIState]:
    """Mean field for the target N(mean, precision⁻¹), one coordinate at a time.

    The best factor given the others is normal, with variance 1/Λ_ii and mean
    μ_i − Σ_{j≠i} Λ_ij (m_j − μ_j) / Λ_ii: the conditional of z_i at the others' means.
    Yields the start, then one state per coordinate. Raises ``ValueError`` for a
    precision that is not symmetric and positive definite.
    """
    counts(0, n_sweeps=n_sweeps)
    named = {"mean": mean, "precision": precision, "start": start}
    mean, precision, start = _in_one_dtype(named)
    if precision.shape != (len(mean), len(mean)) or start.shape != mean.shape:
        raise ValueError(
            "mean and start must be (d,) and precision (d, d), got "
            f"{tuple(mean.shape)}, {tuple(start.shape)}, {tuple(precision.shape)}"
        )
    covariance(precision, "precision")
    yield
    own = precision.diagonal()  # Λ_ii
    m, sigma = start.clone(), own.rsqrt()  # the variances need no sweep
    yield GaussianCAVIState(0, None, m.clone(), sigma.clone())
    for step in range(n_sweeps * len(mean)):
        i = step % len(mean)
        # the sum over j ≠ i: all of row i, less its own term
        others = precision[i] @ (m - mean) - own[i] * (m[i] - mean[i])
        m[i] = mean[i] - others / own[i]
        _insist(m, step)
        yield GaussianCAVIState(step + 1, i, m.clone(), sigma.clone())


def _in_one_dtype(named: dict) -> list[torch.Tensor]:
    """Vectors and matrices as finite floats of the longest dtype among them."""
    tensors = [floats(values, name) for name, values in named.items()]
    for name, values in zip(named, tensors, strict=True):
        got = tuple(values.shape)
        fits = values.ndim > 0 and values.numel() > 0
        require(**{name: (f"shape {got}", fits, "numbers of shape (n,)")})
        check_finite(values, name)
    dtype = max((values.dtype for values in tensors), key=lambda dtype: dtype.itemsize)
    return [values.to(dtype) for values in tensors]


def _insist(value: torch.Tensor, step: int) -> None:
    if not bool(torch.isfinite(value).all()):
        raise FloatingPointError(f"q left the floats at step {step}: use other units")


@dataclass(frozen=True)
class BayesianMixture:
    """Unknown means: μ_k ~ N(0, prior_sigma²), c_i uniform, x_i ~ N(μ_{c_i}, 1).

    The latents are the K means and the n assignments; ``x`` is ``(n,)``.
    """

    n_components: int
    prior_sigma: float = 5.0

    def __post_init__(self):
        counts(n_components=self.n_components)
        positive(prior_sigma=self.prior_sigma)
        object.__setattr__(self, "prior_sigma", plain(self.prior_sigma))
        fits = 1e-150 <= self.prior_sigma <= 1e150
        rule = "between 1e-150 and 1e150: use other units"
        require(prior_sigma=(self.prior_sigma, fits, rule))

    def sample(self, n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x ``(n,)``, the means ``(K,)`` and the assignments ``(n,)``."""
        counts(n=n)
        means = self.prior_sigma * torch.randn(self.n_components, dtype=torch.float64)
        assigned = torch.randint(self.n_components, (n,))
        return means[assigned] + torch.randn(n, dtype=torch.float64), means, assigned

    def log_prob(self, x: torch.Tensor, max_terms: int = 2**20) -> torch.Tensor:
        """log p(x) exactly: a sum over all K^n assignments, each with its Gaussian.

        The N_k points of component k, of mean x̄_k, leave with μ_k integrated out
        −½ [log(1 + s² N_k) + N_k x̄_k² / (1 + s² N_k) + Σ (x_i − x̄_k)²], where s is
        ``prior_sigma``: sums of squares only, so that nothing cancels.
        """
        counts(max_terms=max_terms)
        x = _data(x).double()
        k, n, s2 = self.n_components, len(x), self.prior_sigma**2
        if k**n > max_terms:
            raise ValueError(f"{k}^{n} assignments are too many: at most {max_terms}")
        codes = torch.cartesian_prod(*[torch.arange(k)] * n).reshape(-1, n)  # (K^n, n)
        member = (codes[:, :, None] == torch.arange(k)).double()  # (K^n, n, K)
        often, sums = member.sum(1), x @ member  # N_k and S_k, each (K^n, K)
        means = sums / often.clamp(min=1)
        within = (x - means.gather(1, codes)).square().sum(1)  # (K^n,)
        shrink = 1 + s2 * often
        log_terms = -((often * means.square() / shrink + shrink.log()).sum(1) + within)
        # each assignment has probability K^−n
        constant = -n * (math.log(2 * math.pi) / 2 + math.log(k))
        return (log_terms / 2).logsumexp(0) + constant

    def log_joint(self, x: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
        """log p(x, means), the assignments summed out; ``means`` is ``(..., K)``."""
        x, means = _data(x), floats(means, "means")
        got, k = f"shape {tuple(means.shape)}", self.n_components
        fits = means.ndim > 0 and means.shape[-1] == k
        require(means=(got, fits, f"numbers of shape (…, {k})"))
        check_finite(means, "means")
        prior = Normal(means.new_zeros(()), self.prior_sigma)  # in the dtype of means
        log_prior = prior.log_prob(means).sum(-1)
        log_parts = Normal(means[..., None, :], 1.0).log_prob(x[:, None])  # (..., n, K)
        log_mixture = log_parts.logsumexp(-1) - math.log(self.n_components)
        return log_prior + log_mixture.sum(-1)


def _data(x) -> torch.Tensor:
    """``x`` as finite floats ``(n,)`` with n >= 1; else ``ValueError``."""
    x = floats(x)
    got = f"shape {tuple(x.shape)}"
    require(x=(got, x.ndim == 1 and len(x) > 0, "numbers of shape (n,), n >= 1"))
    check_finite(x)
    return x


@dataclass(frozen=True)
class MixtureCAVIState:
    """q(μ_k) = N(means_k, sigmas_k²); ``elbo`` is for the best q(c_i) given these."""

    step: int
    means: torch.Tensor
    sigmas: torch.Tensor
    elbo: float


@checked
def cavi_mixture(
    x: torch.Tensor,
    model: BayesianMixture,
    means: torch.Tensor,
    max_sweeps: int = 1000,
    tolerance: float = 1e-10,
) -> Iterator[MixtureCAVIState]:
    """CAVI for the Bayesian mixture, from start ``means`` ``(K,)``.

    One sweep: q(c_i = k) ∝ exp(m_k x_i − ½(m_k² + s_k²)); then, with N_k = Σ_i
    q(c_i = k) and S_k = Σ_i q(c_i = k) x_i, s_k² = 1/(1/prior_sigma² + N_k) and
    m_k = s_k² S_k. Stops when a sweep adds less than ``tolerance`` · |ELBO|. Raises
    ``FloatingPointError`` where the ELBO is no finite number.
    """
    counts(max_sweeps=max_sweeps)
    finite(tolerance=tolerance)
    require(tolerance=(tolerance, tolerance >= 0, "a number >= 0"))
    tolerance = float(tolerance)
    if not isinstance(model, BayesianMixture):
        raise TypeError(f"model must be a BayesianMixture, got {model!r:.60}")
    x, means = _in_one_dtype({"x": x, "means": means})
    if means.shape != (model.n_components,) or x.ndim != 1 or len(x) == 0:
        raise ValueError(
            f"x must be (n,) and means ({model.n_components},), "
            f"got {tuple(x.shape)} and {tuple(means.shape)}"
        )
    require(
        x=("squares that overflow", x.square().sum().isfinite().item(), "smaller"),
        means=("squares that overflow", means.square().sum().isfinite().item(), "less"),
    )
    yield
    largest = max(x.abs().max().item(), means.abs().max().item())
    far = torch.finfo(x.dtype).eps * largest**2 > LOST
    # sums over the data are matrix products with the rows 1 and x: (2, n)
    rows = torch.stack([torch.ones_like(x), x])
    from_zero = torch.zeros_like(x) if far else x
    constant = Normal(0.0, 1.0).log_prob(from_zero).sum().item()
    constant -= len(x) * math.log(len(means))
    prior_precision, elbo = model.prior_sigma**-2, -math.inf
    # at first as if every component had its share of the points
    sigmas = torch.full_like(means, 1 / math.sqrt(len(x) / len(means)))
    for step in range(max_sweeps):
        if far:  # the same, less ½ x²: slower, but nothing cancels
            logits = -((x - means[:, None]).square() + sigmas.square()[:, None]) / 2
        else:
            offset = -(means.square() + sigmas.square()) / 2
            logits = torch.stack([offset, means], 1) @ rows  # (K, n)
        top = logits.amax(0)  # taken out before exp, so that nothing overflows
        odds = logits.sub_(top).exp_()  # in place: these are the large tensors
        total = odds.sum(0)  # q(c_i = k) = odds_ki / total_i
        # with the best q(c_i), their part of the ELBO is Σ_i log Σ_k exp(logits_ki)
        evidence = (top.sum() + total.log().sum()).item() + constant
        before, elbo = elbo, evidence - _kl_to_prior(means, sigmas, model)
        if not math.isfinite(elbo):
            raise FloatingPointError(f"the ELBO became {elbo} at sweep {step}")
        yield MixtureCAVIState(step, means.clone(), sigmas.clone(), elbo)
        if elbo - before < tolerance * abs(elbo):
            return
        count, sums = (odds @ (rows / total).T).unbind(1)  # N_k and S_k, each (K,)
        sigmas = (prior_precision + count).rsqrt()
        means = sigmas.square() * sums


def _kl_to_prior(means, sigmas, model) -> float:
    """Σ_k KL(N(m_k, s_k²) ‖ N(0, s²)), by its formula: this runs in every sweep."""
    ratio = (sigmas / model.prior_sigma).square()
    scaled_mean = (means / model.prior_sigma).square()
    return (scaled_mean + ratio - 1 - ratio.log()).sum().item() / 2
