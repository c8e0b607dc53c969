"""The checks of notebook 06: KL, JSD, MMD², a choice, the Rényi divergence."""

import math

import torch

from course_utils.checks import Exercise, Parts, f64, known_mistakes, noise, pair

LOG_2 = math.log(2)
P, Q = f64(0.1, 0.5, 0.9, 0.3, 0.2), f64(0.3, 0.2, 0.6, 0.8, 0.1)  # mass 1 at dx = 0.5
HALF, WIDE = f64(0.0, 1.0, 2.0, 1.0, 0.0), f64(0.5, 0.7, 1.0, 1.2, 0.6)  # 1 at 0.25
LEFT, RIGHT = f64(1.0, 2.6, 0.4, 0.0, 0.0), f64(0.0, 0.0, 0.5, 1.5, 2.0)
GRIDS = ((P, Q, 0.5), (HALF, WIDE, 0.25))  # in the second, KL(q‖p) is infinite
# hints that belong to more than one exercise
CELL = "the width dx of a cell is missing: an integral is a sum times dx"
MEAN = "you took the mean over the grid; an integral is a sum times dx"
ZERO = "0 · log 0 is NaN for the computer, but 0 here: use torch.xlogy, or "
ZERO += "torch.where(p > 0, …, 0)"
BITS = "this is in bits: use the natural logarithm"
FLOATS = "Python's numbers stop at x / 0 and log 0: compute with tensors, which give "
FLOATS += "infinity there"


def _kl(p, q, dx, weight=None):
    """∫ weight · log(p/q) dx, by default over p; a weight of 0 gives 0."""
    weight = p if weight is None else weight
    return torch.where(weight > 0, weight * (p.log() - q.log()), 0.0).sum() * dx


def _plain_kl(p, q, dx, mask=1.0):
    """As learners write it first, with NaN where 0 · log 0 should be 0."""
    return (p * (p / q).log() * mask).sum() * dx  # NaN · 0 is NaN: a mask is no help


def _both(f):
    """The answer that gives f(p, q) and f(q, p)."""
    return lambda p, q, dx: pair(f(p, q, dx), f(q, p, dx))


def _softened(eps):
    """The answers with a small number inside the logs, or below both densities."""
    yield _both(lambda a, b, dx: (a * ((a + eps) / (b + eps)).log()).sum() * dx)
    yield _both(lambda a, b, dx: _kl(a.clamp_min(eps), b.clamp_min(eps), dx))


check_kl = Exercise(
    name="forward and reverse KL",
    reference=_both(_kl),
    cases=GRIDS,
    expected="the pair (KL(p‖q), KL(q‖p)), two numbers in nats",
    first_hint="KL(p‖q) is the sum of p · log(p/q) · dx, and 0 where p = 0",
    error_hints={"division by zero": FLOATS, "math domain error": FLOATS},
    mistakes=known_mistakes(
        "the two have changed places: KL(p‖q) averages log(p/q) over p",
        _both(lambda p, q, dx: _kl(q, p, dx)),
        CELL,
        _both(lambda p, q, dx: _kl(p, q, 1.0)),
        MEAN,
        _both(lambda p, q, dx: _kl(p, q, 1 / len(p))),
        ZERO,
        _both(_plain_kl),
        "the result is infinite where q > 0 and p = 0: leave out only the places "
        "where the first density is 0",
        _both(lambda p, q, dx: _kl(p[p * q > 0], q[p * q > 0], dx)),
        "a small number inside the log hides that KL(q‖p) is infinite here; "
        "leave out the places where the first density is 0 instead",
        *(wrong for n in range(3, 21) for wrong in _softened(10.0**-n)),
        "NaN times 0 is NaN, and so is infinity times 0: a product with a mask does "
        "not remove it; use torch.where(p > 0, …, 0)",
        _both(lambda p, q, dx: _plain_kl(p, q, dx, p * q > 0)),
        lambda p, q, dx: pair(_kl(p, q, dx), _plain_kl(q, p, dx, p * q > 0)),
        "the entropy is missing: −∫ p log q dx is the cross-entropy",
        _both(lambda p, q, dx: -torch.xlogy(p, q).sum() * dx),
        "F.kl_div wants log-probabilities first, and the other density first: write "
        "the formula out",
        _both(lambda p, q, dx: (torch.xlogy(q, q) - q * p).sum() * dx),
        "both are KL(p‖q); in the second one q comes first",
        lambda p, q, dx: pair(_kl(p, q, dx), _kl(p, q, dx)),
        "both are KL(q‖p); in the first one p comes first",
        lambda p, q, dx: pair(_kl(q, p, dx), _kl(q, p, dx)),
        BITS,
        _both(lambda p, q, dx: _kl(p, q, dx) / LOG_2),
        "the ratio is upside down: KL(p‖q) averages log(p/q), with p above",
        _both(lambda p, q, dx: -_kl(p, q, dx)),
        "the weight is the wrong density: KL(p‖q) is an average over p",
        _both(lambda p, q, dx: _kl(p, q, dx, weight=q)),
        "the log-ratios must be weighted by the first density",
        _both(lambda p, q, dx: (p / q).log().sum() * dx),
    ),
).check


def _weighted(a, b, kl=_kl):
    """a KL(p‖m) + b KL(q‖m) with m = (p + q)/2."""
    return lambda p, q, dx: a * kl(p, (p + q) / 2, dx) + b * kl(q, (p + q) / 2, dx)


_js = _weighted(0.5, 0.5)

check_js = Exercise(
    name="JSD",
    reference=_js,
    cases=((P, Q, 0.5), (LEFT, RIGHT, 0.25)),
    expected="one number in nats, from 0 to log 2",
    first_hint="half of KL(p‖m) plus half of KL(q‖m), with m = (p + q)/2",
    mistakes=known_mistakes(
        "the ½ before each KL is missing: this is 2 · JSD, the sum on the slide",
        _weighted(1, 1),
        "m is the mean of the two densities: its ½ is missing",
        lambda p, q, dx: _js(p, q, dx) - LOG_2,
        "both halves are missing, that of m and those of the KLs",
        lambda p, q, dx: 2 * (_js(p, q, dx) - LOG_2),
        "this is the root, a distance; the divergence is its square",
        lambda p, q, dx: _js(p, q, dx).sqrt(),
        BITS,
        lambda p, q, dx: _js(p, q, dx) / LOG_2,
        CELL,
        lambda p, q, dx: _js(p, q, 1.0),
        MEAN,
        lambda p, q, dx: _js(p, q, 1 / len(p)),
        ZERO,
        _weighted(0.5, 0.5, _plain_kl),
        "the arguments have changed places: both averages are over p and q, not m",
        _weighted(0.5, 0.5, lambda p, m, dx: _kl(m, p, dx)),
        "these are KL(p‖q) and KL(q‖p): compare each density with m instead",
        lambda p, q, dx: (_kl(p, q, dx) + _kl(q, p, dx)) / 2,
        lambda p, q, dx: _kl(p, q, dx) + _kl(q, p, dx),
        "this is only the half that belongs to p; add that of q",
        _weighted(0.5, 0),
        "this is KL(p‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        _weighted(1, 0),
        "this is the half that belongs to q; add that of p",
        _weighted(0, 0.5),
        "this is KL(q‖m) only; JSD is the mean of KL(p‖m) and KL(q‖m)",
        _weighted(0, 1),
        "both KLs have the factor ½, and you gave it to one",
        _weighted(0.5, 1),
        _weighted(1, 0.5),
        "the brackets are missing: m is (p + q) / 2, not p + q / 2",
        lambda p, q, dx: (_kl(p, p + q / 2, dx) + _kl(q, p + q / 2, dx)) / 2,
        "the places where one density is 0 count, too: leave out only those where the "
        "density in front of the log is 0",
        lambda p, q, dx: _js(p[p * q > 0], q[p * q > 0], dx),
        "these are the two halves; add them",
        lambda *case: pair(_weighted(0.5, 0)(*case), _weighted(0, 0.5)(*case)),
        "the two KLs are added, not subtracted",
        _weighted(0.5, -0.5),
        "this is the total variation; the JSD compares p and q with m, by KL",
        lambda p, q, dx: 0.5 * (p - q).abs().sum() * dx,
    ),
).check


def _gauss(squares, sigma):
    return (-squares / (2 * sigma**2)).exp()


def _off_diagonal(k, n, _):
    return (k.sum() - k.trace()) / (n * (n - 1))


def _estimate(within=_off_diagonal, between=torch.mean, kernel=_gauss):
    """The answer with this term within x or y, of (k, its n, n of x), and between."""

    def k(a, b, sigma):
        return kernel((a[:, None] - b).square().sum(-1), sigma)

    def estimate(x, y, sigma):
        terms = [within(k(a, a, sigma), len(a), len(x)) for a in (x, y)]
        return sum(terms) - 2 * between(k(x, y, sigma))  # Gretton et al. 2012, eq. 3

    return estimate


def _rate(rate):
    """The answer with the kernel exp(−rate(σ) · ‖x − y‖²)."""
    return _estimate(kernel=lambda squares, sigma: (-squares * rate(sigma)).exp())


def _unsquared(scale):
    """The answers with a kernel of the plain distance, without and with diagonals."""
    for within in (_off_diagonal, lambda k, *_: k.mean()):
        yield _estimate(within, kernel=lambda d2, s: (-d2.sqrt() / scale(s)).exp())


SCALES = (lambda s: 2 * s**2, lambda s: s**2, lambda s: 2 * s, lambda s: s)  # all tried
_mmd2 = _estimate()
X, Y = noise(0, 7, 2), noise(1, 5, 2) + 1  # of different lengths
X1, Y1 = noise(2, 4, 3), 1.5 * noise(3, 6, 3)  # X1.flip(1): a negative estimate
PAIRS = "two shapes do not fit: torch.cdist gives all pairs, and a diagonal needs sum()"

check_mmd2 = Exercise(
    name="MMD²",
    reference=_mmd2,
    cases=((X, Y, 0.7), (X1, Y1, 1.6), (X1, X1.flip(1), 0.8)),
    expected="one number, the unbiased estimate",
    error_hints={"must match the size": PAIRS},
    first_hint="three means over pairs: x with x, y with y, minus twice x with y; "
    "torch.cdist gives the distances",
    mistakes=known_mistakes(
        "the diagonals are inside: each example is compared with itself, which "
        "makes the estimate biased; leave k(x, x) out and divide by n (n − 1)",
        _estimate(lambda k, n, _: k.mean()),
        "the diagonals are out, but you still divide by n²: there are n (n − 1) pairs",
        _estimate(lambda k, n, _: (k.sum() - n) / n**2),
        "the kernel is exp(−‖x − y‖² / (2σ²)): its 2 is missing",
        _rate(lambda sigma: 1 / sigma**2),
        "you divided by 2σ; the kernel needs 2σ²",
        _rate(lambda sigma: 1 / (2 * sigma)),
        "σ is missing in the kernel: divide by 2σ²",
        _rate(lambda sigma: 0.5),
        "you multiplied by σ²; the squared distance is divided by 2σ²",
        _rate(lambda sigma: sigma**2 / 2),
        "the distance must be squared: torch.cdist gives ‖x − y‖",
        *(wrong for scale in SCALES for wrong in _unsquared(scale)),
        "the minus in the exponent is missing, or inside the square",
        _rate(lambda sigma: -1 / (2 * sigma**2)),
        "the mean between x and y counts twice",
        _estimate(between=lambda k: k.mean() / 2),
        "the mean between x and y is subtracted",
        _estimate(between=lambda k: -k.mean()),
        "these are sums; take the mean over the pairs",
        _estimate(lambda k, n, _: k.sum() - n, torch.sum),
        "you divided by n (n − 1), but the diagonal is still in the sum: subtract its "
        "n ones first",
        _estimate(lambda k, n, _: k.sum() / (n * (n - 1))),
        "take the diagonal out of the sum, before you divide: subtract n, not 1",
        _estimate(lambda k, n, _: k.mean() - 1),
        "one half of the pairs is missing: (i, j) and (j, i) both count in n (n − 1)",
        _estimate(lambda k, n, _: (k.sum() - n) / (2 * n * (n - 1))),
        "y has a number of examples of its own: divide its sum by m (m − 1)",
        _estimate(lambda k, _, n: (k.sum() - n) / (n * (n - 1))),
        _estimate(lambda k, m, n: (k.sum() - m) / (n * (n - 1))),
        "x and y hold different examples: no pair between them is left out, so it is "
        "the plain mean of k(x, y)",
        _estimate(between=lambda k: k.sum() / (len(k) * (k.shape[1] - 1))),
        _estimate(
            between=lambda k: (k.sum() - k.trace()) / (len(k) * (k.shape[1] - 1))
        ),
        "this is the root, MMD; the estimate of MMD² may be negative, so it has none",
        lambda x, y, sigma: _mmd2(x, y, sigma).sqrt(),
        "an unbiased estimate may be negative: do not cut it at 0",
        lambda x, y, sigma: _mmd2(x, y, sigma).clamp_min(0),
    ),
).check

NUMBERS = ("KL(p‖q)", "KL(q‖p)", "JSD", "MMD")
FORGIVES = "It forgives a q that ignores half of the data, which you then cannot store"
BOUNDED = "It is at most log 2, however badly a file is stored"
NO_CODE = "It knows no code lengths: the price of a file is −log q"
HIDDEN = "It needs samples of p, the posterior, which you cannot draw"
UNKNOWN = "It needs the densities, and you have only samples"
TRAINED = "It needs the densities, or a discriminator that must be trained first"
GAME = "It is not bounded; the game of a GAN is"
JOBS = (  # name, the number of its divergence, and why not each of the others
    ("compression", 1, FORGIVES, BOUNDED, NO_CODE),
    ("the posterior", 2, HIDDEN, HIDDEN, HIDDEN),
    ("a quick test of two samples", 4, UNKNOWN, UNKNOWN, TRAINED),
    ("the perfect discriminator", 3, GAME, GAME, "A kernel needs no discriminator"),
)


def _job(number, name, right, *hints):
    answers = [lambda n=n: torch.tensor(n) for n in range(6)]
    mistakes = ["the answers are numbers from 1 to 4", answers[0], answers[5]]
    wrong = [n for n in range(1, 5) if n != right]
    for n, hint in zip(wrong, hints, strict=True):
        mistakes += [f"{NUMBERS[n - 1]} for {name}? {hint}", answers[n]]
    return number, Exercise(
        name=f"job {number + 1}",
        reference=answers[right],
        cases=((),),
        expected="one of the numbers 1, 2, 3, 4",
        first_hint="which of p and q can I sample, which density do I know?",
        mistakes=known_mistakes(*mistakes),
    )


check_choice = Parts(
    name="which divergence",
    names=("job 1", "job 2", "job 3", "job 4"),
    exercises=tuple(_job(number, *job) for number, job in enumerate(JOBS)),
).check


def _integral(lp, lq, cell, a, b):
    """∫ pᵃ qᵇ dx, from the logarithms of p and q."""
    return (a * lp + b * lq).exp().sum() * cell


def _renyi(lp, lq, cell, a, b=None):
    return _integral(lp, lq, cell, a, 1 - a if b is None else b).log() / (a - 1)


# log p and log q: on a line, and on a grid in the plane
ROW = -0.5 * noise(4, 30).square() - 1.2, -0.5 * noise(5, 30).square() - 0.9
TABLE = -noise(6, 5, 6).square() - 0.4, -noise(7, 5, 6).square() - 0.2

check_renyi = Exercise(
    name="Rényi divergence",
    reference=_renyi,
    cases=((*ROW, 0.1, 0.5), (*TABLE, 0.3, 0.2), (*ROW, 0.2, 3)),
    expected="one number in nats",
    first_hint="p^α q^(1 − α) is exp(α log p + (1 − α) log q); sum over the grid, "
    "times cell, then log, then divide by α − 1",
    mistakes=known_mistakes(
        "p and q have changed places: p has the power α",
        lambda lp, lq, cell, a: _renyi(lq, lp, cell, a),
        "divide by α − 1, not by 1 − α",
        lambda lp, lq, cell, a: -_renyi(lp, lq, cell, a),
        "multiply by 1/(α − 1), not by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() * (a - 1),
        "the factor 1/(α − 1) is missing",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log(),
        "the size of a cell is missing inside the logarithm",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a),
        "cell belongs inside the logarithm, next to the sum",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a) * cell,
        "the logarithm of the integral is missing",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a) / (a - 1),
        "this is the Tsallis divergence; Rényi's has a log instead of the −1",
        lambda lp, lq, cell, a: (_integral(lp, lq, cell, a, 1 - a) - 1) / (a - 1),
        "this is KL(p‖q), the limit for α → 1",
        lambda lp, lq, cell, a: (lp.exp() * (lp - lq)).sum() * cell,
        "log_p is a logarithm: p^α is exp(α log_p), not log_p^α",
        lambda lp, lq, cell, a: (lp**a * lq ** (1 - a)).sum().mul(cell).log() / (a - 1),
        "the power of q is 1 − α, not α",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, a),
        "the power of q is 1 − α, not α − 1",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, a - 1),
        "the power α of p is missing",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, 1, 1 - a).log() / (a - 1),
        "α is the last argument; you used ½",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, 0.5),
        "an integral is a sum over the grid times cell; you took the mean",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell / lp.numel(), a),
        lambda lp, lq, cell, a: _renyi(lp, lq, 1 / lp.numel(), a),
        "this is the integral only; take its logarithm, and divide by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a),
        "the brackets are missing: divide by (α − 1)",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() / a - 1,
    ),
).check
