"""The first checks of notebook 02: sampling from a mixture, and the E-step."""

import math

import torch

from course_utils.checks import Exercise, Mistake

LOG_2PI = math.log(2 * math.pi)


def _tensors(*values):
    return tuple(torch.tensor(value, dtype=torch.float64) for value in values)


def _sample(weights, means, sigmas, u, noise):
    z = torch.searchsorted(weights.cumsum(0), u).clamp(max=len(weights) - 1)
    return means[z] + sigmas[z] * noise


def _equal_shares(weights, means, sigmas, u, noise):
    return _sample(torch.full_like(weights, 1 / len(weights)), means, sigmas, u, noise)


_U = [0.05, 0.93, 0.31, 0.62, 0.11, 0.77, 0.48]
_NOISE = [0.4, -1.1, 0.3, 1.6, -0.2, 0.9, -0.7]

check_sample = Exercise(
    name="sample from a mixture",
    reference=_sample,
    cases=(
        _tensors([0.2, 0.5, 0.3], [-3.0, 1.0, 6.0], [0.5, 2.0, 0.3], _U, _NOISE),
        _tensors([0.6, 0.4], [2.0, -4.0], [1.5, 0.7], _U, _NOISE),
    ),
    expected="one number for each entry of u, shape (n,)",
    first_hint="z is the first k with φ₀ + … + φ_k ≥ u: torch.searchsorted finds it",
    mistakes=(
        Mistake(
            "all components come equally often: the weights φ are not used",
            _equal_shares,
        ),
        Mistake(
            "you added the weighted bumps; a mixture chooses one of them for each "
            "example, and uses only that one",
            lambda w, m, s, u, e: (w * m).sum() + (w * s).sum() * e,
        ),
        Mistake(
            "you have the means of the components; add σ_z times the noise",
            lambda w, m, s, u, e: _sample(w, m, 0 * s, u, e),
        ),
        Mistake(
            "multiply the noise by σ of the chosen component",
            lambda w, m, s, u, e: _sample(w, m, torch.ones_like(s), u, e),
        ),
        Mistake(
            "you multiplied the noise by σ²; it needs σ",
            lambda w, m, s, u, e: _sample(w, m, s**2, u, e),
        ),
        Mistake(
            "you compare u with φ; compare it with the cumulative sum of φ",
            lambda w, m, s, u, e: _sample(
                torch.diff(w, prepend=torch.zeros(1)), m, s, u, e
            ),
        ),
        Mistake(
            "this is z, the chosen component; return x",
            lambda w, m, s, u, e: torch.searchsorted(w.cumsum(0), u),
        ),
    ),
).check


def _log_bumps(x, means, sigmas):
    y = (x[:, None] - means) / sigmas
    return -0.5 * y.square() - sigmas.log() - 0.5 * LOG_2PI


def _shares_of_densities(x, weights, means, sigmas):
    joint = weights * _log_bumps(x, means, sigmas).exp()
    return joint / joint.sum(1, keepdim=True)


def _responsibilities(x, weights, means, sigmas):
    return (weights.log() + _log_bumps(x, means, sigmas)).softmax(1)


_WEIGHTS, _MEANS, _SIGMAS = _tensors([0.2, 0.5, 0.3], [-1.0, 1.0, 4.0], [0.5, 2.0, 1.5])
_NEAR = torch.tensor([-1.5, 0.2, 2.5, 5.0, 90.0], dtype=torch.float64)

check_e_step = Exercise(
    name="E-step",
    reference=_responsibilities,
    cases=(
        (_NEAR, _WEIGHTS, _MEANS, _SIGMAS),
        (_NEAR - 1, _WEIGHTS[[0, 2]] * 2, _MEANS[:2], _SIGMAS[1:]),
    ),
    expected="shape (n, k): one row for each x, and each row sums to one",
    first_hint="log φ_k + log N(x | μ_k, σ_k²) in an (n, k) table, then normalise rows",
    mistakes=(
        Mistake(
            "far from all components every density underflows to 0, and 0/0 is NaN; "
            "stay with logarithms and use softmax (or logsumexp)",
            _shares_of_densities,
        ),
        Mistake(
            "you normalised over the examples; each row (one x) must sum to one, so "
            "use dim=1",
            lambda x, w, m, s: (w.log() + _log_bumps(x, m, s)).softmax(0),
        ),
        Mistake(
            "the weights φ are missing: p(z = k) comes before Bayes' rule",
            lambda x, w, m, s: _log_bumps(x, m, s).softmax(1),
        ),
        Mistake(
            "this is the joint density p(x, z); divide by its sum over z",
            lambda x, w, m, s: (w.log() + _log_bumps(x, m, s)).exp(),
        ),
        Mistake(
            "this is log p(x, z); normalise it with softmax over z",
            lambda x, w, m, s: w.log() + _log_bumps(x, m, s),
        ),
        Mistake(
            "these are the densities of the components; weigh and normalise them",
            lambda x, w, m, s: _log_bumps(x, m, s).exp(),
        ),
        Mistake(
            "these are logarithms of the responsibilities; take exp",
            lambda x, w, m, s: (w.log() + _log_bumps(x, m, s)).log_softmax(1),
        ),
        Mistake(
            "you added φ; its logarithm belongs there",
            lambda x, w, m, s: (w + _log_bumps(x, m, s)).softmax(1),
        ),
        Mistake(
            "the result is turned: one row for each x, one column for each component",
            lambda x, w, m, s: _responsibilities(x, w, m, s).T,
        ),
        Mistake(
            "log σ is missing: it differs between components, so it does not cancel",
            lambda x, w, m, s: (w.log() + _log_bumps(x, m, s) + s.log()).softmax(1),
        ),
        Mistake(
            "the ½ before the squares is missing",
            lambda x, w, m, s: (
                w.log() - ((x[:, None] - m) / s).square() - s.log()
            ).softmax(1),
        ),
        Mistake(
            "sigma is σ, not σ²: square it before you divide",
            lambda x, w, m, s: (w.log() + _log_bumps(x, m, s.sqrt())).softmax(1),
        ),
    ),
).check
