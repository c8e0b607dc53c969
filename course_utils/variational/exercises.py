"""The checks of notebook 03: the bound and its climb by coordinates."""

import math

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Mistake, f64, noise, pair

# ---- KL by Monte Carlo, with its standard error ----

P, Q, P2, Q2 = (Normal(*f64(*ab)) for ab in [(0, 1), (1, 2), (-1, 0.5), (-0.4, 1.3)])


def _log_ratio(p, q, z):
    return p.log_prob(z) - q.log_prob(z)


def _kl(p, q, z):
    terms = _log_ratio(p, q, z)
    return pair(terms.mean(), terms.std() / math.sqrt(len(z)))


check_kl_monte_carlo = Exercise(
    name="KL by Monte Carlo",
    reference=_kl,
    cases=((P, Q, noise(0, 400)), (P2, Q2, -1 + 0.5 * noise(1, 500))),
    expected="two numbers: the estimate and its standard error",
    first_hint="KL(p‖q) is the mean of log p(z) − log q(z), for z drawn from p",
    tolerance=5e-4,
    mistakes=(
        Mistake(
            "the log-ratio is upside down: it is log p(z) − log q(z), with z from p",
            lambda p, q, z: pair(-_kl(p, q, z)[0], _kl(p, q, z)[1]),
        ),
        Mistake(
            "the second number is the spread of one term; the mean of n terms is √n "
            "times more precise",
            lambda p, q, z: pair(_kl(p, q, z)[0], _log_ratio(p, q, z).std()),
        ),
        Mistake(
            "divide the spread by √n, not by n",
            lambda p, q, z: pair(_kl(p, q, z)[0], _log_ratio(p, q, z).std() / len(z)),
        ),
        Mistake(
            "the second number is a variance; take its square root",
            lambda p, q, z: pair(_kl(p, q, z)[0], _kl(p, q, z)[1] ** 2),
        ),
        Mistake(
            "the first number is the sum of the terms; take their mean",
            lambda p, q, z: pair(_log_ratio(p, q, z).sum(), _kl(p, q, z)[1]),
        ),
        Mistake(
            "no weights by the density: z is already drawn from p",
            lambda p, q, z: pair(
                (p.log_prob(z).exp() * _log_ratio(p, q, z)).mean(),
                (p.log_prob(z).exp() * _log_ratio(p, q, z)).std() / math.sqrt(len(z)),
            ),
        ),
        Mistake(
            "the terms are ratios of densities; take the log",
            lambda p, q, z: pair(
                _log_ratio(p, q, z).exp().mean(),
                _log_ratio(p, q, z).exp().std() / math.sqrt(len(z)),
            ),
        ),
    ),
).check


# ---- the ELBO ----


def _bent(z):
    """log p(x, z) of a prior N(0, 1) and a likelihood that is not Gaussian in z."""
    return -z.square() / 2 - (z.square() - 2).square() - 1.3


def _straight(z):
    return -(z - 1).square() - 0.4 * z


def _elbo_terms(log_joint, mean, sigma, z):
    return log_joint(z), Normal(mean, sigma).log_prob(z)


def _elbo(log_joint, mean, sigma, noise):
    log_p, log_q = _elbo_terms(log_joint, mean, sigma, mean + sigma * noise)
    return (log_p - log_q).mean()


def _wrong_elbo(combine, sample=lambda mean, sigma, noise: mean + sigma * noise):
    def wrong(log_joint, mean, sigma, noise):
        z = sample(mean, sigma, noise)
        return combine(*_elbo_terms(log_joint, mean, sigma, z)).mean()

    return wrong


def _difference(log_p, log_q):
    return log_p - log_q


check_elbo = Exercise(
    name="ELBO",
    reference=_elbo,
    cases=(
        (_bent, *f64(0.8, 0.5), noise(2, 30)),
        (_straight, *f64(-0.3, 1.7), noise(3, 20)),
    ),
    expected="one number: the mean over the samples, in nats",
    first_hint="make z = mean + sigma · noise, then average log p(x, z) − log q(z)",
    mistakes=(
        Mistake(
            "the entropy of q is missing: subtract log q(z), or q shrinks to a point",
            _wrong_elbo(lambda log_p, log_q: log_p),
        ),
        Mistake(
            "log q(z) has the wrong sign: the ELBO subtracts it",
            _wrong_elbo(lambda log_p, log_q: log_p + log_q),
        ),
        Mistake(
            "z is not sampled from q, it is the noise: z = mean + sigma · noise",
            _wrong_elbo(_difference, lambda mean, sigma, noise: noise),
        ),
        Mistake(
            "z is not sampled from q: you used only its mean",
            _wrong_elbo(
                _difference, lambda mean, sigma, noise: mean.expand(len(noise))
            ),
        ),
        Mistake(
            "sigma is σ already: multiply the noise by it, without squaring",
            _wrong_elbo(
                _difference, lambda mean, sigma, noise: mean + sigma**2 * noise
            ),
        ),
        Mistake(
            "this is minus the ELBO, a loss; here the bound itself is asked",
            _wrong_elbo(lambda log_p, log_q: log_q - log_p),
        ),
        Mistake(
            "this is the sum over the samples; take the mean",
            lambda f, mean, sigma, noise: _elbo(f, mean, sigma, noise) * len(noise),
        ),
        Mistake(
            "these are the terms of all samples; take their mean",
            lambda f, mean, sigma, noise: _difference(
                *_elbo_terms(f, mean, sigma, mean + sigma * noise)
            ),
        ),
        Mistake(
            "the log is outside of the mean: that is log E[p/q], which tends to "
            "log p(x) and is not the ELBO",
            lambda f, mean, sigma, noise: (
                _difference(*_elbo_terms(f, mean, sigma, mean + sigma * noise))
                .exp()
                .mean()
                .log()
            ),
        ),
    ),
).check


# ---- one sweep of coordinate ascent ----

MEAN3 = f64(1.0, -1.0, 0.5)
PRECISION3 = f64([2.0, -0.8, 0.3], [-0.8, 1.5, 0.4], [0.3, 0.4, 1.2])
CAVI_CASES = (
    (f64(3.0, 2.0), f64(1.0, -1.0), f64([2.0, -1.2], [-1.2, 1.5])),
    (f64(-2.0, 0.0, 4.0), MEAN3, PRECISION3),
)


def _sweep(m, mean, precision, rule):
    m = m.clone()
    for i in range(len(m)):
        m[i] = rule(i, m, mean, precision)
    return m


def _pull(i, m, mean, precision):
    """Σ_{j≠i} Λ_ij (m_j − μ_j)."""
    return precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i])


def _best(i, m, mean, precision):
    return mean[i] - _pull(i, m, mean, precision) / precision[i, i]


def _no_mean(i, m, mean, precision):
    own = precision[i, i]
    return mean[i] - (precision[i] @ m - own * m[i]) / own


def _swept(rule):
    return lambda m, mean, precision: _sweep(m, mean, precision, rule)


check_cavi = Exercise(
    name="CAVI sweep",
    reference=_swept(_best),
    cases=CAVI_CASES,
    expected="the new means m, one for each coordinate, shape (d,)",
    first_hint="m_i = μ_i − Σ_{j≠i} Λ_ij (m_j − μ_j) / Λ_ii, with the newest m_j",
    mistakes=(
        Mistake(
            "every coordinate used the old means; use the new ones as soon as you have "
            "them (write into m, one by one)",
            lambda m, mean, precision: torch.stack(
                [_best(i, m, mean, precision) for i in range(len(m))]
            ),
        ),
        Mistake(
            "you used the covariance; the formula has the precision Λ, its inverse",
            lambda m, mean, precision: _sweep(m, mean, precision.inverse(), _best),
        ),
        Mistake(
            "divide by Λ_ii",
            _swept(lambda i, m, mean, prec: mean[i] - _pull(i, m, mean, prec)),
        ),
        Mistake(
            "the sum must leave j = i out, or z_i pulls at itself",
            _swept(
                lambda i, m, mean, prec: mean[i] - prec[i] @ (m - mean) / prec[i, i]
            ),
        ),
        Mistake("the others pull by m_j − μ_j, not by m_j", _swept(_no_mean)),
        Mistake(
            "the sign of the pull is turned round: it is μ_i minus the sum",
            _swept(lambda *args: 2 * args[2][args[0]] - _best(*args)),
        ),
    ),
).check
