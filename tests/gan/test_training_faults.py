"""What training refuses, by name, and where the networks are after a failure."""

import math
import re

import pytest
import torch

from course_utils.gan import LOSSES, Discriminator, train_gan
from tests.gan.cases import POINTS, players, weights


@pytest.mark.parametrize("simultaneous", [False, True])
def test_a_loss_that_is_not_finite_puts_both_back(simultaneous):
    made, judge = players()
    options = {"n_states": 300, "simultaneous": simultaneous, "average": 0.9}
    last = None
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train_gan(made, judge, POINTS, 300, **options):
            last = state
            if state.step == 10:
                with torch.no_grad():
                    judge.network[0].bias.fill_(math.nan)
    for network, saved in [(made, last.generator), (judge, last.discriminator)]:
        for name, value in network.state_dict().items():
            assert torch.equal(value, saved[name])


def test_weights_that_overflow_are_noticed_at_once():
    made, judge = players()
    options = {"learning_rate": 1e38, "n_states": 1, "loss": "wasserstein"}
    with pytest.raises(FloatingPointError, match=r"^(the loss|a weight).*smaller lear"):
        list(train_gan(made, judge, 1e30 * POINTS, 30, penalty=0.0, **options))
    assert torch.equal(weights(made, judge), weights(*players()))


PENALTY = "> 0 and finite, or 0 throughout"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("steps", 0, ">= 1"),
        ("seconds", -1, "None or > 0"),
        ("k", 0, ">= 1"),
        ("batch_size", 0, ">= 1"),
        ("learning_rate", -1.0, ">= 0 and finite"),
        ("learning_rate", (1.0, math.nan), ">= 0 and finite"),
        ("learning_rate", "fast", "a number or a pair"),
        ("learning_rate", (1.0, 1.0, 1.0), "a number or a pair"),
        ("betas", (0.5, 1.0), "two numbers >= 0 and < 1"),
        ("penalty", (1.0, 0.0), PENALTY),
        ("penalty", -1.0, PENALTY),
        ("penalty", (1.0, math.inf), PENALTY),
        ("anneal", (0.5, 0.5), "(a, b), 0 <= a < b <= 1"),
        ("anneal", 0.5, "(a, b), 0 <= a < b <= 1"),
        ("anneal", "late", "a pair"),
        ("average", 1.0, ">= 0 and < 1"),
        ("decay", (0.0, 2.0), "two numbers > 0 and <= 1"),
        ("decay", 0.5, "True, False or a pair"),
        ("decay", None, "True, False or a pair"),
        ("decay", (0.1,), "True, False or a pair"),
        ("n_states", 0, ">= 1"),
        ("loss", "hinge", f"one of {tuple(LOSSES)}"),
    ],
)
def test_bad_settings_are_named(name, value, rule):
    shown = repr(value) if isinstance(value, str) else value
    message = f"^{re.escape(f'{name} must be {rule}, got {shown}')}$"
    with pytest.raises(ValueError, match=message):
        next(train_gan(*players(), POINTS, **{name: value}))


def test_players_that_do_not_fit_are_named():
    made, judge = players(pack=3)
    cases = [
        (
            "batch_size must be a multiple of pack = 3, got 32",
            lambda: train_gan(made, judge, POINTS, batch_size=32),
        ),
        (
            "discriminator must be for 2 columns, like the generator, got 3",
            lambda: train_gan(made, Discriminator(3), POINTS),
        ),
        (
            "simultaneous must be False, except for k = 1, no packs, and a penalty "
            "R1 + R2, got True",
            lambda: train_gan(*players(), POINTS, k=2, simultaneous=True),
        ),
        (
            "generator must be a Generator, got a Discriminator",
            lambda: train_gan(judge, made, POINTS),
        ),
        (
            "discriminator must be a Discriminator, got a Generator",
            lambda: train_gan(made, made, POINTS),
        ),
        (
            "generator must be a Generator, got a str",
            lambda: train_gan("made", judge, POINTS),
        ),
    ]
    for message, run in cases:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            next(run())
