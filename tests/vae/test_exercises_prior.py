"""Exercise 5 of notebook 04: typical answers, each with its hint."""

import math

import pytest
import torch
from torch.distributions import Normal

from course_utils.vae.exercises import check_prior_bound, prior_bound
from tests.exercise_rules import rules


def log_q(z, m, v):
    return Normal(m, (v / 2).exp()).log_prob(z).sum(1)


def made(combine):
    return lambda x, p, z, m, v: combine(x, p, log_q(z, m, v))


def with_q(q):
    return lambda x, p, z, m, v: (x + p - q(z, m, v).sum(1)).mean()


WRONG = [
    (made(lambda x, p, q: (x + p + q).mean()), "log q(z | x) is added"),
    (made(lambda x, p, q: (x + p).mean()), "log q(z | x) is missing"),
    (made(lambda x, p, q: (x - q).mean()), "log p(z) is missing"),
    (made(lambda x, p, q: (p - q).mean()), "log p(x | z) is missing"),
    (made(lambda x, p, q: (x - p + q).mean()), "changed places"),
    (made(lambda x, p, q: -(x + p - q).mean()), "this is the loss"),
    (made(lambda x, p, q: x + p - q), "mean over the examples"),
    (made(lambda x, p, q: (x + p - q).sum()), "sum over the examples"),
    (made(lambda x, p, q: (x + p - q).exp().mean()), "no exp()"),
    (
        lambda x, p, z, m, v: (
            x + p - Normal(m, (v / 2).exp()).log_prob(z).mean(1)
        ).mean(),
        "mean over the latents",
    ),
    (
        lambda x, p, z, m, v: (x + p - Normal(m, (v / 2).exp()).log_prob(z)).mean(),
        "add up over dim=1",
    ),
    (
        lambda x, p, z, m, v: (x + p - log_q(z, m, v).sum()).mean(),
        "over the examples, too",
    ),
    (with_q(lambda z, m, v: Normal(m, v.exp()).log_prob(z)), "gave it the variance"),
    (with_q(lambda z, m, v: Normal(m, v).log_prob(z)), "not log σ²"),
    (
        with_q(lambda z, m, v: -0.5 * (v + (z - m) ** 2 / v.exp())),
        "log 2π",
    ),
    (
        with_q(lambda z, m, v: Normal(0.0, 1.0).log_prob(z)),
        "the old prior",
    ),
    (with_q(lambda z, m, v: Normal(m, 1.0).log_prob(z)), "logvar is missing"),
    (
        with_q(lambda z, m, v: Normal(m, (v / 2).exp()).log_prob(m)),
        "not at the draw z",
    ),
    (
        with_q(lambda z, m, v: 0.5 * (m**2 + v.exp() - 1 - v)),
        "which has the old prior in it",
    ),
    (
        lambda x, p, z, m, v: (x - 0.5 * (m**2 + v.exp() - 1 - v).sum(1)).mean(),
        "ELBO with the old prior",
    ),
    (
        with_q(lambda z, m, v: -Normal(m, (v / 2).exp()).entropy()),
        "entropy of q",
    ),
    (
        with_q(lambda z, m, v: Normal(m, (v / 2).exp() + 1e-6).log_prob(z)),
        "very small σ",
    ),
    (lambda x, p, z, m, v: (x.sum(1) + p).mean(), "no sum over dim=1 is left"),
]


def right(x, p, z, m, v):
    d = z.shape[1]
    squares = ((z - m) ** 2 * (-v).exp() + v).sum(1) + d * math.log(2 * math.pi)
    return (x + p + squares / 2).mean()


(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules([(check_prior_bound, right, WRONG)])


@pytest.mark.parametrize(
    "answer",
    [
        lambda x, p, z, m, v: float((x + p - log_q(z, m, v)).mean()),
        lambda x, p, z, m, v: x.mean() + p.mean() - log_q(z, m, v).sum() / len(z),
    ],
)
def test_other_ways_to_be_right(answer, capsys):
    check_prior_bound(answer)
    assert "correct" in capsys.readouterr().out


def test_the_number_of_the_prompt():
    zeros = torch.zeros(1, 2)
    value = prior_bound(zeros[:, 0], zeros[:, 0], zeros, zeros, zeros)
    assert value.item() == pytest.approx(math.log(2 * math.pi))
