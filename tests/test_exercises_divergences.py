"""Each usual mistake of notebook 06 gets the hint that was written for it."""

import math

import pytest
import torch
from exercise_rules import rules
from sklearn.metrics.pairwise import rbf_kernel

from course_utils.exercises import divergences, divergences_more
from course_utils.exercises.divergences import check_js, check_kl
from course_utils.exercises.divergences_more import (
    check_choice,
    check_mmd2,
    check_renyi,
)


def kl(p, q, dx):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx


def naive(p, q, dx):
    return torch.sum(p * torch.log(p / q)) * dx


def summed(p, q):
    return kl(p, q, 1.0)


KL = [
    (lambda p, q, dx: (kl(q, p, dx), kl(p, q, dx)), "changed places"),
    (lambda p, q, dx: (summed(p, q), summed(q, p)), "dx of a cell is missing"),
    (lambda p, q, dx: (summed(p, q) / len(p), summed(q, p) / len(p)), "the mean over"),
    (lambda p, q, dx: (naive(p, q, dx), naive(q, p, dx)), "0 · log 0"),
    (
        lambda p, q, dx: (
            (p * (p.log() - q.log())).nansum() * dx,
            (q * torch.log((q / p).nan_to_num(1.0, 1.0))).sum() * dx,
        ),
        "leave out only",
    ),
    (
        lambda p, q, dx: (
            (p * ((p + 1e-10).log() - (q + 1e-10).log())).sum() * dx,
            (q * ((q + 1e-10).log() - (p + 1e-10).log())).sum() * dx,
        ),
        "hides that",
    ),
    (
        lambda p, q, dx: (
            naive(p.clamp(1e-12), q.clamp(1e-12), dx),
            naive(q.clamp(1e-12), p.clamp(1e-12), dx),
        ),
        "hides that",
    ),
    (lambda p, q, dx: 2 * (kl(p, q, dx),), "both are KL(p‖q)"),
    (lambda p, q, dx: 2 * (kl(q, p, dx),), "both are KL(q‖p)"),
    (
        lambda p, q, dx: (kl(p, q, dx) / math.log(2), kl(q, p, dx) / math.log(2)),
        "in bits",
    ),
    (lambda p, q, dx: (-kl(p, q, dx), -kl(q, p, dx)), "upside down"),
    (lambda p, q, dx: (-kl(q, p, dx), -kl(p, q, dx)), "wrong density"),
    (
        lambda p, q, dx: ((p / q).log().sum() * dx, (q / p).log().sum() * dx),
        "must be weighted",
    ),
    (lambda p, q, dx: kl(p, q, dx), "shape ()"),
]


def js(p, q, dx):
    m = (p + q) / 2
    return (kl(p, m, dx) + kl(q, m, dx)) / 2


JS = [
    (lambda p, q, dx: kl(p, (p + q) / 2, dx) + kl(q, (p + q) / 2, dx), "on the slide"),
    (lambda p, q, dx: (kl(p, p + q, dx) + kl(q, p + q, dx)) / 2, "its ½ is missing"),
    (lambda p, q, dx: kl(p, p + q, dx) + kl(q, p + q, dx), "both halves"),
    (lambda p, q, dx: js(p, q, dx) ** 0.5, "the root"),
    (lambda p, q, dx: js(p, q, dx) / math.log(2), "in bits"),
    (lambda p, q, dx: js(p, q, 1), "dx of a cell"),
    (lambda p, q, dx: js(p, q, 1 / len(p)), "the mean over"),
    (
        lambda p, q, dx: (naive(p, (p + q) / 2, dx) + naive(q, (p + q) / 2, dx)) / 2,
        "0 · log 0",
    ),
    (
        lambda p, q, dx: (kl((p + q) / 2, p, dx) + kl((p + q) / 2, q, dx)) / 2,
        "changed places",
    ),
    (lambda p, q, dx: (kl(p, q, dx) + kl(q, p, dx)) / 2, "with m instead"),
    (lambda p, q, dx: kl(p, (p + q) / 2, dx) / 2, "add that of q"),
    (lambda p, q, dx: kl(p, (p + q) / 2, dx), "KL(p‖m) only"),
]


def kernel(x, y, sigma):
    return torch.as_tensor(rbf_kernel(x, y, gamma=1 / (2 * sigma**2)))


def off(k):
    return (k.sum() - k.trace()) / (len(k) * (len(k) - 1))


def mmd2(x, y, k):
    return off(k(x, x)) + off(k(y, y)) - 2 * k(x, y).mean()


def with_gamma(gamma):
    def answer(x, y, sigma):
        return mmd2(x, y, lambda a, b: kernel(a, b, (2 * gamma(sigma)) ** -0.5))

    return answer


def three(x, y, sigma):
    return kernel(x, x, sigma), kernel(y, y, sigma), kernel(x, y, sigma)


def biased(x, y, sigma):
    xx, yy, xy = three(x, y, sigma)
    return xx.mean() + yy.mean() - 2 * xy.mean()


def zero_diagonal(x, y, sigma):
    xx, yy, xy = three(x, y, sigma)
    return xx.fill_diagonal_(0).mean() + yy.fill_diagonal_(0).mean() - 2 * xy.mean()


def sums(x, y, sigma):
    xx, yy, xy = three(x, y, sigma)
    return xx.fill_diagonal_(0).sum() + yy.fill_diagonal_(0).sum() - 2 * xy.sum()


def right_mmd2(x, y, sigma):
    return mmd2(x, y, lambda a, b: kernel(a, b, sigma))


def crossed(factor):
    def answer(x, y, sigma):
        xx, yy, xy = three(x, y, sigma)
        return off(xx) + off(yy) - factor * xy.mean()

    return answer


MMD2 = [
    (biased, "compared with itself"),
    (zero_diagonal, "still divide by n²"),
    (with_gamma(lambda sigma: 1 / sigma**2), "its 2 is missing"),
    (with_gamma(lambda sigma: 1 / (2 * sigma)), "divided by 2σ;"),
    (with_gamma(lambda sigma: 0.5), "σ is missing"),
    (with_gamma(lambda sigma: sigma**2 / 2), "you multiplied"),
    (
        lambda x, y, sigma: mmd2(
            x, y, lambda a, b: (-torch.cdist(a, b) / (2 * sigma**2)).exp()
        ),
        "must be squared",
    ),
    (crossed(1), "counts twice"),
    (crossed(-2), "is subtracted"),
    (sums, "these are sums"),
    (lambda x, y, sigma: right_mmd2(x, y, sigma) ** 0.5, "the root"),
]

CHOICE = [
    (lambda: (2, 2, 4, 3), "ignores half"),
    (lambda: (3, 2, 4, 3), "at most log 2"),
    (lambda: (4, 2, 4, 3), "code lengths"),
    (lambda: (1, 1, 4, 3), "KL(p‖q) for the posterior? It needs samples of p"),
    (lambda: (1, 3, 4, 3), "JSD for the posterior"),
    (lambda: (1, 4, 4, 3), "MMD for the posterior"),
    (lambda: (1, 2, 1, 3), "only samples"),
    (lambda: (1, 2, 2, 3), "only samples"),
    (lambda: (1, 2, 3, 3), "trained first"),
    (lambda: (1, 2, 4, 1), "not bounded"),
    (lambda: (1, 2, 4, 2), "not bounded"),
    (lambda: (1, 2, 4, 4), "needs no discriminator"),
    (lambda: (1, 2), "return the tuple"),
]


def powers(log_p, log_q, cell, alpha):
    return (log_p.exp() ** alpha * log_q.exp() ** (1 - alpha)).sum() * cell


def renyi(log_p, log_q, cell, alpha):
    return torch.log(powers(log_p, log_q, cell, alpha)) / (alpha - 1)


RENYI = [
    (lambda lp, lq, c, a: renyi(lq, lp, c, a), "changed places"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log() / (1 - a), "not by 1 − α"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log() * (a - 1), "not by α − 1"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log(), "factor 1/(α − 1)"),
    (lambda lp, lq, c, a: renyi(lp, lq, 1, a), "size of a cell"),
    (lambda lp, lq, c, a: c * renyi(lp, lq, 1, a), "next to the sum"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a) / (a - 1), "of the integral is missing"),
    (lambda lp, lq, c, a: (powers(lp, lq, c, a) - 1) / (a - 1), "Tsallis"),
    (lambda lp, lq, c, a: (lp.exp() * (lp - lq)).sum() * c, "the limit"),
    (
        lambda lp, lq, c, a: torch.log((lp**a * lq ** (1 - a)).sum() * c) / (a - 1),
        "is a logarithm",
    ),
    (
        lambda lp, lq, c, a: (
            torch.log(((lp.exp() * lq.exp()) ** a).sum() * c) / (a - 1)
        ),
        "power of q",
    ),
]

ANSWERS = [
    (check_kl, lambda p, q, dx: (kl(p, q, dx), kl(q, p, dx)), KL),
    (check_js, js, JS),
    (check_mmd2, right_mmd2, MMD2),
    (check_choice, lambda: (1, 2, 4, 3), CHOICE),
    (check_renyi, renyi, RENYI),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, divergences, divergences_more)


def test_the_fixtures_are_densities():
    for p, q, dx in (*divergences.GRIDS, (divergences.LEFT, divergences.RIGHT, 0.25)):
        assert p.sum() * dx == pytest.approx(1)
        assert q.sum() * dx == pytest.approx(1)
