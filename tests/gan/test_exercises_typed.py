"""Notebook 05: answers as readers type them, wrong, or right in unusual forms."""

import math

import torch
from torch.nn.functional import logsigmoid, softplus

from course_utils.gan.exercises import (
    check_best_d,
    check_d_loss,
    check_generator_step,
    check_jsd,
    check_unrolled,
)
from course_utils.quadrature import integrate
from tests.exercise_rules import told


def shifted(log_p, log_q):
    p, q = (log_p - log_p.max()).exp(), (log_q - log_q.max()).exp()
    return p / (p + q)


def value(p, q, d, grid, log):
    return integrate(p * log(d) + q * log(1 - d), grid)


def step(generator, discriminator, optimizer, z, rate=None):
    generator.zero_grad()
    loss = softplus(-discriminator(generator(z))).mean()
    loss.backward()
    with torch.no_grad():
        for parameter in generator.parameters() if rate else ():
            parameter -= optimizer.param_groups[0]["lr"] * parameter.grad
    return loss.item()


def by_closure(generator, discriminator, optimizer, z):
    def loss():
        optimizer.zero_grad()
        value = softplus(-discriminator(generator(z))).mean()
        value.backward()
        return value

    return optimizer.step(loss)


def look(theta, psi, rate, k, moves=0, chain=True):
    start = theta.clone().requires_grad_()
    theta = start
    for _ in range(k):
        s = torch.sigmoid(psi * theta)
        up = theta * s if chain else s
        theta, psi = theta + moves * rate * psi * s, psi - rate * up
    return torch.autograd.grad(logsigmoid(-psi * theta), start)[0]


test_answers_are_told = told(
    [
        (
            check_d_loss,
            lambda r, f: (
                torch.stack([softplus(-a).mean() for a in torch.cat([r, -f])])
                .view(2, -1)
                .sum(0)
            ),
            "",
        ),
        (check_best_d, shifted, "a largest value of its own"),
        (
            check_best_d,
            lambda p, q: torch.sigmoid((p - q) / math.log(2)),
            "not with another base than e",
        ),
        (check_best_d, lambda p, q: (1 + torch.tanh((p - q) / 2)) / 2, ""),
        (
            check_jsd,
            lambda *case: (value(*case, torch.log10) + math.log(4)) / 2,
            "other units (log2 or log10)",
        ),
        (
            check_jsd,
            lambda *case: value(*case, lambda d: (4**0.5 * d).log()) / 2,
            "",
        ),
        (check_generator_step, lambda *case: step(*case, rate=True), "by hand"),
        (check_generator_step, step, "optimizer.step() is missing"),
        (check_generator_step, by_closure, ""),
        (check_unrolled, lambda *case: look(*case, moves=-1), "θ has moved, too"),
        (check_unrolled, lambda *case: look(*case, chain=False), "factor θ is missing"),
        (check_unrolled, look, ""),
    ]
)
