"""The exercise of notebook 03 on coordinate ascent."""

import torch

from course_utils.checks import Exercise, f64, known_mistakes, noise

# ------------------------------------------------- section 5: coordinate ascent


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


def _gradient_step(rate):
    return lambda m, mean, precision: m - rate * precision @ (m - mean)


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
        "these are more than one sweep, too many: each coordinate gets one turn",
        *(_sweep(sweeps=n) for n in range(2, 11)),
        "you used the covariance; the formula has the precision Λ, its inverse",
        lambda m, mean, precision: cavi_sweep(m, mean, precision.inverse()),
        "divide by Λ_ii, precision[i, i]: the division is missing",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L)),
        "divide the whole sum by Λ_ii, precision[i, i]; you divided each term by the "
        "Λ_jj of the other, or by the sum of a row",
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L / L.diagonal())),
        _sweep(lambda i, m, mean, L: mean[i] - _pull(i, m, mean, L) / L[i].sum()),
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
        "this is a gradient step; here each coordinate goes to its best value at once: "
        "the sum over the others, divided by Λ_ii",
        *(_gradient_step(rate) for rate in (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)),
        "this is the gradient Λ (m − μ); write the new m",
        lambda m, mean, precision: precision @ (m - mean),
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
