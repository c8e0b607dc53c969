"""Facts of amortized inference that a mutant once broke without a test's notice."""

import torch
from torch.distributions import Normal

from course_utils.variational import AmortizedEncoder, fit_each_point
from tests.variational.cases import f64, randn


def test_without_a_step_each_point_keeps_its_start():
    """And the only state has its ELBO: 0 steps are a measurement."""
    start = Normal(f64(0.0, 2.0), f64(1.0, 0.5))
    (state,) = fit_each_point(lambda q: q.entropy() - q.mean.square(), start, 0)
    assert state.step == 0
    assert torch.equal(state.q.mean, start.mean)
    assert torch.allclose(state.q.stddev, start.stddev, rtol=1e-12)
    expected = start.entropy() - start.mean.square()
    assert torch.allclose(state.elbo, expected, rtol=1e-12)


def test_a_single_x_has_a_single_q():
    encoder = AmortizedEncoder(3, (2,), (4,))
    x = randn(0, 5, 3)
    one, all_of_them = encoder(x[1]), encoder(x)
    assert (one.batch_shape, one.event_shape) == ((), (2,))
    assert torch.allclose(one.mean, all_of_them.mean[1], rtol=1e-12)
    assert torch.allclose(one.stddev, all_of_them.stddev[1], rtol=1e-12)
