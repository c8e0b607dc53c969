"""The checks of notebook 06: the divergences themselves."""

import math

import torch

from course_utils.checks import Exercise, f64, known_mistakes, pair

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
    def kl(a, b, dx):
        return (a * ((a + eps) / (b + eps)).log()).sum() * dx

    return lambda p, q, dx: _both(kl, p, q, dx)


def _clamped(eps):
    return lambda p, q, dx: _both(_kl, p.clamp_min(eps), q.clamp_min(eps), dx)


def _masked_by_product(p, q, dx):
    """Both densities' zeros multiplied by 0 afterwards, which leaves NaN."""
    both = (p > 0) & (q > 0)
    terms = [a * (a / b).log() * both for a, b in ((p, q), (q, p))]
    return pair(*[term.sum() * dx for term in terms])


def _cross_entropies(p, q, dx):
    return -_both(lambda a, b, dx: torch.xlogy(a, b).sum() * dx, p, q, dx)


FLOATS = (
    "Python's numbers stop at x / 0 and log 0: compute with tensors, which give "
    "infinity there"
)


check_kl = Exercise(
    name="forward and reverse KL",
    reference=lambda p, q, dx: _both(_kl, p, q, dx),
    cases=GRIDS,
    expected="the pair (KL(p‖q), KL(q‖p)), two numbers in nats",
    first_hint="KL(p‖q) is the sum of p · log(p/q) · dx, and 0 where p = 0",
    error_hints={"division by zero": FLOATS, "math domain error": FLOATS},
    mistakes=known_mistakes(
        "the two have changed places: KL(p‖q) averages log(p/q) over p",
        lambda p, q, dx: _both(_kl, q, p, dx),
        "the width dx of a cell is missing: an integral is a sum times dx",
        lambda p, q, dx: _both(_kl, p, q, 1.0),
        "you took the mean over the grid; an integral is a sum times dx",
        lambda p, q, dx: _both(_kl, p, q, 1.0) / len(p),
        "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
        "torch.where(p > 0, …, 0)",
        lambda p, q, dx: _both(_plain_kl, p, q, dx),
        "the result is infinite where q > 0 and p = 0: leave out only the places "
        "where the first density is 0",
        lambda p, q, dx: _both(_masked_kl, p, q, dx),
        "a small number inside the log hides that KL(q‖p) is infinite here; "
        "leave out the places where the first density is 0 instead",
        *(_smoothed(10.0**-n) for n in range(3, 21)),
        *(_clamped(10.0**-n) for n in range(3, 21)),
        "NaN times 0 is NaN, and so is infinity times 0: a product with a mask does "
        "not remove it; use torch.where(p > 0, …, 0)",
        _masked_by_product,
        lambda p, q, dx: pair(_kl(p, q, dx), _masked_by_product(p, q, dx)[1]),
        "the entropy is missing: −∫ p log q dx is the cross-entropy",
        _cross_entropies,
        "F.kl_div wants log-probabilities first, and the other density first: write "
        "the formula out",
        lambda p, q, dx: _both(
            lambda a, b, dx: (torch.xlogy(b, b) - b * a).sum() * dx, p, q, dx
        ),
        "both are KL(p‖q); in the second one q comes first",
        lambda p, q, dx: pair(_kl(p, q, dx), _kl(p, q, dx)),
        "both are KL(q‖p); in the first one p comes first",
        lambda p, q, dx: pair(_kl(q, p, dx), _kl(q, p, dx)),
        "this is in bits: use the natural logarithm",
        lambda p, q, dx: _both(_kl, p, q, dx) / LOG_2,
        "the ratio is upside down: KL(p‖q) averages log(p/q), with p above",
        lambda p, q, dx: -_both(_kl, p, q, dx),
        "the weight is the wrong density: KL(p‖q) is an average over p",
        lambda p, q, dx: pair(
            _mean_log_ratio(q, p, q, dx), _mean_log_ratio(p, q, p, dx)
        ),
        "the log-ratios must be weighted by the first density",
        lambda p, q, dx: _both(lambda a, b, dx: (a / b).log().sum() * dx, p, q, dx),
    ),
).check


def _js(p, q, dx):
    m = (p + q) / 2
    return 0.5 * _kl(p, m, dx) + 0.5 * _kl(q, m, dx)


def _masked_js(p, q, dx):
    both = (p > 0) & (q > 0)
    return _js(p[both], q[both], dx)


check_js = Exercise(
    name="JSD",
    reference=_js,
    cases=((P, Q, 0.5), (LEFT, RIGHT, 0.25)),
    expected="one number in nats, from 0 to log 2",
    first_hint="half of KL(p‖m) plus half of KL(q‖m), with m = (p + q)/2",
    mistakes=known_mistakes(
        "the ½ before each KL is missing: this is 2 · JSD, the sum on the slide",
        lambda p, q, dx: 2 * _js(p, q, dx),
        "m is the mean of the two densities: its ½ is missing",
        lambda p, q, dx: _js(p, q, dx) - LOG_2,
        "both halves are missing, that of m and those of the KLs",
        lambda p, q, dx: 2 * _js(p, q, dx) - 2 * LOG_2,
        "this is the root, a distance; the divergence is its square",
        lambda p, q, dx: _js(p, q, dx).sqrt(),
        "this is in bits: use the natural logarithm",
        lambda p, q, dx: _js(p, q, dx) / LOG_2,
        "the width dx of a cell is missing: an integral is a sum times dx",
        lambda p, q, dx: _js(p, q, 1.0),
        "you took the mean over the grid; an integral is a sum times dx",
        lambda p, q, dx: _js(p, q, 1.0) / len(p),
        "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
        "torch.where(p > 0, …, 0)",
        lambda p, q, dx: (
            0.5 * _plain_kl(p, (p + q) / 2, dx) + 0.5 * _plain_kl(q, (p + q) / 2, dx)
        ),
        "the arguments have changed places: both averages are over p and q, not m",
        lambda p, q, dx: 0.5 * _kl((p + q) / 2, p, dx) + 0.5 * _kl((p + q) / 2, q, dx),
        "these are KL(p‖q) and KL(q‖p): compare each density with m instead",
        lambda p, q, dx: 0.5 * _both(_kl, p, q, dx).sum(),
        lambda p, q, dx: _both(_kl, p, q, dx).sum(),
        "this is only the half that belongs to p; add that of q",
        lambda p, q, dx: 0.5 * _kl(p, (p + q) / 2, dx),
        "this is KL(p‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        lambda p, q, dx: _kl(p, (p + q) / 2, dx),
        "this is the half that belongs to q; add that of p",
        lambda p, q, dx: 0.5 * _kl(q, (p + q) / 2, dx),
        "this is KL(q‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        lambda p, q, dx: _kl(q, (p + q) / 2, dx),
        "both KLs have the factor ½, and you gave it to one",
        lambda p, q, dx: _js(p, q, dx) + 0.5 * _kl(q, (p + q) / 2, dx),
        lambda p, q, dx: _js(p, q, dx) + 0.5 * _kl(p, (p + q) / 2, dx),
        "the brackets are missing: m is (p + q) / 2, not p + q / 2",
        lambda p, q, dx: 0.5 * (_kl(p, p + q / 2, dx) + _kl(q, p + q / 2, dx)),
        "the places where one density is 0 count, too: leave out only those where the "
        "density in front of the log is 0",
        _masked_js,
        "these are the two halves; add them",
        lambda p, q, dx: 0.5 * pair(_kl(p, (p + q) / 2, dx), _kl(q, (p + q) / 2, dx)),
        "the two KLs are added, not subtracted",
        lambda p, q, dx: 0.5 * (_kl(p, (p + q) / 2, dx) - _kl(q, (p + q) / 2, dx)),
        "this is the total variation; the JSD compares p and q with m, by KL",
        lambda p, q, dx: 0.5 * (p - q).abs().sum() * dx,
    ),
).check
