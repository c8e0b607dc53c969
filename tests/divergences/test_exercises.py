"""Each usual mistake of notebook 06 gets the hint that was written for it."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.divergences import exercises as divergences
from course_utils.divergences.exercises import check_js, check_kl
from tests.exercise_rules import rules


def kl(p, q, dx):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx


def naive(p, q, dx):
    return torch.sum(p * torch.log(p / q)) * dx


def summed(p, q):
    return kl(p, q, 1.0)


def both(f, p, q):
    return f(p, q), f(q, p)


def smoothed(eps):
    return lambda p, q, dx: both(
        lambda a, b: (a * ((a + eps) / (b + eps)).log()).sum() * dx, p, q
    )


def looped(p, q, dx):
    return sum(
        a * math.log(a / b) * dx
        for a, b in zip(p.tolist(), q.tolist(), strict=True)
        if a
    )


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
    (smoothed(1e-3), "hides that"),
    (smoothed(1e-7), "hides that"),
    (
        lambda p, q, dx: both(
            lambda a, b: torch.sum(a * (a / b).log() * (p > 0)) * dx, p, q
        ),
        "a product with a mask",
    ),
    (
        lambda p, q, dx: (kl(p, q, dx), torch.sum(q * (q / p).log() * (p > 0)) * dx),
        "a product with a mask",
    ),
    (
        lambda p, q, dx: both(lambda a, b: -torch.xlogy(a, b).sum() * dx, p, q),
        "cross-entropy",
    ),
    (
        lambda p, q, dx: both(lambda a, b: F.kl_div(a, b, reduction="sum") * dx, p, q),
        "F.kl_div wants",
    ),
    (
        lambda p, q, dx: both(lambda a, b: kl(a, b, dx).nan_to_num(), p, q),
        "finite where the right value is infinite",
    ),
    (
        lambda p, q, dx: both(
            lambda a, b: kl(a, b, dx).nan_to_num(posinf=math.nan), p, q
        ),
        "a product with a mask",
    ),
    (lambda p, q, dx: both(lambda a, b: looped(a, b, dx), p, q), "Python's numbers"),
    (
        lambda p, q, dx: both(lambda a, b: -looped(b, a, dx), p, q),
        "Python's numbers",
    ),
]


def js(p, q, dx):
    m = (p + q) / 2
    return (kl(p, m, dx) + kl(q, m, dx)) / 2


def halves(p, q, dx):
    return kl(p, (p + q) / 2, dx) / 2, kl(q, (p + q) / 2, dx) / 2


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
    (lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx), "with m instead"),
    (lambda p, q, dx: kl(q, (p + q) / 2, dx) / 2, "add that of p"),
    (lambda p, q, dx: kl(q, (p + q) / 2, dx), "KL(q‖m) only"),
    (lambda p, q, dx: halves(p, q, dx)[0] * 2 + halves(p, q, dx)[1], "gave it to one"),
    (lambda p, q, dx: halves(p, q, dx)[0] + halves(p, q, dx)[1] * 2, "gave it to one"),
    (
        lambda p, q, dx: (kl(p, p + q / 2, dx) + kl(q, p + q / 2, dx)) / 2,
        "brackets are missing",
    ),
    (lambda p, q, dx: js(p[p * q > 0], q[p * q > 0], dx), "count, too"),
    (lambda p, q, dx: halves(p, q, dx), "two halves; add them"),
    (lambda p, q, dx: halves(p, q, dx)[0] - halves(p, q, dx)[1], "not subtracted"),
    (lambda p, q, dx: (p - q).abs().sum() / 2 * dx, "total variation"),
]


ANSWERS = [
    (check_kl, lambda p, q, dx: (kl(p, q, dx), kl(q, p, dx)), KL),
    (check_js, js, JS),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, divergences)


def test_the_fixtures_are_densities():
    for p, q, dx in (*divergences.GRIDS, (divergences.LEFT, divergences.RIGHT, 0.25)):
        assert p.sum() * dx == pytest.approx(1)
        assert q.sum() * dx == pytest.approx(1)
