"""The data of a match, what it refuses, and how it stops between two players."""

import math

import pytest
import torch
from torch.distributions import Normal

from course_utils.beyond.flow import Flow
from course_utils.gan import Discriminator, Generator, train_gan
from course_utils.gan.match import Match
from course_utils.mixture import GaussianMixture
from course_utils.vae import VAE
from tests.gan.cases import POINTS, RING, players, weights


def test_a_distribution_as_data_and_packs():
    made, judge = players(pack=2)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = list(train_gan(made, judge, RING, 5, batch_size=8))[-1]
    assert torch.equal(before, torch.get_rng_state())
    again = players(pack=2)
    second = list(train_gan(*again, RING, 5, batch_size=8))[-1]
    assert first.d_loss == second.d_loss
    line = Generator(1, 1, (4,)), Discriminator(1, (4,))
    state = list(train_gan(*line, Normal(torch.zeros(1), 1.0), 3))[-1]
    assert math.isfinite(state.d_loss)


def test_models_of_the_course_and_of_torch_are_data_alike():
    mixture = GaussianMixture([1.0], [[2.0, 0.0]], [[[0.01, 0.0], [0.0, 0.01]]])
    for data in (mixture, mixture.distribution, Flow(), VAE(2, 2, hidden=(4,))):
        made, judge = players()
        *_, last = train_gan(made, judge, data, 3)
        assert 0 < last.d_loss < 2
    words = r"samples of shape \(n, 1\), got \(1,\): Normal"
    with pytest.raises(ValueError, match=words):
        next(train_gan(Generator(1, 1), Discriminator(1), Normal(0.0, 1.0)))
    data = Normal(torch.zeros(1), 1.0)
    assert next(train_gan(Generator(1, 1), Discriminator(1), data, 1)).step == 1


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
            r"^data must be a tensor of floats, got torch\.int64$",
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


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_an_interrupt_between_the_players_keeps_whole_steps(average, monkeypatch):
    made, judge = players()
    fixed = weights(made)
    descend = Match.descend

    def stop(self, name, loss, gradient=None):
        if name == "generator":
            raise KeyboardInterrupt
        descend(self, name, loss, gradient)

    monkeypatch.setattr(Match, "descend", stop)
    with pytest.raises(KeyboardInterrupt):
        next(train_gan(made, judge, POINTS, 10, average=average))
    assert torch.equal(weights(made), fixed)
    assert not torch.equal(weights(judge), weights(players()[1]))
    assert bool(torch.isfinite(judge(POINTS)).all())
