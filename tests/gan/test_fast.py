"""Gradients by hand, and 16-bit products."""

import math

import pytest
import torch
from torch import nn

from course_utils.gan import SIGHTED, Discriminator, Generator, train_gan, training
from course_utils.gan.fast import Pieces, can_do_by_hand, linear_pieces
from tests.gan.cases import POINTS, weights
from tests.hostile import refuses


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("frequencies", [0, 3])
@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("name", ["relativistic", "non_saturating"])
def test_gradients_by_hand_are_those_of_autograd(activation, frequencies, output, name):
    ends, data = [], torch.linspace(0, 1, 100, dtype=torch.float64).view(50, 2)
    for by_hand in (True, False):
        scale = 2.0 if output == "linear" else 1.0
        made = Generator(hidden=(8, 8), scale=scale, output=output).double()
        options = {"activation": activation, "frequencies": frequencies, "scale": 2.0}
        judge = Discriminator(hidden=(8, 8), **options).double()
        assert can_do_by_hand(made, judge)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training, "can_do_by_hand", lambda *_, b=by_hand: b)
            options = {**SIGHTED, "loss": name, "batch_size": 16, "penalty": 0.3}
            state = list(train_gan(made, judge, data, 4, **options))[-1]
        ends.append((weights(made, judge), torch.tensor([state.d_loss, state.g_loss])))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-7, atol=1e-9)


def test_other_networks_fall_back_on_autograd(monkeypatch):
    assert can_do_by_hand(Generator(), Discriminator())
    assert not can_do_by_hand(Generator(), Discriminator(activation="silu"))
    assert not can_do_by_hand(Generator(activation="tanh"), Discriminator())
    assert not can_do_by_hand(Generator(), Discriminator(hidden=()))  # no ReLU at all
    monkeypatch.setattr(training, "AtOnceByHand", None)
    for made, judge in [
        (Generator(hidden=(4,)), Discriminator(hidden=(4,), activation="silu")),
        (Generator(hidden=(4,), activation="tanh"), Discriminator(hidden=(4,))),
        (Generator(hidden=(4,)), Discriminator(hidden=())),
    ]:
        before = weights(made), weights(judge)
        state = list(train_gan(made, judge, POINTS, 3, simultaneous=True))[-1]
        assert math.isfinite(state.g_loss)
        for network, old in zip((made, judge), before, strict=True):
            assert not torch.equal(weights(network), old)


@pytest.mark.parametrize("simultaneous", [False, True])
def test_bf16_goes_the_same_way(simultaneous):
    images = torch.rand(100, 30, generator=torch.Generator().manual_seed(0))
    ends = []
    for bf16 in (False, True):
        made = Generator(4, 30, (32,), activation="leaky_relu", output="sigmoid")
        judge = Discriminator(30, (32,), frequencies=4, frequency_scale=0.1)
        options = {"penalty": 1.0, "simultaneous": simultaneous, "bf16": bf16}
        state = list(train_gan(made, judge, images, 20, **options))[-1]
        assert made.dtype == judge.dtype == made.sample(3).dtype == torch.float32
        ends.append(state)
    assert ends[0].d_loss == pytest.approx(ends[1].d_loss, rel=0.02)
    assert ends[0].d_loss != ends[1].d_loss


class Louder(Generator):
    """A reader's own G, which does more than its network."""

    def forward(self, z):
        return 2 * super().forward(z)


def test_what_does_more_than_its_layers_is_not_done_by_hand():
    linear, relu = nn.Linear(2, 2), nn.ReLU()
    for parts in (
        (),
        (linear,),
        (linear, relu),  # the last one would be dropped
        (linear, relu, relu),
        (linear, nn.GELU(), linear),
        (linear, relu, nn.Linear(2, 2, bias=False)),
        (linear, relu, nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))),
        (linear, relu, linear, nn.LeakyReLU(0.1), linear),
    ):
        assert linear_pieces(nn.Sequential(*parts)) is None
        refuses(
            lambda p=parts: Pieces(nn.Sequential(*p), torch.float32), "network must"
        )
    for network in (None, linear, [linear, relu, linear], "layers"):
        assert linear_pieces(network) is None
    made, judge = Generator(hidden=(4,)), Discriminator(hidden=(4,))
    assert not can_do_by_hand(Louder(hidden=(4,)), judge)
    assert not can_do_by_hand(judge, made)
    judge.network[0].bias.requires_grad_(False)
    assert not can_do_by_hand(made, judge)


def test_a_readers_own_forward_is_used():
    ends = []
    for kind, scale in ((Louder, 1.0), (Generator, 2.0)):
        made, judge = kind(hidden=(4,), scale=scale), Discriminator(hidden=(4,))
        *_, state = train_gan(made, judge, POINTS, 3, **SIGHTED)
        ends.append((state.d_loss, state.g_loss))
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)
