"""Each usual mistake of notebook 02 gets the hint that was written for it.

The wrong answers are written here as a learner would write them, not taken from the
checks.
"""

import torch
from torch.distributions import Bernoulli, Categorical, Normal

from course_utils.mixture import exercises
from course_utils.mixture.exercises import (
    check_bernoulli_em_step,
    check_e_step,
    check_m_step,
    check_sample,
)
from tests.exercise_rules import rules


def pick(weights, u):
    return (u[:, None] > weights.cumsum(0)[:-1]).sum(1)


def right_sample(w, m, s, u, e):
    z = pick(w, u)
    return m[z] + s[z] * e


SAMPLE = [
    (
        lambda w, m, s, u, e: m[(u * len(w)).long()] + s[(u * len(w)).long()] * e,
        "not used",
    ),
    (
        lambda w, m, s, u, e: sum(w[k] * (m[k] + s[k] * e) for k in range(len(w))),
        "only that one",
    ),
    (lambda w, m, s, u, e: m[pick(w, u)], "add σ_z times the noise"),
    (lambda w, m, s, u, e: m[pick(w, u)] + e, "multiply the noise by σ"),
    (lambda w, m, s, u, e: m[pick(w, u)] + s[pick(w, u)].square() * e, "it needs σ"),
    (lambda w, m, s, u, e: pick(w, u), "return x"),
    (lambda w, m, s, u, e: right_sample(w, m, s, u, e)[:, None], "one number for each"),
]


def table(x, w, m, s):
    return torch.log(w) + Normal(m, s).log_prob(x[:, None])


def by_density(x, w, m, s):
    joint = w * Normal(m, s).log_prob(x[:, None]).exp()
    return joint / joint.sum(1, keepdim=True)


E_STEP = [
    (by_density, "underflows"),
    (lambda *a: torch.softmax(table(*a), dim=0), "dim=1"),
    (lambda x, w, m, s: torch.softmax(Normal(m, s).log_prob(x[:, None]), 1), "missing"),
    (lambda *a: table(*a).exp(), "divide by its sum"),
    (lambda *a: table(*a), "softmax over z"),
    (lambda x, w, m, s: Normal(m, s).log_prob(x[:, None]).exp(), "weigh and normalise"),
    (lambda *a: torch.log_softmax(table(*a), 1), "take exp"),
    (
        lambda x, w, m, s: torch.softmax(w + Normal(m, s).log_prob(x[:, None]), 1),
        "its logarithm",
    ),
    (lambda *a: torch.softmax(table(*a), 1).T, "turned"),
    (
        lambda x, w, m, s: torch.softmax(w.log() - ((x[:, None] - m) / s) ** 2 / 2, 1),
        "log σ is missing",
    ),
    (
        lambda x, w, m, s: torch.softmax(
            w.log() - s.log() - ((x[:, None] - m) / s) ** 2, 1
        ),
        "½",
    ),
    (lambda x, w, m, s: torch.softmax(table(x, w, m, s.sqrt()), 1), "not σ²"),
]


def right_m_step(x, r, old, about=None, divide=None):
    counts = r.sum(0)
    means = (r.T @ x) / counts[:, None]
    about = means if about is None else about
    covariances = torch.zeros(r.shape[1], x.shape[1], x.shape[1], dtype=x.dtype)
    for k in range(r.shape[1]):
        y = x - about[k]
        covariances[k] = (r[:, k, None] * y).T @ y
        covariances[k] /= counts[k] if divide is None else divide
    return counts / len(x), means, covariances


def with_part(number, wrong):
    def answer(x, r, old):
        parts = list(right_m_step(x, r, old))
        parts[number] = wrong(x, r, old)
        return tuple(parts)

    return answer


def only_variances(x, r, old):
    return right_m_step(x, r, old)[2].diagonal(dim1=1, dim2=2)


M_STEP = [
    (with_part(0, lambda x, r, old: r.sum(0)), "divide by n"),
    (with_part(1, lambda x, r, old: r.T @ x), "divide by N_k"),
    (with_part(1, lambda x, r, old: r.T @ x / len(x)), "its own N_k"),
    (with_part(1, lambda x, r, old: old), "old means; average"),
    (lambda x, r, old: right_m_step(x, r, old, about=old), "centred at the old means"),
    (lambda x, r, old: right_m_step(x, r, old, divide=1), "divide by N_k"),
    (lambda x, r, old: right_m_step(x, r, old, divide=len(x)), "its own N_k"),
    (lambda x, r, old: right_m_step(x, r, old, about=0 * old), "centre the data"),
    (with_part(2, only_variances), "outer product"),
    (with_part(2, lambda *a: torch.diag_embed(only_variances(*a))), "you only squared"),
    (lambda x, r, old: right_m_step(x, r, old)[1:], "the tuple (weights, means, cov"),
    (lambda x, r, old: r.T @ x, "the tuple (weights, means, cov"),
]


def right_bernoulli(x, w, p, joint=None, divide=None):
    joint = (
        w.log() + Bernoulli(p).log_prob(x[:, None]).sum(2) if joint is None else joint
    )
    r = torch.softmax(joint, 1)
    return r.mean(0), r.T @ x / (r.sum(0)[:, None] if divide is None else divide)


def bernoulli_by_products(x, w, p):
    joint = w * Bernoulli(p).log_prob(x[:, None]).exp().prod(2)
    r = joint / joint.sum(1, keepdim=True)
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


BERNOULLI = [
    (bernoulli_by_products, "underflows"),
    (
        lambda x, w, p: right_bernoulli(x, w, p, w.log() + x @ p.log().T),
        "a 0 is an observ",
    ),
    (
        lambda x, w, p: right_bernoulli(
            x, w, p, Bernoulli(p).log_prob(x[:, None]).sum(2)
        ),
        "the weights φ are missing",
    ),
    (lambda x, w, p: right_bernoulli(x, w, p, divide=1), "divide by N_k"),
    (lambda x, w, p: right_bernoulli(x, w, p, divide=len(x)), "its own N_k"),
]

ANSWERS = [
    (check_sample, right_sample, SAMPLE),
    (check_e_step, lambda *a: Categorical(logits=table(*a)).probs, E_STEP),
    (check_m_step, right_m_step, M_STEP),
    (check_bernoulli_em_step, right_bernoulli, BERNOULLI),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, exercises, not_compared=["mixture of Bernoullis, many pixels"])
