"""Exercise 2 of notebook 03: the ELBO of a normal q, from noise."""

import math

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def elbo(log_joint, mean, sigma, noise):
    """The mean of log p(x, z) − log q(z) over samples z of q."""
    z = mean + sigma * noise
    log_q = Normal(mean, sigma).log_prob(z)
    return (log_joint(z) - log_q).mean()


def _written_out(log_joint, mean, sigma, noise):
    z = mean + sigma * noise
    distance = -((z - mean) ** 2) / (2 * sigma**2)
    log_q = distance - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_joint(z).mean() - log_q.mean()


def _with_entropy(log_joint, mean, sigma, noise):
    entropy = 0.5 * torch.log(2 * math.pi * math.e * sigma**2)
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


def _normal(mean, sigma, z):
    return Normal(mean, sigma).log_prob(z)


STANDARD = Normal(*f64(0, 1))


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
        "log q is taken at the mean of q: use the samples z, in both logs. (Or a ½ is "
        "missing in the entropy, ½ log(2πe σ²).)",
        _elbo(_z, lambda mean, sigma, noise: Normal(mean, sigma).log_prob(mean)),
        "log q is taken at sigma · noise: z has the shift mean, in both logs",
        _elbo(_z, lambda mean, sigma, noise: _normal(mean, sigma, sigma * noise)),
        "log q is taken at the noise: use the samples z, in both logs",
        _elbo(_z, lambda mean, sigma, noise: Normal(mean, sigma).log_prob(noise)),
        "log q is that of the standard normal N(0, 1), at the samples: q is "
        "Normal(mean, sigma)",
        _elbo(_z, lambda *q: Normal(0.0, 1.0).log_prob(_z(*q))),
        "log σ is missing in log q(z): that is the density of the noise under N(0, 1), "
        "the standard normal. Use Normal(mean, sigma).log_prob(z)",
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
        "sigma is σ itself, no log variance and no log: leave exp() out",
        lambda f, m, s, e: elbo(f, m, (s / 2).exp(), e),
        lambda f, m, s, e: elbo(f, m, s.exp(), e),
        _elbo(lambda mean, sigma, noise: mean + sigma.exp() * noise),
        _elbo(lambda mean, sigma, noise: mean + (sigma / 2).exp() * noise),
        "mean and sigma have changed places: z = mean + sigma · noise",
        lambda f, m, s, e: elbo(f, s, m.abs(), e),
        _elbo(lambda mean, sigma, noise: sigma + mean * noise),
        "in z, sigma multiplies the noise alone, not the mean: no brackets in "
        "z = mean + sigma · noise",
        _elbo(lambda mean, sigma, noise: (mean + noise) * sigma),
        "you standardised the noise, as if it were z: the other way, "
        "z = mean + sigma · noise",
        _elbo(lambda mean, sigma, noise: (noise - mean) / sigma),
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
        "log p(x, z) is averaged before the log: take the mean of the logs, "
        "log_joint(z).mean()",
        lambda f, *q: f(_z(*q)).exp().mean().log() - _log_q(*q).mean(),
        "the terms may be negative, and keep their sign: no abs()",
        _elbo(_z, combine=lambda terms: terms.abs().mean()),
        "z needs no weights q(z): it is drawn from q already, so take a plain mean",
        lambda f, *q: (_log_q(*q).exp() * (f(_z(*q)) - _log_q(*q))).mean(),
        lambda f, *q: (_log_q(*q).exp() * (f(_z(*q)) - _log_q(*q))).sum(),
        lambda f, *q: (_log_q(*q).exp() * f(_z(*q))).mean(),
        "log_joint(z) is a log already: take it as it is, without exp()",
        lambda f, *q: (f(_z(*q)).exp() - _log_q(*q)).mean(),
        "these are densities, p − q; subtract their logs, without exp()",
        lambda f, *q: (f(_z(*q)).exp() - _log_q(*q).exp()).mean(),
        "the terms are multiplied by log q: leave this factor out",
        lambda f, *q: (_log_q(*q) * (f(_z(*q)) - _log_q(*q))).mean(),
        "the entropy of q is counted twice: − log q(z) is in it already. (Or the ½ of "
        "½ log(2πe σ²) is missing.)",
        _elbo(_z, lambda *q: 2 * _log_q(*q)),
        "the prior is counted twice: log_joint(z) holds it already. Subtract "
        "log q(z), not the KL to a prior",
        lambda f, *q: f(_z(*q)).mean() - kl_divergence(Normal(*q[:2]), STANDARD),
        lambda f, *q: elbo(f, *q) + STANDARD.log_prob(_z(*q)).mean(),
        lambda f, *q: elbo(f, *q) - STANDARD.log_prob(_z(*q)).mean(),
        "this is the spread of the terms; their mean is asked",
        _elbo(_z, combine=torch.std),
        _elbo(_z, combine=lambda terms: terms.std() / len(terms) ** 0.5),
        "this is the largest (or smallest) of the terms; their mean is asked",
        _elbo(_z, combine=torch.max),
        _elbo(_z, combine=torch.min),
        "only the first sample counts: does `return` stand inside the loop?",
        _elbo(_z, combine=lambda terms: terms[0] / len(terms)),
        _elbo(_z, combine=lambda terms: terms[0]),
        "only the last sample counts: add up in the loop, then divide by n",
        _elbo(_z, combine=lambda terms: terms[-1] / len(terms)),
        _elbo(_z, combine=lambda terms: terms[-1]),
        "this is log q alone: log p(x, z) is missing, log_joint(z)",
        lambda f, *q: -_log_q(*q).mean(),
        lambda f, *q: _log_q(*q).mean(),
    ),
).check
