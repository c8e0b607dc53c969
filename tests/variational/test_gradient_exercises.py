"""Each usual mistake about gradients gets the hint that was written for it.

The wrong answers are written here as a learner would write them, not taken from the
check.
"""

import torch
from torch.distributions import Normal

from course_utils.variational import gradient_exercises as gradients
from course_utils.variational.gradient_exercises import (
    check_control_variate,
    check_reparameterized_gradient,
)
from tests.exercise_rules import rules


def gradient(r, mu, logvar, noise, sigma_of=lambda v: torch.exp(0.5 * v)):
    mu, logvar = mu.requires_grad_(), logvar.requires_grad_()
    value = r(mu + sigma_of(logvar) * noise).mean()
    return torch.autograd.grad(value, (mu, logvar))


def gradient_of_sampled(r, mu, logvar, noise):
    mu.requires_grad_()
    z = Normal(mu, torch.exp(0.5 * logvar)).sample((100,))
    return torch.autograd.grad(r(z).mean(), (mu, logvar))


def gradient_without_mu(r, mu, logvar, noise):
    logvar.requires_grad_()
    z = mu.detach() + torch.exp(0.5 * logvar) * noise
    return torch.zeros(()), torch.autograd.grad(r(z).mean(), logvar)[0]


def gradient_unused(r, mu, logvar, noise):
    mu, logvar = mu.requires_grad_(), logvar.requires_grad_()
    z = mu + torch.exp(0.5 * logvar.detach()) * noise
    return torch.autograd.grad(r(z).mean(), (mu, logvar))


def gradient_for_sigma(r, mu, logvar, noise):
    mu, sigma = mu.requires_grad_(), torch.exp(0.5 * logvar).requires_grad_()
    return torch.autograd.grad(r(mu + sigma * noise).mean(), (mu, sigma))


GRADIENT = [
    (lambda *args: gradient(*args, sigma_of=torch.exp), "the half is missing"),
    (lambda *args: gradient(*args, sigma_of=lambda v: v), "logvar itself as σ"),
    (gradient_for_sigma, "derivative for σ"),
    (gradient_of_sampled, "detached"),
    (gradient_unused, "detached"),
    (gradient_without_mu, "first derivative came out as 0"),
    (lambda *args: (gradient(*args)[0], 0.0), "second derivative came out as 0"),
    (lambda *args: gradient(*args)[::-1], "wrong order"),
    (lambda *args: [g * len(args[3]) for g in gradient(*args)], "gradient of the sum"),
]


def controlled(g, c, c_mean):
    slope = ((g - g.mean()) * (c - c.mean())).mean() / c.var(correction=0)
    return g - slope * (c - c_mean)


def covariance(g, c):
    return ((g - g.mean()) * (c - c.mean())).mean()


CONTROL = [
    (
        lambda g, c, e: g - covariance(g, c) / c.var() * c,
        "not subtracted",
    ),
    (lambda g, c, e: g - (c - e), "a = 1"),
    (lambda g, c, e: g - covariance(g, c) / g.var() * (c - e), "not by Var(g)"),
    (lambda g, c, e: g - covariance(g, c) * (c - e), "must be divided by Var(c)"),
    (lambda g, c, e: g + covariance(g, c) / c.var() * (c - e), "sign is turned"),
    (lambda g, c, e: controlled(g, c, e).mean(), "one number for each draw"),
]

ANSWERS = [
    (check_reparameterized_gradient, gradient, GRADIENT),
    (check_control_variate, controlled, CONTROL),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, gradients)
