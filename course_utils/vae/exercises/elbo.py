"""Exercise 3 of notebook 04: the ELBO of pixels that are 0 or 1."""

from torch.distributions import Bernoulli
from torch.nn.functional import binary_cross_entropy, logsigmoid, softplus

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def elbo(x, logits, kl):
    """log p(x | z), added up over the pixels, minus the KL; the mean of both."""
    log_p = x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)
    return (log_p.sum(dim=1) - kl).mean()


def _elbo_by_probabilities(x, logits, kl):
    p = logits.sigmoid()
    log_p = (x * p + (1 - x) * (1 - p)).log()
    return log_p.sum(dim=1).mean() - kl.mean()


def _elbo_by_softplus(x, logits, kl):
    log_p = x * logits - softplus(logits)
    return log_p.sum() / len(x) - kl.sum() / len(x)


def _log_p(x, logits):
    return Bernoulli(logits=logits).log_prob(x)


def _elbo_with(log_p):
    """The right ELBO but for this log p(x | z) of each pixel."""
    return lambda x, logits, kl: (log_p(x, logits).sum(dim=1) - kl).mean()


NOT_PROBABILITIES = (
    "the logits are not probabilities: take their sigmoid(), or use "
    "Bernoulli(logits=…) or binary_cross_entropy_with_logits"
)

NEAR_0 = (
    "a small number (epsilon) inside the log, a clamp or nan_to_num changes the result "
    "where a probability is near 0 or 1. Use Bernoulli(logits=…): it needs none"
)


def _draw_pixels(seed, n=6, pixels=7):
    """Some ones and some zeros in every picture; logits of both signs."""
    x = (noise(seed, n, pixels) > 0).double()
    x[:, 0], x[:, 1] = 0, 1
    return x, 2 * noise(seed + 20, n, pixels), noise(seed + 40, n).square() + 0.2


check_elbo = Exercise(
    name="ELBO",
    solution=elbo,
    also=(_elbo_by_probabilities, _elbo_by_softplus),
    draw=_draw_pixels,
    expected="one number: the mean over the examples, in nats",
    hints=(
        "the reconstruction is log p(x | z): one number per example, as kl is",
        "the log of a product over the pixels is a sum: dim=1; then subtract kl",
        "Bernoulli(logits=logits).log_prob(x), summed over dim=1, minus kl; its mean",
    ),
    extremes=(
        Extreme(
            NEAR_0,
            (f64([0, 1, 0], [1, 0, 1]), f64([25, -25, 1], [-25, 24, 2]), f64(1, 2)),
        ),
    ),
    error_hints={
        "between 0 and 1": NOT_PROBABILITIES,
        "Interval(lower_bound=0.0, upper_bound=1.0)": NOT_PROBABILITIES,
        "must match the size": "sum log p(x | z) over the pixels, dim=1, before the KL",
        "range of [-1, 0]": "kl has shape (n,) already: its latents are added "
        "up, so no sum over dim=1 is left",
        "Boolean(": "x and logits have changed places: Bernoulli takes the logits, "
        "and log_prob the pixels x",
    },
    mistakes=known_mistakes(
        # sums and means, and the signs of the two terms
        "you took the mean over the pixels; the log of a product is a sum over them",
        lambda x, logits, kl: (_log_p(x, logits).mean(dim=1) - kl).mean(),
        "you took the mean over the pixels, of both terms; add up over the pixels, "
        "and take the mean over the examples",
        lambda x, logits, kl: elbo(x, logits, kl) / x.shape[1],
        "784 is the number of pixels of a digit; here it is x.shape[1]: add up",
        lambda x, logits, kl: 784 * _log_p(x, logits).mean() - kl.mean(),
        "the KL is subtracted once for each pixel; add up over the pixels first",
        lambda x, logits, kl: (_log_p(x, logits) - kl[:, None]).sum(dim=1).mean(),
        lambda x, logits, kl: _log_p(x, logits).mean() - 784 * kl.mean(),
        "the KL is multiplied by the number of pixels: leave it as it is",
        lambda x, logits, kl: elbo(x, logits, 784 * kl),
        "the mean over the pixels and the sum over the examples have changed places: "
        "add up over the pixels, and take the mean over the examples",
        lambda x, logits, kl: _log_p(x, logits).mean() - kl.sum(),
        lambda x, logits, kl: _log_p(x, logits).mean(dim=1).sum() - kl.sum(),
        "the sign of the reconstruction is turned round, and you took its mean over "
        "the pixels; log p(x | z) is minus the cross-entropy, added up",
        lambda x, logits, kl: -_log_p(x, logits).mean() - kl.mean(),
        lambda x, logits, kl: -784 * _log_p(x, logits).mean() - kl.mean(),
        "the sign of the reconstruction is turned round, and it is added up over the "
        "examples; log p(x | z) is minus the cross-entropy; take its mean",
        lambda x, logits, kl: -_log_p(x, logits).sum() - kl.mean(),
        lambda x, logits, kl: -_log_p(x, logits).sum() - kl.sum(),
        "the KL is divided by the number of pixels: leave it whole",
        lambda x, logits, kl: elbo(x, logits, kl / 784),
        lambda x, logits, kl: (_log_p(x, logits).sum(1) - kl / x.shape[1]).mean(),
        "the KL is added; it must be subtracted",
        lambda x, logits, kl: elbo(x, logits, -kl),
        "the KL is added, and log p(x | z) is a mean over the pixels: add up over the "
        "pixels, and subtract the KL",
        lambda x, logits, kl: _log_p(x, logits).mean() + kl.mean(),
        "the KL counts once: no weight (β) stands before it in the ELBO",
        *(
            lambda x, logits, kl, beta=beta: elbo(x, logits, beta * kl)
            for beta in (0.001, 0.01, 0.1, 0.25, 0.5, 2, 4, 5, 10, 20, 100)
        ),
        "the ELBO is a mean of logs: take no exp() before the mean over the examples",
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).exp().mean(),
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).logsumexp(dim=0),
        lambda x, logits, kl: (_log_p(x, logits).sum(1) - kl).exp().mean().log(),
        "the KL is missing",
        lambda x, logits, kl: elbo(x, logits, 0 * kl),
        "the KL is not averaged over the examples: take its mean, not the largest or "
        "one of them",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean() - kl.max(),
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean() - kl[0],
        "only one example counts here: take the mean over all of them",
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).max(),
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).min(),
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl)[0],
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl)[-1],
        "this is minus the KL alone: the reconstruction log p(x | z) is missing",
        lambda x, logits, kl: -kl.mean(),
        "this is one number for each example; take the mean over the examples",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1) - kl,
        "this is the sum over the examples (the batch); take the mean",
        lambda x, logits, kl: elbo(x, logits, kl) * len(x),
        "the sign is turned round: this is the loss, −ELBO",
        lambda x, logits, kl: -elbo(x, logits, kl),
        "the sign of the reconstruction is turned round: log p(x | z) is minus the "
        "cross-entropy",
        lambda x, logits, kl: -elbo(x, logits, -kl),
        # another log p(x | z) of each pixel
        "the sigmoid was taken twice: Bernoulli(logits=…) already takes it",
        _elbo_with(lambda x, logits: _log_p(x, logits.sigmoid())),
        "the pixels that are 0 count, too: (1 − x) log(1 − p) is missing",
        _elbo_with(lambda x, logits: x * _log_p(x, logits)),
        "the pixels that are 1 count, too: x log p is missing",
        _elbo_with(lambda x, logits: (1 - x) * _log_p(x, logits)),
        "x log p and (1 − x) log(1 − p) are added; you subtracted (sign)",
        _elbo_with(lambda x, logits: (2 * x - 1) * _log_p(x, logits)),
        "log p does not depend on x here: each pixel counts as ink. It is x log p + "
        "(1 − x) log(1 − p)",
        _elbo_with(lambda x, logits: logsigmoid(logits)),
        _elbo_with(lambda x, logits: logsigmoid(logits) + logsigmoid(-logits)),
        "(1 − x) log(1 − p) is meant, with the log of 1 − p; you took 1 − log p",
        _elbo_with(
            lambda x, logits: (
                x * logsigmoid(logits) + (1 - x) * (1 - logsigmoid(logits))
            )
        ),
        "the log of 1 − p is missing: (1 − x) log(1 − p)",
        _elbo_with(
            lambda x, logits: x * logsigmoid(logits) + (1 - x) * (-logits).sigmoid()
        ),
        "the sign of softplus is turned round: log p(x | z) is x · logits − softplus",
        _elbo_with(lambda x, logits: x * logits + softplus(logits)),
        "this is log 0, −∞: you took the log of x, which is 0 or 1, or of a hard "
        "decision. Take the log of p = logits.sigmoid(), and multiply by x",
        _elbo_with(lambda x, logits: x.log() * logits.sigmoid()),
        "this counts the pixels that are right, a hard decision; log p is asked",
        _elbo_with(lambda x, logits: ((logits > 0) == x.bool()).double()),
        NEAR_0,
        *(
            _elbo_with(lambda x, logits, n=n: (_log_p(x, logits).exp() + 10**-n).log())
            for n in (1.0, 2.0, 3.0, 4.0, 5.0)
        ),
        *(
            _elbo_with(lambda x, logits, c=c: _log_p(x, logits.clamp(-c, c)))
            for c in (1, 2, 3, 4, 5)
        ),
        NOT_PROBABILITIES,
        _elbo_with(lambda x, p: x * p.log() + (1 - x) * (1 - p).log()),
        _elbo_with(lambda x, p: x * p + (1 - x) * (1 - p)),
        _elbo_with(lambda x, p: (x * p + (1 - x) * (1 - p)).log()),
        _elbo_with(lambda x, p: x * p),
        _elbo_with(lambda x, p: x * p - (1 - x) * p),
        _elbo_with(lambda x, p: x * p - (1 - x) * (1 - p)),
        "the softmax makes the pixels compete; each has its own sigmoid()",
        _elbo_with(lambda x, logits: x * logits.log_softmax(dim=1)),
        _elbo_with(
            lambda x, logits: (
                x * logits.softmax(1).log() + (1 - x) * (1 - logits.softmax(1)).log()
            )
        ),
        "p is the probability of ink (x = 1), not of no ink: the sign of the logits, "
        "or x and 1 − x, are exchanged",
        _elbo_with(lambda x, logits: _log_p(x, -logits)),
        "x and logits have changed places in the cross-entropy",
        _elbo_with(lambda x, logits: x * logits - softplus(x)),
        _elbo_with(lambda x, logits: logits * logsigmoid(x)),
        _elbo_with(lambda x, logits: x * logits.sigmoid() - softplus(x)),
        _elbo_with(
            lambda x, logits: (
                -binary_cross_entropy(x, logits.sigmoid(), reduction="none")
            )
        ),
        "this is a squared error, as for a Gaussian; x is 0 or 1: use the Bernoulli",
        _elbo_with(lambda x, logits: -(x - logits.sigmoid()).square()),
        _elbo_with(lambda x, logits: -(x - logits.sigmoid()).square() / 2),
        _elbo_with(lambda x, logits: (x - logits.sigmoid()).square()),
        _elbo_with(lambda x, logits: -(x - logits).square()),
        _elbo_with(lambda x, logits: -(x - logits).square() / 2),
        lambda x, logits, kl: -(x - logits.sigmoid()).square().mean() - kl.mean(),
        "this is an absolute error; x is 0 or 1: use log_prob of the Bernoulli",
        _elbo_with(lambda x, logits: -(x - logits.sigmoid()).abs()),
        "the log is missing: log p(x | z) is a sum of logs, not of probabilities",
        _elbo_with(lambda x, logits: _log_p(x, logits).exp()),
        "this is the probability of each picture: take the log of it",
        lambda x, logits, kl: (_log_p(x, logits).sum(1).exp() - kl).mean(),
        "the log stands outside the sum (or mean): take the log of each pixel, and add "
        "up",
        lambda x, logits, kl: (_log_p(x, logits).exp().mean(1).log() - kl).mean(),
        lambda x, logits, kl: (_log_p(x, logits).exp().sum(1).log() - kl).mean(),
        "the log stands outside the mean: average over the examples after the log",
        lambda x, logits, kl: _log_p(x, logits).sum(1).exp().mean().log() - kl.mean(),
        # one term over the wrong axis, the other right
        "log p(x | z) is added up over the examples; take the mean, as for the KL",
        lambda x, logits, kl: _log_p(x, logits).sum() - kl.mean(),
        "the KL is added up over the examples; take its mean",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean() - kl.sum(),
        "log p(x | z) is added up over the examples: the pixels are dim=1",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=0).mean() - kl.mean(),
    ),
).check
