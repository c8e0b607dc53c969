"""The Gaussian family and its maximum-likelihood fit (notebook 01).

Heights are in metres in the notebook; here x has any unit, and log-likelihoods are in
nats. Slides: *MLE: Gaussian example*.
"""

import math

import torch
from torch.distributions import MultivariateNormal, Normal

from course_utils.arguments import (
    check_data,
    check_finite,
    floats,
    positive,
    require,
    unit_of,
)

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
    x = _as_floats(x)
    if len(x) == 1:
        raise ValueError(_unbounded("x has a single example, which has no spread"))
    unit = unit_of(x, each_column=True)  # so that no square overflows or vanishes
    x = x / unit
    mean = x.mean(dim=0)  # () or (d,): the derivative for μ is zero here (section 4)
    centred = x - mean
    eps, size = torch.finfo(x.dtype).eps, x.abs().amax(dim=0)
    if bool((centred.square().mean(dim=0) < eps * size.square()).any()):
        # So far from 0 the mean is rounded coarsely: take out what it has missed.
        mean, centred = mean + centred.mean(dim=0), centred - centred.mean(dim=0)
    # The mean of equal numbers may miss them by a bit: a spread below this is rounding.
    rounding = 8 * eps * size
    if x.ndim == 1:
        sigma = centred.square().mean().sqrt()  # divides by m, not by m − 1
        if not sigma > rounding:
            raise ValueError(_unbounded("all values of x are equal, so sigma = 0"))
        return Normal(mean * unit, sigma * unit)
    covariance = centred.T @ centred / len(x)  # (d, d): the mean of outer products
    scale = covariance.diagonal().sqrt()
    # Of the correlations, not the covariance: so the units of the columns do not count.
    correlation = covariance / (scale[:, None] * scale)
    if not bool((scale > rounding).all()) or not _is_definite(correlation):
        raise ValueError(_unbounded("x has no spread in at least one direction"))
    covariance = covariance * unit * unit[:, None]
    variance, tiny = covariance.diagonal(), torch.finfo(x.dtype).tiny / eps
    if not bool(covariance.isfinite().all()) or not bool((variance > tiny).all()):
        raise ValueError(
            f"x must have variances that {x.dtype} can hold: use other units"
        )
    return MultivariateNormal(mean * unit, covariance)


def log_likelihood(x: torch.Tensor, mu, sigma) -> torch.Tensor:
    """log p(x₁, …, x_m | μ, σ) = Σᵢ log N(xᵢ | μ, σ²), a scalar in nats.

    ``x`` is ``(m,)``; ``mu`` and ``sigma`` are numbers or scalar tensors. Raises
    ``ValueError`` for sigma ≤ 0 and for empty or NaN data.
    """
    x = _as_floats(x, columns=False)
    mu, sigma = floats(mu, "mu", x.dtype), floats(sigma, "sigma", x.dtype)
    for name, value in (("mu", mu), ("sigma", sigma)):
        require(
            **{name: (f"shape {tuple(value.shape)}", not value.ndim, "a single number")}
        )
    check_finite(mu, "mu")
    positive(sigma=sigma)
    # The exponents, then log of 1/√(2πσ²), once for each of the m examples.
    squares = ((x - mu) / sigma).square().sum()
    return -0.5 * squares - len(x) * (sigma.log() + 0.5 * LOG_2PI)


def log_likelihood_surface(
    x: torch.Tensor, mu_grid: torch.Tensor, sigma_grid: torch.Tensor
) -> torch.Tensor:
    """The log-likelihood of ``x`` ``(m,)`` at every pair: ``(len(σ), len(μ))``, nats.

    The data enter only through their mean and variance,
    Σ (xᵢ − μ)² = m (σ̂² + (μ̂ − μ)²), so the cost does not grow with m.
    """
    x = _as_floats(x, columns=False)
    mu_grid, sigma_grid = floats(mu_grid, "mu_grid"), floats(sigma_grid, "sigma_grid")
    for name, grid in (("mu_grid", mu_grid), ("sigma_grid", sigma_grid)):
        got, fits = tuple(grid.shape), grid.ndim == 1 and len(grid) > 0
        require(**{name: (f"shape {got}", fits, "numbers of shape (n,)")})
        check_finite(grid, name)
    positive(sigma_grid=sigma_grid.min())
    # In a common unit, so that no square overflows or vanishes.
    unit = max(unit_of(values) for values in (x, mu_grid, sigma_grid))
    x, mu_grid = x / unit, mu_grid / unit
    m, mean = len(x), x.mean()
    squares = m * ((x - mean).square().mean() + (mean - mu_grid).square())  # (len(μ),)
    sigma = sigma_grid[:, None]  # (len(σ), 1): one row of the map for each σ
    return -0.5 * squares / (sigma / unit).square() - m * (sigma.log() + 0.5 * LOG_2PI)


def _as_floats(x: torch.Tensor, columns: bool = True) -> torch.Tensor:
    """``x`` as finite floats ``(m,)`` or ``(m, d)``, or a clear ``ValueError``."""
    x = floats(x)
    if not columns:
        require(x=(f"shape {tuple(x.shape)}", x.ndim == 1, "numbers of shape (m,)"))
    table = x[:, None] if x.ndim == 1 else x
    check_data(table, data_dim=math.prod(table.shape[1:]))
    return x


def _is_definite(correlation: torch.Tensor) -> bool:
    smallest = torch.linalg.eigvalsh(correlation)[0]  # 0 where columns are dependent
    return bool(smallest > 8 * len(correlation) * torch.finfo(correlation.dtype).eps)


def _unbounded(why: str) -> str:
    return (
        f"{why}; the likelihood is then unbounded: it grows for ever as the Gaussian "
        "narrows around the data, so there is no maximum"
    )
