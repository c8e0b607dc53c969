"""Exercise 4 of notebook 03: the reparameterized gradient."""

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Trait, f64, known_mistakes, noise


def reparameterized_gradient(r, mu, logvar, noise):
    """The derivatives of the mean of r(mu + sigma · noise), by autograd."""
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    sigma = torch.exp(logvar / 2)
    z = mu + sigma * noise
    return torch.autograd.grad(r(z).mean(), (mu, logvar))


def _by_the_chain_rule(r, mu, logvar, noise):
    sigma = torch.exp(logvar / 2)
    z = (mu + sigma * noise).requires_grad_()
    slope = torch.autograd.grad(r(z).sum(), z)[0]  # r'(z), one for each sample
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


def _to_standard(mu, logvar):
    """KL(q‖N(0, 1))."""
    return (mu**2 + logvar.exp() - logvar - 1) / 2


def _after_a_step(result, *case):
    """Are these mu and logvar after a step along the gradient?"""
    slopes = reparameterized_gradient(*case)
    one, two = ((result[i] - case[i + 1]) / slopes[i] for i in (0, 1))
    return (one - two).abs() < 1e-5 * one.abs()


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
        "r() takes": "r is a function of z alone: r(z)",
        "r() missing": "r is a function of z: r(z)",
        "'function' object has no": "r is a function: call it at the samples, r(z)",
        "requires_grad_ for floating": "mu and logvar are tensors already: call "
        "requires_grad_() on them",
    },
    traits=(
        Trait(
            "these are mu and logvar after a step; the gradient itself is asked",
            _after_a_step,
        ),
        Trait(
            "the derivative for mu is right, that for logvar is not: the chain rule "
            "gives r'(z) · noise · σ/2, and autograd does it for z = mu + "
            "exp(logvar / 2) · noise",
            lambda result, *case: (
                (result[0] - reparameterized_gradient(*case)[0]).abs()
                < 1e-6 * result[0].abs()
            ),
        ),
    ),
    mistakes=known_mistakes(
        "z is drawn from q already: the mean of r(z) needs no weight q(z)",
        _grad(
            lambda r, m, v, e: (
                _log_q(m, v, z := m + _sigma(v) * e).exp() * r(z)
            ).mean()
        ),
        "logvar is log σ², a variance, so σ = exp(logvar / 2): the half is missing",
        _grad(lambda r, m, v, e: r(m + v.exp() * e).mean()),
        "logvar is log σ², a variance, so σ = exp(logvar / 2): you doubled it in place "
        "of the half",
        _grad(lambda r, m, v, e: r(m + (2 * v).exp() * e).mean()),
        "you used logvar itself as σ: σ = exp(logvar / 2)",
        _grad(lambda r, m, v, e: r(m + v * e).mean()),
        "σ = exp(logvar / 2), with the logarithm undone: exp() is missing",
        _grad(lambda r, m, v, e: r(m + v / 2 * e).mean()),
        "you used the root of logvar as σ; logvar is the log of the variance: "
        "σ = exp(logvar / 2)",
        _grad(lambda r, m, v, e: r(m + v.abs().sqrt() * e).mean()),
        "another function of logvar stands where σ belongs: σ = exp(logvar / 2)",
        _grad(lambda r, m, v, e: r(m + v.exp() / 2 * e).mean()),
        _grad(lambda r, m, v, e: r(m + torch.nn.functional.softplus(v) * e).mean()),
        _grad(lambda r, m, v, e: r(m + v.square().exp() * e).mean()),
        _grad(lambda r, m, v, e: r(m + (-v).exp() * e).mean()),
        "mu and logvar have changed places: z = mu + exp(logvar / 2) · noise",
        _grad(lambda r, m, v, e: r(v + _sigma(m) * e).mean()),
        "the spread of r(z) is differentiated; take the mean of r(z)",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).std()),
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).var()),
        "r(z) keeps its sign: no abs()",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).abs().mean()),
        "r(z) is multiplied by log q, or by z; the mean of r(z) alone is asked",
        _grad(
            lambda r, m, v, e: (
                r(m + _sigma(v) * e) * _log_q(m, v, m + _sigma(v) * e)
            ).mean()
        ),
        _grad(lambda r, m, v, e: (r(m + _sigma(v) * e) * (m + _sigma(v) * e)).mean()),
        "r(z) itself stands where its derivative r'(z) belongs: use autograd",
        lambda r, m, v, e: (
            r(m + _sigma(v) * e).mean(),
            (r(m + _sigma(v) * e) * e * _sigma(v) / 2).mean(),
        ),
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
        "a KL to a prior is subtracted from r, as in an ELBO. Here only r(z) is asked",
        _grad(lambda r, m, v, e: r(m + _sigma(v) * e).mean() - _to_standard(m, v)),
        _grad(lambda r, m, v, e: _to_standard(m, v) - r(m + _sigma(v) * e).mean()),
        "this is the score, the gradient of log q alone: r is missing",
        lambda r, m, v, e: ((e / _sigma(v)).mean(), ((e**2 - 1) / 2).mean()),
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
        "this is the derivative for mu once more; the second is that for logvar",
        lambda *case: (reparameterized_gradient(*case)[0],) * 2,
        "the slope and the noise are averaged apart: take the mean of their product",
        lambda r, m, v, e: (
            reparameterized_gradient(r, m, v, e)[0],
            reparameterized_gradient(r, m, v, e)[0] * e.mean() * _sigma(v) / 2,
        ),
        "the noise is missing: dz/dlogvar = noise · σ/2",
        lambda r, m, v, e: (
            reparameterized_gradient(r, m, v, e)[0],
            reparameterized_gradient(r, m, v, e)[0] * _sigma(v) / 2,
        ),
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
