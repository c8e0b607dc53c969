"""The checks of notebook 02: sample, E-step, M-step, a mixture of Bernoullis.

Each mistake is a function of its own, which returns what a learner's slip returns.
Checks that ask for a tuple have an ``Exercise`` for each of its entries.
"""

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Parts, f64, known_mistakes, noise

# ------------------------------------------- section 2: sample from a mixture


def _sample(weights, means, sigmas, u, noise):
    z = torch.searchsorted(weights.cumsum(0), u).clamp(max=len(weights) - 1)
    return means[z] + sigmas[z] * noise


_U = f64(0.05, 0.93, 0.31, 0.62, 0.11, 0.77, 0.48)
_NOISE = f64(0.4, -1.1, 0.3, 1.6, -0.2, 0.9, -0.7)

check_sample = Exercise(
    name="sample from a mixture",
    reference=_sample,
    cases=(
        (f64(0.2, 0.5, 0.3), f64(-3, 1, 6), f64(0.5, 2.0, 0.3), _U, _NOISE),
        (f64(0.6, 0.4), f64(2, -4), f64(1.5, 0.7), _U, _NOISE),
    ),
    expected="one number for each entry of u, shape (n,)",
    first_hint="z is the first k with φ₀ + … + φ_k ≥ u: torch.searchsorted finds it",
    mistakes=known_mistakes(
        "all components come equally often: the weights φ are not used",
        lambda w, m, s, u, e: _sample(torch.full_like(w, 1 / len(w)), m, s, u, e),
        "you added the weighted bumps; a mixture chooses one of them for each "
        "example, and uses only that one",
        lambda w, m, s, u, e: w @ m + (w @ s) * e,
        "you have the means of the components; add σ_z times the noise",
        lambda w, m, s, u, e: _sample(w, m, 0 * s, u, e),
        "multiply the noise by σ of the chosen component",
        lambda w, m, s, u, e: _sample(w, m, torch.ones_like(s), u, e),
        "you multiplied the noise by σ²; it needs σ",
        lambda w, m, s, u, e: _sample(w, m, s**2, u, e),
        # the cumulative sum of these differences is φ itself
        "you compare u with φ; compare it with the cumulative sum of φ",
        lambda w, m, s, u, e: _sample(w.diff(prepend=f64(0)), m, s, u, e),
        "this is z, the chosen component; return x",
        lambda w, m, s, u, e: torch.searchsorted(w.cumsum(0), u),
    ),
).check


# --------------------------------------------------- section 3: responsibilities


def _log_bumps(x, means, sigmas):
    return Normal(means, sigmas).log_prob(x[:, None])  # (n, k)


def _log_joint(x, weights, means, sigmas):
    return weights.log() + _log_bumps(x, means, sigmas)


def _normalised(joint):
    """The shares from densities: right on paper, 0/0 where all of them underflow."""
    return joint / joint.sum(1, keepdim=True)


# The last x lies so far out that every density underflows to 0.
_X = f64(-1.5, 0.2, 2.5, 5.0, 90.0)
_BUMPS = f64(0.2, 0.5, 0.3), f64(-1, 1, 4), f64(0.5, 2.0, 1.5)
_TWO_BUMPS = f64(0.4, 0.6), f64(-1, 1), f64(2.0, 1.5)

check_e_step = Exercise(
    name="E-step",
    reference=lambda *case: _log_joint(*case).softmax(1),
    cases=((_X, *_BUMPS), (_X - 1, *_TWO_BUMPS)),
    expected="shape (n, k): one row for each x, and each row sums to one",
    first_hint="log φ_k + log N(x | μ_k, σ_k²) in an (n, k) table, then normalise rows",
    mistakes=known_mistakes(
        "far from all components every density underflows to 0, and 0/0 is NaN; "
        "stay with logarithms and use softmax (or logsumexp)",
        lambda *case: _normalised(_log_joint(*case).exp()),
        "you normalised over the examples; each row (one x) must sum to one, so "
        "use dim=1",
        lambda *case: _log_joint(*case).softmax(0),
        "the weights φ are missing: p(z = k) comes before Bayes' rule",
        lambda x, w, m, s: _log_bumps(x, m, s).softmax(1),
        "this is the joint density p(x, z); divide by its sum over z",
        lambda *case: _log_joint(*case).exp(),
        "this is log p(x, z); normalise it with softmax over z",
        _log_joint,
        "these are the densities of the components; weigh and normalise them",
        lambda x, w, m, s: _log_bumps(x, m, s).exp(),
        "these are logarithms of the responsibilities; take exp",
        lambda *case: _log_joint(*case).log_softmax(1),
        "you added φ; its logarithm belongs there",
        lambda x, w, m, s: (w + _log_bumps(x, m, s)).softmax(1),
        "the result is turned: one row for each x, one column for each component",
        lambda *case: _log_joint(*case).softmax(1).T,
        "log σ is missing: it differs between components, so it does not cancel",
        lambda x, w, m, s: (_log_joint(x, w, m, s) + s.log()).softmax(1),
        "the ½ before the squares is missing",
        lambda x, w, m, s: (
            _log_joint(x, w, m, s) - 0.5 * ((x[:, None] - m) / s).square()
        ).softmax(1),
        "sigma is σ, not σ²: square it before you divide",
        lambda x, w, m, s: _log_joint(x, w, m, s.sqrt()).softmax(1),
    ),
).check


# ---------------------------------------------------------- section 4: the M-step


def _means(x, r):
    return r.T @ x / r.sum(0)[:, None]


def _scatter(x, r, centres):
    """Σₙ rₙₖ (xₙ − cₖ)(xₙ − cₖ)ᵀ for each k: ``(k, d, d)``."""
    y = x[None] - centres[:, None]  # (k, n, d)
    return (r.T[:, :, None] * y).mT @ y


def _covariances(x, r, centres):
    return _scatter(x, r, centres) / r.sum(0)[:, None, None]


def _variances(x, r):
    return _covariances(x, r, _means(x, r)).diagonal(dim1=1, dim2=2)


def _m_step_case(seed, n, d, k):
    rows = noise(seed, n, d + k)
    # The third argument, the old means, tempts: it is not needed.
    return 2 * rows[:, :d] + 1, rows[:, d:].softmax(1), noise(seed + 2, k, d)


_M_STEP_CASES = (_m_step_case(0, 5, 2, 3), _m_step_case(1, 7, 1, 2))

_m_step_weights = Exercise(
    name="M-step, weights",
    reference=lambda x, r, old: r.mean(0),
    cases=_M_STEP_CASES,
    expected="weights of shape (k,)",
    first_hint="N_k is the sum of column k of r; start with weights = N_k / n",
    mistakes=known_mistakes(
        "these are the N_k; divide by n so that they sum to one",
        lambda x, r, old: r.sum(0),
    ),
)

_m_step_means = Exercise(
    name="M-step, means",
    reference=lambda x, r, old: _means(x, r),
    cases=_M_STEP_CASES,
    expected="means of shape (k, d)",
    first_hint="Σₙ rₙₖ xₙ for all k is one matrix product, r.T @ x; then divide by N_k",
    mistakes=known_mistakes(
        "divide by N_k, the sum of the shares",
        lambda x, r, old: r.T @ x,
        "you divided by n; each component divides by its own N_k",
        lambda x, r, old: r.T @ x / len(x),
        "these are the old means; average the data",
        lambda x, r, old: old,
    ),
)

_m_step_covariances = Exercise(
    name="M-step, covariances",
    reference=lambda x, r, old: _covariances(x, r, _means(x, r)),
    cases=_M_STEP_CASES,
    expected="covariances of shape (k, d, d)",
    first_hint="centre x at each mean, (k, n, d); then weigh, multiply, divide by N_k",
    mistakes=known_mistakes(
        "the means are right, but here you centred at the old means; use the new",
        _covariances,  # its third argument is the old means
        "divide by N_k, the sum of the shares",
        lambda x, r, old: _scatter(x, r, _means(x, r)),
        "you divided by n; each component divides by its own N_k",
        lambda x, r, old: _scatter(x, r, _means(x, r)) / len(x),
        "these are the variances of each coordinate; a covariance needs the outer "
        "product (x − μ)(x − μ)ᵀ, shape (d, d)",
        lambda x, r, old: _variances(x, r),
        "off the diagonal there are zeros; the outer product (x − μ)(x − μ)ᵀ is "
        "missing, you only squared",
        lambda x, r, old: torch.diag_embed(_variances(x, r)),
        "centre the data first: this is Σ r x xᵀ / N_k",
        lambda x, r, old: _covariances(x, r, 0 * old),
    ),
)

check_m_step = Parts(
    name="M-step",
    names=("weights", "means", "covariances"),
    exercises=((0, _m_step_weights), (1, _m_step_means), (2, _m_step_covariances)),
).check


# ------------------------------------------- section 6: a mixture of Bernoullis


def bernoulli_em_step(x, weights, probs):
    """One EM step for p(x) = Σₖ φₖ Πᵢ pₖᵢ^xᵢ (1 − pₖᵢ)^(1 − xᵢ): new weights and probs.

    ``x`` ``(n, d)`` holds 0 and 1, ``weights`` is ``(k,)``, ``probs`` ``(k, d)`` lies
    inside (0, 1).
    """
    return _averages(x, _shares(x, weights, probs))


def _log_bernoulli(x, probs):
    """log p(x | z = k), ``(n, k)``: the sum over pixels is a matrix product."""
    return x @ probs.log().T + (1 - x) @ (1 - probs).log().T


def _shares(x, weights, probs):
    return (weights.log() + _log_bernoulli(x, probs)).softmax(1)


def _averages(x, r):
    return r.mean(0), _means(x, r)


def _bits(seed, n, d):
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(n, d, generator=generator) < 0.4).double()
    probs = torch.rand(2, d, generator=generator).double() * 0.8 + 0.1
    return x, f64(0.35, 0.65), probs


_SMALL = (_bits(0, 9, 3), _bits(1, 7, 2))
_LARGE = (_bits(2, 6, 1500),)  # here products of probabilities underflow


def _bernoulli(entry, name, cases, *mistakes):
    """The number of an entry of the result, and the exercise on it."""
    exercise = Exercise(
        name=f"mixture of Bernoullis, {name}",
        reference=lambda x, w, p: bernoulli_em_step(x, w, p)[entry],
        cases=cases,
        expected=("weights of shape (k,)", "probs of shape (k, d)")[entry],
        first_hint="log p(x, z) = log φ_z + Σᵢ xᵢ log p_zᵢ + (1 − xᵢ) log(1 − p_zᵢ)",
        mistakes=known_mistakes(  # those of the E-step show in both entries
            "the terms (1 − x) log(1 − p) are missing: a 0 is an observation too",
            lambda x, w, p: _averages(x, (w.log() + x @ p.log().T).softmax(1))[entry],
            "the weights φ are missing in the E-step",
            lambda x, w, p: _averages(x, _log_bernoulli(x, p).softmax(1))[entry],
            *mistakes,
        ),
    )
    return entry, exercise


check_bernoulli_em_step = Parts(
    name="mixture of Bernoullis",
    names=("weights", "probs"),
    exercises=(
        _bernoulli(0, "weights", _SMALL),
        _bernoulli(
            1,
            "probs",
            _SMALL,
            "divide by N_k, the sum of the shares of each component",
            lambda x, w, p: _shares(x, w, p).T @ x,
            "you divided by n; each component divides by its own N_k",
            lambda x, w, p: _shares(x, w, p).T @ x / len(x),
        ),
        _bernoulli(
            1,
            "many pixels",
            _LARGE,
            "a product of 1500 probabilities underflows to 0, and 0/0 is NaN; add "
            "their logarithms and use softmax",
            lambda x, w, p: _means(x, _normalised(w * _log_bernoulli(x, p).exp())),
        ),
    ),
).check
