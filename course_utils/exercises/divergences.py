"""The checks of notebook 06: the divergences themselves."""

import math

import torch

from course_utils.exercises import Exercise, Mistake, f64, pair

LOG_2 = math.log(2)


def _mean_log_ratio(weight, a, b, dx):
    """∫ weight · log(a / b) dx, where a weight of 0 gives 0."""
    terms = torch.where(weight > 0, weight * (a.log() - b.log()), 0.0)
    return terms.sum() * dx


def _kl(p, q, dx):
    return _mean_log_ratio(p, p, q, dx)


def _plain_kl(p, q, dx):
    """With NaN where 0 · log 0 should be 0."""
    return (p * (p / q).log()).sum() * dx


def _masked_kl(p, q, dx):
    both = (p > 0) & (q > 0)
    return _kl(p[both], q[both], dx)


def _both(f, p, q, dx):
    return pair(f(p, q, dx), f(q, p, dx))


P, Q = f64(0.1, 0.5, 0.9, 0.3, 0.2), f64(0.3, 0.2, 0.6, 0.8, 0.1)  # mass 1 at dx = 0.5
HALF, WIDE = f64(0.0, 1.0, 2.0, 1.0, 0.0), f64(0.5, 0.7, 1.0, 1.2, 0.6)  # 1 at 0.25
LEFT, RIGHT = f64(1.0, 2.6, 0.4, 0.0, 0.0), f64(0.0, 0.0, 0.5, 1.5, 2.0)
GRIDS = ((P, Q, 0.5), (HALF, WIDE, 0.25))


def _smoothed(eps):
    def wrong(p, q, dx):
        return _both(
            lambda a, b, dx: (a * ((a + eps) / (b + eps)).log()).sum() * dx, p, q, dx
        )

    return wrong


def _clamped(eps):
    def wrong(p, q, dx):
        return _both(_kl, p.clamp_min(eps), q.clamp_min(eps), dx)

    return wrong


check_kl = Exercise(
    name="forward and reverse KL",
    reference=lambda p, q, dx: _both(_kl, p, q, dx),
    cases=GRIDS,
    expected="the pair (KL(p‖q), KL(q‖p)), two numbers in nats",
    first_hint="KL(p‖q) is the sum of p · log(p/q) · dx, and 0 where p = 0",
    mistakes=(
        Mistake(
            "the two have changed places: KL(p‖q) averages log(p/q) over p",
            lambda p, q, dx: _both(_kl, q, p, dx),
        ),
        Mistake(
            "the width dx of a cell is missing: an integral is a sum times dx",
            lambda p, q, dx: _both(_kl, p, q, 1.0),
        ),
        Mistake(
            "you took the mean over the grid; an integral is a sum times dx",
            lambda p, q, dx: _both(_kl, p, q, 1.0) / len(p),
        ),
        Mistake(
            "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
            "torch.where(p > 0, …, 0)",
            lambda p, q, dx: _both(_plain_kl, p, q, dx),
        ),
        Mistake(
            "the result is infinite where q > 0 and p = 0: leave out only the places "
            "where the first density is 0",
            lambda p, q, dx: _both(_masked_kl, p, q, dx),
        ),
        *(
            Mistake(
                "a small number inside the log hides that KL(q‖p) is infinite here; "
                "leave out the places where the first density is 0 instead",
                wrong,
            )
            for eps in (1e-4, 1e-6, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)
            for wrong in (_smoothed(eps), _clamped(eps))
        ),
        Mistake(
            "both are KL(p‖q); in the second one q comes first",
            lambda p, q, dx: pair(_kl(p, q, dx), _kl(p, q, dx)),
        ),
        Mistake(
            "both are KL(q‖p); in the first one p comes first",
            lambda p, q, dx: pair(_kl(q, p, dx), _kl(q, p, dx)),
        ),
        Mistake(
            "this is in bits: use the natural logarithm",
            lambda p, q, dx: _both(_kl, p, q, dx) / LOG_2,
        ),
        Mistake(
            "the ratio is upside down: KL(p‖q) averages log(p/q), with p above",
            lambda p, q, dx: -_both(_kl, p, q, dx),
        ),
        Mistake(
            "the weight is the wrong density: KL(p‖q) is an average over p",
            lambda p, q, dx: pair(
                _mean_log_ratio(q, p, q, dx), _mean_log_ratio(p, q, p, dx)
            ),
        ),
        Mistake(
            "the log-ratios must be weighted by the first density",
            lambda p, q, dx: _both(lambda a, b, dx: (a / b).log().sum() * dx, p, q, dx),
        ),
    ),
).check


def _js(p, q, dx):
    m = (p + q) / 2
    return 0.5 * _kl(p, m, dx) + 0.5 * _kl(q, m, dx)


check_js = Exercise(
    name="JSD",
    reference=_js,
    cases=((P, Q, 0.5), (LEFT, RIGHT, 0.25)),
    expected="one number in nats, from 0 to log 2",
    first_hint="half of KL(p‖m) plus half of KL(q‖m), with m = (p + q)/2",
    mistakes=(
        Mistake(
            "the ½ before each KL is missing: this is 2 · JSD, the sum on the slide",
            lambda p, q, dx: 2 * _js(p, q, dx),
        ),
        Mistake(
            "m is the mean of the two densities: its ½ is missing",
            lambda p, q, dx: _js(p, q, dx) - LOG_2,
        ),
        Mistake(
            "both halves are missing, that of m and those of the KLs",
            lambda p, q, dx: 2 * _js(p, q, dx) - 2 * LOG_2,
        ),
        Mistake(
            "this is the root, a distance; the divergence is its square",
            lambda p, q, dx: _js(p, q, dx).sqrt(),
        ),
        Mistake(
            "this is in bits: use the natural logarithm",
            lambda p, q, dx: _js(p, q, dx) / LOG_2,
        ),
        Mistake(
            "the width dx of a cell is missing: an integral is a sum times dx",
            lambda p, q, dx: _js(p, q, 1.0),
        ),
        Mistake(
            "you took the mean over the grid; an integral is a sum times dx",
            lambda p, q, dx: _js(p, q, 1.0) / len(p),
        ),
        Mistake(
            "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
            "torch.where(p > 0, …, 0)",
            lambda p, q, dx: (
                0.5 * _plain_kl(p, (p + q) / 2, dx)
                + 0.5 * _plain_kl(q, (p + q) / 2, dx)
            ),
        ),
        Mistake(
            "the arguments have changed places: both averages are over p and q, not m",
            lambda p, q, dx: (
                0.5 * _kl((p + q) / 2, p, dx) + 0.5 * _kl((p + q) / 2, q, dx)
            ),
        ),
        Mistake(
            "this is the mean of KL(p‖q) and KL(q‖p): compare each with m instead",
            lambda p, q, dx: 0.5 * _both(_kl, p, q, dx).sum(),
        ),
        Mistake(
            "this is only the half that belongs to p; add that of q",
            lambda p, q, dx: 0.5 * _kl(p, (p + q) / 2, dx),
        ),
        Mistake(
            "this is KL(p‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
            lambda p, q, dx: _kl(p, (p + q) / 2, dx),
        ),
    ),
).check
