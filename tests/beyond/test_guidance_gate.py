"""Guidance meets hostile input: bags, rules, mixtures, and NaN in a training."""

import math

import pytest
import torch

from course_utils.beyond.diffusion import Denoiser
from course_utils.beyond.guidance import (
    ExactDenoiser,
    Guided,
    draw_exactly,
    draw_guided,
    drop_words,
    guide,
    latent_denoiser,
    train_latent,
)
from course_utils.mixture import GaussianMixture
from course_utils.training import last
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

X = [[1.0, 2.0], [0.5, -1.0], [0.0, -1.0], [-1.0, 0.5]]
BAGS = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
EYE = torch.eye(2).double()[None]
ONE = GaussianMixture([1.0], [[1.0, 0.0]], EYE)
LINE = GaussianMixture([1.0], [[1.0]], [[[1.0]]])
EXACT = ExactDenoiser(ONE)


def told(seed=0):
    return Denoiser(2, (4,), extra=3, seed=seed).double()


TOLD = told()


def random():
    return torch.Generator().manual_seed(0)


def trained(z, bags):
    return last(train_latent(told(), z, bags, 2, batch_size=3)).loss


DOORS = {
    "train-z": Door("z", lambda z: trained(z, BAGS), X),
    "train-bags": Door("bags", lambda bags: trained(X, bags), BAGS),
    "draw": Door("bags", lambda b: draw_guided(TOLD, b, 1.0, 2, random()), BAGS),
    "drop": Door("bags", lambda b: drop_words(b, random()), BAGS, ("column", "empty")),
    "latent": Door("z", lambda z: latent_denoiser(z).sigma_data, X),
    "guided": Door("x", lambda x: Guided(TOLD, BAGS, 2.0)(x, 1.5), X),
    "bags": Door("bags", lambda b: Guided(TOLD, b, 2.0)(X, 1.5), BAGS, ("empty",)),
    "exact": Door("x", lambda x: EXACT(x, 1.5), X),
    "score": Door("x", lambda x: EXACT.score(x, 1.5), X),
    "guide": Door(
        "with", lambda a: guide(a, X, 2.0), X, ("nan", "infinite", "column", "empty")
    ),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    if not (kind == "none" and door is DOORS["train-bags"]):
        refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


def test_two_shapes_are_not_broadcast():
    for other in (torch.zeros(4, 1), torch.zeros(2), 0.0):
        refuses(lambda o=other: guide(torch.zeros(4, 2), o, 1.0), "without must")
    refuses(lambda: draw_guided(TOLD, [[1.0]] * 4), "bags must")
    refuses(lambda: Guided(TOLD, BAGS[:2], 1.0)(X, 1.0), "told must be")


@pytest.mark.parametrize(
    "rule", [lambda a, b, w: None, lambda a, b, w: a[:, :1], lambda a, b, w: a.numpy()]
)
def test_a_rule_that_returns_something_else_is_named(rule):
    refuses(lambda: draw_guided(TOLD, BAGS, rule=rule), "rule must return")
    refuses(lambda: draw_guided(TOLD, BAGS, rule=3), "rule must be a function")


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, 1j, [1.0]])
def test_guidance_is_a_finite_number(bad):
    for call in (
        lambda: guide(X, X, bad),
        lambda: Guided(TOLD, BAGS, bad),
        lambda: draw_guided(TOLD, BAGS, bad),
        lambda: draw_exactly(ONE, ONE, bad, 3, [1.0, 0.5]),
    ):
        refuses(call, "guidance must be")


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf, "1", None])
def test_a_level_is_positive(sigma):
    for call in (EXACT.noisy, lambda s: EXACT(X, s), lambda s: EXACT.score(X, s)):
        refuses(lambda c=call: c(sigma), "sigma must be")
    refuses(lambda: Guided(TOLD, BAGS)(X, sigma), "sigma must be")
    refuses(lambda: draw_exactly(ONE, ONE, 1.0, 3, [1.0, sigma]), "levels")


def test_mixtures_are_mixtures_of_one_dimension():
    refuses(lambda: ExactDenoiser(None), "mixture must be a GaussianMixture")
    refuses(lambda: draw_exactly(ONE, 3, 1.0, 3, [1.0]), "everything must be a Gauss")
    refuses(lambda: draw_exactly(ONE, LINE, 1.0, 3, [1.0]), "everything must be a mix")
    refuses(lambda: draw_exactly(ONE, ONE, 1.0, 2.5, [1.0]), "n must be")
    refuses(lambda: draw_exactly(ONE, ONE, 1.0, 3, None), "levels must be")


def test_codes_far_away_or_without_spread_are_refused():
    z = torch.randn(50, 2, generator=random()) + 1e3
    refuses(lambda: train_latent(latent_denoiser(z), z), "z must be centred and scaled")
    refuses(lambda: latent_denoiser(torch.ones(5, 2)), "z has no spread")
    refuses(lambda: latent_denoiser([[1.0, 2.0]]), "z has no spread")


def test_a_training_that_goes_wild_leaves_the_last_good_weights():
    denoiser = told()
    before = [weight.clone() for weight in denoiser.parameters()]
    with pytest.raises(FloatingPointError, match="learning_rate"):
        last(train_latent(denoiser, X, BAGS, 50, learning_rate=1e200, n_states=1))
    for old, new in zip(before, denoiser.parameters(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("steps", {"steps": 2.5}),
        ("batch_size", {"batch_size": 2.5}),
        ("n_states", {"n_states": None}),
        ("average", {"average": "0.9"}),
        ("average", {"average": math.nan}),
        ("learning_rate", {"learning_rate": 0}),
        ("seed", {"seed": 1.5}),
        ("denoiser", {"denoiser": None}),
        ("bags", {"bags": None}),
    ],
)
def test_training_without_sense_is_refused_at_the_call(name, options):
    options = {"denoiser": told(), "z": X, "bags": BAGS} | options
    refuses(lambda: train_latent(**options), name)


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan, "0.5", None])
def test_rates_are_from_0_to_1(rate):
    refuses(lambda: drop_words(BAGS, one=rate), "one must be")
    refuses(lambda: drop_words(BAGS, all_=rate), "all_ must be")
