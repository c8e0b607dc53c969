"""MADE: a distribution over codes, one bit after the other."""

import math
import re

import pytest
import torch

from course_utils.training import last, seeded
from course_utils.vae.code_prior import MADE, train_made


def all_codes(n_bits):
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n_bits).view(-1, n_bits)


@pytest.mark.parametrize(
    ("n_bits", "units", "depth"), [(1, 3, 1), (6, 4, 2), (8, 2, 3)]
)
def test_the_probabilities_of_all_codes_sum_to_one(n_bits, units, depth):
    model = MADE(n_bits, units, depth, seed=3).double()
    total = model.log_prob(all_codes(n_bits)).logsumexp(dim=0)
    assert abs(total.item()) < 1e-12


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_output_i_sees_the_bits_before_i_and_all_of_them(depth):
    model = MADE(7, 5, depth, seed=1).double()
    with seeded(0):
        bits = torch.bernoulli(torch.full((4, 7), 0.5)).double().requires_grad_()
    logits = model(bits)
    for i in range(7):
        (sees,) = torch.autograd.grad(logits[:, i].sum(), bits, retain_graph=True)
        assert bool((sees[:, i:] == 0).all())
        assert bool((sees[:, :i] != 0).all())


def test_no_step_of_training_opens_a_mask():
    model = MADE(5, 4, seed=2)
    with seeded(0):
        bits = torch.bernoulli(torch.full((300, 5), 0.5))
    last(train_made(model, bits, epochs=5, batch_size=50))
    assert abs(model.log_prob(all_codes(5)).logsumexp(0).item()) < 1e-5


def test_a_whole_pass_for_all_bits_draws_what_single_calls_draw():
    """The quick sampler against one call of the network for each bit."""
    model = MADE(9, 4, 2, seed=5)
    quick = model.sample(200, torch.Generator().manual_seed(0))
    generator, bits = torch.Generator().manual_seed(0), torch.zeros(200, 9)
    with torch.no_grad():
        for j in range(9):
            chance = model(bits)[:, j : j + 1].sigmoid()
            bits[:, j : j + 1] = torch.bernoulli(chance, generator=generator)
    assert torch.equal(quick, bits)


def test_samples_come_as_often_as_their_probability_says():
    model = MADE(4, 4, seed=7)
    drawn = model.sample(100_000, torch.Generator().manual_seed(1))
    number = (drawn @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    shares = number.bincount(minlength=16) / len(drawn)
    expected = model.log_prob(all_codes(4)).exp()
    torch.testing.assert_close(shares, expected, atol=0.006, rtol=0)


def twins(n=4000):
    """Pairs of equal bits, but for one of ten: a code of three pairs."""
    with seeded(0):
        first = torch.bernoulli(torch.tensor([0.5, 0.3, 0.9]).expand(n, 3))
        other = torch.bernoulli(torch.full((n, 3), 0.1))
    return torch.stack([first, (first - other).abs()], dim=2).flatten(1)


def test_it_learns_what_single_bits_do_not_say():
    bits = twins()
    model = MADE(6, 8, seed=0)
    states = list(train_made(model, bits, epochs=30, learning_rate=0.01))
    found = model.log_prob(bits).mean()
    entropy = torch.special.entr
    h = sum(entropy(torch.tensor([p, 1 - p])).sum() for p in (0.5, 0.3, 0.9))
    exact = -(h + 3 * entropy(torch.tensor([0.1, 0.9])).sum())
    assert abs(found - exact) < 0.03  # its own draws decide the second decimal
    p = bits.mean(0)
    alone = -(entropy(p) + entropy(1 - p)).sum()
    assert found > alone + 0.5
    assert states[-1].loss < states[0].loss
    assert "loss" in str(states[-1])


def test_a_run_repeats_and_stops_after_seconds():
    bits = twins(500)
    ends = []
    for _ in range(2):
        model = MADE(6, 4)
        ends.append(last(train_made(model, bits, epochs=2, batch_size=64)).loss)
    assert ends[0] == ends[1]
    assert last(train_made(MADE(6, 4), bits, seconds=0.05)).seconds < 2


def test_booleans_are_codes_too(tmp_path):
    model = MADE(6, 4, seed=1)
    bits = twins(50)
    torch.testing.assert_close(model.log_prob(bits.bool()), model.log_prob(bits))
    model.save(tmp_path / "made.safetensors")
    again = MADE.load(tmp_path / "made.safetensors")
    torch.testing.assert_close(again.log_prob(bits), model.log_prob(bits))


@pytest.mark.parametrize("name", ["n_bits", "units", "depth"])
def test_bad_sizes_are_named(name):
    with pytest.raises(ValueError, match=f"^{name} must be positive, got 0$"):
        MADE(**{name: 0})


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (torch.zeros(3, 5), "bits must have shape (n, 6), got (3, 5)"),
        (torch.full((3, 6), 0.5), "bits must hold zeros and ones"),
        (torch.full((3, 6), math.nan), "bits must"),
        (-torch.ones(3, 6), "bits must hold zeros and ones"),
    ],
)
def test_codes_without_sense_are_refused(bits, message):
    model = MADE(6, 4)
    for call in (model.log_prob, lambda c: next(train_made(model, c))):
        with pytest.raises(ValueError, match=re.escape(message)):
            call(bits)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate"])
def test_settings_without_sense_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be positive, got 0"):
        next(train_made(MADE(6, 4), twins(20), **{name: 0}))
