"""The checks of notebook 01."""

import math

import torch

from course_utils.checks import Exercise, Mistake

X = torch.tensor([1.2, 3.1, 2.5, 4.0, 0.7], dtype=torch.float64)
Y = torch.tensor([-2.0, 0.5, 7.5], dtype=torch.float64)
LOG_2PI = math.log(2 * math.pi)


def _numbers(*values):
    """As scalar tensors, which both ``math.log`` and ``torch.log`` accept."""
    return tuple(torch.tensor(value, dtype=torch.float64) for value in values)


def _squares(x, mu):
    return (x - mu).square()


def _log_terms(x, mu, sigma):
    return -0.5 * _squares(x, mu) / sigma**2 - math.log(sigma) - 0.5 * LOG_2PI


def _density(x, mu, sigma):
    return _log_terms(x, mu, sigma).exp()


check_log_likelihood = Exercise(
    name="log-likelihood",
    reference=lambda x, mu, sigma: _log_terms(x, mu, sigma).sum(),
    cases=((X, *_numbers(2.0, 1.5)), (Y, *_numbers(-1.0, 3.0))),
    expected="one number: the sum over the data, in nats",
    first_hint="write log N(x | μ, σ²) for one x, then add up over the data",
    mistakes=(
        Mistake(
            "this is the log of the density for each example; add them up with .sum()",
            _log_terms,
        ),
        Mistake(
            "this is the mean over the data; the log-likelihood is the sum",
            lambda x, mu, sigma: _log_terms(x, mu, sigma).mean(),
        ),
        Mistake(
            "this is the product of the densities, the likelihood; take the log",
            lambda x, mu, sigma: _density(x, mu, sigma).prod(),
        ),
        Mistake(
            "you added up the densities; add up their logs",
            lambda x, mu, sigma: _density(x, mu, sigma).sum(),
        ),
        Mistake(
            "this is the log of a sum; you need the sum of the logs",
            lambda x, mu, sigma: _density(x, mu, sigma).sum().log(),
        ),
        Mistake(
            "the ½ log 2π is missing, once per example",
            lambda x, mu, sigma: (_log_terms(x, mu, sigma) + 0.5 * LOG_2PI).sum(),
        ),
        Mistake(
            "the log σ is missing, once per example",
            lambda x, mu, sigma: (_log_terms(x, mu, sigma) + math.log(sigma)).sum(),
        ),
        Mistake(
            "the ½ in front of the squares is missing",
            lambda x, mu, sigma: (
                _log_terms(x, mu, sigma) - 0.5 * _squares(x, mu) / sigma**2
            ).sum(),
        ),
        Mistake(
            "you divided the squares by σ; the formula divides by σ²",
            lambda x, mu, sigma: (
                _log_terms(x, mu, math.sqrt(sigma)).sum()
                - len(x) * 0.5 * math.log(sigma)
            ),
        ),
        Mistake(
            "sigma is σ, not σ²: square it before you divide",
            lambda x, mu, sigma: _log_terms(x, mu, math.sqrt(sigma)).sum(),
        ),
        Mistake(
            "log 2π counts with the factor ½",
            lambda x, mu, sigma: (_log_terms(x, mu, sigma) - 0.5 * LOG_2PI).sum(),
        ),
    ),
).check

check_mle_variance = Exercise(
    name="MLE of the variance",
    reference=lambda x: _squares(x, x.mean()).mean(),
    cases=((X,), (Y,)),
    expected="one number: σ²",
    first_hint="the mean of the squared distances from the mean",
    mistakes=(
        Mistake(
            "you divide by m − 1: that is the unbiased estimate (and the default of "
            "torch.var); maximum likelihood divides by m",
            lambda x: x.var(),
        ),
        Mistake(
            "this is σ, the standard deviation; σ² is asked",
            lambda x: x.std(correction=0),
        ),
        Mistake("this is σ with 1/(m − 1); σ² with 1/m is asked", lambda x: x.std()),
        Mistake(
            "this is twice the right value: there is no 2 in σ²",
            lambda x: 2 * x.var(correction=0),
        ),
        Mistake(
            "this is half the right value: the ½ of the exponent has cancelled",
            lambda x: 0.5 * x.var(correction=0),
        ),
        Mistake(
            "this is the sum of the squares; divide by m",
            lambda x: _squares(x, x.mean()).sum(),
        ),
        Mistake("subtract the mean before you square", lambda x: x.square().mean()),
        Mistake(
            "square the distances first, then take the mean; the plain distances from "
            "the mean cancel out",
            lambda x: (x - x.mean()).mean().square(),
        ),
    ),
).check


def _kl(mu_p, sigma_p, mu_q, sigma_q):
    squares = sigma_p**2 + (mu_p - mu_q) ** 2
    return math.log(sigma_q / sigma_p) + squares / (2 * sigma_q**2) - 0.5


check_kl_gaussians = Exercise(
    name="KL between two Gaussians",
    reference=_kl,
    cases=(_numbers(0, 1, 1, 2), _numbers(-1, 3, 0.5, 0.8)),
    expected="one number, in nats",
    first_hint="E_p[log p] − E_p[log q], and E_p[(x − μ_q)²] = σ_p² + (μ_p − μ_q)²",
    mistakes=(
        Mistake(
            "this is KL(Q‖P): the arguments are the wrong way round",
            lambda a, s, b, t: _kl(b, t, a, s),
        ),
        Mistake(
            "the − ½ at the end is missing, so the KL of P with itself is not 0",
            lambda a, s, b, t: _kl(a, s, b, t) + 0.5,
        ),
        Mistake(
            "the ½ in front of the fraction is missing: divide by 2σ_q²",
            lambda a, s, b, t: _kl(a, s, b, t) + (s**2 + (a - b) ** 2) / (2 * t**2),
        ),
        Mistake(
            "the log has σ_p and σ_q the wrong way round: it is log(σ_q/σ_p)",
            lambda a, s, b, t: _kl(a, s, b, t) - 2 * math.log(t / s),
        ),
        Mistake(
            "divide by σ_q², the variance of Q, not by σ_p²",
            lambda a, s, b, t: (
                math.log(t / s) + (s**2 + (a - b) ** 2) / (2 * s**2) - 0.5
            ),
        ),
        Mistake(
            "log(σ_q²/σ_p²) is twice log(σ_q/σ_p): put a ½ before it",
            lambda a, s, b, t: _kl(a, s, b, t) + math.log(t / s),
        ),
        Mistake(
            "the distance of the means must be squared",
            lambda a, s, b, t: math.log(t / s) + (s**2 + (a - b)) / (2 * t**2) - 0.5,
        ),
        Mistake(
            "this is in bits; use the natural log and stay in nats",
            lambda a, s, b, t: _kl(a, s, b, t) / math.log(2),
        ),
    ),
).check

check_laplace_mle = Exercise(
    name="MLE of a Laplace distribution",
    reference=lambda x: torch.stack([x.median(), (x - x.median()).abs().mean()]),
    cases=((X,), (Y,)),
    expected="two numbers: the location μ and the scale b",
    first_hint="log p(x) = −|x − μ|/b − log 2b: which μ makes Σ|x − μ| smallest?",
    mistakes=(
        Mistake(
            "the mean makes the sum of squares smallest; which number makes the sum of "
            "absolute distances smallest?",
            lambda x: torch.stack([x.mean(), (x - x.mean()).abs().mean()]),
        ),
        Mistake(
            "μ is right; b is the mean absolute distance from μ, not from the mean",
            lambda x: torch.stack([x.median(), (x - x.mean()).abs().mean()]),
        ),
        Mistake(
            "μ is right; b is the mean absolute distance, not a standard deviation",
            lambda x: torch.stack([x.median(), _squares(x, x.median()).mean().sqrt()]),
        ),
        Mistake(
            "these are the mean and σ of the Gaussian; the Laplace density has |x − μ|",
            lambda x: torch.stack([x.mean(), x.std(correction=0)]),
        ),
        Mistake(
            "μ is right; b is the mean of the distances, not their sum",
            lambda x: torch.stack([x.median(), (x - x.median()).abs().sum()]),
        ),
        Mistake(
            "the first number is b and the second is μ; return (μ, b)",
            lambda x: torch.stack([(x - x.median()).abs().mean(), x.median()]),
        ),
    ),
).check
