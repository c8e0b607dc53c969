"""What the checks say, in the language of the reader (``setup(language="vi")``).

Messages are written in English where they arise. ``say`` looks them up in the table of
the chosen language (gettext; ``course_utils/locale``); what has no translation stays
English. Values are put in after the translation: ``say("{n} values", n=3)``. ``tell``
prints, whatever letters the output knows.
"""

import gettext
import sys
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("en", "vi")

_table: gettext.NullTranslations = gettext.NullTranslations()


def use(language: str = "en") -> None:
    """Say everything in ``language`` from now on: "en" or "vi"."""
    global _table
    if language not in LANGUAGES:
        raise ValueError(f"language must be 'en' or 'vi', got {language!r}")
    # English is written in the code: it needs no table
    _table = gettext.translation("checks", LOCALE, [language], fallback=True)


def say(message: str, **values) -> str:
    """``message`` in the language in use, with the values in their places."""
    text = _table.gettext(message) if message else ""
    return text.format(**values) if values else text


def tell(text: str) -> None:
    """Print ``text``; a letter that the output does not know as its number: \\u2713.

    So it is where a script of the reader writes into a file on Windows (cp1252).
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
