"""Training meets hostile input: at the call, or with networks left as they were."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from course_utils.gan import SIGHTED, Discriminator, GANRecipe, Generator, train_gan
from course_utils.gan.match import Match, Source
from course_utils.gan.training import penalty_at, rates_at
from tests.gan.cases import POINTS, RING, players, weights
from tests.hostile import NONSENSE, clothes, nonsense, refuses

X = [[0.5, 1.0], [-2.0, 0.0], [3.0, 1.0]]
NOT_COUNTS = [None, 2.5, "3", True, 0, -1, 1j, math.nan, [2]]
NOT_SEEDS = [None, 2.5, "3", True, -1, math.nan, 2**64]
NOT_NUMBERS = [None, "1", 1j, math.nan, math.inf, True, [1.0]]
quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)


def run(data=POINTS, steps=2, **options):
    """Refused at the call, without a ``next()``."""
    return train_gan(*players(), data, steps, **{"batch_size": 8} | options)


@pytest.mark.parametrize("kind", NONSENSE)
def test_data_without_sense_are_refused_at_the_call(kind):
    refuses(lambda: run(nonsense(kind, X)), "data ")


def test_all_forms_of_the_same_data_agree_or_are_named():
    expected = [state.d_loss for state in run(torch.tensor(X))]
    for kind, form in clothes(X).items():
        if isinstance(form, torch.Tensor):
            assert [state.d_loss for state in run(form)] == expected, kind
        else:
            refuses(
                lambda form=form: run(form), "data must be a tensor or have .sample"
            )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Normal, "data must be a tensor or have .sample, got type"),
        (lambda n: torch.zeros(n, 2), "data must be a tensor or have .sample"),
        (1e300 * torch.ones(3, 2).double(), "data in torch.float32 must be finite"),
        (Normal(torch.zeros(2).long(), 1.0), "loc of data must be 32 or 64 bit floats"),
        (torch.ones(3, 2).to_sparse(), "data must be"),
        (torch.ones(3, 2, device="meta"), "data must be"),
        (Normal(torch.zeros(2, 2), 1.0), "data must have shape (n, 2), got (1, 2, 2)"),
    ],
)
def test_strange_sources_are_named(data, words):
    refuses(lambda: run(data), words)


class Turns:
    """A source that is good at first."""

    def __init__(self, later):
        self.later, self.calls = later, 0

    def sample(self, shape):
        self.calls += 1
        good = torch.zeros(*shape, 2)
        return good if self.calls == 1 else self.later(good)


@pytest.mark.parametrize(
    "later",
    [
        lambda x: x * math.nan,
        lambda x: x[:, :1],
        lambda x: x[1:],
        lambda x: x.long(),
        lambda x: x * 1j,
        lambda x: None,
        lambda x: x[:, 0],
    ],
)
def test_a_source_that_turns_bad_is_named_and_moves_nothing(later):
    made, judge = players()
    states = train_gan(made, judge, Turns(later), 2)
    refuses(lambda: next(states), "data")
    assert torch.equal(weights(made, judge), weights(*players()))


def test_settings_are_refused_at_the_call():
    for name in ("steps", "n_states", "k", "batch_size"):
        for bad in NOT_COUNTS:
            refuses(lambda n=name, b=bad: run(**{n: b}), f"{name} must be")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: run(seed=bad), "seed must be")
    for name in ("snapshots", "bf16", "simultaneous"):
        for bad in (None, 1, "no", torch.tensor(True)):
            refuses(lambda n=name, b=bad: run(**{n: b}), f"{name} must be True or")
    for name in ("seconds", "average", "learning_rate", "betas", "penalty"):
        for bad in NOT_NUMBERS:
            if bad is not None or name not in ("seconds", "penalty"):
                refuses(lambda n=name, b=bad: run(**{n: b}), f"{name} must be")
    for name in ("learning_rate", "betas", "penalty", "anneal", "decay"):
        for bad in ((0.5,), (0.5, 0.6, 0.7), ("a", 0.5), (0.5, None), (0.5, 1j), "ab"):
            refuses(lambda n=name, b=bad: run(**{n: b}), f"{name} must be")
        refuses(lambda n=name: run(**{n: (0.1, 10**400)}), f"{name} must be")
    for bad in (None, 3, [], {}, "hinge", ("minimax",)):
        refuses(lambda bad=bad: run(loss=bad), "loss must be one of")
    with pytest.raises(TypeError, match="learning_rates"):
        run(learning_rates=0.1)


def test_whole_numbers_and_those_of_numpy_are_settings():
    plain = [s.d_loss for s in run(learning_rate=1.0, penalty=1.0, loss="relativistic")]
    one = np.int64(1)
    options = {"learning_rate": one, "penalty": [np.float32(1), 1], "k": one}
    options |= {"seed": np.int64(0), "n_states": np.int32(20), "batch_size": np.int8(8)}
    assert [s.d_loss for s in run(loss="relativistic", **options)] == plain
    recipe = GANRecipe(learning_rate=torch.tensor(0.5), betas=[0, 0.5])
    assert (recipe.rates, recipe.momenta) == ((0.5, 0.5), (0.0, 0.5))


def spoiled(which, how):
    pair = players()
    for each in pair[which].parameters():
        how(each)
    return pair


def fill(weight):
    weight.data.fill_(math.nan)


def freeze(weight):
    weight.requires_grad_(False)


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_players_that_cannot_learn_are_named(which, simultaneous):
    name, options = (
        ("generator", "discriminator")[which],
        {"simultaneous": simultaneous},
    )
    for how, words in ((fill, "of finite weights"), (freeze, "weights that can move")):
        pair = spoiled(which, how)
        refuses(lambda pair=pair: train_gan(*pair, POINTS, 2, **options), name)
        refuses(lambda pair=pair: train_gan(*pair, POINTS, 2, **options), words)
    # one that stands still may be frozen
    pair, rates = spoiled(which, freeze), [1e-3, 1e-3]
    rates[which] = 0
    before = weights(pair[which])
    *_, state = train_gan(*pair, POINTS, 2, learning_rate=tuple(rates), **options)
    assert math.isfinite(state.g_loss) and torch.equal(weights(pair[which]), before)
    assert not torch.equal(weights(pair[1 - which]), weights(players()[1 - which]))


@pytest.mark.parametrize("options", [{}, {"simultaneous": True}, SIGHTED])
def test_a_frozen_layer_stays_where_it_is(options):
    made, judge = players(activation="relu")
    for network in (made, judge):
        freeze(network.network[0].weight)
    before = [network.network[0].weight.clone() for network in (made, judge)]
    *_, state = train_gan(made, judge, POINTS, 3, **options)
    assert math.isfinite(state.g_loss)
    for network, old in zip((made, judge), before, strict=True):
        assert torch.equal(network.network[0].weight, old)
        assert bool(network.network[-1].weight.isfinite().all())


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("options", [{"loss": "wasserstein"}, SIGHTED])
def test_a_run_learns_whatever_is_switched_off_outside(mode, options):
    plain, inside = players(), players()
    *_, expected = train_gan(*plain, RING, 3, **options)
    with mode():
        *_, state = train_gan(*inside, RING, 3, **options)
        assert not torch.is_grad_enabled()
    assert state.d_loss == expected.d_loss
    assert torch.equal(weights(*plain), weights(*inside))
    data = POINTS
    with mode():
        made, judge = players()
        data = POINTS.clone()
    *_, state = train_gan(made, judge, data, 3, **options)  # nothing is left behind
    judge(made(torch.ones(2, 2))).sum().backward()
    assert not any(value.is_inference() for value in state.generator.values())


def test_the_parts_of_a_match_look_at_what_they_get():
    made, judge = players()
    random, how = torch.Generator().manual_seed(0), GANRecipe()
    source = Source(POINTS, made, random)
    for bad in (None, judge, "G"):
        refuses(lambda bad=bad: Source(POINTS, bad, random), "generator must be")
        refuses(lambda bad=bad: Match(bad, judge, source, how), "generator must be")
    for bad in (None, made, "D"):
        refuses(lambda bad=bad: Match(made, bad, source, how), "discriminator must be")
        refuses(lambda bad=bad: Match(made, judge, bad, how), "source must be")
        refuses(lambda bad=bad: Match(made, judge, source, bad), "how must be")
    for bad in (None, 0, torch.random):
        refuses(lambda bad=bad: Source(POINTS, made, bad), "random must be")
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: source.batch(bad), "n must be")
        refuses(lambda bad=bad: Source(RING, made, random).refill(bad), "n must be")


def test_what_a_run_has_yielded_is_the_readers():
    plain, pair = players(), players()
    expected = list(train_gan(*plain, POINTS, 6, n_states=3, average=0.5))
    for state, other in zip(
        train_gan(*pair, POINTS, 6, n_states=3, average=0.5), expected, strict=True
    ):
        assert state.d_loss == other.d_loss
        for value in (*state.generator.values(), *state.discriminator.values()):
            value.fill_(math.nan)  # what comes after does not build on it
    assert torch.equal(weights(*plain), weights(*pair))


def test_schedules_name_what_is_no_number():
    for bad in (*NOT_NUMBERS, -0.5):
        refuses(lambda bad=bad: rates_at(bad, (0.1, 0.1)), "progress must be")
        refuses(lambda bad=bad: penalty_at(bad, (1, 1), (0, 1)), "progress must be")
    for bad in (None, 0.5, "ab", (0.5,), (1, 2, 3), (0.1, None), (math.nan, 1), {1, 2}):
        refuses(lambda bad=bad: rates_at(0.5, bad), "ends")
        refuses(lambda bad=bad: penalty_at(0.5, bad, (0, 1)), "weights")
        refuses(lambda bad=bad: penalty_at(0.5, (1, 2), bad), "anneal")
    for bad in ((1, 0), (0, 1), (-1, -2), (-1, -1)):
        refuses(lambda bad=bad: penalty_at(0.5, bad, (0, 1)), "weights must be > 0")
    for bad in ((1, 1), (1, 0)):
        refuses(lambda bad=bad: penalty_at(0.5, (1, 2), bad), "anneal must be (a, b)")


@quiet
@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.tuples(*2 * [st.floats(1e-6, 1)]),
    st.booleans(),
)
def test_schedules_fall_and_stay_between_their_ends(first, second, ends, rise):
    early, late = sorted((first, second))
    for one, other, end in zip(
        rates_at(early, ends), rates_at(late, ends), ends, strict=True
    ):
        assert 1 + 1e-12 >= one >= other >= end - 1e-12
    low, high = sorted(ends)
    pair = (low, high) if rise else (high, low)
    values = [penalty_at(t, pair, (0.25, 0.75)) for t in (early, late)]
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in values)
    falls = values[0] - values[1]
    assert (falls <= 1e-12) if rise else (falls >= -1e-12)


@quiet
@given(st.sampled_from([1e-6, 1e-2, 1e2, 1e6]), st.integers(0, 99))
def test_no_unit_changes_a_run(unit, seed):
    games = []
    for scale in (1.0, unit):
        made = Generator(hidden=(4,), scale=scale, seed=seed).double()
        judge = Discriminator(hidden=(4,), scale=scale, seed=seed).double()
        data = scale * POINTS.double()
        options = {"loss": "relativistic", "batch_size": 8, "learning_rate": 1e-2}
        *_, state = train_gan(made, judge, data, 3, seed=seed, **options)
        games.append((state.d_loss, made.sample(5, 0) / scale))
    assert games[0][0] == pytest.approx(games[1][0], rel=1e-6)
    torch.testing.assert_close(games[0][1], games[1][1], rtol=1e-5, atol=1e-6)
