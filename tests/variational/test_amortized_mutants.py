"""Facts of amortized inference that a mutant once broke without a test's notice."""

import torch
from torch.distributions import Normal

from course_utils.variational import fit_each_point
from tests.variational.cases import f64


def test_without_a_step_each_point_keeps_its_start():
    """And the only state has its ELBO: 0 steps are a measurement."""
    start = Normal(f64(0.0, 2.0), f64(1.0, 0.5))
    (state,) = fit_each_point(lambda q: q.entropy() - q.mean.square(), start, 0)
    assert state.step == 0
    assert torch.equal(state.q.mean, start.mean)
    assert torch.allclose(state.q.stddev, start.stddev, rtol=1e-12)
    expected = start.entropy() - start.mean.square()
    assert torch.allclose(state.elbo, expected, rtol=1e-12)
