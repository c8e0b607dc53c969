"""All pages from their sources, by Sphinx, in a folder that opens without a server."""

import io
import os
import re
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tools import ROOT, load, notebook_paths
from tools.frames import FRAMES, page
from tools.frames.grid import INSTEAD
from tools.normalise import dumps
from tools.site import api, copies, formulas, links, texts

HERE = Path(__file__).parent
OUT = ROOT / "build" / "site"
FIRST = "01_mle_gaussian", "kl-slider"  # the figure of the start page
ASSETS = [HERE / name for name in ("course.css", "course.js")]
SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
# names, brackets and spaces in code look as they would without a word about them, and
# there are a hundred thousand of them
UNMARKED = re.compile(r'<span class="[npw]">([^<]*)</span>')
REPAIRED = {  # what stands in the way of a screen reader in the theme's pages
    'class="caption" role="heading">': 'class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar': '<aside aria-label="Pages" class="sidebar',
    '<aside class="toc': '<aside aria-label="This page" class="toc',
    "<p><strong>Tóm tắt": '<p lang="vi"><strong>Tóm tắt',
}
UNUSED = """objects.inv .buildinfo _static/plus.png _static/minus.png _static/file.png
    _static/styles/furo.css.map _static/styles/furo-extensions.css.map
    _static/scripts/furo.js.map"""


@dataclass(frozen=True)
class Site:
    """What was made. ``stale`` are the figures that do not move, and why."""

    folder: Path
    pages: int
    formulas: int
    widgets: int
    frames: int
    megabytes: float
    seconds: float
    stale: list[str]
    warnings: list[str]

    def __str__(self):
        lines = [f"shown as a picture: {reason}" for reason in self.stale]
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines.append(
            f"{self.folder / 'index.html'}: {self.pages} pages, {self.formulas} "
            f"formulas, {self.widgets} widgets that move, {self.frames} frames, "
            f"{self.megabytes:.1f} MB, {self.seconds:.0f} s"
        )
        return "\n".join(lines)


def build(out: Path = OUT) -> Site:
    """Make the website in ``out``, anew; no cell is executed."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        source, made = scratch / "source", scratch / "site"
        write_sources(source)
        places, warnings = run_sphinx(source, made, scratch / "doctrees")
        count = finish(made, places)
        frames, stale = copy_frames(made)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    return Site(
        out,
        pages=sum(path.suffix == ".html" for path in files),
        formulas=count,
        widgets=len(frames),
        frames=sum(frames.values()),
        megabytes=sum(path.stat().st_size for path in files) / 1e6,
        seconds=time.perf_counter() - began,
        stale=stale,
        warnings=warnings,
    )


def write_sources(source: Path) -> None:
    """All that Sphinx reads: copies of the notebooks, the other pages, static files."""
    static = source / "_static"
    shutil.copytree(HERE / "katex" / "fonts", static / "katex" / "fonts")
    shutil.copy(HERE / "katex" / "katex.min.css", static / "katex")
    for path in [*ASSETS, *page.ASSETS]:
        shutil.copy(path, static)

    def write_copy(path):
        notebook = load(path)
        copies.prepare(notebook, path.stem, static / "pictures" / path.stem, moving)
        write(source / path.name, dumps(notebook))

    with ThreadPoolExecutor() as pool:  # to pack pictures needs no lock of Python's
        list(pool.map(write_copy, notebook_paths()))
    stem, cell = FIRST
    words = next(c for c in load(notebook_paths([stem])[0]).cells if c.id == cell)
    picture = f"_static/pictures/{stem}/{cell}.webp"
    first = page.figure(stem, cell, picture, words.metadata.alt)
    for place, text in {**texts.pages(first), **api.pages()}.items():
        write(source / place, text)


def moving(stem: str, cell: str, picture: str, alt: str) -> str | None:
    """The figure that moves in the place of a picture, for a cell with sliders."""
    widgets = page.widgets_of(stem)
    return page.figure(stem, cell, picture, alt) if cell in widgets else None


def write(path: Path, text: str) -> None:
    """Write a text, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def run_sphinx(source: Path, out: Path, doctrees: Path):
    """Make the pages. Returns the addresses of the package's names, and warnings."""
    heard = io.StringIO()
    static = {"html_static_path": [str(source / "_static")]}
    with docutils_namespace():
        app = Sphinx(
            source,
            HERE,
            out,
            doctrees,
            "html",
            confoverrides=static,
            status=None,
            warning=heard,
            freshenv=True,
            parallel=os.cpu_count() or 1,
        )
        app.build()
    objects = app.env.domains.python_domain.objects
    places = {
        name: f"{entry.docname}.html#{entry.node_id}" for name, entry in objects.items()
    }
    warnings = re.sub(r"\x1b\[[\d;]*m", "", heard.getvalue()).splitlines()
    return places, warnings


def finish(made: Path, places: dict[str, str]) -> int:
    """Formulas, links of the code, repairs; how many formulas there are."""
    count = 0
    notebooks = {path.stem: path for path in notebook_paths()}
    for path in made.rglob("*.html"):
        text, formulas_here = formulas.set_in(path.read_text("utf-8"))
        if path.stem in notebooks:
            text = links.link(text, load(notebooks[path.stem]), places)
        path.write_text(repaired(text), encoding="utf-8", newline="\n")
        count += formulas_here
    for name in UNUSED.split():
        (made / name).unlink(missing_ok=True)
    return count


def repaired(text: str) -> str:
    """A page that says its language and its parts; signatures without lists in them."""
    for before, after in REPAIRED.items():
        text = text.replace(before, after)
    text = UNMARKED.sub(r"\1", text)
    return SIGNATURE.sub(lambda found: re.sub(r"<(/?)d[ld]>", r"<\1i>", found[0]), text)


def copy_frames(made: Path) -> tuple[dict[tuple[str, str], int], list[str]]:
    """The scripts of figures that move; how many frames each has, and what is stale."""
    counts, stale = {}, []
    for path in notebook_paths():
        for cell in page.widgets_of(path.stem):
            if reason := page.stale(path.stem, cell):
                stale += [] if cell in INSTEAD else [reason]
                continue
            place = made / "frames" / path.stem
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(FRAMES / path.stem / f"{cell}.js", place)
            counts[path.stem, cell] = page.manifest(path.stem)[cell]["frames"]
    return counts, stale
