"""The 90-minute path of a notebook: the cells tagged ``core``, run alone.

python -m tools.paths [names]      run the path of each notebook; print what it took

The path is closed: what a cell of it needs is made by an earlier one. Where the full
notebook makes it in a cell that the path skips, a cell tagged ``checkpoint`` does.
"""

import ast
import builtins
import sys
from collections.abc import Iterator

from nbformat import NotebookNode

from tools import (
    NOTEBOOKS,
    NotebookError,
    code_cells,
    label,
    load,
    notebook_paths,
    tags,
)
from tools.notebooks import execute

BUILT_IN = {*dir(builtins), "__name__", "get_ipython", "display"}


def core(notebook: NotebookNode) -> NotebookNode:
    """The notebook of the path alone: its ``core`` cells, Markdown and code."""
    path = NotebookNode(notebook)
    path.cells = [cell for cell in notebook.cells if "core" in tags(cell)]
    return path


def bound(source: str) -> set[str]:
    """The names that a cell makes: assigned, imported, defined, in loops and withs."""
    made = set()
    for node in _of_the_cell(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            made |= {name.asname or name.name.split(".")[0] for name in node.names}
    return made


def needed(source: str) -> set[str]:
    """The names that a cell takes from earlier cells, in its functions as well."""
    tree = ast.parse(source)
    own = bound(source)
    read, inside = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else inside).add(node.id)
        elif isinstance(node, ast.arg):
            inside.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            inside.add(node.name)
    first_read = _read_before_bound(tree)
    return ((read - inside - own) | first_read) - BUILT_IN


def missing(notebook: NotebookNode) -> Iterator[str]:
    """One line for each name that the path needs and only a skipped cell makes."""
    known, elsewhere = set(), {}
    for cell in code_cells(notebook):
        if "core" not in tags(cell):
            elsewhere |= dict.fromkeys(bound(cell.source), label(cell))
            continue
        for name in sorted(needed(cell.source) - known):
            if name in elsewhere:
                yield f"{label(cell)}: needs {name}, which {elsewhere[name]} makes"
        known |= bound(cell.source)


def _of_the_cell(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes whose names belong to the cell: not those inside a function."""
    for child in ast.iter_child_nodes(node):
        yield child
        scopes = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
        comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
        if not isinstance(child, (*scopes, *comprehensions)):
            yield from _of_the_cell(child)


def _read_before_bound(tree: ast.Module) -> set[str]:
    """Names that a statement reads although only it or a later one binds them."""
    done, found = set(), set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            done.add(statement.name)
            continue
        stored = bound(ast.unparse(statement))
        loads = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            found |= (loads & stored) - done
        changed = [
            node.target
            for node in (statement, *_of_the_cell(statement))
            if isinstance(node, ast.AugAssign)
        ]
        found |= {t.id for t in changed if isinstance(t, ast.Name)} - done
        done |= stored
    return found


def main(names: list[str]) -> int:
    """Run the paths; returns the exit status."""
    for path in notebook_paths(names, NOTEBOOKS):
        try:
            print(f"{path.stem}: {execute(core(load(path)), path.stem, path.parent)}")
        except NotebookError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
