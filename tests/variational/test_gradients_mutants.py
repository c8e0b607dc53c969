"""Facts of the climb that a mutant once broke without a test's notice."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from course_utils.variational import DiagonalNormal, fit_variational
from course_utils.variational.gradients import ascent
from tests.variational.cases import f64


def test_a_climb_goes_up_in_steps_that_shrink_to_nothing():
    """Adam's first step has the length of its rate, and the rate falls linearly."""
    place = nn.Parameter(f64(0.0))
    climb, way = ascent([place], 4, 0.1), [0.0]
    for _ in range(5):
        climb(place.sum())  # a slope that is 1 everywhere
        way.append(place.item())
    lengths = torch.tensor(way).diff().tolist()
    assert lengths == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0], abs=1e-6)


def test_there_is_one_state_before_each_step_and_one_after_the_last():
    prior = Normal(f64(1.0)[0], 1.0)
    family = DiagonalNormal(f64(-1.0))
    states = list(fit_variational(lambda z: prior.log_prob(z).sum(-1), family, 4))
    assert [state.step for state in states] == [0, 1, 2, 3, 4]
    means = [state.q.mean.item() for state in states]
    assert means == sorted(means)
    assert means[0] == -1.0
    assert family.mean.item() == means[-1]


def test_after_the_last_state_no_gradient_is_taken():
    """√0 has the value 0 and no finite slope: only a step would notice."""
    calls = []

    def log_joint(z):
        calls.append(z)
        edge = (0 * z).square().sum(-1).sqrt() if len(calls) > 3 else 0.0
        return Normal(f64(1.0)[0], 1.0).log_prob(z).sum(-1) + edge

    states = list(fit_variational(log_joint, DiagonalNormal(f64(-1.0)), 3))
    assert len(states) == len(calls) == 4
    calls.clear()
    with pytest.raises(FloatingPointError, match="a gradient of the ELBO became nan"):
        list(fit_variational(log_joint, DiagonalNormal(f64(-1.0)), 4))
