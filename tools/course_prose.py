"""Write the course's own prose as plain text: what notebook 07 learns to write.

    python -m tools.course_prose

It reads the English paragraphs of notebooks 01 to 06 and writes
``data/course_prose.txt``: one paragraph a line, small letters, in the order of the
notebooks. Sentences with formulas, code or Vietnamese words are left out, and so are
tables, code and references. The file is frozen: when the notebooks change
it stays as it is. Whoever makes it anew puts the printed SHA-256 into
``course_utils/data.py``, and measures notebook 07 again.
"""

import argparse
import hashlib
import re

from course_utils.data import DATA_DIR, PROSE_ALPHABET
from tools import load, markdown_cells, notebook_paths

FILE = "course_prose.txt"
LECTURE = ("01", "02", "03", "04", "05", "06")
LEAST = 30  # characters of a paragraph
SIGNS = {"’": "'", "“": '"', "”": '"', "–": "-", "−": "-", "…": ".", "½": "1/2"}
GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "η": "eta", "θ": "theta"}
GREEK |= {"λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "φ": "phi"}
GREEK |= {"ψ": "psi", "ε": "epsilon"}
SIMPLE = r"(?:\\[A-Za-z]+|[A-Za-z0-9.,()=|/+ -])*"  # a formula to be read aloud
NO_END = re.compile(r"\b(e\.g|i\.e|cf|vs|et al|eq|fig|no|dr)\.$")  # a dot inside


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, in small letters, without marks for the eye."""
    text = re.sub(r"\(\*[^*]*\*[^)]*\)", "", paragraph)  # (*tiếng Việt*)
    text = re.sub(rf"\$({SIMPLE})\$", _aloud, text)
    text = re.sub(r"`([a-z ]+)`", r"\1", text)
    text = re.sub(r"\*+|(?<!\w)_|_(?!\w)", "", text)
    text = text.translate(str.maketrans(SIGNS | GREEK)).lower()
    parts, found = re.split(r"(?<=[.?!])\s+", text), []
    for part in parts:
        if found and NO_END.search(found[-1]):
            found[-1] += " " + part
        else:
            found.append(part)
    tidy = (re.sub(r"\s+([.,:;?!)])", r"\1", " ".join(each.split())) for each in found)
    return [each for each in tidy if set(each) <= set(PROSE_ALPHABET)]


def _aloud(formula: re.Match) -> str:
    """p(x) for $p(x)$, theta for $\\theta$; other formulas keep their backslash."""
    names = "|".join(GREEK.values())
    return re.sub(rf"\\({names})\b", r"\1", formula[1]).replace(r"\mid", "|")


def paragraphs(markdown: str) -> list[str]:
    """The paragraphs of prose of a Markdown text."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "\n\n", text)
    text = re.sub(r"^[ >]*(?:[-*]|\d+\.) ", "\n", text, flags=re.MULTILINE)  # items
    text = re.sub(r"^> ?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(#|\|).*$", "\n", text, flags=re.MULTILINE)  # titles and tables
    blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", text))
    made = (" ".join(sentences(block)) for block in blocks if "tóm tắt" not in block)
    return [each for each in made if len(each) >= LEAST and each[-1] in ".?!:"]


def prose() -> str:
    """All paragraphs of the six notebooks of the lecture, one a line, each once."""
    found = {}
    for path in notebook_paths(LECTURE):
        for cell in markdown_cells(load(path)):
            found |= dict.fromkeys(paragraphs(cell.source.partition("References")[0]))
    return "\n".join(found) + "\n"


def main() -> None:
    """Write the file; print its size and its SHA-256."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    content = prose().encode("ascii")
    (DATA_DIR / FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    print(f"{FILE}: {len(content)} characters, SHA-256 {digest}")


if __name__ == "__main__":
    main()
