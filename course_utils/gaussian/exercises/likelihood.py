"""The first exercises of notebook 01: the log-likelihood, the variance.

Each has its solution, other right ways to write it (wrong answers are made from all of
them), and the mistakes that are no slip of the formula but another idea.
"""

import math

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Extreme, known_mistakes
from course_utils.data import load_heights
from course_utils.gaussian.exercises.families import data, positive

# ------------------------------------------------- section 3: the log-likelihood


def log_likelihood(x, mu, sigma):
    """Σ log N(x | μ, σ²), as in the text of section 4."""
    squares = (x - mu) ** 2
    terms = -squares / (2 * sigma**2) - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return terms.sum()


def _with_m(x, mu, sigma):
    """The sum taken term by term: the constant terms count m times."""
    m = len(x)
    constant = torch.log(sigma) + math.log(2 * math.pi) / 2
    return -((x - mu) ** 2).sum() / (2 * sigma**2) - m * constant


def _with_one_log(x, mu, sigma):
    squares = (x - mu) ** 2
    return (-squares / (2 * sigma**2) - torch.log(sigma * (2 * math.pi) ** 0.5)).sum()


def _with_log_variance(x, mu, sigma):
    squares = (x - mu) ** 2
    return (-squares / (2 * sigma**2) - 0.5 * torch.log(2 * math.pi * sigma**2)).sum()


def _by_densities(x, mu, sigma):
    root = (2 * math.pi) ** 0.5
    density = torch.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (root * sigma)
    return torch.log(density).sum()


def _log_densities(x, mu, sigma):
    return Normal(mu, sigma).log_prob(x)  # (m,): one for each example


check_log_likelihood = Exercise(
    name="log-likelihood",
    solution=log_likelihood,
    also=(_with_m, _with_one_log, _with_log_variance, _by_densities),
    draw=lambda seed: (data(seed), positive(seed + 9), positive(seed + 5)),
    expected="one number: the sum over the data, in nats",
    hints=(
        "write log N(x | μ, σ²) for one x, then add up over the data",
        "log N has three terms: the squared distance, log σ, and ½ log 2π",
        "add up −(x − μ)² / (2σ²) − log σ − ½ log 2π over all x, with .sum()",
    ),
    extremes=(
        Extreme(
            "with the 934 heights the product of the densities is 0 for the computer, "
            "and log 0 is −∞: take the log of each density, then add up",
            (data(0, n=935), positive(9), positive(5)),
        ),
    ),
    mistakes=known_mistakes(
        "this is the log of the density for each example; add them up with .sum()",
        _log_densities,
        "this is the mean over the data (divided by m); the log-likelihood is the sum",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).mean(),
        "this is the product of the densities, the likelihood; take the log",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().prod(),
        "you added up the densities; take the log of each first, then add up",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().sum(),
        "these are the densities of the examples; take the log of each, then add up",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp(),
        "this is the log of a sum; you need the sum of the logs (log first, then sum)",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().sum().log(),
        "this is the log of a mean; you need the sum of the logs (log first, then sum)",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).exp().mean().log(),
        "this is the log of the density for one example only; all of them count: sum",
        lambda x, mu, sigma: _log_densities(x, mu, sigma)[0],
        lambda x, mu, sigma: _log_densities(x, mu, sigma)[-1],
        "log σ and ½ log 2π are counted once; they belong to each example: m times",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum()
            + (len(x) - 1) * (sigma.log() + 0.5 * math.log(2 * math.pi))
        ),
        "log σ and ½ log 2π belong to each example: m times, not m − 1 times",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum()
            + sigma.log()
            + 0.5 * math.log(2 * math.pi)
        ),
        "log σ is counted once; it belongs to each example: m times",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum() + (len(x) - 1) * sigma.log()
        ),
        "the ½ log 2π is missing, once for each example",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum() + len(x) * 0.5 * math.log(2 * math.pi)
        ),
        "the log σ is missing, once for each example: subtract it",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).sum() + len(x) * sigma.log(),
        "the ½ in front of the squares is missing: divide by 2σ²",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum() - 0.5 * ((x - mu) / sigma).square().sum()
        ),
        "log 2π counts with the factor ½: it is − ½ log 2π for each example",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum() - len(x) * 0.5 * math.log(2 * math.pi)
        ),
        "½ log 2πσ² = log σ + ½ log 2π: log σ has no ½, or σ is squared inside the log",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum() + len(x) * 0.5 * sigma.log()
        ),
        "2π and σ² stand under a root in the density: ½ log 2πσ², with the factor ½",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum()
            - len(x) * (sigma.log() + 0.5 * math.log(2 * math.pi))
        ),
        "this is the log-likelihood of a Laplace distribution, with |x − μ|; the "
        "Gaussian has the square",
        lambda x, mu, sigma: -((x - mu).abs() / sigma + (2 * sigma).log()).sum(),
        "sigma is σ, the standard deviation, and not the variance σ²: square it",
        lambda x, mu, sigma: _log_densities(x, mu, sigma.sqrt()).sum(),
        "sigma is σ, the standard deviation; you squared it twice, and have σ⁴",
        lambda x, mu, sigma: _log_densities(x, mu, sigma.square()).sum(),
        "you used the standard deviation of the data; use the argument sigma",
        lambda x, mu, sigma: _log_densities(x, mu, x.std()).sum(),
        lambda x, mu, sigma: _log_densities(x, mu, x.std(correction=0)).sum(),
        "you used the mean and σ of the data; use the arguments mu and sigma",
        lambda x, mu, sigma: _log_densities(x, x.mean(), x.std()).sum(),
        lambda x, mu, sigma: _log_densities(x, x.mean(), x.std(correction=0)).sum(),
        "you used the mean of the data in place of the argument mu; use mu",
        lambda x, mu, sigma: _log_densities(x, x.mean(), sigma).sum(),
        "1/√(2π) and 1/σ are missing before you take the log: − log σ − ½ log 2π",
        lambda x, mu, sigma: -0.5 * ((x - mu) / sigma).square().sum(),
        "square each distance first, then add up; you squared the sum",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma).sum()
            + 0.5 * ((x - mu).square().sum() - (x - mu).sum() ** 2) / sigma**2
        ),
        "this is the log of the distribution function (cdf); the density is asked",
        lambda x, mu, sigma: Normal(mu, sigma).cdf(x).log().sum(),
    ),
).check


# ------------------------------------------------------- section 4: the variance


def mle_variance(x):
    """The mean squared distance from the mean."""
    return ((x - x.mean()) ** 2).mean()


def _by_sums(x):
    m = len(x)
    mu = x.sum() / m
    return ((x - mu) ** 2).sum() / m


def _in_a_loop(x):
    total = 0.0
    for one in x:
        total += (one - x.mean()) ** 2
    return total / len(x)


def _by_squares(x):
    return (x**2).mean() - x.mean() ** 2


check_mle_variance = Exercise(
    name="MLE of the variance",
    solution=mle_variance,
    also=(_by_sums, _in_a_loop, _by_squares),
    draw=lambda seed: (data(seed),),
    expected="one number: σ²",
    hints=(
        "the mean of the squared distances from the mean",
        "first the mean of x, then the distances from it, then their squares",
        "take the mean of (x − x.mean())²: divide by m, not by m − 1",
    ),
    mistakes=known_mistakes(
        "in this formula the mean must be squared, too: the mean of x² minus the "
        "square of the mean, x.mean()²",
        lambda x: x.square().mean() - x.mean(),
        "you divide by m − 1: that is the unbiased estimate (and the default of "
        "torch.var); maximum likelihood divides by m",
        lambda x: x.var(),
        "this is σ, the standard deviation, a root; σ² is asked",
        lambda x: x.std(correction=0),
        "this is σ with 1/(m − 1); σ² with 1/m is asked, without the root",
        lambda x: x.std(),
        "this is the root of the sum; divide the sum by m, and take no root",
        lambda x: x.var(correction=0).mul(len(x)).sqrt(),
        "this is twice the right value: there is no 2 in σ²",
        lambda x: 2 * x.var(correction=0),
        "this is half the right value: the ½ of the exponent has cancelled",
        lambda x: 0.5 * x.var(correction=0),
        "this is the sum of the squares; divide by m (take the mean)",
        lambda x: (x - x.mean()).square().sum(),
        "these are the squared distances, one for each example; take their mean",
        lambda x: (x - x.mean()).square(),
        "this is the squared distance of one example only; take the mean of them all",
        lambda x: (x - x.mean()).square()[0],
        lambda x: (x - x.mean()).square()[-1],
        "you divided by m twice; once is enough",
        lambda x: x.var(correction=0) / len(x),
        "you squared x itself; subtract the mean before you square",
        lambda x: x.square().mean(),
        lambda x: x.square().sum(),
        "square the distances first, then take the mean; the plain distances from "
        "the mean cancel out: their sum is always 0",
        lambda x: (x - x.mean()).mean().square(),
        "this is the mean absolute distance; square the distances, no abs()",
        lambda x: (x - x.mean()).abs().mean(),
        lambda x: (x - x.median()).abs().mean(),
        "this is the square of the mean absolute distance; square each distance first",
        lambda x: (x - x.mean()).abs().mean().square(),
        "take the mean of the squared distances, not their median",
        lambda x: (x - x.mean()).square().median(),
        lambda x: (x - x.median()).square().median(),
        "divide by m twice, in the mean of x² and in the mean of x, before you square: "
        "Σx²/m − (Σx/m)²",
        lambda x: (x.square().sum() - x.sum().square()) / len(x),
        lambda x: x.square().mean() - x.sum().square(),
        "these are the distances between neighbours in the tensor; take those from "
        "the mean",
        lambda x: x.diff().square().mean(),
        "this is rounded down to a whole number: divide by /, not by //",
        lambda x: (x - x.mean()).square().sum() // len(x),
        "you measured from the median; take the distances from the mean of x",
        lambda x: (x - x.median()).square().mean(),
        "you measured from a number outside, the mean of the heights (a global "
        "variable); take x.mean(), the mean of the argument",
        lambda x: (x - load_heights().mean()).square().mean(),
        lambda x: (x - 1.7).square().mean(),
        "this is the mean; the variance is asked: how far the data lie from it",
        lambda x: x.mean(),
        "this is the square of the mean; the mean of the squared distances is asked",
        lambda x: x.mean().square(),
        "this is the largest of the squared distances; take their mean",
        lambda x: (x - x.mean()).square().max(),
        "you divided the distances by the standard deviation first: such data have "
        "variance 1, always",
        lambda x: ((x - x.mean()) / x.std()).square().mean(),
        lambda x: torch.ones(()),
        "this is the spread in units of the mean (σ/μ); σ² itself is asked",
        lambda x: x.std(correction=0) / x.mean(),
        lambda x: x.var(correction=0) / x.mean(),
        "this is the log of the variance, a likelihood, or another step on the way; "
        "the best σ² itself is asked",
        lambda x: x.var(correction=0).log(),
        lambda x: Normal(x.mean(), x.std(correction=0)).log_prob(x).sum(),
        "this is the range, from the smallest to the largest; take the mean of the "
        "squared distances from the mean",
        lambda x: x.max() - x.min(),
        lambda x: x.quantile(0.75) - x.quantile(0.25),
    ),
).check
