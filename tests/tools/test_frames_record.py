"""From a figure with controls to a script of frames, and to the HTML of a page."""

import json
import re
import zlib

import ipywidgets as widgets
import pytest

from course_utils.interactive import explore, play
from tools import NotebookError, load
from tools.frames import __main__ as command
from tools.frames import grid, kernel, name_of, page, sources

STEM = "01_mle_gaussian"


def draw_line(ax, mu=0.0, sigma=1.0):
    (line,) = ax.plot([0, 1], [0, 1])
    ax.set(xlim=(0, 1), ylim=(0, 3))

    def update(mu, sigma):
        line.set_ydata([mu, sigma])
        ax.set_title(f"μ = {mu:g}")

    update(mu, sigma)
    return update


def unpacked(script):
    pattern = r'courseFrames\("(.*)",(\d+),"(.*)"\)\n'
    name, size, letters = re.fullmatch(pattern, script).groups()
    bits = "".join(f"{ord(letter) - kernel.FIRST:015b}" for letter in letters)
    size = int(size)
    assert len(bits) - 15 < 8 * size <= len(bits)
    packed = int(bits[: 8 * size], 2).to_bytes(size, "big")
    return name, json.loads(zlib.decompress(packed))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Frames go to a folder of their own."""
    for module in (kernel, page):
        monkeypatch.setattr(module, "FRAMES", tmp_path / "frames")
    monkeypatch.setattr(kernel, "CHECKS", tmp_path / "checks")
    return tmp_path


@pytest.fixture
def line():
    sliders = {"mu": (0.0, 1.0, 0.5, 0.5), "sigma": (1, 3, 1, 2)}
    figure = explore(draw_line, **sliders)
    yield figure
    figure.close_all()


def test_a_script_holds_every_position_and_the_start(line, shelf, capsys):
    kernel.record(line, STEM, "line")
    entry = json.loads(capsys.readouterr().out)
    name, data = unpacked((shelf / "frames" / STEM / "line.js").read_text("utf-16"))
    assert name == "01-line"
    assert entry["frames"] == len(data["rows"]) == len(data["titles"]) == 9
    assert [control["label"] for control in data["controls"]] == ["μ", "σ"]
    assert data["controls"][0] == {
        "kind": "range",
        "label": "μ",
        "labels": ["0.0", "0.5", "1.0"],
        "start": 1,
    }
    assert data["titles"][3] == "μ = 0.5"
    assert len(list((shelf / "checks" / STEM).glob("line.*.png"))) == kernel.CHECKED


def test_a_film_knows_its_interval_and_a_drawing_without_update_is_recorded(
    course_style,
):
    film = play([3, 5], lambda ax, state: ax.set_title(state) and None, milliseconds=70)
    data, checks = kernel.frames_of(film, grid.controls_of("x", film.controls), "x")
    assert data["interval"] == 70 and data["titles"] == ["3", "5"]
    assert data["controls"][0]["kind"] == "play" and len(checks) == 2
    film.close_all()


def test_an_artist_that_changes_unnoticed_is_refused():
    def draw(ax, mu):
        (line,) = ax.plot([0, 1], [0, 1])

        def update(mu):
            line.set_ydata([mu, 1])
            line.stale = False

        return update

    figure = explore(draw, mu=(0, 5, 1, 0))
    controls = grid.controls_of("x", figure.controls)
    with pytest.raises(NotebookError, match="changed unnoticed"):
        kernel.frames_of(figure, controls, "x")
    figure.close_all()


# --- positions -----------------------------------------------------------------------


def controls_of(cell, **built):
    return grid.controls_of(cell, built)


def slider(low, high, step, start, kind=widgets.FloatSlider):
    shown = {"readout_format": ".2f"} if kind is widgets.FloatSlider else {}
    return kind(start, min=low, max=high, step=step, description="σ", **shown)


def test_the_table_names_values_and_the_ends_and_the_start_are_there(monkeypatch):
    monkeypatch.setitem(grid.TABLE, "x", {"a": 0.5, "b": [0.4]})
    built = {"a": slider(-0.6, 2, 0.1, 0.3), "b": slider(0, 1, 0.1, 0.4)}
    a, b = controls_of("x", **built)
    assert a.values == pytest.approx((-0.6, -0.5, 0, 0.3, 0.5, 1, 1.5, 2))
    assert a.labels[a.start] == "0.30" and b.values == (0.4,)
    frames = grid.combinations([a, b])
    assert len(frames) == 8 and frames[1] == pytest.approx({"a": -0.5, "b": 0.4})


def test_a_value_that_is_no_position_is_refused(monkeypatch):
    monkeypatch.setitem(grid.TABLE, "x", {"a": [0.25, 0.5]})
    with pytest.raises(NotebookError, match=r"x\.a: not all"):
        controls_of("x", a=slider(0, 1, 0.1, 0))


def test_many_positions_need_a_line_in_the_table():
    lone = {"a": slider(0, 9, 0.005, 0)}
    assert len(controls_of("x", **lone)[0].values) == 1801
    with pytest.raises(NotebookError, match="3602 positions"):
        controls_of("x", **lone, b=slider(0, 1, 1, 0, widgets.IntSlider))


def test_menus_boxes_and_lists_of_values_keep_what_they_show():
    menu = widgets.Dropdown(options=["thin", ""], description="ink")
    box = widgets.Checkbox(True, description="grid")
    wide = widgets.SelectionSlider(options=[0.1, 30.0], value=30.0, description="σ")
    controls = controls_of("x", menu=menu, box=box, wide=wide)
    assert [c.kind for c in controls] == ["menu", "box", "range"]
    assert [c.start for c in controls] == [0, 1, 1]
    assert controls[0].labels == ("thin", "any") and controls[0].values == ("thin", "")
    with pytest.raises(NotebookError, match="no frames for a Text"):
        controls_of("x", words=widgets.Text("a thin seven"))


def test_the_table_names_figures_and_controls_that_there_are():
    found = {}
    for path in command.notebook_paths():
        for cell, source in sources.widgets_of(path.stem).items():
            names = re.findall(r"^    (\w+)=", source, re.MULTILINE)
            found[name_of(path.stem, cell)] = set(names)
    for figure, controls in grid.TABLE.items():
        assert controls.keys() <= found[figure], figure
    assert grid.QUALITY.keys() <= found.keys()
    cells = {figure[3:] for figure in found}
    assert {*grid.INSTEAD, *grid.INSTEAD.values()} <= cells


# --- pages ---------------------------------------------------------------------------


@pytest.fixture
def recorded(shelf):
    """A manifest with one figure, ``surface``, and its script."""
    entry = {"hash": sources.fingerprint(STEM, "surface"), "width": 960, "height": 380}
    page.write_manifest(STEM, {"surface": entry})
    (shelf / "frames" / STEM / "surface.js").write_text("")
    return entry


def test_a_recorded_figure_names_its_script_and_shows_its_picture(recorded):
    assert page.stale(STEM, "surface") == ""
    text = page.figure(STEM, "surface", "a.png", 'a "map" & a dot')
    assert 'data-frames="01-surface"' in text
    assert f'data-src="frames/{STEM}/surface.js"' in text
    assert 'alt="a &quot;map&quot; &amp; a dot" width="960" height="380"' in text
    assert "<noscript>" in text


def test_missing_and_stale_frames_leave_the_picture(recorded, monkeypatch):
    assert page.stale(STEM, "kl-slider").endswith("kl-slider: not recorded")
    assert "data-" not in page.figure(STEM, "kl-slider", "a.png", "a bar")
    monkeypatch.setitem(grid.TABLE, "01-surface", {"mu": 0.01})
    assert "recorded before" in page.stale(STEM, "surface")
    text = page.figure(STEM, "surface", "a.png", "a map")
    assert "data-" not in text and 'alt="a map"' in text


def test_a_line_to_type_in_points_to_the_menus():
    text = page.figure("07_pictures_and_words", "phrase-box", "a.png", "digits")
    assert "menus below" in text and "data-" not in text


def test_a_manifest_without_a_figure_removes_its_script(recorded, shelf):
    page.write_manifest(STEM, {})
    assert not list((shelf / "frames" / STEM).glob("*.js"))


def test_the_hash_changes_with_code_and_not_with_words(tmp_path):
    def number(text):
        path = tmp_path / "x.py"
        path.write_text(text, "utf-8")
        sources._code.cache_clear()
        return sources._code(path)

    code = 'def f(x):\n    """Double."""\n    return 2 * x\n'
    other = 'def f(x):\n    """Twice, in other words."""\n    # so\n    return 2 * x\n'
    assert number(code) == number(other) != number(code.replace("2", "3"))


def test_drawing_code_is_that_of_the_rooms_pictures_and_of_the_recorder():
    names = {path.name for path in sources.drawing_files(STEM)}
    assert {"pictures.py", "interactive.py", "course.mplstyle", "recorder.py"} <= names
    assert "model.py" not in names and "player.js" not in names


# --- the copy of the notebook that is run --------------------------------------------


def test_a_recording_follows_its_cell_and_the_copy_ends_with_the_last(notebook_path):
    stem, notebook = notebook_path.stem, load(notebook_path)
    names = [name for name in sources.widgets_of(stem) if name not in grid.INSTEAD]
    copy = command.with_recordings(notebook, stem, set(names))
    labels = [cell.metadata["name"] for cell in copy.cells]
    assert labels[-1] == f"{names[-1]}-frames"
    for name in names:
        assert labels[labels.index(name) + 1] == f"{name}-frames"
    own = [label for label in labels[1:] if not label.endswith(command.OURS)]
    assert own == [cell.metadata["name"] for cell in notebook.cells][: len(own)]


def test_a_picture_that_differs_is_measured():
    picture = sources.committed_picture(STEM, "surface")
    other = sources.committed_picture(STEM, "kl-slider")
    assert command.differs(picture, picture) == 0 < command.differs(picture, other)
