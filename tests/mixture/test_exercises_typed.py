"""Notebook 02: answers as readers type them, wrong, or right in unusual forms."""

import torch
from torch.distributions import Bernoulli, Independent, Normal

from course_utils.mixture.exercises import (
    check_bernoulli_em_step,
    check_e_step,
    check_m_step,
    check_sample,
)
from tests.exercise_rules import told


def heaviest_first(weights, means, sigmas, u, noise):
    w, order = weights.sort(descending=True)
    z = torch.searchsorted(w.cumsum(0), u)
    return means[order][z] + sigmas[order][z] * noise


def mean_sigma(weights, means, sigmas, u, noise):
    z = torch.searchsorted(weights.cumsum(0), u)
    return means[z] + sigmas.mean() * noise


def by_where(weights, means, sigmas, u, noise):
    x = means[-1] + sigmas[-1] * noise
    for k in reversed(range(len(weights) - 1)):
        here = means[k] + sigmas[k] * noise
        x = torch.where(u < weights[: k + 1].sum(), here, x)
    return x


def by_distance(x, weights, means, sigmas):
    distances = ((x[:, None] - means) / sigmas).abs()
    return (weights.log() - sigmas.log() - 0.5 * distances).softmax(1)


def mixed_late(x, weights, means, sigmas):
    r = Normal(means, sigmas).log_prob(x[:, None]).softmax(1) + weights
    return r / r.sum(1, keepdim=True)


def turned(x, weights, means, sigmas):
    joint = weights.log() + Normal(means, sigmas).log_prob(x[:, None])
    return joint.softmax(1).flip(1)


def by_pairs(x, weights, means, sigmas):
    joint = weights.log() - sigmas.log() - (x[:, None] - means) ** 2 / (2 * sigmas**2)
    return 1 / (joint[:, None, :] - joint[:, :, None]).exp().sum(2)


def averages(x, r, around, absolute=False):
    n = r.sum(0)
    means = r.T @ x / n[:, None]
    y = x[:, None] - around(means)
    y = y.abs() if absolute else y
    scatter = torch.einsum("nk,nka,nkb->kab", r, y, y)
    return n / len(x), means, scatter / n[:, None, None]


def em(x, weights, probs, shares):
    r = shares(x, weights, probs).softmax(1)
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


def logs(x, weights, p):
    return weights.log() + x @ p.log().T + (1 - x) @ (1 - p).log().T


def by_torch(x, weights, probs):
    return weights.log() + Independent(Bernoulli(probs), 1).log_prob(x[:, None])


def fitting(x, weights, p):
    return weights.log() + (x @ p.T + (1 - x) @ (1 - p).T).log()


test_answers_are_told = told(
    [
        (check_sample, heaviest_first, "sorted by their weights"),
        (check_sample, mean_sigma, "a σ of its own"),
        (check_sample, by_where, ""),
        (check_e_step, by_distance, "must be squared"),
        (check_e_step, mixed_late, "not φ to the shares"),
        (check_e_step, turned, "the order is turned round"),
        (check_e_step, by_pairs, ""),
        (
            check_m_step,
            lambda x, r, old: averages(x, r, lambda m: m[0]),
            "of the first",
        ),
        (check_m_step, lambda x, r, old: averages(x, r, lambda m: m, True), "no abs()"),
        (check_m_step, lambda x, r, old: averages(x, r, lambda m: m), ""),
        (check_bernoulli_em_step, lambda *case: em(*case, fitting), "that fit"),
        (
            check_bernoulli_em_step,
            lambda x, w, p: em(x, w, p.clamp(0.05, 0.95), logs),
            "moderate probs only",
        ),
        (check_bernoulli_em_step, lambda *case: em(*case, by_torch), ""),
    ]
)
