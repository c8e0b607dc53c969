"""Each usual mistake of notebook 06 gets the hint that was written for it."""

import math

import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel
from torch.nn import functional as F

from course_utils.divergences import exercises
from course_utils.divergences.exercises import (
    check_choice,
    check_js,
    check_kl,
    check_mmd2,
    check_renyi,
)
from tests.exercise_rules import rules

LOG_2 = math.log(2)


def kl(p, q, dx):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx


def naive(p, q, dx):
    return torch.sum(p * torch.log(p / q)) * dx


def both(f):
    return lambda p, q, dx: (f(p, q, dx), f(q, p, dx))


def smoothed(eps):
    return both(lambda a, b, dx: (a * ((a + eps) / (b + eps)).log()).sum() * dx)


def looped(p, q, dx):
    pairs = zip(p.tolist(), q.tolist(), strict=True)
    return sum(a * math.log(a / b) * dx for a, b in pairs if a)


KL = [
    (both(lambda p, q, dx: kl(q, p, dx)), "changed places"),
    (both(lambda p, q, dx: kl(p, q, 1.0)), "dx of a cell is missing"),
    (both(lambda p, q, dx: kl(p, q, 1.0) / len(p)), "the mean over"),
    (both(naive), "0 · log 0"),
    (
        lambda p, q, dx: (
            (p * (p.log() - q.log())).nansum() * dx,
            (q * torch.log((q / p).nan_to_num(1.0, 1.0))).sum() * dx,
        ),
        "leave out only",
    ),
    (
        both(lambda p, q, dx: (p * ((p + 1e-10).log() - (q + 1e-10).log())).sum() * dx),
        "hides that",
    ),
    (
        both(lambda p, q, dx: naive(p.clamp(1e-12), q.clamp(1e-12), dx)),
        "hides that",
    ),
    (lambda p, q, dx: 2 * (kl(p, q, dx),), "both are KL(p‖q)"),
    (lambda p, q, dx: 2 * (kl(q, p, dx),), "both are KL(q‖p)"),
    (both(lambda p, q, dx: kl(p, q, dx) / LOG_2), "in bits"),
    (both(lambda p, q, dx: -kl(p, q, dx)), "upside down"),
    (both(lambda p, q, dx: -kl(q, p, dx)), "wrong density"),
    (both(lambda p, q, dx: (p / q).log().sum() * dx), "must be weighted"),
    (kl, "shape ()"),
    (smoothed(1e-3), "hides that"),
    (smoothed(1e-7), "hides that"),
    (
        both(lambda p, q, dx: torch.sum(p * (p / q).log() * (p * q > 0)) * dx),
        "a product with a mask",
    ),
    (
        lambda p, q, dx: (kl(p, q, dx), torch.sum(q * (q / p).log() * (p > 0)) * dx),
        "a product with a mask",
    ),
    (both(lambda p, q, dx: -torch.xlogy(p, q).sum() * dx), "cross-entropy"),
    (both(lambda p, q, dx: F.kl_div(p, q, reduction="sum") * dx), "F.kl_div wants"),
    (both(lambda *case: kl(*case).nan_to_num()), "finite where the right value"),
    (both(lambda *case: kl(*case).nan_to_num(posinf=math.nan)), "product with a mask"),
    (both(looped), "Python's numbers"),
    (both(lambda p, q, dx: -looped(q, p, dx)), "Python's numbers"),
]


def parts(p, q, dx, m=lambda p, q: (p + q) / 2):
    return kl(p, m(p, q), dx), kl(q, m(p, q), dx)


def js(*case):
    return sum(parts(*case)) / 2


JS = [
    (lambda *case: sum(parts(*case)), "on the slide"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.add)) / 2, "its ½ is missing"),
    (lambda p, q, dx: sum(parts(p, q, dx, torch.add)), "both halves"),
    (lambda *case: js(*case) ** 0.5, "the root"),
    (lambda *case: js(*case) / LOG_2, "in bits"),
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
    (lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx), "with m instead"),
    (lambda *case: parts(*case)[0] / 2, "add that of q"),
    (lambda *case: parts(*case)[0], "KL(p‖m) only"),
    (lambda *case: parts(*case)[1] / 2, "add that of p"),
    (lambda *case: parts(*case)[1], "KL(q‖m) only"),
    (lambda *case: parts(*case)[0] + parts(*case)[1] / 2, "gave it to one"),
    (lambda *case: parts(*case)[0] / 2 + parts(*case)[1], "gave it to one"),
    (
        lambda p, q, dx: sum(parts(p, q, dx, lambda p, q: p + q / 2)) / 2,
        "brackets are missing",
    ),
    (lambda p, q, dx: js(p[p * q > 0], q[p * q > 0], dx), "count, too"),
    (lambda *case: [part / 2 for part in parts(*case)], "two halves; add them"),
    (lambda *case: parts(*case)[0] / 2 - parts(*case)[1] / 2, "not subtracted"),
    (lambda p, q, dx: (p - q).abs().sum() / 2 * dx, "total variation"),
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


def right_mmd2(x, y, sigma):
    return mmd2(x, y, lambda a, b: kernel(a, b, sigma))


def mean_of_all(x, y, k):
    return k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean()


def plain_distance(estimate, scale):
    def answer(x, y, sigma):
        return estimate(x, y, lambda a, b: (-torch.cdist(a, b) / scale(sigma)).exp())

    return answer


def of(answer):
    """The answer, as a function of the three kernel matrices, of n and of m."""
    return lambda x, y, sigma: answer(
        *(kernel(a, b, sigma) for a, b in ((x, x), (y, y), (x, y))), len(x), len(y)
    )


def within(term):
    return of(lambda xx, yy, xy, n, m: term(xx, n) + term(yy, m) - 2 * xy.mean())


def between(term):
    return of(lambda xx, yy, xy, n, m: off(xx) + off(yy) + term(xy, n, m))


def of_one_length(subtracted):
    def answer(xx, yy, xy, n, m):
        second = (yy.sum() - subtracted(n, m)) / (n * (n - 1))
        return off(xx) + second - 2 * xy.mean()

    return of(answer)


MMD2 = [
    (within(lambda k, n: k.mean()), "compared with itself"),
    (within(lambda k, n: k.fill_diagonal_(0).mean()), "still divide by n²"),
    (with_gamma(lambda sigma: 1 / sigma**2), "its 2 is missing"),
    (with_gamma(lambda sigma: 1 / (2 * sigma)), "divided by 2σ;"),
    (with_gamma(lambda sigma: 0.5), "σ is missing"),
    (with_gamma(lambda sigma: sigma**2 / 2), "you multiplied"),
    (between(lambda xy, n, m: -xy.mean()), "counts twice"),
    (between(lambda xy, n, m: 2 * xy.mean()), "is subtracted"),
    (
        of(lambda xx, yy, xy, n, m: xx.sum() - n + yy.sum() - m - 2 * xy.sum()),
        "these are sums",
    ),
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
    (of_one_length(lambda n, m: n), "y has a number of examples"),
    (of_one_length(lambda n, m: m), "y has a number of examples"),
    (between(lambda xy, n, m: -2 * xy.sum() / (n * (m - 1))), "different examples"),
    (
        between(lambda xy, n, m: -2 * (xy.sum() - xy.trace()) / (n * (m - 1))),
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
    (check_kl, both(kl), KL),
    (check_js, js, JS),
    (check_mmd2, right_mmd2, MMD2),
    (check_choice, lambda: (1, 2, 4, 3), CHOICE),
    (check_renyi, renyi, RENYI),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, exercises)


def test_the_fixtures_are_densities():
    for p, q, dx in (*exercises.GRIDS, (exercises.LEFT, exercises.RIGHT, 0.25)):
        assert p.sum() * dx == pytest.approx(1)
        assert q.sum() * dx == pytest.approx(1)
