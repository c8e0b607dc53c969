"""The checks of notebook 01: log-likelihood, variance, KL, Laplace.

Each mistake is a function of its own, which returns what a learner's slip returns.
Most of them are the right formula, corrected by the term that the slip adds or drops.
"""

import math

from torch.distributions import Normal

from course_utils.checks import Exercise, f64, known_mistakes, pair

X = f64(1.2, 3.1, 2.5, 4.0, 0.7)  # odd numbers of examples: the median is unique
Y = f64(-2.0, 0.5, 7.5)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


# ------------------------------------------------- section 3: the log-likelihood


def _log_densities(x, mu, sigma):
    return Normal(mu, sigma).log_prob(x)  # (m,): one for each example


def _densities(x, mu, sigma):
    return _log_densities(x, mu, sigma).exp()


check_log_likelihood = Exercise(
    name="log-likelihood",
    reference=lambda x, mu, sigma: _log_densities(x, mu, sigma).sum(),
    cases=((X, *f64(2.0, 1.5)), (Y, *f64(-1.0, 3.0))),
    expected="one number: the sum over the data, in nats",
    first_hint="write log N(x | μ, σ²) for one x, then add up over the data",
    mistakes=known_mistakes(
        "this is the log of the density for each example; add them up with .sum()",
        _log_densities,
        "this is the mean over the data; the log-likelihood is the sum",
        lambda x, mu, sigma: _log_densities(x, mu, sigma).mean(),
        "this is the product of the densities, the likelihood; take the log",
        lambda x, mu, sigma: _densities(x, mu, sigma).prod(),
        "you added up the densities; add up their logs",
        lambda x, mu, sigma: _densities(x, mu, sigma).sum(),
        "this is the log of a sum; you need the sum of the logs",
        lambda x, mu, sigma: _densities(x, mu, sigma).sum().log(),
        "the ½ log 2π is missing, once per example",
        lambda x, mu, sigma: (_log_densities(x, mu, sigma) + HALF_LOG_2PI).sum(),
        "the log σ is missing, once per example",
        lambda x, mu, sigma: (_log_densities(x, mu, sigma) + sigma.log()).sum(),
        "the ½ in front of the squares is missing",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma) - 0.5 * ((x - mu) / sigma) ** 2
        ).sum(),
        # N(μ, √σ) has σ where σ² belongs, but also ½ log σ where log σ belongs
        "you divided the squares by σ; the formula divides by σ²",
        lambda x, mu, sigma: (
            _log_densities(x, mu, sigma.sqrt()) - 0.5 * sigma.log()
        ).sum(),
        "sigma is σ, not σ²: square it before you divide",
        lambda x, mu, sigma: _log_densities(x, mu, sigma.sqrt()).sum(),
        "log 2π counts with the factor ½",
        lambda x, mu, sigma: (_log_densities(x, mu, sigma) - HALF_LOG_2PI).sum(),
    ),
).check


# ------------------------------------------------------- section 4: the variance

check_mle_variance = Exercise(
    name="MLE of the variance",
    reference=lambda x: x.var(correction=0),  # correction=0 divides by m
    cases=((X,), (Y,)),
    expected="one number: σ²",
    first_hint="the mean of the squared distances from the mean",
    mistakes=known_mistakes(
        "you divide by m − 1: that is the unbiased estimate (and the default of "
        "torch.var); maximum likelihood divides by m",
        lambda x: x.var(),
        "this is σ, the standard deviation; σ² is asked",
        lambda x: x.std(correction=0),
        "this is σ with 1/(m − 1); σ² with 1/m is asked",
        lambda x: x.std(),
        "this is twice the right value: there is no 2 in σ²",
        lambda x: 2 * x.var(correction=0),
        "this is half the right value: the ½ of the exponent has cancelled",
        lambda x: 0.5 * x.var(correction=0),
        "this is the sum of the squares; divide by m",
        lambda x: (x - x.mean()).square().sum(),
        "subtract the mean before you square",
        lambda x: x.square().mean(),
        "square the distances first, then take the mean; the plain distances from "
        "the mean cancel out",
        lambda x: (x - x.mean()).mean().square(),
    ),
).check


# ------------------------------------------- section 5: KL between two Gaussians


def _kl(mu_p, sigma_p, mu_q, sigma_q):
    squares = sigma_p**2 + (mu_p - mu_q) ** 2  # E_p[(x − μ_q)²]
    return math.log(sigma_q / sigma_p) + squares / (2 * sigma_q**2) - 0.5


check_kl_gaussians = Exercise(
    name="KL between two Gaussians",
    reference=_kl,
    cases=(tuple(f64(0, 1, 1, 2)), tuple(f64(-1, 3, 0.5, 0.8))),
    expected="one number, in nats",
    first_hint="E_p[log p] − E_p[log q], and E_p[(x − μ_q)²] = σ_p² + (μ_p − μ_q)²",
    mistakes=known_mistakes(  # a, s are mean and sigma of P; b, t those of Q
        "this is KL(Q‖P): the arguments are the wrong way round",
        lambda a, s, b, t: _kl(b, t, a, s),
        "the − ½ at the end is missing, so the KL of P with itself is not 0",
        lambda a, s, b, t: _kl(a, s, b, t) + 0.5,
        "the ½ in front of the fraction is missing: divide by 2σ_q²",
        lambda a, s, b, t: _kl(a, s, b, t) + (s**2 + (a - b) ** 2) / (2 * t**2),
        "the log has σ_p and σ_q the wrong way round: it is log(σ_q/σ_p)",
        lambda a, s, b, t: _kl(a, s, b, t) - 2 * math.log(t / s),
        "divide by σ_q², the variance of Q, not by σ_p²",
        lambda a, s, b, t: math.log(t / s) + (s**2 + (a - b) ** 2) / (2 * s**2) - 0.5,
        "log(σ_q²/σ_p²) is twice log(σ_q/σ_p): put a ½ before it",
        lambda a, s, b, t: _kl(a, s, b, t) + math.log(t / s),
        "the distance of the means must be squared",
        lambda a, s, b, t: math.log(t / s) + (s**2 + (a - b)) / (2 * t**2) - 0.5,
        "this is in bits; use the natural log and stay in nats",
        lambda a, s, b, t: _kl(a, s, b, t) / math.log(2),
    ),
).check


# ----------------------------------------------------- section 7: another family


def _mean_distance(x, about):
    return (x - about).abs().mean()


check_laplace_mle = Exercise(
    name="MLE of a Laplace distribution",
    reference=lambda x: pair(x.median(), _mean_distance(x, x.median())),
    cases=((X,), (Y,)),
    expected="two numbers: the location μ and the scale b",
    first_hint="log p(x) = −|x − μ|/b − log 2b: which μ makes Σ|x − μ| smallest?",
    mistakes=known_mistakes(
        "the mean makes the sum of squares smallest; which number makes the sum of "
        "absolute distances smallest?",
        lambda x: pair(x.mean(), _mean_distance(x, x.mean())),
        "μ is right; b is the mean absolute distance from μ, not from the mean",
        lambda x: pair(x.median(), _mean_distance(x, x.mean())),
        "μ is right; b is the mean absolute distance, not a standard deviation",
        lambda x: pair(x.median(), (x - x.median()).square().mean().sqrt()),
        "these are the mean and σ of the Gaussian; the Laplace density has |x − μ|",
        lambda x: pair(x.mean(), x.std(correction=0)),
        "μ is right; b is the mean of the distances, not their sum",
        lambda x: pair(x.median(), (x - x.median()).abs().sum()),
        "the first number is b and the second is μ; return (μ, b)",
        lambda x: pair(_mean_distance(x, x.median()), x.median()),
    ),
).check
