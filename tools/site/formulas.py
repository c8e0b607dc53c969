"""Formulas, set when the site is made: KaTeX runs in an engine inside this process.

Sphinx leaves a mark for each formula; ``set_in`` puts HTML and MathML in its place, so
the readers' pages hold no script for formulas. The folder ``katex`` holds KaTeX 0.19.1
(MIT) as its authors publish it. Without the engine, the package mini-racer, formulas
stay TeX, and the pages say so.
"""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from docutils import nodes

try:
    from py_mini_racer import MiniRacer
except ImportError:  # no wheel for this system
    MiniRacer = None

KATEX = Path(__file__).with_name("katex")
MARK = re.compile(r"<tex-(inline|block)>(.*?)</tex-\1>", re.DOTALL)
SET = """(tex, displayMode) => katex.renderToString(
    tex, {displayMode, throwOnError: true, strict: "ignore"})"""
PLAIN = """<p class="recorded">The formulas of this page are shown as TeX: the package
mini-racer, which sets them, was not there when it was made.</p>"""


def set_in(page: str) -> tuple[str, int]:
    """A page with its formulas, and how many stand in its text.

    Raises ``ValueError`` for a formula that KaTeX does not know.
    """
    count = len(MARK.findall(page.partition("<article")[2].partition("</article>")[0]))
    page = MARK.sub(lambda m: as_html(html.unescape(m[2]), m[1] == "block"), page)
    if count and MiniRacer is None:
        page = page.replace("</h1>", "</h1>" + PLAIN, 1)
    return page, count


@cache
def engine():
    """A JavaScript engine that knows KaTeX.

    A thread of its own makes it: made beside a running event loop, as a program that
    drives a browser has one, the engine would be bound to that loop and end with it.
    """
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(_new_engine).result()


def _new_engine():
    racer = MiniRacer()
    racer.eval(KATEX.joinpath("katex.min.js").read_text("utf-8"))
    racer.eval(f"const set = {SET}")
    return racer


@cache
def as_html(tex: str, display: bool) -> str:
    """One formula. Raises ``ValueError`` where KaTeX does not know it."""
    if MiniRacer is None:
        return f'<code class="tex">{html.escape(tex)}</code>'
    try:
        text = engine().call("set", tex, display)
    except Exception as error:  # the engine has a class of its own for each trouble
        message = str(error).partition("\n")[0]
        raise ValueError(f"KaTeX cannot set {tex!r}: {message}") from None
    return f'<div class="formula">{text}</div>' if display else text


def _inline(translator, node):
    translator.body.append(f"<tex-inline>{html.escape(node.astext())}</tex-inline>")
    raise nodes.SkipNode


def _block(translator, node):
    translator.body.append(f"<tex-block>{html.escape(node.astext())}</tex-block>")
    raise nodes.SkipNode


def setup(app):
    """Give Sphinx a renderer called ``katex``."""
    app.add_html_math_renderer("katex", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
