"""The other checks of notebook 06: MMD², the choice, the Rényi divergence."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from course_utils.divergences.exercises import check_choice, check_mmd2, check_renyi
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


def without_ones(x, y, sigma):
    """The diagonal is left out by its value."""

    def k(a, b):
        return (-(torch.cdist(a, b) ** 2) / (2 * sigma**2)).exp()

    within_x, within_y = (k(z, z)[k(z, z) < 1].mean() for z in (x, y))
    return within_x + within_y - 2 * k(x, y).mean()


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
    (of_one_length(lambda n, m: n), "y has its own number"),
    (of_one_length(lambda n, m: m), "y has its own number"),
    (between(lambda xy, n, m: -2 * xy.sum() / (n * (m - 1))), "different examples"),
    (
        between(lambda xy, n, m: -2 * (xy.sum() - xy.trace()) / (n * (m - 1))),
        "different examples",
    ),
    (lambda x, y, sigma: ((x - y) ** 2).sum(), "two shapes do not fit"),
    (lambda x, y, s: right_mmd2(x, y, s).abs(), "no absolute value"),
    (without_ones, "by its place"),
    (within(lambda k, n: (k.sum() - n) / (n - 1)), "not by n or n − 1 alone"),
    (within(lambda k, n: (k.sum() - 1) / (n * (n - 1))), "holds n ones"),
    (within(lambda k, n: (k.sum() - n) / n * (n - 1)), "brackets (precedence)"),
    (within(lambda k, n: k.triu(1).sum() / n**2), "one half of the pairs"),
    (
        of(lambda xx, yy, xy, n, m: off(xx) + yy.mean() - 2 * xy.mean()),
        "y keeps its diagonal",
    ),
    (
        of(lambda xx, yy, xy, n, m: off(xx) - 2 * xy.mean()),
        "the term of y with y is missing",
    ),
    (between(lambda xy, n, m: -2 * xy.sum() / n**2), "between x and y: divide"),
    (lambda x, y, s: (x.mean(0) - y.mean(0)).square().sum(), "compares the means"),
    (
        lambda x, y, s: mmd2(x, y, lambda a, b: kernel(a, b, s * 3**0.5)),
        "took their mean",
    ),
    (
        lambda x, y, s: mmd2(x, y, lambda a, b: 1 / (1 + torch.cdist(a, b) ** 2)),
        "another kernel",
    ),
    (lambda x, y, s: mmd2(x, y, lambda a, b: kernel(a, b, s) / s), "not normalised"),
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
    (lambda: (1, 2), "expected are 4"),
    (lambda: "1243", "one str"),
    (lambda: 1243, "one number"),
    (lambda: ("KL(p‖q)", "KL(q‖p)", "MMD", "JSD"), "job 1 is no number but a str"),
    (lambda: ["1", "2", "4", "3"], "one of the numbers 1, 2, 3, 4"),
    (lambda: (1, 2, 3, 4), "job 3: JSD for a quick test"),
    (lambda: (2, 1, 4, 3), "job 1: KL(q‖p) for compression"),
    (lambda: (1, 1, 1, 1), "job 2: KL(p‖q) for the posterior"),
    (lambda: (1, None, 4, 3), "job 2 is None"),
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
        "p and q have changed places: p has the power α; besides, the sign",
    ),
]


def on_powers(b, c):
    """The answer with other powers of p and of q."""
    return lambda lp, lq, cell, a: (
        (b(a) * lp + c(a) * lq).exp().sum().mul(cell).log() / (a - 1)
    )


RENYI += [
    (on_powers(lambda a: a, lambda a: -a), "the powers are wrong"),
    (on_powers(lambda a: a - 1, lambda a: 1 - a), "the powers are wrong"),
    (on_powers(lambda a: 1 - a, lambda a: 1), "the powers are wrong"),
    (lambda lp, lq, c, a: renyi(lp, lq, 1, a) + c, "add the log of cell"),
    (lambda lp, lq, c, a: renyi(lp, lq, 1 / c, a), "you divided by cell"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log() / a, "you divided by α,"),
    (lambda lp, lq, c, a: powers(lp, lq, c, a).log2() / (a - 1), "in bits"),
    (
        lambda lp, lq, c, a: (
            (a * lp + (1 - a) * lq).exp().sum(-1).mul(c).log() / (a - 1)
        ),
        "the whole grid",
    ),
    (
        lambda lp, lq, c, a: renyi(lp, lq, c, a) if lp.ndim == 2 else lp.sum(1),
        "sum over all of it",
    ),
    (
        lambda lp, lq, c, a: (
            (lp.exp() ** a + lq.exp() ** (1 - a)).sum().mul(c).log() / (a - 1)
        ),
        "not added",
    ),
    (
        lambda lp, lq, c, a: (
            (a * lp.exp() + (1 - a) * lq.exp()).sum().mul(c).log() / (a - 1)
        ),
        "α is a power",
    ),
    (
        lambda lp, lq, c, a: (a * lp + (1 - a) * lq).sum().exp().mul(c).log() / (a - 1),
        "before the sum",
    ),
]

ANSWERS = [
    (check_mmd2, right_mmd2, MMD2),
    (check_choice, lambda: (1, 2, 4, 3), CHOICE),
    (check_renyi, renyi, RENYI),
]


class _Others:
    """The checks of this file; those of the grid have a file of their own."""

    mmd2, choice, renyi = check_mmd2, check_choice, check_renyi


(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


def pair_by_pair(x, y, sigma):
    def k(a, b):
        return math.exp(-sum((a - b) ** 2).item() / (2 * float(sigma) ** 2))

    def mean(pairs):
        values = [k(a, b) for a, b in pairs]
        return sum(values) / len(values)

    within = [mean(itertools.combinations(z, 2)) for z in (x, y)]
    return sum(within) - 2 * mean(itertools.product(x, y))


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_mmd2, pair_by_pair),
        (check_mmd2, lambda x, y, s: right_mmd2(y.float(), x.float(), s).float()),
        (
            check_mmd2,
            within(lambda k, n: 2 * k.tril(-1).sum() / (n * (n - 1))),
        ),
        (check_choice, lambda: [1, 2, 4, 3]),
        (check_choice, lambda: np.array([1, 2, 4, 3])),
        (check_choice, lambda: torch.tensor([1.0, 2.0, 4.0, 3.0])),
        (check_renyi, lambda lp, lq, c, a=0.5: renyi(lp, lq, c, a).item()),
        (
            check_renyi,
            lambda lp, lq, c, a: (
                (torch.logsumexp(((lp - lq) * a + lq).flatten(), 0) + math.log(c))
                / (a - 1)
            ),
        ),
        (
            check_renyi,
            lambda lp, lq, c, a: (
                np.log(
                    (np.exp(lp.numpy()) ** a * np.exp(lq.numpy()) ** (1 - a)).sum() * c
                )
                / (a - 1)
            ),
        ),
    ],
)
def test_other_ways_to_be_right(check, answer, capsys):
    check(answer)
    assert "correct" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(5))
def test_the_tables_are_densities(seed):
    log_p, log_q, cell, alpha = check_renyi.__self__.draw(seed)
    for values in (log_p, log_q):
        assert values.exp().sum() * cell == pytest.approx(1)
    assert (alpha < 1) == (seed % 2 == 0)  # both sides of α = 1 are tried


def test_the_estimates_are_positive_but_in_the_extreme():
    """Else a result that is cut off at 0 would be no extreme."""
    exercise = check_mmd2.__self__
    for seed in range(5):
        assert exercise.solution(*exercise.draw(seed)) > 0
    assert exercise.solution(*exercise.extremes[0].case) < 0
