"""Exercise 3 of notebook 06: the unbiased estimate of MMD² from samples."""

import math

import torch

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def unbiased_mmd2(x, y, sigma):
    """Three means over pairs, none of an example with itself (Gretton et al. 2012)."""

    def k(a, b):
        return torch.exp(-(torch.cdist(a, b) ** 2) / (2 * sigma**2))

    def within(a):
        n = len(a)
        return (k(a, a).sum() - n) / (n * (n - 1))

    return within(x) + within(y) - 2 * k(x, y).mean()


def _by_matrices(x, y, sigma):
    def k(a, b):
        return torch.exp(-((a[:, None] - b) ** 2).sum(-1) / (2 * sigma**2))

    def off_diagonal(kernel):
        n = len(kernel)
        return (kernel - kernel.diag().diag()).sum() / (n**2 - n)

    return off_diagonal(k(x, x)) + off_diagonal(k(y, y)) - 2 * k(x, y).mean()


def _squares(a, b):
    return (a - b).square().sum(-1)


def _gauss(a, b, sigma):
    return (-_squares(a, b) / (2 * sigma**2)).exp()


def _off_diagonal(k, n, _):
    return (k.sum() - k.trace()) / (n * (n - 1))


def _biased(k, *_):
    return k.mean()


def _mean(k):
    return k.mean()


def _estimate(within=_off_diagonal, between=_mean, kernel=_gauss, of_y=None):
    """The answer with this term within x or y, of (k, its n, n of x), and between."""

    def estimate(x, y, sigma):
        def k(a, b):
            return kernel(a[:, None], b, sigma)  # (n, 1, d) and (m, d): all pairs

        of_x = within(k(x, x), len(x), len(x))
        other = (of_y or within)(k(y, y), len(y), len(x))
        return of_x + other - 2 * between(k(x, y))

    return estimate


def _rates(rate):
    """The answers with the kernel exp(−rate(σ) · ‖x − y‖²), without diagonals or with.

    The second is an answer with two mistakes, of which the kernel is told.
    """
    for within in (_off_diagonal, _biased):
        yield _estimate(
            within, kernel=lambda a, b, s: (-_squares(a, b) * rate(s)).exp()
        )


def _kernels(*kernels):
    """The answers with these kernels, without diagonals or with."""
    for kernel in kernels:
        for within in (_off_diagonal, lambda k, n, _: (k.sum() - n) / (n * (n - 1))):
            yield _estimate(within, kernel=kernel)
        yield _estimate(_biased, kernel=kernel)


def _less_pairs(count):
    """The cross term without its diagonal, divided by count(n, m)."""
    for rest in (lambda k: k.sum(), lambda k: k.sum() - k.diagonal().sum()):
        yield _estimate(between=lambda k, rest=rest: rest(k) / count(*k.shape))


def _laplace(scale):
    return lambda a, b, s: (-_squares(a, b).sqrt() / scale(s)).exp()


def _normalised(factor):
    return lambda a, b, s: _gauss(a, b, s) / factor(s)


def _by_coordinates(reduce):
    return lambda a, b, s: reduce(-((a - b) ** 2) / (2 * s**2))


def _means(x, y):
    return _squares(x.mean(0), y.mean(0))


def _paired(x, y, sigma):
    """The estimate from pairs (x_i, y_i): no i with itself, also between them."""

    def k(a, b):
        return _gauss(a[:, None], b, sigma)

    return _off_diagonal(k(x, x) + k(y, y) - 2 * k(x, y), len(x), None)


def _samples(seed):
    """Examples of two sources, of different numbers, and σ."""
    x, y = noise(20 * seed, 6, 3), 0.7 * noise(20 * seed + 1, 4, 3) + 1.5
    return x, y, f64(0.9, 1.4)[seed % 2] + 0.05 * seed


X, Y, _ = _samples(0)
ALIKE = X, X[1:].flip(1), f64(0.8)[0]
TWINS = torch.cat([X, X[1:3]]), torch.cat([Y, Y[2:3], X[:1]]), f64(1.1)[0]
ROOT_2PI = math.sqrt(2 * math.pi)
SCALES = (lambda s: 2 * s**2, lambda s: s**2, lambda s: 2 * s, lambda s: s)
PAIRS = "two shapes do not fit: torch.cdist gives all pairs, and a diagonal needs sum()"

check_mmd2 = Exercise(
    name="MMD²",
    solution=unbiased_mmd2,
    also=(_by_matrices,),
    draw=_samples,
    expected="one number, the unbiased estimate",
    hints=(
        "three means over pairs: x with x, y with y, minus twice x with y",
        "with K = exp(−torch.cdist(a, b)² / (2σ²)); within x and y leave the diagonal "
        "out, and divide by the number of the other pairs, n (n − 1)",
        "within_x = (k(x, x).sum() - n) / (n * (n - 1)), the same for y with m, and "
        "k(x, y).mean() for the pairs between",
    ),
    error_hints={"must match the size": PAIRS},
    extremes=(
        Extreme(
            "an unbiased estimate may be negative, as it is here: do not cut it at 0, "
            "and take no absolute value",
            ALIKE,
        ),
        Extreme(
            "two different examples may be equal, and they count as a pair: leave out "
            "the diagonal by its place, not by distance 0 or k = 1",
            TWINS,
        ),
    ),
    mistakes=known_mistakes(
        "the diagonals are inside: each example is compared with itself, which "
        "makes the estimate biased; leave k(x, x) out and divide by n (n − 1)",
        _estimate(_biased),
        "y keeps its diagonal: leave each example's pair with itself out there, too",
        _estimate(of_y=_biased),
        _estimate(of_y=lambda k, n, _: k.sum() / (n * (n - 1))),
        "x keeps its diagonal: leave each example's pair with itself out there, too",
        _estimate(_biased, of_y=_off_diagonal),
        "the diagonals are out, but you still divide by n²: there are n (n − 1) pairs",
        _estimate(lambda k, n, _: (k.sum() - n) / n**2),
        "n (n − 1) pairs are left: divide by their number, not by n or n − 1 alone",
        _estimate(lambda k, n, _: (k.sum() - n) / (n - 1)),
        _estimate(lambda k, n, _: (k.sum() - n) / n),
        "you divided by (n − 1)²: there are n (n − 1) pairs",
        _estimate(lambda k, n, _: (k.sum() - n) / (n - 1) ** 2),
        "the kernel is exp(−‖x − y‖² / (2σ²)): its 2 is missing",
        *_rates(lambda sigma: 1 / sigma**2),
        "you divided by 2σ; the kernel needs 2σ², the square of σ",
        *_rates(lambda sigma: 1 / (2 * sigma)),
        "σ is missing in the kernel: divide by 2σ²",
        *_rates(lambda sigma: 0.5),
        *_rates(lambda sigma: 1),
        "you multiplied by σ²; the squared distance is divided by 2σ², so write "
        "brackets, / (2 * sigma**2)",
        *_rates(lambda sigma: sigma**2 / 2),
        *_rates(lambda sigma: 2 * sigma**2),
        *_rates(lambda sigma: sigma**2),
        "the kernel divides by 2σ²; in (2σ)² the 2 is squared, too",
        *_rates(lambda sigma: 1 / (2 * sigma) ** 2),
        "the distance must be squared: torch.cdist gives ‖x − y‖",
        *_kernels(*(_laplace(scale) for scale in SCALES)),
        "the minus in the exponent is missing, or inside the square",
        *_rates(lambda sigma: -1 / (2 * sigma**2)),
        "exp() is missing: the kernel is exp(−‖x − y‖² / (2σ²))",
        *_kernels(lambda a, b, s: -_squares(a, b) / (2 * s**2)),
        *_kernels(lambda a, b, s: _squares(a, b) / (2 * s**2)),
        "exp is to the base e: torch.exp(…), not a power of 2",
        *_kernels(lambda a, b, s: 2 ** (-_squares(a, b) / (2 * s**2))),
        "the kernel is not normalised like a density: k(x, x) = 1, without the factor "
        "1/(σ √2π)",
        *_kernels(
            *(_normalised(lambda s, d=d: (ROOT_2PI * s) ** d) for d in (1, 2, 3))
        ),
        *_kernels(_normalised(lambda s: s), _normalised(lambda s: s**2)),
        "‖x − y‖² is the sum of the squares over the coordinates, the last dim: you "
        "took their mean",
        *_kernels(_by_coordinates(lambda squares: squares.mean(-1).exp())),
        "the kernel has one number for a pair: sum the squares over the coordinates "
        "first (the last dim), then take exp()",
        *_kernels(_by_coordinates(lambda squares: squares.exp().sum(-1))),
        *_kernels(_by_coordinates(lambda squares: squares.exp().mean(-1))),
        "‖x − y‖ is the root of the sum of squares (p = 2), not the sum of absolute "
        "values",
        *_kernels(lambda a, b, s: (-((a - b).abs().sum(-1) ** 2) / (2 * s**2)).exp()),
        *_kernels(lambda a, b, s: (-(a - b).abs().sum(-1) / (2 * s**2)).exp()),
        "this is another kernel, a fraction; ours is exp(−‖x − y‖² / (2σ²))",
        *_kernels(
            lambda a, b, s: 1 / (1 + _squares(a, b) / (2 * s**2)),
            lambda a, b, s: 1 / (1 + _squares(a, b) / s**2),
            lambda a, b, s: 1 / (1 + _squares(a, b)),
        ),
        "there is no kernel: distances or products of the examples stand in its place",
        *_kernels(
            lambda a, b, s: _squares(a, b).sqrt(),
            lambda a, b, s: -_squares(a, b).sqrt(),
            lambda a, b, s: _squares(a, b),
        ),
        _estimate(kernel=lambda a, b, s: (a * b).sum(-1)),
        "this compares the means of x and y only, without the kernel: MMD² compares "
        "the pairs by k",
        lambda x, y, sigma: _means(x, y),
        lambda x, y, sigma: _means(x, y).sqrt(),
        lambda x, y, sigma: _gauss(x.mean(0), y.mean(0), sigma),
        lambda x, y, sigma: 2 - 2 * _gauss(x.mean(0), y.mean(0), sigma),
        "you used only some of the examples: all of x and all of y count, though n is "
        "not m",
        lambda x, y, sigma: unbiased_mmd2(x[: len(y)], y, sigma),
        "n is not m here: you have left out pairs, or taken each x with one y only",
        lambda x, y, sigma: _estimate(between=lambda k: k.diagonal().mean())(
            x[: len(y)], y, sigma
        ),
        lambda x, y, sigma: _paired(x[: len(y)], y, sigma),
        "the mean between x and y counts twice: its factor 2 is missing",
        _estimate(between=lambda k: k.mean() / 2),
        _estimate(_biased, lambda k: k.mean() / 2),
        "the mean between x and y is subtracted (minus): the sign is wrong",
        _estimate(between=lambda k: -k.mean()),
        _estimate(between=lambda k: -k.mean() / 2),
        _estimate(_biased, lambda k: -k.mean()),
        "the mean is over k: take exp() for each pair first, and the mean last",
        lambda x, y, sigma: sum(
            c * (-_squares(a[:, None], b).mean() / (2 * sigma**2)).exp()
            for c, a, b in ((1, x, x), (1, y, y), (-2, x, y))
        ),
        "these are sums; take the mean over the pairs",
        _estimate(lambda k, n, _: k.sum() - n, torch.sum),
        _estimate(lambda k, n, _: k.sum(), torch.sum),
        "the pairs between x and y: divide their sum by n m, take the mean",
        _estimate(between=lambda k: k.sum()),
        _estimate(between=lambda k: k.sum() / len(k)),
        _estimate(between=lambda k: k.sum() / k.shape[1]),
        _estimate(between=lambda k: k.sum() / sum(k.shape)),
        _estimate(between=lambda k: k.sum() / len(k) ** 2),
        _estimate(between=lambda k: k.sum() / k.shape[1] ** 2),
        "you divided by n (n − 1), but the diagonal is still in the sum: subtract its "
        "n ones first",
        _estimate(lambda k, n, _: k.sum() / (n * (n - 1))),
        "take the diagonal out of the sum, before you divide: subtract n, not 1",
        _estimate(lambda k, n, _: k.mean() - 1),
        "the diagonal holds n ones: subtract n, not 1",
        _estimate(lambda k, n, _: (k.sum() - 1) / (n * (n - 1))),
        "one half of the pairs is missing: (i, j) and (j, i) both count in n (n − 1)",
        _estimate(lambda k, n, _: (k.sum() - n) / (2 * n * (n - 1))),
        _estimate(lambda k, n, _: (k.sum() - n) / (2 * n**2)),
        "the diagonal still counts: there are n (n − 1) ordered pairs without it, or "
        "n (n − 1)/2 above it",
        _estimate(lambda k, n, _: (k.sum() + n) / (n * (n + 1))),
        _estimate(lambda k, n, _: (k.sum() + n) / (2 * n**2)),
        _estimate(lambda k, n, _: (k.sum() + n) / (n * (n - 1))),
        "n (n − 1)/2 counts each pair once, and the sum holds it twice, in both "
        "orders: divide by n (n − 1)",
        _estimate(lambda k, n, _: (k.sum() - n) / (n * (n - 1) / 2)),
        "y has its own number of examples, m = len(y): divide its sum by m (m − 1)",
        _estimate(of_y=lambda k, _, n: (k.sum() - n) / (n * (n - 1))),
        _estimate(of_y=lambda k, m, n: (k.sum() - m) / (n * (n - 1))),
        _estimate(of_y=lambda k, m, n: (k.sum() - n) / (m * (m - 1))),
        lambda x, y, sigma: _estimate(
            of_y=lambda k, _, n: (k.sum() - n) / (n * (n - 1)),
            between=lambda k: k.sum() / len(k) ** 2,
        )(x, y, sigma),
        "n and m have changed places: the pairs within x are n (n − 1), those within y "
        "m (m − 1)",
        lambda x, y, sigma: _estimate(
            lambda k, n, _: (k.sum() - n) / (len(y) * (len(y) - 1)),
            of_y=lambda k, m, n: (k.sum() - m) / (n * (n - 1)),
        )(x, y, sigma),
        "x and y hold different examples: no pair between them is left out (no "
        "diagonal), so it is the plain mean of k(x, y)",
        *_less_pairs(lambda n, m: n * (m - 1)),
        *_less_pairs(lambda n, m: (n - 1) * m),
        *_less_pairs(lambda n, m: (n - 1) * (m - 1)),
        *_less_pairs(lambda n, m: n * m - min(n, m)),
        *list(_less_pairs(lambda n, m: n * m))[1:],
        _estimate(between=lambda k: k.diagonal().mean()),
        "the term of y with y is missing: the mean of k(y, y) is added, too",
        _estimate(of_y=lambda *_: 0),
        "the term of x with x is missing: the mean of k(x, x) is added, too",
        _estimate(lambda *_: 0, of_y=_off_diagonal),
        "this is only the mean of k(x, y): add those within x and within y, minus "
        "twice this one",
        lambda x, y, sigma: _gauss(x[:, None], y, sigma).mean(),
        "this is the root, MMD; the estimate of MMD² may be negative, so it has none",
        lambda *case: unbiased_mmd2(*case).sqrt(),
        lambda *case: unbiased_mmd2(*case).abs().sqrt(),
        lambda *case: unbiased_mmd2(*case).clamp_min(0).sqrt(),
    ),
).check
