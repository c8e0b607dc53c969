"""Exercise 6 of notebook 04: the bound with k samples."""

import math

import torch
from torch.nn.functional import softplus

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def bound(w):
    """The log of the mean of exp(w): a logsumexp, minus log k."""
    k = len(w)
    return w.logsumexp(dim=0) - math.log(k)


def _bound_from_largest(w):
    largest = w.amax(dim=0)
    return largest + (w - largest).exp().mean(dim=0).log()


def _bound_by_loop(w):
    k, found = len(w), []
    for column in w.T:
        found.append(torch.logsumexp(column - math.log(k), dim=0))
    return torch.stack(found)


UNDERFLOW = (
    "exp(−900) is 0 in the computer (underflow): its log is −∞, and a small number "
    "inside the log (epsilon), a clamp or nan_to_num gives another wrong value. Use "
    "logsumexp, which takes the largest of each column out first"
)
SPREAD = 900.0 * f64(-1, 0, 1, -2)  # each column at its own height

check_iwae = Exercise(
    name="k-sample bound",
    solution=bound,
    also=(_bound_from_largest, _bound_by_loop),
    draw=lambda seed: (2 * noise(seed, 6, 4) - 1,),
    expected="one number per example, shape (n,), in nats",
    hints=(
        "the bound is the log of a mean of k ratios; w holds their logs",
        "a mean is a sum over k: inside a log, 1/k becomes − log k",
        "w.logsumexp over the k draws, dim=0, minus the log of their number, len(w)",
    ),
    extremes=(
        Extreme(UNDERFLOW, (2 * noise(50, 6, 4) - 900,)),
        Extreme(
            "one largest value (max) is taken out for all examples: underflow for the "
            "others. Each example needs its own: amax(dim=0), or logsumexp(dim=0)",
            (2 * noise(51, 6, 4) + SPREAD,),
        ),
        Extreme(
            "it is right, except where the draws of an example lie far apart: take "
            "the largest out, not the mean, the first or the smallest; or logsumexp",
            (900 * noise(52, 6, 4) - 3000,),
        ),
    ),
    error_hints={
        words: "logsumexp needs the dim of the k samples: dim=0"
        for words in ('"dim"', "logsumexp() received an invalid")  # torch 2.13, 2.9
    },
    mistakes=known_mistakes(
        "this is the mean of the logs, the ELBO; the log must stand outside",
        lambda w: w.mean(dim=0),
        "this is the sum of the logs; the bound is the log of the mean of exp(w)",
        lambda w: w.sum(dim=0),
        "the 1/k is missing: subtract log k",
        lambda w: w.logsumexp(dim=0),
        "log k is added; 1/k inside the log subtracts it (sign)",
        lambda w: w.logsumexp(dim=0) + math.log(len(w)),
        "1/k belongs inside the log: subtract log k, do not divide by k",
        lambda w: w.logsumexp(dim=0) / len(w),
        "you subtracted k; 1/k inside the log becomes − log k",
        lambda w: w.logsumexp(dim=0) - len(w),
        "you subtracted 1/k; 1/k inside the log becomes − log k",
        lambda w: w.logsumexp(dim=0) - 1 / len(w),
        "you divided by log k; log k is subtracted",
        lambda w: w.logsumexp(dim=0) / math.log(len(w)),
        "w is divided by k before the exp; 1/k belongs to the ratios: subtract log k",
        lambda w: (w / len(w)).logsumexp(dim=0),
        "the draws of one example stand in one column: sum over dim=0, not dim=1",
        lambda w: bound(w.T),
        lambda w: w.logsumexp(dim=1) - math.log(len(w)),
        lambda w: w.logsumexp(dim=1),
        lambda w: w.mean(dim=1),
        "this is already averaged over the examples; give one number for each",
        lambda w: bound(w).mean(),
        "you took all numbers of w at once; give one number for each example: dim=0",
        lambda w: bound(w.flatten()),
        lambda w: w.flatten().logsumexp(0) - math.log(len(w)),
        "the sign is turned round (negative): this is the loss, minus the bound",
        lambda w: -bound(w),
        "the log is missing: this is the mean of the ratios",
        lambda w: bound(w).exp(),
        "these are the ratios themselves: take the log of their mean over dim=0",
        torch.exp,
        "this is the sum of the ratios: divide by k, and take the log",
        lambda w: w.exp().sum(dim=0),
        UNDERFLOW,
        *(lambda w, n=n: (w.exp().mean(dim=0) + 10.0**-n).log() for n in (2, 3, 4, 5)),
        "log1p and softplus add 1 before the log: take the log itself",
        lambda w: w.exp().mean(dim=0).log1p(),
        lambda w: w.exp().sum(dim=0).log1p(),
        lambda w: softplus(w).mean(dim=0),
        lambda w: softplus(w).sum(dim=0),
        "this is the number of the best draw (argmax), no bound: logsumexp over dim=0",
        lambda w: w.argmax(dim=0),
        "the largest was taken out, but the exp() of the rest is missing",
        lambda w: w.amax(dim=0) + (w - w.amax(dim=0)).sum(dim=0),
        "exp() is missing: these logs are averaged as if they were the ratios",
        lambda w: w.mean(dim=0).log(),
        "the largest was taken out, but not put back: add it again after the log",
        lambda w: bound(w) - w.amax(dim=0),
        "the largest was taken out twice, or put back in excess: add it once",
        lambda w: bound(w) + w.amax(dim=0),
        "this is the best draw only (the largest): every one of the k draws counts",
        lambda w: w.amax(dim=0),
        lambda w: w.amax(dim=0) - math.log(len(w)),
        "this is the worst draw only (the smallest): all k draws count",
        lambda w: w.amin(dim=0),
        "this is the median of the draws: all k count, by the log of their mean",
        lambda w: w.median(dim=0).values,
        "this is one draw only: all k count",
        lambda w: w[0],
        lambda w: w[-1],
        "this is a mean of w with softmax weights; the log of the mean is asked: "
        "logsumexp",
        lambda w: (w.softmax(dim=0) * w).sum(dim=0),
        "log_softmax subtracts the logsumexp; the logsumexp itself is asked",
        lambda w: w.log_softmax(dim=0).mean(dim=0),
        lambda w: w.log_softmax(dim=0),
        lambda w: w.log_softmax(dim=0).sum(dim=0),
        "wrong axis, and no softmax: logsumexp over the k draws, dim=0",
        lambda w: w.log_softmax(dim=1).mean(dim=0),
        lambda w: w.log_softmax(dim=1),
        lambda w: w.softmax(dim=1),
        lambda w: (w.softmax(dim=1) * w).sum(dim=0),
        lambda w: (w.softmax(dim=1) * w).sum(dim=1),
        "these are the weights of the draws (softmax); logsumexp is asked",
        lambda w: w.softmax(dim=0).mean(dim=0),
        lambda w: w.softmax(dim=0).mean(dim=0).log(),
        lambda w: w.softmax(dim=0).sum(dim=0).log(),
        lambda w: w.softmax(dim=0),
        "only two draws count here: all k count, in one logsumexp over dim=0",
        lambda w: torch.logaddexp(w[0], w[1]),
        lambda w: torch.logaddexp(w[0], w[1]) - math.log(2),
        lambda w: torch.logaddexp(w[0], w[1]) - math.log(len(w)),
        "one number added to all of w serves for one height only, and is infinite for "
        "another: take the largest of each column out, or use logsumexp",
        lambda w: (w + 900).exp().mean(dim=0).log() - 900,
        "this is the mean of 1/ratio, upside down: w enters with its own sign",
        lambda w: bound(-w),
        lambda w: -bound(-w),
        "k is the number of rows, len(w): you subtracted the log of another number",
        lambda w: w.logsumexp(dim=0) - math.log(w.shape[1]),
        lambda w: w.logsumexp(dim=0) - math.log(w.numel()),
        *(lambda w, k=k: w.logsumexp(dim=0) - math.log(k) for k in (2, 10, 100, 500)),
        *(lambda w, d=d: w.logsumexp(dim=0) - math.log(len(w) + d) for d in (-1, 1)),
        "log k is the natural logarithm, as a whole: not log2 or log10, not half of it",
        lambda w: w.logsumexp(dim=0) - math.log2(len(w)),
        lambda w: w.logsumexp(dim=0) - math.log10(len(w)),
        lambda w: w.logsumexp(dim=0) - math.log(len(w)) / 2,
        "log k is subtracted twice: once for each k draws",
        lambda w: bound(w) - math.log(len(w)),
        "this is the mean plus half the variance, an approximation: use logsumexp",
        lambda w: w.mean(dim=0) + w.var(dim=0) / 2,
        lambda w: w.mean(dim=0) + w.var(dim=0, correction=0) / 2,
        "this is the gap between the bound and the ELBO, the mean of w: do not "
        "subtract the mean",
        lambda w: w.logsumexp(dim=0) - w.mean(dim=0),
        lambda w: bound(w) - w.mean(dim=0),
        "w holds logs already: take no log before the logsumexp",
        lambda w: bound(w.log()),
    ),
).check
