"""The exercises of notebook 03: a KL, the bound; the others are imported below."""

import math

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise
from course_utils.variational.ascent_exercises import check_cavi
from course_utils.variational.gradient_exercises import (
    check_control_variate,
    check_reparameterized_gradient,
)

__all__ = [
    "check_cavi",
    "check_control_variate",
    "check_elbo",
    "check_kl_monte_carlo",
    "check_reparameterized_gradient",
]

# ------------------------------------------------- section 3: a KL by Monte Carlo


def kl_monte_carlo(p, q, z):
    """The mean of log p(z) − log q(z) for z drawn from p, and its standard error."""
    terms = p.log_prob(z) - q.log_prob(z)
    return terms.mean(), terms.std() / len(z) ** 0.5


def _from_the_variance(p, q, z):
    mean = (p.log_prob(z) - q.log_prob(z)).mean()
    variance = ((p.log_prob(z) - q.log_prob(z) - mean) ** 2).mean()  # divides by n
    return mean, (variance / len(z)) ** 0.5


def _terms(p, q, z):
    return p.log_prob(z) - q.log_prob(z)


def _two(estimate, terms=None):
    """The estimate, and the standard error of its terms."""
    terms = estimate if terms is None else terms
    return estimate.mean(), terms.std() / math.sqrt(len(terms))


def _error(wrong):
    """The right estimate, and ``wrong(terms)`` as its standard error."""
    return lambda *case: (_terms(*case).mean(), wrong(_terms(*case)))


def _case_of_kl(seed, n=1500):
    """So many samples that a spread with n and one with n − 1 both count as right."""
    a, b, c, d = noise(seed, 4).tolist()
    p, q = Normal(*f64(a, math.exp(b / 2))), Normal(*f64(a + 1 + d / 2, 1 + c * c / 2))
    return p, q, p.loc + p.scale * noise(seed + 40, n)


check_kl_monte_carlo = Exercise(
    name="KL by Monte Carlo",
    solution=kl_monte_carlo,
    also=(_from_the_variance,),
    draw=_case_of_kl,
    entries=("estimate", "standard error"),
    expected="two numbers: the estimate and its standard error",
    tolerance=5e-4,
    hints=(
        "a KL is an expectation under p, and z is drawn from p: so take a plain mean",
        "the terms are log p(z) − log q(z), one for each z. The second number is their "
        "spread, divided by √n",
        "terms = p.log_prob(z) − q.log_prob(z), then terms.mean() and "
        "terms.std() / len(z) ** 0.5",
    ),
    extremes=(
        Extreme(
            "right as long as q is not too small: q(z) is rounded to 0 for z far from "
            "its mean. Subtract the logs from log_prob(z), without exp(), clamp() or a "
            "small number in the log",
            (Normal(*f64(0, 1)), Normal(*f64(0.5, 0.02)), noise(7, 1500)),
        ),
    ),
    error_hints={
        "'Normal' object is not callable": "p and q are distributions, no functions: "
        "the log density at z is p.log_prob(z)",
        "'Normal' object has no attribute": "a distribution has log_prob(z), the log "
        "of its density; for the density itself take exp() of that",
        "'Normal' and 'Normal'": "p and q are distributions; subtract their log "
        "densities: p.log_prob(z) − q.log_prob(z)",
    },
    mistakes=known_mistakes(
        "the log-ratio is upside down (p and q in the wrong order, or the sign): it is "
        "log p(z) − log q(z), with z from p",
        lambda p, q, z: _two(_terms(q, p, z)),
        "the first two are in the wrong order: return (estimate, standard error)",
        lambda *case: _two(_terms(*case))[::-1],
        "z has not to be weighted again by the density: z is already drawn from p, so "
        "take a plain mean",
        lambda p, q, z: _two(p.log_prob(z).exp() * _terms(p, q, z)),
        lambda p, q, z: (
            (p.log_prob(z).exp() * _terms(p, q, z)).sum(),
            torch.tensor(0.0),
        ),
        "the weights p/q or q/p are too much: z is already drawn from p, and the mean "
        "is over p",
        lambda p, q, z: _two(_terms(p, q, z).exp() * _terms(p, q, z)),
        lambda p, q, z: _two((-_terms(p, q, z)).exp() * _terms(p, q, z)),
        lambda p, q, z: _two((-_terms(p, q, z)).exp() * -_terms(p, q, z)),
        "the terms are ratios of densities; take the log of each ratio",
        lambda *case: _two(_terms(*case).exp()),
        lambda p, q, z: _two(_terms(q, p, z).exp()),
        "the log stands outside of the mean: take the log of each ratio first, and "
        "then their mean",
        lambda *case: (_terms(*case).exp().mean().log(), _two(_terms(*case))[1]),
        lambda p, q, z: (_terms(q, p, z).exp().mean().log(), torch.tensor(0.0)),
        "log p(z) is divided by log q(z); subtract them: the log of a ratio is a "
        "difference of logs",
        lambda p, q, z: _two(p.log_prob(z) / q.log_prob(z)),
        "you subtracted the densities; subtract their logs: log p(z) − log q(z)",
        lambda p, q, z: _two(p.log_prob(z).exp() - q.log_prob(z).exp()),
        "single terms may be negative, and must stay so (no abs(), square or clamp): "
        "only their mean is not",
        lambda *case: _two(_terms(*case).abs()),
        lambda *case: _two(_terms(*case).square()),
        lambda *case: _two(_terms(*case).square() / 2),
        lambda *case: _two(_terms(*case).clamp_min(0)),
        "this is the exact KL, by its formula; estimate it from the samples z: the "
        "mean of the terms",
        lambda p, q, z: (kl_divergence(p, q), _two(_terms(p, q, z))[1]),
        lambda p, q, z: (kl_divergence(q, p), _two(_terms(p, q, z))[1]),
        "this is the other estimate of the KL, q/p − 1 − log q/p; here the plain mean "
        "of log p(z) − log q(z) is asked",
        lambda p, q, z: _two(_terms(q, p, z).expm1() + _terms(p, q, z)),
        "this is an interval, the estimate minus and plus its error; return the "
        "estimate and one standard error",
        lambda *case: (
            _two(_terms(*case))[0] - _two(_terms(*case))[1],
            sum(_two(_terms(*case))),
        ),
        lambda *case: (
            _two(_terms(*case))[0] - 1.96 * _two(_terms(*case))[1],
            _two(_terms(*case))[0] + 1.96 * _two(_terms(*case))[1],
        ),
        "this is the sum of the terms; take their mean: divide by n",
        lambda *case: (_terms(*case).sum(), _two(_terms(*case))[1]),
        "these are all terms; the estimate is one number, their mean",
        lambda *case: (_terms(*case), _two(_terms(*case))[1]),
        "this is the spread of one term; the mean of n terms is √n times more precise: "
        "divide by the root of n",
        _error(torch.std),
        "divide the spread by √n, the root, not by n",
        _error(lambda terms: terms.std() / len(terms)),
        "this is made from the variance; take its square root, the standard deviation",
        _error(lambda terms: terms.var() / len(terms)),
        _error(lambda terms: terms.var() / math.sqrt(len(terms))),
        _error(torch.var),
        "multiply by no √n: divide the spread by it",
        _error(lambda terms: terms.std() * math.sqrt(len(terms))),
        "this is an interval's half width, 1.96 or 2 standard errors: one is asked",
        _error(lambda terms: 1.96 * _two(terms)[1]),
        _error(lambda terms: 2 * _two(terms)[1]),
        "the spread is taken around 0, not around the mean of the terms: use std()",
        _error(lambda terms: terms.square().mean().sqrt() / math.sqrt(len(terms))),
        "take the standard deviation of the terms, not the mean of their absolute "
        "distances",
        _error(lambda t: (t - t.mean()).abs().mean() / math.sqrt(len(t))),
        "this is the spread of z, or of log p or log q alone; take the spread of the "
        "terms, the differences log p(z) − log q(z)",
        lambda p, q, z: _two(_terms(p, q, z), z),
        lambda p, q, z: (_terms(p, q, z).mean(), z.std()),
        lambda p, q, z: (_terms(p, q, z).mean(), p.scale / math.sqrt(len(z))),
        lambda p, q, z: _two(_terms(p, q, z), p.log_prob(z)),
        lambda p, q, z: _two(_terms(p, q, z), q.log_prob(z)),
        "the errors of log p and log q are put together as if they were independent; "
        "both come from the same z, so take the spread of the difference of the two",
        lambda p, q, z: (
            _terms(p, q, z).mean(),
            ((p.log_prob(z).var() + q.log_prob(z).var()) / len(z)).sqrt(),
        ),
        lambda p, q, z: (
            _terms(p, q, z).mean(),
            (p.log_prob(z).std() + q.log_prob(z).std()) / math.sqrt(len(z)),
        ),
    ),
).check


# ------------------------------------------------- section 3: the ELBO


def elbo(log_joint, mean, sigma, noise):
    """The mean of log p(x, z) − log q(z) over samples z of q."""
    z = mean + sigma * noise
    log_q = Normal(mean, sigma).log_prob(z)
    return (log_joint(z) - log_q).mean()


def _written_out(log_joint, mean, sigma, noise):
    z = mean + sigma * noise
    log_q = -0.5 * noise**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return log_joint(z).mean() - log_q.mean()


def _with_entropy(log_joint, mean, sigma, noise):
    entropy = 0.5 + 0.5 * math.log(2 * math.pi) + sigma.log()
    return log_joint(mean + sigma * noise).mean() + entropy


def _log_q(mean, sigma, noise):
    return Normal(mean, sigma).log_prob(mean + sigma * noise)


def _elbo(at, log_q=None, combine=torch.mean):
    """From ``at(mean, sigma, noise)`` as z, and ``log_q(mean, sigma, noise)``."""

    def answer(log_joint, mean, sigma, noise):
        z = at(mean, sigma, noise)
        log_density = Normal(mean, sigma).log_prob(z)
        log_density = log_q(mean, sigma, noise) if log_q else log_density
        return combine(log_joint(z) - log_density)

    return answer


def _z(mean, sigma, noise):
    return mean + sigma * noise


def _case_of_elbo(seed, n=20):
    """The mean of noise² is exactly 1: then −H(q) and the mean of log q(z) are equal.

    So both ways to write the ELBO are right, whatever the samples.
    """
    a, b, c, d, e = noise(seed, 5).tolist()

    def log_joint(z):
        """No Gaussian in z: a quartic."""
        return -1.3 - z**2 / 2 - (0.5 + d * d) * (z**2 - 1 - a) ** 2 / 4 - c * z

    eps = noise(seed + 20, n)
    return (
        log_joint,
        *f64(0.9 + b / 2, math.exp(e / 3) / 2),
        eps / eps.square().mean().sqrt(),
    )


check_elbo = Exercise(
    name="ELBO",
    solution=elbo,
    also=(_written_out, _with_entropy),
    draw=_case_of_elbo,
    expected="one number: the mean over the samples, in nats",
    hints=(
        "the ELBO is an expectation under q: the mean of log p(x, z) − log q(z)",
        "the samples of q are z = mean + sigma · noise; sigma is a standard deviation",
        "log_q = Normal(mean, sigma).log_prob(z), then (log_joint(z) − log_q).mean()",
    ),
    extremes=(
        Extreme(
            "right as long as no density is tiny: p(x, z) or q(z) is rounded to 0, or "
            "a small number in the log spoils it. Stay with the logs, without exp()",
            (lambda z: -900 - 1e-13 * z, *f64(2.0, 1e12), _case_of_elbo(5)[3]),
        ),
    ),
    error_hints={
        "name 'x' is not defined": "log_joint is a function of z alone, log_joint(z); "
        "the data x are inside it",
        "log_joint() takes": "log_joint is a function of z alone: log_joint(z)",
        "log_joint() missing": "log_joint is a function of z: log_joint(z)",
        "'function' object has no attribute": "log_joint is a function of z: call it, "
        "log_joint(z)",
        "'function' and": "log_joint is a function: call it at the samples, "
        "log_joint(z)",
        "name 'q' is not defined": "make q first: q = Normal(mean, sigma)",
    },
    mistakes=known_mistakes(
        "the entropy of q is missing: subtract log q(z), or q shrinks to a point",
        _elbo(_z, lambda mean, sigma, noise: 0 * noise),
        "log q(z) has the wrong sign: the ELBO subtracts it (minus)",
        _elbo(_z, lambda *q: -Normal(*q[:2]).log_prob(_z(*q))),
        "log p is divided by log q; the ELBO takes their difference: subtract log q(z)",
        lambda f, *q: (f(_z(*q)) / Normal(*q[:2]).log_prob(_z(*q))).mean(),
        "z is not sampled from q, it is the noise: z = mean + sigma · noise",
        _elbo(lambda mean, sigma, noise: noise),
        _elbo(lambda mean, sigma, noise: noise, _log_q),
        "z is not sampled from q: you used only its mean, at each place",
        _elbo(lambda mean, sigma, noise: mean),
        _elbo(lambda mean, sigma, noise: _z(mean, sigma, noise).mean()),
        "log p(x, z) is taken only at the mean of q: use each of the samples, "
        "log_joint(z), and then the mean",
        lambda f, *q: f(q[0]) - _log_q(*q).mean(),
        lambda f, *q: f(_z(*q).mean()) - _log_q(*q).mean(),
        "log q is taken at the mean of q: use the samples z, in both logs",
        _elbo(_z, lambda mean, sigma, noise: Normal(mean, sigma).log_prob(mean)),
        "log q is taken at the noise: use the samples z, in both logs",
        _elbo(_z, lambda mean, sigma, noise: Normal(mean, sigma).log_prob(noise)),
        "log q is that of the standard normal N(0, 1), at the samples: q is "
        "Normal(mean, sigma)",
        _elbo(_z, lambda *q: Normal(0.0, 1.0).log_prob(_z(*q))),
        "log q is that of the noise under N(0, 1): q(z) is narrower or wider by "
        "sigma. Use Normal(mean, sigma).log_prob(z)",
        _elbo(_z, lambda mean, sigma, noise: Normal(0.0, 1.0).log_prob(noise)),
        "you took q(z), the density, where its log belongs: leave exp() out",
        _elbo(_z, lambda *q: _log_q(*q).exp()),
        "in z, sigma is σ, a standard deviation, already: multiply the noise by it, "
        "without squaring",
        _elbo(lambda mean, sigma, noise: mean + sigma**2 * noise),
        _elbo(lambda mean, sigma, noise: mean + sigma**2 * noise, _log_q),
        "in z, sigma is σ, a standard deviation, already, no variance: multiply the "
        "noise by it, without a root (sqrt)",
        _elbo(lambda mean, sigma, noise: mean + sigma.sqrt() * noise),
        "in q, Normal takes the standard deviation sigma, not the variance sigma²",
        _elbo(_z, lambda m, s, e: Normal(m, s**2).log_prob(m + s * e)),
        "in q, Normal takes sigma itself, without a root (sqrt): it is a standard "
        "deviation already",
        _elbo(_z, lambda m, s, e: Normal(m, s.sqrt()).log_prob(m + s * e)),
        "the shift is missing in z: add the mean of q, z = mean + sigma · noise",
        _elbo(lambda mean, sigma, noise: sigma * noise),
        "this is minus the ELBO, a loss (the sign); here the bound itself is asked",
        lambda *case: -elbo(*case),
        "this is the sum over the samples; take the mean: divide by their number",
        _elbo(_z, combine=torch.sum),
        "these are the terms of all samples; take their mean, one number",
        _elbo(_z, combine=lambda terms: terms),
        "the terms are ratios of densities, p/q: take the log of each, without exp()",
        _elbo(_z, combine=lambda terms: terms.exp().mean()),
        "the log is outside of the mean: that is log E[p/q], which tends to "
        "log p(x) and is not the ELBO",
        _elbo(_z, combine=lambda terms: terms.exp().mean().log()),
        "z needs no weights q(z): it is drawn from q already, so take a plain mean",
        lambda f, *q: (_log_q(*q).exp() * (f(_z(*q)) - _log_q(*q))).mean(),
        lambda f, *q: (_log_q(*q).exp() * (f(_z(*q)) - _log_q(*q))).sum(),
        "this is log q alone: log p(x, z) is missing, log_joint(z)",
        lambda f, *q: -_log_q(*q).mean(),
        lambda f, *q: _log_q(*q).mean(),
    ),
).check
