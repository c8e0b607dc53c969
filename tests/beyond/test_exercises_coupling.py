"""Notebook 07: typical answers for the coupling layer, each with its hint."""

from torch.nn import functional as F

from course_utils.beyond.exercises.coupling import check_coupled
from tests.exercise_rules import rules

WRONG = [
    (lambda x, a, b: (a.exp() * x + b, a), "one number for each example"),
    (lambda x, a, b: (a.exp() * x + b, a.sum()), "whole batch"),
    (lambda x, a, b: (a.exp() * x + b, a.sum(0)), "over the examples"),
    (lambda x, a, b: (a.exp() * x + b, a.mean(1)), "mean over what moves"),
    (lambda x, a, b: (a.exp() * x + b, -a.sum(1)), "that of the inverse"),
    (lambda x, a, b: (a.exp() * x + b, a.exp().prod(1)), "its logarithm is asked"),
    (lambda x, a, b: (a.exp() * x + b, a.exp().sum(1)), "scales are added up"),
    (lambda x, a, b: (a.exp() * x + b, (a + b).sum(1)), "stretches nothing"),
    (lambda x, a, b: (a * x + b, a.sum(1)), "scale is its exp()"),
    (lambda x, a, b: (a.exp() * x, a.sum(1)), "shift is missing"),
    (lambda x, a, b: (a.exp() * (x + b), a.sum(1)), "scales first"),
    (lambda x, a, b: ((x - b) / a.exp(), -a.sum(1)), "way back"),
    (lambda x, a, b: (F.softplus(a) * x + b, a.sum(1)), "the scale is eᵃ itself"),
    (lambda x, a, b: (a.tanh().exp() * x + b, a.tanh().sum(1)), "the scale is eᵃ"),
    (lambda x, a, b: (2**a * x + b, a.sum(1)), "no other base"),
    (lambda x, a, b: (a.exp() * x + b, a.sum(1).mean() + 0 * a[:, 0]), "has its own"),
    (lambda x, a, b: (a.exp() * x + b, 5 * a.sum(1)), "it is 5 times the right"),
    (
        lambda x, a, b: (a.clamp(-4, 4).exp() * x + b, a.clamp(-4, 4).sum(1)),
        "for a large log_scale",
    ),
]


def right(x, a, b):
    return b + x / (-a).exp(), (a * 1.0).sum(1)


(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules([(check_coupled, right, WRONG)])
