"""The Gaussian family and its maximum-likelihood fit (notebook 01).

Heights are in metres in the notebook; here x has any unit, and log-likelihoods are in
nats. Slides: *MLE: Gaussian example*.
"""

import math

import torch
from torch.distributions import MultivariateNormal, Normal

LOG_2PI = math.log(2 * math.pi)


def fit_gaussian(x: torch.Tensor) -> Normal | MultivariateNormal:
    """The Gaussian that makes the data most likely.

    ``x`` of shape ``(m,)`` gives a ``Normal`` with μ = mean and σ² = (1/m) Σ (x − μ)²;
    ``x`` of shape ``(m, d)`` gives a ``MultivariateNormal`` with Σ = (1/m) Σ
    (x − μ)(x − μ)ᵀ. Whole numbers become float64.

    Raises ``ValueError`` for empty data, NaN or infinity, a single example, and for
    data without spread (all equal, or on a line or plane in d dimensions): there the
    likelihood has no maximum, because it grows without bound as the Gaussian narrows.
    """
    x = check_data(x)
    mu = x.mean(dim=0)
    centred = x - mu
    if x.ndim == 1:
        sigma = centred.square().mean().sqrt()
        if not sigma > _rounding(x):
            raise ValueError(_no_spread("all values of x are equal, so sigma = 0"))
        return Normal(mu, sigma)
    covariance = centred.T @ centred / len(x)
    scale = covariance.diagonal().sqrt()
    correlation = covariance / (scale[:, None] * scale)
    if not bool((scale > _rounding(x)).all()) or not _is_definite(correlation):
        raise ValueError(_no_spread("x has no spread in at least one direction"))
    return MultivariateNormal(mu, covariance)


def log_likelihood(x: torch.Tensor, mu, sigma) -> torch.Tensor:
    """log p(x₁, …, x_m | μ, σ) = Σᵢ log N(xᵢ | μ, σ²), a scalar in nats.

    ``x`` is ``(m,)``; ``mu`` and ``sigma`` are numbers or scalar tensors. Raises
    ``ValueError`` for sigma ≤ 0 and for empty or NaN data.
    """
    x = check_data(x, fewest=1)
    mu, sigma = _parameter("mu", mu, x), _parameter("sigma", sigma, x)
    if not bool((sigma > 0).all()):
        raise ValueError(f"sigma must be positive, got {sigma}")
    squares = ((x - mu) / sigma).square().sum()
    return -0.5 * squares - len(x) * (sigma.log() + 0.5 * LOG_2PI)


def log_likelihood_surface(
    x: torch.Tensor, mu_grid: torch.Tensor, sigma_grid: torch.Tensor
) -> torch.Tensor:
    """The log-likelihood of ``x`` ``(m,)`` at every pair: ``(len(σ), len(μ))``, nats.

    The data enter only through their mean and variance,
    Σ (xᵢ − μ)² = m (σ̂² + (μ̂ − μ)²), so the cost does not grow with m.
    """
    x = check_data(x, fewest=1)
    if not bool((sigma_grid > 0).all()):
        raise ValueError(
            f"sigma_grid must be positive, its least value is {sigma_grid.min()}"
        )
    m, mean = len(x), x.mean()
    squares = m * ((x - mean).square().mean() + (mean - mu_grid).square())
    sigma = sigma_grid[:, None]
    return -0.5 * squares / sigma.square() - m * (sigma.log() + 0.5 * LOG_2PI)


def check_data(x: torch.Tensor, fewest: int = 2) -> torch.Tensor:
    """``x`` as a floating-point tensor ``(m,)`` or ``(m, d)``, or a clear error."""
    x = torch.as_tensor(x)
    if not x.is_floating_point():
        x = x.double()
    if x.ndim not in (1, 2):
        raise ValueError(f"x must have shape (m,) or (m, d), got {tuple(x.shape)}")
    if x.numel() == 0:
        raise ValueError(f"x is empty: its shape is {tuple(x.shape)}")
    if len(x) < fewest:
        raise ValueError(
            f"x has {len(x)} example, at least {fewest} are needed: "
            + _no_spread("one example has no spread")
        )
    if not bool(torch.isfinite(x).all()):
        bad = int((~torch.isfinite(x)).sum())
        raise ValueError(f"x must be finite, got {bad} values that are NaN or infinite")
    return x


def _parameter(name: str, value, x: torch.Tensor) -> torch.Tensor:
    value = torch.as_tensor(value, dtype=x.dtype, device=x.device)
    if value.ndim:
        raise ValueError(
            f"{name} must be a single number, got shape {tuple(value.shape)}"
        )
    return value


def _rounding(x: torch.Tensor) -> torch.Tensor:
    """Spread below this is rounding: the mean of equal numbers may miss them a bit."""
    return 8 * torch.finfo(x.dtype).eps * x.abs().amax(dim=0)


def _is_definite(correlation: torch.Tensor) -> bool:
    smallest = torch.linalg.eigvalsh(correlation)[0]
    return bool(smallest > 8 * len(correlation) * torch.finfo(correlation.dtype).eps)


def _no_spread(what: str) -> str:
    return (
        f"{what}; the likelihood is then unbounded: it grows for ever as the Gaussian "
        "narrows around the data, so there is no maximum"
    )
