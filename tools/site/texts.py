"""The pages beside the notebooks: start, glossary, slide map, errata, results, support.

They come from README.md, docs/ and data/glossary.csv.
"""

import csv
import html
import os
import re
from pathlib import Path

from myst_parser.slugs import github_slugify

from tools import ROOT, load, notebook_paths

HERE = Path(__file__).parent
DOCUMENTS = {
    "glossary": "the terms in English and Vietnamese",
    "slide_map": "each claim of the lecture, and the section that runs it",
    "errata": "where a slide and the computer disagree",
    "teaching": "for teachers: plans, what to cut first, the day before",
    "results": "figures that depend on the machine, each with its command",
    "support": "what was run with which versions",
}
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
CARDS = {  # a sentence for each notebook, and the cell whose picture stands above it
    "01": ("Can ten heights tell how tall the eleventh person will be?", "ring-figure"),
    "02": ("A geyser erupts in two ways. Find them, and say how sure.", "story-figure"),
    "03": ("When a sum is too long, push up a bound that is not.", "one-update"),
    "04": ("Draw a digit that nobody has ever written.", "plane-figure"),
    "05": ("A forger who sees no painting learns from a detective.", "machines"),
    "06": ("Two right fits, two answers: what does a divergence want?", "theis-figure"),
    "07": ("Type a sentence, and your own model draws it.", "thirds-figure"),
}
GLOSSARY = """\
# Glossary

The terms of the course. The Vietnamese is that of the slides where they have a word,
else that of the Vietnamese translations of two textbooks, else ours; *also* stands
before a second form in use.

| English | Tiếng Việt | meaning | notebook |
|---|---|---|---|
"""


def pages(moving: str) -> dict[str, str]:
    """The pages by their paths in the source; ``moving`` is a figure for the first."""
    notebooks = notebook_paths()
    texts = {"docs/glossary.md": _glossary(notebooks)}
    for name in DOCUMENTS:
        path = ROOT / "docs" / f"{name}.md"
        if path.exists():
            texts[f"docs/{name}.md"] = path.read_text("utf-8")
    texts["docs/slide_map.md"] = to_sections(texts["docs/slide_map.md"])
    for place in (f"docs/{name}.md" for name in ("glossary", "slide_map", "errata")):
        texts[place] = stacked(texts[place])
    documents = {n: about for n, about in DOCUMENTS.items() if f"docs/{n}.md" in texts}
    known = {*texts, "index.md", *(path.name for path in notebooks)}
    texts = {place: linked(text, place, known) for place, text in texts.items()}
    readme = (ROOT / "README.md").read_text("utf-8")
    start = re.search(r"^## Start\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    texts["index.md"] = (
        (HERE / "index.md")
        .read_text("utf-8")
        .format(
            moving=moving,
            here=", also here" if "data-frames" in moving else "",
            cards=_cards(notebooks, readme),
            start=linked(start.strip(), "index.md", known),
            notebooks="\n".join(path.stem for path in notebooks),
            lookup="\n".join(
                f"- [{name.replace('_', ' ').capitalize()}](docs/{name}.md): {about}"
                for name, about in documents.items()
            ),
            documents="\n".join(f"docs/{name}" for name in documents),
        )
    )
    return texts


def stacked(text: str) -> str:
    """Tables whose rows become blocks on a narrow screen."""
    return re.sub(
        r"(?:^\|.*\n)+", r":::{container} stacked\n\n\g<0>\n:::\n", text, flags=re.M
    )


def linked(text: str, place: str, known: set[str]) -> str:
    """Links to pages of the site, or out of it, are kept; others become words."""

    def link(match):
        words, target = match.groups()
        if target.startswith(("https:", "http:", "#")):
            return match[0]
        file, hash_, part = target.partition("#")
        file = os.path.normpath(Path(place).parent / file).replace(os.sep, "/")
        file = "index.md" if file == "README.md" else file.removeprefix("notebooks/")
        if file not in known:
            return words
        back = os.path.relpath(file, Path(place).parent).replace(os.sep, "/")
        return f"[{words}]({back}{hash_}{part})"

    return LINK.sub(link, text)


def _cards(notebooks, readme):
    """A grid of links: number, picture, title, a sentence, minutes."""
    return (
        '<div class="cards">\n'
        + "".join(_card(path, readme) for path in notebooks)
        + "</div>"
    )


def _card(path, readme):
    number = path.stem[:2]
    sentence, cell = CARDS[number]
    minutes = re.search(rf"^\| \[{path.stem}\].*?\| (\d+) \|", readme, re.MULTILINE)[1]
    title = load(path).cells[0].source.partition("\n")[0].partition("· ")[2]
    return (
        f'<a class="card" href="{path.stem}.html">'
        f'<img src="_static/pictures/{path.stem}/{cell}.webp" alt="" loading="lazy">'
        f'<span class="title"><b>{number}</b> {html.escape(title)}</span>'
        f"<span>{html.escape(sentence)}</span><small>{minutes} minutes</small></a>\n"
    )


def _terms():
    with (ROOT / "data" / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["english"].lower())


def _glossary(notebooks):
    places = {path.stem[:2]: f"../{path.name}" for path in notebooks}
    rows = []
    for row in _terms():
        also = f" (*also* {row['also']})" if row["also"] else ""
        link = f"[{row['notebook']}]({places[row['notebook']]})"
        words = f"**{row['english']}** | {row['vietnamese']}{also} | {row['meaning']}"
        rows.append(f"| {words} | {link} |\n")
    return GLOSSARY + "".join(rows)


def to_sections(slide_map: str) -> str:
    """The slide map, in which each section is a link to it."""

    def row(match):
        start, target, names = match.groups()
        links = []
        for name in names.split("; "):
            slug = github_slugify(name.replace("\\", "").replace("$", ""))
            links.append(f"[{name}]({target}#{slug})")
        return f"{start}{'; '.join(links)} |"

    pattern = r"^(\| S\d.*\((\.\./notebooks/\S+)\) \| )(.*) \|$"
    return re.sub(pattern, row, slide_map, flags=re.MULTILINE)
