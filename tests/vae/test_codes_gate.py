"""VQ-VAE meets hostile input: codes far from 0, other clothes, wrong settings."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.training import last
from course_utils.vae.codes import VQVAE, train_vq_vae
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.vae.cases import GREY, NOT_COUNTS, NOT_NUMBERS, NOT_SEEDS, weights

quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)
BITS = (GREY > 127).float()
X = BITS[[0, 100, 200]].double().tolist()
CODES = torch.tensor([[0, 1, 2], [3, 3, 3]])


def model():
    return VQVAE(12, positions=3, n_codes=4, code_dim=2, hidden=6).double()


def begun(x):
    coder = VQVAE(12, positions=6, n_codes=2, code_dim=1, hidden=())
    coder.begin_with_bits(x)
    return coder.decoder[-1].bias


FITTED = model()
DOORS = {
    "vectors": Door("x", FITTED.vectors, X),
    "codes": Door("x", FITTED.codes, X),
    "loss": Door("x", FITTED.loss, X),
    "begin": Door("x", begun, X),
    "nearest": Door("e", FITTED.nearest, [[[0.5, -1.0]], [[2.0, 0.0]]]),
    "decode": Door("codes", lambda c: FITTED.decode(c).mean, CODES.tolist()),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("name", DOORS)
def test_other_clothes_agree_or_are_refused(name):
    if name == "decode":  # whole numbers alone are codes
        for wrong in (CODES.int(), CODES.float(), CODES.tolist(), CODES.numpy()):
            refuses(lambda wrong=wrong: FITTED.decode(wrong), "codes must be int64")
        return
    same_in_all_clothes(DOORS[name], refusing=name != "nearest")


@pytest.mark.parametrize("far", [0.0, 3.0, 100.0, 1e3, 1e4, -1e6])
@pytest.mark.parametrize("unit", [1e-25, 1e-12, 1.0, 1e6, 1e20])
def test_the_nearest_code_is_found_wherever_the_codes_lie(far, unit):
    generator = torch.Generator().manual_seed(0)
    coder = VQVAE(6, 2, n_codes=4, code_dim=2, hidden=())
    with torch.no_grad():
        rows = (torch.randn(4, 2, generator=generator) + far) * unit
        coder.codebook.copy_(rows)
    e = (torch.randn(500, 1, 2, generator=generator) + far) * unit
    distance = (e.double() - coder.codebook.double()).square().sum(dim=2)
    assert torch.equal(coder.nearest(e)[:, 0], distance.argmin(dim=1))


@quiet
@given(
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from([1e-6, 1.0, 1e6]),
    st.sampled_from([0.0, 30.0, -1e5]),
    st.integers(0, 99),
)
def test_no_unit_and_no_origin_changes_the_choice(n_codes, code_dim, unit, far, seed):
    generator = torch.Generator().manual_seed(seed)
    coder = VQVAE(6, 2, n_codes, code_dim, hidden=()).double()
    rows = torch.randn(n_codes, code_dim, generator=generator, dtype=torch.float64)
    e = torch.randn(5, 2, code_dim, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        coder.codebook.copy_(rows)
        here = coder.nearest(e)
        coder.codebook.copy_((rows + far) * unit)
        assert torch.equal(coder.nearest((e + far) * unit), here)


def test_settings_are_refused_at_the_call():
    for bad in [*NOT_COUNTS, 0]:
        for name in ("data_dim", "positions", "n_codes", "code_dim"):
            refuses(lambda bad=bad, name=name: VQVAE(**{name: bad}), f"{name} must")
        if not isinstance(bad, list):
            refuses(lambda bad=bad: VQVAE(6, hidden=bad), "hidden must")
        steps = {"batch_size": bad}
        refuses(lambda k=steps: train_vq_vae(model(), BITS, **k), "batch_size must")
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: VQVAE(6, hidden=(4, bad)), "hidden[1] must")
    for bad in NOT_NUMBERS:
        for name in ("epochs", "learning_rate"):
            given = {name: bad}
            refuses(lambda k=given: train_vq_vae(model(), BITS, **k), f"{name} must")
        refuses(lambda bad=bad: FITTED.loss(BITS, bad), "commitment must")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: VQVAE(6, seed=bad), "seed must")
        refuses(lambda bad=bad: train_vq_vae(model(), BITS, seed=bad), "seed must")
    for name in ("dynamic", "restart", "falling"):
        given = {name: "yes"}
        refuses(lambda k=given: train_vq_vae(model(), BITS, **k), f"{name} must")
    for bad in (None, VQVAE, torch.nn.Linear(12, 2)):
        refuses(lambda bad=bad: train_vq_vae(bad, BITS), "model must be a VQVAE")
    for bad in (None, GREY, BITS[0], BITS[:0], BITS[:, :5], BITS / 2, BITS.tolist()):
        refuses(lambda bad=bad: train_vq_vae(model(), bad), "x ")
    refuses(lambda: train_vq_vae(model(), GREY // 255, dynamic=True), "x must be grey")


def test_half_an_epoch_is_half_of_its_steps():
    states = list(train_vq_vae(model(), BITS, epochs=0.5, batch_size=100))
    assert [state.epoch for state in states] == [1]
    assert all(map(math.isfinite, (states[0].reconstruction, states[0].perplexity)))


def test_a_batch_may_be_larger_than_the_data():
    ends = []
    for size in (300, 2**62):
        coder = model()
        last(train_vq_vae(coder, BITS, epochs=3, batch_size=size))
        ends.append(weights(coder))
    assert torch.equal(*ends)


def test_it_trains_wherever_gradients_are_switched_off():
    ends = []
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            coder = VQVAE(12, positions=3, n_codes=4, code_dim=2, hidden=6)
            last(train_vq_vae(coder, BITS.clone(), epochs=2))
        ends.append(weights(coder))
        sum(coder.loss(BITS)).backward()  # nothing was left behind
    assert torch.equal(ends[0], ends[1]) and torch.equal(ends[0], ends[2])
