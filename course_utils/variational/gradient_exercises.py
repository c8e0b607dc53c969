"""More checks of notebook 03: gradients of expectations, and their noise."""

import torch

from course_utils.checks import Exercise, Mistake, f64, noise, pair

# ---- the reparameterized gradient ----


DETACHED = (
    "the samples are detached: no gradient passes from r(z) to mu and logvar. Write "
    "z = mu + sigma · noise (or use rsample, not sample)"
)


def _gradient(r, mu, logvar, noise, sigma_of=lambda logvar: (logvar / 2).exp()):
    phi = pair(mu, logvar).detach().requires_grad_()
    with torch.enable_grad():
        value = r(phi[0] + sigma_of(phi[1]) * noise).mean()
    return torch.autograd.grad(value, phi)[0]


def _wave(z):
    return torch.sin(z) - 0.2 * z**2


def _cubic(z):
    return z**3 - z


def _half(logvar):
    return (logvar / 2).exp()


check_reparameterized_gradient = Exercise(
    name="reparameterized gradient",
    error_hints={"does not require grad": DETACHED, "not have been used": DETACHED},
    reference=_gradient,
    cases=(
        (_wave, *f64(0.7, -1.0), noise(4, 25)),
        (_cubic, *f64(-0.4, 0.6), noise(5, 30)),
    ),
    expected="two numbers: the derivatives with respect to mu and logvar",
    first_hint="sigma = exp(logvar / 2), z = mu + sigma · noise, then autograd",
    mistakes=(
        Mistake(
            "logvar is log σ², so σ = exp(logvar / 2): the half is missing",
            lambda *case: _gradient(*case, sigma_of=torch.exp),
        ),
        Mistake(
            "you used logvar itself as σ: σ = exp(logvar / 2)",
            lambda *case: _gradient(*case, sigma_of=lambda logvar: logvar),
        ),
        Mistake(
            "the second number is the derivative for σ; logvar is asked, so multiply "
            "by dσ/dlogvar = σ/2",
            lambda r, mu, logvar, noise: (
                _gradient(r, mu, logvar, noise)
                / pair(torch.ones(()), _half(logvar) / 2)
            ),
        ),
        Mistake(
            "the samples are detached from mu: the first derivative came out as 0",
            lambda *case: _gradient(*case) * f64(0.0, 1.0),
        ),
        Mistake(
            "the samples are detached from logvar: the second derivative came out as 0",
            lambda *case: _gradient(*case) * f64(1.0, 0.0),
        ),
        Mistake(
            "the two numbers are in the wrong order: mu first",
            lambda *case: _gradient(*case).flip(0),
        ),
        Mistake(
            "this is the gradient of the sum over the samples; use the mean",
            lambda *case: _gradient(*case) * len(case[3]),
        ),
    ),
).check


# ---- a control variate ----


def _two(seed, n, slope):
    a, b = noise(seed, n), noise(seed + 50, n)
    return slope * a + b, a + 0.3


def _controlled(g, c, c_mean, slope=None):
    if slope is None:
        slope = torch.cov(pair(g, c))[0, 1] / c.var()
    return g - slope * (c - c_mean)


check_control_variate = Exercise(
    name="control variate",
    reference=_controlled,
    cases=(
        (*_two(10, 400, 1.7), f64(0.3)[0]),
        (*_two(11, 500, -0.6), f64(0.3)[0]),
    ),
    expected="one new draw for each old one, shape (n,)",
    first_hint="subtract a · (c − E[c]); the best a is Cov(g, c) / Var(c)",
    tolerance=0.01,
    mistakes=(
        Mistake(
            "the mean of c is not subtracted, so the estimate is biased now",
            lambda g, c, c_mean: _controlled(g, c, 0.0),
        ),
        Mistake(
            "a = 1 is not the best slope: a = Cov(g, c) / Var(c)",
            lambda g, c, c_mean: _controlled(g, c, c_mean, 1.0),
        ),
        Mistake(
            "Cov(g, c) must be divided by Var(c), not by Var(g)",
            lambda g, c, c_mean: _controlled(
                g, c, c_mean, torch.cov(pair(g, c))[0, 1] / g.var()
            ),
        ),
        Mistake(
            "Cov(g, c) must be divided by Var(c)",
            lambda g, c, c_mean: _controlled(g, c, c_mean, torch.cov(pair(g, c))[0, 1]),
        ),
        Mistake(
            "the sign is turned round: a · (c − E[c]) is subtracted",
            lambda g, c, c_mean: 2 * g - _controlled(g, c, c_mean),
        ),
        Mistake(
            "this is the mean of the draws; return one number for each draw",
            lambda g, c, c_mean: _controlled(g, c, c_mean).mean(),
        ),
    ),
).check
