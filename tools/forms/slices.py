"""What a later part of a notebook needs of an earlier one: the statements, no more.

A program is a list of statements. Go through it from the end to the start, and keep the
set of names that are still wanted. A statement that makes one of them is needed; its
names leave the set, and what it reads comes in. (Compilers call this set the live
variables.) Pictures, prints and claims make no names, so they fall out by themselves.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from nbformat import NotebookNode

from tools import code_cells, tags
from tools.paths import bound, needed

# Calls that change nothing that they are given
PURE = {"verify", "print", "explore", "play", "display", "chosen", "isinstance", "len"}
ALONE = (ast.Expr, ast.For, ast.While, ast.With)


@dataclass(frozen=True)
class Statement:
    """A statement of a cell: its text, and the names that it makes, reads, changes.

    ``kind`` is "import", "exercise" (a stub, or what the reader wrote), or empty.
    """

    text: str
    makes: frozenset[str]
    reads: frozenset[str]
    changes: frozenset[str]
    kind: str

    @property
    def is_definition(self) -> bool:
        """Whether it defines a function or a class."""
        return isinstance(ast.parse(self.text).body[0], (ast.FunctionDef, ast.ClassDef))


def statements(cell: NotebookNode) -> tuple[Statement, ...]:
    """The statements of a cell, in order."""
    return _statements(cell.source, "exercise" in tags(cell), "trains" in tags(cell))


@cache
def _statements(source: str, exercise: bool, trains: bool) -> tuple[Statement, ...]:
    lines, found = source.splitlines(), []
    for node in ast.parse(source).body:
        above = [part.lineno for part in getattr(node, "decorator_list", [])]
        text = "\n".join(lines[min([node.lineno, *above]) - 1 : node.end_lineno])
        kind = "exercise" if exercise else ""
        kind = "import" if isinstance(node, (ast.Import, ast.ImportFrom)) else kind
        makes, reads = frozenset(bound(text)), frozenset(needed(text))
        found.append(Statement(text, makes, reads, _changes(node, trains), kind))
    return tuple(found)


def _changes(node: ast.stmt, trains: bool) -> frozenset[str]:
    """The names whose value a statement may change in place.

    That is ``a`` in ``a.append(1)`` and ``a[0] = 1``, and in ``for b in a: b += c``; in
    a cell that trains also what is handed to a function: a network to its trainer.
    """
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return frozenset()
    changed, alone = set(), isinstance(node, ALONE)
    for part in ast.walk(node):
        if isinstance(part, ast.AugAssign):
            changed |= _root(part.target)
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store):
            changed |= _root(part.value)
        if isinstance(part, ast.Call):
            called = _root(part.func)
            changed |= (
                called if alone and isinstance(part.func, ast.Attribute) else set()
            )
            if trains and not called & PURE:
                changed |= {name for argument in part.args for name in _root(argument)}
    for part in ast.walk(node):
        if isinstance(part, ast.For) and _all_names(part.target) & changed:
            changed |= _all_names(part.iter)
    return frozenset(changed)


def _root(node: ast.AST) -> set[str]:
    """The name at the root of ``a``, ``a.b`` or ``a[0]``; none for other things."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _all_names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def wanted(cells: Iterable[NotebookNode]) -> set[str]:
    """The names that these cells need from whatever stands before them."""
    names = set()
    for statement in reversed([s for cell in cells for s in statements(cell)]):
        names = (names - statement.makes) | statement.reads
    return names


def before(cells: list[NotebookNode], names: Iterable[str]) -> list[Statement]:
    """The statements of ``cells`` that make ``names``, in order.

    ``cells`` begin with the set-up cell, which everybody runs. The seeds that cells set
    are among the statements. Whoever calls a function needs the names inside it, too.
    """
    all_before = [s for cell in cells for s in statements(cell)]
    set_up = len(statements(cells[0]))
    modules = {n for s in all_before if s.kind == "import" for n in s.makes}
    inside = {n: s.reads for s in all_before if s.is_definition for n in s.makes}
    live, kept = _with_inner(set(names), inside), []
    for statement in reversed(all_before[set_up:]):
        seeds = statement.text.startswith("torch.manual_seed")
        changed = statement.changes & (live - modules)
        if seeds or statement.makes & live or changed:
            live = (live - statement.makes) | _with_inner(statement.reads, inside)
            kept.append(statement)
    return kept[::-1]


def _with_inner(names: Iterable[str], inside: dict[str, frozenset[str]]) -> set[str]:
    """These names, and those that the functions among them read, and so on."""
    found, new = set(), set(names)
    while new:
        found |= new
        new = {n for name in new for n in inside.get(name, ())} - found
    return found


def needed_later(notebook: NotebookNode, index: int) -> list[str]:
    """The names that a cell makes and a later one reads, as they are made."""
    cells = code_cells(notebook)
    cell = notebook.cells[index]
    at = next(i for i, other in enumerate(cells) if other is cell)
    made = [n for s in statements(cell) for n in sorted(s.makes)]
    later = wanted(cells[at + 1 :])
    return [name for name in dict.fromkeys(made) if name in later]
