"""The website in Chromium, with the network closed: from a folder, and from a server.

Needs Chromium (`apt-get install chromium`, or CHROMIUM=/path/to/it), and `python
course.py setup browser`; skipped without them. It makes the site anew, or takes the one
in the folder COURSE_SITE. COURSE_SCREENSHOTS=folder keeps pictures of pages.
"""

import http.server
import os
import re
import shutil
import threading
import warnings
from functools import partial
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from tools import load, markdown_cells, notebook_paths

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytest.importorskip("myst_nb")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here")

STEMS = [path.stem for path in notebook_paths()]
OTHERS = ["docs/glossary", "docs/slide_map", "docs/results", "api/index", "api/floor"]
PAGES = ["index", *STEMS, *OTHERS]
SLOWEST = 60_000  # milliseconds that a busy machine may take before something is wrong
QUIET_BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WITHOUT_WORDS = """() => [...document.querySelectorAll(
    'article img:not(.card img), article svg[role=img]')]
  .filter(e => !(e.getAttribute('alt') || e.getAttribute('aria-label')))
  .map(e => e.outerHTML.slice(0, 120))"""
BROKEN = """async () => {
  const images = [...document.querySelectorAll('img')];
  images.forEach(image => { image.loading = 'eager'; });
  await Promise.all(images.map(image => image.decode().catch(() => {})));
  return images.filter(image => !image.naturalWidth).map(image => image.src);
}"""
WIDE = """() => {
  const inside = e => e.closest('.formula, pre, .table-wrapper, .paper, ' +
    '.sidebar-drawer, .toc-drawer, svg, .katex-mathml, .visually-hidden');
  const wide = [...document.querySelectorAll('article *')].filter(e =>
    e.getBoundingClientRect().right > innerWidth + 1 && !inside(e));
  const names = wide.slice(0, 3).map(e => e.outerHTML.slice(0, 90));
  return [document.documentElement.scrollWidth, ...names];
}"""

# formulas as empty boxes of their size: nine tenths of a page are letters of formulas,
# which are hidden from a screen reader and have the colour of their paragraph
WITHOUT_LETTERS = """() => {
  const formulas = [...document.querySelectorAll('.katex-html')];
  const sizes = formulas.map(e => [e.getBoundingClientRect(), e.scrollWidth]);
  formulas.forEach((e, i) => {
    const [{width, height}, inside] = sizes[i];
    e.replaceChildren();
    e.style.cssText = `display: inline-block; height: ${height}px; ` +
      `width: ${Math.max(width, inside)}px`;
  });
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if "COURSE_SITE" in os.environ:
        return Path(os.environ["COURSE_SITE"]).resolve()
    from tools.site.build import build

    with warnings.catch_warnings():  # Sphinx and its extensions speak to each other
        warnings.simplefilter("ignore")
        made = build(tmp_path_factory.mktemp("site") / "site")
    assert made.warnings == []
    assert made.megabytes < 25
    return made.folder


@pytest.fixture(scope="module")
def server(site):
    """The address of a server for the same folder."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=site)
    handler.func.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=QUIET_BROWSER)
        expect.set_options(timeout=SLOWEST)
        yield launched
        launched.close()


@pytest.fixture
def page(browser, site):
    """A page that asks for files of the site alone; what goes wrong ends the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SLOWEST)
    page, troubles = context.new_page(), []
    own = (site.as_uri(), "http://127.0.0.1:", "data:", "blob:")
    page.on("request", lambda r: r.url.startswith(own) or troubles.append(r.url))
    page.on("requestfailed", lambda r: troubles.append(f"{r.url}: {r.failure}"))
    page.on(
        "response", lambda r: r.status < 400 or troubles.append(f"{r.url} {r.status}")
    )
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console", lambda m: m.type in ("error", "warning") and troubles.append(m.text)
    )
    yield page
    context.close()
    assert not troubles


def formulas_of(stem):
    """How many formulas the Markdown of a notebook holds, by a parser of its own."""
    parser = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
    count = 0
    for cell in markdown_cells(load(notebook_paths([stem])[0])):
        tokens = parser.parse(cell.source)
        every = [t for token in tokens for t in (token, *(token.children or []))]
        count += sum(token.type.startswith("math_") for token in every)
    return count


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_the_folder(page, site, name):
    page.goto(f"{site.as_uri()}/{name}.html")
    assert page.evaluate(BROKEN) == []
    assert page.evaluate(WITHOUT_WORDS) == []
    assert page.locator("article h1").count() == 1
    assert page.locator(".katex-error").count() == 0
    if name in STEMS:
        set_ = page.locator("article .katex").count()
        assert set_ == formulas_of(name) > 9
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(WIDE) == [320]


@pytest.mark.parametrize("name", ["index", *STEMS])
def test_a_page_from_a_server(page, server, name):
    page.goto(f"{server}/{name}.html")
    fonts = "document.fonts.ready.then(() => document.fonts.check('12px KaTeX_Main'))"
    assert page.evaluate(fonts) or name == "index"  # which has no formula


@pytest.mark.parametrize("place", ["folder", "server"])
def test_one_figure_moves(page, site, server, place):
    """In the first notebook whose frames are recorded: a key press changes it."""
    recorded = sorted(site.glob("frames/*/*.js"))
    if not recorded:
        pytest.skip("nothing is recorded: python course.py record")
    top = server if place == "server" else site.as_uri()
    page.goto(f"{top}/{recorded[0].parent.name}.html")
    figure = page.locator("figure.explore[data-frames]").first
    figure.scroll_into_view_if_needed()
    slider = figure.locator("input[type=range]").first
    slider.focus()
    before = figure.locator("svg").inner_html()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(figure.locator("svg")).not_to_have_js_property("innerHTML", before)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("."))


@pytest.mark.parametrize(
    ("words", "expected"),
    [("suy diễn", "Glossary"), ("k-means", "02 · "), ("GaussianMixture", "mixture")],
)
def test_search_from_the_folder(page, site, words, expected):
    page.goto(f"{site.as_uri()}/search.html?q={words}")
    found = page.locator("#search-results li a").filter(has_text=expected)
    expect(found.first).to_be_visible()


def test_what_folds_and_what_is_labelled(page, site):
    page.goto(f"{site.as_uri()}/{STEMS[1]}.html")
    for summary in ("Solution", "Answer", "Show the set-up code"):
        box = page.locator("details", has_text=summary).first
        assert box.get_attribute("open") is None, summary
    label = "e => getComputedStyle(e, '::before').content"
    for tag, words in (
        ("live", "typed live"),
        ("exercise", "your turn"),
        ("check", "check"),
    ):
        cell = page.locator(f".tag_{tag} > .cell_input").first
        assert cell.evaluate(label) == f'"{words}"'
    assert (
        page.locator(".recorded")
        .inner_text()
        .startswith("This page shows a recorded run")
    )
    assert page.locator("a.to-source", has_text="verify").count() > 10


def test_a_listing_leads_back_to_the_package(page, site):
    page.goto(f"{site.as_uri()}/_modules/course_utils/gaussian/model.html")
    page.get_by_role("link", name="The package").click()
    expect(page.locator("article h1")).to_contain_text("The package")


def test_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/{STEMS[1]}.html")
    assert page.locator("article img").count() > 9
    assert page.locator("article .katex").count() == formulas_of(STEMS[1])
    context.close()


@pytest.mark.parametrize("name", ["index", STEMS[-1], "docs/glossary", "api/gaussian"])
def test_nothing_stands_in_the_way_of_a_reader(page, site, name):
    page.goto(f"{site.as_uri()}/{name}.html")
    # "preload" would fetch style sheets, from a folder in vain
    every = {"preload": False, "resultTypes": ["violations"]}
    colours = every | {"runOnly": ["color-contrast", "link-in-text-block"]}
    page.evaluate(WITHOUT_LETTERS)
    for scheme, options in (("light", every), ("dark", colours)):
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page, options=options).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert not serious, [(v["id"], v["nodes"][0]["html"][:200]) for v in serious]
        if folder := os.environ.get("COURSE_SCREENSHOTS"):
            path = Path(folder) / f"{name.replace('/', '_')}_{scheme}.png"
            page.screenshot(path=path)


def test_a_picture_on_a_phone_scrolls_in_its_paper(page, site):
    """So its texts can be read, and the page says that the picture goes on."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{site.as_uri()}/{STEMS[0]}.html")
    paper = page.locator("figure.picture .paper").first
    paper.scroll_into_view_if_needed()
    expect(paper).to_have_attribute("tabindex", "0")
    picture, box = paper.locator("img"), paper.bounding_box()
    natural = int(picture.get_attribute("width"))
    assert picture.bounding_box()["width"] >= 0.55 * natural - 1 > box["width"]
    hint = "e => getComputedStyle(e.parentNode, '::after').content"
    assert "sideways" in paper.evaluate(hint)
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(paper).not_to_have_attribute("tabindex", "0")
    assert "sideways" not in paper.evaluate(hint)
