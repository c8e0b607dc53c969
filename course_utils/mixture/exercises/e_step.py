"""The exercise of notebook 02, section 3: responsibilities, the E-step."""

import torch
from torch.distributions import Normal

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise
from course_utils.mixture.exercises.sample import any_mixture


def e_step(x, weights, means, sigmas):
    """log φ + log N up to a constant, in an (n, k) table; softmax normalises rows."""
    squares = (x[:, None] - means) ** 2
    joint = weights.log() - sigmas.log() - squares / (2 * sigmas**2)
    return joint.softmax(dim=1)


def _by_normal(x, weights, means, sigmas):
    joint = weights.log() + Normal(means, sigmas).log_prob(x[:, None])
    return (joint - joint.logsumexp(dim=1, keepdim=True)).exp()


def _by_densities(x, weights, means, sigmas):
    """Right on paper, 0/0 where all of them underflow."""
    squares = (x[:, None] - means) ** 2
    joint = weights * torch.exp(-squares / (2 * sigmas**2)) / sigmas
    return joint / joint.sum(dim=1, keepdim=True)


def _log_bumps(x, means, sigmas):
    return Normal(means, sigmas).log_prob(x[:, None])  # (n, k)


def _log_joint(x, weights, means, sigmas):
    return weights.log() + _log_bumps(x, means, sigmas)


def _one_hot(table):
    return torch.nn.functional.one_hot(table.argmax(1), table.shape[1])


def _draw_e_step(seed, n=7, k=3):
    return 3 * noise(seed, n), *any_mixture(seed + 10, k)


def _share(table):
    return table / table.sum(1, keepdim=True)


check_e_step = Exercise(
    name="E-step",
    solution=e_step,
    also=(_by_normal, _by_densities),
    draw=_draw_e_step,
    extremes=(
        Extreme(
            "it works for 3 components and no other number; take all k of them",
            _draw_e_step(3, 6, 5),
        ),
        Extreme(
            "far from all components every density underflows to 0, and 0/0 is NaN; "
            "stay with logarithms and use softmax (or logsumexp), or subtract the "
            "largest of each row before exp. A small number added, clamp or "
            "nan_to_num hide it, but the shares there are wrong",
            # the last two shares are both visible at ±90
            (f64(-1, 90, 0.5, -90), f64(0.2, 0.3, 0.5), f64(-1, 2, 2.02), f64(1, 2, 2)),
        ),
    ),
    expected="shape (n, k): one row for each x, and each row sums to one",
    error_hints={
        "must match the size": "shapes (n,) and (k,) do not fit: x[:, None] is a "
        "column (n, 1), and a sum over dim=1 needs keepdim=True",
        "not broadcastable": "shapes (n,) and (k,) do not fit: x[:, None] is a column "
        "(n, 1), and a sum over dim=1 needs keepdim=True",
    },
    hints=(
        "Bayes' rule: weigh the bumps at x, and divide by their sum; with logarithms",
        "log φ_k + log N(x | μ_k, σ_k²) in an (n, k) table, then normalise rows",
        "x[:, None] is a column; Normal(means, sigmas).log_prob of it, plus "
        "weights.log(), then softmax(dim=1)",
    ),
    mistakes=known_mistakes(
        "you normalised over the examples (dim=0); each row (one x) must sum to one, "
        "so use dim=1",
        lambda *case: _log_joint(*case).softmax(0),
        "you divided by the sum of the whole table; each row (one x) must sum to one: "
        "sum over dim=1, with keepdim=True",
        lambda *case: _log_joint(*case).flatten().softmax(0).view(len(case[0]), -1),
        "the weights φ are missing (the prior): p(z = k) comes before Bayes' rule",
        lambda x, w, m, s: _log_bumps(x, m, s).softmax(1),
        "this is the joint density p(x, z), not normalised; divide by its sum over z",
        lambda *case: _log_joint(*case).exp(),
        "this is log p(x, z); normalise it with softmax over z",
        _log_joint,
        "these are the densities of the components; weigh and normalise them",
        lambda x, w, m, s: _log_bumps(x, m, s).exp(),
        "these are the log-densities of the components; add log φ, then normalise "
        "with softmax",
        lambda x, w, m, s: _log_bumps(x, m, s),
        "this is the density q(x) of the mixture; the share of each component in it "
        "is asked, shape (n, k)",
        lambda *case: _log_joint(*case).exp().sum(1),
        "this is log q(x), the log-density of the mixture; the share of each "
        "component in it is asked, shape (n, k)",
        lambda *case: _log_joint(*case).logsumexp(1),
        "these are logarithms of the responsibilities; take exp",
        lambda *case: _log_joint(*case).log_softmax(1),
        "you divided logarithms by their sum; take exp first, or use softmax",
        lambda *case: _share(_log_joint(*case)),
        "the distance from the mean must be squared: (x − μ)² / (2σ²)",
        lambda x, w, m, s: (
            w.log() - s.log() - (x[:, None] - m).abs() / (2 * s**2)
        ).softmax(1),
        lambda x, w, m, s: (
            w.log() - s.log() - 0.5 * ((x[:, None] - m) / s).abs()
        ).softmax(1),
        "φ is a factor: add log φ before you normalise, not φ to the shares",
        lambda x, w, m, s: _share(_log_bumps(x, m, s).softmax(1) + w),
        lambda x, w, m, s: _log_bumps(x, m, s).softmax(1) + w,
        "the log of p(x, z) counts as it is, not times a number or divided by one (no "
        "temperature)",
        lambda *case: (2 * _log_joint(*case)).softmax(1),
        lambda *case: (_log_joint(*case) / 2).softmax(1),
        "you added φ; its logarithm belongs there, log φ",
        lambda x, w, m, s: (w + _log_bumps(x, m, s)).softmax(1),
        "log φ has the wrong sign: add it",
        lambda x, w, m, s: (_log_bumps(x, m, s) - w.log()).softmax(1),
        "you divided the shares by N_k; that belongs to the M-step. Each row sums to 1",
        lambda *case: (
            _log_joint(*case).softmax(1) / _log_joint(*case).softmax(1).sum(0)
        ),
        "you multiplied log N by φ; add log φ (log of the weights), do not multiply",
        lambda x, w, m, s: (w * _log_bumps(x, m, s)).softmax(1),
        "you added φ to the densities; multiply them by φ",
        lambda x, w, m, s: _share(w + _log_bumps(x, m, s).exp()),
        "log φ and the density do not add: take the log of both, or of none",
        lambda x, w, m, s: (w.log() + _log_bumps(x, m, s).exp()).softmax(1),
        "the weights come too late: multiply by φ before you normalise",
        lambda x, w, m, s: w * _log_bumps(x, m, s).softmax(1),
        "the weights φ count twice; once is enough",
        lambda x, w, m, s: (w.log() + _log_joint(x, w, m, s)).softmax(1),
        "softmax takes the exp itself: give it logarithms, not densities",
        lambda *case: _log_joint(*case).exp().softmax(1),
        "softmax is taken twice; once is enough",
        lambda *case: _log_joint(*case).softmax(1).softmax(1),
        "the result is turned (transposed): one row for each x, one column for each "
        "component",
        lambda *case: _log_joint(*case).softmax(1).T,
        "this is the index of the likeliest component (argmax); return the shares of "
        "all, shape (n, k)",
        lambda *case: _log_joint(*case).argmax(1),
        "this is a hard decision, 0 or 1 (argmax), as in k-means; return the shares",
        lambda *case: _one_hot(_log_joint(*case)),
        "you divided by the largest of each row; divide by the sum of the row",
        lambda *case: (_log_joint(*case) - _log_joint(*case).amax(1, True)).exp(),
        "log σ is missing: it differs between components, so it does not cancel",
        lambda x, w, m, s: (_log_joint(x, w, m, s) + s.log()).softmax(1),
        "the ½ before the squares is missing: the exponent is divided by 2σ²",
        lambda x, w, m, s: (
            _log_joint(x, w, m, s) - 0.5 * ((x[:, None] - m) / s).square()
        ).softmax(1),
        "sigma is σ, the standard deviation, and not the variance σ²: square it before "
        "you divide",
        lambda x, w, m, s: _log_joint(x, w, m, s.sqrt()).softmax(1),
        lambda x, w, m, s: (
            w.log() - s.log() - (x[:, None] - m).square() / (2 * s)
        ).softmax(1),
        "sigmas are squared too often: Normal takes σ, the standard deviation",
        lambda x, w, m, s: _log_joint(x, w, m, s**2).softmax(1),
        "these are shares by the distance only, as in k-means: the weights φ and the "
        "σ of the components count, too",
        lambda x, w, m, s: (-((x[:, None] - m).square())).softmax(1),
        lambda x, w, m, s: (-((x[:, None] - m).square()) / 2).softmax(1),
        lambda x, w, m, s: (-(x[:, None] - m).abs()).softmax(1),
        lambda x, w, m, s: _share(1 / (x[:, None] - m).abs()),
        lambda x, w, m, s: _share(1 / (x[:, None] - m).square()),
        "these are the distances in units of σ; go on to φ · N(x | μ, σ²), and "
        "normalise",
        lambda x, w, m, s: (x[:, None] - m) / s,
        "every row holds the weights φ: the data x are not used",
        lambda x, w, m, s: w.expand(len(x), -1),
        "log N belongs there, not the distribution function (cdf)",
        lambda x, w, m, s: _share(w * Normal(m, s).cdf(x[:, None])),
        "the constant ½ log 2πσ² needs σ inside the log of each component: − log σ, "
        "once, and minus",
        lambda x, w, m, s: (_log_joint(x, w, m, s) + 2 * s.log()).softmax(1),
        lambda x, w, m, s: (_log_joint(x, w, m, s) + s.log() / 2).softmax(1),
        lambda x, w, m, s: (_log_joint(x, w, m, s) - s.log()).softmax(1),
    ),
).check
