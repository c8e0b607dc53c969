"""What training refuses, by name, and where the networks are after a failure."""

import math

import pytest
import torch
from gan_cases import POINTS, players, weights
from torch.distributions import Normal

from course_utils import gan_training
from course_utils.gan import Discriminator, Generator, train_gan


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
    with pytest.raises(FloatingPointError):
        list(train_gan(made, judge, 1e30 * POINTS, 30, penalty=0.0, **options))
    assert torch.equal(weights(made, judge), weights(*players()))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (torch.zeros(0, 2), "data is empty"),
        (torch.zeros(5, 3), r"data must have shape \(n, 2\), got \(5, 3\)"),
        (torch.zeros(5, 1, 2), r"use data\.flatten\(1\)"),
        (torch.full((4, 2), math.nan), "8 values that are NaN"),
        (torch.zeros(4, 2).long(), "floating-point numbers, got torch.int64"),
        ([1.0], "data must be a tensor or have .sample, got list"),
        (Normal(torch.zeros(3), 1.0), r"got \(1, 3\)"),
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
    with pytest.raises(ValueError, match=r"use data\[:, None\]"):
        next(train_gan(Generator(1, 1), Discriminator(1), column))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", 0, "steps .*0"),
        ("seconds", -1, "seconds .*-1"),
        ("k", 0, "k .*0"),
        ("batch_size", 0, "batch_size .*0"),
        ("learning_rate", -1.0, "learning_rate .*-1"),
        ("learning_rate", "fast", "learning_rate must be a number or a pair"),
        ("penalty", (1.0, 0.0), "penalty .*1"),
        ("anneal", (0.5, 0.5), "anneal .*0.5"),
        ("average", 1.0, "average .*1"),
        ("decay", (0.0, 2.0), "decay .*2"),
        ("n_states", 0, "n_states .*0"),
        ("loss", "hinge", "loss must be one of .*relativistic.*'hinge'"),
    ],
)
def test_bad_settings_are_named(name, value, words):
    with pytest.raises(ValueError, match=words):
        next(train_gan(*players(), POINTS, **{name: value}))


def test_players_that_do_not_fit_are_named():
    made, judge = players(pack=3)
    with pytest.raises(ValueError, match="batch_size must be a multiple of pack = 3"):
        next(train_gan(made, judge, POINTS, batch_size=32))
    with pytest.raises(ValueError, match="takes 3 columns, but the generator makes 2"):
        next(train_gan(made, Discriminator(3), POINTS))
    with pytest.raises(ValueError, match="simultaneous needs"):
        next(train_gan(*players(), POINTS, k=2, simultaneous=True))
