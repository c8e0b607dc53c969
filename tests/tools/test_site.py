"""The pages of the website beside the notebooks, and its formulas; no page is made."""

import asyncio
import importlib.util
import re

import pytest

from tools import ROOT, notebook_paths

if not importlib.util.find_spec("sphinx"):
    pytest.skip("needs `python course.py setup site`", allow_module_level=True)
from tools.site import api, build, formulas, texts

MARKED = "<h1>t</h1><tex-inline>a</tex-inline><article>{}</article>"


@pytest.fixture(scope="module")
def pages():
    return texts.pages("<figure>moving</figure>")


def test_the_start_page_leads_everywhere(pages):
    start = pages["index.md"]
    for path in notebook_paths():
        assert f'href="{path.stem}.html"' in start and f"\n{path.stem}\n" in start
    assert len(re.findall(r"<small>\d+ minutes</small>", start)) == len(
        notebook_paths()
    )
    assert "<figure>moving</figure>" in start and "python course.py lab" in start
    for place in pages:
        assert place == "index.md" or place in start, f"no link to {place}"


def test_cards_show_pictures_that_are_there():
    assert list(texts.CARDS) == [path.stem[:2] for path in notebook_paths()]
    for path in notebook_paths():
        _, cell = texts.CARDS[path.stem[:2]]
        assert f'"id": "{cell}"' in path.read_text("utf-8")


def test_links_between_pages_hold(pages):
    known = {*pages, *(path.name for path in notebook_paths()), *api.pages()}
    for place, text in pages.items():
        folder = "docs/" if place.startswith("docs/") else ""
        for _, target in texts.LINK.findall(text):
            file = target.partition("#")[0]
            if file and not file.startswith("http"):
                file = f"{folder}{file}" if not file.startswith("../") else file[3:]
                assert file in known, f"{place} links to {target}"


def test_links_to_other_files_become_words():
    text = "[a](../notebooks/01_x.ipynb#b) [c](claims.csv) [d](https://e.org) [f](#g)"
    known = {"01_x.ipynb", "index.md"}
    expected = "[a](../01_x.ipynb#b) c [d](https://e.org) [f](#g)"
    assert texts.linked(text, "docs/y.md", known) == expected
    assert texts.linked("[r](../README.md)", "docs/y.md", known) == "[r](../index.md)"


def test_the_glossary_has_every_term(pages):
    rows = (ROOT / "data" / "glossary.csv").read_text("utf-8").splitlines()[1:]
    glossary = pages["docs/glossary.md"]
    assert glossary.count("\n| **") == len(rows)
    assert "| **latent variable** | biến tiềm ẩn (*also* biến ẩn) |" in glossary


def test_the_slide_map_leads_to_sections():
    row = "| S1 | a | run | [02_x](../notebooks/02_x.ipynb) | 1. A b; What's $K$? |\n"
    sections = "[1. A b](../notebooks/02_x.ipynb#1-a-b)"
    assert sections in texts.to_sections(row)
    assert "[What's $K$?](../notebooks/02_x.ipynb#whats-k)" in texts.to_sections(row)


def test_the_package_is_there_without_exercises():
    pages = api.pages()
    described = set(
        re.findall(r"automodule:: course_utils\.([\w.]+)", "".join(pages.values()))
    )
    files = (ROOT / "course_utils").rglob("*.py")
    names = {path.relative_to(ROOT / "course_utils").with_suffix("") for path in files}
    names = {name.as_posix().replace("/", ".") for name in names}
    rooms = {room.name for room in api.rooms()}
    hidden = {n for n in names if "exercises" in n or n[0] == "_" or "__" in n}
    hidden |= {name for name in names if name.startswith("checks.")}
    assert described == names - hidden | rooms | {"checks"}


def test_docstrings_are_prose():
    lines = ["σ* of x_ and |x| * 2, *see this*; ``a*b`` and ``State``s; 2 * 3 * 4"]
    api.escape(None, "", "", None, None, lines)
    assert lines == [
        r"σ\* of x\_ and \|x\| \* 2, *see this*; ``a*b`` and ``State``\ s; 2 \* 3 \* 4"
    ]


def test_tables_stack_on_a_narrow_screen():
    text = "a\n\n| b |\n|---|\n| c |\n"
    assert texts.stacked(text) == (
        "a\n\n:::{container} stacked\n\n| b |\n|---|\n| c |\n\n:::\n"
    )


def test_signatures_are_no_lists():
    page = '<dl><dt class="sig x">f(<dl><dd>a,</dd></dl>)</dt><dd>b</dd></dl>'
    assert build.repaired(page) == (
        '<dl><dt class="sig x">f(<i><i>a,</i></i>)</dt><dd>b</dd></dl>'
    )
    code = '<span class="n">a</span><span class="w"> </span><span class="o">=</span>'
    assert build.repaired(code) == 'a <span class="o">=</span>'
    assert build.repaired("<p><strong>Tóm tắt.") == '<p lang="vi"><strong>Tóm tắt.'


# --- formulas ------------------------------------------------------------------------


def test_formulas_are_set_and_counted():
    block = "<tex-block>x &lt; \\tfrac12</tex-block>"
    page, count = formulas.set_in(MARKED.format("<tex-inline>a</tex-inline>" + block))
    assert count == 2  # in the text; the one before stands in a menu
    assert page.count('class="katex"') == 3 and "<tex-" not in page
    assert page.count("<math") == 3 and page.count('<div class="formula">') == 1


def test_the_engine_outlives_the_event_loop_in_which_it_was_asked_for():
    """A browser driven in this process keeps such a loop, and closes it."""

    async def first():
        return formulas.as_html("a", False)

    formulas.engine.cache_clear()
    formulas.as_html.cache_clear()
    assert asyncio.run(first()) != formulas.as_html("b", False)


def test_a_formula_that_katex_does_not_know_is_refused():
    with pytest.raises(ValueError, match=r"cannot set '\\\\unknown'"):
        formulas.as_html(r"\unknown", False)


def test_without_the_engine_formulas_stay_tex_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(formulas, "MiniRacer", None)
    formulas.as_html.cache_clear()
    page, count = formulas.set_in(MARKED.format("<tex-block>x &lt; y</tex-block>"))
    formulas.as_html.cache_clear()
    assert count == 1 and '<code class="tex">x &lt; y</code>' in page
    assert formulas.PLAIN in page
