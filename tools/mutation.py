"""Mutants of the package: does a test notice a wrong sign in a model?

    pip install mutmut==3.8.1           # not in the lock: only authors need it
    python -m tools.mutation [course_utils/gan/losses.py ...] [--sample 40] [--seed 0]
                             [--minutes 60] [--known docs/mutation.csv]

Of each module (all of ``MODULES``, if none is named) it draws ``--sample`` mutants of
mutmut: another operator, number, argument, keyword or branch. Only the tests of that
module run, ``tests/<room>/test_<module>*.py``; a module without any has those of its
room. The working tree is copied first, and nothing in it changes. A mutant that
differs in a text alone is not drawn: texts have tests of their own. Those that change
nothing which could be seen stand in ``docs/mutation.csv``, each with its reason.
mutmut forks, so this does not run on Windows.
"""

import argparse
import ast
import contextlib
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import metadata
from pathlib import Path

from tools import ROOT

MUTMUT = "3.8.1"
KNOWN = ROOT / "docs" / "mutation.csv"
MODULES = (
    "verification.py",
    *(f"mixture/{name}.py" for name in ("model", "em", "climb", "starts")),
    *(f"variational/{name}.py" for name in ("amortized", "bounds", "families")),
    *(f"variational/{name}.py" for name in ("gradients", "mean_field", "oracles")),
    "variational/ppca.py",
    *(f"vae/{name}.py" for name in ("model", "training", "codes")),
    *(f"gan/{name}.py" for name in ("losses", "steps", "training")),
    *(f"divergences/{name}.py" for name in ("measures", "mmd", "fits")),
    *(f"checks/{name}.py" for name in ("attempts", "calls", "choice", "diagnosis")),
    *(f"checks/{name}.py" for name in ("edits", "exercise", "relations", "shelf")),
    *(f"checks/{name}.py" for name in ("slips", "words")),
)
# mutmut leaves these two as they are, and all other decorated functions out
KEPT = {"staticmethod", "classmethod"}
# mutmut's code for a test that fails (1), that cannot run (2, 3), and for none (33)
VERDICT = {0: "survived", 1: "killed", 2: "killed", 3: "killed", 33: "survived"}


def tests_of(module: str, root: Path = ROOT) -> list[str]:
    """The test files of ``course_utils/<room>/<module>.py``, else those of its room.

    Files for mutants that lived once (``_mutants``) do not stand for a module alone.
    """
    path = Path(module)
    room = "floor" if path.parent.name == "course_utils" else path.parent.name
    folder = root / "tests" / room
    names = (f"test_{path.stem}.py", f"test_{path.stem}_*.py")
    found = [p for name in names for p in folder.glob(name)]
    found = [p for p in found if not _of_another_module(p, path, root)]
    if all(p.stem.endswith("_mutants") for p in found):
        return [f"tests/{room}"]
    return sorted(p.relative_to(root).as_posix() for p in found)


def _of_another_module(test: Path, module: Path, root: Path) -> bool:
    """``test_mean_field_gate.py`` is one of ``mean_field.py``, not of ``mean.py``."""
    longer = [p.stem for p in (root / module.parent).glob(f"{module.stem}_*.py")]
    return any(test.stem.startswith(f"test_{stem}") for stem in longer)


def plain(source: str) -> str:
    """The same program with ``name = decorator(name)`` below a decorated function."""
    lines = source.splitlines()
    for node in sorted(_decorated(ast.parse(source)), key=lambda n: -n.lineno):
        first = node.decorator_list[0].lineno - 1
        calls = [
            f"{' ' * node.col_offset}{node.name} = {ast.unparse(d)}({node.name})"
            for d in reversed(node.decorator_list)
        ]
        body = lines[node.lineno - 1 : node.end_lineno]
        lines[first : node.end_lineno] = [*body, *calls]
    return "\n".join(lines) + "\n"


def _decorated(tree: ast.Module) -> list[ast.FunctionDef]:
    """Decorated functions of a module and of its classes, not of its functions."""
    bodies = [tree.body, *(n.body for n in tree.body if isinstance(n, ast.ClassDef))]
    functions = [n for body in bodies for n in body if isinstance(n, ast.FunctionDef)]
    return [
        f
        for f in functions
        if f.decorator_list
        and not {getattr(d, "id", "") for d in f.decorator_list} & KEPT
    ]


def changed_lines(mutated: str) -> dict[str, str]:
    """The changed line of each mutant in a file that mutmut wrote, by its short name.

    Those are left out that differ from the original in a text alone.
    """
    functions = [
        n for n in ast.walk(ast.parse(mutated)) if isinstance(n, ast.FunctionDef)
    ]
    texts = {n.name: _body(n) for n in functions if "__mutmut_" in n.name}
    found = {}
    for name, (text, bare) in texts.items():
        old, old_bare = texts[name.rpartition("__mutmut_")[0] + "__mutmut_orig"]
        if bare != old_bare:
            olds, news = old.splitlines(), text.splitlines()
            pairs = zip(olds, [*news, *[""] * len(olds)], strict=False)
            found[name] = next(b.strip() for a, b in pairs if a != b)
    return found


def _body(function: ast.FunctionDef) -> tuple[str, str]:
    """A function without its name; and what it does, whatever its texts say."""
    function.name, function.decorator_list = "f", []
    return ast.unparse(function), ast.dump(_Bare().visit(function))


class _Bare(ast.NodeTransformer):
    """Puts one empty text for all texts, and for the None that stands for one."""

    def visit_Constant(self, node):
        is_text = node.value is None or isinstance(node.value, str)
        return ast.Constant("") if is_text else node

    def visit_JoinedStr(self, node):
        return ast.Constant("")


def function_of(mutant: str) -> str:
    """``GaussianMixture.sample`` of mutmut's name for one of its mutants."""
    name = mutant.rpartition(".")[2].rpartition("__mutmut_")[0]
    return name.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


class Copy:
    """A copy of the working tree, in which mutmut may write."""

    def __init__(self, folder: Path):
        self.folder = folder
        command = ["git", "ls-files", "-co", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file() and not name.startswith("docs/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    def prepare(self, module: str) -> None:
        """Undecorate ``module``, and tell mutmut about it and its tests."""
        shutil.rmtree(self.folder / "mutants", ignore_errors=True)
        (self.folder / module).write_text(plain((ROOT / module).read_text("utf-8")))
        others = sorted(p.name for p in self.folder.iterdir() if p.name != "setup.cfg")
        options = ["-p", "no:nbval", "-o", "addopts=--import-mode=importlib"]
        settings = {
            "source_paths": [module],
            "pytest_add_cli_args_test_selection": tests_of(module, self.folder),
            "pytest_add_cli_args": options,
            "also_copy": others,
        }
        # without a server, a mutant finds the caches full that tests have left before
        text = "[mutmut]\nprocess_isolation = forkserver\n"
        for name, values in settings.items():
            text += "\n    ".join([f"{name} =", *values]) + "\n"
        (self.folder / "setup.cfg").write_text(text)

    def mutmut(self, *names: str) -> str:
        """Run the mutants of these names (the tests alone, if none has such a name)."""
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COURSE_UNTOUCHED": "1"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr

    def verdicts(self, module: str) -> dict[str, int | None]:
        """mutmut's code of each mutant of ``module``; None if it was not run."""
        path = self.folder / "mutants" / f"{module}.meta"
        return json.loads(path.read_text("utf-8"))["exit_code_by_key"]


def known_mutants(path: Path = KNOWN) -> set[tuple[str, str, str]]:
    """(module, function, changed line) of those that change nothing to be seen."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["module"], row["function"], row["line"]) for row in rows}


def run(module: str, copy: Copy, options, known) -> Counter:
    """A sample of the mutants of ``module``: a line for each that no test notices."""
    begin = time.monotonic()
    copy.prepare(module)
    output = copy.mutmut("none of them")
    if "nothing matches" not in output:
        raise SystemExit(
            f"the tests of {module} fail without a mutant:\n{output[-3000:]}"
        )
    lines = changed_lines((copy.folder / "mutants" / module).read_text("utf-8"))
    every = sorted(n for n in copy.verdicts(module) if n.rpartition(".")[2] in lines)
    rng = random.Random(f"{module} {options.seed}")
    chosen = rng.sample(every, min(options.sample, len(every)))
    output = copy.mutmut(*chosen)
    verdicts, counts = copy.verdicts(module), Counter()
    for name in sorted(chosen):
        if verdicts[name] is None:
            raise SystemExit(f"{name} was not run:\n{output[-3000:]}")
        word = VERDICT.get(verdicts[name], "stopped")
        function, line = function_of(name), lines[name.rpartition(".")[2]]
        if word == "survived" and (module, function, line) in known:
            word = "harmless"
        counts[word] += 1
        if word == "survived":
            print(f"    {function}: {line}")
    parts = ", ".join(f"{counts[w]} {w}" for w in ("killed", "stopped", "harmless"))
    seconds = time.monotonic() - begin
    total = f"{counts.total()} of {len(every)} mutants, {parts}"
    print(
        f"{module}: {total}, {counts['survived']} survived ({seconds:.0f} s)",
        flush=True,
    )
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Run samples of mutants; 1 if one of them survives without a reason."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("modules", nargs="*", help="course_utils/gan/losses.py ...")
    options.add_argument("--sample", type=int, default=40, help="of each module")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--minutes", type=float, default=60, help="no module after it")
    options.add_argument("--known", type=Path, default=KNOWN)
    options = options.parse_args(arguments)
    with contextlib.suppress(metadata.PackageNotFoundError):
        if metadata.version("mutmut") == MUTMUT and hasattr(os, "fork"):
            return run_all(options)
    print(f"this needs a system with forks, and: pip install mutmut=={MUTMUT}")
    return 1


def run_all(options) -> int:
    """Run the samples that the options ask for."""
    known, total = known_mutants(options.known), Counter()
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="course-mutants-") as folder:
        copy = Copy(Path(folder))
        for module in options.modules or [f"course_utils/{m}" for m in MODULES]:
            if time.monotonic() > end:
                print(f"{module}: not run, the time is over")
                continue
            total += run(module, copy, options, known)
    noticed = total["killed"] + total["stopped"]
    counted = total.total() - total["harmless"]
    print(f"{noticed} of {counted} that change something are noticed")
    return int(total["survived"] > 0)


if __name__ == "__main__":
    sys.exit(main())
