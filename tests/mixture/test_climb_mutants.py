"""Facts of the climbing pictures that a mutant once broke without a test's notice."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.data import load_old_faithful
from course_utils.mixture import climb, e_step, m_step, start_at
from course_utils.mixture.marks import DOUBT


@pytest.fixture
def film():
    """Five half-steps of EM on the geyser: what notebook 02 plays."""
    x = load_old_faithful()
    mixture, frames = start_at(x, [[2.0, 95.0], [5.0, 45.0]]), []
    r = torch.full((len(x), 2), 0.5, dtype=torch.float64)
    for step in range(5):
        if step:
            turn = step % 2
            r = e_step(x, mixture) if turn else r
            mixture = mixture if turn else m_step(x, r)
        log_p = mixture.log_prob(x).mean().item()
        own = torch.xlogy(r, r).sum(1)
        lower = ((r * mixture.log_joint(x)).sum(1) - own).mean().item()
        frames.append((f"half {step}", mixture, r, log_p, lower))
    return x, frames


def test_a_half_step_shows_its_own_mixture_colours_and_heights(film):
    x, frames = film
    axes = Figure().subplots(1, 2)
    update = climb.draw_half_step(axes, 3, frames, x)
    (points,) = axes[0].collections
    assert torch.equal(torch.as_tensor(points.get_offsets().data), x)
    log_p, lower, top, low = axes[1].lines
    when = [0, 0.5, 1, 1.5, 2]
    for line, column in ((log_p, 3), (lower, 4)):
        assert line.get_xdata().tolist() == when
        assert line.get_ydata().tolist() == [frame[column] for frame in frames]
    for step in (3, 0, 4):
        update(step)
        _, mixture, r, *heights = frames[step]
        centres = [ring.center for ring in axes[0].patches[::2]]  # each has two
        assert centres == mixture.means.tolist()
        ringed = torch.tensor(points.get_linewidth()) > 0
        assert torch.equal(ringed, r.amax(1) < DOUBT)
        for marker, height in zip((top, low), heights, strict=True):
            assert marker.get_data() == ([when[step]], [height])


def test_the_climb_fills_the_picture_and_no_marker_touches_its_frame(film):
    """The start lies far below, and is left out of the view."""
    x, frames = film
    axes = Figure().subplots(1, 2)
    climb.draw_half_step(axes, 0, frames, x)
    labels = [text.get_text() for text in axes[1].get_legend().get_texts()]
    assert labels == ["log-likelihood", "ELBO"]
    heights = torch.tensor([frame[3:] for frame in frames[1:]], dtype=torch.float64)
    low, high = heights.min().item(), heights.max().item()
    assert frames[0][4] < low == frames[1][4]  # the first bound of EM is the lowest
    bottom, top = axes[1].get_ylim()
    assert bottom < low < high < top
    assert high - low > 0.8 * (top - bottom)
    assert axes[1].get_xlim()[1] > (len(frames) - 1) / 2
    for values, limits in zip(x.T, (axes[0].get_xlim, axes[0].get_ylim), strict=True):
        assert limits()[0] < values.min() < values.max() < limits()[1]
