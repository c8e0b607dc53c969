"""Amortized inference meets hostile input: at the call, not in the first step."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Cauchy, Independent, Normal

from course_utils.training import last
from course_utils.variational import AmortizedEncoder, fit_each_point, train_encoder
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64, randn

X = [[0.5, 1.0], [-1.0, 2.0], [0.0, 0.5]]
TARGET = f64(1.0, 2.0, 3.0)
NOT_NUMBERS = [None, "1", 1j, math.nan, 0.0, -1.0, math.inf]
NOT_COUNTS = [None, 2.5, "3", True, -1]


def log_joint(x, z):
    return Normal(z, 1.0).log_prob(x[..., 0]) + Normal(0.0, 1.0).log_prob(z)


def trained(x, **settings):
    encoder = AmortizedEncoder(2)
    settings = {"n_steps": 3, "batch_size": 4} | settings
    return last(train_encoder(encoder, log_joint, x, **settings)).elbo


def elbo_of(q):
    return -(q.mean - TARGET).square()


DOORS = {
    "encode": Door("x", AmortizedEncoder(2), X, ("empty",)),  # no x, no q
    "train": Door("x", trained, X),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


def test_settings_are_refused_at_the_call():
    encoder, x, start = AmortizedEncoder(2), f64(*X), Normal(torch.zeros(3), 1.0)
    for name in ("n_steps", "batch_size", "n_samples", "seed"):
        for bad in NOT_COUNTS:
            keywords = {name: bad}
            refuses(
                lambda k=keywords: train_encoder(encoder, log_joint, x, **k), f"{name} "
            )
    for bad in NOT_NUMBERS:
        rate = {"learning_rate": bad}
        refuses(lambda k=rate: train_encoder(encoder, log_joint, x, **k), "learning_ra")
        refuses(lambda k=rate: fit_each_point(elbo_of, start, **k), "learning_rate")
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: fit_each_point(elbo_of, start, bad), "n_steps must be")
        refuses(lambda bad=bad: AmortizedEncoder(bad), "data_dim must be")
        refuses(lambda bad=bad: AmortizedEncoder(2, (bad,)), "latent_shape[0] must")
        refuses(lambda bad=bad: AmortizedEncoder(2, hidden=(4, bad)), "hidden[1] must")
        refuses(lambda bad=bad: AmortizedEncoder(2, seed=bad), "seed must be")
    refuses(lambda: AmortizedEncoder(2, 3), "latent_shape must be a tuple")
    refuses(lambda: AmortizedEncoder(2, hidden=None), "hidden must be a tuple")
    refuses(lambda: train_encoder(None, log_joint, x), "encoder must be a module")
    refuses(lambda: train_encoder(encoder, log_joint, f64(0.5, 1.0)), "x must be")
    refuses(lambda: train_encoder(encoder, log_joint, randn(0, 5, 3)), "x must be")
    for bad in (None, 0.5, f64(0.5)):
        refuses(lambda bad=bad: train_encoder(encoder, bad, x), "log_joint must be a f")
        refuses(
            lambda bad=bad: fit_each_point(bad, start), "elbo_of must be a function"
        )
        refuses(lambda bad=bad: fit_each_point(elbo_of, bad), "start must be")
    refuses(lambda: fit_each_point(elbo_of, Cauchy(f64(0.0), 1.0)), "start.mean must")


def test_float32_data_train_an_encoder_of_float64():
    found = trained(torch.tensor(X))
    assert found == pytest.approx(trained(f64(*X)), rel=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, z: z.sum(-1),
        lambda x, z: z[..., None],
        lambda x, z: 0.0,
        lambda x, z: z + 0j,
    ],
)
def test_a_log_joint_of_another_shape_is_refused(wrong):
    steps = train_encoder(AmortizedEncoder(3), wrong, torch.zeros(5, 3))
    refuses(lambda: next(steps), "log_joint must return")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda q: elbo_of(q)[:, None],
        lambda q: elbo_of(q).sum(),
        lambda q: elbo_of(q)[:2],
        lambda q: -1.0,
    ],
)
def test_an_elbo_of_another_shape_is_refused(wrong):
    steps = fit_each_point(wrong, Normal(torch.zeros(3), 1.0), 3)
    refuses(lambda: next(steps), "elbo_of must return")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_training_does_not_go_on_with_nan(bad):
    """What is trained stays where it was before the step that failed."""
    calls = []

    def broken(value):
        calls.append(1)
        return value + (bad if len(calls) > 2 else 0.0)

    encoder = AmortizedEncoder(2)
    steps = train_encoder(encoder, lambda x, z: broken(log_joint(x, z)), f64(*X), 9)
    with pytest.raises(FloatingPointError, match=r"the ELBO became .* at step 2"):
        list(steps)
    assert all(weights.isfinite().all() for weights in encoder.parameters())
    calls.clear()
    steps = fit_each_point(lambda q: broken(elbo_of(q)), Normal(torch.zeros(3), 1.0))
    with pytest.raises(FloatingPointError, match=r"the ELBO became .* at step 2"):
        list(steps)


def test_whole_numbers_can_be_a_start():
    """torch keeps the whole numbers of a mean, which no climb can move."""
    start = Normal(torch.tensor([0, 1, 2]), 1.0)
    found = last(fit_each_point(elbo_of, start, 200)).q.mean
    assert (found - TARGET).abs().max() < 0.01


def test_states_belong_to_the_caller_and_the_start_is_not_moved():
    mean = torch.zeros(3, dtype=torch.float64)
    start = Normal(mean, 1.0)
    expected = last(fit_each_point(elbo_of, start, 20)).elbo
    for state in fit_each_point(elbo_of, start, 20):
        kept = state.elbo.clone()
        state.elbo.zero_()
    assert torch.equal(kept, expected)
    assert mean.tolist() == [0.0, 0.0, 0.0]


def test_no_grad_has_no_say():
    runs = []
    for switch in (torch.enable_grad, torch.no_grad):
        with switch():
            start = Independent(Normal(torch.zeros(3, 1), 1.0), 1)
            climb = fit_each_point(lambda q: elbo_of(Normal(q.mean[:, 0], 1)), start, 9)
            runs.append((last(climb).elbo.tolist(), trained(f64(*X))))
    assert runs[0] == runs[1]


def test_a_network_of_another_kind_may_be_trained():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Linear(2, 1)

        def forward(self, x):
            return Normal(self.mean(x)[..., 0], 1.0)

    states = list(train_encoder(Encoder(), log_joint, X, 3, 4))
    assert all(math.isfinite(state.elbo) for state in states)


def test_a_single_point_is_a_batch_without_dimensions():
    start = Normal(f64(0.0)[0], 1.0)
    found = last(fit_each_point(lambda q: -(q.mean - 1.0).square(), start, 100))
    assert found.elbo.shape == ()
    assert found.q.mean.item() == pytest.approx(1.0, abs=0.05)


def test_training_goes_on_where_gradients_are_switched_off():
    def ends():
        encoder = AmortizedEncoder(2, (), (3,), seed=np.int64(1))
        x = torch.tensor([[1.0, 2.0], [3.0, 0.5]])
        trained = train_encoder(
            encoder, lambda x, z: Normal(x.sum(-1), 1.0).log_prob(z), x, 3, seed=0
        )
        start = Normal(torch.zeros(2, dtype=torch.float64), 1.0)
        fitted = fit_each_point(lambda q: -((q.mean - 1) ** 2) + q.entropy(), start, 3)
        return last(trained).elbo, last(fitted).elbo.tolist()

    usual = ends()
    with torch.inference_mode():
        assert ends() == usual
    with torch.no_grad():
        assert ends() == usual


def test_an_elbo_without_a_gradient_is_named():
    start = Normal(torch.zeros(2, dtype=torch.float64), 1.0)
    frozen = fit_each_point(lambda q: q.mean.detach(), start, 3)
    refuses(lambda: list(frozen), "elbo_of must compute with q by torch")
