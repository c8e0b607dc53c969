"""The pages of the package: one for each room, one for the floor, by autodoc."""

import ast
import importlib
import re
import sys
from pathlib import Path

from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer

from tools import ROOT

PACKAGE = ROOT / "course_utils"
HEAD = """\
# The package

`course_utils` has one room for each notebook, and a floor that they share. A name in
the code of a notebook leads here, and from here *[source]* leads to its lines. The
exercises are left out: their solutions stand folded in the notebooks.

"""
FLOOR = """\
# The floor

What several rooms share: data, seeds, quadrature, `verify`, sliders, colours.

"""
DESCRIBED = re.compile(r"automodule:: (\S+)")
MARKUP = re.compile(r"(``.*?``|(?<![\w*])\*\w[^*\n]*\w\*(?![\w*]))", re.DOTALL)


def rooms() -> list[Path]:
    """The folders of the rooms, in the order of their notebooks."""
    found = [path.parent for path in PACKAGE.glob("*/__init__.py")]
    return sorted(filter(_number, found), key=_number)


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _number(room: Path) -> str:
    match = re.match(r"Notebook (\d\d)", _docstring(room / "__init__.py"))
    return match[1] if match else ""


def pages() -> dict[str, str]:
    """The pages by their paths in the source of the website."""
    texts, lines = {}, []
    for room in rooms():
        about = _docstring(room / "__init__.py")
        modules = [path.stem for path in room.glob("*.py") if path.stem[0] != "_"]
        modules.sort(key=lambda name: (about.find(f"``{name}``") % 10**6, name))
        parts = [_automodule(f"{room.name}", members=False)]
        parts += [_section(f"{room.name}.{name}") for name in modules]
        texts[f"api/{room.name}.md"] = f"# {room.name}\n\n" + "\n".join(parts)
        first = about.partition("\n")[0]
        lines.append(f"- [{room.name}]({room.name}.md): {first[0].lower()}{first[1:]}")
    files = [p for p in PACKAGE.glob("*.py") if p.stem[0] != "_"]
    names = sorted(path.stem for path in files)
    texts["api/floor.md"] = FLOOR + "\n".join(map(_section, [*names, "checks"]))
    lines.append("- [floor](floor.md): " + ", ".join(f"`{name}`" for name in names))
    names = [*(room.name for room in rooms()), "floor"]
    tree = ["", "```{toctree}", ":hidden:", *names, "```", ""]
    texts["api/index.md"] = HEAD + "\n".join([*lines, *tree])
    return texts


def _section(name):
    return f"## {name}\n\n" + _automodule(name)


def _automodule(name, members=True):
    option = "" if members else "   :no-members:\n"
    text = f".. automodule:: course_utils.{name}\n{option}"
    return f"```{{eval-rst}}\n{text}```\n"


def escape(app, what, name, item, options, lines):
    """Docstrings are prose: only ``code`` and *emphasis* in them are markup."""
    parts = MARKUP.split("\n".join(lines))
    parts[::2] = [re.sub(r"([*|`\\]|_\b)", r"\\\1", part) for part in parts[::2]]
    parts[2::2] = [re.sub(r"^\b", r"\\ ", part) for part in parts[2::2]]  # ``State``s
    lines[:] = "".join(parts).split("\n")


def import_package(app):
    """Import all that autodoc describes, once, before Sphinx forks.

    And let autodoc read the sources of the course alone: torch's take it longer.
    """
    for name in DESCRIBED.findall("".join(pages().values())):
        importlib.import_module(name)
    for name in sys.modules:
        if not name.startswith("course_utils"):
            ModuleAnalyzer.cache["module", name] = PycodeError("not of the course")


def without_menu(app, name, template, context, doctree):
    """A listing shows no menu of pages (``conf.py``), so the theme need not make it."""
    if name.startswith("_modules/"):
        context.pop("toctree", None)


def setup(app):
    """Let Sphinx read the docstrings of the course as prose."""
    app.connect("autodoc-process-docstring", escape)
    app.connect("builder-inited", import_package)
    app.connect("html-page-context", without_menu, priority=1)  # before the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
