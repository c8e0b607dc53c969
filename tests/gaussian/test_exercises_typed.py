"""Notebook 01: answers as readers type them, wrong, or right in unusual forms."""

import math

import numpy as np
import torch
from torch.distributions import Normal

from course_utils.gaussian.exercises import (
    check_kl_gaussians,
    check_laplace_mle,
    check_log_likelihood,
    check_mle_variance,
)
from tests.exercise_rules import told


def one_less(x, mu, sigma):
    constants = (len(x) - 1) * (torch.log(sigma) + 0.5 * math.log(2 * math.pi))
    return -((x - mu) ** 2).sum() / (2 * sigma**2) - constants


def by_sufficient_statistics(x, mu, sigma):
    v = ((x - x.mean()) ** 2).mean() + (x.mean() - mu) ** 2
    return -len(x) / 2 * (torch.log(2 * math.pi * sigma**2) + v / sigma**2)


def by_quadrature(mu_p, sigma_p, mu_q, sigma_q):
    z = mu_p + sigma_p * torch.linspace(-12, 12, 20001, dtype=torch.float64)
    p, q = Normal(mu_p, sigma_p).log_prob(z), Normal(mu_q, sigma_q).log_prob(z)
    return torch.trapezoid(p.exp() * (p - q), z)


def best_example(x):
    costs = (x[:, None] - x).abs().mean(0)
    return x[costs.argmin()], costs.min()


def coarse_grid(x):
    grid = torch.linspace(float(x.min()), float(x.max()), 2000, dtype=x.dtype)
    mu = grid[(x[:, None] - grid).abs().sum(0).argmin()]
    return mu, (x - mu).abs().mean()


def with_b(b):
    return lambda x: (x.median(), b(x))


test_answers_are_told = told(
    [
        (check_log_likelihood, one_less, "m times, not m − 1"),
        (check_log_likelihood, by_sufficient_statistics, ""),
        (check_mle_variance, lambda x: (x**2).sum() / 7 - x.sum() ** 2 / 7, "m twice"),
        (check_mle_variance, lambda x: (x.diff() ** 2).mean(), "between neighbours"),
        (
            check_mle_variance,
            lambda x: (x.half() - x.half().mean()).pow(2).mean(),
            "nearly right",
        ),
        (
            check_mle_variance,
            lambda x: x.var(correction=0) * len(x) // len(x),
            "not by //",
        ),
        (check_mle_variance, lambda x: ((x[:, None] - x) ** 2).mean() / 2, ""),
        (check_mle_variance, lambda x: torch.cov(x, correction=0), ""),
        (check_kl_gaussians, by_quadrature, ""),
        (check_laplace_mle, lambda x: (x.abs().min(), x.mean()), "nearest to 0"),
        (check_laplace_mle, lambda x: (x.quantile(0.25), x.std()), "a quartile"),
        (check_laplace_mle, lambda x: (x.sort().values[1:-1].mean(), x[0]), "trimmed"),
        (
            check_laplace_mle,
            with_b(lambda x: (x[:, None] - x).abs().mean()),
            "between two examples",
        ),
        (
            check_laplace_mle,
            with_b(lambda x: x.quantile(0.75) - x.quantile(0.25)),
            "between quartiles",
        ),
        (check_laplace_mle, with_b(lambda x: x.abs().mean()), "not from 0"),
        (check_laplace_mle, coarse_grid, "a grid too coarse"),
        (check_laplace_mle, best_example, ""),
        (
            check_laplace_mle,
            lambda x: (np.median(x), np.mean(np.abs(x.numpy() - np.median(x)))),
            "",
        ),
    ]
)
