"""Each usual mistake of notebook 03 gets the hint that was written for it.

The wrong answers are written here as a learner would write them, not taken from the
check. Those to the last two exercises stand in ``test_exercises_gradient.py``.
"""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from course_utils.variational.exercises import (
    check_cavi,
    check_elbo,
    check_kl_monte_carlo,
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


# --- answers of other kinds: one lambda for each


def terms(p, q, z):
    return p.log_prob(z) - q.log_prob(z)


KL += [
    (lambda p, q, z: (terms(p, q, z).mean(), z.std() / len(z) ** 0.5), "spread of z"),
    (lambda p, q, z: kl(p, q, z)[::-1], "order"),
    (lambda p, q, z: terms(p, q, z).mean(), "expected are 2 values"),
    (lambda p, q, z: (terms(p, q, z), kl(p, q, z)[1]), "one number, their mean"),
    (lambda p, q, z: (terms(p, q, z).abs().mean(), 0.0), "may be negative"),
    (lambda p, q, z: (kl_divergence(p, q), kl(p, q, z)[1]), "exact KL"),
    (lambda p, q, z: kl(p, q, q.sample((len(z),))), "random numbers of its own"),
    (lambda p, q, z: (kl(p, q, z)[0], 1.96 * kl(p, q, z)[1]), "half width"),
    (lambda p, q, z: (p(z) / q(z)).log(), "p.log_prob(z)"),
    (
        lambda p, q, z: kl_of_logs(
            p.log_prob(z).exp().log(), q.log_prob(z).exp().log()
        ),
        "rounded to 0",
    ),
]


def kl_of_logs(log_p, log_q):
    spread = (log_p - log_q).numpy().std()  # NumPy divides by n
    return [(log_p - log_q).mean().item(), spread / math.sqrt(len(log_p))]


def elbo_by_entropy(log_joint, mean, sigma, noise):
    values = [log_joint(mean + sigma * one) for one in noise.tolist()]
    return float(sum(values) / len(values) + Normal(mean, sigma).entropy())


def log_q(m, s, e):
    return Normal(m, s).log_prob(m + s * e)


ELBO += [
    (lambda f, m, s, e: (f(m + s * e) / log_q(m, s, e)).mean(), "divided by log q"),
    (lambda f, m, s, e: f(m) - log_q(m, s, e).mean(), "only at the mean"),
    (
        lambda f, m, s, e: (f(m + s * e) - Normal(0.0, 1.0).log_prob(m + s * e)).mean(),
        "standard normal",
    ),
    (elbo_at(lambda m, s, e: m + s.sqrt() * e), "without a root"),
    (elbo_at(lambda m, s, e: s * e), "shift is missing"),
    (elbo_at(lambda m, s, e: (m + e) * s), "no brackets"),
    (lambda f, m, s, e: f(m + s * e).mean() - Normal(m, s).entropy(), "wrong sign"),
    (lambda f, m, s, e: elbo(f, m, s, e) + Normal(m, s).entropy(), "counted twice"),
    (lambda f, m, s, e: elbo(f, m, s, torch.randn(20)), "random numbers of its own"),
    (lambda f, m, s, e: f("x", m + s * e).mean(), "function of z alone"),
    (
        lambda f, m, s, e: (
            f(m + s * e).exp().log() - log_q(m, s, e).exp().log()
        ).mean(),
        "no density is tiny",
    ),
]


def sweep_by_rows(m, mean, precision):
    """As one system: the lower triangle has the new values, the upper one the old."""
    lower = precision.tril()
    return mean - torch.linalg.solve(lower, (precision - lower) @ (m - mean))


def swept(m, mean, precision, order):
    m = m.clone()
    for i in order:
        m[i] = mean[i] - pull(i, m, mean, precision) / precision[i, i]
    return m


def swept_in_place(m, mean, precision):
    m.copy_(sweep(m, mean, precision))
    return m


CAVI += [
    (lambda *case: swept(*case, [0, 1, 2, 3] * 2), "more than one sweep"),
    (lambda *case: swept(*case, [0, 1, 2, 3] * 200), "converge"),
    (lambda *case: swept(*case, [0]), "`return` stand inside"),
    (lambda *case: swept(*case, [1, 2, 3]), "count from 0"),
    (lambda *case: swept(*case, [0, 1]), "every coordinate gets its turn"),
    (lambda *case: swept(*case, [3, 2, 1, 0]), "begin with the first"),
    (lambda m, mean, prec: m - 0.123 * prec @ (m - mean), "gradient step"),
    (swept_in_place, "in place"),
    (
        sweep_with(lambda i, m, mean, p: (m - mean).sum() - (m - mean)[i]),
        "weights Λ_ij",
    ),
    (lambda m, mean, p: swept(m, torch.zeros(2), p, [0, 1, 2, 3]), "global variable"),
]


ANSWERS = [
    (check_kl_monte_carlo, kl, KL),
    (check_elbo, elbo, ELBO),
    (check_cavi, sweep, CAVI),
]
FORMS = [
    (check_kl_monte_carlo, lambda p, q, z: kl_of_logs(p.log_prob(z), q.log_prob(z))),
    (check_elbo, elbo_by_entropy),
    (check_cavi, sweep_by_rows),
    (check_cavi, lambda *case: sweep(*case).tolist()),
    (check_cavi, lambda *case: sweep(*case).float()),
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
