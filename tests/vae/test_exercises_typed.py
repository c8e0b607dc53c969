"""Notebook 04: answers as readers type them, wrong, or right in unusual forms."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal
from torch.nn import functional as F

from course_utils.vae.exercises import (
    check_elbo,
    check_iwae,
    check_prior_bound,
    check_walk,
)
from tests.exercise_rules import told


def exchanged(x, logits, kl):
    cross = F.binary_cross_entropy_with_logits(x, logits.sigmoid(), reduction="sum")
    return -cross / len(x) - kl.mean()


def exchanged_probabilities(x, logits, kl):
    return (
        -F.binary_cross_entropy(x, logits.sigmoid(), reduction="sum") / len(x)
        - kl.mean()
    )


def walk(start, end, steps, dtype):
    share = torch.linspace(0, 1, steps, dtype=dtype)[:, None]
    return torch.lerp(start.to(dtype), end.to(dtype), share)


def first_coordinate(start, end, steps):
    share = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return (start + share * (end - start))[:, :1].repeat(1, len(start))


def bound(log_p_x, log_p_z, log_q):
    return (log_p_x + log_p_z - log_q).mean()


def log_q(z, mu, logvar):
    return Normal(mu, (logvar / 2).exp()).log_prob(z).sum(1)


def constant_once(log_p_x, log_p_z, z, mu, logvar):
    squares = -0.5 * (logvar + (z - mu) ** 2 / logvar.exp()).sum(1)
    return bound(log_p_x, log_p_z, squares - 0.5 * math.log(2 * math.pi))


def weighted_again(log_p_x, log_p_z, z, mu, logvar):
    q = log_q(z, mu, logvar)
    return (log_p_x - q.exp() * (q - log_p_z)).mean()


def by_covariances(log_p_x, log_p_z, z, mu, logvar):
    q = MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    return bound(log_p_x, log_p_z, q.log_prob(z))


def by_log_softmax(w):
    return (w - w.log_softmax(0)).mean(0) - math.log(len(w))


test_answers_are_told = told(
    [
        (check_elbo, exchanged, "have changed places in the cross-entropy"),
        (check_elbo, exchanged_probabilities, "changed places in the cross-entropy"),
        (check_walk, lambda a, b, n: walk(a, b, n, torch.float32), "in float32"),
        (check_walk, lambda a, b, n: walk(a, b, n, torch.float64), "in float64"),
        (check_walk, lambda a, b, n: walk(a, b, n, a.dtype), ""),
        (check_walk, lambda a, b, n: list(walk(a, b, n, a.dtype)), ""),
        (check_walk, first_coordinate, "that of the first coordinate"),
        (check_prior_bound, constant_once, "d times, not once"),
        (check_prior_bound, weighted_again, "no weight"),
        (check_prior_bound, by_covariances, ""),
        (check_iwae, by_log_softmax, ""),
    ]
)
