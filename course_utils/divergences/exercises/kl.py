"""Exercise 1 of notebook 06: both KLs on a grid; its words serve the JSD as well."""

import torch

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise

# hints that belong to more than one exercise
CELL = "the width dx of a cell is missing: an integral is a sum times dx"
TWICE = "dx is there twice: the sum is multiplied by it once, and in p/q it cancels"
INSIDE = "dx stands inside the log: multiply the sum by it, outside"
OVER = "you divided by dx, the width of a cell: multiply the sum by it"
MEAN = "you took the mean over the grid; an integral is a sum times dx"
ENDS = "this is the trapezoid rule, or the first or last cell is missing: here every "
ENDS += "cell counts fully, the sum times dx"
VARIATION = "this is the total variation ½ ∫ |p − q| dx, a divergence without logs"
ZERO = "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
ZERO += "torch.where(p > 0, …, 0)"
FLOATS = "Python's numbers stop at x / 0 and log 0: compute with tensors, which give "
FLOATS += "infinity there"


def densities(seed):
    """Two densities on a grid of 7 cells, with Σ p · dx = Σ q · dx = 1, none 0."""
    dx = f64(0.2, 0.35)[seed % 2] + 0.01 * seed
    return *((noise(10 * seed + i, 7).softmax(0) / dx) for i in (1, 2)), dx


def both_kls(p, q, dx):
    """KL(p‖q) and KL(q‖p); xlogy(p, q) is p · log q, and 0 where p = 0."""
    forward = (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx
    reverse = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum() * dx
    return forward, reverse


def _by_ratios(p, q, dx):
    forward = torch.where(p > 0, p * (p / q).log(), 0.0).sum() * dx
    reverse = torch.where(q > 0, q * (q / p).log(), 0.0).sum() * dx
    return forward, reverse


def _by_logs(p, q, dx):
    forward = torch.where(p > 0, p * (p.log() - q.log()), 0.0).sum() * dx
    reverse = torch.where(q > 0, q * (q.log() - p.log()), 0.0).sum() * dx
    return forward, reverse


def kl(p, q, dx):
    """KL(p‖q) alone."""
    return both_kls(p, q, dx)[0]


def naive_kl(p, q, dx, mask=1.0):
    """As learners write it first, with NaN where 0 · log 0 should be 0."""
    return (p * (p / q).log() * mask).sum() * dx  # NaN · 0 is NaN: a mask is no help


def _both(f):
    """The answer that gives f(p, q) and f(q, p)."""
    return lambda p, q, dx: (f(p, q, dx), f(q, p, dx))


def terms(p, q):
    """What KL(p‖q) adds up."""
    return p * (p / q).log()


def _softened(eps):
    """The answers with a small number inside the logs, or below both densities."""
    yield _both(lambda p, q, dx: (p * ((p + eps) / (q + eps)).log()).sum() * dx)
    yield _both(lambda p, q, dx: (p * (p / (q + eps)).log()).sum() * dx)
    yield _both(lambda p, q, dx: kl(p + eps, q + eps, dx))
    yield _both(lambda p, q, dx: kl(p.clamp_min(eps), q.clamp_min(eps), dx))


GAP = f64(0, 1, 2, 1, 0.4, 0.6), f64(0.4, 0.7, 1, 1.2, 1.1, 0.6), f64(0.2)[0]

check_kl = Exercise(
    name="forward and reverse KL",
    solution=both_kls,
    also=(_by_ratios, _by_logs),
    draw=densities,
    entries=("KL(p‖q)", "KL(q‖p)"),
    expected="the pair (KL(p‖q), KL(q‖p)), two numbers in nats",
    hints=(
        "the first argument gives the weights: KL(p‖q) averages log(p/q) over p",
        "KL(p‖q) is the sum of p · log(p/q), times dx; a place with p = 0 counts 0",
        "forward = (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * dx; in reverse p "
        "and q change places",
    ),
    error_hints={"division by zero": FLOATS, "math domain error": FLOATS},
    extremes=(
        Extreme(
            "where q > 0 and p = 0, KL(q‖p) must be infinite, and KL(p‖q) finite: add "
            "no small number (eps, clamp), do not replace ∞, and leave out only the "
            "places where the first density is 0",
            GAP,
        ),
    ),
    mistakes=known_mistakes(
        "the two have changed places (order): return KL(p‖q) first, weighted by p",
        _both(lambda p, q, dx: kl(q, p, dx)),
        CELL,
        _both(lambda p, q, dx: kl(p, q, 1.0)),
        TWICE,
        _both(lambda p, q, dx: kl(p, q, dx**2)),
        OVER,
        _both(lambda p, q, dx: kl(p, q, 1 / dx)),
        INSIDE,
        _both(lambda p, q, dx: kl(p, q, dx) + dx.log()),
        _both(lambda p, q, dx: kl(p, q, 1) + dx.log() / dx),
        _both(lambda p, q, dx: kl(p, q, dx) - dx.log()),
        MEAN,
        _both(lambda p, q, dx: kl(p, q, 1 / len(p))),
        _both(lambda p, q, dx: kl(p, q, dx / len(p))),
        ENDS,
        _both(lambda p, q, dx: torch.trapezoid(terms(p, q)) * dx),
        _both(lambda p, q, dx: terms(p, q)[1:].sum() * dx),
        _both(lambda p, q, dx: terms(p, q)[:-1].sum() * dx),
        ZERO,
        _both(naive_kl),
        lambda p, q, dx: (naive_kl(p, q, dx), kl(q, p, dx).nan_to_num()),
        "the result is infinite where q > 0 and p = 0: a mask may leave out only the "
        "places where the first density is 0",
        _both(lambda p, q, dx: kl(p[p * q > 0], q[p * q > 0], dx)),
        "a small number in the logs changes the result, and KL(q‖p) must be infinite "
        "where p = 0 and q is not: leave out the places with weight 0 instead",
        *(wrong for n in range(1, 7) for wrong in _softened(10.0**-n)),
        *(
            _both(lambda p, q, dx, eps=eps: (p * (p / q + eps).log()).sum() * dx)
            for eps in (0.1, 0.01, 0.001)
        ),
        "NaN times 0 is NaN, and so is infinity times 0: a product with a mask does "
        "not remove it; use torch.where(p > 0, …, 0)",
        _both(lambda p, q, dx: naive_kl(p, q, dx, p * q > 0)),
        lambda p, q, dx: (kl(p, q, dx), naive_kl(q, p, dx, p * q > 0)),
        "the entropy is missing: −∫ p log q dx is the cross-entropy; subtract the "
        "entropy −∫ p log p dx",
        _both(lambda p, q, dx: -torch.xlogy(p, q).sum() * dx),
        "this is the entropy of p only: subtract it from the cross-entropy "
        "−∫ p log q dx",
        _both(lambda p, q, dx: -torch.xlogy(p, p).sum() * dx),
        "F.kl_div wants log-probabilities first, and the other density first: write "
        "the formula out",
        _both(lambda p, q, dx: (torch.xlogy(q, q) - q * p).sum() * dx),
        "the log of the second density is missing: the terms are p · (log p − log q); "
        "F.kl_div wants it as a log, too",
        _both(lambda p, q, dx: (torch.xlogy(p, p) - p * q).sum() * dx),
        "the two logs have opposite signs: p · (log p − log q), a difference",
        _both(lambda p, q, dx: (p * (p * q).log()).sum() * dx),
        _both(lambda p, q, dx: -(p * (p * q).log()).sum() * dx),
        "both are KL(p‖q); in the second one q comes first",
        lambda p, q, dx: (kl(p, q, dx), kl(p, q, dx)),
        "here stands KL(q‖p) in place of KL(p‖q): p comes first, as the weight and "
        "above the line",
        lambda p, q, dx: (kl(q, p, dx), kl(q, p, dx)),
        "the second is minus the first: KL(q‖p) has weights of its own, q; it is "
        "never negative",
        lambda p, q, dx: (kl(p, q, dx), -kl(p, q, dx)),
        "the second has the right ratio, but the weights of the first: KL(q‖p) is an "
        "average over q, and its ratio is q/p",
        lambda p, q, dx: (kl(p, q, dx), -kl(q, p, dx)),
        "the ratio is upside down, or a minus is too much: KL(p‖q) averages log(p/q), "
        "with p above; it is never negative",
        _both(lambda p, q, dx: -kl(p, q, dx)),
        "the weight is the wrong density: KL(p‖q) is an average over p, the first "
        "argument",
        _both(lambda p, q, dx: -kl(q, p, dx)),
        "the log-ratios must be weighted by the first density: the factor p is missing",
        _both(lambda p, q, dx: (p / q).log().sum() * dx),
        _both(lambda p, q, dx: (p / q).log().mean()),
        "the log of the ratio is missing: the terms are p · log(p/q)",
        _both(lambda p, q, dx: (p * p / q).sum() * dx),
        "this is the log of an average; KL is the average of the log",
        _both(lambda p, q, dx: ((p * p / q).sum() * dx).log()),
        "log(p/q) is log p − log q: not p − q without logs, nor log p / log q",
        _both(lambda p, q, dx: (p * (p - q)).sum() * dx),
        _both(lambda p, q, dx: (p * p.log() / q.log()).sum() * dx),
        "brackets: p weights both logs, p · (log p − log q)",
        _both(lambda p, q, dx: (p * p.log() - q.log()).sum() * dx),
        "each log has a weight of its own here; p weights both, p · (log p − log q)",
        _both(lambda p, q, dx: (p * p.log() - q * q.log()).sum() * dx),
        "no absolute value: where q is larger than p, the term is negative",
        _both(lambda p, q, dx: terms(p, q).abs().sum() * dx),
        "negative terms belong to the sum, too: do not cut them off",
        _both(lambda p, q, dx: terms(p, q).clamp_min(0).sum() * dx),
        "this is their sum or their mean (Jeffreys); keep the two KLs apart",
        _both(lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx)),
        _both(lambda p, q, dx: (kl(p, q, dx) + kl(q, p, dx)) / 2),
        "these are the KLs to m = (p + q)/2, as in the JSD: compare p with q itself",
        _both(lambda p, q, dx: kl(p, (p + q) / 2, dx)),
        VARIATION,
        _both(lambda p, q, dx: (p - q).abs().sum() * dx / 2),
        "this is another divergence, without log(p/q): χ², Hellinger, or the integral "
        "of the squared difference",
        _both(lambda p, q, dx: ((p - q) ** 2).sum() * dx),
        _both(lambda p, q, dx: ((p - q) ** 2 / q).sum() * dx),
        _both(lambda p, q, dx: ((p.sqrt() - q.sqrt()) ** 2).sum() * dx / 2),
        _both(lambda p, q, dx: ((p.sqrt() - q.sqrt()) ** 2).sum() * dx),
        "the log-ratio is not squared: KL(p‖q) averages log(p/q) itself",
        _both(lambda p, q, dx: (p * (p / q).log() ** 2).sum() * dx),
        "p and q are densities, not their logs: no exp(), no softmax; take the logs",
        _both(lambda p, q, dx: (p.exp() * (p - q)).sum() * dx),
        _both(lambda p, q, dx: kl(p.softmax(0), q.softmax(0), dx)),
        _both(lambda p, q, dx: kl(p.softmax(0), q.softmax(0), 1)),
    ),
).check
