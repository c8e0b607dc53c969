"""Answers that stay: ``keep(my_elbo)`` writes to ``my_models.py``, beside the notebook.

An entry has a name of its own, such as ``vae.elbo`` (``my_kl`` occurs in three
notebooks), and the imports that it needs. It is written once it has passed its check in
a fresh interpreter. Keeping again replaces it; the old version stays as a comment.
``kept()`` loads them, and checks each again.
"""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path

from course_utils.checks.choice import accept, name_of, solution_of
from course_utils.checks.exercise import exercise_of
from course_utils.messages import say, tell

FILE = "my_models.py"
HEAD = "# === "  # begins an entry; its name follows
INTRO = (
    '"""What I have written and a check has accepted, one entry after the other."""\n'
)
UNTOUCHED = "COURSE_UNTOUCHED"  # in the environment: nothing is kept
SECONDS = 300  # for the check in a fresh interpreter


class NotKept(Exception):
    """Why an answer cannot be written to the file, in one sentence."""


def keep(answer: Callable, folder: str | Path = ".") -> None:
    """Write ``answer``, which a check has accepted, to ``my_models.py``; say so."""
    solution = solution_of(answer)
    if solution is None:
        tell(say("Not kept: its check comes first, and must say ✓."))
        return
    name = name_of(solution)
    try:
        text = _entry_of(answer)
        _passes(name, text)
    except NotKept as why:
        tell(say("Not kept: {why}", why=why))
        return
    path = Path(folder) / FILE
    entries = _entries(path)
    if (old := entries.get(name)) and old != text:
        was = "".join(f"#   {line}\n" for line in _code(old).splitlines())
        text += f"# before:\n{was}"
    entries[name] = text
    new = path.with_suffix(".new")
    new.write_text(_file(entries), encoding="utf-8")
    os.replace(new, path)  # all of it, or nothing
    tell(say("{name} is kept in {path}.", name=name, path=FILE))


def kept(folder: str | Path | None = None) -> dict[str, Callable]:
    """What the file holds and its checks accept: name -> function; faults are said.

    Without ``folder``, the file beside the notebook; none where the variable
    ``COURSE_UNTOUCHED`` is set, as the tools and the tests do: their outputs are those
    of a reader who has kept nothing.
    """
    if folder is None and os.environ.get(UNTOUCHED):
        return {}
    found = {}
    for name, text in _entries(Path(folder or ".") / FILE).items():
        try:
            function = _function(name, text)
        except NotKept as why:
            tell(say("{name} is skipped: {why}", name=name, why=why))
            continue
        found[name] = function
    return found


def _entries(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    parts = re.split(rf"^{HEAD}(\S+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _file(entries: dict[str, str]) -> str:
    parts = (f"{HEAD}{name}\n{text.rstrip()}\n\n\n" for name, text in entries.items())
    return INTRO + "\n\n" + "".join(parts).rstrip("\n") + "\n"


def _code(text: str) -> str:
    """An entry without its old version."""
    return text.split("# before:\n")[0].rstrip() + "\n"


def _entry_of(answer: Callable) -> str:
    """The function's source, after the imports and the names that it needs."""
    try:
        source = textwrap.dedent(inspect.getsource(answer))
    except (OSError, TypeError):
        raise NotKept(say("its source cannot be read; write it with def")) from None
    tree = ast.parse(source)
    if not isinstance(tree.body[0], ast.FunctionDef):
        raise NotKept(say("write it with def, as a cell of its own"))
    scope, lines, own = answer.__globals__, [], []
    for name in sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}):
        if name == answer.__name__ or name not in scope:
            continue
        value = scope[name]
        if isinstance(value, types.ModuleType):
            lines.append(f"import {value.__name__} as {name}")
        elif isinstance(value, (int, float, str)):
            own.append(f"{name} = {value!r}")
        elif _importable(value):
            origin = f"from {value.__module__} import {value.__name__}"
            lines.append(origin if value.__name__ == name else f"{origin} as {name}")
        elif isinstance(value, types.FunctionType):
            own.append(_entry_of(value))
        else:
            raise NotKept(
                say("it uses {name} of the notebook: make it an argument", name=name)
            )
    head = "\n".join([*lines, *own])
    return (head + "\n\n\n" if head else "") + source.rstrip() + "\n"


def _importable(value) -> bool:
    module, name = getattr(value, "__module__", ""), getattr(value, "__name__", "")
    if not module or module == "__main__":
        return False
    try:
        return getattr(importlib.import_module(module), name, None) is value
    except ImportError:
        return False


def _exercise(name: str):
    """The exercise with this name: its room and its solution."""
    room = name.rpartition(".")[0]
    try:
        module = importlib.import_module(f"course_utils.{room}.exercises")
    except (ImportError, ValueError):
        raise NotKept(say("no exercise has this name")) from None
    for check in module.CHECKS:
        exercise = exercise_of(check)
        if name_of(exercise.solution) == name:
            return exercise
    raise NotKept(say("no exercise has this name"))


def _function(name: str, text: str) -> Callable:
    """The function of an entry, in a namespace of its own, accepted by its check."""
    exercise, scope = _exercise(name), {"__name__": name}
    try:
        exec(compile(_code(text), f"<{name}>", "exec"), scope)
    except Exception as error:  # whatever a damaged entry does
        raise NotKept(f"{type(error).__name__}: {error}") from None
    made = [v for v in scope.values() if isinstance(v, types.FunctionType)]
    own = [function for function in made if function.__module__ == name]
    if not own:
        raise NotKept(say("it holds no function"))
    line = exercise.verdict(own[-1])
    if not line.startswith("✓"):
        accept(exercise.solution, None)
        raise NotKept(line)
    return own[-1]


def _passes(name: str, text: str) -> None:
    """Run the check in a fresh interpreter, where no name of the notebook is known."""
    command = [sys.executable, "-m", "course_utils.checks.shelf", name]
    done = subprocess.run(
        command,
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    if done.returncode:
        why = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise NotKept(why[-1] if why else say("a fresh interpreter does not start"))


def main() -> int:
    """Check one entry, given on standard input; its name is the argument."""
    try:
        _function(sys.argv[1], sys.stdin.buffer.read().decode())
    except NotKept as why:
        print(why)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
