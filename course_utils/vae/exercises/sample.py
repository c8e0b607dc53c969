"""Exercise 2 of notebook 04: the reparameterized sample."""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import normalize, softplus

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def sample(mu, logvar, noise):
    """μ + σ ε, with σ = exp(½ log σ²)."""
    sigma = (0.5 * logvar).exp()
    return mu + sigma * noise


def _sample_by_root(mu, logvar, noise):
    return mu + torch.sqrt(torch.exp(logvar)) * noise


def _scaled(sigma):
    """The right sample but for the σ that it gets from logvar."""
    return lambda mu, logvar, noise: mu + sigma(logvar) * noise


check_sample = Exercise(
    name="reparameterized sample",
    solution=sample,
    also=(_sample_by_root,),
    draw=lambda seed: (
        noise(seed, 7, 5),
        noise(seed + 20, 7, 5),
        noise(seed + 40, 7, 5),
    ),
    expected="z, of the shape of mu",
    gradient=("mu", "logvar"),
    error_hints={
        words: "all three have one shape, and σ multiplies the noise entry by entry: "
        "with *, no @ and no .T"
        for words in ("mat1 and mat2", "size mismatch", "must match the size")
    },
    hints=(
        "z = μ + σ ε: move ε by the mean, and scale it by σ",
        "logvar is log σ², so log σ is half of it, and σ is the exp() of that half",
        "mu + … * noise, with σ = (0.5 * logvar).exp() in place of the dots",
    ),
    extremes=(
        Extreme(
            "it is right, except for a very small σ: add no small number to σ, and do "
            "not clamp logvar",
            (0 * noise(50, 2, 3), noise(51, 2, 3) - 40, noise(52, 2, 3)),
        ),
        Extreme(
            "it is right, except for a large σ: do not clamp logvar or z",
            (noise(53, 2, 3), noise(54, 2, 3) + 25, noise(55, 2, 3)),
        ),
    ),
    mistakes=known_mistakes(
        # another scale in place of σ = exp(½ log σ²)
        "you multiplied the noise by σ², the variance; σ is its root, the half in the "
        "exp: (0.5 * logvar).exp()",
        _scaled(torch.exp),
        "you doubled logvar, and so have σ⁴; halve it: σ is (0.5 * logvar).exp()",
        _scaled(lambda logvar: (2 * logvar).exp()),
        "you multiplied the noise by log σ²; σ is (0.5 * logvar).exp()",
        _scaled(lambda logvar: logvar),
        "the exp() is missing: 0.5 * logvar is log σ",
        _scaled(lambda logvar: 0.5 * logvar),
        "the ½ belongs inside exp(): σ is (0.5 * logvar).exp()",
        _scaled(lambda logvar: 0.5 * logvar.exp()),
        "take exp() first: σ is the root of σ², and σ² is logvar.exp(); logvar itself "
        "may be negative, and has no root then",
        _scaled(torch.sqrt),
        "logvar has no root where it is negative: take half of it, not its root, "
        "inside the exp: (0.5 * logvar).exp()",
        _scaled(lambda logvar: logvar.sqrt().exp()),
        "this is 1/σ: the sign inside the exp is turned round, or you divided",
        _scaled(lambda logvar: (-0.5 * logvar).exp()),
        "σ is exp(½ log σ²); you used softplus in place of exp",
        _scaled(softplus),
        _scaled(lambda logvar: softplus(0.5 * logvar)),
        "the base is e: take exp(), no other power",
        *(_scaled(lambda logvar, b=b: b ** (0.5 * logvar)) for b in (2.0, 10.0)),
        "σ is exp(½ log σ²), nothing else: logvar itself may be negative, so you took "
        "its square or absolute value, or a sigmoid; take exp(), after the half",
        _scaled(torch.square),
        _scaled(torch.abs),
        _scaled(lambda logvar: logvar.abs().sqrt()),
        _scaled(lambda logvar: 0.5 * logvar.abs()),
        _scaled(lambda logvar: logvar.abs().sqrt().exp()),
        _scaled(lambda logvar: (0.5 * logvar.abs()).exp()),
        _scaled(lambda logvar: (0.5 * logvar.square()).exp()),
        _scaled(lambda logvar: logvar.square().exp()),
        _scaled(torch.sigmoid),
        _scaled(lambda logvar: (0.5 * logvar).sigmoid()),
        "brackets: all of ½ · logvar stands inside the exp: (0.5 * logvar).exp()",
        _scaled(lambda logvar: math.exp(0.5) * logvar),
        "the half is missing, and the noise is divided by σ² in place of multiplied "
        "by σ",
        _scaled(lambda logvar: (-logvar).exp()),
        "the factor ½ inside the exp is another number here: (0.5 * logvar).exp()",
        _scaled(lambda logvar: (logvar / 3).exp()),
        _scaled(lambda logvar: (1.5 * logvar).exp()),
        "the root is taken twice: (0.5 * logvar).exp() is σ already",
        _scaled(lambda logvar: (0.25 * logvar).exp()),
        "exp() must be taken, not log(): (0.5 * logvar).exp()",
        _scaled(torch.log),
        _scaled(lambda logvar: 0.5 * logvar.log()),
        _scaled(lambda logvar: (0.5 * logvar).log()),
        # a part left out, or in another place
        "the noise is not scaled: multiply it by σ, a product σ ε",
        lambda mu, logvar, noise: mu + noise,
        "this is the mean of q, not a sample: the bound needs the noise, too",
        lambda mu, logvar, noise: mu,
        "the noise is missing: z = μ + σ ε",
        lambda mu, logvar, noise: mu + (0.5 * logvar).exp(),
        "μ is missing: add it, z = μ + σ ε",
        lambda mu, logvar, noise: (0.5 * logvar).exp() * noise,
        "you added the three; σ = (0.5 * logvar).exp() multiplies the noise, σ ε",
        lambda mu, logvar, noise: mu + logvar + noise,
        lambda mu, logvar, noise: mu + (0.5 * logvar).exp() + noise,
        lambda mu, logvar, noise: mu + logvar.exp() + noise,
        lambda mu, logvar, noise: mu + 0.5 * logvar + noise,
        "this is σ alone: z = μ + σ ε",
        lambda mu, logvar, noise: (0.5 * logvar).exp(),
        "this is the noise alone: z = μ + σ ε",
        lambda mu, logvar, noise: noise,
        "the noise counts twice: once more without σ",
        lambda mu, logvar, noise: mu + (1 + (0.5 * logvar).exp()) * noise,
        "one row (or column) of the noise serves for all: each entry of z has its own",
        lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise[0],
        lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise[:, :1],
        "μ and σ have changed places: σ multiplies the noise, and μ is added",
        lambda mu, logvar, noise: mu * noise + (0.5 * logvar).exp(),
        "μ and the noise have changed places: σ multiplies the noise, and μ is added",
        lambda mu, logvar, noise: noise + (0.5 * logvar).exp() * mu,
        "brackets: σ multiplies the noise only, not μ",
        lambda mu, logvar, noise: (mu + noise) * (0.5 * logvar).exp(),
        "μ is added at the end, not multiplied by anything: μ + σ ε",
        lambda mu, logvar, noise: (mu + (0.5 * logvar).exp()) * noise,
        lambda mu, logvar, noise: mu * (1 + (0.5 * logvar).exp() * noise),
        "you made the noise standard, the inverse way: (… − μ)/σ. Multiply it by σ, "
        "and add μ",
        lambda mu, logvar, noise: (noise - mu) / (0.5 * logvar).exp(),
        lambda mu, logvar, noise: (mu - noise) / (0.5 * logvar).exp(),
        lambda mu, logvar, noise: (noise - mu) / logvar.exp(),
        lambda mu, logvar, noise: (mu - noise) / logvar.exp(),
        lambda mu, logvar, noise: (noise - mu) * (0.5 * logvar).exp(),
        "the noise serves as it is given: not its absolute value, not rounded, in "
        "another order or made standard once more",
        lambda mu, logvar, noise: sample(mu, logvar, noise.abs()),
        lambda mu, logvar, noise: sample(mu, logvar, noise.trunc()),
        lambda mu, logvar, noise: sample(mu, logvar, noise.round()),
        lambda mu, logvar, noise: sample(mu, logvar, noise.flip(0)),
        lambda mu, logvar, noise: sample(
            mu, logvar, (noise - noise.mean()) / noise.std()
        ),
        "the noise is multiplied by σ outside the exp: (0.5 * logvar).exp() * noise",
        lambda mu, logvar, noise: mu + (0.5 * logvar * noise).exp(),
        lambda mu, logvar, noise: mu + (logvar * noise).exp(),
        "σ is the root of σ² alone: a factor 2 or ½ is too much, under the root or not",
        *(_scaled(lambda v, c=c: c * (0.5 * v).exp()) for c in (0.5**0.5, 2**0.5)),
        "z may be any number: leave the clamp, softmax or normalisation out",
        *(
            lambda mu, logvar, noise, c=c: sample(mu, logvar, noise).clamp(-c, c)
            for c in (1, 2, 3)
        ),
        lambda mu, logvar, noise: sample(mu, logvar, noise).softmax(dim=1),
        lambda mu, logvar, noise: normalize(sample(mu, logvar, noise)),
        "z may be any number: leave the tanh out",
        lambda mu, logvar, noise: (mu + (0.5 * logvar).exp() * noise).tanh(),
        "this is the log of a density; z itself is asked: z = μ + σ ε",
        lambda mu, logvar, noise: Normal(mu, (0.5 * logvar).exp()).log_prob(noise),
        "noise is ε already: do not send it through a density or its cdf; μ + σ ε",
        lambda mu, logvar, noise: Normal(mu, (0.5 * logvar).exp()).cdf(noise),
        lambda mu, logvar, noise: Normal(mu, (0.5 * logvar).exp()).icdf(noise),
    ),
).check
