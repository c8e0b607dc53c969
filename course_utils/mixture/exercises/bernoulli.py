"""The exercise of notebook 02 on a mixture of Bernoullis: one EM step for images."""

import torch

from course_utils.checks import Exercise, Extreme, Trait, known_mistakes, noise
from course_utils.checks.attempts import same


def bernoulli_em_step(x, weights, probs):
    """One EM step for p(x) = Σₖ φₖ Πᵢ pₖᵢ^xᵢ (1 − pₖᵢ)^(1 − xᵢ): new weights and probs.

    ``x`` ``(n, d)`` holds 0 and 1, ``weights`` is ``(k,)``, ``probs`` ``(k, d)`` lies
    inside (0, 1). The sum over pixels is a matrix product.
    """
    log_p = x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = (weights.log() + log_p).softmax(dim=1)
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


def _by_products(x, weights, probs):
    """Right on paper, 0/0 where the products of many pixels underflow."""
    each = probs ** x[:, None] * (1 - probs) ** (1 - x[:, None])  # (n, k, d)
    joint = weights * each.prod(dim=2)
    r = joint / joint.sum(dim=1, keepdim=True)
    return r.sum(0) / len(x), r.T @ x / r.sum(0)[:, None]


def _log_bernoulli(x, probs):
    return x @ probs.log().T + (1 - x) @ (1 - probs).log().T


def _log_joint(x, weights, probs):
    return weights.log() + _log_bernoulli(x, probs)


def _hard(r):
    return torch.nn.functional.one_hot(r.argmax(1), r.shape[1]).double()


def _averages(x, r):
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


def _with_shares(of):
    """The answer with the shares ``of(x, weights, probs)``, and a right M-step."""
    return lambda x, w, p: _averages(x, of(x, w, p))


def _with_probs(of):
    """The answer with the probs ``of(x, r)``, else right."""
    return lambda x, w, p: (
        bernoulli_em_step(x, w, p)[0],
        of(x, _log_joint(x, w, p).softmax(1)),
    )


def _with_weights(of):
    """The answer with the weights ``of(r)``, else right."""
    return lambda x, w, p: (
        of(_log_joint(x, w, p).softmax(1)),
        bernoulli_em_step(x, w, p)[1],
    )


def _twice(x, weights, probs):
    return bernoulli_em_step(x, *bernoulli_em_step(x, weights, probs))


def _steps(result, x, weights, probs):
    """Is this what more steps than one give? (Logs of 0 are kept away.)"""
    weights, probs = bernoulli_em_step(x, weights, probs)
    if same(result[0], weights, 1e-4):
        return False
    for _ in range(60):
        weights, probs = bernoulli_em_step(x, weights, probs.clamp(1e-9, 1 - 1e-9))
        if same(result[0], weights, 1e-4):
            return True
    return False


def _clamped(result, x, weights, probs):
    probs, made = bernoulli_em_step(x, weights, probs)[1], result[1]
    return same(made, probs.clamp(made.min(), made.max()))


def _smoothed(result, x, weights, probs):
    """All probs pulled towards one value, as by a pseudo-count of any size."""
    right, r = bernoulli_em_step(x, weights, probs)[1], _log_joint(x, weights, probs)
    ones = right * r.softmax(1).sum(0)[:, None]
    # (ones + a) / (N + b) = probs, for numbers a and b: two equations, least squares
    rows = torch.stack([torch.ones_like(ones), -result[1]], -1).flatten(0, 1)
    wanted = (result[1] * r.softmax(1).sum(0)[:, None] - ones).flatten()[:, None]
    a, b = torch.linalg.lstsq(rows, wanted).solution.flatten()
    made = (ones + a) / (r.softmax(1).sum(0)[:, None] + b)
    return a > 1e-3 and same(result[1], made, 1e-4)


def _draw_bits(seed, n=11, d=4, k=3):
    x = (noise(seed, n, d) < -0.2).double()
    weights = (0.5 * noise(seed + 1, k)).softmax(0)
    return x, weights, 0.1 + 0.8 * noise(seed + 2, k, d).sigmoid()


def _with_constant_pixels(seed):
    x, weights, probs = _draw_bits(seed)
    x[:, 0], x[:, 1] = 1, 0
    return x, weights, probs


def _with_sure_pixels(seed):
    """Some probabilities are near 0 or 1."""
    x, weights, probs = _draw_bits(seed)
    return x, weights, (4 * (probs.logit() + 0.5)).sigmoid()


check_bernoulli_em_step = Exercise(
    name="mixture of Bernoullis",
    solution=bernoulli_em_step,
    also=(_by_products,),
    draw=_draw_bits,
    extremes=(
        Extreme(
            "it works for 3 components and 4 pixels only; take all k and d",
            _draw_bits(3, 9, 5, 2),
        ),
        Extreme(
            "where a pixel is on (or off) in every image, its new probability is 1 (or "
            "0): no clamp, no pseudo-count and no small number belongs there",
            _with_constant_pixels(4),
        ),
        Extreme(
            "it is right for moderate probs only: do not clamp them, and add no small "
            "number in the logs",
            _with_sure_pixels(6),
        ),
        Extreme(
            "a product of 1500 probabilities underflows to 0, and 0/0 is NaN; add "
            "their logarithms and use softmax (or logsumexp): the largest of each row "
            "is subtracted there before exp",
            _draw_bits(2, 6, 1500, 2),
        ),
    ),
    expected="weights of shape (k,) and probs of shape (k, d)",
    entries=("weights", "probs"),
    error_hints={
        "must match the size": "two shapes do not fit: divide the (k, d) table by a "
        "column, r.sum(0)[:, None]; a sum over dim=1 needs keepdim=True",
        "mat1 and mat2 shapes": "the product does not fit: x is (n, d) and probs is "
        "(k, d), so x @ probs.log().T is (n, k), and r.T @ x is (k, d)",
    },
    hints=(
        "first the E-step: log p(x, z) = log φ_z + Σᵢ xᵢ log p_zᵢ + (1 − xᵢ) "
        "log(1 − p_zᵢ), normalised over z",
        "the sum over pixels is a matrix product, x @ probs.log().T, and the same for "
        "1 − x; softmax over dim=1 gives r, shape (n, k)",
        "then the M-step: weights r.mean(0), and probs r.T @ x / r.sum(0)[:, None]",
    ),
    traits=(
        Trait("these are many steps, one after the other; one step is asked", _steps),
        Trait(
            "the probs are cut off (clamp); the formula has no bounds: r.T @ x / N_k",
            _clamped,
        ),
        Trait(
            "a pseudo-count is added to the probs (smoothing, a prior); maximum "
            "likelihood has none: r.T @ x / N_k",
            _smoothed,
        ),
    ),
    mistakes=known_mistakes(
        "these are two steps, one after the other; one step is asked",
        _twice,
        "the weights φ count twice: r is complete after softmax, do not multiply again",
        _with_shares(lambda x, w, p: w * _log_joint(x, w, p).softmax(1)),
        _with_shares(lambda x, w, p: (w.log() + _log_joint(x, w, p)).softmax(1)),
        "log(1 − p) belongs to the zeros, and not 1 − log p",
        _with_shares(
            lambda x, w, p: (
                w.log() + x @ p.log().T + (1 - x) @ (1 - p.log()).T
            ).softmax(1)
        ),
        "the pixels are independent: add up their logs, not the pixels that fit; that "
        "is the log of the product",
        _with_shares(
            lambda x, w, p: (w.log() + (x @ p.T + (1 - x) @ (1 - p).T).log()).softmax(1)
        ),
        "the new weights are the mean shares N_k / n, not put into softmax",
        _with_weights(lambda r: r.sum(0).softmax(0)),
        _with_weights(lambda r: r.mean(0).softmax(0)),
        "a pseudo-count is added to the weights (smoothing, a prior); maximum "
        "likelihood has none: N_k / n",
        _with_weights(lambda r: (r.sum(0) + 1) / (r.shape[0] + r.shape[1])),
        _with_weights(lambda r: (r.sum(0) + 1) / (r.sum(0) + 1).sum()),
        "you hand back the old weights and probs; do the M-step with the new r",
        lambda x, w, p: (w, p),
        "the weights are the old ones; new are the mean shares r.mean(0)",
        lambda x, w, p: (w, bernoulli_em_step(x, w, p)[1]),
        "the probs are the old ones; new are the averages of x, weighted by r",
        lambda x, w, p: (bernoulli_em_step(x, w, p)[0], p),
        "the terms (1 − x) log(1 − p) are missing: a 0 is an observation too",
        _with_shares(lambda x, w, p: (w.log() + x @ p.log().T).softmax(1)),
        "the terms x log p are missing: a 1 is an observation too",
        _with_shares(lambda x, w, p: (w.log() + (1 - x) @ (1 - p).log().T).softmax(1)),
        "x and 1 − x are exchanged: log p belongs to the ones, log(1 − p) to the zeros",
        _with_shares(lambda x, w, p: _log_joint(1 - x, w, p).softmax(1)),
        "the weights φ (the prior) are missing in the E-step",
        _with_shares(lambda x, w, p: _log_bernoulli(x, p).softmax(1)),
        "you added φ in the E-step; its logarithm belongs there, log φ",
        _with_shares(lambda x, w, p: (w + _log_bernoulli(x, p)).softmax(1)),
        "you multiplied log p(x) by φ; add log φ (log of the weights)",
        _with_shares(lambda x, w, p: (w * _log_bernoulli(x, p)).softmax(1)),
        "the shares r are not normalised: each row must sum to 1 (softmax over dim=1)",
        _with_shares(lambda *case: _log_joint(*case).exp()),
        _with_shares(lambda *case: _log_joint(*case)),
        "you normalised over the examples (dim=0); each row of r sums to 1, dim=1",
        _with_shares(lambda *case: _log_joint(*case).softmax(0)),
        "the shares are their logarithms: take softmax, not log_softmax",
        _with_shares(lambda *case: _log_joint(*case).log_softmax(1)),
        "softmax takes the exp itself: give it logarithms, not probabilities",
        _with_shares(lambda *case: _log_joint(*case).exp().softmax(1)),
        "this is a hard assignment (argmax, 0 or 1); each x counts with its shares r",
        _with_shares(lambda *case: _hard(_log_joint(*case))),
        "the logs of p and 1 − p belong into the sum over pixels, not p itself",
        _with_shares(
            lambda x, w, p: (w.log() + x @ p.T + (1 - x) @ (1 - p).T).softmax(1)
        ),
        "add over all pixels of an image, do not take their mean",
        _with_shares(
            lambda x, w, p: (w.log() + _log_bernoulli(x, p) / x.shape[1]).softmax(1)
        ),
        "these are the shares of a Gaussian, by squared distance; here the log of "
        "p^x (1 − p)^(1 − x) belongs",
        _with_shares(
            lambda x, w, p: (w.log() - (x[:, None] - p).square().sum(2)).softmax(1)
        ),
        _with_shares(
            lambda x, w, p: (w.log() - (x[:, None] - p).square().sum(2) / 2).softmax(1)
        ),
        "the weights are the N_k; divide by n so that they sum to one",
        _with_weights(lambda r: r.sum(0)),
        "you averaged over the components; average over the images, r.mean(0): (k,)",
        _with_weights(lambda r: r.mean(1)),
        _with_weights(lambda r: r.sum(1)),
        "divide the probs by N_k, the sum of the shares of each component",
        _with_probs(lambda x, r: r.T @ x),
        "you divided the probs by n; each component divides by its own N_k",
        _with_probs(lambda x, r: r.T @ x / len(x)),
        "you divided by the sum over the pixels, so that each row of probs sums to 1; "
        "divide by N_k: each pixel has a probability of its own",
        _with_probs(lambda x, r: r.T @ x / (r.T @ x).sum(1, keepdim=True)),
        _with_probs(lambda x, r: r.T @ x / (r.T @ x).sum(0)),
        "you divided the probs by the weights; divide by N_k, which is n times as much",
        _with_probs(lambda x, r: r.T @ x / r.mean(0)[:, None]),
        "a pseudo-count is added to the probs (smoothing, a prior); maximum likelihood "
        "has none",
        _with_probs(lambda x, r: (r.T @ x + 1) / (r.sum(0)[:, None] + 2)),
        _with_probs(lambda x, r: (r.T @ x + 1) / (r.sum(0)[:, None] + 1)),
        _with_probs(lambda x, r: (r.T @ x + 0.5) / (r.sum(0)[:, None] + 1)),
        _with_probs(lambda x, r: (r.T @ x + 1) / (r.sum(0)[:, None] + x.shape[1])),
        "the probs are the same for each component: weigh x with the shares r",
        _with_probs(lambda x, r: x.mean(0).expand(r.shape[1], -1)),
        "the probs are transposed: shape (k, d), r.T @ x",
        _with_probs(lambda x, r: (r.T @ x / r.sum(0)[:, None]).T),
        "the probs are rounded to 0 or 1; they are averages, between 0 and 1",
        _with_probs(lambda x, r: (r.T @ x / r.sum(0)[:, None]).round()),
        "these are the shares of the zeros; average x, not 1 − x",
        _with_probs(lambda x, r: r.T @ (1 - x) / r.sum(0)[:, None]),
    ),
).check
