"""Each usual mistake of notebook 01 gets a hint that names it.

The wrong answers are written here as a learner would write them, not taken from the
check.
"""

import math
import statistics

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from course_utils.data import load_heights
from course_utils.gaussian.exercises import (
    check_kl_gaussians,
    check_laplace_mle,
    check_log_likelihood,
    check_mle_variance,
)
from tests.exercise_rules import rules


def normal_density(x, mu, sigma):
    return torch.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (
        math.sqrt(2 * math.pi) * sigma
    )


LOG_LIKELIHOOD = [
    (lambda x, m, s: Normal(m, s).log_prob(x), "add them up"),
    (lambda x, m, s: Normal(m, s).log_prob(x).mean(), "the mean over the data"),
    (lambda x, m, s: normal_density(x, m, s).prod(), "take the log"),
    (lambda x, m, s: normal_density(x, m, s).sum(), "you added up the densities"),
    (lambda x, m, s: torch.log(normal_density(x, m, s).sum()), "the log of a sum"),
    (
        lambda x, m, s: sum(-((xi - m) ** 2) / (2 * s**2) - torch.log(s) for xi in x),
        "the ½ log 2π is missing",
    ),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * s**2) - math.log(math.sqrt(2 * math.pi))
        ).sum(),
        "log σ is missing",
    ),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / s**2 - torch.log(s * math.sqrt(2 * math.pi))
        ).sum(),
        "½ in front of the squares",
    ),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * s) - torch.log(s * math.sqrt(2 * math.pi))
        ).sum(),
        "σ must be squared",
    ),
    (lambda x, m, s: Normal(m, s**0.5).log_prob(x).sum(), "not the variance σ²"),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * s**2) - torch.log(s) - math.log(2 * math.pi)
        ).sum(),
        "with the factor ½",
    ),
    (lambda x, m, s: -Normal(m, s).log_prob(x).sum(), "sign"),
    (lambda x, m, s: Normal(x.mean(), s).log_prob(x).sum(), "use mu"),
    (lambda x, m, s: Normal(m, x.std()).log_prob(x).sum(), "the argument sigma"),
    (lambda x, s, m: Normal(m, s).log_prob(x).sum(), "changed places"),
    (lambda x, m, s: Normal(m, s).log_prob(x[1:]).sum(), "the first of x is left out"),
    (lambda x, m, s: Normal(m, s).log_prob(x)[0], "one example only"),
    (lambda x, m, s: Normal(1.7, 0.1).log_prob(x).sum(), "does not depend on μ"),
    (lambda x, m, s: round(Normal(m, s).log_prob(x).sum().item(), 2), "rounded"),
    (
        lambda x, m, s: (
            -((x - m) ** 2).sum() / (2 * s**2)
            - torch.log(s)
            - 0.5 * math.log(2 * math.pi)
        ),
        "m times",
    ),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / 2 * s**2 - torch.log(s * math.sqrt(2 * math.pi))
        ).sum(),
        "brackets",
    ),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * s**2) - torch.log(torch.tensor(2.0) * s * math.pi)
        ).sum(),
        "with the factor ½",
    ),
    (
        lambda x, m, s: (
            -(x - m**2) / (2 * s**2) - torch.log(s * math.sqrt(2 * math.pi))
        ).sum(),
        "square all of x − μ",
    ),
    (lambda x, m, s: -((x - m) ^ 2).sum(), "A power is **"),
]


def first_round(x):
    total = 0
    for one in x:
        total += (one - x.mean()) ** 2
        return total / len(x)


VARIANCE = [
    (lambda x: torch.var(x), "m − 1"),
    (lambda x: ((x - x.mean()) ** 2).sum() / (len(x) - 1), "m − 1"),
    (lambda x: x.std(correction=0), "σ² is asked"),
    (lambda x: x.std(), "σ with 1/(m − 1)"),
    (lambda x: 2 * ((x - x.mean()) ** 2).mean(), "twice"),
    (lambda x: ((x - x.mean()) ** 2).mean() / 2, "half"),
    (lambda x: ((x - x.mean()) ** 2).sum(), "divide by m"),
    (lambda x: (x**2).mean(), "subtract the mean"),
    (lambda x: (x - x.mean()).sum() ** 2, "square the distances first"),
    (lambda x: (x**2).mean() - x.mean(), "must be squared, too"),
    (lambda x: x.mean() ** 2 - (x**2).mean(), "sign"),
    (lambda x: (x - x.mean()).abs().mean(), "absolute distance"),
    (lambda x: ((x - load_heights().mean()) ** 2).mean(), "global"),
    (lambda x: ((x - x.median()) ** 2).mean(), "from the mean of x"),
    (lambda x: ((x - x.sum()) ** 2).mean(), "take the mean"),
    (lambda x: (x - x.mean()) ** 2, "take their mean"),
    (lambda x: ((x - x.mean()) ** 2).sum() / (len(x) + 1), "7 + 1"),
    (lambda x: (x.mean(), x.var(correction=0)), "number 2 of yours is right"),
    (lambda x: ((x - x.mean) ** 2).mean(), "Brackets are missing"),
    (lambda x: (x - x.mean() ** 2).mean(), "square all of"),
    (first_round, "inside the loop"),
]


def closed_form(mp, sp, mq, sq):
    return torch.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / (2 * sq**2) - 0.5


KL = [
    (lambda mp, sp, mq, sq: closed_form(mq, sq, mp, sp), "wrong way round"),
    (
        lambda mp, sp, mq, sq: (
            math.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / (2 * sq**2)
        ),
        "− ½ at the end",
    ),
    (
        lambda mp, sp, mq, sq: (
            math.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / sq**2 - 0.5
        ),
        "divide by 2σ_q²",
    ),
    (
        lambda mp, sp, mq, sq: (
            math.log(sp / sq) + (sp**2 + (mp - mq) ** 2) / (2 * sq**2) - 0.5
        ),
        "log(σ_q/σ_p)",
    ),
    (
        lambda mp, sp, mq, sq: (
            math.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / (2 * sp**2) - 0.5
        ),
        "the variance of Q",
    ),
    (
        lambda mp, sp, mq, sq: (
            math.log(sq**2 / sp**2) + (sp**2 + (mp - mq) ** 2) / (2 * sq**2) - 0.5
        ),
        "put a ½ before it",
    ),
    (
        lambda mp, sp, mq, sq: (
            math.log(sq / sp) + (sp**2 + (mp - mq)) / (2 * sq**2) - 0.5
        ),
        "must be squared",
    ),
    (lambda *args: closed_form(*args) / math.log(2), "bits"),
    (lambda *args: -closed_form(*args), "sign"),
    (
        lambda mp, sp, mq, sq: (
            (closed_form(mp, sp, mq, sq) + closed_form(mq, sq, mp, sp)) / 2
        ),
        "both directions",
    ),
    (
        lambda mp, sp, mq, sq: (
            Normal(mp, sp).log_prob(mp) - Normal(mq, sq).log_prob(mp)
        ),
        "its expectation",
    ),
    (
        lambda mp, sp, mq, sq: (
            torch.log(sq / sp) + sp**2 + (mp - mq) ** 2 / (2 * sq**2) - 0.5
        ),
        "the whole numerator",
    ),
    (
        lambda mp, sp, mq, sq: (
            torch.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / 2 * sq**2 - 0.5
        ),
        "precedence",
    ),
    (
        lambda mp, sp, mq, sq: torch.log(sq / sp) + (mp - mq) ** 2 / (2 * sq**2) - 0.5,
        "the term σ_p² is missing",
    ),
    (
        lambda mp, sp, mq, sq: (
            0.5 * torch.log(sq / sp) + (sp + (mp - mq) ** 2) / (2 * sq) - 0.5
        ),
        "not the variance",
    ),
    (
        lambda mp, sp, mq, sq: (
            0.5 * (torch.log(sq / sp) + (sp**2 + (mp - mq) ** 2) / sq**2 - 1)
        ),
        "only log(σ_q²/σ_p²) has",
    ),
    (lambda mp, mq, sp, sq: closed_form(mp, sp, mq, sq), "changed places"),
    (lambda mp, sp, mq, sq: closed_form(mp, sp, 0.0, torch.ones(())), "N(0, 1)"),
    (
        lambda mp, sp, mq, sq: (sp**2 + (mp - mq) ** 2) / (2 * sq**2),
        "the fraction only",
    ),
    (
        lambda mp, sp, mq, sq: closed_form(mp, sp, mq, sq) + Normal(mp, sp).entropy(),
        "cross entropy",
    ),
    (
        lambda *args: closed_form(*args) * (1 + 0.1 * torch.rand(())),
        "random",
    ),
]


def median(x):
    return sorted(x.tolist())[len(x) // 2]


LAPLACE = [
    (lambda x: (x.mean(), (x - x.mean()).abs().mean()), "absolute distances smallest"),
    (lambda x: (median(x), (x - x.mean()).abs().mean()), "not from the mean"),
    (
        lambda x: (median(x), ((x - median(x)) ** 2).mean().sqrt()),
        "not a standard deviation",
    ),
    (lambda x: (x.mean(), x.std(correction=0)), "of the Gaussian"),
    (lambda x: (median(x), (x - median(x)).abs().sum()), "not their sum"),
    (lambda x: ((x - median(x)).abs().mean(), median(x)), "return (μ, b)"),
    (lambda x: (median(x), (x - median(x)).abs().sum() / (len(x) - 1)), "m − 1"),
    (lambda x: (median(x), (x - median(x)).abs().median()), "not their median"),
    (lambda x: (median(x), (x - median(x)).abs().mean() / 2), "half"),
    (lambda x: (median(x), x.abs().mean()), "not from 0"),
    (lambda x: (median(x), median(x)), "the same number twice"),
    (lambda x: (median(x), 1.5 * (x - median(x)).abs().mean()), "1.5 times"),
    (lambda x: (median(x), None), "b is None"),
    (lambda x: median(x), "expected are 2 values"),
    (lambda x: (x[len(x) // 2], (x - x[len(x) // 2]).abs().mean()), "sort x first"),
    (lambda x: ((x.min() + x.max()) / 2, x.std()), "midrange"),
    (lambda x: (x.sort().values[2:4].mean(), x.std()), "no mean of two"),
    (lambda x: x - x.median(dim=0), ".values"),
    (lambda x: (sorted(x)[len(x) / 2], 1), "divide by //"),
]

ANSWERS = [
    (
        check_log_likelihood,
        lambda x, m, s: Normal(m, s).log_prob(x).sum(),
        LOG_LIKELIHOOD,
    ),
    (check_mle_variance, lambda x: x.var(correction=0), VARIANCE),
    (check_kl_gaussians, closed_form, KL),
    (
        check_laplace_mle,
        lambda x: (median(x), (x - median(x)).abs().mean()),
        LAPLACE,
    ),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


def in_steps(x, mu, sigma):
    total = 0
    for one in x.tolist():
        total -= ((one - mu) / sigma) ** 2 / 2
        total -= torch.log(torch.as_tensor(sigma) * math.sqrt(2 * math.pi))
    return total


def on_a_grid(mu_p, sigma_p, mu_q, sigma_q):
    x = torch.linspace(-100, 100, 200_001, dtype=torch.float64)
    log_p, log_q = (
        Normal(m, s).log_prob(x) for m, s in ((mu_p, sigma_p), (mu_q, sigma_q))
    )
    return torch.trapezoid(log_p.exp() * (log_p - log_q), x)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_log_likelihood, in_steps),
        (check_log_likelihood, lambda x, m, s: Normal(m, s).log_prob(x).sum().float()),
        (check_mle_variance, lambda x: statistics.pvariance(x.tolist())),
        (check_mle_variance, lambda x: np.var(x.numpy())),
        (check_mle_variance, lambda x: (x[:, None] - x).square().mean() / 2),
        (check_kl_gaussians, on_a_grid),
        (
            check_kl_gaussians,
            lambda a, s, b, t: torch.distributions.kl_divergence(
                Normal(a, s), Normal(b, t)
            ),
        ),
        (
            check_laplace_mle,
            lambda x: np.array([np.median(x), np.abs(x - np.median(x)).mean()]),
        ),
        (
            check_laplace_mle,
            lambda x: [x.quantile(0.5), (x - x.quantile(0.5)).abs().mean(0, True)],
        ),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out


def test_the_log_of_the_product_fails_with_all_heights(capsys):
    check_log_likelihood(lambda x, m, s: normal_density(x, m, s).prod().log())
    assert (
        "the product of the densities is 0 for the computer" in capsys.readouterr().out
    )
