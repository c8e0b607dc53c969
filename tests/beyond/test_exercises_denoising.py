"""Notebook 07: typical answers for the denoising loss, each with its hint."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.beyond.exercises.denoising import check_denoising, denoising_loss
from tests.exercise_rules import rules

WRONG = [
    (lambda g, x, s, w: ((g - x) ** 2).sum(1).mean(), "weight is missing"),
    (lambda g, x, s, w: ((g - x) ** 2 / s**2).sum(1).mean(), "lacks 1/σ_data²"),
    (
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * (g - x) ** 2).mean(),
        "d times too small",
    ),
    (
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * (g - x) ** 2).sum(),
        "over the whole batch",
    ),
    (
        lambda g, x, s, w: ((1 / s + 1 / w) * (g - x) ** 2).sum(1).mean(),
        "σ is not squared",
    ),
    (
        lambda g, x, s, w: ((g - x) ** 2 / (s**2 + w**2)).sum(1).mean(),
        "sum of two fractions",
    ),
    (
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * (g - x)).sum(1).mean(),
        "not squared",
    ),
    (
        lambda g, x, s, w: (
            ((1 / (s**2).clamp(1e-4) + w**-2) * (g - x) ** 2).sum(1).mean()
        ),
        "very small σ",
    ),
    (
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * ((g - x) ** 2).sum(1)).mean(),
        "a table, (n, n)",
    ),
    (
        lambda g, x, s, w: (
            (1 / s**2 + 1 / w**2)[:, 0] * torch.linalg.norm(g - x, dim=1)
        ).mean(),
        "a norm is its root",
    ),
    (
        lambda g, x, s, w: (
            ((1 / s**2 + 1 / w**2) * (g - x) ** 2).sum() / (1 / s**2 + 1 / w**2).sum()
        ),
        "not divided by their sum",
    ),
    (
        lambda g, x, s, w: ((g - x) ** 2 / s**2).sum(1).mean() + 1 / w**2,
        "a part of the weight",
    ),
    (
        lambda g, x, s, w: (
            ((1 / s**2 + 1 / w**2) * F.smooth_l1_loss(g, x, reduction="none"))
            .sum(1)
            .mean()
        ),
        "no Huber",
    ),
]


def right(g, x, s, w):
    return ((g - x).square() * (s**-2 + w**-2)).sum(1).mean(0)


(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules([(check_denoising, right, WRONG)])


def test_the_number_of_the_prompt():
    one = torch.ones(4, 3)
    value = denoising_loss(0 * one, one, torch.full((4, 1), 0.5), 1.0)
    assert value.item() == pytest.approx(15)
