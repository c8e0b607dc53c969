"""A divergence as a function of θ: its slopes, and the moments of a target."""

import math

import pytest
import torch

from course_utils.divergences import load_theis_mixture, round_mixture
from course_utils.divergences.surface import Surface, moments, pack


def test_the_known_slopes_are_those_of_autograd():
    target = load_theis_mixture()
    definitions = {
        "forward_kl": lambda lp, lq, cell: (lp.exp() * (lp - lq)).sum() * cell,
        "reverse_kl": lambda lp, lq, cell: (lq.exp() * (lq - lp)).sum() * cell,
        "js": lambda lp, lq, cell: (
            0.5
            * cell
            * (
                lp.exp() * (lp - torch.logaddexp(lp, lq) + math.log(2))
                + lq.exp() * (lq - torch.logaddexp(lp, lq) + math.log(2))
            ).sum()
        ),
    }
    line = round_mixture([0.4, 0.6], [-1.0, 2.0], [0.7, 1.0])
    cases = [
        (target, pack([0.3, 0.7], [[0.0, 1.0], [-1.0, -2.0]], [0.8, 1.1])),
        (line, pack([0.3, 0.7], [[0.5], [-1.0]], [0.8, 1.1])),
    ]
    for p, theta in cases:
        for name, definition in definitions.items():
            known, plain = Surface(p, name), Surface(p, definition)
            pairs = zip(known.with_slope(theta), plain.with_slope(theta), strict=True)
            for ours, theirs in pairs:
                torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-8)
            torch.testing.assert_close(known(theta), plain(theta), atol=1e-12, rtol=0)


def test_moments():
    target = round_mixture([0.25, 0.75], [[0.0, 0.0], [4.0, 0.0]], [1.0, 2.0])
    mean, sigma = moments(target)
    assert mean.tolist() == [3.0, 0.0]
    x_variance, y_variance = 0.25 + 0.75 * 4 + 3.0, 0.25 + 0.75 * 4
    assert sigma.item() == pytest.approx(((x_variance + y_variance) / 2) ** 0.5)
