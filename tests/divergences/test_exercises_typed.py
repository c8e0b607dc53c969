"""Notebook 06: answers as readers type them, wrong, or right in unusual forms."""

import math

import torch
from scipy.special import rel_entr

from course_utils.divergences.exercises import (
    check_js,
    check_kl,
    check_mmd2,
    check_renyi,
)
from tests.exercise_rules import told


def by_scipy(p, q, dx):
    p, q = p.numpy(), q.numpy()
    return rel_entr(p, q).sum() * dx, rel_entr(q, p).sum() * dx


def js_to(p, q, dx, m):
    terms = (torch.xlogy(a, a) - torch.xlogy(a, m) for a in (p, q))
    return sum(each.sum() * dx for each in terms) / 2


def geometric(p, q, dx):
    m = (p * q).sqrt()
    return js_to(p, q, dx, m / (m.sum() * dx))


def by_the_best_d(p, q, dx):
    d = torch.where(p + q > 0, p / (p + q), 0.5)
    return math.log(2) + (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum() * dx / 2


def kernel(a, b, sigma):
    return torch.exp(-torch.cdist(a, b).square() / (2 * sigma**2))


def n_for_all(x, y, sigma):
    n = len(x)
    within = (kernel(x, x, sigma).sum() + kernel(y, y, sigma).sum() - 2 * n) / (n - 1)
    return within / n - 2 * kernel(x, y, sigma).sum() / n**2


def in_pairs(x, y, sigma):
    n = min(len(x), len(y))
    x, y = x[:n], y[:n]
    h = kernel(x, x, sigma) + kernel(y, y, sigma) - 2 * kernel(x, y, sigma)
    return (h.sum() - h.trace()) / (n * (n - 1))


def by_pdist(x, y, sigma):
    within = (torch.exp(-(torch.pdist(a) ** 2) / (2 * sigma**2)).mean() for a in (x, y))
    return sum(within) - 2 * kernel(x, y, sigma).mean()


def not_put_back(log_p, log_q, cell, alpha=0.5):
    power = alpha * log_p + (1 - alpha) * log_q
    return ((power - power.max()).exp().sum() * cell).log() / (alpha - 1)


def powers_of_logs(log_p, log_q, cell, alpha=0.5):
    powers = log_p.abs() ** alpha * log_q.abs() ** (1 - alpha)
    return (powers.sum() * cell).log() / (alpha - 1)


def over_all_dims(log_p, log_q, cell, alpha=0.5):
    power = alpha * log_p + (1 - alpha) * log_q
    total = power.logsumexp(dim=tuple(range(power.ndim)))
    return (total + math.log(cell)) / (alpha - 1)


test_answers_are_told = told(
    [
        (check_kl, by_scipy, ""),
        (check_js, geometric, "m is the arithmetic mean"),
        (check_js, by_the_best_d, ""),
        (check_mmd2, n_for_all, "m = len(y)"),
        (check_mmd2, in_pairs, "you have left out pairs"),
        (check_mmd2, by_pdist, ""),
        (check_renyi, not_put_back, "put it back"),
        (check_renyi, powers_of_logs, "not log_p^α"),
        (check_renyi, over_all_dims, ""),
    ]
)
