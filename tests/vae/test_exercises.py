"""Each usual mistake of notebook 04 gets the hint that was written for it."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from course_utils.vae.exercises import check_elbo, check_kl_term, check_sample, elbo
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
    (lambda m, v: right_kl(m, v).mean(), "mean over the examples"),
    (lambda m, v: (m**2 + v.exp() - 1 - v).sum(1), "½ in front"),
    (lambda m, v: (0.5 * (m**2 + v.exp() ** 2 - 1) - v).sum(1), "not log σ"),
    (
        lambda m, v: 0.5 * (m**2 + torch.exp(v / 2) - 1 - v).sum(1),
        "where the variance σ² belongs",
    ),
    (lambda m, v: 0.5 * (m**2 + v.exp() ** 2 - 1 - v).sum(1), "σ⁴"),
    (lambda m, v: 0.5 * (m**2 + v - 1 - v).sum(1), "one and the same"),
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
    (lambda m, v: (m**2 + v.exp() - 1 - v).sum(), "whole batch"),
    (lambda m, v: (m**2 + v.exp() - 1 - v).mean(-1), "the ½ is missing"),
    (lambda m, v: right_kl(m, v) / math.log(2), "bits"),
    (lambda m, v: 0.5 * (m**2 - v.exp() - 1 - v).sum(1), "turned round"),
    (lambda m, v: 0.5 * torch.sum(1 + v - m**2 - v.exp(), 1), "sign"),
    (lambda m, v: (-0.5 * 1 + v - m**2 - v.exp()).sum(1), "brackets"),
    (lambda m, v: 0.5 * (m**2 + v - 1 - v.log()).sum(1), "for the variance itself"),
    (lambda m, v: 0.5 * (m**2 + v**2 - 1 - 2 * v.log()).sum(1), "logvar for σ"),
    (lambda m, v: kl_divergence(Normal(m, v.exp()), Normal(0.0, 1.0)).sum(1), "half"),
    (
        lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 2.0)).sum(1),
        "standard deviation is 1",
    ),
    (lambda m, v: 0.5 * (m.norm(dim=1) + (v.exp() - 1 - v).sum(1)), "by itself"),
    (lambda m, v: 0.5 * ((m**2).sum() + (v.exp() - 1 - v).sum(1)), "without dim"),
    (lambda m, v: Normal(m, (v / 2).exp()).entropy().sum(1), "entropy of q"),
    (lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).amax(1), "only one of the latents"),
    (
        lambda m, v: 0.5 * (m**2 + v.exp() - 1 - (v.exp() + 1e-6).log()).sum(1),
        "very small σ",
    ),
    (lambda m, v: right_kl(m, v.clamp(-30, 20)), "clamp"),
    (lambda m, v: 0.5 * (v**2 + m.exp() - 1 - m).sum(1), "changed places"),
]

SAMPLE = [
    (lambda m, v, e: m + v.exp() * e, "by σ²"),
    (lambda m, v, e: m + v * e, "by log σ²"),
    (lambda m, v, e: m + e, "not scaled"),
    (lambda m, v, e: m, "not a sample"),
    (lambda m, v, e: torch.exp(v / 2) + m * e, "changed places"),
    (lambda m, v, e: m + e / torch.exp(v / 2), "or you divided"),
    (lambda m, v, e: m + torch.exp(v) / 2 * e, "inside exp()"),
    (lambda m, v, e: m + v / 2 * e, "exp() is missing"),
    (lambda m, v, e: m + torch.sqrt(v) * e, "root of σ²"),
    (lambda m, v, e: e * torch.exp(v / 2), "μ is missing"),
    (lambda m, v, e: m.detach() + torch.exp(v / 2) * e, "no gradient flows back to μ"),
    (lambda m, v, e: m + torch.exp(v.detach() / 2) * e, "back to log σ²"),
    (lambda m, v, e: m - torch.exp(v / 2) * e, "sign"),
    (lambda m, v, e: (e - m) / torch.exp(v / 2), "inverse way"),
    (lambda m, v, e: e + torch.exp(v / 2) * m, "μ and the noise have changed places"),
    (lambda m, v, e: m + v + e, "added the three"),
    (lambda m, v, e: (m + e) * torch.exp(v / 2), "brackets"),
    (lambda m, v, e: m + v.abs() * e, "absolute value"),
    (lambda m, v, e: m + torch.exp(2 * v) * e, "you doubled logvar"),
    (lambda m, v, e: m + torch.exp(v / 2) * e[0], "each entry of z has its own"),
    (lambda m, v, e: m + torch.exp(v / 2) @ e.T, "no @"),
    (lambda m, v, e: m + torch.exp(v.clamp(-8, 8) / 2) * e, "very small σ"),
    (lambda m, v, e: m + torch.exp(v.clamp(max=8) / 2) * e, "large σ"),
    (lambda m, v, e: (m + torch.exp(v / 2) * e, m, v), "number 1 of yours is right"),
    (lambda m, v, e: m.add_(torch.exp(v / 2) * e), "in place"),
    (lambda m, v, e: Normal(m, torch.exp(v / 2)), "a distribution"),
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
    (lambda x, a, kl: Bernoulli(logits=a).log_prob(x).sum(1) - kl, "for each example"),
    (
        lambda x, a, kl: -cross_entropy(a, x, reduction="sum") - kl.sum(),
        "sum over the examples",
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
        "log p(x | z) is added up over the examples",
    ),
    (
        lambda x, a, kl: -cross_entropy(a, x, reduction="sum") / len(x) - kl.sum(),
        "the KL is added up over the examples",
    ),
    (
        lambda x, a, kl: Bernoulli(logits=a).log_prob(x).sum(0).mean() - kl.mean(),
        "the pixels are dim=1",
    ),
    (
        lambda x, a, kl: (Bernoulli(logits=a).log_prob(x) - kl).mean(),
        "over the pixels, dim=1, before the KL",
    ),
    (lambda x, a, kl: -784 * cross_entropy(a, x) - kl.mean(), "784"),
    (lambda x, a, kl: cross_entropy(a, x) - kl.mean(), "turned round, and you took"),
    (
        lambda x, a, kl: (Bernoulli(logits=a).log_prob(x) - kl[:, None]).sum(1).mean(),
        "once for each pixel",
    ),
    (lambda x, a, kl: -cross_entropy(a, x) - kl.mean() / 7, "of both terms"),
    (pixels(lambda x, a: F.logsigmoid(a)), "does not depend on x"),
    (pixels(lambda x, a: x * a.log_softmax(1)), "softmax"),
    (pixels(lambda x, a: Bernoulli(logits=-a).log_prob(x)), "not of no ink"),
    (pixels(lambda x, a: x * a + F.softplus(a)), "sign of softplus"),
    (pixels(lambda x, a: (x * a.sigmoid()).log()), "log 0"),
    (pixels(lambda x, a: Bernoulli(x).log_prob(a.sigmoid())), "changed places"),
    (pixels(lambda x, a: Bernoulli(a.sigmoid().clamp(1e-4)).log_prob(x)), "clamp"),
    (
        pixels(lambda x, a: (x * a.sigmoid() + (1 - x) * (-a).sigmoid() + 1e-9).log()),
        "epsilon",
    ),
    (lambda x, a, kl: kl.sum(dim=1), "no sum over dim=1 is left"),
    (
        lambda x, a, kl: (
            Bernoulli(logits=a).log_prob(x).sum(1).exp().mean() - kl.mean()
        ),
        "probability of each picture",
    ),
    (
        lambda x, a, kl: cross_entropy(a, x) + kl.mean(),
        "mean over the pixels; the log of a product is a sum over them; besides, "
        "the sign",
    ),
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
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (
            check_kl_term,
            lambda m, v: [
                right_kl(m[i : i + 1], v[i : i + 1])[0] for i in range(len(m))
            ],
        ),
        (check_kl_term, lambda m, v: (m * m + v.expm1() - v).numpy().sum(1) / 2),
        (check_sample, lambda m, v, e: torch.addcmul(m, torch.exp(v).sqrt(), e)),
        (check_sample, lambda m, v, e: list(m + math.e ** (v / 2) * e)),
        (
            check_elbo,
            lambda x, a, kl: (x * a - a.exp().log1p()).sum() / len(x) - kl.mean(),
        ),
        (check_elbo, pixels(lambda x, a: Bernoulli(a.sigmoid()).log_prob(x))),
        (check_elbo, lambda x, a, kl: float(elbo(x.float(), a.float(), kl.float()))),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out
