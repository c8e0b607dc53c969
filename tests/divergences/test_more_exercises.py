"""Each usual mistake about MMD², the choice and Rényi's divergence gets its hint."""

import torch
from sklearn.metrics.pairwise import rbf_kernel

from course_utils.divergences import more_exercises as divergences_more
from course_utils.divergences.more_exercises import (
    check_choice,
    check_mmd2,
    check_renyi,
)
from tests.exercise_rules import rules


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


def mean_of_all(x, y, k):
    return k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean()


def plain_distance(estimate, scale):
    def answer(x, y, sigma):
        return estimate(x, y, lambda a, b: (-torch.cdist(a, b) / scale(sigma)).exp())

    return answer


def within(term):
    def answer(x, y, sigma):
        xx, yy, xy = three(x, y, sigma)
        return term(xx, len(x)) + term(yy, len(y)) - 2 * xy.mean()

    return answer


def of_one_length(x, y, sigma, subtracted):
    xx, yy, xy = three(x, y, sigma)
    pairs = len(x) * (len(x) - 1)
    return off(xx) + (yy.sum() - subtracted) / pairs - 2 * xy.mean()


def between(x, y, sigma, total):
    xx, yy, _ = three(x, y, sigma)
    return off(xx) + off(yy) - 2 * total / (len(x) * (len(y) - 1))


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
    *(
        (plain_distance(estimate, scale), "must be squared")
        for estimate in (mmd2, mean_of_all)
        for scale in (lambda s: 2 * s**2, lambda s: s**2, lambda s: 2 * s, lambda s: s)
    ),
    (
        lambda x, y, sigma: mmd2(x, y, lambda a, b: 1 / kernel(a, b, sigma)),
        "minus in the exponent",
    ),
    (lambda *case: right_mmd2(*case).clamp(min=0), "do not cut it"),
    (within(lambda k, n: k.sum() / (n * (n - 1))), "diagonal is still in the sum"),
    (within(lambda k, n: k.mean() - 1), "subtract n, not 1"),
    (within(lambda k, n: k.triu(1).sum() / (n * (n - 1))), "one half of the pairs"),
    (
        lambda x, y, sigma: of_one_length(x, y, sigma, len(x)),
        "y has a number of examples",
    ),
    (
        lambda x, y, sigma: of_one_length(x, y, sigma, len(y)),
        "y has a number of examples",
    ),
    (
        lambda x, y, sigma: between(x, y, sigma, kernel(x, y, sigma).sum()),
        "different examples",
    ),
    (
        lambda x, y, sigma: between(
            x, y, sigma, kernel(x, y, sigma).sum() - kernel(x, y, sigma).trace()
        ),
        "different examples",
    ),
    (lambda x, y, sigma: ((x - y) ** 2).sum(), "two shapes do not fit"),
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
    (lambda: (0, 1, 3, 2), "numbers from 1 to 4"),
    (lambda: (1, 2, 5, 3), "numbers from 1 to 4"),
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
        "power of q is 1 − α, not α",
    ),
    (
        lambda lp, lq, c, a: (
            torch.log((lp.exp() ** a / lq.exp() ** (1 - a)).sum() * c) / (a - 1)
        ),
        "not α − 1",
    ),
    (
        lambda lp, lq, c, a: (
            torch.log((lp.exp() * lq.exp() ** (1 - a)).sum() * c) / (a - 1)
        ),
        "power α of p",
    ),
    (lambda lp, lq, c, a: renyi(lp, lq, c, 0.5), "you used ½"),
    (lambda lp, lq, c, a: renyi(lp, lq, 1 / lp.numel(), a), "took the mean"),
    (lambda lp, lq, c, a: renyi(lp, lq, c / lp.numel(), a), "took the mean"),
    (powers, "the integral only"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log() / a - 1, "brackets are missing"),
    (
        lambda lp, lq, c, a: -renyi(lq, lp, c, a),
        "p and q have changed places: p has the power α; the sign is wrong, too",
    ),
]

ANSWERS = [
    (check_mmd2, right_mmd2, MMD2),
    (check_choice, lambda: (1, 2, 4, 3), CHOICE),
    (check_renyi, renyi, RENYI),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, divergences_more)
