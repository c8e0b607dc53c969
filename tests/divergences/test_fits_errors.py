"""What the fits refuse, by name, and the warm start."""

import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from course_utils.divergences.fits import (
    DIVERGENCES,
    fit_isotropic_gaussian,
    fit_round_mixture,
    round_mixture,
)

TARGET = round_mixture([0.4, 0.6], [-1.5, 1.0], [0.7, 1.0])
FITS = {name: fit_isotropic_gaussian(TARGET, name) for name in ("js", "mmd")}


@pytest.mark.parametrize("name", FITS)
def test_the_last_fit_is_a_warm_start(name):
    fit = FITS[name]
    for starts in (fit, [fit], [(fit.mean, fit.sigma)]):
        again = fit_isotropic_gaussian(TARGET, name, starts=starts)
        assert again.value <= fit.value + 1e-12
        assert again.mean.item() == pytest.approx(fit.mean.item(), abs=1e-3)
    wider = fit_isotropic_gaussian(TARGET, name, starts=[fit, (0.0, 2.0)])
    assert wider.value == pytest.approx(fit.value, abs=1e-9)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ([(0.0, 0.0)], "sigma of a start must be one number > 0, got 0"),
        ([(0.0, -1.0)], "sigma of a start must be one number > 0, got -1"),
        ([(0.0, math.nan)], "sigma of a start .* got nan"),
        ([(0.0, math.inf)], "sigma of a start .* got inf"),
        ([(0.0, [1.0, 2.0])], "sigma of a start must be one number"),
        ([(math.nan, 1.0)], "mean of a start must be 1 finite numbers, got nan"),
        ([((0.0, 1.0), 1.0)], "mean of a start must be 1 finite numbers"),
        ([1.0], r"starts must hold pairs \(mean, sigma\), got 1.0"),
        ([(1.0, 2.0, 3.0)], r"starts must hold pairs \(mean, sigma\), got \(1"),
        ([], "starts is empty"),
    ],
)
def test_starts_without_sense(divergence, starts, words):
    with pytest.raises(ValueError, match=words):
        fit_isotropic_gaussian(TARGET, divergence, starts=starts)


def test_a_fitted_mixture_is_no_single_gaussian():
    two = fit_round_mixture(TARGET, "js", 2, n_starts=1, max_steps=3)
    with pytest.raises(ValueError, match="single Gaussians, got a fit with k = 2"):
        fit_isotropic_gaussian(TARGET, "js", starts=two)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bandwidths": []}, r"bandwidths must be positive and finite, got \[\]"),
        ({"bandwidths": [0.0]}, r"bandwidths must be positive .* got \[0.0\]"),
        ({"bandwidths": [1.0, -1.0]}, "bandwidths must be positive"),
        ({"points": 0}, "points must be a whole number from 2 on, got 0"),
        ({"points": 1}, "points must be a whole number from 2 on, got 1"),
        ({"points": 50.5}, "points must be a whole number from 2 on, got 50.5"),
    ],
)
def test_options_without_sense(options, words):
    for divergence in ("js", "mmd"):
        with pytest.raises(ValueError, match=words):
            fit_isotropic_gaussian(TARGET, divergence, **options)
        with pytest.raises(ValueError, match=words):
            fit_round_mixture(TARGET, divergence, 1, **options)


@pytest.mark.parametrize("name", ["k", "n_starts", "max_steps"])
def test_counts_start_at_one(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        fit_round_mixture(TARGET, "js", **({"k": 1} | {name: 0}))


@pytest.mark.parametrize(
    "target",
    [MixtureSameFamily(Categorical(torch.ones(2)), Normal(torch.zeros(2), 1.0)), [1.0]],
    ids=lambda target: type(target).__name__,
)
def test_the_target_must_be_a_mixture_of_the_course(target):
    words = f"target must be a GaussianMixture, got {type(target).__name__}"
    with pytest.raises(ValueError, match=words):
        fit_isotropic_gaussian(target, "js")
    with pytest.raises(ValueError, match=words):
        fit_round_mixture(target, "js", 1)
