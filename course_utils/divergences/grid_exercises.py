"""Exercises 1 and 2 of notebook 06, on a grid: both KLs, and the JSD."""

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


def _densities(seed):
    """Two densities on a grid of 7 cells, with Σ p · dx = Σ q · dx = 1, none 0."""
    dx = f64(0.2, 0.35)[seed % 2] + 0.01 * seed
    return *((noise(10 * seed + i, 7).softmax(0) / dx) for i in (1, 2)), dx


# ------------------------------------------------- section 1: both KLs on a grid


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


def _kl(p, q, dx):
    return both_kls(p, q, dx)[0]


def _naive_kl(p, q, dx, mask=1.0):
    """As learners write it first, with NaN where 0 · log 0 should be 0."""
    return (p * (p / q).log() * mask).sum() * dx  # NaN · 0 is NaN: a mask is no help


def _both(f):
    """The answer that gives f(p, q) and f(q, p)."""
    return lambda p, q, dx: (f(p, q, dx), f(q, p, dx))


def _terms(p, q):
    return p * (p / q).log()


GAP = f64(0, 1, 2, 1, 0.4, 0.6), f64(0.4, 0.7, 1, 1.2, 1.1, 0.6), f64(0.2)[0]

check_kl = Exercise(
    name="forward and reverse KL",
    solution=both_kls,
    also=(_by_ratios, _by_logs),
    draw=_densities,
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
        _both(lambda p, q, dx: _kl(q, p, dx)),
        CELL,
        _both(lambda p, q, dx: _kl(p, q, 1.0)),
        TWICE,
        _both(lambda p, q, dx: _kl(p, q, dx**2)),
        OVER,
        _both(lambda p, q, dx: _kl(p, q, 1 / dx)),
        INSIDE,
        _both(lambda p, q, dx: _kl(p, q, dx) + dx.log()),
        _both(lambda p, q, dx: _kl(p, q, 1) + dx.log() / dx),
        _both(lambda p, q, dx: _kl(p, q, dx) - dx.log()),
        MEAN,
        _both(lambda p, q, dx: _kl(p, q, 1 / len(p))),
        _both(lambda p, q, dx: _kl(p, q, dx / len(p))),
        ENDS,
        _both(lambda p, q, dx: torch.trapezoid(_terms(p, q)) * dx),
        _both(lambda p, q, dx: _terms(p, q)[1:].sum() * dx),
        _both(lambda p, q, dx: _terms(p, q)[:-1].sum() * dx),
        ZERO,
        _both(_naive_kl),
        lambda p, q, dx: (_naive_kl(p, q, dx), _kl(q, p, dx).nan_to_num()),
        "the result is infinite where q > 0 and p = 0: a mask may leave out only the "
        "places where the first density is 0",
        _both(lambda p, q, dx: _kl(p[p * q > 0], q[p * q > 0], dx)),
        "NaN times 0 is NaN, and so is infinity times 0: a product with a mask does "
        "not remove it; use torch.where(p > 0, …, 0)",
        _both(lambda p, q, dx: _naive_kl(p, q, dx, p * q > 0)),
        lambda p, q, dx: (_kl(p, q, dx), _naive_kl(q, p, dx, p * q > 0)),
        "the entropy is missing: −∫ p log q dx is the cross-entropy; subtract the "
        "entropy −∫ p log p dx",
        _both(lambda p, q, dx: -torch.xlogy(p, q).sum() * dx),
        "this is the entropy of p only: subtract it from the cross-entropy "
        "−∫ p log q dx",
        _both(lambda p, q, dx: -torch.xlogy(p, p).sum() * dx),
        "F.kl_div wants log-probabilities first, and the other density first: write "
        "the formula out",
        _both(lambda p, q, dx: (torch.xlogy(q, q) - q * p).sum() * dx),
        _both(lambda p, q, dx: (torch.xlogy(p, p) - p * q).sum() * dx),
        "both are KL(p‖q); in the second one q comes first",
        lambda p, q, dx: (_kl(p, q, dx), _kl(p, q, dx)),
        "here stands KL(q‖p) in place of KL(p‖q): p comes first, as the weight and "
        "above the line",
        lambda p, q, dx: (_kl(q, p, dx), _kl(q, p, dx)),
        "the second is minus the first: KL(q‖p) has weights of its own, q; it is "
        "never negative",
        lambda p, q, dx: (_kl(p, q, dx), -_kl(p, q, dx)),
        "the second has the right ratio, but the weights of the first: KL(q‖p) is an "
        "average over q, and its ratio is q/p",
        lambda p, q, dx: (_kl(p, q, dx), -_kl(q, p, dx)),
        "the weight is the wrong density: KL(p‖q) is an average over p, the first "
        "argument",
        _both(lambda p, q, dx: -_kl(q, p, dx)),
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
        _both(lambda p, q, dx: _terms(p, q).abs().sum() * dx),
        "negative terms belong to the sum, too: do not cut them off",
        _both(lambda p, q, dx: _terms(p, q).clamp_min(0).sum() * dx),
        "this is their sum or their mean (Jeffreys); keep the two KLs apart",
        _both(lambda p, q, dx: _kl(p, q, dx) + _kl(q, p, dx)),
        _both(lambda p, q, dx: (_kl(p, q, dx) + _kl(q, p, dx)) / 2),
        "these are the KLs to m = (p + q)/2, as in the JSD: compare p with q itself",
        _both(lambda p, q, dx: _kl(p, (p + q) / 2, dx)),
        VARIATION,
        _both(lambda p, q, dx: (p - q).abs().sum() * dx / 2),
        "this is the integral of the squared difference; KL averages log(p/q)",
        _both(lambda p, q, dx: ((p - q) ** 2).sum() * dx),
    ),
).check


# ------------------------------------------------- section 2: JSD on a grid


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


def _weighted(a, b, kl=_kl, mean=lambda p, q: (p + q) / 2):
    """a KL(p‖m) + b KL(q‖m)."""
    return lambda p, q, dx: a * kl(p, mean(p, q), dx) + b * kl(q, mean(p, q), dx)


HALVES = "both KLs have the factor ½, and you gave it to one"
JEFFREYS = "these are KL(p‖q) and KL(q‖p), without m (Jeffreys): compare each density "
JEFFREYS += "with m = (p + q)/2 instead"
LEFT, RIGHT = f64(1.0, 2.6, 0.4, 0.0, 0.0), f64(0.0, 0.0, 0.5, 1.5, 2.0)

check_js = Exercise(
    name="JSD",
    solution=js,
    also=(_js_by_ratios, _js_by_entropies),
    draw=_densities,
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
            _weighted(0.5, 0.5, lambda a, m, dx, f=f: f(_terms(a, m)) * dx)
            for f in (torch.trapezoid, lambda t: t[1:].sum(), lambda t: t[:-1].sum())
        ),
        ZERO,
        _weighted(0.5, 0.5, _naive_kl),
        "the arguments have changed places: both averages are over p and q, not m",
        _weighted(0.5, 0.5, lambda p, m, dx: _kl(m, p, dx)),
        JEFFREYS,
        *(lambda *case, c=c: c * sum(both_kls(*case)) for c in (0.5, 1)),
        "this is KL(p‖q) alone, or half of it: JSD compares p and q with m",
        _kl,
        lambda p, q, dx: _kl(p, q, dx) / 2,
        "this is KL(q‖p) alone, or half of it: JSD compares p and q with m",
        lambda p, q, dx: _kl(q, p, dx),
        lambda p, q, dx: _kl(q, p, dx) / 2,
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
        "m is the arithmetic mean (p + q)/2, not the geometric one √(p q), the product "
        "or the larger one",
        _weighted(0.5, 0.5, mean=lambda p, q: (p * q).sqrt()),
        _weighted(0.5, 0.5, mean=torch.mul),
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
        "the places where one density is 0 count, too: leave out only those where the "
        "density in front of the log is 0",
        lambda p, q, dx: js(p[p * q > 0], q[p * q > 0], dx),
        "the two KLs are added, not subtracted",
        _weighted(0.5, -0.5),
        _weighted(1, -1),
        VARIATION,
        lambda p, q, dx: 0.5 * (p - q).abs().sum() * dx,
        lambda p, q, dx: (p - q).abs().sum() * dx,
    ),
).check
