"""More checks of notebook 06: MMD², a choice, and the Rényi divergence."""

import torch

from course_utils.exercises import Exercise, Mistake, Parts


def _random(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


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


def _divided_by_all(x, y, sigma):
    k = _gauss(sigma)
    within = sum((k(_distances(a, a)).sum() - len(a)) / len(a) ** 2 for a in (x, y))
    return within - 2 * k(_distances(x, y)).mean()


def _sums(x, y, sigma):
    k = _gauss(sigma)
    within = sum(k(_distances(a, a)).sum() - len(a) for a in (x, y))
    return within - 2 * k(_distances(x, y)).sum()


X, Y = _random(0, 7, 2), _random(1, 5, 2) + 1
X1, Y1 = _random(2, 4, 3), 1.5 * _random(3, 6, 3)

check_mmd2 = Exercise(
    name="MMD²",
    reference=lambda x, y, sigma: _mmd2(x, y, _gauss(sigma)),
    cases=((X, Y, 0.7), (X1, Y1, 1.6)),
    expected="one number, the unbiased estimate",
    first_hint="three means over pairs: x with x, y with y, minus twice x with y; "
    "torch.cdist gives the distances",
    mistakes=(
        Mistake(
            "the diagonals are inside: each example is compared with itself, which "
            "makes the estimate biased; leave k(x, x) out and divide by n (n − 1)",
            lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), own=True),
        ),
        Mistake(
            "the diagonals are out, but you still divide by n²: there are n (n − 1) "
            "pairs",
            _divided_by_all,
        ),
        Mistake(
            "the kernel is exp(−‖x − y‖² / (2σ²)): its 2 is missing",
            lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / sigma**2).exp()),
        ),
        Mistake(
            "you divided by 2σ; the kernel needs 2σ²",
            lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / (2 * sigma)).exp()),
        ),
        Mistake(
            "σ is missing in the kernel: divide by 2σ²",
            lambda x, y, sigma: _mmd2(x, y, lambda s: (-s / 2).exp()),
        ),
        Mistake(
            "you multiplied by σ²; the squared distance is divided by 2σ²",
            lambda x, y, sigma: _mmd2(x, y, lambda s: (-s * sigma**2 / 2).exp()),
        ),
        Mistake(
            "the distance must be squared: torch.cdist gives ‖x − y‖",
            lambda x, y, sigma: _mmd2(
                x, y, lambda s: (-s.sqrt() / (2 * sigma**2)).exp()
            ),
        ),
        Mistake(
            "the mean between x and y counts twice",
            lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), between=1.0),
        ),
        Mistake(
            "the mean between x and y is subtracted",
            lambda x, y, sigma: _mmd2(x, y, _gauss(sigma), between=-2.0),
        ),
        Mistake("these are sums; take the mean over the pairs", _sums),
        Mistake(
            "this is the root, MMD; the estimate of MMD² may be negative, so it has "
            "none",
            lambda x, y, sigma: _mmd2(x, y, _gauss(sigma)).sqrt(),
        ),
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
            (
                "It needs samples of p, the posterior, which you cannot draw",
                "It needs samples of p, the posterior, which you cannot draw",
                "It needs samples of p, the posterior, which you cannot draw",
            ),
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


def _renyi(log_p, log_q, cell, alpha):
    exponent = alpha * log_p + (1 - alpha) * log_q
    return exponent.exp().sum().mul(cell).log() / (alpha - 1)


LOG_P, LOG_Q = (
    -0.5 * _random(4, 30).square() - 1.2,
    -0.5 * _random(5, 30).square() - 0.9,
)
LOG_P2, LOG_Q2 = -_random(6, 5, 6).square() - 0.4, -_random(7, 5, 6).square() - 0.2

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
    mistakes=(
        Mistake(
            "p and q have changed places: p has the power α",
            lambda lp, lq, cell, a: _renyi(lq, lp, cell, a),
        ),
        Mistake(
            "divide by α − 1, not by 1 − α",
            lambda lp, lq, cell, a: -_renyi(lp, lq, cell, a),
        ),
        Mistake(
            "multiply by 1/(α − 1), not by α − 1",
            lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1) ** 2,
        ),
        Mistake(
            "the factor 1/(α − 1) is missing",
            lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1),
        ),
        Mistake(
            "the size of a cell is missing inside the logarithm",
            lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a),
        ),
        Mistake(
            "cell belongs inside the logarithm, next to the sum",
            lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a) * cell,
        ),
        Mistake(
            "the logarithm of the integral is missing",
            lambda lp, lq, cell, a: (_renyi(lp, lq, cell, a) * (a - 1)).exp() / (a - 1),
        ),
        Mistake(
            "this is the Tsallis divergence; Rényi's has a log instead of the −1",
            lambda lp, lq, cell, a: (
                ((_renyi(lp, lq, cell, a) * (a - 1)).exp() - 1) / (a - 1)
            ),
        ),
        Mistake(
            "this is KL(p‖q), the limit for α → 1",
            lambda lp, lq, cell, a: (lp.exp() * (lp - lq)).sum() * cell,
        ),
        Mistake(
            "log_p is a logarithm: p^α is exp(α log_p), not log_p^α",
            lambda lp, lq, cell, a: (
                (lp**a * lq ** (1 - a)).sum().mul(cell).log() / (a - 1)
            ),
        ),
        Mistake(
            "the power of q is 1 − α, not α",
            lambda lp, lq, cell, a: (
                (a * (lp + lq)).exp().sum().mul(cell).log() / (a - 1)
            ),
        ),
    ),
).check
