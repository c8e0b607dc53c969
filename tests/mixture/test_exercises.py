"""Each usual mistake of notebook 02 gets a hint that names it.

The wrong answers are written here as a learner would write them, not taken from the
checks.
"""

import bisect
import itertools

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Normal
from torch.nn.functional import binary_cross_entropy, one_hot

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


def only_three(w, m, s, u, e):
    edges = w.cumsum(0)
    z = torch.where(u <= edges[0], 0, torch.where(u <= edges[1], 1, 2))
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
    (lambda w, m, s, u, e: right_sample(w, m, s.sqrt(), u, e), "no root"),
    (lambda w, m, s, u, e: m + s * e[:, None], "every component was sampled"),
    (lambda w, m, s, u, e: m[torch.searchsorted(w.cumsum(0), u) + 1] + e, "cumsum"),
    (
        lambda w, m, s, u, e: m[pick(w, u) - 1] + s[pick(w, u) - 1] * e,
        "one too small",
    ),
    (
        lambda w, m, s, u, e: right_sample(w, m, s, 1 - u, e),
        "1 − u",
    ),
    (lambda w, m, s, u, e: right_sample(w, m, s, u, u), "u as the noise"),
    (
        lambda w, m, s, u, e: right_sample(w, m, s, torch.rand_like(u), e),
        "random numbers of its own",
    ),
    (lambda w, m, s, u, e: m[w.argmax()] + s[w.argmax()] * e, "the likeliest"),
    (lambda w, m, s, u, e: (right_sample(w, m, s, u, e), pick(w, u)), "number 1 of"),
    (only_three, "3 components"),
]


def table(x, w, m, s):
    return torch.log(w) + Normal(m, s).log_prob(x[:, None])


def by_density(x, w, m, s):
    joint = w * Normal(m, s).log_prob(x[:, None]).exp()
    return joint / joint.sum(1, keepdim=True)


def with_largest_of_all(x, w, m, s):
    joint = (table(x, w, m, s) - table(x, w, m, s).max()).exp()
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
    (lambda x, w, m, s: torch.softmax(table(x, w, m, s.sqrt()), 1), "not the variance"),
    (lambda *a: (table(*a) - table(*a).max()).softmax(0), "dim=1"),
    (with_largest_of_all, "of each row before exp"),
    (lambda *a: by_density(*a).nan_to_num(0.5), "hide it"),
    (lambda x, w, m, s: torch.softmax(w * table(x, w * 0 + 1, m, s), 1), "multiplied"),
    (lambda x, w, m, s: torch.softmax(-((x[:, None] - m) ** 2), 1), "k-means"),
    (lambda *a: table(*a).exp() / table(*a).exp().sum(), "of the whole table"),
    (lambda *a: table(*a).argmax(1), "the index of the likeliest"),
    (lambda *a: one_hot(table(*a).argmax(1)), "hard decision"),
    (lambda *a: (table(*a) - table(*a).logsumexp(1)).exp(), "keepdim=True"),
    (lambda *a: table(*a).logsumexp(1), "this is log q(x)"),
    (
        lambda x, w, m, s: torch.softmax(
            w.log() - s.log() - (x[:, None] - m) ** 2 / 2 * s**2, 1
        ),
        "precedence",
    ),
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
    (with_part(1, lambda x, r, old: r.T @ x), "by N_k, the sum"),
    (with_part(1, lambda x, r, old: r.T @ x / len(x)), "its own N_k"),
    (with_part(1, lambda x, r, old: old), "and not the new means"),
    (lambda x, r, old: right_m_step(x, r, old, about=old), "centred at the old means"),
    (lambda x, r, old: right_m_step(x, r, old, divide=1), "by N_k, the sum"),
    (lambda x, r, old: right_m_step(x, r, old, divide=len(x)), "its own N_k"),
    (lambda x, r, old: right_m_step(x, r, old, about=0 * old), "centre the data"),
    (with_part(2, only_variances), "outer product"),
    (with_part(2, lambda *a: torch.diag_embed(only_variances(*a))), "you only squared"),
    (lambda x, r, old: right_m_step(x, r, old)[1:], "it returned 2 values"),
    (lambda x, r, old: r.T @ x[:, 0], "weights, means, covariances"),
    (lambda x, r, old: right_m_step(x, r, old)[::-1], "changed places"),
    (lambda x, r, old: right_m_step(x, one_hot(r.argmax(1)).double(), old), "hard"),
    (with_part(1, lambda x, r, old: x.mean(0).expand(r.shape[1], -1)), "the common"),
    (lambda x, r, old: right_m_step(x, r, old, divide=r.sum() - 1), "n − 1"),
    (with_part(2, lambda *a: right_m_step(*a)[2].abs().sqrt()), "roots"),
    (
        with_part(2, lambda *a: right_m_step(*a)[2] + 0.1 * torch.eye(a[0].shape[1])),
        "added to the diagonal",
    ),
    (
        with_part(2, lambda *a: right_m_step(*a)[2] + 1e-6 * torch.eye(a[0].shape[1])),
        "a small number is added",
    ),
    (
        with_part(2, lambda x, r, old: torch.cov(x.T).expand(r.shape[1], -1, -1)),
        "the same covariance",
    ),
    (
        with_part(2, lambda x, r, old: torch.cov(x.T, aweights=r[:, 0])),
        "only the first one",
    ),
    (lambda x, r, old: (r.T @ x) / r.sum(0), "by a column"),
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


def five_steps(x, w, p):
    for _ in range(5):
        w, p = right_bernoulli(x, w, p.clamp(1e-9, 1 - 1e-9))
    return w, p


def smoothed(x, w, p, much):
    weights, probs = right_bernoulli(x, w, p)
    counts = len(x) * weights[:, None]
    return weights, (counts * probs + much) / (counts + 2 * much)


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
        "(the prior) are missing",
    ),
    (lambda x, w, p: right_bernoulli(x, w, p, divide=1), "by N_k, the sum"),
    (lambda x, w, p: right_bernoulli(x, w, p, divide=len(x)), "its own N_k"),
    (lambda x, w, p: right_bernoulli(x, *right_bernoulli(x, w, p)), "two steps"),
    (five_steps, "many steps"),
    (lambda x, w, p: right_bernoulli(x, w, p)[::-1], "changed places"),
    (lambda x, w, p: (w, right_bernoulli(x, w, p)[1]), "the old ones"),
    (
        lambda x, w, p: (
            right_bernoulli(x, w, p)[0],
            right_bernoulli(x, w, p)[1].clamp(1e-3, 1 - 1e-3),
        ),
        "no clamp",
    ),
    (lambda x, w, p: smoothed(x, w, p, 0.3), "pseudo-count"),
    (
        lambda x, w, p: right_bernoulli(
            x, w, p, w + Bernoulli(p).log_prob(x[:, None]).sum(2)
        ),
        "log φ",
    ),
    (
        lambda x, w, p: right_bernoulli(
            x, w, p, w.log() + Bernoulli(p).log_prob(x[:, None]).mean(2)
        ),
        "do not take their mean",
    ),
    (
        lambda x, w, p: right_bernoulli(x, w, p, w.log() + x @ p.log()),
        "the product does not fit",
    ),
    (lambda x, w, p: right_bernoulli(x, w, p)[0], "weights, probs"),
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
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


def sample_in_a_loop(w, m, s, u, e):
    edges = list(itertools.accumulate(w.tolist()))
    chosen = [bisect.bisect_left(edges, value) for value in u.tolist()]
    return [float(m[z]) + float(s[z]) * n for z, n in zip(chosen, e, strict=True)]


def shares_by_pairs(*case):
    logs = table(*case)
    return 1 / (logs[:, None] - logs[:, :, None]).exp().sum(2)


def averages_by_numpy(x, r, old):
    x, r = x.numpy(), r.numpy()
    covariances = [np.cov(x.T, aweights=share, ddof=0) for share in r.T]
    covariances = [c.reshape(x.shape[1], -1) for c in covariances]
    means = [np.average(x, axis=0, weights=share) for share in r.T]
    return r.mean(0), np.stack(means), np.stack(covariances)


def bernoulli_by_loss(x, w, p):
    shape = len(x), *p.shape
    loss = binary_cross_entropy(
        p.expand(shape), x[:, None].expand(shape), reduction="none"
    )
    r = Categorical(logits=w.log() - loss.sum(2)).probs
    return [r.mean(0).tolist(), (r / r.sum(0)).T @ x]


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_sample, sample_in_a_loop),
        (check_sample, lambda *case: right_sample(*case).float()),
        (check_e_step, shares_by_pairs),
        (check_e_step, lambda *case: table(*case).log_softmax(1).exp().float()),
        (check_m_step, averages_by_numpy),
        (check_m_step, lambda *case: list(right_m_step(*case))),
        (check_bernoulli_em_step, bernoulli_by_loss),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out
