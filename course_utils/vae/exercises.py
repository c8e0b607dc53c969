"""The checks of notebook 04."""

import math

import torch
from torch.distributions import Bernoulli
from torch.nn.functional import softplus

from course_utils.checks import Exercise, known_mistakes, noise

# no zeros and no ones among the numbers, and n ≠ d: so each mistake has its own result
MU, LOGVAR, NOISE = noise(0, 4, 3), noise(1, 4, 3), noise(2, 4, 3)
MU2, LOGVAR2, NOISE2 = noise(3, 5, 2), noise(4, 5, 2) - 1, noise(5, 5, 2)


def _kl_terms(mu, logvar):
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def _kl_with(variance):
    """The right KL but for the variance that it gets from logvar."""
    return lambda mu, logvar: (
        _kl_terms(mu, logvar) + 0.5 * (variance(logvar) - logvar.exp())
    ).sum(dim=1)


check_kl_term = Exercise(
    name="KL term",
    reference=lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=1),
    cases=((MU, LOGVAR), (MU2, LOGVAR2)),
    expected="one number per example, shape (n,), in nats",
    first_hint="½ (μ² + σ² − 1 − log σ²) for each latent, then the sum over latents",
    error_hints={"GreaterThan": "Normal takes σ, not log σ²: (0.5 * logvar).exp()"},
    mistakes=known_mistakes(
        # what is added up, and over which axis
        "this is the KL of each latent; add up over the latents",
        _kl_terms,
        "you took the mean over the latents; independent latents add up",
        lambda mu, logvar: _kl_terms(mu, logvar).mean(dim=1),
        "you added up over the examples; add up over the latents, dim=1",
        lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=0),
        "this is one number for the whole batch; give one per example",
        lambda mu, logvar: _kl_terms(mu, logvar).sum(),
        "this is the mean over the batch; give one number per example",
        lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=1).mean(),
        # each term of the formula, left out or written wrongly
        "the ½ in front is missing",
        lambda mu, logvar: 2 * _kl_terms(mu, logvar).sum(dim=1),
        "logvar is log σ², not log σ: σ² is logvar.exp(), and log σ² is logvar",
        lambda mu, logvar: _kl_terms(mu, 2 * logvar).sum(dim=1),
        "you used σ where σ² belongs: σ² is logvar.exp()",
        _kl_with(lambda logvar: (0.5 * logvar).exp()),
        "you used σ⁴ where σ² belongs: logvar.exp() is σ² already",
        _kl_with(lambda logvar: (2 * logvar).exp()),
        "logvar stands where σ² belongs: take its exp()",
        _kl_with(lambda logvar: logvar),
        "the −1 is missing, so the KL of the prior with itself is not 0",
        lambda mu, logvar: (_kl_terms(mu, logvar) + 0.5).sum(dim=1),
        "the means must be squared",
        lambda mu, logvar: 0.5 * (mu + logvar.exp() - 1 - logvar).sum(dim=1),
        "the sign of log σ² is turned round",
        lambda mu, logvar: (_kl_terms(mu, logvar) + logvar).sum(dim=1),
        "the ½ belongs to every term: it stands in front of the bracket",
        lambda mu, logvar: (_kl_terms(mu, logvar) - 0.5 * logvar).sum(dim=1),
        lambda mu, logvar: (2 * _kl_terms(mu, logvar) - 0.5 * mu**2).sum(dim=1),
        "log σ² is logvar, as it is: you halved it",
        lambda mu, logvar: (_kl_terms(mu, logvar) + 0.25 * logvar).sum(dim=1),
        "the −1 belongs to each latent: subtract it before the sum",
        lambda mu, logvar: (_kl_terms(mu, logvar) + 0.5).sum(dim=1) - 0.5,
        "the means are missing: μ² counts, too",
        lambda mu, logvar: (_kl_terms(mu, logvar) - 0.5 * mu**2).sum(dim=1),
        # KL(N(0, 1) ‖ N(μ, σ²)) = ½ (μ²/σ² + 1/σ² − 1 + log σ²)
        "this is KL(prior ‖ q); the bound has KL(q ‖ prior)",
        lambda mu, logvar: _kl_terms(mu * (-logvar / 2).exp(), -logvar).sum(dim=1),
    ),
).check


check_sample = Exercise(
    name="reparameterized sample",
    reference=lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise,
    cases=((MU, LOGVAR, NOISE), (MU2, LOGVAR2, NOISE2)),
    expected="z, of the shape of mu",
    first_hint="z = μ + σ ε; first get σ from log σ²",
    mistakes=known_mistakes(
        # another scale in place of σ = exp(½ log σ²), or a part left out
        "you multiplied the noise by σ²; σ is its root, (0.5 * logvar).exp()",
        lambda mu, logvar, noise: mu + logvar.exp() * noise,
        "you multiplied the noise by log σ²; σ is (0.5 * logvar).exp()",
        lambda mu, logvar, noise: mu + logvar * noise,
        "the noise is not scaled by σ",
        lambda mu, logvar, noise: mu + noise,
        "this is the mean of q, not a sample: the bound needs the noise",
        lambda mu, logvar, noise: mu,
        "μ and σ have changed places",
        lambda mu, logvar, noise: mu * noise + (0.5 * logvar).exp(),
        "the noise is multiplied by σ, not divided by it",
        lambda mu, logvar, noise: mu + noise / (0.5 * logvar).exp(),
        "the ½ belongs inside exp(): σ is (0.5 * logvar).exp()",
        lambda mu, logvar, noise: mu + 0.5 * logvar.exp() * noise,
        "the exp() is missing: 0.5 * logvar is log σ",
        lambda mu, logvar, noise: mu + 0.5 * logvar * noise,
        "σ is the root of σ², and σ² is logvar.exp(): logvar itself may be negative",
        lambda mu, logvar, noise: mu + logvar.sqrt() * noise,
        "μ is missing: z = μ + σ ε",
        lambda mu, logvar, noise: (0.5 * logvar).exp() * noise,
    ),
).check


def _log_p(x, logits):
    return Bernoulli(logits=logits).log_prob(x)


def _elbo_with(log_p):
    """The right ELBO but for this log p(x | z) of each pixel."""
    return lambda x, logits, kl: (log_p(x, logits).sum(dim=1) - kl).mean()


NOT_PROBABILITIES = (
    "the logits are not probabilities: take their sigmoid(), or use "
    "Bernoulli(logits=…) or binary_cross_entropy_with_logits"
)
PIXELS = (noise(6, 4, 6) > 0).double(), 2 * noise(7, 4, 6), noise(8, 4).square()
OTHERS = (noise(9, 3, 8) > 0).double(), 2 * noise(10, 3, 8), noise(11, 3).square()

check_elbo = Exercise(
    name="ELBO",
    reference=lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).mean(),
    cases=(PIXELS, OTHERS),
    expected="one number: the mean over the examples, in nats",
    first_hint="Bernoulli(logits=logits).log_prob(x), summed over the pixels, minus kl",
    error_hints={
        "between 0 and 1": NOT_PROBABILITIES,
        "Interval(lower_bound=0.0, upper_bound=1.0)": NOT_PROBABILITIES,
        "must match the size": "sum log p(x | z) over the pixels, dim=1, before the KL",
    },
    mistakes=known_mistakes(
        # sums and means, and the signs of the two terms
        "you took the mean over the pixels; the log of a product is a sum",
        lambda x, logits, kl: (_log_p(x, logits).mean(dim=1) - kl).mean(),
        "the KL is added; it must be subtracted",
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) + kl).mean(),
        "the KL is missing",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean(),
        "this is one number per example; take the mean over the batch",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1) - kl,
        "this is the sum over the batch; take the mean",
        lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).sum(),
        "the sign is turned round: this is the loss, −ELBO",
        lambda x, logits, kl: -(_log_p(x, logits).sum(dim=1) - kl).mean(),
        "both signs are turned round for the reconstruction only: log p(x | z) is "
        "minus the cross-entropy",
        lambda x, logits, kl: (-_log_p(x, logits).sum(dim=1) - kl).mean(),
        # another log p(x | z) of each pixel
        "the sigmoid was taken twice: Bernoulli(logits=…) already takes it",
        _elbo_with(lambda x, logits: _log_p(x, logits.sigmoid())),
        "the pixels that are 0 count, too: (1 − x) log(1 − p) is missing",
        _elbo_with(lambda x, logits: x * _log_p(x, logits)),
        NOT_PROBABILITIES,
        _elbo_with(lambda x, p: x * p.log() + (1 - x) * (1 - p).log()),
        "x and logits have changed places in the cross-entropy",
        _elbo_with(lambda x, logits: x * logits - softplus(x)),
        "this is a squared error, as for a Gaussian; x is 0 or 1: use the Bernoulli",
        _elbo_with(lambda x, logits: -(x - logits.sigmoid()).square()),
        _elbo_with(lambda x, logits: -(x - logits.sigmoid()).square() / 2),
        "the log is missing: log p(x | z) is a sum of logs, not of probabilities",
        _elbo_with(lambda x, logits: _log_p(x, logits).exp()),
        # one term over the wrong axis, the other right
        "log p(x | z) is added up over the batch; take the mean, as for the KL",
        lambda x, logits, kl: _log_p(x, logits).sum() - kl.mean(),
        "the KL is added up over the batch; take the mean",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean() - kl.sum(),
        "log p(x | z) is added up over the examples: the pixels are dim=1",
        lambda x, logits, kl: _log_p(x, logits).sum(dim=0).mean() - kl.mean(),
    ),
).check


def _line(start, end, steps):
    share = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return start + share * (end - start)


check_walk = Exercise(
    name="walk",
    reference=_line,
    cases=((MU[0], MU[1], 5), (MU2[0], MU2[1], 4)),
    expected="shape (steps, d): the first row is start, the last is end",
    first_hint="start + share · (end − start), with shares from 0 to 1: torch.linspace",
    error_hints={
        "must match the size": "make the shares a column, one row per step: [:, None]",
        "linspace": "torch.linspace takes two numbers: make the shares 0 to 1 with it",
    },
    mistakes=known_mistakes(
        "the walk goes from end to start",
        lambda a, b, steps: _line(b, a, steps),
        "the walk stops one step before the end: the last share is 1",
        lambda a, b, steps: _line(a, b, steps + 1)[:-1],
        "the walk leaves out the start: the first share is 0",
        lambda a, b, steps: _line(a, b, steps + 1)[1:],
        "it is turned: one row per step, one column per latent",
        lambda a, b, steps: _line(a, b, steps).T,
        "share · (end − start) is only the way from start: add start",
        lambda a, b, steps: _line(a, b, steps) - a,
        "the way is end − start: the start is not subtracted",
        lambda a, b, steps: a + _line(0 * b, b, steps),
        "the way is end − start, not start − end",
        lambda a, b, steps: 2 * a - _line(a, b, steps),
        "the walk begins at end: it is start + share · (end − start)",
        lambda a, b, steps: b + _line(a, b, steps) - a,
        "the shares run to steps − 1: divide them by steps − 1",
        lambda a, b, steps: a + (_line(a, b, steps) - a) * (steps - 1),
        "there are too many points: steps is their number, both ends included",
        lambda a, b, steps: _line(a, b, steps + 1),
        "there are too few points: steps is their number, both ends included",
        lambda a, b, steps: _line(a, b, steps - 1),
    ),
).check


WEIGHTS = 3 * noise(12, 6, 3) - 90
SMALL_WEIGHTS = 3 * noise(13, 9, 2) - 900  # their exp() is 0 in float64

check_iwae = Exercise(
    name="k-sample bound",
    reference=lambda w: w.logsumexp(dim=0) - math.log(len(w)),
    cases=((WEIGHTS,), (SMALL_WEIGHTS,)),
    expected="one number per example, shape (n,), in nats",
    first_hint="the log of the mean of k ratios is a logsumexp over them, minus log k",
    error_hints={
        words: "logsumexp needs the dim of the k samples: dim=0"
        for words in ('"dim"', "logsumexp() received an invalid")  # torch 2.13, 2.9
    },
    mistakes=known_mistakes(
        "this is the mean of the logs, the ELBO; the log must stand outside",
        lambda w: w.mean(dim=0),
        "the 1/k is missing: subtract log k",
        lambda w: w.logsumexp(dim=0),
        "log k is added; 1/k inside the log subtracts it",
        lambda w: w.logsumexp(dim=0) + math.log(len(w)),
        "1/k belongs inside the log: subtract log k, do not divide by k",
        lambda w: w.logsumexp(dim=0) / len(w),
        "the ratios of one example stand in one column: sum over dim 0",
        lambda w: w.logsumexp(dim=1) - math.log(w.shape[1]),
        "this is already averaged over the examples; give one number for each",
        lambda w: (w.logsumexp(dim=0) - math.log(len(w))).mean(),
        "exp() of these logs is 0, and log 0 is −∞: use logsumexp, which first "
        "takes the largest out",
        lambda w: w.exp().mean(dim=0).log(),
        lambda w: w.exp().sum(dim=0).log(),
        # log(… + 1e-8) and its relatives, for every exponent that is in use
        "a small number inside the log hides that exp() is 0: use logsumexp",
        *(lambda w, n=n: (w.exp().mean(dim=0) + 10.0**-n).log() for n in range(4, 21)),
        "the largest was taken out, but not put back: add it again after the log",
        lambda w: w.logsumexp(dim=0) - math.log(len(w)) - w.amax(dim=0),
        "k is the number of rows, len(w): you subtracted the log of another number",
        lambda w: w.logsumexp(dim=0) - math.log(w.shape[1]),
        lambda w: w.logsumexp(dim=0) - math.log(w.numel()),
    ),
).check
