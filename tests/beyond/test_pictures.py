"""The pictures of a diffusion model: what they show."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.beyond import pictures
from course_utils.data import ring_of_gaussians

pytestmark = pytest.mark.usefixtures("course_style")


def test_the_film_is_zoomed_and_says_so():
    ax = Figure().subplots()
    mode = torch.arange(6)
    begin = (1, 10.0, 30 * torch.ones(6, 2), mode)
    update = pictures.draw_walk(ax, begin, 32)
    assert ax.collections[0].get_offsets().max() < pictures.HALF_WIDTH * 1.5
    assert "σ = 10.00, shown 6.7 times smaller" in ax.get_title(loc="left")
    update((32, 0.005, torch.ones(6, 2), mode))
    assert ax.get_title(loc="left") == "step 32 of 32: σ = 0.005"


def test_steps_choose_their_samples():
    ring = ring_of_gaussians()
    drawn = {1: torch.zeros(3, 2), 2: torch.ones(3, 2)}
    found = {n: type("Found", (), {"high_quality": n / 10})() for n in drawn}
    ax = Figure().subplots()
    update = pictures.draw_steps(ax, 1, ring, drawn, found)
    assert ax.get_title(loc="left") == "1 step: 10 % near a mode"
    update(2)
    assert ax.get_title(loc="left") == "2 steps: 20 % near a mode"
    assert ax.collections[0].get_offsets().min() == 1
    drawn[2][0, 1] = -9.0
    update(2)
    assert ax.get_title(loc="left").endswith("near a mode, 33 % outside the frame")
