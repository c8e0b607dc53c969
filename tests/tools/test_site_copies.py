"""The copies of the notebooks for the website, and the links of their code."""

import base64
import io
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools import NotebookError, code_cells, load, tags
from tools.site import copies, links

ALT = 'A line that rises, "steeply".'


def png(width, height):
    """A picture as a notebook holds it."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


PNG = png(4, 2)


def picture_cell(name="figure", alt=ALT, **size):
    data = {"image/png": PNG, "text/plain": "<Figure>"}
    output = new_output("display_data", data, metadata={"image/png": size})
    metadata = {"name": name, "tags": ["core"], "alt": alt}
    return new_code_cell("plt.show()", id=name, metadata=metadata, outputs=[output])


def notebook_of(*cells):
    title = new_markdown_cell("# 02 · Groups\n\nA question?", id="title")
    title.metadata = {"name": "title", "tags": ["S01", "S68b", "core"]}
    return new_notebook(cells=[title, *cells])


def nothing_moves(*_):
    return None


def test_the_note_stands_below_the_title_and_claims_are_gone(tmp_path):
    setup = new_code_cell("a = 1", metadata={"name": "setup", "tags": ["setup"]})
    notebook = notebook_of(setup)
    copies.prepare(notebook, "02_gmm_em", tmp_path, nothing_moves)
    first, second = notebook.cells
    lines = first.source.splitlines()
    assert lines[0] == "# 02 · Groups" and lines[-1] == "A question?"
    assert "recorded run" in lines[2] and "course.py lab 02" in first.source
    assert "move" not in first.source
    assert tags(first) == ["core"] and tags(second) == ["setup", "hide-input"]


def test_a_picture_becomes_a_file_with_its_words(tmp_path):
    notebook = notebook_of(picture_cell(width=2))
    copies.prepare(notebook, "02_gmm_em", tmp_path / "new", nothing_moves)
    given = io.BytesIO(base64.b64decode(PNG))
    with (
        Image.open(tmp_path / "new" / "figure.webp") as ours,
        Image.open(given) as theirs,
    ):
        assert ours.convert("RGB").tobytes() == theirs.convert("RGB").tobytes()
    (output,) = notebook.cells[1].outputs
    assert list(output.data) == ["text/html"]
    page = output.data["text/html"]
    assert 'src="_static/pictures/02_gmm_em/figure.webp"' in page
    assert 'width="2" height="1"' in page  # half of its pixels: sharp on a fine screen
    assert 'alt="A line that rises, &quot;steeply&quot;."' in page


def test_a_figure_that_moves_takes_the_place_of_its_picture(tmp_path):
    asked = []

    def moving(*arguments):
        asked.append(arguments)
        return "<figure data-frames=x>"

    notebook = notebook_of(picture_cell())
    copies.prepare(notebook, "02_gmm_em", tmp_path, moving)
    address = "_static/pictures/02_gmm_em/figure.webp"
    assert asked == [("02_gmm_em", "figure", address, ALT)]
    assert notebook.cells[1].outputs[0].data["text/html"] == "<figure data-frames=x>"
    assert copies.MOVING in notebook.cells[0].source


def test_a_picture_without_words_is_refused(tmp_path):
    with pytest.raises(NotebookError, match=r"02_gmm_em, cell figure: .*without alt"):
        copies.prepare(notebook_of(picture_cell(alt="")), "02_gmm_em", tmp_path, print)


def test_the_output_of_a_check_gives_no_hint_away(notebook):
    for cell in code_cells(notebook):
        if "check" in tags(cell):
            text = "".join(output.get("text", "") for output in cell.outputs)
            silent = r"(○ .*: not attempted yet\. For a hint, add hint=True .*\.\n)+"
            assert re.fullmatch(silent, text), cell.id


# --- links ---------------------------------------------------------------------------

PLACES = {
    "course_utils.mixture.em.em": "api/mixture.html#em",
    "course_utils.mixture.em": "api/mixture.html#module",
    "course_utils.verification.verify": "api/floor.html#verify",
}
CELL = '<div class="cell_input docutils"><pre>{}</pre></div>'
DOT = '<span class="o">.</span>'


def named(*names):
    return DOT.join(f'<span class="n">{name}</span>' for name in names)


def linked(address, *names):
    return f'<a class="to-source" href="{address}">{named(*names)}</a>'


def notebook_with(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def test_names_lead_to_where_they_are_defined():
    source = (
        "from course_utils import mixture as package\n"
        "from course_utils.mixture import em as fit\n"
        "from course_utils.verification import verify\n"
    )
    code = " ".join(
        [
            named("package", "em", "other"),  # the longest part that has a place
            named("fit"),
            named("verify"),
            named("x", "verify"),  # of something else
            named("torch", "em"),
            '<span class="nn">course_utils.mixture.em</span>',
        ]
    )
    page = links.link(CELL.format(code), notebook_with(source), PLACES)
    em, verify = "api/mixture.html#em", "api/floor.html#verify"
    module = '<span class="nn">course_utils.mixture.em</span>'
    assert page == CELL.format(
        " ".join(
            [
                linked(em, "package", "em") + DOT + named("other"),
                linked(em, "fit"),
                linked(verify, "verify"),
                named("x", "verify"),
                named("torch", "em"),
                f'<a class="to-source" href="api/mixture.html#module">{module}</a>',
            ]
        )
    )


def test_what_a_cell_defines_is_the_readers_own():
    first = "from course_utils.mixture import em\nfrom torch import nn"
    notebook = notebook_with(first, "def em(x):\n    return x", "em(1)")
    assert list(links.known_names(notebook)) == [
        {"em": "course_utils.mixture.em"},
        {},
        {},
    ]
    again = notebook_with(first, "em = 3")
    assert list(links.known_names(again))[1] == {}


def test_a_page_that_lost_a_cell_is_refused():
    with pytest.raises(ValueError, match="every cell"):
        links.link(CELL.format(""), notebook_with("a", "b"), PLACES)


def test_true_names():
    assert links.true_name("course_utils.mixture.em") == "course_utils.mixture.em.em"
    assert links.true_name("course_utils.gan.theory") == "course_utils.gan.theory"
    assert links.true_name("course_utils.mixture.none") is None


def test_every_import_from_the_package_is_known(notebook_path):
    imported = next(links.known_names(load(notebook_path))).values()
    named = [name for name in imported if not name.rpartition(".")[2].isupper()]
    assert len(named) > 9 and all(map(links.true_name, named)), named
