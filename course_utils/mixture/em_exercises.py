"""More checks of notebook 02: the M-step, and EM for a mixture of Bernoullis.

Both ask for a tuple; each part has an ``Exercise`` of its own.
"""

import torch

from course_utils.checks import Exercise, Mistake, Parts

# --------------------------------------------------------------------- the M-step


def _means(x, r):
    return r.T @ x / r.sum(0)[:, None]


def _scatter(x, r, centres):
    """Σₙ rₙₖ (xₙ − cₖ)(xₙ − cₖ)ᵀ for each k."""
    y = x[None] - centres[:, None]
    return (r.T[:, :, None] * y).mT @ y


def _covariances(x, r):
    return _scatter(x, r, _means(x, r)) / r.sum(0)[:, None, None]


def _case(seed, n, d, k):
    draw = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(n, d, generator=draw, dtype=torch.float64) + 1
    r = torch.randn(n, k, generator=draw, dtype=torch.float64).softmax(1)
    return x, r, torch.randn(k, d, generator=draw, dtype=torch.float64)


_CASES = (_case(0, 5, 2, 3), _case(1, 7, 1, 2))

_m_step_weights = Exercise(
    name="M-step, weights",
    reference=lambda x, r, old: r.mean(0),
    cases=_CASES,
    expected="weights of shape (k,)",
    first_hint="N_k is the sum of column k of r; start with weights = N_k / n",
    mistakes=(
        Mistake(
            "these are the N_k; divide by n so that they sum to one",
            lambda x, r, old: r.sum(0),
        ),
    ),
)

_m_step_means = Exercise(
    name="M-step, means",
    reference=lambda x, r, old: _means(x, r),
    cases=_CASES,
    expected="means of shape (k, d)",
    first_hint="Σₙ rₙₖ xₙ for all k is one matrix product, r.T @ x; then divide by N_k",
    mistakes=(
        Mistake("divide by N_k, the sum of the shares", lambda x, r, old: r.T @ x),
        Mistake(
            "you divided by n; each component divides by its own N_k",
            lambda x, r, old: r.T @ x / len(x),
        ),
        Mistake("these are the old means; average the data", lambda x, r, old: old),
    ),
)

_m_step_covariances = Exercise(
    name="M-step, covariances",
    reference=lambda x, r, old: _covariances(x, r),
    cases=_CASES,
    expected="covariances of shape (k, d, d)",
    first_hint="centre x at each mean, (k, n, d); then weigh, multiply, divide by N_k",
    mistakes=(
        Mistake(
            "the means are right, but here you centred at the old means; use the new",
            lambda x, r, old: _scatter(x, r, old) / r.sum(0)[:, None, None],
        ),
        Mistake(
            "divide by N_k, the sum of the shares",
            lambda x, r, old: _scatter(x, r, _means(x, r)),
        ),
        Mistake(
            "you divided by n; each component divides by its own N_k",
            lambda x, r, old: _scatter(x, r, _means(x, r)) / len(x),
        ),
        Mistake(
            "these are the variances of each coordinate; a covariance needs the outer "
            "product (x − μ)(x − μ)ᵀ, shape (d, d)",
            lambda x, r, old: _covariances(x, r).diagonal(dim1=1, dim2=2),
        ),
        Mistake(
            "off the diagonal there are zeros; the outer product (x − μ)(x − μ)ᵀ is "
            "missing, you only squared",
            lambda x, r, old: torch.diag_embed(
                _covariances(x, r).diagonal(dim1=1, dim2=2)
            ),
        ),
        Mistake(
            "centre the data first: this is Σ r x xᵀ / N_k",
            lambda x, r, old: (
                _scatter(x, r, torch.zeros_like(old)) / r.sum(0)[:, None, None]
            ),
        ),
    ),
)

check_m_step = Parts(
    name="M-step",
    names=("weights", "means", "covariances"),
    exercises=((0, _m_step_weights), (1, _m_step_means), (2, _m_step_covariances)),
).check


# ------------------------------------------------------- a mixture of Bernoullis


def _log_bernoulli(x, p):
    return x @ p.log().T + (1 - x) @ (1 - p).log().T


def bernoulli_em_step(x, weights, probs):
    """One EM step for p(x) = Σₖ φₖ Πᵢ pₖᵢ^xᵢ (1 − pₖᵢ)^(1 − xᵢ): new weights and probs.

    ``x`` ``(n, d)`` holds 0 and 1, ``weights`` is ``(k,)``, ``probs`` ``(k, d)`` lies
    inside (0, 1).
    """
    return _from_shares(x, _shares(x, weights, probs))


def _shares(x, weights, probs):
    return (weights.log() + _log_bernoulli(x, probs)).softmax(1)


def _shares_of_densities(x, weights, probs):
    joint = weights * _log_bernoulli(x, probs).exp()
    return joint / joint.sum(1, keepdim=True)


def _from_shares(x, r):
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


def _bits(seed, n, d):
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(n, d, generator=generator) < 0.4).double()
    probs = torch.rand(2, d, generator=generator).double() * 0.8 + 0.1
    return x, torch.tensor([0.35, 0.65], dtype=torch.float64), probs


_small = (_bits(0, 9, 3), _bits(1, 7, 2))
_large = (_bits(2, 6, 1500),)


def _variants(part):
    """The mistakes in the E-step, seen in one part of the result."""
    return (
        Mistake(
            "the terms (1 − x) log(1 − p) are missing: a 0 is an observation too",
            lambda x, w, p: _from_shares(x, (w.log() + x @ p.log().T).softmax(1))[part],
        ),
        Mistake(
            "the weights φ are missing in the E-step",
            lambda x, w, p: _from_shares(x, _log_bernoulli(x, p).softmax(1))[part],
        ),
    )


def _part(number, name, cases, *mistakes):
    """The number of an entry, and the exercise on it."""
    exercise = Exercise(
        name=f"mixture of Bernoullis, {name}",
        reference=lambda x, w, p: bernoulli_em_step(x, w, p)[number],
        cases=cases,
        expected=("weights of shape (k,)", "probs of shape (k, d)")[number],
        first_hint="log p(x, z) = log φ_z + Σᵢ xᵢ log p_zᵢ + (1 − xᵢ) log(1 − p_zᵢ)",
        mistakes=(*_variants(number), *mistakes),
    )
    return number, exercise


_undivided = Mistake(
    "divide by N_k, the sum of the shares of each component",
    lambda x, w, p: _shares(x, w, p).T @ x,
)
_divided_by_n = Mistake(
    "you divided by n; each component divides by its own N_k",
    lambda x, w, p: _shares(x, w, p).T @ x / len(x),
)

_underflow = Mistake(
    "a product of 1500 probabilities underflows to 0, and 0/0 is NaN; add their "
    "logarithms and use softmax",
    lambda x, w, p: _from_shares(x, _shares_of_densities(x, w, p))[1],
)

check_bernoulli_em_step = Parts(
    name="mixture of Bernoullis",
    names=("weights", "probs"),
    exercises=(
        _part(0, "weights", _small),
        _part(1, "probs", _small, _undivided, _divided_by_n),
        _part(1, "many pixels", _large, _underflow),
    ),
).check
