"""The exercises of notebook 01: log-likelihood, variance, KL, Laplace."""

import math

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, known_mistakes, noise

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _data(seed, n=7):
    """An odd number of examples, so that the median is unique; not sorted."""
    return 2 * noise(seed, n) + 1.5


# ------------------------------------------------- section 3: the log-likelihood


def log_likelihood(x, mu, sigma):
    """Σ log N(x | μ, σ²), written out."""
    squares = ((x - mu) / sigma) ** 2
    return (-0.5 * squares - sigma.log() - 0.5 * math.log(2 * math.pi)).sum()


def _with_the_product_below(x, mu, sigma):
    return (-((x - mu) ** 2) / (2 * sigma**2) - torch.log(sigma)).sum() - len(
        x
    ) * HALF_LOG_2PI


def _log_densities(x, mu, sigma):
    return Normal(mu, sigma).log_prob(x)  # (m,): one for each example


check_log_likelihood = Exercise(
    name="log-likelihood",
    solution=log_likelihood,
    also=(_with_the_product_below,),
    draw=lambda seed: (_data(seed), noise(seed + 9, 1)[0] + 3, noise(seed, 3)[2].exp()),
    expected="one number: the sum over the data, in nats",
    hints=(
        "write log N(x | μ, σ²) for one x, then add up over the data",
        "log N has three terms: the squared distance, log σ, and ½ log 2π",
        "Normal(mu, sigma).log_prob(x) holds one term for each x; .sum() adds them up",
    ),
    mistakes=known_mistakes(
        "this is the log of the density for each example; add them up with .sum()",
        _log_densities,
        "this is the product of the densities, the likelihood; take the log",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().prod(),
        "you added up the densities; add up their logs",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().sum(),
        "this is the log of a sum; you need the sum of the logs",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().sum().log(),
    ),
).check
