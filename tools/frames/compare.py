"""Frames in Chromium beside matplotlib's own pixels, and the time of a move.

Needs playwright and Chromium (``CHROMIUM=program`` if it is not on the PATH).
"""

import contextlib
import io
import os
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tools import NotebookError
from tools.frames import CHECKS, FRAMES, name_of, page

BLOCK, FAR = 10, 40  # pixels; of 255, between the mean colours of a block
MOVES = 12
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
ARGUMENTS += ["--force-color-profile=srgb", "--disable-background-networking"]
READY = "name => document.querySelector(`[data-frames='${name}'].ready`)"
# alone above the page, as large as in the notebook
ALONE = """(figure, [width, height]) => {
  const svg = figure.querySelector('svg');
  svg.style.cssText = `width:${width}px;height:${height}px;max-width:none;` +
    'position:fixed;left:0;top:0;z-index:9;background:#fff';
}"""
GO = """(figure, places) => {
  const inputs = [...figure.querySelectorAll('input, select')];
  places.forEach((place, i) => inputs[i].type === 'checkbox'
    ? inputs[i].checked = place === 1 : inputs[i].value = place);
  inputs[0].dispatchEvent(new Event('input'));
}"""
SETTLED = """async figure => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const images = [...figure.querySelectorAll('svg image')];
  await Promise.all(images.map(image => image.decode()));
  await frame();
}"""
LISTEN = """figure => {
  window.moves = [];
  figure.querySelectorAll('input').forEach(input =>
    input.addEventListener('keydown', event =>
      requestAnimationFrame(() => requestAnimationFrame(() =>
        window.moves.push(performance.now() - event.timeStamp)))));
}"""


def chromium() -> str | None:
    """The browser's program, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = filter(None, map(shutil.which, names))
    return os.environ.get("CHROMIUM") or next(found, None)


@contextlib.contextmanager
def browser() -> Iterator:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        program = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield program
        program.close()


def bare_page(stem: str, cells: list[str], folder: Path) -> Path:
    """A page with these figures and nothing else, in ``folder`` beside ``frames/``."""
    figures = (
        page.figure(stem, cell, page.start_of(stem, cell), f"the figure {cell}")
        for cell in cells
    )
    script, style = (path.as_uri() for path in page.ASSETS)
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>figures</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{style}"><main>{"".join(figures)}</main>'
        f'<script src="{script}"></script></html>'
    )
    path = folder / f"{stem}.html"
    path.write_text(text, encoding="utf-8")
    return path


class Found(NamedTuple):
    """``far``: per cent of blocks that differ, in the worst of the positions that were
    kept; ``wait``: milliseconds from a key to the second animation frame after it."""

    figure: str
    far: float
    wait: float

    def __str__(self):
        return f"{self.figure}: {self.far:.2f} % of blocks differ, {self.wait:.0f} ms"


def compared(stem: str) -> Iterator[Found]:
    """What a browser shows of the recorded figures of a notebook.

    ``NotebookError`` if the frames of one are stale.
    """
    entries = page.manifest(stem)
    if reasons := [*filter(None, (page.stale(stem, cell) for cell in entries))]:
        raise NotebookError("; ".join(reasons))
    place = bare_page(stem, [*entries], FRAMES.parent)
    with browser() as program:
        tab = program.new_page(viewport={"width": 1400, "height": 900})
        tab.goto(place.as_uri())
        for cell, entry in entries.items():
            name = name_of(stem, cell)
            figure = wake(tab, name)
            wait = latency(tab, figure)
            pictures = sorted((CHECKS / stem).glob(f"{cell}.*.png"))
            far = [
                share_far(tab, figure, entry, int(path.suffixes[0][1:]), path)
                for path in pictures
            ]
            yield Found(name, max(far), wait)
    place.unlink()


def wake(tab, name: str):
    """The figure of this name, when its frames are there."""
    figure = tab.locator(f"[data-frames='{name}']")
    figure.scroll_into_view_if_needed()
    tab.wait_for_function(READY, arg=name, timeout=60_000)
    return figure


def share_far(tab, figure, entry: dict, k: int, expected: Path) -> float:
    """Per cent of blocks in which frame k is far from the picture in a file."""
    size = entry["width"], entry["height"]
    figure.evaluate(ALONE, size)
    counts = [len(control["labels"]) for control in entry["controls"]]
    places = [int(place) for place in np.unravel_index(k, counts)]
    moving = [p for p, count in zip(places, counts, strict=True) if count > 1]
    figure.evaluate(GO, moving)
    figure.evaluate(SETTLED)
    shot = tab.screenshot(clip={"x": 0, "y": 0, "width": size[0], "height": size[1]})
    figure.evaluate("figure => { figure.querySelector('svg').style.cssText = '' }")
    ours, theirs = (_blocks(file) for file in (io.BytesIO(shot), expected))
    return 100 * float((abs(ours - theirs).max(-1) > FAR).mean())


def _blocks(file) -> np.ndarray:
    """Mean colours of blocks of a picture."""
    pixels = np.asarray(Image.open(file).convert("RGB"), float)
    rows, columns = (n // BLOCK for n in pixels.shape[:2])
    cut = pixels[: BLOCK * rows, : BLOCK * columns]
    return cut.reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3))


def latency(tab, figure) -> float:
    """Milliseconds from a key to the second animation frame after it; the median."""
    slider = figure.locator("input[type=range]").last
    figure.evaluate(LISTEN)
    slider.focus()
    most, now = int(slider.get_attribute("max")), int(slider.input_value())
    steps = min(most, MOVES)
    keys = ["ArrowRight", "ArrowLeft"][:: 1 if now < most / 2 else -1]
    for key in [keys[0]] * steps + [keys[1]] * steps:
        tab.keyboard.press(key)
        tab.wait_for_timeout(60)
    return statistics.median(tab.evaluate("window.moves"))
