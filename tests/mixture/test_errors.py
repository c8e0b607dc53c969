"""Wrong mixtures, data and arguments are named by one clear ValueError."""

import math

import pytest
import torch

from course_utils.data import load_old_faithful
from course_utils.mixture import (
    GaussianMixture,
    em,
    kmeans_plus_plus,
    m_step,
    match_components,
    random_centres,
    start_at,
)
from tests.mixture.cases import random_mixture

ONE = {
    "weights": torch.ones(1),
    "means": torch.zeros(1, 2),
    "covariances": torch.eye(2)[None],
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("weights", torch.tensor([0.6]), "sum to 1, got .* with sum 0.6"),
        ("weights", torch.tensor(1.0), r"weights must have shape \(k,\)"),
        ("weights", torch.tensor([math.nan]), "weights must be finite"),
        ("means", torch.zeros(2, 2), r"means must have shape \(k, d\) with k = 1"),
        ("means", torch.zeros(2), r"means must have shape"),
        ("covariances", torch.eye(2), r"covariances must have shape \(1, 2, 2\)"),
        ("covariances", -torch.eye(2)[None], "positive definite, that of component 0"),
        ("covariances", torch.zeros(1, 2, 2), "positive definite"),
        ("covariances", torch.tensor([[[1.0, 0.5], [0.0, 1.0]]]), "symmetric"),
    ],
)
def test_a_wrong_mixture_is_named(name, value, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(**(ONE | {name: value}))


def test_negative_weights_are_named():
    with pytest.raises(ValueError, match="weights must be >= 0"):
        GaussianMixture(
            torch.tensor([1.5, -0.5]), torch.zeros(2, 1), torch.ones(2, 1, 1)
        )


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(5), r"x must have shape \(n, 2\), got \(5,\)"),
        (torch.zeros(5, 2, 1), r"got \(5, 2, 1\); use x.flatten\(1\)"),
        (torch.zeros(0, 2), "x is empty"),
        (torch.zeros(5, 3), r"x must have shape \(n, 2\), got \(5, 3\)"),
        (torch.full((5, 2), math.nan), "10 values that are NaN"),
    ],
)
def test_wrong_data_are_named(x, words):
    mixture = GaussianMixture(**ONE)
    for use in (mixture.log_prob, mixture.responsibilities):
        with pytest.raises(ValueError, match=words):
            use(x)
    with pytest.raises(ValueError, match=words):
        next(em(x, mixture))


def test_numbers_on_a_line_get_the_hint_to_make_a_column():
    line = GaussianMixture([1.0], [[0.0]], [[[1.0]]])
    hint = r"x must have shape \(n, 1\), got \(5,\); use x\[:, None\]"
    for use in (line.log_prob, lambda x: kmeans_plus_plus(x, 2)):
        with pytest.raises(ValueError, match=hint):
            use(torch.zeros(5))


def test_more_components_than_examples_is_named():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    mixture = random_mixture(0, 3, 2)
    with pytest.raises(ValueError, match="from 1 to n = 2 examples, got 3"):
        next(em(x, mixture))
    for choose in (kmeans_plus_plus, random_centres):
        with pytest.raises(ValueError, match="from 1 to n = 2 examples, got 3"):
            choose(x, 3)


def test_wrong_arguments_are_named():
    x = load_old_faithful()
    with pytest.raises(ValueError, match=r"covariance_floor must be >= 0 .*, got -1"):
        next(em(x, GaussianMixture(**ONE), covariance_floor=-1.0))
    with pytest.raises(ValueError, match=r"\(n, k\) with n = 272, got shape \(5, 2\)"):
        m_step(x, torch.ones(5, 2) / 2)
    with pytest.raises(ValueError, match="each row must sum to 1"):
        m_step(x, torch.ones(272, 2))
    with pytest.raises(ValueError, match="component 1 is responsible for nothing"):
        m_step(x, torch.tensor([1.0, 0.0]).expand(272, 2))
    with pytest.raises(
        ValueError, match=r"centres must have shape \(n, 2\), got \(2, 3\)"
    ):
        start_at(x, torch.zeros(2, 3))
    with pytest.raises(ValueError, match="use sort_components"):
        match_components(random_mixture(0, 9, 1), random_mixture(1, 9, 1))
    with pytest.raises(ValueError, match="reference"):
        match_components(random_mixture(0, 2, 1), random_mixture(1, 3, 1))
