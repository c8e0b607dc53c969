"""The first exercise of notebook 07: the log-probability of a string."""

import torch
from torch.nn.functional import logsigmoid

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def text_log_prob(scores, x):
    """log p of each text: the sum of log p(x_t | before) over its characters."""
    log_p = scores.log_softmax(dim=2)
    return log_p.gather(2, x[:, :, None])[:, :, 0].sum(dim=1)


def _by_the_chosen_score(scores, x):
    """The score of the character that came, minus log Σ exp of all scores."""
    chosen = torch.gather(scores, 2, x.unsqueeze(2)).squeeze(2)
    return (chosen - scores.logsumexp(dim=2)).sum(dim=1)


def _draw(seed, n=5, length=7, n_characters=4):
    generator = torch.Generator().manual_seed(seed + 60)
    x = torch.randint(n_characters, (n, length), generator=generator)
    return 1.5 * noise(seed, n, length, n_characters), x


def _of(log_p, x):
    """The entries of ``log_p`` ``(n, T, V)`` that belong to the characters of x."""
    return log_p.gather(2, x[:, :, None])[:, :, 0]


def _picked(scores, x):
    return _of(scores.log_softmax(dim=2), x)


def _p(scores, x):
    return _picked(scores, x).exp()


def _late(scores, x):
    """Row t for the character after x_t, as for networks that have seen x_t."""
    return _picked(scores[:, :-1], x[:, 1:])


def _early(scores, x):
    return _picked(scores[:, 1:], x[:, :-1])


def _sure(n=4, length=6, n_characters=3):
    """Scores of hundreds: what came was nearly certain, or nearly impossible."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randint(n_characters, (n, length), generator=generator)
    high = torch.nn.functional.one_hot((x + (x > 1)) % n_characters, n_characters)
    return 900 * high + noise(6, n, length, n_characters), x


def _long(n=2, length=900, n_characters=5):
    """A page: the product of its probabilities is 0 in floating point."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randint(n_characters, (n, length), generator=generator)
    return noise(8, n, length, n_characters), x


SCORES = (
    "these are scores, not yet log-probabilities: log_softmax over the characters "
    "(dim=2) makes them so"
)
FIRST = (
    "the first character of each text is left out: row t of the scores is for x_t "
    "itself, and row 0 for the first one"
)

check_text_log_prob = Exercise(
    name="log-probability of a text",
    solution=text_log_prob,
    also=(_by_the_chosen_score,),
    draw=_draw,
    expected="one number per text, shape (n,), in nats",
    hints=(
        "the chain rule: log p(x) is the sum of log p(x_t | before) over the "
        "characters",
        "log_softmax(dim=2) makes log-probabilities of the scores; gather(2, "
        "x[:, :, None]) takes, at each place, the one of the character that came",
        "log_p = scores.log_softmax(dim=2), then "
        "log_p.gather(2, x[:, :, None])[:, :, 0].sum(dim=1)",
    ),
    gradient=("scores",),
    extremes=(
        Extreme(
            "it is right for short texts only: the product of hundreds of "
            "probabilities is 0 in floating point; add up their logs",
            _long(),
        ),
        Extreme(
            "it is right for moderate scores only. Where the network is very sure, "
            "softmax gives 0, and its log −∞: use log_softmax, or logsumexp",
            _sure(),
        ),
    ),
    error_hints={
        "int64": "x holds whole numbers, the places of the characters: leave them so",
        "Index tensor must have the same number of dimensions": "gather needs as many "
        "dimensions in x as in the scores: x[:, :, None]",
    },
    mistakes=known_mistakes(
        SCORES,
        lambda scores, x: _of(scores, x).sum(dim=1),
        "this is minus the log-probability, a loss: log p itself is negative",
        lambda scores, x: -_picked(scores, x).sum(dim=1),
        "this is the loss per character, with a minus: log p is the plain sum",
        lambda scores, x: -_picked(scores, x).mean(dim=1),
        "you took the mean over the characters (that is for bits per character): by "
        "the chain rule the logs are added",
        lambda scores, x: _picked(scores, x).mean(dim=1),
        "this is one number for all texts together; give one per text (dim=1)",
        lambda scores, x: _picked(scores, x).sum(),
        lambda scores, x: _picked(scores, x).mean(),
        lambda scores, x: -_picked(scores, x).mean(),
        lambda scores, x: -_picked(scores, x).sum(),
        "the sum is over the texts (dim=0); add up the characters of each text (dim=1)",
        lambda scores, x: _picked(scores, x).sum(dim=0),
        "these are the logs of the single characters, (n, T): add up each row",
        lambda scores, x: _picked(scores, x),
        "log_softmax runs over the places of the text (dim=1); at each place the "
        "characters share the probability (dim=2)",
        lambda scores, x: _of(scores.log_softmax(dim=1), x).sum(dim=1),
        "log_softmax runs over the texts (dim=0); at each place the characters share "
        "the probability (dim=2)",
        lambda scores, x: _of(scores.log_softmax(dim=0), x).sum(dim=1),
        FIRST,
        lambda scores, x: _late(scores, x).sum(dim=1),
        lambda scores, x: _picked(scores, x)[:, 1:].sum(dim=1),
        "the scores are shifted the wrong way: row t belongs to x_t",
        lambda scores, x: _early(scores, x).sum(dim=1),
        lambda scores, x: _picked(scores, x.roll(1, dims=1)).sum(dim=1),
        lambda scores, x: _picked(scores, x.roll(-1, dims=1)).sum(dim=1),
        "this is p itself, without the log",
        lambda scores, x: _picked(scores, x).sum(dim=1).exp(),
        lambda scores, x: _p(scores, x).prod(dim=1),
        "these are probabilities that are added: add up their logs",
        lambda scores, x: _p(scores, x).sum(dim=1),
        "the log of a sum of probabilities: the chain rule multiplies them, so take "
        "the logs first",
        lambda scores, x: _p(scores, x).sum(dim=1).log(),
        "the log of the mean probability: take the logs first, then the sum",
        lambda scores, x: _p(scores, x).mean(dim=1).log(),
        "this is in bits: the answer is asked in nats, the natural log",
        lambda scores, x: _picked(scores, x).sum(dim=1) / f64(2.0).log(),
        "all characters were added, not only the one that came: gather takes at "
        "each place the one of x",
        lambda scores, x: scores.log_softmax(dim=2).sum(dim=(1, 2)),
        "this is the most probable text at each place, not the one in x: gather with x",
        lambda scores, x: scores.log_softmax(dim=2).amax(dim=2).sum(dim=1),
        "only the last character of each text is counted",
        lambda scores, x: _picked(scores, x)[:, -1],
        "the last character of each text is left out",
        lambda scores, x: _picked(scores, x)[:, :-1].sum(dim=1),
        "softmax was taken twice: log_softmax already gives log-probabilities",
        lambda scores, x: _of(scores.softmax(dim=2).log_softmax(dim=2), x).sum(dim=1),
        "a sigmoid of each score does not make them sum to one: at each place one of "
        "the V characters stands, so take log_softmax",
        lambda scores, x: _of(logsigmoid(scores), x).sum(dim=1),
        "log V is right for equal scores only: subtract log Σ exp of the scores at "
        "each place (logsumexp)",
        lambda scores, x: (
            _of(scores, x).sum(dim=1) - x.shape[1] * f64(scores.shape[2]).log()
        ),
        "the largest score was taken out before exp(), and not put back: add it after "
        "the log, or use logsumexp",
        lambda scores, x: (
            _of(scores, x)
            - (scores - scores.amax(dim=2, keepdim=True)).logsumexp(dim=2)
        ).sum(dim=1),
        "each place has a log Σ exp of its own, of its V scores: subtract all of them",
        lambda scores, x: (
            _of(scores, x).sum(dim=1) - scores.flatten(1).logsumexp(dim=1)
        ),
        lambda scores, x: (
            _of(scores, x).sum(dim=1) - scores.logsumexp(dim=2).mean(dim=1)
        ),
        "the characters of the first text stand for all texts: gather with the whole x",
        lambda scores, x: _picked(scores, x[:1].expand_as(x)).sum(dim=1),
        "the scores of the first place stand for all places: row t of them is for x_t",
        lambda scores, x: _picked(scores[:, :1].expand_as(scores), x).sum(dim=1),
        "texts and places are mixed up: a row of scores is one text (no transpose "
        "before a reshape)",
        lambda scores, x: _picked(scores.transpose(0, 1).reshape(scores.shape), x).sum(
            dim=1
        ),
        "this is the entropy of the network's guesses, not the log-probability of x",
        lambda scores, x: (
            -(scores.softmax(dim=2) * scores.log_softmax(dim=2)).sum(dim=(1, 2))
        ),
    ),
).check
