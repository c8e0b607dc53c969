"""The exercise of notebook 02, section 2: sample from a mixture."""

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def any_mixture(seed, k):
    """Weights that differ, means that are not sorted, positive sigmas."""
    weights = (0.5 * noise(seed + 3, k)).softmax(0)
    return weights, 3 * noise(seed + 5, k), 0.4 + noise(seed + 7, k).exp()


def sample(weights, means, sigmas, u, noise):
    """z is the first component with φ₀ + … + φ_z ≥ u."""
    z = torch.searchsorted(weights.cumsum(0), u)
    return means[z] + sigmas[z] * noise


def _by_counting(weights, means, sigmas, u, noise):
    z = (u[:, None] > weights.cumsum(0)).sum(1)
    return means[z] + sigmas[z] * noise


def _chosen(z):
    """The answer that chooses the components ``z(weights, u)``, else right."""

    def answer(w, m, s, u, e):
        chosen = z(w, u).long()
        return m[chosen] + s[chosen] * e

    return answer


def _edges_above(w, u):
    return (u[:, None] < w.cumsum(0)).sum(1)


def _by_noise(w, e):
    return torch.searchsorted(w.cumsum(0), e).clamp(max=len(w) - 1)


def _mean_and_spread(w, m, s):
    mean = w @ m
    return mean, (w @ (s**2 + (m - mean) ** 2)).sqrt()


_TOO_LARGE = (
    "an index z is out of range, k or more: the edges between the components are the "
    "cumulative sum of φ (cumsum), which ends at 1, and z counts from 0: "
    "torch.searchsorted(edges, u), in this order"
)


def _draw_sample(seed, n=11, k=3):
    """Every component is chosen, in no order."""
    order = noise(seed + 1, n).argsort()
    u = (order + noise(seed + 2, n).sigmoid()) / n
    return *any_mixture(seed, k), u, noise(seed + 4, n)


check_sample = Exercise(
    name="sample from a mixture",
    solution=sample,
    also=(_by_counting,),
    draw=_draw_sample,
    extremes=(
        Extreme(
            "it works for 3 components and no other number; take all len(weights)",
            _draw_sample(3, 13, 5),
        ),
    ),
    expected="one number for each entry of u, shape (n,)",
    error_hints={
        "out of bounds": _TOO_LARGE,
        "index out of range": _TOO_LARGE,
        "cumsum()": "cumsum needs the dim: weights.cumsum(0)",
        "must match the size": "weights, means and sigmas have one entry for each "
        "component, u and noise one for each example: shapes (k,) and (n,). Choose "
        "first, means[z] and sigmas[z]; or compare with a column, u[:, None]",
        "tensors used as indices": "an index is a whole number: choose z first",
    },
    hints=(
        "cut the interval from 0 to 1 into pieces as long as the weights",
        "z is the first k with φ₀ + … + φ_k ≥ u: torch.searchsorted finds it",
        "z = torch.searchsorted(weights.cumsum(0), u), then μ_z + σ_z · noise",
    ),
    mistakes=known_mistakes(
        "all components come equally often (uniform): the weights φ are not used",
        _chosen(lambda w, u: u * len(w)),
        _chosen(lambda w, u: (u * (len(w) - 1)).round()),
        _chosen(lambda w, u: torch.arange(len(u)) % len(w)),
        "every component was sampled: shape (n, k). A mixture chooses one component "
        "for each example, z, and uses only that one",
        lambda w, m, s, u, e: m + s * e[:, None],
        lambda w, m, s, u, e: (m + s * e[:, None]).mT,
        "you added the weighted bumps; a mixture chooses one of them for each "
        "example, and uses only that one",
        lambda w, m, s, u, e: w @ m + (w @ s) * e,
        lambda w, m, s, u, e: w @ m + (w.square() @ s.square()).sqrt() * e,
        lambda w, m, s, u, e: w @ m + (w @ s.square()).sqrt() * e,
        lambda w, m, s, u, e: (m + s * e[:, None]).mean(1),
        lambda w, m, s, u, e: (m + s * e[:, None]).sum(1),
        "this is one Gaussian with the mean and variance of the mixture; choose one "
        "component for each example",
        lambda w, m, s, u, e: (
            _mean_and_spread(w, m, s)[0] + _mean_and_spread(w, m, s)[1] * e
        ),
        "you have the means of the components; add σ_z times the noise",
        lambda w, m, s, u, e: sample(w, m, 0 * s, u, e),
        "multiply the noise by σ of the chosen component",
        lambda w, m, s, u, e: sample(w, m, torch.ones_like(s), u, e),
        "σ_z times the noise is all you have; add the mean μ_z of the component",
        lambda w, m, s, u, e: sample(w, 0 * m, s, u, e),
        "you multiplied the noise by σ², the variance; it needs σ, the standard "
        "deviation",
        lambda w, m, s, u, e: sample(w, m, s**2, u, e),
        "sigmas are σ already, the standard deviations: no root, no sqrt",
        lambda w, m, s, u, e: sample(w, m, s.sqrt(), u, e),
        "the components were sorted by their weights: leave their order, the first one "
        "takes the small u",
        lambda w, m, s, u, e: sample(*(v[w.argsort()] for v in (w, m, s)), u, e),
        lambda w, m, s, u, e: sample(
            *(v[w.argsort(descending=True)] for v in (w, m, s)), u, e
        ),
        "each component has a σ of its own, sigmas[z]: not the mean of them, or one",
        lambda w, m, s, u, e: sample(w, m, s.mean().expand_as(s), u, e),
        lambda w, m, s, u, e: sample(w, m, s[:1].expand_as(s), u, e),
        lambda w, m, s, u, e: sample(w, m, (w @ s).expand_as(s), u, e),
        "the same weights count twice: μ_z + σ_z · noise needs no φ",
        lambda w, m, s, u, e: sample(w, w * m, w * s, u, e),
        "you compare u with φ; compare it with the cumulative sum of φ (cumsum)",
        _chosen(lambda w, u: torch.searchsorted(w, u).clamp(max=len(w) - 1)),
        _chosen(lambda w, u: (u[:, None] > w).sum(1).clamp(max=len(w) - 1)),
        _chosen(lambda w, u: (u[:, None] < w).double().argmax(1)),
        _chosen(lambda w, u: (u[:, None] - w).abs().argmin(1)),
        _chosen(lambda w, u: torch.searchsorted(w.sort().values, u).clamp(max=2)),
        "you look for the edge nearest to u; z is the first edge that is ≥ u",
        _chosen(lambda w, u: (u[:, None] - w.cumsum(0)).abs().argmin(1)),
        "the index is one too small (off by one): components are counted from 0, so "
        "z is the number of edges below u",
        _chosen(lambda w, u: torch.searchsorted(w.cumsum(0), u) - 1),
        _chosen(
            lambda w, u: (torch.searchsorted(w.cumsum(0), u) - 1).clamp(min=0),
        ),
        "the index is one too large (off by one): components are counted from 0, so "
        "z is the number of edges below u",
        _chosen(
            lambda w, u: (torch.searchsorted(w.cumsum(0), u) + 1).clamp(max=len(w) - 1)
        ),
        _chosen(lambda w, u: (torch.searchsorted(w.cumsum(0), u) + 1) % len(w)),
        "the comparison is turned round (other way): z is the number of edges below "
        "u, not above it; the first k with φ₀ + … + φ_k ≥ u",
        _chosen(lambda w, u: _edges_above(w, u).clamp(max=len(w) - 1)),
        _chosen(lambda w, u: _edges_above(w, u) - 1),
        _chosen(lambda w, u: _edges_above(w, u) % len(w)),
        "the components are in reversed order: φ₀ has the first piece of the interval",
        _chosen(lambda w, u: torch.searchsorted(w.flip(0).cumsum(0), u)),
        "you sorted the weights; they must keep the order of means and sigmas",
        _chosen(lambda w, u: torch.searchsorted(w.sort().values.cumsum(0), u)),
        "you always take the likeliest component (argmax); u chooses one for each "
        "example",
        _chosen(lambda w, u: w.argmax().expand(len(u))),
        "you always take the first component; u chooses one for each example",
        _chosen(lambda w, u: torch.zeros_like(u)),
        "you rounded u to 0 or 1; compare it with the cumulative sum of φ",
        _chosen(lambda w, u: u.round()),
        _chosen(lambda w, u: u > 0.5),
        "this is z, the chosen component (an index); return x = μ_z + σ_z · noise",
        lambda w, m, s, u, e: torch.searchsorted(w.cumsum(0), u),
        lambda w, m, s, u, e: torch.searchsorted(w.cumsum(0), u) + 1,
        "u and noise have changed places (order): u chooses the component",
        lambda w, m, s, u, e: _chosen(_by_noise)(w, m, s, e, u),
        "σ multiplies the noise, not the mean: μ_z + σ_z · noise",
        lambda w, m, s, u, e: sample(w, m * s, 0 * s + 1, u, e),
        lambda w, m, s, u, e: sample(w, m * s, s, u, e),
        "this is the running product of φ; the running sum (cumsum) cuts the interval",
        _chosen(lambda w, u: torch.searchsorted(w.cumprod(0), u).clamp(max=len(w) - 1)),
        "you sorted u or z; entry i of the result belongs to entry i of u",
        _chosen(lambda w, u: torch.searchsorted(w.cumsum(0), u.sort().values)),
        "this is a log-density; a sample is asked, x = μ_z + σ_z · noise",
        lambda w, m, s, u, e: Normal(
            sample(w, m, s, u, 0 * e), sample(w, 0 * m, s, u, 0 * e + 1)
        ).log_prob(e),
        "you used u as the noise; u only chooses the component",
        lambda w, m, s, u, e: sample(w, m, s, u, u),
        "the noise chooses the component; u should",
        lambda w, m, s, u, e: sample(w, m, s, Normal(0, 1).cdf(e), e),
    ),
).check
