"""The one training loop: repeatable, stoppable, clear about its limits."""

import math

import pytest
import torch

from course_utils import descent as descent_module
from course_utils.beyond.diffusion import Denoiser, train_diffusion
from course_utils.beyond.flow import Flow, train_flow
from course_utils.data import ring_of_gaussians
from course_utils.descent import Clock, Run, descend, learning_rate_at


@pytest.fixture
def x():
    torch.manual_seed(0)
    return ring_of_gaussians(4).sample((300,))


def new_flow():
    return Flow(layers=2, hidden=(8,), bins=4)


def new_denoiser():
    return Denoiser(hidden=(8, 8))


BOTH = pytest.mark.parametrize(
    ("new", "train"), [(new_flow, train_flow), (new_denoiser, train_diffusion)]
)


def parameters(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


@BOTH
def test_a_run_repeats_and_another_seed_differs(new, train, x):
    models = [new() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        torch.manual_seed(id(model) % 1000)  # nothing may depend on the global state
        list(train(model, x, 20, batch_size=50, seed=seed))
    one, same, other = map(parameters, models)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@BOTH
def test_states_come_evenly_and_snapshots_are_copies(new, train, x):
    model = new()
    states = list(train(model, x, 40, batch_size=50, n_states=5, snapshots=True))
    assert [state.step for state in states] == [8, 16, 24, 32, 40]
    assert all(math.isfinite(state.loss) for state in states)
    seconds = [state.seconds for state in states]
    assert seconds == sorted(seconds) and seconds[0] > 0
    early, late = new(), new()
    early.load_state_dict(states[0].parameters)
    late.load_state_dict(states[-1].parameters)
    assert torch.equal(parameters(late), parameters(model))
    assert not torch.equal(parameters(early), parameters(model))
    assert next(train(new(), x, 5)).parameters is None


@BOTH
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_run_leaves_the_last_whole_step(new, train, x, error):
    options = {"batch_size": 50, "seed": 3}
    stopped = new()
    name = "log_prob" if train is train_flow else "loss"
    true, calls = getattr(stopped, name), []

    def stop_at_the_seventeenth(*arguments):
        calls.append(parameters(stopped))
        if len(calls) == 17:
            raise error("stopped")
        return true(*arguments)

    setattr(stopped, name, stop_at_the_seventeenth)
    with pytest.raises(error):
        list(train(stopped, x, 30, n_states=7, **options))
    assert torch.equal(parameters(stopped), calls[-1])
    assert not torch.equal(calls[-1], calls[-2])


@BOTH
def test_what_is_not_finite_puts_the_model_back(new, train, x):
    model, last = new(), None
    with pytest.raises(FloatingPointError, match="smaller learning_rate"):
        for state in train(model, x, 50, batch_size=50, n_states=50, snapshots=True):
            last = state
            if state.step == 10:
                with torch.no_grad():
                    next(model.parameters()).fill_(math.nan)
    assert last.step == 10
    for name, value in model.state_dict().items():
        assert torch.equal(value, last.parameters[name])


def test_a_gradient_that_is_not_finite_counts_too(x):
    model = new_flow()
    before = parameters(model)

    def loss(batch, generator):
        weight = next(model.parameters())
        return (weight - weight.detach()).abs().sum().sqrt()  # 0, with slope 0/0

    with pytest.raises(FloatingPointError, match="its gradient"):
        next(descend(model, x, loss, 5))
    assert torch.equal(before, parameters(model))


@BOTH
def test_leaving_the_loop_keeps_the_model(new, train, x):
    model = new()
    before = parameters(model)
    for state in train(model, x, 50, batch_size=50):
        if state.step > 5:
            break
    assert not torch.equal(before, parameters(model))
    assert bool(torch.isfinite(model.log_prob(x)).all())


def test_a_budget_of_seconds_is_kept(x):
    states = list(train_diffusion(new_denoiser(), x, seconds=0.3, n_states=4))
    assert len(states) == 4
    assert 0.3 <= states[-1].seconds < 3.0
    assert learning_rate_at(1.0) == pytest.approx(0.01)
    assert 0 < learning_rate_at(0.0) < learning_rate_at(0.05) == pytest.approx(1.0)


@BOTH
def test_float64_models_stay_and_data_follow_them(new, train, x):
    model = new().double()
    *_, state = train(model, x, 10)
    assert math.isfinite(state.loss)
    assert model.sample(3).dtype == torch.float64
    assert model.log_prob(x).dtype == torch.float64


@BOTH
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (torch.zeros(3, 2, 2), r"x must have shape \(n, 2\), got \(3, 2, 2\)"),
        (torch.zeros(0, 2), "x is empty"),
        (torch.full((4, 2), math.inf), "8 values that are NaN"),
    ],
)
def test_bad_data_stop_before_the_first_step(new, train, data, words):
    with pytest.raises(ValueError, match=words):
        next(train(new(), data))


@BOTH
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("seconds", -1),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("n_states", 0),
    ],
)
def test_bad_settings_are_named(new, train, x, name, value):
    with pytest.raises(ValueError, match=f"{name} must be positive, got {value}"):
        next(train(new(), x, **{name: value}))


def test_a_state_never_keeps_weights_that_are_not_finite(x):
    model = torch.nn.Linear(2, 1)
    run = Run(model, x, 50, 1e-3, seed=0)
    good = parameters(model)
    with torch.no_grad():
        model.weight[0, 1] = math.nan
    with pytest.raises(FloatingPointError, match="a weight became nan at step 0"):
        run.keep()
    assert torch.equal(parameters(model), good)


def test_a_clock_counts_steps_and_spreads_the_states():
    clock = Clock(steps=10, n_states=4)
    due = [clock.due() for _ in clock]
    assert [i for i, now in enumerate(due, 1) if now] == [3, 5, 8, 10]
    assert clock.step == 10 and clock.done == 1
    short = Clock(3, n_states=20)
    assert [short.due() for _ in short] == [True, True, True]


def test_a_clock_does_not_count_what_happens_between_steps(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(descent_module.time, "perf_counter", lambda: now[0])
    clock, shares = Clock(steps=1, seconds=4.0, n_states=2), []
    for done in clock:
        shares.append(done)
        now[0] += 1.0  # the step
        if clock.due():
            now[0] += 100.0  # what is done with the state
    assert shares == [0.0, 0.25, 0.5, 0.75]
    assert (clock.step, clock.seconds, clock.states) == (4, 4.0, 2)
