"""Priors of codes meet hostile input: lists, whole numbers, columns, flat codes."""

import math

import pytest
import torch

from course_utils.beyond.priors import (
    diffusion_prior,
    fit_by_class,
    fit_mixture,
    flow_prior,
    gan_prior,
    mixture_prior,
    one_gaussian,
    standard_normal,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

Z = [[1.0, 2.0], [0.5, -1.0], [0.0, -1.0], [-1.0, 0.5], [-1.0, -1.5], [1.5, 0.0]]
LABELS = [0, 1, 0, 1, 0, 1]


def gaussian(z):
    return one_gaussian(z).log_prob(torch.zeros(1, 2))


def sizes(prior):
    return torch.tensor([*prior.sample(3).shape])


DOORS = {
    "standard": Door("z", standard_normal(2).log_prob, Z),
    "one": Door("z", one_gaussian(Z).log_prob, Z),
    "fit one": Door("z", gaussian, Z),
    "fit mixture": Door("z", lambda z: fit_mixture(z, 2, 2).means, Z),
    "by class": Door("z", lambda z: fit_by_class(z, LABELS, 1, 2).means, Z),
    "labels": Door("labels", lambda y: fit_by_class(Z, y, 1, 2).means, LABELS),
    "flow": Door("z", lambda z: sizes(flow_prior(z, 2)), Z),
    "gan": Door("z", lambda z: sizes(gan_prior(z, 2)), Z),
    "diffusion": Door("z", lambda z: sizes(diffusion_prior(z, 2, 2)), Z),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door, rtol=1e-6)


def test_a_column_is_not_broadcast():
    for prior in (standard_normal(2), one_gaussian(Z)):
        refuses(
            lambda p=prior: p.log_prob(torch.zeros(3, 1)), "z must have shape (n, 2)"
        )


@pytest.mark.parametrize("bad", [0, -1, 2.5, "3", None, True])
def test_counts_are_whole_numbers(bad):
    refuses(lambda: standard_normal(bad), "d must be")
    for prior in (standard_normal(2), one_gaussian(Z), mixture_prior(Z, 1)):
        refuses(lambda p=prior: p.sample(bad), "n must be")
    refuses(lambda: fit_mixture(Z, bad), "k must be")
    refuses(lambda: fit_mixture(Z, 2, bad), "iterations must be")
    refuses(lambda: diffusion_prior(Z, 2, bad), "walk must be")
    for prior in (flow_prior, gan_prior, diffusion_prior):
        refuses(lambda p=prior: p(Z, steps=bad), "steps must be")


def test_codes_without_spread_are_refused():
    flat = torch.ones(6, 2)
    for prior in (one_gaussian, gan_prior, diffusion_prior):
        refuses(lambda p=prior: p(flat), "z ")
    refuses(lambda: fit_mixture(Z, 2, seconds=0), "seconds must be")
    refuses(lambda: fit_mixture(Z, 2, seed=1.5), "seed must be")
    refuses(lambda: fit_by_class(Z, [math.nan] * 6, 1), "labels must be")
