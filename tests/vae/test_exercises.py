"""Each usual mistake of notebook 04 gets the hint that was written for it."""

import math

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from course_utils.vae import exercises as vae
from course_utils.vae.exercises import (
    check_elbo,
    check_iwae,
    check_kl_term,
    check_sample,
    check_walk,
)
from tests.exercise_rules import rules


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
    (lambda m, v: (0.5 * m**2 + v.exp() - 1 - v).sum(1), "every term"),
    (lambda m, v: (0.5 * (m**2 + v.exp() - 1) - v).sum(1), "every term"),
    (lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v / 2).sum(1), "you halved it"),
    (lambda m, v: 0.5 * ((m**2 + v.exp() - v).sum(1) - 1), "to each latent"),
    (lambda m, v: 0.5 * (v.exp() - 1 - v).sum(1), "means are missing"),
    (
        lambda m, v: kl_divergence(Normal(0 * m, 1.0), Normal(m, torch.exp(v / 2))).sum(
            1
        ),
        "KL(prior ‖ q)",
    ),
    (
        lambda m, v: kl_divergence(Normal(m, v), Normal(0 * m, 1.0)).sum(1),
        "Normal takes σ, not log σ²",
    ),
    (lambda m, v: right_kl(m, v)[:, None], "the numbers are right, but in shape"),
]

SAMPLE = [
    (lambda m, v, e: m + v.exp() * e, "by σ²"),
    (lambda m, v, e: m + v * e, "by log σ²"),
    (lambda m, v, e: m + e, "not scaled"),
    (lambda m, v, e: m, "not a sample"),
    (lambda m, v, e: torch.exp(v / 2) + m * e, "changed places"),
    (lambda m, v, e: m + e / torch.exp(v / 2), "not divided"),
    (lambda m, v, e: m + torch.exp(v) / 2 * e, "inside exp()"),
    (lambda m, v, e: m + v / 2 * e, "exp() is missing"),
    (lambda m, v, e: m + torch.sqrt(v) * e, "root of σ²"),
    (lambda m, v, e: e * torch.exp(v / 2), "μ is missing"),
    (
        lambda m, v, e: Normal(m, torch.exp(v / 2)).rsample(),
        "changes from call to call",
    ),
]


def cross_entropy(logits, x, **options):
    return F.binary_cross_entropy_with_logits(logits, x, **options)


def pixels(log_p):
    return lambda x, a, kl: (log_p(x, a).sum(1) - kl).mean()


LOG_ROOT_2_PI = math.log(2 * math.pi) / 2

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
    (pixels(lambda x, a: -F.binary_cross_entropy(a, x)), "not probabilities"),
    (pixels(lambda x, a: Bernoulli(a).log_prob(x)), "not probabilities"),
    (pixels(lambda x, a: Bernoulli(probs=a).log_prob(x)), "not probabilities"),
    (
        pixels(lambda x, a: x * torch.log(a) + (1 - x) * torch.log(1 - a)),
        "not probabilities",
    ),
    (
        lambda x, a, kl: -cross_entropy(x, a, reduction="sum") / len(x) - kl.mean(),
        "x and logits have changed",
    ),
    (pixels(lambda x, a: -F.mse_loss(a.sigmoid(), x, reduction="none")), "squared"),
    (
        pixels(lambda x, a: Normal(a.sigmoid(), 1).log_prob(x) + LOG_ROOT_2_PI),
        "squared",
    ),
    (
        pixels(lambda x, a: x * a.sigmoid() + (1 - x) * (1 - a.sigmoid())),
        "the log is missing",
    ),
    (
        lambda x, a, kl: (Bernoulli(logits=a).log_prob(x).sum() - kl).mean(),
        "log p(x | z) is added up over the batch",
    ),
    (
        lambda x, a, kl: -cross_entropy(a, x, reduction="sum") / len(x) - kl.sum(),
        "the KL is added up over the batch",
    ),
    (
        lambda x, a, kl: Bernoulli(logits=a).log_prob(x).sum(0).mean() - kl.mean(),
        "the pixels are dim=1",
    ),
    (
        lambda x, a, kl: (Bernoulli(logits=a).log_prob(x) - kl).mean(),
        "over the pixels, dim=1, before the KL",
    ),
    (
        lambda x, a, kl: cross_entropy(a, x) + kl.mean(),
        "mean over the pixels; the log of a product is a sum; the sign is wrong, too",
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
    (lambda a, b, n: a + torch.linspace(0, 1, n)[:, None] * b, "not subtracted"),
    (lambda a, b, n: walk(a, 2 * a - b, n), "not start − end"),
    (lambda a, b, n: walk(b, 2 * b - a, n), "begins at end"),
    (lambda a, b, n: a + torch.arange(n)[:, None] * (b - a), "divide them"),
    (lambda a, b, n: walk(a, b, n + 1), "too many points"),
    (lambda a, b, n: walk(a, b, n - 1), "too few points"),
    (lambda a, b, n: a + torch.linspace(0, 1, n) * (b - a), "a column"),
    (lambda a, b, n: torch.linspace(a, b, n), "takes two numbers"),
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
    (lambda w: torch.log(torch.exp(w).sum(0)), "use logsumexp"),
    (lambda w: torch.log(torch.exp(w).mean(0) + 1e-8), "a small number inside"),
    (lambda w: torch.exp(w - w.max(0).values).mean(0).log(), "not put back"),
    (lambda w: w.logsumexp(0) - torch.tensor(w.shape[1]).log(), "number of rows"),
    (lambda w: w.logsumexp(0) - torch.tensor(w.numel()).log(), "number of rows"),
    (lambda w: torch.logsumexp(w), "dim=0"),
    (lambda w: w.logsumexp(0) - torch.log(len(w)), "For a plain number use math.log"),
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
