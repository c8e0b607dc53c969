"""MADE meets hostile input: bits in other clothes, settings of all kinds."""

import pytest
import torch

from course_utils.training import last
from course_utils.vae.code_prior import MADE, train_made
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.vae.cases import NOT_COUNTS, NOT_NUMBERS, NOT_SEEDS, weights

BITS = [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
FITTED = MADE(3, 2).double()


def trained(bits):
    model = MADE(3, 2).double()
    last(train_made(model, bits, batch_size=2))
    return weights(model)


DOORS = {
    "logits": Door("bits", FITTED, BITS),
    "log_prob": Door("bits", FITTED.log_prob, BITS),
    "train": Door("bits", trained, BITS),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_bits_agree(door):
    same_in_all_clothes(door)
    exact = door.call(torch.tensor(BITS).double())
    assert torch.equal(door.call(torch.tensor(BITS).bool()), exact)


def test_what_is_no_bit_is_refused():
    for bad in (0.5, -1.0, 2.0):
        for call in (FITTED, FITTED.log_prob, trained):
            row = [[0.0, 1.0, bad]]
            refuses(lambda call=call, row=row: call(row), "bits must hold zeros")


def test_settings_are_refused_at_the_call():
    bits = torch.tensor(BITS)
    for bad in [*NOT_COUNTS, 0]:
        for name in ("n_bits", "units", "depth"):
            refuses(lambda bad=bad, name=name: MADE(**{name: bad}), f"{name} must")
        refuses(lambda bad=bad: FITTED.sample(bad), "n must")
        for name in ("batch_size", "n_states"):
            given = {name: bad}
            refuses(lambda k=given: train_made(MADE(3, 2), bits, **k), f"{name} must")
    for bad in [*NOT_NUMBERS, 0]:
        for name in ("epochs", "learning_rate", "seconds"):
            given = {name: bad}
            if given != {"seconds": None}:
                refuses(lambda k=given: train_made(MADE(3, 2), bits, **k), name)
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: MADE(3, seed=bad), "seed must")
        refuses(lambda bad=bad: train_made(MADE(3, 2), bits, seed=bad), "seed must")
    for bad in (None, MADE, torch.nn.Linear(3, 2)):
        refuses(lambda bad=bad: train_made(bad, bits), "model must be a MADE")
    for bad in (0, "seed", torch):
        refuses(lambda bad=bad: FITTED.sample(2, bad), "generator must be")


def test_it_trains_wherever_gradients_are_switched_off():
    ends = []
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            model = MADE(3, 2)
            last(train_made(model, torch.tensor(BITS), epochs=3))
        ends.append(weights(model))
        model.log_prob(BITS).sum().backward()  # nothing was left behind
    assert torch.equal(ends[0], ends[1]) and torch.equal(ends[0], ends[2])


def test_what_a_caller_gets_he_may_change():
    bits = torch.tensor(BITS)
    before = FITTED.log_prob(bits)
    FITTED.sample(2).zero_()
    FITTED(bits).detach().zero_()
    assert torch.equal(bits, torch.tensor(BITS))
    assert torch.equal(FITTED.log_prob(bits), before)
