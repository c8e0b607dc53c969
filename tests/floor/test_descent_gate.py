"""The training loop meets hostile input: at the call, or in the step that shows it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.descent import Clock, Run, descend, learning_rate_at
from course_utils.networks import check_trainable
from tests.hostile import NONSENSE, clothes, nonsense, refuses

X = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]
NOT_POSITIVE = [None, "1", 1j, math.nan, 0.0, -1.0, math.inf, True]
NOT_COUNTS = [None, 2.5, "3", True, 0, -1, math.nan]
NOT_SEEDS = [None, 2.5, "3", True, -1, math.nan, 2**64]


class Centre(nn.Module):
    """The mean of the data, found by descent."""

    data_dim = 2

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.zeros(2))

    def loss(self, x, generator):
        return (x - self.place).square().sum(1).mean()


def run(x=None, model=None, loss=None, steps=5, **options):
    model = Centre() if model is None else model
    x = torch.tensor(X) if x is None else x
    return descend(model, x, model.loss if loss is None else loss, steps, **options)


@pytest.mark.parametrize("kind", NONSENSE)
def test_data_without_sense_are_refused_at_the_call(kind):
    refuses(lambda: descend(Centre(), nonsense(kind, X), Centre().loss, 5), "x")


def test_all_forms_of_the_same_data_agree_or_are_named():
    expected = [state.loss for state in run()]
    for kind, form in clothes(X).items():
        if isinstance(form, torch.Tensor):
            assert [s.loss for s in run(form)] == pytest.approx(expected), kind
        else:
            refuses(lambda form=form: run(form), "x must be a tensor of floats")
    for form in (torch.ones(3, 2).long(), torch.ones(3, 2).byte()):
        refuses(lambda form=form: run(form), "x must be a tensor of floats")


def test_settings_are_refused_at_the_call():
    for name in ("steps", "batch_size", "n_states"):
        for bad in NOT_COUNTS:
            refuses(lambda n=name, b=bad: run(**{n: b}), f"{name} must be")
    for bad in NOT_POSITIVE:
        refuses(lambda bad=bad: run(learning_rate=bad), "learning_rate must be")
        if bad is not None:
            refuses(lambda bad=bad: run(seconds=bad), "seconds must be")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: run(seed=bad), "seed must be")
    for bad in (3, "loss", torch.ones(2)):
        refuses(lambda bad=bad: run(loss=bad), "loss must be a function")


def test_a_run_checks_its_settings():
    x = torch.tensor(X)
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: Run(Centre(), x, bad, 0.1, 0), "batch_size must be")
        refuses(lambda bad=bad: Clock(bad), "steps must be")
        refuses(lambda bad=bad: Clock(3, n_states=bad), "n_states must be")
    for bad in NOT_POSITIVE:
        refuses(lambda bad=bad: Run(Centre(), x, 2, bad, 0), "learning_rate must be")
        if bad is not None:
            refuses(lambda bad=bad: Clock(3, bad), "seconds must be")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: Run(Centre(), x, 2, 0.1, bad), "seed must be")
    refuses(lambda: Run(None, x, 2, 0.1, 0), "model must be a network")


def frozen():
    model = Centre()
    model.place.requires_grad_(False)
    return model


def without_numbers():
    model = Centre()
    model.place.data[0] = math.nan
    return model


def made_there():
    with torch.inference_mode():
        return Centre()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (frozen, "model must be a network with weights that can move"),
        (nn.ReLU, "model must be a network with weights that can move"),
        (without_numbers, "model must be a network of finite weights, got 1"),
        (made_there, "model must be a network made outside of inference mode"),
        (lambda: Centre, "model must be a network, got"),
        (lambda: "net", "model must be a network, got"),
        (lambda: nn.Linear(2, 1), "model must be a model with a data_dim"),
    ],
)
def test_models_that_cannot_learn_are_named(make, words):
    def loss(x, generator):
        return x.sum()

    refuses(lambda: run(model=make(), loss=loss), words)
    if "data_dim" not in words:
        refuses(lambda: check_trainable(make(), "G"), words.replace("model", "G", 1))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda place: place, "loss must return the shape (), got (2,)"),
        (lambda place: place[:1], "loss must return the shape (), got (1,)"),
        (lambda place: 3.0, "loss must return a tensor of real numbers, got float"),
        (lambda place: None, "loss must return a tensor of real numbers, got NoneType"),
        (lambda place: place.sum() * 1j, "loss must return a tensor of real numbers"),
        (lambda place: place.detach().sum(), "loss must be a number with a gradient"),
    ],
)
def test_losses_that_are_no_number_are_named(loss, words):
    model = Centre()
    refuses(lambda: next(run(model=model, loss=lambda *_: loss(model.place))), words)
    assert not bool(model.place.any())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_the_run(bad):
    model = Centre()

    def loss(x, generator):
        return model.place.sum() * 0 + bad

    with pytest.raises(FloatingPointError, match="the loss became"):
        next(run(model=model, loss=loss))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_run_learns_whatever_is_switched_off_outside(mode):
    plain, model = Centre(), Centre()
    *_, expected = run(model=plain)
    with mode():
        *_, state = run(torch.tensor(X), model)
        assert not torch.is_grad_enabled()
    assert state.loss == expected.loss and torch.equal(model.place, plain.place)
    *_, again = run(model=model, snapshots=True)  # and nothing is left behind
    (again.parameters["place"] * model.place).sum().backward()
    with mode():
        states = run(model=model)
        first = next(states)
    assert next(states).step > first.step and torch.is_grad_enabled()


def test_shares_of_a_run_are_numbers():
    for bad in (None, "1", 1j, math.nan, math.inf, -0.1, True, [0.5]):
        refuses(lambda bad=bad: learning_rate_at(bad), "progress must be")
        refuses(lambda bad=bad: learning_rate_at(0.5, bad), "warm_up must be")
    refuses(lambda: learning_rate_at(0.5, 1.0), "warm_up must be")


@settings(deadline=None, max_examples=50, derandomize=True, database=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.99))
def test_the_learning_rate_rises_then_falls(first, second, warm_up):
    early, late = sorted((first, second))
    rates = learning_rate_at(early, warm_up), learning_rate_at(late, warm_up)
    assert all(0 < rate <= 1 for rate in rates)
    if early >= warm_up:
        assert rates[0] >= rates[1]
    if late < warm_up:
        assert rates[0] <= rates[1]


@settings(deadline=None, max_examples=50, derandomize=True, database=None)
@given(st.integers(1, 60), st.integers(1, 80))
def test_a_clock_ends_with_a_state_and_has_as_many_as_asked(steps, n_states):
    clock = Clock(steps, n_states=n_states)
    due = [clock.due() for _ in clock]
    assert len(due) == steps and due[-1]
    assert sum(due) == min(steps, n_states)


def test_a_moment_of_time_is_one_step():
    clock = Clock(10, seconds=5e-324)
    assert [clock.due() for _ in clock] == [True] and clock.done == 1
