"""Where a search looks from: ordinary targets stay, others move without rounding."""

import pytest
import torch

from course_utils.divergences import load_theis_mixture, round_mixture
from course_utils.divergences.frame import Frame
from course_utils.divergences.surface import moments, pack


def bumps(unit, far=0.0):
    means = (torch.tensor([-3.0, 3.0]).double() + far) * unit
    return round_mixture([0.5, 0.5], means, [unit, unit])


@pytest.mark.parametrize("unit", [0.05, 1.0, 2.0])
def test_an_ordinary_target_stays_where_it_is(unit):
    target = bumps(unit, 100.0)
    frame = Frame.of(target, "js", {})
    assert frame.surface.target is target
    assert frame.unit == frame.size == 1
    assert frame.outwards(None) == {}
    start = torch.ones(1), torch.ones(())
    assert all(map(torch.equal, frame.inwards(*start), start))


@pytest.mark.parametrize("unit", [1e-100, 1e-6, 0.01, 30.0, 1e9])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_another_target_is_of_ordinary_size_inside(unit, far):
    frame = Frame.of(bumps(unit, far), "js", {})
    mean, sigma = moments(frame.surface.target)
    assert 1 <= sigma < 2
    assert abs(mean.item()) < 1e-6
    there = frame.inwards(*moments(bumps(unit, far)))
    assert there[0].item() == pytest.approx(mean.item(), abs=1e-6)
    assert there[1].item() == pytest.approx(sigma.item())
    theta = pack([1.0], [[0.5]], [2.0])
    out = frame.outwards(frame.surface.unpack(theta))
    assert out["means"].item() == pytest.approx(frame.shift.item() + frame.unit / 2)
    assert out["sigmas"].item() == pytest.approx(2 * frame.unit)


def test_powers_of_two_change_not_even_a_bit():
    theta = pack([1.0], [[0.5, 0.1]], [2.0])
    target = load_theis_mixture()
    values = []
    for unit in (2.0**-40, 2.0**30):
        p = round_mixture(
            target.weights,
            target.means * unit,
            target.covariances[:, 0, 0].sqrt() * unit,
        )
        frame = Frame.of(p, lambda log_p, log_q, cell: log_q.sum() + cell, {})
        values.append(frame.surface.density(theta))
    assert torch.equal(*values)


def test_a_function_of_the_reader_sees_its_own_units():
    unit, seen = 2.0**-10, []

    def mine(log_p, log_q, cell):
        seen.append((log_p.exp().sum() * cell, cell, log_p.max()))
        return (log_q.exp() * (log_q - log_p)).sum() * cell

    theta = pack([1.0], [[0.0]], [1.0])
    for scale in (1.0, unit):
        Frame.of(bumps(scale), mine, {}).value(theta)
    (mass, cell, top), (there, fine, high) = seen
    assert mass == pytest.approx(1)
    assert there == pytest.approx(1)
    assert fine == pytest.approx(cell * unit)
    assert high.exp().item() == pytest.approx(top.exp().item() / unit)


def test_targets_too_large_or_small_for_squares_are_refused():
    far = round_mixture([0.5, 0.5], [-1e152, 1e152], [1e100, 1e100])
    with pytest.raises(ValueError, match=r"target must be of sigma 1e-150 to 1e150"):
        Frame.of(far, "js", {})


def test_the_search_sees_slopes_of_narrow_and_wide_kernels():
    target = round_mixture([1.0], [[0.7, -0.2]], [0.8])
    theta = pack([1.0], [[0.0, 0.0]], [1.0])
    for width in (0.01, 0.3, 1.0, 60.0):
        frame = Frame.of(target, "mmd", {"bandwidths": width})
        assert frame.with_slope(theta)[1].abs().max() > 1e-3
        value = frame.with_slope(theta)[0].item() * frame.size
        assert value == pytest.approx(frame.value(theta), rel=1e-6)
        assert (frame.size == 1) == (width in (0.3, 1.0))
