"""The checks of notebook 05 on the best discriminator, and on looking ahead."""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from course_utils.exercises import Exercise, Mistake, f64

GRID = torch.linspace(-12, 14, 131, dtype=torch.float64)


def _log(mean, sigma, grid):
    return Normal(f64(mean), f64(sigma)).log_prob(grid)


FAR = torch.linspace(-60, 60, 9, dtype=torch.float64)  # exp() of these logs is 0
NEAR = _log(0.0, 1.0, GRID), _log(1.0, 2.0, GRID)
APART = _log(-2.0, 0.8, FAR), _log(3.0, 1.1, FAR)

check_best_d = Exercise(
    name="best discriminator",
    reference=lambda log_p, log_q: torch.sigmoid(log_p - log_q),
    cases=(NEAR, APART),
    expected="D* at each point of the grid, shape (n,), between 0 and 1",
    first_hint="p / (p + q) is the sigmoid of log p − log q",
    mistakes=(
        Mistake(
            "you gave q / (p + q): D is the probability of real, so p stands on top",
            lambda log_p, log_q: torch.sigmoid(log_q - log_p),
        ),
        Mistake(
            "this is the ratio p / q; D* is p / (p + q)",
            lambda log_p, log_q: (log_p - log_q).exp(),
        ),
        Mistake(
            "this is the logit of D*; take its sigmoid",
            lambda log_p, log_q: log_p - log_q,
        ),
        Mistake(
            "this is log D*; take exp() of it",
            lambda log_p, log_q: logsigmoid(log_p - log_q),
        ),
        Mistake(
            "exp() of these logs is 0 far from the data, and 0 / 0 is NaN: use the "
            "sigmoid of log p − log q",
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()),
        ),
        Mistake(
            "you used log p and log q where p and q belong",
            lambda log_p, log_q: log_p / (log_p + log_q),
        ),
        Mistake(
            "the ratio of p and q must be inside the sigmoid as a log: log p − log q",
            lambda log_p, log_q: torch.sigmoid((log_p - log_q).exp()),
        ),
    ),
).check


def _integral(values, grid):
    return torch.trapezoid(values, grid)


def _value(p, q, d, grid):
    return _integral(p * d.log() + q * (1 - d).log(), grid)


def _case(first, second, grid):
    p, q = first.exp(), second.exp()
    return p, q, p / (p + q), grid


WIDE = torch.linspace(-9, 11, 401, dtype=torch.float64)
CASES = (
    _case(_log(0.0, 1.0, WIDE), _log(1.0, 1.5, WIDE), WIDE),
    _case(_log(0.5, 1.2, WIDE), _log(2.5, 1.6, WIDE), WIDE),
)
LOG4 = math.log(4)

check_jsd = Exercise(
    name="JSD",
    reference=lambda p, q, d, x: (_value(p, q, d, x) + LOG4) / 2,
    cases=CASES,
    expected="one number, in nats",
    first_hint="first V = ∫ p log d + q log(1 − d) dx, then solve V = 2 JSD − log 4",
    mistakes=(
        Mistake(
            "the ½ is missing (the slide misses it, too): V + log 4 is 2 JSD",
            lambda p, q, d, x: _value(p, q, d, x) + LOG4,
        ),
        Mistake(
            "log 4 has the wrong sign: V = 2 JSD − log 4, so add it to V",
            lambda p, q, d, x: (_value(p, q, d, x) - LOG4) / 2,
        ),
        Mistake("this is V; add log 4 and halve", _value),
        Mistake(
            "the second log has p on top, as on the slide: for the fakes it is "
            "log(1 − d), which is log q / (p + q)",
            lambda p, q, d, x: (_integral((p + q) * d.log(), x) + LOG4) / 2,
        ),
        Mistake(
            "log 4 belongs to V, not log 2",
            lambda p, q, d, x: (_value(p, q, d, x) + math.log(2)) / 2,
        ),
        Mistake(
            "this is a sum over the grid without dx: use integrate or torch.trapezoid",
            lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).sum() + LOG4) / 2,
        ),
        Mistake(
            "this is a mean over the grid: an integral needs dx (integrate)",
            lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).mean() + LOG4) / 2,
        ),
        Mistake(
            "p and q have changed places: log d belongs to p",
            lambda p, q, d, x: (_value(q, p, d, x) + LOG4) / 2,
        ),
        Mistake(
            "this is in bits: use the natural logarithm",
            lambda p, q, d, x: (_value(p, q, d, x) + LOG4) / (2 * math.log(2)),
        ),
        Mistake(
            "only the first half of V is there: the part with q is missing",
            lambda p, q, d, x: (_integral(p * d.log(), x) + LOG4) / 2,
        ),
    ),
).check


def _game(theta, psi):
    """V of the smallest GAN: data at 0, fakes at θ, D(x) = sigmoid(ψx)."""
    return math.log(0.5) + logsigmoid(-psi * theta)


def _look_ahead(theta, psi, rate, k, sign=1.0, track=True, final=None):
    theta = theta.clone().requires_grad_()
    psi = psi.clone().requires_grad_()
    for _ in range(k):
        (slope,) = torch.autograd.grad(_game(theta, psi), psi, create_graph=track)
        psi = psi + sign * rate * slope
    value = _game(theta, psi if final is None else final)
    return torch.autograd.grad(value, theta)[0]


def _by_last_step_only(theta, psi, rate, k):
    for _ in range(k - 1):
        theta, psi = theta.detach(), psi.detach().requires_grad_()
        psi = psi + rate * torch.autograd.grad(_game(theta, psi), psi)[0]
    return _look_ahead(theta, psi.detach(), rate, 1)


check_unrolled = Exercise(
    name="unrolled gradient",
    reference=_look_ahead,
    cases=((f64(0.9), f64(0.4), 0.3, 3), (f64(-0.6), f64(1.1), 0.5, 2)),
    expected="the derivative of V by θ, one number",
    first_hint="let ψ climb k times with create_graph=True, then differentiate V by θ",
    mistakes=(
        Mistake(
            "the gradient did not pass through the steps of D: θ also moves each ψ. "
            "Use create_graph=True, and no detach",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k, track=False),
        ),
        Mistake(
            "this is the gradient without looking ahead: let ψ take k steps first",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, 0),
        ),
        Mistake(
            "D went downhill: it climbs V, ψ + rate · dV/dψ",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k, sign=-1.0),
        ),
        Mistake(
            "D took only one step: there are k of them",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, 1),
        ),
        Mistake(
            "D took one step too many",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k + 1),
        ),
        Mistake(
            "D took one step too few",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k - 1),
        ),
        Mistake(
            "only the last step of D carries a gradient: do not detach ψ in between",
            _by_last_step_only,
        ),
        Mistake(
            "D took its steps without the rate",
            lambda theta, psi, rate, k: _look_ahead(theta, psi, 1.0, k),
        ),
    ),
    error_hints={
        "does not require grad": "θ and ψ must require gradients before you use "
        "autograd.grad: theta = theta.clone().requires_grad_(), and the same for psi",
        "second time": "keep the graph of each step of D: create_graph=True",
    },
).check
