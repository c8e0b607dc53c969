"""Exercise 1 of notebook 04: the KL between q(z | x) and the prior."""

import math
from itertools import product

import torch
from torch.nn.functional import softplus

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def kl_term(mu, logvar):
    """½ (μ² + σ² − 1 − log σ²), added up over the latents."""
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)


def _kl_without_bracket(mu, logvar):
    return (0.5 * mu**2 + 0.5 * logvar.exp() - 0.5 - 0.5 * logvar).sum(dim=1)


def _kl_with_sigma(mu, logvar):
    sigma = torch.exp(0.5 * logvar)
    return (0.5 * (mu**2 + sigma**2 - 1) - torch.log(sigma)).sum(dim=1)


def _kl_of_kingma(mu, logvar):
    return (-0.5 * (1 + logvar - mu**2 - logvar.exp())).sum(dim=1)


def _from_prior(mu, logvar):
    """KL(N(0, 1) ‖ N(μ, σ²)) = ½ (μ²/σ² + 1/σ² − 1 + log σ²)."""
    return kl_term(mu * (-logvar / 2).exp(), -logvar)


def _terms(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar)


def _half_of(*halved):
    """The right KL, but ½ stands before some of the four terms only."""
    return lambda mu, logvar: sum(
        (0.5 if half else 1) * (one + 0 * mu)
        for half, one in zip(halved, (mu**2, logvar.exp(), -1, -logvar), strict=True)
    ).sum(dim=1)


def _to_another(scale):
    """KL(q ‖ N(0, scale²))."""
    return lambda mu, logvar: kl_term(mu / scale, logvar - 2 * math.log(scale))


def _kl_with(variance):
    """The right KL but for the variance that it gets from logvar."""
    return lambda mu, logvar: (
        _terms(mu, logvar) + 0.5 * (variance(logvar) - logvar.exp())
    ).sum(dim=1)


def _draw_posteriors(seed, n=7, d=5):
    """The first example has log σ² > 0 only, so that its log is a number there."""
    mu, logvar = noise(seed, n, d), noise(seed + 20, n, d) - 0.3
    logvar[0] = logvar[0].abs()
    return mu, logvar


HALVED = [which for which in product((True, False), repeat=4) if len({*which}) > 1]

check_kl_term = Exercise(
    name="KL term",
    solution=kl_term,
    also=(_kl_without_bracket, _kl_with_sigma, _kl_of_kingma),
    draw=_draw_posteriors,
    expected="one number per example, shape (n,), in nats",
    hints=(
        "the formula above gives one number for each latent; they are added up",
        "σ² is logvar.exp(), and log σ² is logvar as it is",
        "0.5 * (mu**2 + …), with σ², −1 and −log σ² in place of the dots, and .sum "
        "over dim=1",
    ),
    extremes=(
        Extreme(
            "it is right, except for a very small σ: a small number inside the log, "
            "or a clamp, changes the result; log σ² is logvar, so no log is needed",
            (noise(50, 2, 3), noise(51, 2, 3) - 40),
        ),
        Extreme(
            "it is right, except for a large σ: do not clamp logvar",
            (noise(52, 2, 3), noise(53, 2, 3) + 25),
        ),
    ),
    error_hints={"GreaterThan": "Normal takes σ, not log σ²: (0.5 * logvar).exp()"},
    mistakes=known_mistakes(
        # what is added up, and over which axis
        "this is the KL of each latent; add up over the latents",
        _terms,
        "you took the mean over the latents; independent latents add up: a sum",
        lambda mu, logvar: _terms(mu, logvar).mean(dim=1),
        "you took the mean over the latents; they add up (a sum), and the ½ is missing",
        lambda mu, logvar: 2 * _terms(mu, logvar).mean(dim=1),
        "you added up over the examples, dim=0; add up over the latents, dim=1",
        lambda mu, logvar: _terms(mu, logvar).sum(dim=0),
        "this is a mean over the examples, dim=0; add up over the latents, dim=1",
        lambda mu, logvar: _terms(mu, logvar).mean(dim=0),
        "this is one number for the whole batch; give one for each example: dim=1",
        lambda mu, logvar: _terms(mu, logvar).sum(),
        lambda mu, logvar: _terms(mu, logvar).mean(),
        "this is the mean over the examples; give one number for each example",
        lambda mu, logvar: kl_term(mu, logvar).mean(),
        # the terms of the formula
        "the ½ in front is missing",
        lambda mu, logvar: 2 * kl_term(mu, logvar),
        "logvar counts double: it is log σ², not log σ. So σ² is logvar.exp(); σ, the "
        "standard deviation that Normal takes, is half as much in the exp: "
        "(0.5 * logvar).exp(), not the variance",
        lambda mu, logvar: kl_term(mu, 2 * logvar),
        "you used σ where the variance σ² belongs: σ² is logvar.exp()",
        _kl_with(lambda logvar: (0.5 * logvar).exp()),
        "you used σ⁴, the square of the variance: logvar.exp() is σ² already",
        _kl_with(lambda logvar: (2 * logvar).exp()),
        "one and the same stands for σ² and for log σ²: the variance σ² is "
        "logvar.exp(), and log σ² is logvar",
        _kl_with(lambda logvar: logvar),
        "logvar² stands where σ² belongs: logvar is a logarithm, so take its exp()",
        _kl_with(torch.square),
        "you took logvar for the variance itself: it is its log. So σ² is "
        "logvar.exp(), and log σ² is logvar",
        lambda mu, logvar: kl_term(mu, logvar.log()),
        "you took logvar for σ: it is log σ². So σ² is logvar.exp(), and log σ² is "
        "logvar",
        lambda mu, logvar: kl_term(mu, logvar.square().log()),
        lambda mu, logvar: kl_term(mu, 2 * logvar.log()),
        "log σ² is logvar, as it is: you took its log, a log too much",
        lambda mu, logvar: (_terms(mu, logvar) + (logvar - logvar.log()) / 2).sum(1),
        "log σ² is logvar, as it is: you halved it, and that is log σ (or the ½ in "
        "front is taken twice)",
        lambda mu, logvar: (_terms(mu, logvar) + 0.25 * logvar).sum(dim=1),
        "the −1 is missing, so the KL of the prior with itself is not 0",
        lambda mu, logvar: (_terms(mu, logvar) + 0.5).sum(dim=1),
        "the sign of the 1 is turned round: it is −1",
        lambda mu, logvar: (_terms(mu, logvar) + 1).sum(dim=1),
        "the −1 belongs to each latent: subtract it before the sum",
        lambda mu, logvar: (_terms(mu, logvar) + 0.5).sum(dim=1) - 0.5,
        lambda mu, logvar: (_terms(mu, logvar) + 0.5).sum(dim=1) - 1,
        "the −1 counts once for each latent, d times, not for each example",
        lambda mu, logvar: kl_term(mu, logvar) + (mu.shape[1] - len(mu)) / 2,
        "σ is (0.5 * logvar).exp(): you doubled logvar where it is halved",
        lambda mu, logvar: kl_term(mu, 4 * logvar),
        "the means must be squared: μ²",
        lambda mu, logvar: _kl_with(torch.exp)(0 * mu, logvar) + mu.sum(1) / 2,
        "the means are missing: μ² counts, too",
        lambda mu, logvar: kl_term(0 * mu, logvar),
        "the variance is missing: σ² and log σ² count, too",
        lambda mu, logvar: kl_term(mu, 0 * logvar),
        "the sign of log σ² is turned round: subtract it (minus)",
        lambda mu, logvar: (_terms(mu, logvar) + logvar).sum(dim=1),
        "brackets: the ½ belongs to every term, and stands in front of the bracket "
        "(and log σ² is logvar, not twice as much)",
        *(_half_of(*which) for which in HALVED),
        lambda mu, logvar: (logvar - 0.5 - mu**2 - logvar.exp()).sum(dim=1),
        lambda mu, logvar: (-0.5 - 0.5 * logvar + mu**2 + logvar.exp()).sum(dim=1),
        lambda mu, logvar: (-0.5 - 0.5 * logvar - mu**2 - logvar.exp()).sum(dim=1),
        "σ² and the −1 are missing: ½ (μ² + σ² − 1 − log σ²)",
        lambda mu, logvar: 0.5 * (mu**2 - logvar).sum(dim=1),
        "you used σ for σ² throughout: log σ² is logvar, not half of it",
        lambda mu, logvar: kl_term(mu, 0.5 * logvar),
        "μ² is not divided by σ²: the prior has standard deviation 1",
        lambda mu, logvar: kl_term(mu * (-0.5 * logvar).exp(), logvar),
        "σ² stands above the line, not 1/σ²: the sign inside the exp is turned round",
        _kl_with(lambda logvar: (-logvar).exp()),
        "μ and σ are squared each by itself: μ² + σ², not (μ + σ)²",
        lambda mu, logvar: (_terms(mu, logvar) + mu * (logvar / 2).exp()).sum(dim=1),
        # another quantity
        "this is KL(prior ‖ q); the bound has KL(q ‖ prior), the other way round",
        _from_prior,
        lambda mu, logvar: _from_prior(mu, 2 * logvar),
        "this is the mean (or sum) of both KLs; only KL(q ‖ prior) is asked",
        lambda mu, logvar: (kl_term(mu, logvar) + _from_prior(mu, logvar)) / 2,
        lambda mu, logvar: kl_term(mu, logvar) + _from_prior(mu, logvar),
        "the prior is N(0, I): its standard deviation is 1, no other number",
        *(_to_another(scale) for scale in (2, 0.5, math.sqrt(2), math.sqrt(0.5), 0.1)),
        "the prior has mean 0, the same for all; μ² counts",
        lambda mu, logvar: kl_term(mu - 1, logvar),
        "only one of the latents counts here: add up over all of them, dim=1",
        lambda mu, logvar: _terms(mu, logvar).amax(dim=1),
        lambda mu, logvar: _terms(mu, logvar).amin(dim=1),
        lambda mu, logvar: _terms(mu, logvar)[:, 0],
        lambda mu, logvar: _terms(mu, logvar)[:, -1],
        lambda mu, logvar: _terms(mu, logvar).median(dim=1).values,
        "square each μ by itself, then add up: μ₁² + μ₂² + …",
        lambda mu, logvar: kl_term(0 * mu, logvar) + mu.sum(dim=1).square() / 2,
        lambda mu, logvar: kl_term(0 * mu, logvar) + mu.norm(dim=1) / 2,
        "a sum without dim adds up the whole batch: write dim=1 in each sum",
        lambda mu, logvar: kl_term(0 * mu, logvar) + mu.square().sum() / 2,
        lambda mu, logvar: mu.square().sum(1) / 2 + kl_term(0 * mu, logvar).sum(),
        "this is the entropy of q, only a part of the KL: μ² and σ² are missing",
        lambda mu, logvar: 0.5 * (math.log(2 * math.pi) + 1 + logvar).sum(dim=1),
        "this is the cross-entropy (σ² and μ²): the entropy of q must be subtracted",
        lambda mu, logvar: (
            0.5 * (math.log(2 * math.pi) + mu**2 + logvar.exp()).sum(dim=1)
        ),
        "σ² is exp(logvar); you used softplus in place of exp",
        lambda mu, logvar: kl_term(mu, softplus(logvar).log()),
        lambda mu, logvar: kl_term(mu, 2 * softplus(logvar).log()),
        lambda mu, logvar: _kl_with(softplus)(mu, logvar),
        "the KLs of the latents are multiplied (a product); add them up",
        lambda mu, logvar: _terms(mu, logvar).prod(dim=1),
    ),
).check
