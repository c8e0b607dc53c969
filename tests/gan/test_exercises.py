"""Each usual mistake about the loss of D gets the hint that was written for it."""

import torch
from torch.nn import functional as F

from course_utils.gan import exercises as gan
from course_utils.gan.exercises import check_d_loss
from tests.exercise_rules import rules


def cross_entropy(logits, label, **options):
    labels = torch.full_like(logits, label)
    return F.binary_cross_entropy_with_logits(logits, labels, **options)


def d_loss(real, fake):
    pairs = zip(real, fake, strict=True)
    return torch.stack(
        [cross_entropy(r, 1.0) + cross_entropy(f, 0.0) for r, f in pairs]
    )


D_LOSS = [
    (lambda r, f: d_loss(f, r), "changed places"),
    (
        lambda r, f: -r.sigmoid().mean(1) - (1 - f.sigmoid()).mean(1),
        "counts log D, not D",
    ),
    (
        lambda r, f: (1 - r.sigmoid()).mean(1) + f.sigmoid().mean(1),
        "probability of the wrong",
    ),
    (
        lambda r, f: -F.logsigmoid(r).mean(0) - F.logsigmoid(-f).mean(0),
        "wrong axis",
    ),
    (lambda r, f: cross_entropy(r, 1.0) + cross_entropy(f, 0.0), "all batches"),
    (lambda r, f: -(F.logsigmoid(r) + F.logsigmoid(-f)).sum(1), "has 1/m"),
    (lambda r, f: -F.logsigmoid(r) - F.logsigmoid(-f), "term per pair"),
    (lambda r, f: (F.logsigmoid(r) + F.logsigmoid(-f)).mean(1), "this is V itself"),
    (
        lambda r, f: (
            (
                cross_entropy(r, 1.0, reduction="none")
                + cross_entropy(f, 0.0, reduction="none")
            ).mean(1)
            / 2
        ),
        "added, not averaged",
    ),
    (lambda r, f: -F.logsigmoid(r).mean(1), "fakes are missing"),
    (lambda r, f: -(F.logsigmoid(r) + F.logsigmoid(f)).mean(1), "count as real"),
    (lambda r, f: d_loss(r.sigmoid(), f.sigmoid()), "taken twice"),
    (lambda r, f: -(r.log() + torch.log(1 - f)).mean(1), "may be negative"),
    (lambda r, f: F.binary_cross_entropy(r, torch.ones_like(r)), "may be negative"),
    (lambda r, f: (-F.logsigmoid(r) + F.logsigmoid(-f)).mean(1), "to both logs"),
    (lambda r, f: -F.logsigmoid(-f).mean(1), "real examples are missing"),
    (lambda r, f: -F.logsigmoid(f).mean(1), "a loss of G"),
    (lambda r, f: -(F.logsigmoid(-r) + F.logsigmoid(-f)).mean(1), "count as fakes"),
    (lambda r, f: -(F.logsigmoid(r) + F.logsigmoid(1 - f)).mean(1), "of 1 − l"),
    (
        lambda r, f: -torch.log(r.sigmoid().mean(1) * (1 - f.sigmoid().mean(1))),
        "not the log of the mean",
    ),
    (lambda r, f: f.mean(1) - r.mean(1), "Wasserstein"),
    (lambda r, f: d_loss(r, f)[:, None], "the numbers are right, but in shape (3, 1)"),
    (lambda r, f: -d_loss(r, f).mean(), "all batches together; give one per row; the"),
]


ANSWERS = [(check_d_loss, d_loss, D_LOSS)]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, gan)
