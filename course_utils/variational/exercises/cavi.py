"""Exercise 3 of notebook 03: one sweep of coordinate ascent."""

import torch

from course_utils.checks import Exercise, Trait, f64, known_mistakes, noise


def cavi_sweep(m, mean, precision):
    """Each m_i in its turn: μ_i − Σ_{j≠i} Λ_ij (m_j − μ_j) / Λ_ii."""
    m = m.clone()
    for i in range(len(m)):
        others = torch.arange(len(m)) != i
        pull = precision[i, others] @ (m[others] - mean[others])
        m[i] = mean[i] - pull / precision[i, i]
    return m


def _with_all(m, mean, precision):
    m = m.clone()
    for i in range(len(m)):
        step = precision[i] @ (m - mean) / precision[i, i]  # j = i gives m_i − μ_i
        m[i] = m[i] - step
    return m


def _pull(i, m, mean, precision, chosen=None):
    """Σ_j Λ_ij (m_j − μ_j) over j ≠ i, or over those that are ``chosen``."""
    others = [j for j in range(len(m)) if j != i] if chosen is None else list(chosen)
    return (precision[i, others] * (m[others] - mean[others])).sum()


def _best(i, m, mean, precision):
    return mean[i] - _pull(i, m, mean, precision) / precision[i, i]


def _sweep(rule=_best, order=range, sweeps=1):
    """Each m_i by ``rule(i, m, mean, precision)``, where m holds the new values."""

    def answer(m, mean, precision):
        m = m.clone()
        for i in [*order(len(m))] * sweeps:
            m[i] = rule(i, m, mean, precision)
        return m

    return answer


def _all_at_once(m, mean, precision):
    return torch.stack([_best(i, m, mean, precision) for i in range(len(m))])


def _along(way):
    """Is the whole step from m a multiple of ``way(m, mean, precision)``?"""

    def shown(result, m, mean, precision):
        ratio = (result[0] - m) / way(m, mean, precision)
        return (ratio - ratio[0]).abs().max() < 1e-5 * ratio[0].abs()

    return shown


def _first_is_right(result, m, mean, precision):
    right = cavi_sweep(m, mean, precision)
    return (result[0] - right)[0].abs() < 1e-6


def _case_of_cavi(seed, d=4):
    factor = noise(seed, d, d)
    precision = factor @ factor.T / d + torch.diag(f64(*range(2, d + 2)) / 4)
    return 2 * noise(seed + 1, d), noise(seed + 2, d) + 1, precision


OTHER_SIZE = (
    "two sizes do not fit: use the arguments m, mean and precision alone, for any d. A "
    "global variable of the notebook, such as target (d = 2), stands in their place"
)

check_cavi = Exercise(
    name="CAVI sweep",
    solution=cavi_sweep,
    also=(_with_all,),
    draw=_case_of_cavi,
    expected="the new means m, one for each coordinate, shape (d,)",
    hints=(
        "copy m, then go through the coordinates, one by one, and write each new m_i "
        "into the copy: the next one uses it",
        "m_i = μ_i − Σ_{j≠i} Λ_ij (m_j − μ_j) / Λ_ii, with the newest m_j",
        "others = torch.arange(len(m)) != i, then m[i] = mean[i] − precision[i, "
        "others] @ (m[others] − mean[others]) / precision[i, i]",
    ),
    error_hints={
        "with size 2": OTHER_SIZE,
        "The shape of the mask [4]": OTHER_SIZE,
        "The shape of the mask [2]": OTHER_SIZE,
        "(2) must match": OTHER_SIZE,
        "tensor b (2)": OTHER_SIZE,
    },
    traits=(
        Trait(
            "this is a gradient step; here each coordinate goes to its best value at "
            "once: the sum over the others, divided by Λ_ii",
            _along(lambda m, mean, precision: precision @ (m - mean)),
        ),
        Trait(
            "m moves straight to mean, or away from it, all coordinates by one factor; "
            "here each coordinate is pulled by the others, with the weights Λ_ij",
            _along(lambda m, mean, precision: m - mean),
        ),
        Trait(
            "some values are as they came: every coordinate gets its turn, for i in "
            "range(len(m)), and is written into m",
            lambda result, m, mean, precision: (result[0] == m).any(),
        ),
        Trait(
            "the first new value is right, a later one is not: does each use the "
            "newest values, and does its sum hold all the others, j ≠ i, with the row "
            "precision[i]?",
            _first_is_right,
        ),
    ),
    mistakes=known_mistakes(
        "every coordinate used the old values; use the newest ones as soon as you have "
        "them (write into m, one by one, not all at once)",
        _all_at_once,
        "only the first coordinate is new: does `return` stand inside the loop? Mind "
        "its indentation: every coordinate gets its turn",
        _sweep(order=lambda d: [0]),
        "only the last coordinate is new: every coordinate gets its turn",
        _sweep(order=lambda d: [d - 1]),
        "the first coordinate is not updated: count from 0, range(len(m))",
        _sweep(order=lambda d: range(1, d)),
        "the last coordinate is not updated: every coordinate gets its turn, "
        "range(len(m))",
        _sweep(order=lambda d: range(d - 1)),
        "you went from the last coordinate to the first; begin with the first one",
        _sweep(order=lambda d: range(d)[::-1]),
        "this is mean itself. Many sweeps converge to it, but only one sweep is asked; "
        "or no coordinate pulls: the sum must hold all others (j ≠ i), the later ones, "
        "too, with their values in m",
        lambda m, mean, precision: mean,
        "only half of each step is taken: m_i becomes the best value itself",
        _sweep(lambda *case: (case[1][case[0]] + _best(*case)) / 2),
        "the mask is turned round: the sum goes over the others, j ≠ i",
        _sweep(lambda i, m, mean, L: 2 * mean[i] - m[i]),
        "these are more than one sweep, too many: each coordinate gets one turn",
        *(_sweep(sweeps=n) for n in range(2, 11)),
        "you used the covariance; the formula has the precision Λ, its inverse",
        lambda m, mean, precision: cavi_sweep(m, mean, precision.inverse()),
        "divide by Λ_ii, precision[i, i]: the division is missing",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L)),
        "brackets: only the sum is divided by Λ_ii, not mean[i]",
        _sweep(lambda i, m, mean, L: (mean[i] - _pull(i, m, mean, L)) / L[i, i]),
        "divide by Λ_ii of the precision; you multiplied by the variance of the "
        "covariance, its inverse matrix: 1/Λ_ii is smaller",
        _sweep(
            lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L) * L.inverse()[i, i]
        ),
        "this is the covariance, and its inverse for the others is missing: use "
        "the precision Λ, as in the formula",
        _sweep(lambda i, m, mean, L: mean[i] + _pull(i, m, mean, L.inverse())),
        "divide the whole sum by Λ_ii, precision[i, i]; you divided each term by the "
        "Λ_jj of the other, or by the sum of a row",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L / L.diagonal())),
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L) / L[i].sum()),
        "the weights Λ_ij are missing in the sum: precision[i, j] times each distance",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, 0 * L + 1) / L[i, i]),
        "add the pulls of the others up: this is their mean",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, m, mean, L) / (len(m) - 1) / L[i, i]
            )
        ),
        "precision keeps its sign: no abs()",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L.abs()) / L[i, i]),
        "only one other coordinate pulls: the sum must hold all of them, j ≠ i",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, m, mean, L, [(i + 1) % len(m)]) / L[i, i]
            )
        ),
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L, [i - 1]) / L[i, i]),
        "the sum has the j ≤ i: leave j = i out, and take the later ones, too (j ≠ i)",
        _sweep(
            lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L, range(i + 1)) / L[i, i]
        ),
        "the others pull by their own distance m_j − μ_j, not by that of m_i",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, m[i].expand(len(m)), mean, L) / L[i, i]
            )
        ),
        "in the pull of i stands the row i of Λ, precision[i, others], not the block "
        "of the others",
        _sweep(
            lambda i, m, mean, L: (
                mean[i]
                - sum(
                    _pull(i, m, mean, L[[j] * len(m)]) for j in range(len(m)) if j != i
                )
                / L[i, i]
            )
        ),
        "the sum must leave j = i out, or z_i pulls at itself",
        lambda m, mean, L: mean - L @ (m - mean) / L.diagonal(),
        "the others pull by m_j − μ_j, not by m_j, and j = i is left out of the sum",
        _sweep(lambda i, m, mean, L: mean[i] - L[i] @ m / L[i, i]),
        _sweep(lambda i, m, mean, L: mean[i] - L[i] @ m),
        "the sum must leave j = i out, and Λ_ii divides it",
        _sweep(lambda i, m, mean, L: mean[i] - L[i] @ (m - mean)),
        "the sum must leave j = i out, or z_i pulls at itself",
        _sweep(lambda i, m, mean, L: mean[i] - L[i] @ (m - mean) / L[i, i]),
        "the others pull by m_j − μ_j, their distance from mean[j], not by m_j",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, 0 * mean, L) / L[i, i]),
        "the others pull by m_j − μ_j: subtract mean[j], not mean[i]",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, m, mean[i].expand(len(m)), L) / L[i, i]
            )
        ),
        "the sum has only the j > i: every other coordinate pulls, the earlier ones, "
        "too (j ≠ i)",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, m, mean, L, range(i + 1, len(m))) / L[i, i]
            )
        ),
        "the sign of the pull is turned round: it is μ_i minus the sum",
        _sweep(lambda i, m, mean, L: mean[i] + _pull(i, m, mean, L) / L[i, i]),
        "the old m_i stands where μ_i, mean[i], belongs",
        _sweep(lambda i, m, mean, L: m[i] - _pull(i, m, mean, L) / L[i, i]),
        "this is the gradient Λ (m − μ); write the new m",
        lambda m, mean, precision: precision @ (m - mean),
        "the whole of Λ multiplies m − μ here, added to or taken from mean; write each "
        "m_i by itself, with the sum over j ≠ i, divided by Λ_ii",
        lambda m, mean, precision: mean + precision @ (m - mean),
        lambda m, mean, precision: mean - precision @ (m - mean),
        lambda m, mean, precision: m - precision.inverse() @ (m - mean),
        "another number stands where Λ_ii, precision[i, i], divides the sum",
        *(
            _sweep(
                lambda i, m, mean, L, of=of: mean[i] - _pull(i, m, mean, L) / of(L, i)
            )
            for of in (
                lambda L, i: L.inverse()[i, i],
                lambda L, i: L.det(),
                lambda L, i: L.trace(),
                lambda L, i: L.diagonal().prod(),
            )
        ),
        "the distances m_j − μ_j stand in the sum as they are, without a square",
        _sweep(
            lambda i, m, mean, L: (
                mean[i] - _pull(i, mean + (m - mean) ** 2, mean, L) / L[i, i]
            )
        ),
        "these are the moves, new minus old; return the new m",
        lambda *case: cavi_sweep(*case) - case[0],
        "these are the errors, m − mean; return the new m",
        lambda *case: cavi_sweep(*case) - case[1],
        "these are the variances 1/Λ_ii; the new means m are asked",
        lambda m, mean, precision: 1 / precision.diagonal(),
        "these are the old values, as they came: write the new ones into m",
        lambda m, mean, precision: m,
    ),
).check
