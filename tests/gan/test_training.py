"""Training: Algorithm 1 by hand, runs that repeat, schedules, budgets."""

import math

import pytest
import torch

from course_utils.gan import LOSSES, train_gan
from course_utils.gan.training import penalty_at, rates_at
from tests.gan.cases import POINTS, players, weights


def test_algorithm_1_by_hand():
    """k = 2 rounds of the slide, with plain gradients instead of Adam."""
    made, judge = players()
    mine, other = players()
    data = torch.randn(40, 2)
    options = {"k": 2, "batch_size": 8, "learning_rate": (0.1, 0.2), "seed": 5}

    def sgd(parameters, betas, fused):
        return torch.optim.SGD(parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", sgd)
        list(train_gan(made, judge, data, 3, loss="minimax", **options))
    random = torch.Generator().manual_seed(5)

    def batches():
        z = torch.randn(8, 2, generator=random)
        return z, data[torch.randint(40, (8,), generator=random)]

    def move(network, objective, rate):
        gradients = torch.autograd.grad(objective, list(network.parameters()))
        with torch.no_grad():
            for p, g in zip(network.parameters(), gradients, strict=True):
                p.add_(rate * g)

    for _ in range(3):
        for _ in range(2):
            z, x = batches()
            d_real, d_fake = other.probability(x), other.probability(mine(z))
            move(other, (d_real.log() + (1 - d_fake).log()).mean(), 0.2)  # ascend
        z = torch.randn(8, 2, generator=random)
        v = (1 - other.probability(mine(z))).log().mean()
        move(mine, v, -0.1)  # descend
    torch.testing.assert_close(weights(made, judge), weights(mine, other))


def test_it_learns_a_gaussian():
    made, judge = players()
    states = list(train_gan(made, judge, POINTS, 400, n_states=4, learning_rate=3e-3))
    assert [s.step for s in states] == [100, 200, 300, 400]
    assert (made.sample(1000, 0).mean(0) - 3).abs().max() < 1.0
    last = states[-1]
    assert 0 < last.d_fake < 1
    assert 0 < last.d_real < 1
    assert last.seconds > 0
    assert str(last).startswith("step 400, loss of D")
    assert torch.equal(last.generator["network.0.weight"], made.network[0].weight)
    film = [made.at(s.generator).sample(5, 0) for s in states]
    assert not torch.equal(film[0], film[-1])
    assert torch.equal(film[-1], made.sample(5, 0))
    assert torch.equal(judge.at(last.discriminator)(POINTS), judge(POINTS))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_runs_and_repeats(name):
    ends = []
    for seed in (0, 0, 1):
        made, judge = players()
        torch.manual_seed(seed + 10)  # nothing may depend on the global state
        options = {"loss": name, "k": 2, "batch_size": 32, "penalty": (0.1, 0.01)}
        states = list(train_gan(made, judge, POINTS, 12, seed=seed, **options))
        assert math.isfinite(states[-1].d_loss + states[-1].g_loss)
        ends.append(weights(made, judge))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_the_generator_shows_its_mean_weights_and_moves_with_its_own():
    shown, plain = players(), players()
    options = {"batch_size": 32, "n_states": 5}
    averaged = train_gan(*shown, POINTS, 20, average=0.5, **options)
    moving = list(train_gan(*plain, POINTS, 20, **options))
    for state, other in zip(averaged, moving, strict=True):
        assert state.d_loss == other.d_loss  # the game itself is the same
        key = "network.0.weight"
        assert torch.equal(shown[0].network[0].weight, state.generator[key])
        assert not torch.equal(state.generator[key], other.generator[key])
    for state in train_gan(*shown, POINTS, 20, average=0.5, **options):
        if state.step == 8:
            break
    assert torch.equal(shown[0].network[0].weight, state.generator[key])


def test_schedules():
    assert rates_at(0.0, (0.1, 0.5)) == (1.0, 1.0)
    assert rates_at(1.0, (0.1, 0.5)) == pytest.approx((0.1, 0.5))
    assert rates_at(0.5, (0.0, 0.5)) == pytest.approx((0.25, 0.75))
    window = (0.25, 0.75)
    weights_at = [penalty_at(t, (1.0, 0.01), window) for t in (0, 0.25, 0.5, 0.75, 1)]
    assert weights_at == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    assert penalty_at(0.5, (0.0, 0.0), window) == 0


def test_a_budget_of_seconds_is_kept_and_a_frozen_player_stands_still():
    made, judge = players()
    fixed = weights(made)
    options = {"seconds": 0.3, "n_states": 3, "learning_rate": (0.0, 1e-3)}
    states = list(train_gan(made, judge, POINTS, **options))
    assert len(states) == 3
    assert 0.3 <= states[-1].seconds < 1.0
    assert torch.equal(weights(made), fixed)
    light = next(train_gan(made, judge, POINTS, 2, snapshots=False))
    assert light.generator is None
    assert light.discriminator is None
