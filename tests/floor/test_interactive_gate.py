"""Sliders and films refuse what can't be drawn, and leave no widget behind."""

import math

import ipywidgets as widgets
import numpy as np
import pytest

from course_utils.interactive import explore, play, watch
from tests.hostile import refuses

OPEN = widgets.widgets.widget._instances
CONTROL = (0.0, 5.0, 1.0, 1.0)
SIZES = [5, "ab", (1.0,), (1.0, 2.0, 3.0), (math.nan, 2.0), (-3.0, 2.0), (None, 2.0)]
SIZES += [(3.0, math.inf), (1j, 2.0), {1: 2, 3: 4}, np.array([3.0, 2.0])]


def nothing(*_, **__):
    """Draws nothing."""


@pytest.mark.parametrize("draw", [None, "draw", 5, [nothing]])
def test_draw_is_a_function(draw):
    before = len(OPEN)
    refuses(lambda: play([1, 2], draw), "draw must be a function")
    refuses(lambda: list(watch([1, 2], draw)), "draw must be a function")
    assert len(OPEN) == before
    refuses(lambda: explore(draw, h=CONTROL), "draw must be a function")


@pytest.mark.parametrize("size", SIZES)
def test_a_size_is_two_positive_numbers(size):
    refuses(lambda: explore(nothing, figsize=size, h=CONTROL), "figsize")
    refuses(lambda: play([1], nothing, figsize=size), "figsize")
    refuses(lambda: list(watch([1], nothing, size)), "figsize")


@pytest.mark.parametrize("bad", [None, "x", -1, math.nan, math.inf, True, 1j])
def test_a_time_between_pictures_is_not_negative(bad):
    refuses(lambda: list(watch([1], nothing, milliseconds=bad)), "milliseconds must")
