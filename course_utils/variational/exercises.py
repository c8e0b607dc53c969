"""The checks of notebook 03: the bound, its climb by coordinates, and its gradients.

Most mistakes are the right answer with one part replaced. So each exercise has a
function ``…_with(part=…)`` that makes such an answer; without arguments, the right one.
"""

import math

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, f64, known_mistakes, noise, pair

# ---- exercise 1: KL by Monte Carlo, with its standard error ----

P, Q, P2, Q2 = (Normal(*f64(*ab)) for ab in [(0, 1), (1, 2), (-1, 0.5), (-0.4, 1.3)])


def _log_ratio(p, q, z):
    return p.log_prob(z) - q.log_prob(z)


def _standard_error(terms):
    return terms.std() / math.sqrt(len(terms))


def _kl_with(terms=_log_ratio, centre=torch.mean, error=_standard_error):
    def answer(p, q, z):
        values = terms(p, q, z)
        return pair(centre(values), error(values))

    return answer


check_kl_monte_carlo = Exercise(
    name="KL by Monte Carlo",
    reference=_kl_with(),
    # each z is drawn from its p: N(0, 1), and N(−1, 0.5²)
    cases=((P, Q, noise(0, 400)), (P2, Q2, -1 + 0.5 * noise(1, 500))),
    expected="two numbers: the estimate and its standard error",
    first_hint="KL(p‖q) is the mean of log p(z) − log q(z), for z drawn from p",
    tolerance=5e-4,  # std() may divide by n or by n − 1
    mistakes=known_mistakes(
        "the log-ratio is upside down: it is log p(z) − log q(z), with z from p",
        _kl_with(lambda p, q, z: _log_ratio(q, p, z)),
        "the second number is the spread of one term; the mean of n terms is √n "
        "times more precise",
        _kl_with(error=torch.std),
        "divide the spread by √n, not by n",
        _kl_with(error=lambda terms: terms.std() / len(terms)),
        "the second number is a variance; take its square root",
        _kl_with(error=lambda terms: terms.var() / len(terms)),
        "the first number is the sum of the terms; take their mean",
        _kl_with(centre=torch.sum),
        "no weights by the density: z is already drawn from p",
        _kl_with(lambda p, q, z: p.log_prob(z).exp() * _log_ratio(p, q, z)),
        "the terms are ratios of densities; take the log",
        _kl_with(lambda p, q, z: _log_ratio(p, q, z).exp()),
    ),
).check


# ---- exercise 2: the ELBO ----


def _bent(z):
    """log p(x, z) of a prior N(0, 1) and a likelihood that is not Gaussian in z."""
    return -z.square() / 2 - (z.square() - 2).square() - 1.3


def _straight(z):
    return -(z - 1).square() - 0.4 * z


def _sample(mean, sigma, noise):
    return mean + sigma * noise


def _elbo_with(sample=_sample, term=torch.sub, combine=torch.mean):
    def answer(log_joint, mean, sigma, noise):
        z = sample(mean, sigma, noise)
        return combine(term(log_joint(z), Normal(mean, sigma).log_prob(z)))

    return answer


check_elbo = Exercise(
    name="ELBO",
    reference=_elbo_with(),
    cases=(
        (_bent, *f64(0.8, 0.5), noise(2, 30)),
        (_straight, *f64(-0.3, 1.7), noise(3, 20)),
    ),
    expected="one number: the mean over the samples, in nats",
    first_hint="make z = mean + sigma · noise, then average log p(x, z) − log q(z)",
    mistakes=known_mistakes(
        "the entropy of q is missing: subtract log q(z), or q shrinks to a point",
        _elbo_with(term=lambda log_p, log_q: log_p),
        "log q(z) has the wrong sign: the ELBO subtracts it",
        _elbo_with(term=torch.add),
        "z is not sampled from q, it is the noise: z = mean + sigma · noise",
        _elbo_with(lambda mean, sigma, noise: noise),
        "z is not sampled from q: you used only its mean",
        _elbo_with(lambda mean, sigma, noise: mean),
        "sigma is σ already: multiply the noise by it, without squaring",
        _elbo_with(lambda mean, sigma, noise: mean + sigma**2 * noise),
        "this is minus the ELBO, a loss; here the bound itself is asked",
        _elbo_with(term=lambda log_p, log_q: log_q - log_p),
        "this is the sum over the samples; take the mean",
        _elbo_with(combine=torch.sum),
        "these are the terms of all samples; take their mean",
        _elbo_with(combine=lambda terms: terms),
        "the log is outside of the mean: that is log E[p/q], which tends to "
        "log p(x) and is not the ELBO",
        _elbo_with(combine=lambda terms: terms.exp().mean().log()),
    ),
).check


# ---- exercise 3: one sweep of coordinate ascent ----

MEAN3 = f64(1.0, -1.0, 0.5)
PRECISION3 = f64([2.0, -0.8, 0.3], [-0.8, 1.5, 0.4], [0.3, 0.4, 1.2])


def _pull(i, m, mean, precision):
    """Σ_{j≠i} Λ_ij (m_j − μ_j)."""
    return precision[i] @ (m - mean) - precision[i, i] * (m[i] - mean[i])


def _best(i, m, mean, precision):
    return mean[i] - _pull(i, m, mean, precision) / precision[i, i]


def _sweep_with(rule=_best):
    """Each m_i by ``rule(i, m, mean, precision)``, where m holds the new values."""

    def answer(m, mean, precision):
        m = m.clone()
        for i in range(len(m)):
            m[i] = rule(i, m, mean, precision)
        return m

    return answer


def _all_at_once(m, mean, precision):
    return torch.stack([_best(i, m, mean, precision) for i in range(len(m))])


check_cavi = Exercise(
    name="CAVI sweep",
    reference=_sweep_with(),
    cases=(
        (f64(3.0, 2.0), f64(1.0, -1.0), f64([2.0, -1.2], [-1.2, 1.5])),
        (f64(-2.0, 0.0, 4.0), MEAN3, PRECISION3),
    ),
    expected="the new means m, one for each coordinate, shape (d,)",
    first_hint="m_i = μ_i − Σ_{j≠i} Λ_ij (m_j − μ_j) / Λ_ii, with the newest m_j",
    mistakes=known_mistakes(
        "every coordinate used the old means; use the new ones as soon as you have "
        "them (write into m, one by one)",
        _all_at_once,
        "you used the covariance; the formula has the precision Λ, its inverse",
        lambda m, mean, precision: _sweep_with()(m, mean, precision.inverse()),
        "divide by Λ_ii",
        _sweep_with(lambda i, m, mean, prec: mean[i] - _pull(i, m, mean, prec)),
        "the sum must leave j = i out, or z_i pulls at itself",
        _sweep_with(
            lambda i, m, mean, prec: mean[i] - prec[i] @ (m - mean) / prec[i, i]
        ),
        "the others pull by m_j − μ_j, not by m_j",
        _sweep_with(
            lambda i, m, mean, prec: mean[i] - _pull(i, m, 0 * mean, prec) / prec[i, i]
        ),
        "the sign of the pull is turned round: it is μ_i minus the sum",
        _sweep_with(lambda i, m, mean, prec: 2 * mean[i] - _best(i, m, mean, prec)),
    ),
).check


# ---- exercise 4: the reparameterized gradient ----

DETACHED = (
    "the samples are detached: no gradient passes from r(z) to mu and logvar. Write "
    "z = mu + sigma · noise (or use rsample, not sample)"
)


def _half(logvar):
    return (logvar / 2).exp()


def _gradient(r, mu, logvar, noise, sigma_of=_half):
    phi = pair(mu, logvar).detach().requires_grad_()
    with torch.enable_grad():
        value = r(phi[0] + sigma_of(phi[1]) * noise).mean()
    return torch.autograd.grad(value, phi)[0]


def _for_sigma(r, mu, logvar, noise):
    """∂/∂σ in the second place: by the chain rule, ∂/∂logvar = (σ/2) ∂/∂σ."""
    return _gradient(r, mu, logvar, noise) / pair(1.0, _half(logvar) / 2)


def _wave(z):
    return torch.sin(z) - 0.2 * z**2


def _cubic(z):
    return z**3 - z


check_reparameterized_gradient = Exercise(
    name="reparameterized gradient",
    # what autograd says when a learner has cut the way from r(z) back to φ
    error_hints={"does not require grad": DETACHED, "not have been used": DETACHED},
    reference=_gradient,
    cases=(
        (_wave, *f64(0.7, -1.0), noise(4, 25)),
        (_cubic, *f64(-0.4, 0.6), noise(5, 30)),
    ),
    expected="two numbers: the derivatives with respect to mu and logvar",
    first_hint="sigma = exp(logvar / 2), z = mu + sigma · noise, then autograd",
    mistakes=known_mistakes(
        "logvar is log σ², so σ = exp(logvar / 2): the half is missing",
        lambda *case: _gradient(*case, sigma_of=torch.exp),
        "you used logvar itself as σ: σ = exp(logvar / 2)",
        lambda *case: _gradient(*case, sigma_of=lambda logvar: logvar),
        "the second number is the derivative for σ; logvar is asked, so multiply "
        "by dσ/dlogvar = σ/2",
        _for_sigma,
        "the samples are detached from mu: the first derivative came out as 0",
        lambda *case: _gradient(*case) * f64(0.0, 1.0),
        "the samples are detached from logvar: the second derivative came out as 0",
        lambda *case: _gradient(*case) * f64(1.0, 0.0),
        "the two numbers are in the wrong order: mu first",
        lambda *case: _gradient(*case).flip(0),
        "this is the gradient of the sum over the samples; use the mean",
        lambda *case: _gradient(*case) * len(case[3]),
    ),
).check


# ---- exercise 5: a control variate ----


def _two(seed, n, slope):
    """Draws g and c that go up and down together, and the mean of c: a case."""
    a, b = noise(seed, n), noise(seed + 50, n)
    return slope * a + b, a + 0.3, f64(0.3)[0]


def _covariance(g, c):
    return torch.cov(pair(g, c))[0, 1]


def _best_slope(g, c):
    return _covariance(g, c) / c.var()


def _controlled_with(slope=_best_slope):
    return lambda g, c, c_mean: g - slope(g, c) * (c - c_mean)


_controlled = _controlled_with()

check_control_variate = Exercise(
    name="control variate",
    reference=_controlled,
    cases=(_two(10, 400, 1.7), _two(11, 500, -0.6)),
    expected="one new draw for each old one, shape (n,)",
    first_hint="subtract a · (c − E[c]); the best a is Cov(g, c) / Var(c)",
    tolerance=0.01,  # Cov and Var may divide by n or by n − 1
    mistakes=known_mistakes(
        "the mean of c is not subtracted, so the estimate is biased now",
        lambda g, c, c_mean: _controlled(g, c, 0.0),
        "a = 1 is not the best slope: a = Cov(g, c) / Var(c)",
        _controlled_with(lambda g, c: 1.0),
        "Cov(g, c) must be divided by Var(c), not by Var(g)",
        _controlled_with(lambda g, c: _covariance(g, c) / g.var()),
        "Cov(g, c) must be divided by Var(c)",
        _controlled_with(_covariance),
        "the sign is turned round: a · (c − E[c]) is subtracted",
        lambda g, c, c_mean: 2 * g - _controlled(g, c, c_mean),
        "this is the mean of the draws; return one number for each draw",
        lambda g, c, c_mean: _controlled(g, c, c_mean).mean(),
    ),
).check
