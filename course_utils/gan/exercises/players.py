"""The first exercises of notebook 05: the loss of D, and the best D.

Wrong answers are made from the solutions. Written by hand are only the mistakes that
belong to GANs; each hint is followed by the answers that get it.
"""

import math
from functools import partial

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise

# ------------------------------------------------------- section 2: the loss of D


def d_loss(real, fake):
    """−V for each batch: −log D of the real, −log(1 − D) of the fakes."""
    return softplus(-real).mean(dim=1) + softplus(fake).mean(dim=1)


def _from_probabilities(real, fake):
    return -(real.sigmoid().log() + (1 - fake.sigmoid()).log()).mean(dim=1)


def _logits(seed):
    """Five batches of seven, of both signs: the log of a negative one is NaN."""
    return 1.5 * noise(seed, 5, 7) + 0.7, 1.5 * noise(seed + 9, 5, 7) - 0.4


def _pairs(real, fake):
    return softplus(-real) + softplus(fake)


bce = partial(binary_cross_entropy_with_logits, reduction="none")
LOGITS = (
    "real and fake are logits, which may be negative, no probabilities: take the "
    "sigmoid before the log (or use logsigmoid, or …_with_logits)"
)

check_d_loss = Exercise(
    name="loss of D",
    solution=d_loss,
    also=(_from_probabilities,),
    draw=_logits,
    expected="one number per row, shape (s,), in nats",
    hints=(
        "this is −V: −log D on the real, and −log(1 − D) on the fakes",
        "−log σ(l) is softplus(−l), and −log(1 − σ(l)) is softplus(l)",
        "a row is one batch: softplus(-real).mean(dim=1), and the same for the fakes",
    ),
    extremes=(
        Extreme(
            "it is right for small logits only. Where D is sure, a small number inside "
            "the log (eps), a clamp, or 1 − σ(l) in 32 bits changes the loss: use "
            "softplus or logsigmoid of the logits",
            tuple(f64(24.0, -24.0) * sign + noise(5, 5, 2) for sign in (1, -1)),
        ),
    ),
    error_hints={"between 0 and 1": LOGITS},  # what torch's own BCE says to logits
    mistakes=known_mistakes(
        "real and fake have changed places, or the labels: real examples have the "
        "label 1, so −log D belongs to them, and −log(1 − D) to the fakes",
        lambda real, fake: _pairs(fake, real).mean(dim=1),
        "the log is missing: the game counts log D, not D",
        lambda real, fake: -(real.sigmoid() + 1 - fake.sigmoid()).mean(dim=1),
        "the log is missing: the loss is −log D and −log(1 − D), not the "
        "probability of the wrong answer",
        lambda real, fake: (1 - real.sigmoid() + fake.sigmoid()).mean(dim=1),
        "the mean was taken over the wrong axis: a row is one batch, so take the "
        "mean over dim=1",
        lambda real, fake: _pairs(real, fake).mean(dim=0),
        "this is one number for all batches together; give one per row (dim=1)",
        lambda real, fake: _pairs(real, fake).mean(),
        "this is V itself; D climbs it, so its loss is −V (the minus is missing)",
        lambda real, fake: -_pairs(real, fake).mean(dim=1),
        "this is half of it: the means over the real and over the fake are added, "
        "not averaged",
        lambda real, fake: _pairs(real, fake).mean(dim=1) / 2,
        "the fakes are missing: −log(1 − D) of the fakes is the second half",
        lambda real, fake: softplus(-real).mean(dim=1),
        "the fakes count as real (label 1): for them it is −log(1 − D)",
        lambda real, fake: (softplus(-real) + softplus(-fake)).mean(dim=1),
        "the sigmoid was taken twice: real and fake are logits, and "
        "logsigmoid, softplus or …_with_logits takes the sigmoid",
        lambda real, fake: _pairs(real.sigmoid(), fake.sigmoid()).mean(dim=1),
        LOGITS,
        lambda real, fake: -(real.log() + (1 - fake).log()).mean(dim=1),  # NaN
        lambda real, fake: -(real.clamp(1e-8).log() + (1 - fake).clamp(1e-8).log())
        .mean(dim=1),
        "the minus belongs to both logs: −log D and −log(1 − D)",
        lambda real, fake: (softplus(-real) - softplus(fake)).mean(dim=1),
        "the real examples are missing: their half is −log D",
        lambda real, fake: softplus(fake).mean(dim=1),
        "this is a loss of G: D wants log D of the real and log(1 − D) of the fakes",
        lambda real, fake: softplus(-fake).mean(dim=1),
        "the real examples count as fakes (label 0): for them it is −log D",
        lambda real, fake: (softplus(real) + softplus(fake)).mean(dim=1),
        "1 − D is the sigmoid of −l, not of 1 − l",
        lambda real, fake: -(logsigmoid(real) + logsigmoid(1 - fake)).mean(dim=1),
        "for the fakes it is log(1 − D), not 1 − log D",
        lambda real, fake: -(logsigmoid(real) + 1 - logsigmoid(fake)).mean(dim=1),
        "for the fakes it is log(1 − D), not log D with another sign",
        lambda real, fake: (softplus(-real) - softplus(-fake)).mean(dim=1),
        "take the log of each D, then the mean: not the log of the mean",
        lambda real, fake: -(
            real.sigmoid().mean(dim=1).log() + (1 - fake.sigmoid().mean(dim=1)).log()
        ),
        "log and sigmoid are missing: this is the loss of the Wasserstein critic",
        lambda real, fake: (fake - real).mean(dim=1),
        "the arguments of the cross-entropy have changed places: first the logits, "
        "then the labels",
        lambda real, fake: (
            bce(torch.ones_like(real), real) + bce(torch.zeros_like(fake), fake)
        ).mean(dim=1),
        "the labels are 1 for the real and 0 for the fakes: not 0.9, 0.1 or −1 (label "
        "smoothing is another loss)",
        *(
            lambda real, fake, r=r, f=f: (_pairs(real, fake)
            + (1 - r) * real - f * fake).mean(dim=1)
            for r, f in ((0.9, 0), (0.9, 0.1), (1, 0.1), (1, -1), (0.8, 0), (0.5, 0.5))
        ),
        "real and fake are compared in pairs (a relativistic loss): here each has a "
        "term of its own, −log D and −log(1 − D)",
        lambda real, fake: softplus(fake - real).mean(dim=1),
        "a batch is no list of classes: take the sigmoid of each logit, not softmax",
        lambda real, fake: -(
            real.softmax(1).log() + (1 - fake.softmax(1)).log()
        ).mean(dim=1),
        "take the log of each D, not of the sum of both: log D + log(1 − D)",
        lambda real, fake: -(real.sigmoid() + 1 - fake.sigmoid()).log().mean(dim=1),
        "this is a hinge loss; the loss here is the cross-entropy, −log D and "
        "−log(1 − D)",
        lambda real, fake: ((1 - real).relu() + (1 + fake).relu()).mean(dim=1),
        "these are squared distances, the loss of a least-squares GAN; here it is the "
        "cross-entropy, −log D and −log(1 − D)",
        lambda real, fake: ((real - 1) ** 2 + fake**2).mean(dim=1),
        lambda real, fake: (
            (real.sigmoid() - 1) ** 2 + fake.sigmoid() ** 2
        ).mean(dim=1),
    ),
).check  # fmt: skip


def best_d(log_p, log_q):
    """p / (p + q), where p and q may be too small for a float."""
    return torch.sigmoid(log_p - log_q)


def _by_the_fraction(log_p, log_q):
    return log_p.exp() / (log_p.exp() + log_q.exp())


def _log_densities(seed):
    """Densities large enough that a small eps does not change them."""
    return 0.7 * noise(seed, 9) + 1.5, 0.7 * noise(seed + 9, 9) + 1.2


check_best_d = Exercise(
    name="best discriminator",
    solution=best_d,
    also=(_by_the_fraction,),
    draw=_log_densities,
    expected="D* at each point of the grid, shape (n,), between 0 and 1",
    hints=(
        "D* is p / (p + q): divide above and below by p, before you take exp()",
        "p / (p + q) = 1 / (1 + q / p), and q / p is exp(log q − log p)",
        "1 / (1 + exp(−l)) is the sigmoid of l: here of log p − log q",
    ),
    extremes=(
        Extreme(
            "far from the data, exp() of both logs is 0, and 0 / 0 is NaN. An eps, a "
            "clamp or nan_to_num does not know which of the two is larger: the true "
            "ratio is the sigmoid of the difference, log p − log q",
            (
                f64(-900.0, -905.0, -40.0, -62.0, -18.0, -9000.0),
                f64(-901.5, -904.0, -39.0, -60.0, -18.5, -9001.0),
            ),
        ),
        Extreme(
            "where one density is far larger, exp() of the difference is infinite, and "
            "∞ / ∞ is NaN: use torch.sigmoid(log p − log q)",
            (f64(-10.0, -950.0, -2.0), f64(-950.0, -20.0, -3.0)),
        ),
    ),
    mistakes=known_mistakes(
        "you gave q / (p + q): D is the probability of real, so p stands on top",
        lambda log_p, log_q: torch.sigmoid(log_q - log_p),
        "this is the ratio of p and q; D* is p / (p + q)",
        lambda log_p, log_q: (log_p - log_q).exp(),
        lambda log_p, log_q: (log_q - log_p).exp(),
        "this is the logit of D*; take its sigmoid",
        lambda log_p, log_q: log_p - log_q,
        "this is log D*; take exp() of it",
        lambda log_p, log_q: logsigmoid(log_p - log_q),
        "½ everywhere is right only if both densities are equal everywhere: D* is "
        "p / (p + q) at each point",
        lambda log_p, log_q: 0 * log_p + 0.5,
        "this is a hard decision, 0 or 1: D* is the probability between them, a share",
        lambda log_p, log_q: (log_p > log_q).double(),
        "you used log p and log q where p and q belong: their logs are no densities",
        lambda log_p, log_q: log_p / (log_p + log_q),
        "the ratio of p and q must be inside the sigmoid as a log: log p − log q",
        lambda log_p, log_q: torch.sigmoid((log_p - log_q).exp()),
        "the sigmoid needs log p − log q, not p − q",
        lambda log_p, log_q: torch.sigmoid(log_p.exp() - log_q.exp()),
        "the logs are subtracted, not added: log p − log q",
        lambda log_p, log_q: torch.sigmoid(log_p + log_q),
        "the logs are subtracted, not divided: log p − log q",
        lambda log_p, log_q: torch.sigmoid(log_p / log_q),
        "q is missing: D* compares p with q at the same point",
        lambda log_p, log_q: torch.sigmoid(log_p),
        lambda log_p, log_q: log_p.exp(),
        lambda log_p, log_q: torch.sigmoid(log_p.exp()),
        "this is p / m with the mean m = (p + q) / 2, twice D*: divide by p + q",
        lambda log_p, log_q: 2 * torch.sigmoid(log_p - log_q),
        "this lies between −1 and 1: D* is the sigmoid of log p − log q",
        lambda log_p, log_q: torch.tanh(log_p - log_q),
        lambda log_p, log_q: torch.tanh((log_p - log_q) / 2),
        "log (p + q) is not log p + log q: add the densities, then take the log",
        lambda log_p, log_q: (log_p - (log_p + log_q)).exp(),
        lambda log_p, log_q: log_p / (log_p + log_q).exp(),
        "softmax has gone along the grid: at each point of it, p is compared with q",
        lambda log_p, log_q: log_p.softmax(0),
        lambda log_p, log_q: (log_p - log_q).softmax(0),
        lambda log_p, log_q: torch.stack([log_p, log_q]).softmax(1)[0],
        "the logit of D* is log p − log q itself: not half of it or twice (a root or a "
        "square of the densities), and not with another base than e",
        *(
            lambda log_p, log_q, c=c: torch.sigmoid(c * (log_p - log_q))
            for c in (0.5, 2, math.log(2), 1 / math.log(2), 1 / math.log(10), -0.5, -2)
        ),
        "each log was shifted by a largest value of its own, which changes the ratio: "
        "shift both by the same, or take the sigmoid of log p − log q",
        lambda log_p, log_q: torch.sigmoid(
            log_p - log_p.max() - (log_q - log_q.max())
        ),
        "both shares are there, that of p and that of q: return D* only, the first",
        lambda log_p, log_q: torch.stack([log_p, log_q]).softmax(0),
        lambda log_p, log_q: torch.stack([log_p, log_q], 1).softmax(1),
        "a small number (eps) is added below, and it changes D*: use the sigmoid of "
        "log p − log q, which needs none",
        *(
            lambda log_p, log_q, eps=eps: log_p.exp() / (
                log_p.exp() + log_q.exp() + eps
            )
            for eps in (1e-4, 1e-3, 1e-2)
        ),
    ),
).check  # fmt: skip
