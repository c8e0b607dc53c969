"""Each usual mistake in the exercises on gradients gets the hint written for it."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from course_utils.variational.exercises import (
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
    (gradient_for_sigma, "with respect to sigma"),
    (gradient_of_sampled, "detached"),
    (gradient_unused, "detached"),
    (gradient_without_mu, "first derivative came out as 0"),
    (lambda *args: (gradient(*args)[0], 0.0), "second derivative came out as 0"),
    (lambda *args: gradient(*args)[::-1], "changed places"),
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


def gradient_by_differences(r, mu, logvar, noise, step=1e-5):
    def value(mu, logvar):
        return r(mu + math.exp(logvar / 2) * noise).mean().item()

    m, v = float(mu), float(logvar)
    one = value(m + step, v) - value(m - step, v)
    two = value(m, v + step) - value(m, v - step)
    return [one / (2 * step), two / (2 * step)]


def gradient_of(value_of):
    def answer(r, mu, logvar, noise):
        mu, logvar = mu.requires_grad_(), logvar.requires_grad_()
        sigma = torch.exp(0.5 * logvar)
        value = value_of(r, mu, sigma, mu + sigma * noise)
        return torch.autograd.grad(value, (mu, logvar))

    return answer


def after_a_step(r, mu, logvar, noise):
    one, two = gradient(r, mu, logvar, noise)
    return mu + 0.3 * one, logvar + 0.3 * two


def score(r, mu, logvar, noise):
    sigma = torch.exp(0.5 * logvar)
    values = r(mu + sigma * noise)
    return (values * noise / sigma).mean(), (values * (noise**2 - 1) / 2).mean()


GRADIENT += [
    (score, "score-function"),
    (after_a_step, "after a step"),
    (gradient_of(lambda r, m, s, z: r(z.mean())), "mean of r(z)"),
    (gradient_of(lambda r, m, s, z: r(z)), "r(z).mean()"),
    (gradient_of(lambda r, m, s, z: (r(z) - Normal(m, s).log_prob(z)).mean()), "ELBO"),
    (lambda r, m, v, e: r(m + torch.exp(v / 2) * e).mean(), "expected are 2 values"),
    (lambda r, m, v, e: (m.grad, v.grad), "is None"),
    (lambda r, m, v, e: (gradient(r, m, v, e)[0],) * 2, "once more"),
    (
        lambda r, m, v, e: torch.autograd.grad(
            r(m + torch.exp(v / 2) * e).mean(), (m, v)
        ),
        "requires_grad_()",
    ),
]


def controlled_by_lines(g, c, c_mean):
    """The slope of the best straight line; c_mean as it comes."""
    slope = np.polyfit(np.asarray(c), np.asarray(g), 1)[0]
    return [one - slope * (other - c_mean) for one, other in zip(g, c, strict=True)]


def controlled_with_known_mean(g, c, c_mean):
    distance = c - c_mean
    return g - (g - g.mean()) @ distance / (distance @ distance) * distance


def slope(g, c):
    return covariance(g, c) / c.var()


CONTROL += [
    (lambda g, c, e: g, "g itself"),
    (lambda g, c, e: g - g.mean(), "use c, too"),
    (lambda g, c, e: g - slope(g, c) * (c - c.mean()), "Use the known one"),
    (lambda g, c, e: g - slope(g, c) * c - e, "brackets"),
    (lambda g, c, e: g - g.mean() / c.mean() * (c - e), "ratio of the means"),
    (lambda g, c, e: g - covariance(g, c) / c.std() * (c - e), "not by std"),
    (lambda g, c, e: g - (g @ c) / (c @ c) * (c - e), "their means subtracted"),
    (lambda g, c, e: g - 0.37 * (c - e), "right form"),
    (lambda g, c, e: g - torch.cov(torch.stack([g, c])) * (c - e), "one number"),
    (lambda g, c, e: g - torch.cov(g, c) * (c - e), "torch.stack([g, c])"),
    (lambda g, c, e: slope(g, c), "this is a alone"),
]


ANSWERS = [
    (check_reparameterized_gradient, gradient, GRADIENT),
    (check_control_variate, controlled, CONTROL),
]
FORMS = [
    (check_reparameterized_gradient, gradient_by_differences),
    (check_control_variate, controlled_by_lines),
    (check_control_variate, controlled_with_known_mean),
    (check_control_variate, lambda *case: controlled(*case).float()),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


@pytest.mark.parametrize(("check", "answer"), FORMS)
def test_right_answers_pass_in_any_form(check, answer, capsys):
    check(answer)
    assert capsys.readouterr().out.startswith("✓")
