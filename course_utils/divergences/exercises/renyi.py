"""Exercise 5 of notebook 06: the Rényi divergence."""

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def renyi(log_p, log_q, cell, alpha=0.5):
    """log ∫ p^α q^(1 − α) dx / (α − 1), from the logs of the densities."""
    power = (alpha * log_p + (1 - alpha) * log_q).exp()
    return (power.sum() * cell).log() / (alpha - 1)


def _by_powers(log_p, log_q, cell, alpha=0.5):
    p, q = log_p.exp(), log_q.exp()
    integral = (p**alpha * q ** (1 - alpha)).sum() * cell
    return 1 / (alpha - 1) * integral.log()


def _by_logsumexp(log_p, log_q, cell, alpha=0.5):
    power = alpha * log_p + (1 - alpha) * log_q
    return (power.flatten().logsumexp(0) + cell.log()) / (alpha - 1)


def _integral(lp, lq, cell, a, b):
    """∫ pᵃ qᵇ dx, from the logarithms of p and q."""
    return (a * lp + b * lq).exp().sum() * cell


def _renyi(lp, lq, cell, a, b=None):
    return _integral(lp, lq, cell, a, 1 - a if b is None else b).log() / (a - 1)


POWERS = (  # those of p and of q that learners take in place of α and 1 − α
    lambda a: (a - 1, 1 - a),
    lambda a: (a - 1, 2 - a),
    lambda a: (a + 1, -a),
    lambda a: (a, -a),
    lambda a: (1 - a, a - 1),
    lambda a: (1 - a, 1 - a),
    lambda a: (1 - a, 1),
    lambda a: (1, -a),
    lambda a: (1, a),
    lambda a: (1, a - 1),
    lambda a: (a, 1 + a),
    lambda a: (1, 1),
    lambda a: (1, 0),
)


def _tables(seed, *shape):
    """Densities on a grid; at an even seed they are above 1, with logs above 0."""
    cell = f64(0.006, 0.12)[seed % 2] * (1 + 0.1 * seed)
    alpha = f64(0.3, 1.6)[seed % 2] + 0.03 * seed
    logs = (
        (noise(30 * seed + i, *shape) * f64(0.4, 0.8)[seed % 2]).clamp(-0.9, 2)
        for i in (1, 2)
    )
    return *(v - v.exp().sum().mul(cell).log() for v in logs), cell, alpha


check_renyi = Exercise(
    name="Rényi divergence",
    solution=renyi,
    also=(_by_powers, _by_logsumexp),
    draw=lambda seed: _tables(seed, 5, 6),
    expected="one number in nats",
    hints=(
        "p^α q^(1 − α) is exp(α log p + (1 − α) log q), a number for each cell",
        "sum it over the whole grid, times cell; then the log; then divide by α − 1",
        "power = (alpha * log_p + (1 - alpha) * log_q).exp(); the integral is "
        "power.sum() * cell",
    ),
    error_hints={
        "Dimension out of range": "the grid may be a line or a plane: sum over all of "
        "it, .sum() without dim",
    },
    extremes=(Extreme("a grid may be a line, too: sum over all of it", _tables(1, 9)),),
    mistakes=known_mistakes(
        "p and q have changed places: p has the power α",
        lambda lp, lq, cell, a: _renyi(lq, lp, cell, a),
        "divide by α − 1, not by 1 − α: the sign is turned round (minus)",
        lambda lp, lq, cell, a: -_renyi(lp, lq, cell, a),
        "α − 1 keeps its sign: no absolute value",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * (a - 1) / (a - 1).abs(),
        "multiply by 1/(α − 1), not by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() * (a - 1),
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() * (1 - a),
        "the factor 1/(α − 1) is missing: divide by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log(),
        lambda lp, lq, cell, a: -_integral(lp, lq, cell, a, 1 - a).log(),
        "you divided by α, not by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() / a,
        "you divided by α (α − 1), as other families do; Rényi's has α − 1 alone",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) / a,
        lambda lp, lq, cell, a: -_renyi(lp, lq, cell, a) / a,
        "the size of a cell is missing inside the logarithm",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a),
        "cell belongs inside the logarithm, next to the sum",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1.0, a) * cell,
        "you divided by cell: multiply the sum by it, an integral is Σ · cell",
        lambda lp, lq, cell, a: _renyi(lp, lq, 1 / cell, a),
        "cell has a power: multiply the sum by cell itself, once, outside the powers",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell**2, a),
        lambda lp, lq, cell, a: _renyi(lp, lq, cell**a, a),
        lambda lp, lq, cell, a: _renyi(lp, lq, cell ** (1 - a), a),
        "cell is an area, not a side: do not square it or take its root",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell.sqrt(), a),
        "the factor α is too much: only α − 1 stands below the line",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a) * a,
        "add the log of cell to the logsumexp, not cell itself",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell.exp(), a),
        lambda lp, lq, cell, a: _renyi(lp, lq, 1, a) + cell,
        lambda lp, lq, cell, a: _renyi(lp, lq, 1, a) + cell.log(),
        "the logarithm of the integral is missing",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a) / (a - 1),
        "this is the Tsallis divergence; Rényi's has a log instead of the −1",
        lambda lp, lq, cell, a: (_integral(lp, lq, cell, a, 1 - a) - 1) / (a - 1),
        "this is the α-divergence of Amari, without the log; take the log of the "
        "integral instead",
        *(
            lambda lp, lq, cell, a, s=s: (
                s * (1 - _integral(lp, lq, cell, a, 1 - a)) / (a * (1 - a))
            )
            for s in (1, -1)
        ),
        "this is KL(p‖q), the limit for α → 1",
        lambda lp, lq, cell, a: (lp.exp() * (lp - lq)).sum() * cell,
        lambda lp, lq, cell, a: a * (lp.exp() * (lp - lq)).sum() * cell,
        "this is KL(q‖p); the powers α and 1 − α are missing",
        lambda lp, lq, cell, a: (lq.exp() * (lq - lp)).sum() * cell,
        "log_p is a logarithm: p^α is exp(α log_p), not log_p^α",
        lambda lp, lq, cell, a: (lp**a * lq ** (1 - a)).sum().mul(cell).log() / (a - 1),
        lambda lp, lq, cell, a: (
            (lp.abs() ** a * lq.abs() ** (1 - a)).sum().mul(cell).log() / (a - 1)
        ),
        lambda lp, lq, cell, a: _renyi(lp**a / a, lq ** (1 - a) / (1 - a), cell, a),
        "exp() is missing: α log p + (1 − α) log q is the log of the power",
        lambda lp, lq, cell, a: (a * lp + (1 - a) * lq).sum().mul(cell).log() / (a - 1),
        lambda lp, lq, cell, a: (a * lp + (1 - a) * lq).sum().mul(cell) / (a - 1),
        "the largest was taken out before exp(): put it back, add it after the log",
        lambda lp, lq, cell, a: (
            _renyi(lp, lq, cell, a) - (a * lp + (1 - a) * lq).max() / (a - 1)
        ),
        "exp() comes before the sum: first the power of each cell, then add them up",
        lambda lp, lq, cell, a: (
            (a * lp + (1 - a) * lq).sum().exp().mul(cell).log() / (a - 1)
        ),
        "the two powers are multiplied (a product), not added",
        lambda lp, lq, cell, a: (
            ((a * lp).exp() + ((1 - a) * lq).exp()).sum().mul(cell).log() / (a - 1)
        ),
        "α is a power: p^α q^(1 − α), not the mixture or product with weights α and "
        "1 − α",
        lambda lp, lq, cell, a: (
            (a * lp.exp() + (1 - a) * lq.exp()).sum().mul(cell).log() / (a - 1)
        ),
        lambda lp, lq, cell, a: (
            (a * (1 - a) * (lp + lq).exp()).sum().mul(cell).log() / (a - 1)
        ),
        "exp() is taken twice: log_p and log_q stay logs, until their weighted sum",
        lambda lp, lq, cell, a: _renyi(lp.exp(), lq.exp(), cell, a),
        "the brackets of the power are missing: (1 − α) · log_q",
        lambda lp, lq, cell, a: (
            (a * lp + 1 - a * lq).exp().sum().mul(cell).log() / (a - 1)
        ),
        lambda lp, lq, cell, a: (
            (lp.exp() ** a * lq.exp() - a).sum().mul(cell).log() / (a - 1)
        ),
        "the log comes after the sum: add up first (the integral), then take the log",
        lambda lp, lq, cell, a: ((a * lp + (1 - a) * lq) + cell.log()).sum() / (a - 1),
        "the power of q is 1 − α, not α",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, a),
        "the power of q is 1 − α, not α − 1: its sign is turned round (exponent)",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, a - 1),
        "the powers are wrong: p has α and q has 1 − α, so that they add up to 1; you "
        "have other powers of p, of q or of p/q",
        *(
            lambda lp, lq, cell, a, powers=powers: (
                _integral(lp, lq, cell, *powers(a)).log() / (a - 1)
            )
            for powers in POWERS
        ),
        "the power 1 − α of q is missing",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, 1),
        "q itself is missing: the integral is over p^α q^(1 − α)",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, a, 0),
        "the power α of p is missing",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, 1, 1 - a).log() / (a - 1),
        "α is the last argument; you used ½",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell, 0.5),
        lambda lp, lq, cell, a: _integral(lp, lq, cell, 0.5, 0.5).log() / (a - 1),
        "this is the Bhattacharyya distance, with ½ for α",
        lambda lp, lq, cell, a: -_integral(lp, lq, cell, 0.5, 0.5).log(),
        "an integral is a sum over the grid times cell; you took the mean",
        lambda lp, lq, cell, a: _renyi(lp, lq, cell / lp.numel(), a),
        lambda lp, lq, cell, a: _renyi(lp, lq, 1 / lp.numel(), a),
        "sum over the whole grid, every cell of it (any shape), not over one dim: one "
        "number is asked",
        *(
            lambda lp, lq, cell, a, dim=dim: (
                (a * lp + (1 - a) * lq).exp().sum(dim).mul(cell).log() / (a - 1)
            )
            for dim in (-1, 0)
        ),
        lambda lp, lq, cell, a: (
            (a * lp + (1 - a) * lq).exp().sum(-1).mul(cell).log().sum() / (a - 1)
        ),
        lambda lp, lq, cell, a: (
            (a * lp + (1 - a) * lq).exp().sum(0).mul(cell).log().sum() / (a - 1)
        ),
        "this is the integral only; take its logarithm, and divide by α − 1",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a),
        "the brackets are missing: divide by (α − 1)",
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() / a - 1,
        lambda lp, lq, cell, a: _integral(lp, lq, cell, a, 1 - a).log() * (1 / a - 1),
        lambda lp, lq, cell, a: 1 / a - _integral(lp, lq, cell, a, 1 - a).log(),
    ),
).check
