"""``python -m tools.translations``: the table of messages of the checks, renewed.

Collects what the checks can say, from the code of ``course_utils/checks`` and from the
exercises; keeps the translations that are there (``vi.po``), adds what is new, drops
what is no longer said, and compiles the table (``vi.mo``). It prints what has no
translation yet, and what is translated badly: a value that is missing or new.
"""

import ast
import io
import re
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from course_utils.checks.__main__ import ROOMS, exercises
from course_utils.checks.slips import COMMON
from course_utils.messages import LOCALE
from tools import ROOT

FOLDER = LOCALE / "vi" / "LC_MESSAGES"
CODE = ROOT / "course_utils" / "checks"


def _said_by(path: Path) -> list[str]:
    """Texts in a module that are no docstrings: those with a space are messages."""
    tree = ast.parse(path.read_text("utf-8"))
    away = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    away |= {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }  # fmt: skip
    keys = [
        key
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
    ]
    away |= {id(key) for key in keys}
    away |= {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for part in ast.walk(node)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in away
        and re.search(r"[a-zà-ž]{2,}", node.value)
        and (" " in node.value.strip() or node.value in WORDS)
    ]


WORDS = {"correct", "large", "small", "number"}
SHEET = ["expected is", "{n} more are made from the solution"]  # the rest: options


def messages() -> list[str]:
    """Everything that is said to learners, without repetition."""
    found = []
    for path in sorted(CODE.glob("*.py")):
        found += SHEET if path.stem == "__main__" else _said_by(path)
    for number in ROOMS:
        for each in exercises(number):
            found += [each.expected, *each.hints, *each.error_hints.values()]
            found += [extreme.hint for extreme in each.extremes]
            found += [mistake.hint for mistake in each.mistakes]
    unsaid = {*COMMON, *(text for text in found if text.startswith(('"""', "#")))}
    return [text for text in dict.fromkeys(found) if text and text not in unsaid]


def values(text: str) -> set[str]:
    """The names of the values in a message."""
    return {re.split(r"[!:]", name)[0] for name in re.findall(r"{([^{}]*)}", text)}


def renewed() -> Catalog:
    """The table with today's messages, and the translations that were there."""
    old = Catalog(locale="vi")
    path = FOLDER / "checks.po"
    if path.exists():
        old = read_po(io.BytesIO(path.read_bytes()), locale="vi")
    new = Catalog(
        locale="vi", project="course-utils", charset="utf-8", creation_date=None,
        header_comment="# What the checks of the exercises say.",
    )  # fmt: skip
    for text in messages():
        before = old.get(text)
        new.add(text, before.string if before else "")
    return new


def as_po(catalog: Catalog) -> bytes:
    """The table as text, without dates."""
    out = io.BytesIO()
    write_po(out, catalog, width=88, sort_output=False, omit_header=False)
    lines = out.getvalue().decode().split("\n")
    dated = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Trans')
    dated += ('"Report-Msgid', '"Language-Team', '"Project-Id')
    return "\n".join(line for line in lines if not line.startswith(dated)).encode()


def as_mo(po: bytes) -> bytes:
    """The compiled table, as gettext reads it."""
    catalog, out = read_po(io.BytesIO(po), locale="vi"), io.BytesIO()
    # else the head of the table holds the minute at which it was made
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(out, catalog)
    return out.getvalue()


def faults(catalog: Catalog) -> list[str]:
    """What is not translated, or not with the same values."""
    found = []
    for message in catalog:
        if not message.id:
            continue
        if not message.string:
            found.append(f"not translated: {message.id}")
        elif values(message.id) != values(message.string):
            found.append(f"other values: {message.id} -> {message.string}")
    return found


def main() -> None:
    """Renew both files and print the faults."""
    catalog = renewed()
    FOLDER.mkdir(parents=True, exist_ok=True)
    po = as_po(catalog)
    (FOLDER / "checks.po").write_bytes(po)
    (FOLDER / "checks.mo").write_bytes(as_mo(po))
    print("\n".join(faults(catalog)))


if __name__ == "__main__":
    main()
