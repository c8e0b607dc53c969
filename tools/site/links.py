"""From a name in the code of a notebook to its place in the pages of the package."""

import ast
import importlib
import re
from collections.abc import Iterator
from types import ModuleType

from nbformat import NotebookNode

from tools import code_cells

CODE = re.compile(r'(<div class="cell_input .*?<pre>)(.*?)(</pre>)', re.DOTALL)
CHAIN = re.compile(
    r'(?<!<span class="o">\.</span>)'
    r'(?:<span class="nn">(?P<module>course_utils[\w.]*)</span>'
    r'|(?P<chain><span class="n[a-z]?">\w+</span>'
    r'(?:<span class="o">\.</span><span class="n[a-z]?">\w+</span>)*))'
)
NAME = re.compile(r">(\w+)<")


def link(page: str, notebook: NotebookNode, places: dict[str, str]) -> str:
    """A page whose code leads to ``places`` (dotted name → address).

    Raises ``ValueError`` where the page has not the cells of its notebook.
    """
    names = list(known_names(notebook))
    if len(CODE.findall(page)) != len(names):
        raise ValueError("the page does not show every cell of its notebook")
    waiting = iter(names)

    def cell(match):
        known = next(waiting)
        code = CHAIN.sub(lambda found: _linked(found, known, places), match[2])
        return match[1] + code + match[3]

    return CODE.sub(cell, page)


def known_names(notebook: NotebookNode) -> Iterator[dict[str, str]]:
    """For each code cell, what its names mean: name → dotted name in the package.

    A name that a cell defines means no longer what was imported.
    """
    known: dict[str, str] = {}
    for cell in code_cells(notebook):
        tree = ast.parse(cell.source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    if name.asname:
                        known[name.asname] = name.name
            elif isinstance(node, ast.ImportFrom):
                for name in node.names:
                    known[name.asname or name.name] = f"{node.module}.{name.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.pop(node.id, None)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.pop(node.name, None)
        yield {k: v for k, v in known.items() if v.startswith("course_utils")}


def _linked(found, known, places):
    """The tokens of a chain of names, the longest part that has a place as a link."""
    if found["module"]:
        return _anchor(found[0], found["module"], places) or found[0]
    head, *attributes = NAME.findall(found["chain"])
    if head not in known:
        return found[0]
    tokens = found["chain"].split('<span class="o">.</span>')
    dot = '<span class="o">.</span>'
    for end in range(len(tokens), 0, -1):
        name = true_name(".".join([known[head], *attributes[: end - 1]]))
        if anchor := name and _anchor(dot.join(tokens[:end]), name, places):
            return dot.join([anchor, *tokens[end:]])
    return found[0]


def _anchor(code, name, places):
    address = places.get(name)
    return address and f'<a class="to-source" href="{address}">{code}</a>'


def true_name(dotted: str) -> str | None:
    """Where a name of the package is defined: rooms hand on names of their files."""
    thing: object = importlib.import_module("course_utils")
    for part in dotted.split(".")[1:]:
        if not hasattr(thing, part) and isinstance(thing, ModuleType):
            try:
                importlib.import_module(f"{thing.__name__}.{part}")
            except ImportError:
                return None
        thing = getattr(thing, part, None)
    if isinstance(thing, ModuleType):
        return thing.__name__
    module, name = (getattr(thing, k, None) for k in ("__module__", "__qualname__"))
    return f"{module}.{name}" if module and name else None
