"""What training refuses, by name, and where the networks are after a failure."""

import math
import re

import pytest
import torch
from torch.distributions import Normal

from course_utils.gan import LOSSES, Discriminator, Generator, train_gan
from course_utils.gan import training as gan_training
from tests.gan.cases import POINTS, players, weights


def test_an_interrupt_between_the_players_keeps_whole_steps(monkeypatch):
    made, judge = players()
    fixed = weights(made)
    run = gan_training.Run.descend

    def stop(self, name, loss, gradient=None):
        if name == "generator":
            raise KeyboardInterrupt
        run(self, name, loss, gradient)

    monkeypatch.setattr(gan_training.Run, "descend", stop)
    with pytest.raises(KeyboardInterrupt):
        next(train_gan(made, judge, POINTS, 10))
    assert torch.equal(weights(made), fixed)
    assert not torch.equal(weights(judge), weights(players()[1]))
    assert bool(torch.isfinite(judge(POINTS)).all())


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


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (torch.zeros(0, 2), r"^data is empty: its shape is \(0, 2\)$"),
        (torch.zeros(5, 3), r"^data must have shape \(n, 2\), got \(5, 3\)$"),
        (
            torch.zeros(5, 1, 2),
            r"^data must have .*\(5, 1, 2\); use data\.flatten\(1\)$",
        ),
        (
            torch.full((4, 2), math.nan),
            "^data must be finite, got 8 values that are NaN or",
        ),
        (
            torch.zeros(4, 2).long(),
            r"^data must hold floating-point numbers, got torch\.int64$",
        ),
        ([1.0], r"^data must be a tensor or have \.sample, got list$"),
        (Normal(torch.zeros(3), 1.0), r"^data must have shape \(n, 2\), got \(1, 3\)$"),
    ],
)
def test_bad_data_stop_before_the_first_step(data, words):
    made, judge = players()
    with pytest.raises(ValueError, match=words):
        next(train_gan(made, judge, data))
    assert torch.equal(weights(made, judge), weights(*players()))


def test_bad_digits_are_named():
    made = Generator(4, 6, (4,), output="sigmoid")
    judge = Discriminator(6, (4,))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\].* from 0 to 200.*uint8"):
        next(train_gan(made, judge, torch.linspace(0, 200, 12).view(2, 6)))
    grey = torch.arange(60, dtype=torch.uint8).view(10, 6)
    by_levels = list(train_gan(made, judge, grey, 3))[-1]
    made, judge = Generator(4, 6, (4,), output="sigmoid"), Discriminator(6, (4,))
    assert list(train_gan(made, judge, grey / 255, 3))[-1].d_loss == by_levels.d_loss
    column = torch.zeros(5)
    with pytest.raises(
        ValueError, match=r"^data must have .*got \(5,\); use data\[:, None\]$"
    ):
        next(train_gan(Generator(1, 1), Discriminator(1), column))


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
            "discriminator takes 3 columns, but the generator makes 2",
            lambda: train_gan(made, Discriminator(3), POINTS),
        ),
        (
            "simultaneous needs k = 1, no packs, and a penalty R1 + R2",
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
