"""Sliders without a kernel: every position of a figure, recorded as SVG.

``python -m tools.frames record [NN …]`` runs notebooks once and writes
``build/frames/<notebook>/<cell>.js`` and ``frames.json``; ``page.figure`` is the HTML
that ``player.js`` brings to life. To be read in this order: ``recorder`` (what a frame
is), ``renderer``, ``markup``, ``dots``, ``pixels`` (an artist as a short piece of SVG),
``grid`` (which positions), ``kernel`` and ``__main__`` (the notebooks), ``sources``
(when frames are stale), ``page``, ``compare`` (with matplotlib's pixels, in a browser).
"""

from tools import ROOT

FRAMES = ROOT / "build" / "frames"
CHECKS = ROOT / "build" / "frames_checks"  # matplotlib's pixels at a few positions


def name_of(stem: str, cell: str) -> str:
    """What a figure is called on all pages, as in ``02-bumps-slider``."""
    return f"{stem[:2]}-{cell}"
