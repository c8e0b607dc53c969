"""The tools of the authors: normalise, execute, text round trip, slide map."""

import base64
import io

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import tools
from tools import NotebookError, load, notebook_paths, notebooks, slide_map
from tools.normalise import WIDGET_VIEW, clean, dumps

BAR = " 30%|███       | 3/10 [00:01<00:02,  2.85it/s, loss=1.2]"
TEXT = """# %% [markdown] name="opening" tags=["S18"]
# # Số đo
#
# Text with $x$.

# %% name="answer" tags=["live"]
x = 42
x

# %% name="broken"
1 / (x - 42 + {guard})
"""


def cell(source="1", name="a-cell", outputs=(), **metadata):
    metadata |= {"name": name} if name else {}
    outputs = list(outputs)
    return new_code_cell(source, metadata=metadata, outputs=outputs, execution_count=7)


def cleaned(*outputs):
    return clean(new_notebook(cells=[cell(outputs=outputs)])).cells[0].outputs


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_clean_keeps_names_and_tags_and_counts_from_one():
    cells = [
        new_markdown_cell("\n# Tie\u0302ng", metadata={"name": "top", "tags": []}),
        cell(name="first", tags=["live"], execution={"shell": "2026"}, collapsed=True),
        cell(name="second"),
    ]
    before = new_notebook(cells=cells, metadata={"widgets": {}, "colab": {}})
    after = clean(before)
    assert [c.id for c in after.cells] == ["top", "first", "second"]
    assert after.cells[0].source == "# Tiêng"
    assert after.cells[0].metadata == {"name": "top"}
    assert after.cells[1].metadata == {"name": "first", "tags": ["live"]}
    assert [c.execution_count for c in after.cells[1:]] == [1, 2]
    assert set(after.metadata) == {"kernelspec", "language_info"}
    assert after.metadata.kernelspec.name == "python3"
    assert clean(after) == after
    assert dumps(after).endswith("}\n") and "Tiêng" in dumps(after)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


def test_clean_shows_the_picture_instead_of_the_widget():
    across = np.linspace(0, 255, 300).astype(np.uint8)
    pixels = np.stack(np.broadcast_arrays(across, across[:, None], 255), -1)
    pixels = pixels.astype(np.uint8)
    data = {WIDGET_VIEW: {}, "image/png": png(pixels) + "\n", "text/plain": "Fig"}
    outputs = cleaned(new_output("execute_result", data=data, execution_count=7))
    (output,) = outputs
    assert set(output.data) == {"image/png", "text/plain"}
    assert output.execution_count == 1
    kept = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert kept.mode == "P"
    error = np.abs(np.asarray(kept.convert("RGB"), int) - pixels)
    assert error.max() <= 20, "256 colours must look like all of them"
    assert cleaned(*outputs) == outputs, "a second cleaning changes nothing"


@pytest.mark.parametrize("bar", [BAR, "loss: " + BAR, "12it [00:03,  4.00it/s]"])
def test_clean_drops_progress_bars(bar):
    widget = new_output("display_data", data={"text/plain": bar, WIDGET_VIEW: {}})
    text = stream(f"\r{bar}\r{bar}\n", name="stderr")
    assert cleaned(widget, text) == []
    (warning,) = cleaned(stream(f"\r{bar}\nBeware!\n", name="stderr"))
    assert warning.text == "Beware!\n"


def test_clean_keeps_percentages_that_are_no_bars():
    (output,) = cleaned(stream("accuracy 97% | loss [0.1]\n"))
    assert output.text == "accuracy 97% | loss [0.1]\n"


def test_clean_merges_streams_and_hides_addresses():
    first = stream("<f at 0x7f00aa>\n")
    (output,) = cleaned(first, stream("/tmp/ipykernel_12/345.py:1: no\n"))
    assert output.text == "<f at 0x0>\n<cell>:1: no\n"


@pytest.mark.parametrize("name", [None, "Title", "a b", "1st"])
def test_clean_wants_names_in_words(name):
    with pytest.raises(NotebookError, match="every cell needs a name"):
        clean(new_notebook(cells=[cell(name=name)]))


def test_clean_wants_each_name_once():
    with pytest.raises(NotebookError, match="two cells are called same"):
        clean(new_notebook(cells=[cell(name="same"), cell(name="same")]))


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """The tools with folders of their own."""
    for name in ("notebooks", "build"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(notebooks, "BUILD", tmp_path / "build")
    monkeypatch.setattr(slide_map, "TARGET", tmp_path / "slide_map.md")
    monkeypatch.setattr(slide_map, "render", lambda: "map\n")
    return tmp_path


def test_text_becomes_a_notebook_and_text_again(workshop, capsys):
    source, path = workshop / "build" / "01_a.py", workshop / "notebooks" / "01_a.ipynb"
    source.write_text(TEXT.format(guard=1), encoding="utf-8")
    assert notebooks.main(["build", "01"]) == 0
    built, written = load(path), path.read_bytes()
    assert [cell.id for cell in built.cells] == ["opening", "answer", "broken"]
    assert built.cells[1].outputs[0].data["text/plain"] == "42"
    assert notebooks.to_text(built) == TEXT.format(guard=1)
    assert (workshop / "slide_map.md").read_text() == "map\n"

    source.write_text(TEXT.format(guard=0), encoding="utf-8")
    assert notebooks.main(["build", "01"]) == 1
    message = capsys.readouterr().err
    assert "01_a, cell broken: ZeroDivisionError" in message
    assert "1 / (x - 42 + 0)" in message
    assert path.read_bytes() == written, "a notebook that fails must not be written"

    source.write_text(TEXT.format(guard=2), encoding="utf-8")
    assert notebooks.main(["build", "01", "--no-run"]) == 0
    answer, broken = load(path).cells[1:]
    assert answer.outputs and answer.execution_count == 1
    assert not broken.outputs and broken.execution_count is None


def test_commands_speak_plainly(workshop, capsys):
    path = workshop / "notebooks" / "01_a.ipynb"
    nbformat.write(new_notebook(cells=[cell(collapsed=True)]), path)
    for arguments in (["build"], ["build", "07"]):
        assert notebooks.main(arguments) == 1
        assert "no text in build/" in capsys.readouterr().err
    with pytest.raises(NotebookError, match=r"no notebook is called '09'.*01_a"):
        notebook_paths(["09"], path.parent)
    assert notebook_paths(["01"], path.parent) == [path]


def test_a_readers_copy_is_no_notebook_of_the_course(tmp_path):
    names = ["01_a", "my_01", "01_a-Copy1", "01_a_copy", "01_a (1)", "Untitled", "02_b"]
    for name in names:
        (tmp_path / f"{name}.ipynb").touch()
    assert [path.stem for path in notebook_paths((), tmp_path)] == ["01_a", "02_b"]


def test_of_the_folder_of_the_course_seven_names_are_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "NOTEBOOKS", tmp_path)
    for name in [*tools.NAMES, "01_a", "04_vae_again", "08_mine", "02_gmm_em_2"]:
        (tmp_path / f"{name}.ipynb").touch()
    found = [path.stem for path in notebook_paths((), tmp_path)]
    assert found == list(tools.NAMES)


def test_slide_map_names_sections_and_gaps(tmp_path):
    claims = tmp_path / "claims.csv"
    rows = ["S01,P,start,README,idea", "S02,P,a|b*,01,run", "S03,P,c,01 and 02,run"]
    claims.write_text("id,part,claim,notebook,kind\n" + "\n".join(rows), "utf-8")
    cells = [
        new_markdown_cell("# Title\n\n## Why $|x|$", metadata={"name": "a"}),
        new_markdown_cell("words", metadata={"name": "b", "tags": ["S02"]}),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    page = slide_map.render(tmp_path, claims).splitlines()
    link = "[01_a](../notebooks/01_a.ipynb)"
    assert page[-4:] == [
        "| S01 | start | idea | [README](../README.md) | the opening |",
        rf"| S02 | a\|b\* | run | {link} | Why $\mid x\mid $ |",
        f"| S03 | c | run | {link} | not covered |",
        "| S03 | c | run | 02 | to come in 02 |",
    ]
