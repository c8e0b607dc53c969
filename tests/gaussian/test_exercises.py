"""Each usual mistake of notebook 01 gets the hint that was written for it.

The wrong answers are written here as a learner would write them, not taken from the
check.
"""

import math

import torch
from torch.distributions import Normal

from course_utils.gaussian import exercises
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
        "½ log 2π is missing",
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
        "divides by σ²",
    ),
    (lambda x, m, s: Normal(m, s**0.5).log_prob(x).sum(), "sigma is σ, not σ²"),
    (
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * s**2) - torch.log(s) - math.log(2 * math.pi)
        ).sum(),
        "with the factor ½",
    ),
    (lambda x, m, s: -Normal(m, s).log_prob(x).sum(), "sign"),
]

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
) = rules(ANSWERS, exercises)
