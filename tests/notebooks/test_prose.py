"""The words and the mathematics of the notebooks, as GitHub and JupyterLab show them.

Each rule yields one line per fault; the line names the cell.
"""

import csv
import re
from itertools import pairwise

import pytest

from tests.performing import report
from tools import ROOT, code_cells, label, markdown_cells

GLOSSARY = ROOT / "data" / "glossary.csv"
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$(?!\$)((?:[^$\n]|\n(?!\n))+?)(?<!\\)\$")
BOLD = re.compile(r"(?<!\*)\*\*([^*\n]+)\*\*(?!\*)")
ANATOMY = {
    "a title": r"\A# \S",
    "tóm tắt": r"tóm tắt",
    "what you will be able to do": r"able to",
    "what you need first": r"need",
    "a table of minutes": r"^\|.*\bminutes\b.*\|",
    "a section on the errata of the slides": r"^#+ .*(errata|slides)",
    "a table of terms": r"^#+ .*terms",
    "references": r"^#+ .*references",
}


# the lecture's own words; the glossary of mlbvn's translation of Hands-On Machine
# Learning (its repository handson-ml2-vn, docs/glossary.md); or this course alone
SOURCES = {"slides", "mlbvn", "ours"}


def _glossary():
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _prose(cell):
    """The text of a Markdown cell without its code."""
    return CODE.sub("", cell.source)


def _sections(notebook):
    return [(label(cell), _prose(cell)) for cell in markdown_cells(notebook)]


def anatomy_is_whole(notebook):
    text = "\n\n".join(cell.source for cell in markdown_cells(notebook))
    for part, pattern in ANATOMY.items():
        if not re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
            yield f"{part} is missing"


def words_suit_the_code(notebook):
    words = 0
    for cell in markdown_cells(notebook):
        text = DISPLAY.sub("", _prose(cell))
        if label(cell).endswith("-solution"):
            text = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
        words += len(re.findall(r"[^\W\d_]{2,}", INLINE.sub("", text)))
    ratio = words / len(code_cells(notebook))
    if not 40 <= ratio <= 120:
        yield f"has {ratio:.0f} words of prose per code cell, should be 40 to 120"


LIST_MARK = re.compile(r"\s{0,3}(\d+[.)]|[-+*])\s")


def no_list_begins_by_accident(notebook):
    """A line of a paragraph or formula that starts like an entry becomes one."""
    for cell in markdown_cells(notebook):
        lines = re.sub(r"^```.*?^```", "", cell.source, flags=re.M | re.S).split("\n")
        for before, line in pairwise(lines):
            entry = LIST_MARK.match(before) or before.startswith("  ")
            if before.strip() and not entry and LIST_MARK.match(line):
                yield f"{label(cell)}: a line starts like a list, {line[:40]!r}"


def mathematics_is_portable(notebook):
    for name, text in _sections(notebook):
        if text.count("$$") % 2:
            yield f"{name}: $$ without a partner"
            continue
        if re.search(r"\\(newcommand|def|require|DeclareMathOperator)\b", text):
            yield f"{name}: defines a macro"
        if found := re.search(r"\\begin\{(align|eqnarray|equation|gather)\*?\}", text):
            yield f"{name}: {found[0]}; use aligned inside $$"
        outside = DISPLAY.sub("", text)
        if r"\begin{" in outside:
            yield f"{name}: an environment outside of $$"
        plain = INLINE.sub("", outside)
        if re.search(r"(?<!\\)\$", plain):
            yield f"{name}: $ without a partner"
        if found := re.search(r"\\[()\[\]]|\\[a-z]{2,}", plain):
            yield f"{name}: {found[0]} outside of $…$"


def inline_mathematics_touches_its_dollars(notebook):
    for name, text in _sections(notebook):
        for match in INLINE.finditer(DISPLAY.sub("", text)):
            after = match.string[match.end() : match.end() + 1]
            before = match.string[match.start() - 1 : match.start()]
            if match[1] != match[1].strip():
                yield f"{name}: space inside {match[0]}"
            if after.isalnum() or before.isalnum():
                yield f"{name}: a letter or digit touches {match[0]}"


def displays_stand_alone(notebook):
    for name, text in _sections(notebook):
        for match in DISPLAY.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            if not re.search(r"(\A|\n[ >]*\n)[ >]*\Z", before):
                yield f"{name}: no blank line before {match[0][:30]!r}"
            if not re.match(r"[ ]*(\Z|\n[ >]*(\n|\Z))", after):
                yield f"{name}: no blank line after {match[0][-30:]!r}"


def tables_have_safe_mathematics(notebook):
    for name, text in _sections(notebook):
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE):
            for formula in re.findall(r"(?<!\\)\$[^$]+\$", line):
                if re.search(r"[*|]", formula):
                    yield rf"{name}: {formula} in a table: \ast, \mid, \Vert"


def html_only_folds(notebook):
    for name, text in _sections(notebook):
        bare = INLINE.sub("", DISPLAY.sub("", text))
        for tag in re.findall(r"<(?:/?)([a-zA-Z]+)\b[^>]*>", bare):
            if tag not in ("details", "summary"):
                yield f"{name}: <{tag}>; HTML is for <details> only"
        if bare.count("<details") != bare.count("</details>"):
            yield f"{name}: <details> and </details> do not match"
        if re.search(r"</summary>(?!\s*\n\s*\n)|[^\n>]\n</details>", bare):
            yield f"{name}: blank lines belong after </summary> and before </details>"
        if "![" in bare:
            yield f"{name}: an image file; figures are drawn by code"


def bold_terms_are_in_the_glossary(notebook):
    words = ("english", "vietnamese", "also")
    known = {row[key].casefold() for row in _glossary() for key in words}
    for name, text in _sections(notebook):
        for term in BOLD.findall(text):
            is_label = term[-1] in ".:?!"
            if not is_label and term.casefold() not in known:
                yield f"{name}: **{term}** is not in data/glossary.csv"


RULES = [
    anatomy_is_whole,
    words_suit_the_code,
    mathematics_is_portable,
    no_list_begins_by_accident,
    inline_mathematics_touches_its_dollars,
    displays_stand_alone,
    tables_have_safe_mathematics,
    html_only_folds,
    bold_terms_are_in_the_glossary,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule, notebook_path, notebook):
    report(notebook_path, rule(notebook))


def test_glossary_rows_are_whole_and_unique():
    rows = _glossary()
    columns = ["english", "vietnamese", "also", "source", "meaning", "notebook"]
    assert list(rows[0]) == columns
    for row in rows:
        assert all(row[key] for key in columns if key != "also"), f"empty in {row}"
        assert row["source"] in SOURCES, f"no such source: {row}"
        assert row["also"] != row["vietnamese"], row
        assert re.fullmatch(r"0[1-7]", row["notebook"]), f"no such notebook: {row}"
    senses = [(row["english"].casefold(), row["meaning"].casefold()) for row in rows]
    assert len(set(senses)) == len(senses), "a term has the same meaning twice"


def test_terms_are_taught_where_the_glossary_says(notebook_path, notebook):
    text = "\n".join(cell.source for cell in markdown_cells(notebook)).casefold()
    own = [row for row in _glossary() if notebook_path.stem.startswith(row["notebook"])]
    terms = [row[key] for row in own for key in ("english", "vietnamese", "also")]
    absent = [term for term in terms if term.casefold() not in text]
    report(notebook_path, (f"does not teach {t!r} of the glossary" for t in absent))
