"""Exercise 1 of notebook 03: a KL divergence by Monte Carlo."""

import math

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.checks import Exercise, Extreme, Trait, f64, known_mistakes, noise


def kl_monte_carlo(p, q, z):
    """The mean of log p(z) − log q(z) for z drawn from p, and its standard error."""
    terms = p.log_prob(z) - q.log_prob(z)
    return terms.mean(), terms.std() / len(z) ** 0.5


def _from_the_variance(p, q, z):
    mean = (p.log_prob(z) - q.log_prob(z)).mean()
    variance = ((p.log_prob(z) - q.log_prob(z) - mean) ** 2).mean()  # divides by n
    return mean, (variance / len(z)).sqrt()


def _terms(p, q, z):
    return p.log_prob(z) - q.log_prob(z)


def _two(estimate, terms=None):
    """The estimate, and the standard error of its terms."""
    terms = estimate if terms is None else terms
    return estimate.mean(), terms.std() / math.sqrt(len(terms))


def _error(wrong):
    """The right estimate, and ``wrong(terms)`` as its standard error."""
    return lambda *case: (_terms(*case).mean(), wrong(_terms(*case)))


def _written_out(half=0.5, spread=1.0):
    """log p − log q with another factor before the square, or without log σ."""

    def answer(p, q, z):
        squares = [half * ((z - d.loc) / d.scale) ** 2 for d in (q, p)]
        return _two(squares[0] - squares[1] + spread * (q.scale / p.scale).log())

    return answer


def _integral(p, q, z):
    return torch.trapezoid(p.log_prob(z).exp() * _terms(p, q, z), z)


def _case_of_kl(seed, n=2500):
    """So many samples that a spread with n and one with n − 1 both count as right."""
    a, b, c, d = noise(seed, 4).tolist()
    p, q = Normal(*f64(a, math.exp(b / 2))), Normal(*f64(a + 1 + d / 2, 1 + c * c / 2))
    return p, q, p.loc + p.scale * noise(seed + 40, n)


def _unlucky(seed, n=2500):
    """Samples of N(0, 1) whose mean is 2.5 standard errors too large."""
    z = noise(seed, n)
    return z - z.mean() + 0.05


check_kl_monte_carlo = Exercise(
    name="KL by Monte Carlo",
    solution=kl_monte_carlo,
    also=(_from_the_variance,),
    draw=_case_of_kl,
    entries=("estimate", "standard error"),
    expected="two numbers: the estimate and its standard error",
    tolerance=3e-4,
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
            (Normal(*f64(0, 1)), Normal(*f64(0.5, 0.02)), noise(7, 2500)),
        ),
        Extreme(
            "an estimate may be negative, although the KL is not: do not cut it off at "
            "0, and take no absolute value",
            (Normal(*f64(0, 1)), Normal(*f64(0.06, 1)), _unlucky(8)),
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
    traits=(
        Trait(
            "the estimate is right, its standard error is not: take the spread of the "
            "terms, terms.std(), divided by the root of their number n",
            lambda result, *case: (
                (result[0] - _terms(*case).mean()).abs() < 1e-6 * result[0].abs()
            ),
        ),
    ),
    mistakes=known_mistakes(
        "the log-ratio is upside down (p and q in the wrong order, or the sign): it is "
        "log p(z) − log q(z), with z from p",
        lambda p, q, z: _two(_terms(q, p, z)),
        "this is the standard error; the order is (estimate, standard error)",
        lambda *case: (_two(_terms(*case))[1], math.nan),
        "z has not to be weighted again by the density: z is already drawn from p, so "
        "take a plain mean",
        lambda p, q, z: _two(p.log_prob(z).exp() * _terms(p, q, z)),
        lambda p, q, z: (
            (p.log_prob(z).exp() * _terms(p, q, z)).sum(),
            math.nan,
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
        lambda p, q, z: (_terms(q, p, z).exp().mean().log(), math.nan),
        "the ½ before the square is missing in the log densities: take log_prob(z)",
        _written_out(half=1.0),
        "log σ is missing in the log densities, or has the wrong sign: take "
        "log_prob(z)",
        _written_out(spread=0.0),
        _written_out(spread=-1.0),
        "one part comes from the formula of an entropy; take both logs at the samples",
        lambda p, q, z: _two(-p.entropy() - q.log_prob(z)),
        "z is drawn from p already: use it as it is, without another shift or scale",
        lambda p, q, z: _two(_terms(p, q, p.loc + p.scale * z)),
        lambda p, q, z: _two(_terms(p, q, (z - z.mean()) / z.std())),
        lambda p, q, z: _two(_terms(p, q, (z - p.loc) / p.scale)),
        "log p(z) alone is taken; subtract log q(z) from it",
        lambda p, q, z: _two(p.log_prob(z)),
        lambda p, q, z: _two(-p.log_prob(z)),
        "log q(z) alone is taken, the cross-entropy; log p(z) is missing: the terms "
        "are log p(z) − log q(z)",
        lambda p, q, z: _two(-q.log_prob(z)),
        lambda p, q, z: _two(q.log_prob(z)),
        "the terms are multiplied by log p(z) once more: leave this factor out",
        lambda p, q, z: _two(p.log_prob(z) * _terms(p, q, z)),
        "you integrate over z; z is no grid but drawn from p: take a plain mean",
        lambda p, q, z: (
            _integral(p, q, z),
            math.nan,
        ),
        lambda p, q, z: (_integral(p, q, z.sort().values), math.nan),
        "this is a JSD's half, with the mean of p and q below; below stands q alone",
        lambda p, q, z: _two(
            math.log(2) - torch.logaddexp(0 * z, q.log_prob(z) - p.log_prob(z))
        ),
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
        _error(lambda terms: terms.var(correction=0) / len(terms)),
        _error(lambda terms: terms.var(correction=0) / math.sqrt(len(terms))),
        _error(lambda terms: terms.var() / math.sqrt(len(terms))),
        _error(torch.var),
        "this is the mean of the terms in place of their spread: use std(), and divide "
        "it by √n",
        _error(torch.mean),
        _error(lambda terms: terms.mean() / math.sqrt(len(terms))),
        "the spread of a single number is NaN, or 0: take the spread of the terms "
        "themselves, terms.std(), not of their mean",
        _error(lambda terms: math.nan),
        _error(lambda terms: 0.0),
        "the spread is missing: std() of the terms, divided by √n",
        _error(lambda terms: 1 / math.sqrt(len(terms))),
        "this is the distance to the exact KL; the standard error comes from the "
        "spread of the terms",
        lambda p, q, z: (
            _terms(p, q, z).mean(),
            (_terms(p, q, z).mean() - kl_divergence(p, q)).abs(),
        ),
        "take no root of the spread: std() has it already. Only n stands in a root",
        _error(lambda terms: terms.std().sqrt() / math.sqrt(len(terms))),
        _error(lambda terms: terms.std().sqrt() / len(terms)),
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
        lambda p, q, z: (_terms(p, q, z).mean(), q.scale / math.sqrt(len(z))),
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
