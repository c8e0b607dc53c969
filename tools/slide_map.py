"""Write docs/slide_map.md: where in the notebooks each claim of the slides is taught.

The claims are in docs/claims.csv. A Markdown cell that covers a claim carries its id as
a tag; the map names the nearest heading at or above that cell.
"""

import csv
import re
from pathlib import Path

from tools import NOTEBOOKS, ROOT, load, notebook_paths, tags

CLAIMS = ROOT / "docs" / "claims.csv"
TARGET = ROOT / "docs" / "slide_map.md"
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
INTRODUCTION = """\
# From the slides to the notebooks

Each row is one claim of the slides, and the section where it is run, drawn or verified.
The tools write this page (`python course.py notebooks`): edit the tags of the
cells, not the page.

| claim | the slides say | kind | notebook | section |
|---|---|---|---|---|
"""


def read_claims(path: Path = CLAIMS) -> list[dict[str, str]]:
    """The rows of the table of claims: id, part, claim, notebook, kind."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def places(claim: dict[str, str]) -> list[str]:
    """Where a claim belongs: numbers of notebooks such as ``"02"``, or ``"README"``."""
    return re.split(r" and ", claim["notebook"])


def sections(path: Path) -> dict[str, list[str]]:
    """Claim id -> headings of the sections of one notebook that cover it."""
    found: dict[str, list[str]] = {}
    heading = path.stem
    for cell in load(path).cells:
        if cell.cell_type != "markdown":
            continue
        headings = HEADING.findall(re.sub(r"```.*?```", "", cell.source, flags=re.S))
        for tag in tags(cell):
            covered = found.setdefault(tag, [])
            title = headings[0] if headings else heading
            if title not in covered:
                covered.append(title)
        heading = headings[-1] if headings else heading
    return found


def render(folder: Path = NOTEBOOKS, claims: Path = CLAIMS) -> str:
    """The text of the slide map."""
    covered = {path: sections(path) for path in notebook_paths(folder=folder)}
    return INTRODUCTION + "".join(
        _row(claim, place, covered)
        for claim in read_claims(claims)
        for place in places(claim)
    )


def _row(claim: dict[str, str], place: str, covered: dict[Path, dict]) -> str:
    path = next((path for path in covered if path.stem.startswith(place)), None)
    if place == "README":
        link, section = "[README](../README.md)", "the opening"
    elif path is None:
        link, section = place, f"to come in {place}"
    else:
        titles = covered[path].get(claim["id"], [])
        link = f"[{path.stem}](../notebooks/{path.name})"
        section = "; ".join(_escape(title) for title in titles) or "not covered"
    words = _escape(claim["claim"])
    return f"| {claim['id']} | {words} | {claim['kind']} | {link} | {section} |\n"


def _escape(text: str) -> str:
    """Plain text as Markdown that looks the same in a table; mathematics is kept."""
    parts = re.split(r"(\$[^$]*\$)", text)
    parts[::2] = [re.sub(r"([|*_<\[\]])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [part.replace("|", r"\mid ") for part in parts[1::2]]
    return "".join(parts)
