"""More checks of notebook 06: MMD², a choice, and the Rényi divergence."""

import torch

from course_utils.checks import Exercise, Mistake, Parts, known_mistakes, noise


def _distances(x, y):
    return (x[:, None] - y).square().sum(-1)


def _mmd2(x, y, kernel, own=False, between=2.0):
    """With the kernel as a function of the squared distance; ``own``: the diagonal."""
    parts = []
    for a in (x, y):
        k, n = kernel(_distances(a, a)), len(a)
        total = k.sum() if own else k.sum() - k.diagonal().sum()
        parts.append(total / (n * n if own else n * (n - 1)))
    return parts[0] + parts[1] - between * kernel(_distances(x, y)).mean()


def _gauss(sigma):
    return lambda square: (-square / (2 * sigma**2)).exp()


def _without_square():
    """The kernels of the plain distance, with each scale that learners try."""
    scales = (lambda s: 2 * s**2, lambda s: s**2, lambda s: 2 * s, lambda s: s)
    for scale in scales:
        for own in (False, True):
            yield lambda x, y, sigma, scale=scale, own=own: _mmd2(
                x, y, lambda s: (-s.sqrt() / scale(sigma)).exp(), own=own
            )


def _of(within, between=torch.mean):
    """A wrong estimate: its term within x or y, (k, n, number of x), and between."""

    def wrong(x, y, sigma):
        k, n = _gauss(sigma), len(x)
        terms = [within(k(_distances(a, a)), len(a), n) for a in (x, y)]
        return sum(terms) - 2 * between(k(_distances(x, y)))

    return wrong


def _off(k, n, _):
    return (k.sum() - n) / (n * (n - 1))


X, Y = noise(0, 7, 2), noise(1, 5, 2) + 1
X1, Y1 = noise(2, 4, 3), 1.5 * noise(3, 6, 3)

PAIRS = "two shapes do not fit: torch.cdist gives all pairs, and a diagonal needs sum()"

check_mmd2 = Exercise(
    name="MMD²",
    reference=lambda x, y, sigma: _mmd2(x, y, _gauss(sigma)),
    cases=((X, Y, 0.7), (X1, Y1, 1.6), (X1, X1.flip(1), 0.8)),
    expected="one number, the unbiased estimate",
    error_hints={"must match the size": PAIRS},
    first_hint="three means over pairs: x with x, y with y, minus twice x with y; "
    "torch.cdist gives the distances",
    mistakes=known_mistakes(
        "the diagonals are inside: each example is compared with itself, which "
        "makes the estimate biased; leave k(x, x) out and divide by n (n − 1)",
        lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), own=True),
        "the diagonals are out, but you still divide by n²: there are n (n − 1) pairs",
        _of(lambda k, n, _: (k.sum() - n) / n**2),
        "the kernel is exp(−‖x − y‖² / (2σ²)): its 2 is missing",
        lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / sigma**2).exp()),
        "you divided by 2σ; the kernel needs 2σ²",
        lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / (2 * sigma)).exp()),
        "σ is missing in the kernel: divide by 2σ²",
        lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / 2).exp()),
        "you multiplied by σ²; the squared distance is divided by 2σ²",
        lambda x, y, sigma: _mmd2(x, y, lambda s: (-s * sigma**2 / 2).exp()),
        "the distance must be squared: torch.cdist gives ‖x − y‖",
        *_without_square(),
        "the minus in the exponent is missing, or inside the square",
        lambda x, y, sigma: _mmd2(x, y, lambda s: (s / (2 * sigma**2)).exp()),
        "the mean between x and y counts twice",
        lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), between=1.0),
        "the mean between x and y is subtracted",
        lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), between=-2.0),
        "these are sums; take the mean over the pairs",
        _of(lambda k, n, _: k.sum() - n, torch.sum),
        "you divided by n (n − 1), but the diagonal is still in the sum: subtract its "
        "n ones first",
        _of(lambda k, n, _: k.sum() / (n * (n - 1))),
        "take the diagonal out of the sum, before you divide: subtract n, not 1",
        _of(lambda k, n, _: k.mean() - 1),
        "one half of the pairs is missing: (i, j) and (j, i) both count in n (n − 1)",
        _of(lambda k, n, _: (k.sum() - n) / (2 * n * (n - 1))),
        "y has a number of examples of its own: divide its sum by m (m − 1)",
        _of(lambda k, _, n: (k.sum() - n) / (n * (n - 1))),
        _of(lambda k, m, n: (k.sum() - m) / (n * (n - 1))),
        "x and y hold different examples: no pair between them is left out, so it is "
        "the plain mean of k(x, y)",
        _of(_off, lambda k: k.sum() / (len(k) * (k.shape[1] - 1))),
        _of(_off, lambda k: (k.sum() - k.trace()) / (len(k) * (k.shape[1] - 1))),
        "this is the root, MMD; the estimate of MMD² may be negative, so it has none",
        lambda x, y, sigma: _mmd2(x, y, _gauss(sigma)).sqrt(),
        "an unbiased estimate may be negative: do not cut it at 0",
        lambda x, y, sigma: _mmd2(x, y, _gauss(sigma)).clamp_min(0),
    ),
).check

NUMBERS = ("KL(p‖q)", "KL(q‖p)", "JSD", "MMD")


def _job(number, name, right, hints):
    """One job: the number of its divergence, and why not each of the others."""
    wrong = [n for n in range(1, 5) if n != right]
    mistakes = [
        Mistake(f"{NUMBERS[n - 1]} for {name}? {hint}", lambda n=n: torch.tensor(n))
        for n, hint in zip(wrong, hints, strict=True)
    ]
    mistakes += [
        Mistake("the answers are numbers from 1 to 4", lambda n=n: torch.tensor(n))
        for n in (0, 5)
    ]
    exercise = Exercise(
        name=f"job {number + 1}",
        reference=lambda: torch.tensor(right),
        cases=((),),
        expected="one of the numbers 1, 2, 3, 4",
        first_hint="which of p and q can I sample, which density do I know?",
        mistakes=tuple(mistakes),
    )
    return number, exercise


check_choice = Parts(
    name="which divergence",
    names=("job 1", "job 2", "job 3", "job 4"),
    exercises=(
        _job(
            0,
            "compression",
            1,
            (
                "It forgives a q that ignores half of the data, which you then cannot "
                "store",
                "It is at most log 2, however badly a file is stored",
                "It knows no code lengths: the price of a file is −log q",
            ),
        ),
        _job(
            1,
            "the posterior",
            2,
            3 * ("It needs samples of p, the posterior, which you cannot draw",),
        ),
        _job(
            2,
            "a quick test of two samples",
            4,
            (
                "It needs the densities, and you have only samples",
                "It needs the densities, and you have only samples",
                "It needs the densities, or a discriminator that must be trained first",
            ),
        ),
        _job(
            3,
            "the perfect discriminator",
            3,
            (
                "It is not bounded; the game of a GAN is",
                "It is not bounded; the game of a GAN is",
                "A kernel needs no discriminator",
            ),
        ),
    ),
).check


def _with_powers(powers):
    """A Rényi divergence whose powers of p and q are ``powers(α)``."""

    def divergence(log_p, log_q, cell, alpha):
        of_p, of_q = powers(alpha)
        exponent = of_p * log_p + of_q * log_q
        return exponent.exp().sum().mul(cell).log() / (alpha - 1)

    return divergence


_renyi = _with_powers(lambda alpha: (alpha, 1 - alpha))


LOG_P = -0.5 * noise(4, 30).square() - 1.2
LOG_Q = -0.5 * noise(5, 30).square() - 0.9
LOG_P2, LOG_Q2 = -noise(6, 5, 6).square() - 0.4, -noise(7, 5, 6).square() - 0.2


check_renyi = Exercise(
    name="Rényi divergence",
    reference=_renyi,
    cases=(
        (LOG_P, LOG_Q, 0.1, 0.5),
        (LOG_P2, LOG_Q2, 0.3, 0.2),
        (LOG_P, LOG_Q, 0.2, 3),
    ),
    expected="one number in nats",
    first_hint="p^α q^(1 − α) is exp(α log p + (1 − α) log q); sum over the grid, "
    "times cell, then log, then divide by α − 1",
    mistakes=known_mistakes(
        "p and q have changed places: p has the power α",
        lambda lp, lq, cell, a: _renyi(lq, lp, cell, a),
        "divide by α − 1, not by 1 − α",
        lambda lp, lq, cell, a: -_renyi(lp, lq, cell, a),
        "multiply by 1/(α − 1), not by α − 1",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1) ** 2,
        "the factor 1/(α − 1) is missing",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1),
        "the size of a cell is missing inside the logarithm",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a),
        "cell belongs inside the logarithm, next to the sum",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a) * cell,
        "the logarithm of the integral is missing",
        lambda lp, lq, cell, a: (_renyi(lp, lq, cell, a) * (a - 1)).exp() / (a - 1),
        "this is the Tsallis divergence; Rényi's has a log instead of the −1",
        lambda lp, lq, cell, a: (
            ((_renyi(lp, lq, cell, a) * (a - 1)).exp() - 1) / (a - 1)
        ),
        "this is KL(p‖q), the limit for α → 1",
        lambda lp, lq, cell, a: (lp.exp() * (lp - lq)).sum() * cell,
        "log_p is a logarithm: p^α is exp(α log_p), not log_p^α",
        lambda lp, lq, cell, a: (lp**a * lq ** (1 - a)).sum().mul(cell).log() / (a - 1),
        "the power of q is 1 − α, not α",
        _with_powers(lambda a: (a, a)),
        "the power of q is 1 − α, not α − 1",
        _with_powers(lambda a: (a, a - 1)),
        "the power α of p is missing",
        _with_powers(lambda a: (1, 1 - a)),
        "α is the last argument; you used ½",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, 0.5),
        "an integral is a sum over the grid times cell; you took the mean",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell / lp.numel(), a),
        lambda lp, lq, cell, a: _renyi(lp, lq, 1 / lp.numel(), a),
        "this is the integral only; take its logarithm, and divide by α − 1",
        lambda lp, lq, cell, a: (_renyi(lp, lq, cell, a) * (a - 1)).exp(),
        "the brackets are missing: divide by (α − 1)",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1) / a - 1,
    ),
).check
