"""The two networks meet hostile input: settings, noise, samples, modes."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.gan import Discriminator, Generator
from tests.gan.cases import weights
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

ROWS = [[0.5, 1.0], [-2.0, 0.0], [3.0, 1.0]]
PASSES = ("nan", "infinite", "empty")  # no number becomes none: see below
NOT_COUNTS = [None, 2.5, "3", True, -1, 1j, math.nan, [2], 10**400]
NOT_POSITIVE = [None, "1", 1j, math.nan, 0.0, -1.0, math.inf, True, [1.0], 10**400]
NOT_SEEDS = [2.5, "3", True, -1, math.nan, 2**63, [1]]
MAKER, JUDGE = (kind(hidden=(4,)).double() for kind in (Generator, Discriminator))
SEER = Discriminator(hidden=(4,), frequencies=3, scale=2.0).double()
quiet = settings(deadline=None, max_examples=40, derandomize=True, database=None)
DOORS = {
    "G": Door("z", MAKER, ROWS, (*PASSES, "column")),
    "D": Door("x", JUDGE, ROWS, PASSES),
    "D features": Door("x", SEER.features, ROWS, PASSES),
    "D probability": Door("x", SEER.probability, ROWS, PASSES),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)
    same_in_all_clothes(door, [[1.0, 2.0], [3.0, 0.0]])


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_is_no_number_is_not_lost(door):
    result = door.call(nonsense("nan", ROWS))
    assert bool(result[-1].isnan().any()) and bool(result[:-1].isfinite().all())
    assert len(door.call(nonsense("empty", ROWS))) == 0


def test_columns_of_noise_must_fit():
    for shape in ((), (3,), (3, 1), (3, 3), (2, 3)):
        refuses(lambda s=shape: MAKER(torch.zeros(s)), "z must have 2 columns")
    for shape in ((), (3,), (3, 1), (3, 3), (1, 3, 2)):
        refuses(lambda s=shape: JUDGE(torch.zeros(s)), "x must have shape (n, 2)")
    refuses(lambda: Discriminator(1)(torch.zeros(3, 2)), "x must have shape (n, 1)")


def test_settings_of_both_are_named():
    for name in ("noise_dim", "data_dim"):
        for bad in (*NOT_COUNTS, 0):
            refuses(lambda n=name, b=bad: Generator(**{n: b}), f"{name} must be")
    for name in ("data_dim", "pack", "frequencies"):
        for bad in NOT_COUNTS:
            refuses(lambda n=name, b=bad: Discriminator(**{n: b}), f"{name} must be")
    for kind in (Generator, Discriminator):
        for bad in (*NOT_POSITIVE, 1e-30, 1e30):
            refuses(lambda k=kind, b=bad: k(scale=b), "scale must be")
        for bad in NOT_SEEDS:
            refuses(lambda k=kind, b=bad: k(seed=b), "seed must be")
        for bad in (None, 4, "4", {4}, 2.5):
            refuses(lambda k=kind, b=bad: k(hidden=b), "hidden must be a list")
        for bad in NOT_COUNTS[:-1]:
            refuses(lambda k=kind, b=bad: k(hidden=(4, b)), "hidden[1] must be")
        for bad in (None, 3, [], "gelu"):
            refuses(lambda k=kind, b=bad: k(activation=b), "activation must be one of")
    for bad in (None, 3, [], "tanh", np.array(["linear"])):
        refuses(lambda bad=bad: Generator(output=bad), "output must be one of")
    for bad in (*NOT_POSITIVE, 1e30, (1, 2, 3), (1,), (), (2, 1), ("a", 1), (1, None)):
        refuses(lambda bad=bad: Discriminator(frequency_scale=bad), "frequency_scale")


def test_numbers_of_numpy_go_to_a_file(tmp_path):
    two, path = np.int64(2), tmp_path / "network.safetensors"
    nets = {"hidden": (np.int32(4), np.int8(3)), "scale": np.float32(2.0)}
    waves = {"frequencies": two, "frequency_scale": (np.float32(1), np.int64(4))}
    for network, plain in (
        (Generator(two, two, **nets), Generator(2, 2, (4, 3), scale=2.0)),
        (
            Discriminator(two, pack=two, **nets, **waves),
            Discriminator(
                2, (4, 3), frequencies=2, frequency_scale=(1, 4), pack=2, scale=2.0
            ),
        ),
    ):
        json.dumps(network.settings)
        network.save(path)
        again = type(network).load(path)
        assert again.settings == network.settings == plain.settings
        assert torch.equal(weights(again), weights(plain))


def test_draws_are_counted_and_seeded():
    made = Generator()
    for bad in (*NOT_COUNTS[:-1], 0):
        refuses(lambda bad=bad: made.sample(bad), "n must be")
        refuses(lambda bad=bad: made.noise(bad), "n must be")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: made.sample(3, bad), "seed must be")
    for bad in (3, "random", torch.random):
        refuses(lambda bad=bad: made.noise(3, bad), "generator must be a torch.Gen")
    assert torch.equal(made.sample(np.int64(3), np.int64(1)), made.sample(3, 1))


@pytest.mark.parametrize("kind", ["none", "text", "complex", "ragged", "nan", "column"])
def test_what_has_no_mean_is_named(kind):
    made = Generator(output="sigmoid")
    before = weights(made)
    bad = nonsense(kind, [[0.5, 1.0], [0.0, 0.5]])
    refuses(lambda: made.begin_at_mean_of(bad), "x must")
    refuses(lambda: made.check(bad, "data"), "data must")
    assert torch.equal(weights(made), before)


def test_numbers_that_float32_does_not_hold_are_no_data():
    large = torch.full((3, 2), 1e300, dtype=torch.float64)
    refuses(lambda: Generator().check(large), "x in torch.float32 must be finite")
    assert Generator().double().check(large) is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_networks_learn_wherever_they_were_made(mode):
    with mode():
        made, judge = Generator(hidden=(4,)), Discriminator(hidden=(4,), frequencies=2)
        here = made.sample(3, 0), judge(torch.ones(3, 2))
    judge(made(torch.ones(3, 2))).sum().backward()
    for network in (made, judge):
        assert all(bool(each.grad.isfinite().all()) for each in network.parameters())
    assert torch.equal(here[0], made.sample(3, 0))
    judge(here[0]).sum().backward()  # what was drawn there is data here
    assert torch.equal(here[1], judge(torch.ones(3, 2)).detach())


@quiet
@given(st.sampled_from([1e-9, 1e-3, 1e3, 1e9]), st.integers(0, 1000))
def test_scale_is_the_unit_of_both(unit, seed):
    nets = {"hidden": (4,), "seed": seed}
    made, there = Generator(**nets).double(), Generator(scale=unit, **nets).double()
    x = made.sample(5, seed)
    torch.testing.assert_close(there.sample(5, seed) / unit, x)
    nets["frequencies"] = 3
    judges = Discriminator(**nets).double(), Discriminator(scale=unit, **nets).double()
    torch.testing.assert_close(judges[0](x), judges[1](unit * x))
