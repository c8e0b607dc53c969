"""Each usual mistake of notebook 05 gets the hint that was written for it."""

import math

import pytest
import torch
from exercise_rules import rules
from torch.nn import functional as F

from course_utils.exercises import gan, gan_best
from course_utils.exercises.gan import check_d_loss, check_generator_step
from course_utils.exercises.gan_best import check_best_d, check_jsd, check_unrolled


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
]


def step(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    loss = cross_entropy(discriminator(generator(z)), 1.0)
    loss.backward()
    optimizer.step()
    return loss.item()


def stepping(loss, before="zero_grad", detach=False):
    def wrong(generator, discriminator, optimizer, z):
        fakes = generator(z).detach() if detach else generator(z)
        value = loss(discriminator(fakes))
        if before == "zero_grad":
            optimizer.zero_grad()
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        return value

    return wrong


def no_step(generator, discriminator, optimizer, z):
    loss = -F.logsigmoid(discriminator(generator(z))).mean()
    optimizer.zero_grad()
    loss.backward()
    return loss


def no_backward(generator, discriminator, optimizer, z):
    loss = -F.logsigmoid(discriminator(generator(z))).mean()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def no_grad(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    with torch.no_grad():
        loss = -F.logsigmoid(discriminator(generator(z))).mean()
    loss.backward()
    return loss


def no_return(generator, discriminator, optimizer, z):
    step(generator, discriminator, optimizer, z)


def real_label(logits):
    return cross_entropy(logits, 1.0)


STEP = [
    (stepping(lambda d: F.logsigmoid(d).mean()), "wrong way"),
    (stepping(lambda d: cross_entropy(d, 0.0)), "called fake"),
    (stepping(lambda d: torch.log(1 - d.sigmoid()).mean()), "log(1 − D)"),
    (stepping(lambda d: -F.logsigmoid(d).sum()), "take the mean"),
    (stepping(real_label, before="nothing"), "zero_grad() is missing"),
    (stepping(real_label, detach=True), "not in that of G"),
    (stepping(real_label, before="nothing", detach=True), "followed an old one"),
    (no_step, "optimizer.step() is missing"),
    (no_backward, "backward() is missing"),
    (no_grad, "torch.no_grad()"),
    (no_return, "add `return loss`"),
    (stepping(lambda d: -F.logsigmoid(d.sigmoid()).mean()), "taken twice"),
    (stepping(lambda d: -torch.log(d).mean()), "not a probability"),
    (stepping(lambda d: -d.sigmoid().mean()), "log is missing"),
    (stepping(lambda d: -d.mean()), "Wasserstein"),
]


BEST_D = [
    (lambda a, b: torch.sigmoid(b - a), "p stands on top"),
    (lambda a, b: torch.exp(a - b), "ratio p / q"),
    (lambda a, b: a - b, "logit of D"),
    (lambda a, b: F.logsigmoid(a - b), "this is log D"),
    (lambda a, b: a.exp() / (a.exp() + b.exp()), "0 / 0"),
    (lambda a, b: a / (a + b), "where p and q belong"),
    (lambda a, b: torch.sigmoid(torch.exp(a - b)), "inside the sigmoid"),
]


def v(p, q, d, x):
    return torch.trapezoid(p * torch.log(d) + q * torch.log1p(-d), x)


JSD = [
    (lambda p, q, d, x: v(p, q, d, x) + math.log(4), "½ is missing"),
    (lambda p, q, d, x: 0.5 * (v(p, q, d, x) - math.log(4)), "wrong sign"),
    (v, "this is V"),
    (
        lambda p, q, d, x: (
            torch.trapezoid(p * d.log() + q * d.log(), x) / 2 + math.log(2)
        ),
        "as on the slide",
    ),
    (lambda p, q, d, x: (v(p, q, d, x) + math.log(2)) / 2, "not log 2"),
    (
        lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).sum() + math.log(4)) / 2,
        "without dx",
    ),
    (
        lambda p, q, d, x: (p * d.log() + q * (1 - d).log()).mean() / 2 + math.log(2),
        "mean over the grid",
    ),
    (lambda p, q, d, x: (v(q, p, d, x) + math.log(4)) / 2, "log d belongs to p"),
    (lambda p, q, d, x: (v(p, q, d, x) / math.log(2) + 2) / 2, "in bits"),
    (
        lambda p, q, d, x: (torch.trapezoid(p * d.log(), x) + math.log(4)) / 2,
        "part with q",
    ),
]


def game(theta, psi):
    return F.logsigmoid(psi * 0) + F.logsigmoid(-psi * theta)


def unrolled(theta, psi, rate, k, **changes):
    theta, psi = theta.clone().requires_grad_(), psi.clone().requires_grad_()
    ahead = psi
    for _ in range(k + changes.get("more", 0)):
        value = changes.get("sign", 1) * game(theta, ahead)
        graph = not changes.get("cut", False)
        (up,) = torch.autograd.grad(value, ahead, create_graph=graph)
        ahead = ahead + changes.get("speed", rate) * up
    game(theta, ahead).backward()
    return theta.grad


def by_hand(theta, psi, rate, k):
    """The same by the chain rule: dψ/dθ goes along with ψ."""
    slope = torch.zeros_like(psi)
    for _ in range(k):
        s = torch.sigmoid(psi * theta)
        bent = s * (1 - s)
        slope = slope - rate * (s + theta * bent * (psi + theta * slope))
        psi = psi - rate * theta * s
    return -torch.sigmoid(psi * theta) * (psi + theta * slope)


def only_the_last(theta, psi, rate, k):
    for _ in range(k - 1):
        psi = psi - rate * theta * torch.sigmoid(psi * theta)
    return unrolled(theta, psi, rate, 1)


def forgot_to_ask_for_gradients(theta, psi, rate, k):
    torch.autograd.grad(game(theta, psi), psi)


UNROLLED = [
    (lambda *case: unrolled(*case, cut=True), "did not pass through"),
    (lambda t, p, rate, k: -p * torch.sigmoid(p * t), "without looking ahead"),
    (lambda *case: unrolled(*case, sign=-1), "went downhill"),
    (lambda t, p, rate, k: unrolled(t, p, rate, 1), "only one step"),
    (lambda *case: unrolled(*case, more=1), "too many"),
    (lambda t, p, rate, k: unrolled(t, p, rate, k, speed=1.0), "without the rate"),
    (only_the_last, "only the last step"),
    (forgot_to_ask_for_gradients, "must require gradients"),
]

ANSWERS = [
    (check_d_loss, d_loss, D_LOSS),
    (check_generator_step, step, STEP),
    (check_best_d, lambda a, b: 1 / (1 + torch.exp(b - a)), BEST_D),
    (check_jsd, lambda p, q, d, x: v(p, q, d, x) / 2 + math.log(2), JSD),
    (check_unrolled, by_hand, UNROLLED),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
) = rules(ANSWERS, gan, gan_best)


@pytest.mark.parametrize("hint", [hint for hint, _ in gan.STEPS])
def test_no_step_looks_like_another(hint):
    """The same for the exercise that looks at parameters instead of results."""
    exercise = check_generator_step.__self__.exercise
    (wrong,) = [each.wrong for each in exercise.mistakes if each.hint == hint]
    assert hint in exercise.verdict(wrong)
