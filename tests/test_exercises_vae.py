"""Each usual mistake of notebook 04 gets the hint that was written for it."""

import torch
from exercise_rules import rules
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from course_utils.exercises import vae
from course_utils.exercises.vae import (
    check_elbo,
    check_iwae,
    check_kl_term,
    check_sample,
    check_walk,
)


def right_kl(mu, logvar):
    q = Normal(mu, torch.exp(logvar / 2))
    return kl_divergence(q, Normal(torch.zeros_like(mu), 1.0)).sum(1)


KL = [
    (
        lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), Normal(0 * m, 1.0)),
        "latents",
    ),
    (
        lambda m, v: -0.5 * torch.mean(1 + v - m**2 - v.exp(), dim=1),
        "independent latents",
    ),
    (lambda m, v: -0.5 * torch.sum(1 + v - m**2 - v.exp()), "whole batch"),
    (lambda m, v: -0.5 * torch.sum(1 + v - m**2 - v.exp(), dim=0), "over the examples"),
    (lambda m, v: right_kl(m, v).mean(), "mean over the batch"),
    (lambda m, v: (m**2 + v.exp() - 1 - v).sum(1), "½ in front"),
    (lambda m, v: (0.5 * (m**2 + v.exp() ** 2 - 1) - v).sum(1), "not log σ"),
    (lambda m, v: 0.5 * (m**2 + torch.exp(v / 2) - 1 - v).sum(1), "σ where σ²"),
    (lambda m, v: 0.5 * (m**2 + v.exp() ** 2 - 1 - v).sum(1), "σ⁴"),
    (lambda m, v: 0.5 * (m**2 + v - 1 - v).sum(1), "take its exp"),
    (lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1), "−1 is missing"),
    (lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(1), "squared"),
    (lambda m, v: 0.5 * (m**2 + v.exp() - 1 + v).sum(1), "sign of log σ²"),
    (lambda m, v: -right_kl(m, v), "sign"),
]

SAMPLE = [
    (lambda m, v, e: m + v.exp() * e, "by σ²"),
    (lambda m, v, e: m + v * e, "by log σ²"),
    (lambda m, v, e: m + e, "not scaled"),
    (lambda m, v, e: m, "not a sample"),
    (lambda m, v, e: torch.exp(v / 2) + m * e, "changed places"),
    (lambda m, v, e: m + e / torch.exp(v / 2), "not divided"),
]


def cross_entropy(logits, x, **options):
    return F.binary_cross_entropy_with_logits(logits, x, **options)


ELBO = [
    (
        lambda x, a, kl: -cross_entropy(a, x) - kl.mean(),
        "mean over the pixels",
    ),
    (
        lambda x, a, kl: -cross_entropy(a, x, reduction="sum") / len(x) + kl.mean(),
        "must be subtracted",
    ),
    (lambda x, a, kl: -cross_entropy(a, x, reduction="sum") / len(x), "KL is missing"),
    (lambda x, a, kl: Bernoulli(logits=a).log_prob(x).sum(1) - kl, "per example"),
    (
        lambda x, a, kl: -cross_entropy(a, x, reduction="sum") - kl.sum(),
        "sum over the batch",
    ),
    (
        lambda x, a, kl: cross_entropy(a, x, reduction="sum") / len(x) + kl.mean(),
        "this is the loss",
    ),
    (
        lambda x, a, kl: cross_entropy(a, x, reduction="sum") / len(x) - kl.mean(),
        "minus the cross-entropy",
    ),
    (
        lambda x, a, kl: (
            -cross_entropy(a.sigmoid(), x, reduction="sum") / len(x) - kl.mean()
        ),
        "sigmoid was taken twice",
    ),
    (
        lambda x, a, kl: ((x * torch.log(a.sigmoid())).sum(1) - kl).mean(),
        "pixels that are 0",
    ),
]


def walk(a, b, steps):
    return torch.stack([a + i / (steps - 1) * (b - a) for i in range(steps)])


WALK = [
    (lambda a, b, n: walk(b, a, n), "from end to start"),
    (
        lambda a, b, n: torch.stack([a + i / n * (b - a) for i in range(n)]),
        "one step before",
    ),
    (
        lambda a, b, n: torch.stack([a + (i + 1) / n * (b - a) for i in range(n)]),
        "leaves out the start",
    ),
    (lambda a, b, n: walk(a, b, n).T, "it is turned"),
    (lambda a, b, n: torch.linspace(0, 1, n).double()[:, None] * (b - a), "add start"),
]

IWAE = [
    (lambda w: w.sum(0) / len(w), "mean of the logs"),
    (lambda w: torch.logsumexp(w, 0), "subtract log k"),
    (lambda w: torch.logsumexp(w, 0) + torch.tensor(float(len(w))).log(), "is added"),
    (lambda w: torch.logsumexp(w, 0) / len(w), "do not divide"),
    (
        lambda w: torch.logsumexp(w, 1) - torch.tensor(float(w.shape[1])).log(),
        "in one column",
    ),
    (
        lambda w: (torch.logsumexp(w, 0) - torch.tensor(len(w)).double().log()).mean(),
        "already averaged",
    ),
    (lambda w: torch.log(torch.exp(w).mean(0)), "use logsumexp"),
]

ANSWERS = [
    (check_kl_term, right_kl, KL),
    (
        check_sample,
        lambda m, v, e: Normal(m, torch.exp(v / 2)).icdf(Normal(0.0, 1.0).cdf(e)),
        SAMPLE,
    ),
    (
        check_elbo,
        lambda x, a, kl: -(cross_entropy(a, x, reduction="sum") + kl.sum()) / len(x),
        ELBO,
    ),
    (check_walk, walk, WALK),
    (
        check_iwae,
        lambda w: w.amax(0) + (w - w.amax(0)).exp().mean(0).log(),
        IWAE,
    ),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, vae)
