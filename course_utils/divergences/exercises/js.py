"""Exercise 2 of notebook 06: the JSD on a grid."""

import torch

from course_utils.checks import Exercise, Extreme, f64, known_mistakes
from course_utils.divergences.exercises.kl import (
    CELL,
    ENDS,
    MEAN,
    OVER,
    TWICE,
    VARIATION,
    ZERO,
    both_kls,
    densities,
    kl,
    naive_kl,
    terms,
)


def js(p, q, dx):
    """½ KL(p‖m) + ½ KL(q‖m)."""
    m = (p + q) / 2
    from_p = (torch.xlogy(p, p) - torch.xlogy(p, m)).sum() * dx
    from_q = (torch.xlogy(q, q) - torch.xlogy(q, m)).sum() * dx
    return 0.5 * from_p + 0.5 * from_q


def _js_by_ratios(p, q, dx):
    m = 0.5 * (p + q)
    from_p = torch.where(p > 0, p * (p / m).log(), 0.0).sum() * dx
    from_q = torch.where(q > 0, q * (q / m).log(), 0.0).sum() * dx
    return (from_p + from_q) / 2


def _js_by_entropies(p, q, dx):
    m = (p + q) / 2
    entropy_m = -torch.xlogy(m, m).sum() * dx
    entropy_p = -torch.xlogy(p, p).sum() * dx
    entropy_q = -torch.xlogy(q, q).sum() * dx
    return entropy_m - (entropy_p + entropy_q) / 2


def _weighted(a, b, kl=kl, mean=lambda p, q: (p + q) / 2):
    """a KL(p‖m) + b KL(q‖m)."""
    return lambda p, q, dx: a * kl(p, mean(p, q), dx) + b * kl(q, mean(p, q), dx)


HALVES = "both KLs have the factor ½, and you gave it to one"
JEFFREYS = "these are KL(p‖q) and KL(q‖p), without m (Jeffreys): compare each density "
JEFFREYS += "with m = (p + q)/2 instead"
PAIRS = (  # of KLs that learners take in place of those to m
    lambda p, q, m, dx: kl(p, m, dx) + kl(p, q, dx),
    lambda p, q, m, dx: kl(p, m, dx) + kl(q, p, dx),
    lambda p, q, m, dx: kl(p, m, dx) + kl(m, q, dx),
    lambda p, q, m, dx: kl(m, p, dx) + kl(q, m, dx),
    lambda p, q, m, dx: kl(p, q, dx) + kl(q, m, dx),
)
JOINED = (
    torch.mul,
    torch.maximum,
    torch.minimum,
    lambda a, b: (a.sqrt() + b.sqrt()) / 2,
    lambda a, b: a.sqrt() + b.sqrt(),
    lambda a, b: (a * b).sqrt(),
)
LEFT, RIGHT = f64(1.0, 2.6, 0.4, 0.0, 0.0), f64(0.0, 0.0, 0.5, 1.5, 2.0)

check_js = Exercise(
    name="JSD",
    solution=js,
    also=(_js_by_ratios, _js_by_entropies),
    draw=densities,
    expected="one number in nats, from 0 to log 2",
    hints=(
        "compare both p and q with their mean m, by a KL each",
        "half of KL(p‖m) plus half of KL(q‖m), with m = (p + q)/2, and sums times dx",
        "KL(p‖m) is (torch.xlogy(p, p) - torch.xlogy(p, m)).sum() * dx; for q alike",
    ),
    error_hints={"division by zero": ZERO, "math domain error": ZERO},
    extremes=(
        Extreme(
            "where p or q is 0 your result is wrong: there 0 · log 0 counts 0, and the "
            "other density still counts; no large eps, no clamp",
            (LEFT, RIGHT, f64(0.25)[0]),
        ),
    ),
    mistakes=known_mistakes(
        "the ½ before each KL is missing: this is 2 · JSD, the sum on the slide",
        _weighted(1, 1),
        "m is the mean of the two densities: its ½ is missing",
        _weighted(0.5, 0.5, mean=torch.add),
        "both halves are missing, that of m and those of the KLs; that makes "
        "2 JSD − log 4, the value of the game",
        _weighted(1, 1, mean=torch.add),
        "½ is taken twice: a quarter stands where each KL has the factor ½",
        _weighted(0.25, 0.25),
        "this is the root, a distance; the divergence is its square",
        lambda *case: js(*case).sqrt(),
        CELL,
        lambda p, q, dx: js(p, q, 1.0),
        lambda p, q, dx: 2 * js(p, q, 1.0),
        TWICE,
        lambda p, q, dx: js(p, q, dx**2),
        OVER,
        lambda p, q, dx: js(p, q, 1 / dx),
        MEAN,
        lambda p, q, dx: js(p, q, 1 / len(p)),
        lambda p, q, dx: js(p, q, dx / len(p)),
        ENDS,
        *(
            _weighted(0.5, 0.5, lambda a, m, dx, f=f: f(terms(a, m)) * dx)
            for f in (torch.trapezoid, lambda t: t[1:].sum(), lambda t: t[:-1].sum())
        ),
        ZERO,
        _weighted(0.5, 0.5, naive_kl),
        "the arguments have changed places: both averages are over p and q, not m",
        _weighted(0.5, 0.5, lambda p, m, dx: kl(m, p, dx)),
        JEFFREYS,
        *(lambda *case, c=c: c * sum(both_kls(*case)) for c in (0.5, 1)),
        "this is KL(p‖q) alone, or half of it: JSD compares p and q with m",
        kl,
        lambda p, q, dx: kl(p, q, dx) / 2,
        "this is KL(q‖p) alone, or half of it: JSD compares p and q with m",
        lambda p, q, dx: kl(q, p, dx),
        lambda p, q, dx: kl(q, p, dx) / 2,
        "this is only the half that belongs to p; add that of q",
        _weighted(0.5, 0),
        "this is KL(p‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        _weighted(1, 0),
        "this is the half that belongs to q; add that of p",
        _weighted(0, 0.5),
        "this is KL(q‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        _weighted(0, 1),
        HALVES,
        _weighted(0.5, 1),
        _weighted(1, 0.5),
        "the brackets are missing: m is (p + q) / 2, not p + q / 2",
        _weighted(0.5, 0.5, mean=lambda p, q: p + q / 2),
        _weighted(0.5, 0.5, mean=lambda p, q: p / 2 + q),
        "m is the arithmetic mean (p + q)/2, not √(p q), nor another mean, the product "
        "or the larger one",
        _weighted(0.5, 0.5, mean=lambda p, q: (p * q).sqrt()),
        lambda p, q, dx: _weighted(
            0.5, 0.5, mean=lambda p, q: (r := (p * q).sqrt()) / (r.sum() * dx)
        )(p, q, dx),
        _weighted(0.5, 0.5, mean=torch.mul),
        _weighted(0.5, 0.5, mean=lambda p, q: 2 * p * q / (p + q)),
        _weighted(0.5, 0.5, mean=torch.maximum),
        _weighted(0.5, 0.5, mean=lambda p, q: p * q / 2),
        "m is a density already: do not normalise it by its sum over the grid",
        _weighted(0.5, 0.5, mean=lambda p, q: (p + q) / (p + q).sum()),
        "m is a mean at each place, (p + q)/2, not one number for all",
        _weighted(0.5, 0.5, mean=lambda p, q: ((p + q) / 2).mean()),
        "this is the entropy of m only: subtract the mean of the entropies of p and q "
        "(the terms p log p and q log q are missing)",
        lambda p, q, dx: -torch.xlogy((p + q) / 2, (p + q) / 2).sum() * dx,
        lambda p, q, dx: -torch.xlogy(p + q, (p + q) / 2).sum() * dx,
        lambda p, q, dx: -torch.xlogy(p, (p + q) / 2).sum() * dx,
        lambda p, q, dx: -torch.xlogy(q, (p + q) / 2).sum() * dx,
        "a small number in the logs, or below the densities, changes the result: leave "
        "it out, and count 0 where the density before the log is 0",
        *(lambda p, q, dx, n=n: js(p + 10**-n, q + 10**-n, dx) for n in range(1, 4)),
        *(
            _weighted(
                *(0.5, 0.5),
                lambda a, m, dx, eps=10**-n: (
                    (a * ((a + eps) / (m + eps)).log()).sum() * dx
                ),
            )
            for n in range(1, 4)
        ),
        *(
            _weighted(
                *(0.5, 0.5),
                lambda a, m, dx, eps=10**-n: (a * (a / m + eps).log()).sum() * dx,
            )
            for n in range(1, 4)
        ),
        "the places where one density is 0 count, too: leave out only those where the "
        "density in front of the log is 0",
        lambda p, q, dx: js(p[p * q > 0], q[p * q > 0], dx),
        "one of your KLs is not the one to m: take KL(p‖m) and KL(q‖m)",
        *(
            lambda p, q, dx, f=f, c=c: c * f(p, q, (p + q) / 2, dx)
            for f in PAIRS
            for c in (0.5, 1)
        ),
        "each density stands in its own log and before it: p · log(p/m), q · log(q/m)",
        lambda p, q, dx: (
            (q * (2 * p / (p + q)).log() + p * (2 * q / (p + q)).log()).sum() * dx / 2
        ),
        "the weight before log(p/m) is p, before log(q/m) it is q: not m, not 1",
        lambda p, q, dx: ((p + q) / 2 * (p / q).log()).sum() * dx,
        *(
            lambda p, q, dx, c=c: (p * q / (0.5 * (p + q)) ** 2).log().sum() * dx * c
            for c in (0.5, 1)
        ),
        "the logs are missing: the terms are p · log(p/m) and q · log(q/m)",
        lambda p, q, dx: ((p * p + q * q) / (p + q)).sum() * dx,
        lambda p, q, dx: 2 * ((p * p + q * q) / (p + q)).sum() * dx,
        "add the two KLs, each with ½: no product, no larger or smaller one, no roots",
        *(
            lambda p, q, dx, f=f: f(*(kl(a, (p + q) / 2, dx) for a in (p, q)))
            for f in JOINED
        ),
        lambda p, q, dx: torch.minimum(*both_kls(p, q, dx)),
        lambda p, q, dx: torch.maximum(*both_kls(p, q, dx)),
        "this is log 2 (or 1) minus the JSD: it is a distance, 0 where p = q",
        lambda *case: f64(2).log()[0] - js(*case),
        lambda *case: 1 - js(*case) / f64(2).log()[0],
        "this is another divergence, without logs: Hellinger, or a squared difference",
        *(
            lambda p, q, dx, c=c: c * (p.sqrt() - q.sqrt()).square().sum() * dx
            for c in (0.5, 1)
        ),
        *(lambda p, q, dx, c=c: c * (p - q).square().sum() * dx for c in (0.5, 1)),
        "the two KLs are added, not subtracted",
        _weighted(0.5, -0.5),
        _weighted(1, -1),
        VARIATION,
        lambda p, q, dx: 0.5 * (p - q).abs().sum() * dx,
        lambda p, q, dx: (p - q).abs().sum() * dx,
    ),
).check
