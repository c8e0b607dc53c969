"""A divergence as a function of θ: its slopes, and the moments of a target."""

import math

import numpy as np
import pytest
import torch

from course_utils.divergences import load_theis_mixture, round_mixture
from course_utils.divergences.surface import Surface, moments, pack
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

DOORS = {
    "weights": Door("weights", lambda w: pack(w, [[0], [1]], [1, 2]), [0.5, 2.0]),
    "means": Door("means", lambda m: pack([1, 1], m, [1, 2]), [0.0, 2.5], ("column",)),
    "sigmas": Door("sigmas", lambda s: pack([1, 1], [[0], [1]], s), [1.0, 2.5]),
}


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


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


def test_theta_of_another_size_is_refused():
    surface = Surface(load_theis_mixture(), "js")
    for theta in (torch.zeros(3), torch.zeros(0), torch.zeros(4, 1), torch.zeros(5)):
        refuses(lambda theta=theta: surface(theta.double()), "theta")
        refuses(lambda theta=theta: surface.with_slope(theta.double()), "theta")
    same = surface([0.0, 1.0, 0.0, 0.0])
    assert surface(torch.tensor([0, 1, 0, 0])) == same
    assert surface(np.array([0.0, 1.0, 0.0, 0.0])) == same


def test_inference_mode_leaves_nothing_behind():
    surface = Surface(round_mixture([0.4, 0.6], [-1.0, 2.0], [0.7, 1.0]), "mmd")
    gridded = Surface(surface.target, lambda p, q, cell: ((p - q) * q.exp()).sum())
    theta = pack([1.0], [[0.5]], [0.8])
    for one in (surface, gridded):
        with torch.inference_mode():
            one(theta)
        slope = torch.autograd.grad(one(theta.requires_grad_()), theta)[0]
        torch.testing.assert_close(slope, one.with_slope(theta)[1])
