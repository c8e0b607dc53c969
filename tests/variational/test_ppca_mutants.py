"""Facts of probabilistic PCA that a mutant once broke without a test's notice."""

import pytest
import torch
from torch.distributions import Normal

from course_utils.variational import LinearGaussian
from tests.variational.cases import f64, randn


@pytest.mark.parametrize("short", ["weight", "mean"])
def test_the_longer_floats_decide_for_all_results(short):
    """float32 beside float64: model, marginal and draws are float64."""
    given = {"weight": randn(0, 3, 2), "mean": randn(1, 3)}
    given[short] = given[short].float()
    model = LinearGaussian(**given, noise_sigma=0.5)
    marginal = model.marginal()
    parts = model.weight, model.mean, marginal.mean, marginal.sample(), *model.sample(2)
    assert {part.dtype for part in parts} == {torch.float64}


def test_one_number_with_one_cause_is_the_smallest_model():
    """x = w z + m + noise: x has mean m and variance w² + σ²."""
    model = LinearGaussian([[3.0]], [1.0], 4.0)
    x = f64([-2.0], [6.5])
    expected = Normal(f64(1.0)[0], 5.0).log_prob(x[:, 0])
    assert (model.log_prob(x) - expected).abs().max() < 1e-12
    # and the posterior of z: precision 1 + w²/σ², mean w (x − m) / (w² + σ²)
    posterior = model.posterior(x)
    assert posterior.mean.flatten().tolist() == pytest.approx([-9 / 25, 16.5 / 25])
    assert posterior.stddev.flatten().tolist() == pytest.approx([0.8, 0.8])


def test_numbers_of_x_and_z_that_do_not_fit_are_named():
    model = LinearGaussian(randn(0, 3, 2), randn(1, 3), 0.5)
    with pytest.raises(ValueError, match=r"leading dimensions that fit, got \(4, 3\)"):
        model.log_joint(randn(2, 4, 3), randn(3, 5, 2))
    assert model.log_joint(randn(2, 4, 3), randn(3, 5, 1, 2)).shape == (5, 4)
