"""Recorded figures in Chromium: what they show, how they move, what a reader can do.

The figures of notebooks 01 to 03 at random positions, against matplotlib's own pixels.
Needs Chromium and playwright, as the other test of this folder; `-s` shows the times.
"""

import json
import random
import re

import matplotlib
import pytest
from matplotlib import pyplot as plt

from course_utils.interactive import LiveFigure, explore, play
from tests.performing import run_source, torch_left_alone
from tools import code_cells, load, notebook_paths, tags
from tools.frames import compare, grid, kernel, page, sources
from tools.paths import bound, needed

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.skipif(
    not compare.chromium(), reason="there is no Chromium here"
)

SLOWEST = 60_000  # milliseconds that a busy machine may take before something is wrong
FAR = 0.3  # per cent of blocks of 10 x 10 pixels
LIMIT_MS = 250  # the target is 25, on a machine that does nothing else
FIRST = notebook_paths(["01", "02", "03"])


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Frames go to a folder of their own."""
    for module in (kernel, page, compare):
        monkeypatch.setattr(module, "FRAMES", tmp_path / "frames")
    for module in (kernel, compare):
        monkeypatch.setattr(module, "CHECKS", tmp_path / "checks")
    return tmp_path


def a_few(controls):
    """The controls with few positions beside the start, drawn at random."""
    chance = random.Random(0)
    for control in controls:
        count = len(control.values)
        wanted = min(1 if len(controls) > 1 else 3, count)
        yield control.only(chance.sample(range(count), wanted))


def cells_for(path):
    """The code cells of a notebook that its moving figures need, and these."""
    wanted, kept = set(), []
    for cell in reversed(code_cells(load(path))):
        moves = cell.metadata["name"] in sources.widgets_of(path.stem)
        if moves or "setup" in tags(cell) or bound(cell.source) & wanted:
            wanted = (wanted - bound(cell.source)) | needed(cell.source)
            kept.insert(0, cell)
    return kept


def live_figures(path):
    """(cell, figure) of all moving figures of a notebook; runs what they need."""
    namespace, last = {"__name__": "__main__"}, []
    keep = LiveFigure.__init__

    def remember(self, *arguments, **options):
        keep(self, *arguments, **options)
        if type(self) is LiveFigure:
            last.append(self)

    with pytest.MonkeyPatch.context() as patch, torch_left_alone():
        patch.setattr(LiveFigure, "__init__", remember)
        for cell in cells_for(path):
            name = cell.metadata["name"]
            run_source(cell.source, namespace, f"<{path.stem}: {name}>")
            plt.close("all")
            if last:
                yield name, last.pop()


def record(stem, figures, capsys):
    """Frames of (cell, live figure) pairs; the manifest is written."""
    entries = {}
    for cell, live in figures:
        kernel.record(live, stem, cell)
        entries[cell] = json.loads(capsys.readouterr().out.splitlines()[-1])
        entries[cell]["hash"] = sources.fingerprint(stem, cell)
        live.close_all()
    page.write_manifest(stem, entries)


@pytest.mark.parametrize("path", FIRST, ids=lambda path: path.stem)
def test_frames_look_as_matplotlib_draws_them(path, shelf, monkeypatch, capsys):
    def few_of(name, built):
        return [*a_few(grid.controls_of(name, built))]

    monkeypatch.setattr(kernel, "controls_of", few_of)
    monkeypatch.setattr(compare, "MOVES", 4)
    with matplotlib.rc_context():
        record(path.stem, live_figures(path), capsys)
    found = [*compare.compared(path.stem)]
    with capsys.disabled():
        print("", *found, sep="\n")
    assert len(found) == len(sources.widgets_of(path.stem))
    assert max(figure.far for figure in found) <= FAR
    assert max(figure.wait for figure in found) <= LIMIT_MS


def draw_pair(axes, mu):
    (line,) = axes[0].plot([0, 1], [0, mu])
    axes[1].bar([0], [1], hatch="//")

    def update(mu):
        line.set_ydata([0, mu])
        axes[0].set_title(f"μ = {mu:g}")

    update(mu)
    return update


@pytest.fixture
def tab(shelf, capsys):
    """A page with a figure of two panels (in the place of one of 01) and a film."""
    stem, pair = FIRST[0].stem, explore(draw_pair, panels=2, mu=(0.0, 1.0, 0.05, 0.5))
    film = play([*range(12)], lambda ax, n: ax.set_title(f"step {n}") and None)
    record(stem, [("surface", pair), ("kl-slider", film)], capsys)
    with compare.browser() as program:
        expect.set_options(timeout=SLOWEST)
        tab = program.new_page(viewport={"width": 1000, "height": 800})
        errors = []
        tab.on("console", lambda message: errors.append(message.text))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(compare.bare_page(stem, ["surface", "kl-slider"], shelf).as_uri())
        for cell in ("surface", "kl-slider"):
            compare.wake(tab, f"01-{cell}")
        yield tab
        assert not errors


def test_a_wrong_frame_is_noticed(tab, shelf):
    stem, figure = FIRST[0].stem, tab.locator("[data-frames='01-surface']")
    entry = page.manifest(stem)["surface"]
    for path in (shelf / "checks" / stem).glob("surface.*.png"):
        k = int(path.suffixes[0][1:])
        assert compare.share_far(tab, figure, entry, k, path) <= FAR
        assert compare.share_far(tab, figure, entry, (k + 5) % 21, path) > FAR


def test_a_reader_moves_a_slider_by_keys_and_hears_the_numbers(tab):
    figure = tab.locator("[data-frames='01-surface']")
    slider, picture = figure.locator("input"), figure.locator("svg")
    alt, start = picture.get_attribute("aria-label"), slider.input_value()
    assert alt and start != "20"
    slider.focus()
    for key, number in [("Home", "0.00"), ("ArrowRight", "0.05"), ("End", "1.00")]:
        tab.keyboard.press(key)
        expect(slider).to_have_attribute(
            "aria-valuetext", re.compile(rf"{number}\. .*μ = {float(number):g}\b")
        )
        said = slider.get_attribute("aria-valuetext").partition(". ")[2]
        expect(picture).to_have_attribute("aria-label", said)
        expect(figure.locator("output")).to_have_text(number)
    figure.get_by_role("button", name="Reset").click()
    expect(slider).to_have_value(start)
    expect(picture).to_have_attribute("aria-label", alt)


def test_a_film_plays_to_its_end_and_steps_where_motion_is_unwelcome(tab):
    figure = tab.locator("[data-frames='01-kl-slider']")
    film, button = figure.locator("input"), figure.locator("button.play")
    tab.emulate_media(reduced_motion="reduce")
    expect(button).to_have_text("Next")
    button.click()
    expect(film).to_have_value("0")  # it stood at its end
    button.click()
    button.click()
    tab.wait_for_timeout(700)
    expect(film).to_have_value("2")  # two presses, two steps: nothing plays
    tab.emulate_media(reduced_motion="no-preference")
    expect(button).to_have_text("Play")
    button.click()
    expect(button).to_have_text("Pause")
    expect(film).to_have_value("11")  # it plays to its end, and then it waits
    expect(button).to_have_text("Play")
