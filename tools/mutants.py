"""Mutants of the notebooks: does a ✓ line, a check or an error notice a wrong sign?

    python -m tools.mutants 01 [02 ...] [--per-cell 4] [--seed 0] [--some N]
                               [--cell NAME] [--limit 60]

In each ``live`` cell one thing is changed: a sign, a factor, a reduction, an axis, a
comparison, the order of two arguments, a term left out. Then the rest of its section
and the next section run, in a fork of the state before that cell. A mutant is *killed*
by an error (``verify`` raises one), *seen* if only other text is printed, *silent* if
nothing changes. Trainings are short, as in the tests. ``docs/mutants.csv`` lists those
that change nothing, each with its reason; they do not count. It forks: not on Windows.
"""

import argparse
import ast
import contextlib
import copy
import csv
import io
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import NOTEBOOKS, ROOT, label, load, notebook_paths, tags

HARMLESS = ROOT / "docs" / "mutants.csv"
TWINS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
TURNED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
METHODS = {
    **{"mean": "sum", "sum": "mean", "max": "min", "min": "max", "amax": "amin"},
    **{"sqrt": "square", "square": "abs", "exp": "expm1", "log": "log1p"},
    **{"softmax": "sigmoid", "prod": "sum", "logsumexp": "sum", "std": "var"},
}
SYMMETRIC = {"verify", "stack", "cat", "zip", "isinstance", "js", "total_variation"}
SYMMETRIC |= {"maximum", "minimum", "allclose", "where", "torch.equal"}
# what only draws, prints or chooses points at random is no claim
ASIDE = {"print", "subplots", "explore", "play", "show", "setup", "seeded", "range"}
ASIDE |= {"linspace", "arange", "manual_seed", "randn", "rand", "tensor", "progress"}
ASIDE_OF = {"ax", "axes", "plt", "figure", "pictures", "exercises"}
FREE = {"atol", "rtol", "seed", "generator", "n", "samples", "grid", "label", "title"}


@dataclass(frozen=True)
class Mutant:
    """One change of a cell: what it is, and the source of the cell with it."""

    cell: str
    change: str
    line: str
    source: str


def called(node: ast.Call) -> str:
    """The last name of what is called: ``mean`` of ``x.mean()``."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def is_aside(node: ast.AST) -> bool:
    """Calls in which nothing is computed that a claim could be about."""
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.JoinedStr)
    owner = getattr(getattr(node.func, "value", None), "id", "")
    return called(node) in ASIDE or owner in ASIDE_OF


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may be wrong at this node: a name for each change, and the changed node."""
    new = copy.copy(node)
    match node:
        case ast.BinOp(op=op) if type(op) in TWINS:
            other = TWINS[type(op)]
            new.op = other()
            yield f"{type(op).__name__} → {other.__name__}", new
            if isinstance(op, ast.Add | ast.Sub):
                yield "a term left out", node.left
        case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield "minus left out", node.operand
        case ast.Constant(value=0.5 | 2 | 2.0) if not isinstance(node.value, bool):
            new.value = 2 * node.value if isinstance(node.value, float) else 3
            yield f"{node.value} → {new.value}", new
        case ast.Compare(ops=[op]) if type(op) in TURNED:
            new.ops = [TURNED[type(op)]()]
            yield "comparison turned round", new
        case ast.keyword(arg="dim" | "axis", value=ast.Constant(value=0 | 1 | -1 as d)):
            new.value = ast.Constant({0: 1, 1: 0, -1: 0}[d])
            yield f"{node.arg}={d} → {new.value.value}", new
        case ast.Call(func=ast.Attribute(attr="detach", value=inner)):
            yield "detach left out", inner
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
            new.func = copy.copy(node.func)
            new.func.attr = METHODS[name]
            yield f"{name} → {METHODS[name]}", new
    if isinstance(node, ast.Call) and len(node.args) > 1:
        first, second, *rest = node.args
        plain = not any(
            isinstance(a, ast.Constant | ast.Starred) for a in node.args[:2]
        )
        if plain and called(node) not in SYMMETRIC:
            new = copy.copy(node)
            new.args = [second, first, *rest]
            yield f"{called(node)}: first two arguments exchanged", new


def sites(node: ast.AST) -> Iterator[ast.AST]:
    """Every node of a cell that a claim could be about."""
    if is_aside(node) or isinstance(node, ast.Import | ast.ImportFrom):
        return
    yield node
    words = (
        node.args[:1] if isinstance(node, ast.Call) and called(node) == "verify" else []
    )
    for child in ast.iter_child_nodes(node):
        free = isinstance(child, ast.keyword) and child.arg in FREE
        if not free and child not in words:
            yield from sites(child)


class Exchange(ast.NodeTransformer):
    """Puts ``new`` where ``old`` is."""

    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def mutants_of(name: str, source: str) -> list[Mutant]:
    """All mutants of a cell, without doubles."""
    plain = ast.unparse(ast.parse(source))
    found = {plain: None}
    for place, node in enumerate(sites(ast.parse(source))):
        for which, (change, _) in enumerate(changes(node)):
            tree = ast.parse(source)  # a new one for each: the exchange is in place
            old = list(sites(tree))[place]
            text = ast.unparse(Exchange(old, list(changes(old))[which][1]).visit(tree))
            pairs = zip(plain.splitlines(), text.splitlines(), strict=False)
            line = next((b.strip() for a, b in pairs if a != b), "")
            found.setdefault(text, Mutant(name, change, line, text))
    return [mutant for mutant in found.values() if mutant]


def chosen(mutants: list[Mutant], n: int, rng: random.Random) -> list[Mutant]:
    """``n`` of them, as many kinds of change as there are."""
    rng.shuffle(mutants)
    seen, order = Counter(), []
    for mutant in mutants:
        order.append((seen[mutant.change], len(order), mutant))
        seen[mutant.change] += 1
    return [mutant for *_, mutant in sorted(order, key=lambda entry: entry[:2])[:n]]


def harmless() -> set[tuple[str, str]]:
    """(cell, changed line) of the mutants that change nothing, from the list."""
    with HARMLESS.open(encoding="utf-8", newline="") as file:
        return {(row["cell"], row["line"]) for row in csv.DictReader(file)}


class Stage:
    """One notebook, played in this process; a mutant plays in a fork of it."""

    def __init__(self, path: Path):
        import matplotlib
        from matplotlib import pyplot as plt

        matplotlib.use("Agg")
        plt.show = lambda: plt.close("all")
        self.path, self.namespace, self.printed = path, {"__name__": "__main__"}, {}
        self.namespace["display"] = lambda *what: print(*what)
        self.cells, heads = [], []
        for cell in load(path).cells:
            if cell.cell_type == "code":
                self.cells.append(cell)
            elif cell.source.startswith("## "):
                heads.append(len(self.cells))
        self.heads = [*heads, len(self.cells)]
        os.chdir(NOTEBOOKS)

    def play(self, source: str) -> str:
        """Run one cell; returns what it prints, raises what it raises."""
        out = io.StringIO()
        source = re.sub(r"^EPOCHS = \d+$", "EPOCHS = 1", source, flags=re.MULTILINE)
        source = re.sub(r"^EFFORT = 1.0$", "EFFORT = 0.05", source, flags=re.MULTILINE)
        tree = ast.parse(source)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):  # a kernel shows the last value of a cell
            tree.body[-1] = ast.Expr(
                ast.Call(ast.Name("display", ast.Load()), [last.value], [])
            )
        code = compile(ast.fix_missing_locations(tree), "<cell>", "exec")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            exec(code, self.namespace)
        return out.getvalue()

    def until(self, index: int) -> int:
        """Where the section after that of cell ``index`` ends."""
        later = [head for head in self.heads if head > index]
        return later[min(1, len(later) - 1)]

    def attempt(self, index: int, source: str, limit: float) -> dict:
        """What a mutant does, seen from a fork: printed texts, and the error if any."""
        place = tempfile.TemporaryDirectory()
        report = Path(place.name) / "report.json"
        if (child := os.fork()) == 0:
            with contextlib.suppress(BaseException):
                report.write_text(json.dumps(self._rest(index, source, limit)), "utf-8")
            os._exit(0)
        deadline = time.monotonic() + limit + 30
        while os.waitpid(child, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
            time.sleep(0.01)
        done = json.loads(report.read_text("utf-8")) if report.exists() else {}
        place.cleanup()
        return done or {"error": "it ended the process", "texts": {}}

    def _rest(self, index: int, source: str, limit: float) -> dict:
        begin, texts = time.monotonic(), {}
        for place in range(index, self.until(index)):
            if time.monotonic() - begin > limit:
                break
            text = source if place == index else self.cells[place].source
            try:
                texts[str(place)] = self.play(text)
            except Exception as error:
                what = f"{type(error).__name__}: {error}".splitlines()[0][:90]
                return {"error": f"{label(self.cells[place])}: {what}", "texts": texts}
        return {"error": "", "texts": texts}


def verdict(done: dict, printed: dict[str, str]) -> str:
    """killed, seen or silent; a check that no longer passes is a kill, too."""
    if done["error"]:
        return "killed"
    changed = [k for k, text in done["texts"].items() if text != printed[k]]
    crosses = [
        k for k in changed if done["texts"][k].count("✗") > printed[k].count("✗")
    ]
    return "killed" if crosses else "seen" if changed else "silent"


def run(path: Path, options) -> Counter:
    """Play a notebook with its mutants, print a line for each, count the verdicts."""
    stage, rng, known = Stage(path), random.Random(options.seed), harmless()
    plan = {}
    for index, cell in enumerate(stage.cells):
        if "live" in tags(cell) and options.cell in ("", label(cell)):
            every = mutants_of(label(cell), cell.source)
            every = [m for m in every if (m.cell, m.line) not in known]
            plan[index] = chosen(every, options.per_cell, rng)
    if options.some:
        pairs = [(index, mutant) for index, many in plan.items() for mutant in many]
        kept = rng.sample(pairs, min(options.some, len(pairs)))
        plan = {i: [m for j, m in kept if j == i] for i in plan}
    results = []
    for index, cell in enumerate(stage.cells):
        results += [
            (m, stage.attempt(index, m.source, options.limit))
            for m in plan.get(index, [])
        ]
        stage.printed[str(index)] = stage.play(cell.source)
    counts = Counter()
    for mutant, done in results:
        word = verdict(done, stage.printed)
        counts[word] += 1
        if word != "killed" or options.all:
            print(f"{word:7} {mutant.cell:24} {mutant.change:36} {mutant.line}")
    total = counts.total()
    share = 100 * counts["killed"] / max(1, total)
    others = f"{counts['seen']} seen, {counts['silent']} silent"
    killed = f"{counts['killed']} of {total} mutants killed ({share:.0f} %)"
    print(f"{path.stem}: {killed}, {others}", flush=True)
    return counts


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("names", nargs="+", help="01 02 ...")
    options.add_argument("--per-cell", type=int, default=4, help="at most, in one cell")
    options.add_argument("--some", type=int, default=0, help="so many in a notebook")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--limit", type=float, default=60, help="seconds for a mutant")
    options.add_argument("--cell", default="", help="only this cell")
    options.add_argument("--all", action="store_true", help="print the killed, too")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants of the notebooks that are named."""
    options = parser().parse_args(arguments)
    if not hasattr(os, "fork"):
        print("mutants play in forks of a process, which this system has not")
        return 1
    for path in notebook_paths(options.names):
        if (child := os.fork()) == 0:  # each notebook in a process of its own
            run(path, options)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
