"""Each usual mistake of the exercises of notebook 05 gets the hint written for it."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils.gan.exercises import (
    check_best_d,
    check_d_loss,
    check_jsd,
    check_unrolled,
)
from course_utils.quadrature import integrate
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
    (
        lambda r, f: -(F.logsigmoid(r) + F.logsigmoid(-f)).sum(1),
        "a sum stands where",
    ),
    (lambda r, f: -F.logsigmoid(r) - F.logsigmoid(-f), "take the mean over dim=1"),
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
    (lambda r, f: d_loss(r, f)[:, None], "the numbers are right, but in shape (5, 1)"),
    (lambda r, f: -d_loss(r, f).mean(), "all batches together; give one per row"),
    (lambda r, f: F.softplus(-r).sum(1) + F.softplus(f).mean(1), "you added up"),
    (lambda r, f: -(r.sigmoid().log2() + (1 - f.sigmoid()).log2()).mean(1), "in bits"),
    (lambda r, f: -(r.sigmoid().log() + (1 - f).log()).mean(1), "sigmoid is missing"),
    (lambda r, f: F.softplus(f - r).mean(1), "relativistic"),
    (lambda r, f: -((r.sigmoid() + 1e-8) * (1 - f.sigmoid())).log().mean(1), "eps"),
    (lambda r, f: d_loss(r, f) - math.log(4), "log 4 too small"),
    (lambda r, f: (F.softplus(-r).mean(1), F.softplus(f).mean(1)), "tuple of 2 values"),
    (
        lambda r, f: F.binary_cross_entropy_with_logits(r, 1, reduction="none"),
        "torch.ones_like",
    ),
    (
        lambda r, f: (
            cross_entropy(r, 0.9, reduction="none").mean(1)
            + cross_entropy(f, 0.0, reduction="none").mean(1)
        ),
        "label smoothing",
    ),
]


def best_d(p, q):
    return p / (p + q)


BEST_D = [
    (lambda a, b: torch.sigmoid(b - a), "p stands on top"),
    (lambda a, b: torch.exp(a - b), "ratio of p and q"),
    (lambda a, b: a - b, "logit of D"),
    (lambda a, b: F.logsigmoid(a - b), "this is log D"),
    (lambda a, b: a.exp() / (a.exp() + b.exp()), "0 / 0"),
    (lambda a, b: torch.exp(a - b) / (1 + torch.exp(a - b)), "∞ / ∞"),
    (lambda a, b: (a > b).double(), "hard decision"),
    (lambda a, b: torch.full_like(a, 0.5), "½ everywhere"),
    (lambda a, b: torch.sigmoid(2 * (a - b)), "not half of it or twice"),
    (lambda a, b: torch.softmax(torch.stack([a, b]), 1)[0], "along the grid"),
    (lambda a, b: a.exp() / a.exp() + b.exp(), "brackets"),
    (lambda a, b: torch.sigmoid(a - b).mean(), "this is the mean of them all"),
    (lambda a, b: torch.sigmoid(a.clamp_min(-700) - b.clamp_min(-700)), "true ratio"),
    (lambda a, b: a.sub_(b).sigmoid_(), "in place"),
    (lambda a, b: a / (a + b), "where p and q belong"),
    (lambda a, b: torch.sigmoid(torch.exp(a - b)), "inside the sigmoid"),
    (lambda a, b: torch.sigmoid(a.exp() - b.exp()), "not p − q"),
    (lambda a, b: torch.sigmoid(a + b), "not added"),
    (lambda a, b: torch.sigmoid(a / b), "not divided"),
    (lambda a, b: torch.softmax(torch.stack([a, b]), 0), "return D* only"),
    (lambda a, b: torch.softmax(torch.stack([a, b], 1), 1), "return D* only"),
    (lambda a, b: a.exp() / (a.exp() + b.exp() + 1e-8), "does not know"),
    (lambda a, b: (a.exp() + 1e-9) / (a.exp() + b.exp() + 2e-9), "does not know"),
    (lambda a, b: best_d(a.exp().clamp(1e-7), b.exp().clamp(1e-7)), "does not know"),
    *(
        (lambda a, b, f=f: best_d(a.exp(), b.exp()).nan_to_num(f), "does not know")
        for f in (0.0, 0.5, 1.0)
    ),
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
    (lambda p, q, d, x: v(p, q, d, x) / 2, "log 4 is missing"),
    (lambda p, q, d, x: v(p, q, d, x) / 2 + math.log(4), "log 4 must be halved, too"),
    (lambda p, q, d, x: v(p, q, d, x) + math.log(2), "V must be halved, too"),
    (lambda p, q, d, x: math.log(2) - v(p, q, d, x) / 2, "V is negative"),
    (lambda p, q, d, x: v(p, q, d, x) / 2 + 2, "4 must be log 4"),
    (lambda p, q, d, x: v(p, p, d, x) / 2 + math.log(2), "second log belongs to q"),
    (
        lambda p, q, d, x: (
            torch.trapezoid(p * d.log() + q * (1 - d.log()), x) / 2 + math.log(2)
        ),
        "not 1 − log d",
    ),
    (lambda p, q, d, x: v(p, -q, d, x) / 2 + math.log(2), "not subtracted"),
    (
        lambda p, q, d, x: torch.trapezoid(p * d + q * (1 - d), x) / 2 + math.log(2),
        "logs are missing",
    ),
    (
        lambda p, q, d, x: v(torch.ones(1), torch.ones(1), d, x) / 2 + math.log(2),
        "weights p and q",
    ),
    (
        lambda p, q, d, x: (
            torch.trapezoid(x, p * d.log() + q * (1 - d).log()) / 2 + math.log(2)
        ),
        "integrate(values, grid)",
    ),
    (lambda p, q, d, x: (v(p, q, d, x) / 2 + math.log(2)) ** 0.5, "the root"),
    (lambda p, q, d, x: integrate(p * d.log()), "two arguments"),
    (lambda p, q, d, x: p * d.log() + q * (1 - d).log(), "integra"),
    (lambda p, q, d, x: -v(p, q, d, x), "this is −V"),
    (lambda p, q, d, x: (v(p, q, d, x) + 2) / 2, "natural logarithm"),
    (
        lambda p, q, d, x: (v(p, q, d, x) / math.log(2) + math.log(4)) / 2,
        "V is in other units",
    ),
    (lambda p, q, d, x: torch.trapezoid(p * (2 * d).log(), x), "part with q"),
    (lambda p, q, d, x: torch.trapezoid(p * (p / q).log(), x), "KL of p and q"),
    (
        lambda p, q, d, x: (
            torch.trapezoid(p * d.log() + q * (1 - d).log() + math.log(4), x) / 2
        ),
        "inside the integral",
    ),
    (lambda p, q, d, x: (v(p, q, 1 - d, x) + math.log(4)) / 2, "1 − d"),
    (lambda p, q, d, x: (v(p, q, d, x) + torch.log(4)) / 2, "math.log"),
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


def ahead(theta, psi, rate, k):
    for _ in range(k):
        psi = psi - rate * theta * torch.sigmoid(psi * theta)
    return psi


def added_up(theta, psi, rate, k):
    theta.requires_grad_()
    for _ in range(k):
        psi = psi.detach().requires_grad_()
        game(theta, psi).backward()
        psi = psi + rate * psi.grad
    game(theta, psi.detach()).backward()
    return theta.grad


def asked_a_leaf(theta, psi, rate, k):
    psi.requires_grad_()
    with warnings.catch_warnings(action="ignore"):  # torch warns that grad is None
        for _ in range(k):
            game(theta, psi).backward()
            psi = psi + rate * psi.grad


def turned_game(theta, psi, rate, k):
    return -unrolled(-theta, psi, rate, k)


def forgot_to_ask_for_gradients(theta, psi, rate, k):
    torch.autograd.grad(game(theta, psi), psi)


UNROLLED = [
    (lambda *case: unrolled(*case, cut=True), "did not pass through"),
    (lambda t, p, rate, k: -p * torch.sigmoid(p * t), "without looking ahead"),
    (lambda *case: unrolled(*case, sign=-1), "went downhill"),
    (lambda t, p, rate, k: unrolled(t, p, rate, 1), "only one step"),
    (lambda *case: unrolled(*case, more=1), "too many"),
    (
        lambda t, p, rate, k: unrolled(t, p, rate, k, speed=1.0),
        "rate is missing",
    ),
    (only_the_last, "only the last step"),
    (lambda *case: game(case[0], ahead(*case)), "this is V itself"),
    (lambda *case: F.logsigmoid(-case[0] * ahead(*case)), "this is V itself"),
    (ahead, "this is ψ"),
    (
        lambda *case: -case[0] * torch.sigmoid(case[0] * ahead(*case)),
        "the derivative by ψ",
    ),
    (turned_game, "minus in V"),
    (added_up, "added up in θ.grad"),
    (asked_a_leaf, "no leaf"),
    (forgot_to_ask_for_gradients, "must require gradients"),
    (lambda *case: -unrolled(*case), "the sign is turned round"),
    (lambda *case: (unrolled(*case),), "tuple with one value"),
    (lambda t, p, rate, k: rate * unrolled(t, p, rate, k), "to the steps of D only"),
    (lambda t, p, rate, k: t - rate * unrolled(t, p, rate, k), "after a step of G"),
    (lambda t, p, rate, k: unrolled(t, p, k * rate, 1), "the slope of the start"),
    (lambda t, p, rate, k: unrolled(t, p, rate, 5), "does not depend on k"),
    (lambda t, p, rate, k: unrolled(t, p, 0.1, k), "does not depend on rate"),
    (lambda t, p, rate, k: unrolled(t, p, rate / k, k), "not rate / k"),
    (lambda *case: unrolled(*case, more=-1), "too few"),
]

ANSWERS = [
    (check_d_loss, d_loss, D_LOSS),
    (check_best_d, lambda a, b: 1 / (1 + torch.exp(b - a)), BEST_D),
    (check_jsd, lambda p, q, d, x: v(p, q, d, x) / 2 + math.log(2), JSD),
    (check_unrolled, by_hand, UNROLLED),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules(ANSWERS)


def by_numpy(real, fake):
    return np.logaddexp(0, -real).mean(1) + np.logaddexp(0, fake).mean(1)


RIGHT = [
    (check_d_loss, by_numpy),
    (check_d_loss, lambda r, f: d_loss(r.float(), f.float()).tolist()),
    (check_d_loss, lambda r, f: -(r.sigmoid() * (1 - f.sigmoid())).log().mean(1)),
    (check_best_d, lambda a, b: torch.stack([a, b]).softmax(0)[0]),
    (check_best_d, lambda a, b: 0.5 + 0.5 * torch.tanh((a - b) / 2)),
    (check_best_d, lambda a, b: [1 / (1 + math.exp(min(c, 700))) for c in b - a]),
    (check_jsd, lambda p, q, d, x: v(p, q, d, x).item() / 2 + math.log(2)),
    (check_unrolled, lambda *case: by_hand(*case).item()),
    (check_unrolled, lambda *case: unrolled(*case).reshape(1)),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_in_other_forms(check, answer, capsys):
    check(answer)
    assert "✓" in capsys.readouterr().out
