"""Each usual mistake of notebook 03 gets the hint that was written for it.

The wrong answers are written here as a learner would write them, not taken from the
check.
"""

import math

import torch
from torch.distributions import Normal

from course_utils.variational import exercises
from course_utils.variational.exercises import (
    check_cavi,
    check_control_variate,
    check_elbo,
    check_kl_monte_carlo,
    check_reparameterized_gradient,
)
from tests.exercise_rules import rules


def kl(p, q, z):
    terms = p.log_prob(z) - q.log_prob(z)
    return terms.mean(), terms.std() / len(z) ** 0.5


def kl_upside_down(p, q, z):
    terms = q.log_prob(z) - p.log_prob(z)
    return terms.mean(), terms.std() / math.sqrt(len(z))


def kl_weighted(p, q, z):
    terms = p.log_prob(z).exp() * (p.log_prob(z) - q.log_prob(z))
    return terms.mean(), terms.std() / math.sqrt(len(z))


def kl_of_ratios(p, q, z):
    terms = (p.log_prob(z) - q.log_prob(z)).exp()
    return terms.mean(), terms.std() / math.sqrt(len(z))


KL = [
    (kl_upside_down, "upside down"),
    (lambda p, q, z: (kl(p, q, z)[0], (p.log_prob(z) - q.log_prob(z)).std()), "√n"),
    (
        lambda p, q, z: (
            kl(p, q, z)[0],
            (p.log_prob(z) - q.log_prob(z)).std() / len(z),
        ),
        "not by n",
    ),
    (
        lambda p, q, z: (
            kl(p, q, z)[0],
            (p.log_prob(z) - q.log_prob(z)).var() / len(z),
        ),
        "square root",
    ),
    (
        lambda p, q, z: (
            (p.log_prob(z) - q.log_prob(z)).sum(),
            kl(p, q, z)[1],
        ),
        "take their mean",
    ),
    (kl_weighted, "already drawn from p"),
    (kl_of_ratios, "take the log"),
]


def elbo(log_joint, mean, sigma, noise):
    z = mean + sigma * noise
    return (log_joint(z) - Normal(mean, sigma).log_prob(z)).mean()


def elbo_terms(log_joint, mean, sigma, noise):
    z = mean + sigma * noise
    return log_joint(z) - Normal(mean, sigma).log_prob(z)


def elbo_at(make_z):
    def answer(log_joint, mean, sigma, noise):
        z = make_z(mean, sigma, noise)
        return torch.mean(log_joint(z) - Normal(mean, sigma).log_prob(z))

    return answer


ELBO = [
    (lambda f, m, s, e: f(m + s * e).mean(), "entropy of q is missing"),
    (
        lambda f, m, s, e: (f(m + s * e) + Normal(m, s).log_prob(m + s * e)).mean(),
        "wrong sign",
    ),
    (elbo_at(lambda m, s, e: e), "it is the noise"),
    (lambda f, m, s, e: f(m) - Normal(m, s).log_prob(m), "only its mean"),
    (elbo_at(lambda m, s, e: m + s**2 * e), "without squaring"),
    (lambda *args: -elbo(*args), "minus the ELBO"),
    (lambda *args: elbo_terms(*args).sum(), "sum over the samples"),
    (elbo_terms, "take their mean"),
    (lambda *args: elbo_terms(*args).exp().mean().log(), "log is outside"),
]


def sweep(m, mean, precision):
    m = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        pull = sum(precision[i, j] * (m[j] - mean[j]) for j in others)
        m[i] = mean[i] - pull / precision[i, i]
    return m


def sweep_with(pull_of, divide=True, sign=-1):
    def answer(m, mean, precision):
        for i in range(len(m)):
            pull = pull_of(i, m, mean, precision)
            m[i] = mean[i] + sign * (pull / precision[i, i] if divide else pull)
        return m

    return answer


def pull(i, m, mean, precision):
    others = torch.arange(len(m)) != i
    return (precision[i, others] * (m[others] - mean[others])).sum()


def sweep_with_old_means(m, mean, precision):
    old = m.clone()
    return [
        mean[i] - pull(i, old, mean, precision) / precision[i, i] for i in range(len(m))
    ]


CAVI = [
    (sweep_with_old_means, "used the old values"),
    (
        lambda m, mean, prec: sweep(m, mean, torch.linalg.inv(prec)),
        "used the covariance",
    ),
    (sweep_with(pull, divide=False), "divide by Λ_ii"),
    (sweep_with(lambda i, m, mean, prec: prec[i] @ (m - mean)), "leave j = i out"),
    (
        sweep_with(lambda i, m, mean, prec: pull(i, m, 0 * mean, prec)),
        "pull by m_j − μ_j",
    ),
    (sweep_with(pull, sign=1), "sign of the pull"),
]


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


ANSWERS = [
    (check_kl_monte_carlo, kl, KL),
    (check_elbo, elbo, ELBO),
    (check_cavi, sweep, CAVI),
    (check_reparameterized_gradient, gradient, GRADIENT),
    (check_control_variate, controlled, CONTROL),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS, exercises)
