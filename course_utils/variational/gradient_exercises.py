"""The exercises of notebook 03 on gradients of an expectation."""

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, f64, known_mistakes, noise

# ------------------------------------------------- section 6: gradients


def reparameterized_gradient(r, mu, logvar, noise):
    """The derivatives of the mean of r(mu + sigma · noise), by autograd."""
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    sigma = torch.exp(logvar / 2)
    z = mu + sigma * noise
    return torch.autograd.grad(r(z).mean(), (mu, logvar))


def _by_the_chain_rule(r, mu, logvar, noise):
    sigma = torch.exp(logvar / 2)
    slope = torch.func.vmap(torch.func.grad(r))(mu + sigma * noise)  # r'(z)
    return slope.mean(), (slope * noise * sigma / 2).mean()


def _gradient(value_of, r, mu, logvar, noise):
    """The derivatives of ``value_of(r, mu, logvar, noise)``."""
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    with torch.enable_grad():
        value = value_of(r, mu, logvar, noise)
    return torch.autograd.grad(value, (mu, logvar))


def _grad(value_of):
    return lambda *case: _gradient(value_of, *case)


def _sigma(logvar):
    return torch.exp(logvar / 2)


def _log_q(mu, logvar, z):
    return Normal(mu, _sigma(logvar)).log_prob(z)


def _second(change):
    """The right first number; ``change(second, sigma)`` in place of the second."""

    def answer(r, mu, logvar, noise):
        one, two = reparameterized_gradient(r, mu, logvar, noise)
        return one, change(two, _sigma(logvar))

    return answer


def _score(r, mu, logvar, noise, baseline=False, log=False):
    """The score-function estimate; ``log`` puts log r in place of r."""
    values = r(mu + _sigma(logvar) * noise)
    values = values - values.mean() if baseline else values
    score = noise / _sigma(logvar), (noise**2 - 1) / 2
    return (values * score[0]).mean(), (values * score[1]).mean()


def _case_of_gradient(seed, n=25):
    a, b, c, d, e = noise(seed, 5).tolist()

    def r(z):
        """A cubic, never of one sign."""
        return (0.4 + a * a) * z**3 - (1 + b) * z**2 + c * z

    return r, *f64(0.8 + d / 2, e / 2 - 0.7), noise(seed + 30, n)


NO_WAY = (
    "autograd finds no way from r(z) back to mu and logvar. Either requires_grad_() "
    "was not called on both of them (with its brackets, and first), or the graph is "
    "cut: z is detached by sample(), detach(), item(), no_grad() or torch.tensor()"
)

check_reparameterized_gradient = Exercise(
    name="reparameterized gradient",
    solution=reparameterized_gradient,
    also=(_by_the_chain_rule,),
    draw=_case_of_gradient,
    entries=("derivative for mu", "derivative for logvar"),
    expected="two numbers: the derivatives with respect to mu and logvar",
    hints=(
        "write z as a function of mu, logvar and noise; then autograd knows the way "
        "from r(z) back to both",
        "sigma = exp(logvar / 2), z = mu + sigma · noise, and the mean of r(z)",
        "after requires_grad_() on mu and logvar: "
        "torch.autograd.grad(r(z).mean(), (mu, logvar))",
    ),
    error_hints={
        "does not require grad": NO_WAY,
        "not have been used": NO_WAY,
        "only for scalar outputs": "autograd.grad() needs one number: take the mean of "
        "r(z) first, r(z).mean()",
        "requires_grad_ for floating": "mu and logvar are tensors already: call "
        "requires_grad_() on them",
    },
    mistakes=known_mistakes(
        "logvar is log σ², a variance, so σ = exp(logvar / 2): the half is missing",
        _grad(lambda r, m, v, e: r(m + v.exp() * e).mean()),
        "logvar is log σ², a variance, so σ = exp(logvar / 2): you doubled it in place "
        "of the half",
        _grad(lambda r, m, v, e: r(m + (2 * v).exp() * e).mean()),
        "you used logvar itself as σ: σ = exp(logvar / 2)",
        _grad(lambda r, m, v, e: r(m + v * e).mean()),
        "σ = exp(logvar / 2), with the logarithm undone: exp() is missing",
        _grad(lambda r, m, v, e: r(m + v / 2 * e).mean()),
        "the minus before logvar is too much: that is 1/σ. σ = exp(logvar / 2)",
        _grad(lambda r, m, v, e: r(m + (-v / 2).exp() * e).mean()),
        "log q(z) is subtracted from r: that is the ELBO, or its entropy. Here only "
        "r(z) is asked",
        _grad(
            lambda r, m, v, e: (
                r(m + _sigma(v) * e) - _log_q(m, v, m + _sigma(v) * e)
            ).mean()
        ),
        _grad(
            lambda r, m, v, e: (
                r(m + _sigma(v) * e) - _log_q(m.detach(), v.detach(), m + _sigma(v) * e)
            ).mean()
        ),
        "log q(z) is added to r; here only r(z) is asked",
        _grad(
            lambda r, m, v, e: (
                r(m + _sigma(v) * e) + _log_q(m, v, m + _sigma(v) * e)
            ).mean()
        ),
        "this is the score-function gradient, r(z) times the gradient of log q; the "
        "reparameterized one passes through z into r, by autograd",
        _score,
        lambda *case: _score(*case, baseline=True),
        "this is r at the mean of z; take the mean of r(z): the average after r",
        _grad(lambda r, m, v, e: r((m + _sigma(v) * e).mean())),
        "z is only mu: the samples are z = mu + sigma · noise",
        _grad(lambda r, m, v, e: r(m) + 0 * v),
        "z is only the scaled noise: the shift mu is missing in z",
        _grad(lambda r, m, v, e: r(0 * m + _sigma(v) * e).mean()),
        "the gradient is that of log r(z), or of exp(r(z)); here r(z) itself is asked",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).log().mean()),
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).exp().mean()),
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).mean().exp()),
        "r(z) is squared; the mean of r(z) itself is asked",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).square().mean()),
        "this is the gradient of the mean of z itself: r is missing, r(z).mean()",
        _grad(lambda r, m, v, e: (m + _sigma(v) * e).mean()),
        "this is the gradient of the sum over the samples; use the mean (divide by n)",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).sum()),
        "this is a loss, minus the mean of r: leave the sign (minus) out",
        _grad(lambda r, m, v, e: -r(m + _sigma(v) * e).mean()),
        "these are one derivative for each sample; two numbers are asked: the mean",
        lambda r, m, v, e: _grad(lambda r, m, v, e: r(m + _sigma(v) * e).sum())(
            r, m.expand(len(e)), v.expand(len(e)), e
        ),
        lambda r, m, v, e: _grad(lambda r, m, v, e: r(m + _sigma(v) * e).mean())(
            r, m.expand(len(e)), v.expand(len(e)), e
        ),
        "the two numbers are in the wrong order: mu first, then logvar",
        lambda *case: reparameterized_gradient(*case)[::-1],
        "the samples are detached from mu: the first derivative came out as 0",
        lambda *case: (0.0, reparameterized_gradient(*case)[1]),
        "the samples are detached from logvar: the second derivative came out as 0",
        _second(lambda two, sigma: 0 * two),
        "this is the derivative with respect to sigma; logvar is asked, so multiply "
        "by dσ/dlogvar = σ/2, the chain rule",
        _second(lambda two, sigma: two / (sigma / 2)),
        "this is the derivative with respect to the variance σ²; logvar is asked, so "
        "multiply by dσ²/dlogvar = σ², the chain rule",
        _second(lambda two, sigma: two / sigma**2),
        "this is the derivative with respect to log σ; logvar is 2 log σ, so a half is "
        "missing, the chain rule",
        _second(lambda two, sigma: 2 * two),
        "this is the derivative for σ, divided by 2: the factor σ of the chain rule is "
        "missing, dσ/dlogvar = σ/2",
        _second(lambda two, sigma: two / sigma),
    ),
).check


# ------------------------------------------------- section 6: a control variate


def control_variate(g, c, c_mean):
    """g − a (c − E[c]), with the a that makes the variance smallest."""
    covariance = ((g - g.mean()) * (c - c.mean())).mean()
    variance = ((c - c.mean()) ** 2).mean()
    a = covariance / variance
    return g - a * (c - c_mean)


def _from_the_moments(g, c, c_mean):
    a = ((g * c).mean() - g.mean() * c.mean()) / (c.square().mean() - c.mean() ** 2)
    return g - a * c + a * c_mean


def _from_the_correlation(g, c, c_mean):
    correlation = torch.corrcoef(torch.stack([g, c]))[0, 1]
    return g - correlation * g.std() / c.std() * (c - c_mean)


def _cov(g, c):
    return torch.cov(torch.stack([g, c]))[0, 1]


def _slope(a):
    """The answer with ``a(g, c)`` as the slope."""
    return lambda g, c, c_mean: g - a(g, c) * (c - c_mean)


def _best_slope(g, c):
    return _cov(g, c) / c.var()


def _case_of_control(seed, n=1000):
    """g and c go up and down together; the mean of c lies 3 % off the known one.

    So a is the same up to 1/n, with whatever divisor or mean in Cov and Var.
    """
    a, b, known = noise(seed, 3).tolist()
    c, other = noise(seed + 50, n), noise(seed + 90, n)
    c = (1.3 + a * a / 4) * (c - c.mean()) / c.std()
    slope = (1.2 + abs(b)) * (1 if b < 0 else -1)
    g = slope * c + 1.4 * (other - other.mean()) + 1.5
    return g, c + known + 0.03 * c.std() + 0.7, f64(known + 0.7)[0]


check_control_variate = Exercise(
    name="control variate",
    solution=control_variate,
    also=(_from_the_moments, _from_the_correlation),
    draw=_case_of_control,
    expected="one new draw for each old one, shape (n,)",
    tolerance=0.003,
    hints=(
        "subtract a · (c − E[c]): it has mean 0, and takes away what g shares with c",
        "Var(g − a c) is a parabola in a. Where is its minimum? Take Var and Cov from "
        "the draws",
        "a = Cov(g, c) / Var(c), with torch.cov(torch.stack([g, c]))[0, 1] and c.var()",
    ),
    error_hints={
        "cov()": "torch.cov takes one tensor, with a row for each variable, and its "
        "result is a matrix: torch.cov(torch.stack([g, c]))[0, 1]",
        "corrcoef()": "torch.corrcoef takes one tensor, with a row for each variable: "
        "torch.corrcoef(torch.stack([g, c]))[0, 1]",
        "(2) must match": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "tensor b (2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "shapes (2,2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "(1000,) (2,2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
    },
    mistakes=known_mistakes(
        "this is g itself, unchanged: subtract a · (c − E[c]) from it",
        lambda g, c, c_mean: g,
        "this is g minus a constant: use c, too, and subtract a · (c − E[c])",
        lambda g, c, c_mean: g - g.mean(),
        lambda g, c, c_mean: g - c_mean,
        "the mean of c is not subtracted, so the estimate is biased now: "
        "a · (c − E[c])",
        lambda g, c, c_mean: g - _best_slope(g, c) * c,
        "you subtracted the mean of the draws c.mean() from c: then the mean of g "
        "stays as noisy as it was. Use the known one, c_mean",
        lambda g, c, c_mean: g - _best_slope(g, c) * (c - c.mean()),
        "brackets: a multiplies c_mean, too. It is a · (c − E[c])",
        lambda g, c, c_mean: g - _best_slope(g, c) * c - c_mean,
        lambda g, c, c_mean: g - _best_slope(g, c) * c + c_mean,
        "this is only the correction a · (c − E[c]): subtract it from g",
        lambda g, c, c_mean: _best_slope(g, c) * (c - c_mean),
        "this is a alone: return g − a · (c − E[c]), one number for each draw",
        lambda g, c, c_mean: _best_slope(g, c),
        "a = 1 is not the best slope: a = Cov(g, c) / Var(c)",
        _slope(lambda g, c: 1.0),
        "a = −1 adds c: the best slope is a = Cov(g, c) / Var(c)",
        _slope(lambda g, c: -1.0),
        "the sign is turned round: a is plus Cov(g, c) / Var(c), and a · (c − E[c]) "
        "is subtracted (minus)",
        lambda g, c, c_mean: g + _best_slope(g, c) * (c - c_mean),
        "a is not the ratio of the means: the best a is Cov(g, c) / Var(c)",
        _slope(lambda g, c: g.mean() / c.mean()),
        "a is not the ratio of the spreads, nor of the variances: the best a is "
        "Cov(g, c) / Var(c)",
        _slope(lambda g, c: g.std() / c.std()),
        _slope(lambda g, c: g.var() / c.var()),
        _slope(lambda g, c: c.var() / g.var()),
        _slope(lambda g, c: c.std() / g.std()),
        "Cov(g, c) must be divided by Var(c), not by Var(g)",
        _slope(lambda g, c: _cov(g, c) / g.var()),
        "Cov(g, c) must be divided by Var(c), the square of the standard deviation, "
        "not by std",
        _slope(lambda g, c: _cov(g, c) / c.std()),
        "a is the correlation here; the best a is Cov(g, c) / Var(c)",
        _slope(lambda g, c: _cov(g, c) / (c.std() * g.std())),
        "Cov(g, c) must be divided by Var(c) alone, not by both variances",
        _slope(lambda g, c: _cov(g, c) / (c.var() * g.var())),
        "Cov(g, c) must be divided by Var(c): the division is missing",
        _slope(_cov),
        "a is upside down: Cov(g, c) stands above, Var(c) below",
        _slope(lambda g, c: c.var() / _cov(g, c)),
        "in the covariance, both g and c must have their means subtracted: "
        "Cov(g, c), not the mean of g · c",
        _slope(lambda g, c: (g * c).mean() / c.var()),
        _slope(lambda g, c: (g * c).mean() / c.square().mean()),
        _slope(lambda g, c: _cov(g, c) / c.square().mean()),
        "Cov and Var must divide by the same number: one is a sum, the other a mean",
        _slope(lambda g, c: _best_slope(g, c) * len(g)),
        _slope(lambda g, c: _best_slope(g, c) / len(g)),
        "a is one number for all draws: take the mean in Cov(g, c), and in Var(c)",
        _slope(lambda g, c: g / c),
        _slope(lambda g, c: (g - g.mean()) * (c - c.mean()) / c.var()),
        _slope(lambda g, c: (g - g.mean()) / (c - c.mean())),
        "this is the mean of the draws; return one number for each draw",
        lambda *case: control_variate(*case).mean(),
        "this is the variance of the new draws; return the draws themselves",
        lambda *case: control_variate(*case).var(),
        "the mean of g is subtracted, too: then the estimate itself is lost",
        lambda *case: control_variate(*case) - case[0].mean(),
    ),
).check
