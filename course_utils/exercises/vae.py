"""The checks of notebook 04."""

import math

import torch
from torch.distributions import Bernoulli

from course_utils.exercises import Exercise, Mistake


def _random(seed, *shape, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


MU, LOGVAR, NOISE = _random(0, 4, 3), _random(1, 4, 3), _random(2, 4, 3)
MU2, LOGVAR2, NOISE2 = _random(3, 5, 2), _random(4, 5, 2) - 1, _random(5, 5, 2)


def _kl_terms(mu, logvar):
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


check_kl_term = Exercise(
    name="KL term",
    reference=lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=1),
    cases=((MU, LOGVAR), (MU2, LOGVAR2)),
    expected="one number per example, shape (n,), in nats",
    first_hint="½ (μ² + σ² − 1 − log σ²) for each latent, then the sum over latents",
    mistakes=(
        Mistake("this is the KL of each latent; add up over the latents", _kl_terms),
        Mistake(
            "you took the mean over the latents; independent latents add up",
            lambda mu, logvar: _kl_terms(mu, logvar).mean(dim=1),
        ),
        Mistake(
            "you added up over the examples; add up over the latents, dim=1",
            lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=0),
        ),
        Mistake(
            "this is one number for the whole batch; give one per example",
            lambda mu, logvar: _kl_terms(mu, logvar).sum(),
        ),
        Mistake(
            "this is the mean over the batch; give one number per example",
            lambda mu, logvar: _kl_terms(mu, logvar).sum(dim=1).mean(),
        ),
        Mistake(
            "the ½ in front is missing",
            lambda mu, logvar: 2 * _kl_terms(mu, logvar).sum(dim=1),
        ),
        Mistake(
            "logvar is log σ², not log σ: σ² is logvar.exp(), and log σ² is logvar",
            lambda mu, logvar: _kl_terms(mu, 2 * logvar).sum(dim=1),
        ),
        Mistake(
            "you used σ where σ² belongs: σ² is logvar.exp()",
            lambda mu, logvar: (
                0.5 * (mu.square() + (0.5 * logvar).exp() - 1 - logvar).sum(dim=1)
            ),
        ),
        Mistake(
            "you used σ⁴ where σ² belongs: logvar.exp() is σ² already",
            lambda mu, logvar: (
                0.5 * (mu.square() + (2 * logvar).exp() - 1 - logvar).sum(dim=1)
            ),
        ),
        Mistake(
            "logvar stands where σ² belongs: take its exp()",
            lambda mu, logvar: 0.5 * (mu.square() + logvar - 1 - logvar).sum(dim=1),
        ),
        Mistake(
            "the −1 is missing, so the KL of the prior with itself is not 0",
            lambda mu, logvar: (_kl_terms(mu, logvar) + 0.5).sum(dim=1),
        ),
        Mistake(
            "the means must be squared",
            lambda mu, logvar: 0.5 * (mu + logvar.exp() - 1 - logvar).sum(dim=1),
        ),
        Mistake(
            "the sign of log σ² is turned round",
            lambda mu, logvar: (_kl_terms(mu, logvar) + logvar).sum(dim=1),
        ),
    ),
).check


check_sample = Exercise(
    name="reparameterized sample",
    reference=lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise,
    cases=((MU, LOGVAR, NOISE), (MU2, LOGVAR2, NOISE2)),
    expected="z, of the shape of mu",
    first_hint="z = μ + σ ε; first get σ from log σ²",
    mistakes=(
        Mistake(
            "you multiplied the noise by σ²; σ is its root, (0.5 * logvar).exp()",
            lambda mu, logvar, noise: mu + logvar.exp() * noise,
        ),
        Mistake(
            "you multiplied the noise by log σ²; σ is (0.5 * logvar).exp()",
            lambda mu, logvar, noise: mu + logvar * noise,
        ),
        Mistake("the noise is not scaled by σ", lambda mu, logvar, noise: mu + noise),
        Mistake(
            "this is the mean of q, not a sample: the bound needs the noise",
            lambda mu, logvar, noise: mu,
        ),
        Mistake(
            "μ and σ have changed places",
            lambda mu, logvar, noise: mu * noise + (0.5 * logvar).exp(),
        ),
        Mistake(
            "the noise is multiplied by σ, not divided by it",
            lambda mu, logvar, noise: mu + noise / (0.5 * logvar).exp(),
        ),
    ),
).check


def _log_p(x, logits):
    return Bernoulli(logits=logits).log_prob(x)


PIXELS = (_random(6, 4, 6) > 0).double(), 2 * _random(7, 4, 6), _random(8, 4).square()
OTHERS = (_random(9, 3, 8) > 0).double(), 2 * _random(10, 3, 8), _random(11, 3).square()

check_elbo = Exercise(
    name="ELBO",
    reference=lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).mean(),
    cases=(PIXELS, OTHERS),
    expected="one number: the mean over the examples, in nats",
    first_hint="Bernoulli(logits=logits).log_prob(x), summed over the pixels, minus kl",
    mistakes=(
        Mistake(
            "you took the mean over the pixels; the log of a product is a sum",
            lambda x, logits, kl: (_log_p(x, logits).mean(dim=1) - kl).mean(),
        ),
        Mistake(
            "the KL is added; it must be subtracted",
            lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) + kl).mean(),
        ),
        Mistake(
            "the KL is missing",
            lambda x, logits, kl: _log_p(x, logits).sum(dim=1).mean(),
        ),
        Mistake(
            "this is one number per example; take the mean over the batch",
            lambda x, logits, kl: _log_p(x, logits).sum(dim=1) - kl,
        ),
        Mistake(
            "this is the sum over the batch; take the mean",
            lambda x, logits, kl: (_log_p(x, logits).sum(dim=1) - kl).sum(),
        ),
        Mistake(
            "the sign is turned round: this is the loss, −ELBO",
            lambda x, logits, kl: -(_log_p(x, logits).sum(dim=1) - kl).mean(),
        ),
        Mistake(
            "both signs are turned round for the reconstruction only: log p(x | z) is "
            "minus the cross-entropy",
            lambda x, logits, kl: (-_log_p(x, logits).sum(dim=1) - kl).mean(),
        ),
        Mistake(
            "the sigmoid was taken twice: Bernoulli(logits=…) already takes it",
            lambda x, logits, kl: (_log_p(x, logits.sigmoid()).sum(dim=1) - kl).mean(),
        ),
        Mistake(
            "the pixels that are 0 count, too: (1 − x) log(1 − p) is missing",
            lambda x, logits, kl: ((x * _log_p(x, logits)).sum(dim=1) - kl).mean(),
        ),
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
    mistakes=(
        Mistake(
            "the walk goes from end to start", lambda a, b, steps: _line(b, a, steps)
        ),
        Mistake(
            "the walk stops one step before the end: shares go from 0 to 1, both ends "
            "included",
            lambda a, b, steps: _line(a, b, steps + 1)[:-1],
        ),
        Mistake(
            "the walk leaves out the start: the first share is 0",
            lambda a, b, steps: _line(a, b, steps + 1)[1:],
        ),
        Mistake(
            "it is turned: one row per step, one column per latent",
            lambda a, b, steps: _line(a, b, steps).T,
        ),
        Mistake(
            "share · (end − start) is only the way from start: add start",
            lambda a, b, steps: _line(a, b, steps) - a,
        ),
    ),
).check


WEIGHTS = _random(12, 6, 3, scale=3.0) - 90
SMALL_WEIGHTS = _random(13, 9, 2, scale=3.0) - 900  # their exp() is 0 in float64

check_iwae = Exercise(
    name="k-sample bound",
    reference=lambda w: w.logsumexp(dim=0) - math.log(len(w)),
    cases=((WEIGHTS,), (SMALL_WEIGHTS,)),
    expected="one number per example, shape (n,), in nats",
    first_hint="the log of the mean of k ratios is a logsumexp over them, minus log k",
    mistakes=(
        Mistake(
            "this is the mean of the logs, the ELBO; the log must stand outside",
            lambda w: w.mean(dim=0),
        ),
        Mistake("the 1/k is missing: subtract log k", lambda w: w.logsumexp(dim=0)),
        Mistake(
            "log k is added; 1/k inside the log subtracts it",
            lambda w: w.logsumexp(dim=0) + math.log(len(w)),
        ),
        Mistake(
            "1/k belongs inside the log: subtract log k, do not divide by k",
            lambda w: w.logsumexp(dim=0) / len(w),
        ),
        Mistake(
            "the ratios of one example stand in one column: sum over dim 0",
            lambda w: w.logsumexp(dim=1) - math.log(w.shape[1]),
        ),
        Mistake(
            "this is already averaged over the examples; give one number for each",
            lambda w: (w.logsumexp(dim=0) - math.log(len(w))).mean(),
        ),
        Mistake(
            "exp() of these logs is 0, and log 0 is −∞: use logsumexp, which first "
            "takes the largest out",
            lambda w: w.exp().mean(dim=0).log(),
        ),
    ),
).check
