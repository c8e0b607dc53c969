"""The sheet of whoever teaches a notebook: one page of HTML, to read or to print.

For each section: its minutes; what is typed; what each picture shows; the answer to
each *Predict*; for each exercise its hints, and the mistakes that its check knows. All
of it comes from the notebook and from the checks.
"""

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from course_utils.checks.__main__ import exercises
from course_utils.checks.exercise import Exercise
from course_utils.messages import say
from tools import fenced_python, label, tags
from tools.forms.student import ANSWER, answers
from tools.site.formulas import as_html

ROW = re.compile(r"^\| (\d+)\. .*? \| (\d+) \|$", re.MULTILINE)
PREDICT = re.compile(r"^> \*\*Predict.*(?:\n>.*)*", re.MULTILINE)
PAGE = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: the sheet</title>
<link rel="stylesheet" href="katex/katex.min.css">
<link rel="stylesheet" href="sheet.css"></head>
<body><main>
{body}</main></body></html>
"""
KINDS = {"type": "Type", "ask": "Ask", "see": "Look", "exercise": "Exercise"}


def sheet(notebook: NotebookNode, number: str) -> str:
    """The sheet of a notebook as a page of HTML."""
    title = notebook.cells[0].source.partition("\n")[0].lstrip("# ")
    checks = iter(exercises(number))  # in the order of the notebook
    minutes = dict(ROW.findall(notebook.cells[0].source))
    parts = [f"<h1>{as_line(title)}: the sheet</h1>", _path(notebook)]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^(#{2,3}) (.+)$", cell.source, re.MULTILINE):
                parts.append(_heading(*heading, minutes))
            parts += _asked(cell)
        elif "live" in tags(cell):
            parts.append(_block("type", _name(cell) + _code(cell.source)))
        elif "check" in tags(cell):
            parts.append(_exercise(notebook, index, next(checks)))
        if cell.cell_type == "code" and "alt" in cell.metadata:
            parts.append(_block("see", _name(cell) + _caption(notebook, index)))
    return PAGE.format(title=html.escape(title), body="\n".join(parts))


def _path(notebook: NotebookNode) -> str:
    """The 90-minute path, as the title cell lists it."""
    text = notebook.cells[0].source.partition("**The 90-minute path.**")[2]
    points = re.search(r"^- .*?\n\n", text, re.MULTILINE | re.DOTALL)
    return f"<h2>The 90-minute path</h2>{as_html_text(points[0])}" if points else ""


def _heading(marks: str, text: str, minutes: dict[str, str]) -> str:
    section = re.match(r"(\d+)\. ", text)
    time = minutes.get(section[1]) if section else None
    after = f' <span class="minutes">{time} min</span>' if time else ""
    return f"<h{len(marks)}>{as_line(text)}{after}</h{len(marks)}>"


def _asked(cell: NotebookNode) -> Iterator[str]:
    """Each *Predict* of a Markdown cell with its answer."""
    for question in PREDICT.findall(ANSWER.sub("", cell.source)):
        told = [as_html_text(answer) for answer in answers(cell.source)]
        answer = f'<div class="answer">{"".join(told)}</div>' if told else ""
        plain = re.sub(r"^> ?", "", question, flags=re.MULTILINE)
        yield _block("ask", _on_path(cell) + as_html_text(plain) + answer)


def _caption(notebook: NotebookNode, index: int) -> str:
    """What the text after a picture says first: one paragraph."""
    after = notebook.cells[index + 1] if index + 1 < len(notebook.cells) else None
    if after is None or after.cell_type != "markdown" or after.source.startswith("#"):
        return f"<p>{html.escape(notebook.cells[index].metadata.alt)}</p>"
    return as_html_text(ANSWER.sub("", after.source).strip().partition("\n\n")[0])


def _exercise(notebook: NotebookNode, index: int, exercise: Exercise) -> str:
    """An exercise: its solution, its hints, and what the check says to mistakes."""
    solution = next(c for c in notebook.cells[index:] if label(c).endswith("-solution"))
    code = "".join(map(_code, fenced_python(solution.source)))
    known = [e.hint for e in exercise.extremes] + [m.hint for m in exercise.mistakes]
    name, hints, known = exercise.name, exercise.hints, dict.fromkeys(known)
    title = _on_path(notebook.cells[index]) + f"<p>{html.escape(say(name))}</p>"
    return _block(
        "exercise",
        f"{title}{code}<p>Three hints, in this order:</p><ol>{_items(hints)}</ol>"
        f"<details><summary>What the check says to {len(known)} mistakes</summary>"
        f'<ul class="mistakes">{_items(known)}</ul></details>',
    )


def _items(messages: Iterable[str]) -> str:
    return "".join(f"<li>{html.escape(say(message))}</li>" for message in messages)


def _code(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _name(cell: NotebookNode) -> str:
    return f'<span class="cell">{html.escape(label(cell))}</span> {_on_path(cell)}'


def _on_path(cell: NotebookNode) -> str:
    return '<span class="path">on the path</span>' if "core" in tags(cell) else ""


def _block(kind: str, inside: str) -> str:
    return f'<section class="{kind}"><b>{KINDS[kind]}</b>{inside}</section>'


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
    parser.renderer.rules["math_inline"] = _formula
    parser.renderer.rules["math_block"] = _formula
    return parser


def _formula(tokens, index, options, environment) -> str:
    token = tokens[index]
    return as_html(token.content.strip(), token.type == "math_block")


def as_html_text(markdown: str) -> str:
    """Markdown with formulas as HTML."""
    return _parser().render(markdown)


def as_line(markdown: str) -> str:
    """One line of Markdown as HTML, without a paragraph around it."""
    return _parser().renderInline(markdown)
