"""The house rules: floors, sizes, words, docstrings, the slide map, the errata."""

import ast
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from tests.performing import report
from tools import ROOT, code_cells, load, notebook_paths, slide_map, tags

PACKAGE = ROOT / "course_utils"
FLOOR = [  # the shared floor: a module imports only from those before it
    *[
        "messages",
        "arguments",
        "data",
        "memory",
        "training",
        "quadrature",
        "verification",
        "files",
    ],
    *[
        "networks",
        "descent",
        "coverage",
        "scores",
        "rules",
        "drawing",
        "style",
        "interactive",
        "checks",
    ],
]
ROOMS = [  # one per notebook, in their order: rooms import from earlier rooms
    *["gaussian", "mixture", "variational", "vae", "gan", "divergences", "beyond"],
]
DRAWS = re.compile(r"^from course_utils\.(style|interactive|checks) ", re.MULTILINE)
MAX_LINES = 350
HEAVY = {"matplotlib", "IPython", "scipy", "sklearn", "pandas", "pytest"}
MODULES = sorted(PACKAGE.rglob("*.py"))
TEXT = {".cff", ".css", ".csv", ".ipynb", ".md", ".mplstyle", ".py", ".toml", ".txt"}
TEXT |= {".yaml", ".yml", ""}


def tracked_files():
    """The files of the repository, in a clone as in an unpacked archive."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True)
        if listed.returncode == 0:
            paths = [ROOT / p for p in listed.stdout.decode().split("\0") if p]
            return sorted(path for path in paths if path.is_file())
    away = {"build", "my_notebooks", "__pycache__"}
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            part in away or part.startswith(".") or part.endswith(".egg-info")
            for part in path.relative_to(ROOT).parts[:-1]
        )
    )


def text_files():
    return [path for path in tracked_files() if path.suffix in TEXT]


def python_files():
    return [path for path in tracked_files() if path.suffix == ".py"]


def short(path):
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path):
    """Full dotted names of what a module of the package imports from the package."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def draws_or_checks(path: Path) -> bool:
    """Pictures and exercises; they stand on the models, never the other way."""
    return "exercises" in path.parts or bool(DRAWS.search(path.read_text("utf-8")))


def module_of(room: str, part: str) -> Path:
    """The file behind ``course_utils.<room>.<part>``; part may be a name in it."""
    path = PACKAGE / room / f"{part}.py"
    return path if path.exists() else PACKAGE / room / "__init__.py"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_imports_point_downwards(path):
    _, room, *_ = [*module_name(path).split("."), ""]
    for name in imported(path):
        package, *other = name.split(".")
        if package != "course_utils" or room in ("", "__main__"):
            continue
        wrong = f"{module_name(path)} imports {name}"
        if other[0] in FLOOR:
            below = room in FLOOR and FLOOR.index(other[0]) < FLOOR.index(room)
            assert room not in FLOOR or below or other[0] == room, wrong
        elif other[0] in ROOMS:
            assert room in ROOMS, wrong
            assert ROOMS.index(other[0]) <= ROOMS.index(room), wrong
            stands_on_face = draws_or_checks(module_of(*other[:2]))
            assert draws_or_checks(path) or not stands_on_face, wrong


def test_a_room_is_light():
    """Models load neither matplotlib nor what only tests need; the package is quick."""
    code = (
        "import sys, time, importlib, torch\n"
        "start = time.thread_time()\n"
        "import course_utils\n"
        "print(time.thread_time() - start)\n"
        f"for name in {ROOMS!r}: importlib.import_module('course_utils.' + name)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    seconds, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 0.03
    assert not done.stderr


FOLDERS = [PACKAGE, *(PACKAGE / room for room in [*ROOMS, "checks"])]
FOLDERS += sorted(PACKAGE.glob("*/exercises"))


@pytest.mark.parametrize("folder", FOLDERS, ids=short)
def test_a_folder_can_be_taken_in_at_a_glance(folder):
    names = [path.stem for path in folder.glob("*.py")]
    assert len(names) <= (18 if folder == PACKAGE else 12)
    first_words = Counter(name.split("_")[0] for name in names if name[0] != "_")
    assert max(first_words.values()) < 3, "a prefix is a folder that was not made"
    docstring = ast.get_docstring(
        ast.parse((folder / "__init__.py").read_text("utf-8"))
    )
    assert len(docstring.splitlines()) <= 15


def test_every_folder_has_its_place():
    places = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert places | {"checks"} == set(FLOOR)
    assert {path.parent.name for path in PACKAGE.glob("*/*.py")} == {*ROOMS, "checks"}
    assert {path.parent.name for path in PACKAGE.glob("*/*/*.py")} == {"exercises"}


def test_tests_mirror_the_package():
    """``tests/gan/test_training.py`` (or ``…_faults``) tests ``gan/training.py``."""
    for folder in FOLDERS:
        room = "floor" if folder == PACKAGE else folder.name
        modules = {path.stem for path in folder.glob("*.py")} | {"exercises"}
        for path in (ROOT / "tests" / room).glob("test_*.py"):
            name = path.stem.removeprefix("test_")
            known = any(f"{name}_".startswith(f"{module}_") for module in modules)
            assert known, f"{short(path)} tests no file of {short(folder)}"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_public_names_have_docstrings(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    kinds = (ast.FunctionDef, ast.ClassDef)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    own = [node for node in classes if node.name[0] != "_" and not node.bases]
    bodies = [tree.body, *(node.body for node in own)]  # subclasses inherit the rest
    for node in (node for body in bodies for node in body if isinstance(node, kinds)):
        if not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_modules_are_small():
    sizes = {short(p): len(p.read_text("utf-8").splitlines()) for p in python_files()}
    long = {path: size for path, size in sizes.items() if size > MAX_LINES}
    assert not long, f"more than {MAX_LINES} lines: {long}"


def test_text_is_utf8_composed_and_finished():
    unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    for path in text_files():
        text = path.read_bytes().decode("utf-8")
        assert unicodedata.is_normalized("NFC", text), f"{short(path)} is not NFC"
        assert "\r" not in text, f"{short(path)} has line ends of another system"
        if path.suffix != ".ipynb":  # base64 of pictures may hold any letters
            for word in unfinished:
                assert word not in text, f"{short(path)} holds {word}"
    for path in notebook_paths():
        for cell in load(path).cells:
            assert not any(word in cell.source for word in unfinished), short(path)


MAX_ARGUMENTS = 10
THROUGH = {"progress", "seeded", "watch"}  # they pass states on, or are no algorithm


@pytest.mark.parametrize("path", MODULES, ids=lambda path: short(path))
def test_functions_take_ten_arguments_and_generators_refuse_at_the_call(path):
    faults = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        taken = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        if len(taken) > MAX_ARGUMENTS:
            faults.append(f"{node.name} takes {len(taken)}: make a record of some")
        nested = {
            inner
            for function in ast.walk(node)
            if isinstance(function, ast.FunctionDef) and function is not node
            for inner in ast.walk(function)
        }
        own = (inner for inner in ast.walk(node) if inner not in nested)
        yields = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own)
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        public = not node.name.startswith("_") and node.name not in THROUGH
        checks = "checks" in path.parts or path.name == "__main__.py"
        if yields and public and not checks and "checked" not in decorators:
            faults.append(f"{node.name} checks its arguments at the first next() only")
    assert not faults, f"{short(path)}: {faults}"


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    run = [sys.executable, "-m", "ruff", *command, "--output-format=concise", "."]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def test_slide_map_is_up_to_date():
    written = slide_map.TARGET.read_text("utf-8")
    assert written == slide_map.render(), "run `python course.py notebooks`"


def _claims_of(path):
    for claim in slide_map.read_claims():
        if path.stem[:2] in slide_map.places(claim):
            yield claim


def test_claims_are_covered(notebook_path):
    covered = slide_map.sections(notebook_path)
    missing = [c for c in _claims_of(notebook_path) if c["id"] not in covered]
    report(
        notebook_path, (f"no cell has the tag {c['id']}: {c['claim']}" for c in missing)
    )


def _verified_ids(notebook):
    """Claim ids whose section, down to the next cell with claims, calls ``verify``."""
    claims = {claim["id"] for claim in slide_map.read_claims()}
    verified, ids = set(), set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and claims & set(tags(cell)):
            ids = claims & set(tags(cell))
        elif cell in code_cells(notebook) and "verify(" in cell.source:
            verified |= ids
    return verified


def test_claims_are_verified(notebook_path, notebook):
    verified = _verified_ids(notebook)
    claims = [c for c in _claims_of(notebook_path) if c["kind"].startswith("verify")]
    missing = [c for c in claims if c["id"] not in verified]
    report(notebook_path, (f"{c['id']} is not verified: {c['claim']}" for c in missing))


def test_errata_are_listed(notebook_path):
    page = (ROOT / "docs" / "errata.md").read_text("utf-8")
    wrong = [c["id"] for c in _claims_of(notebook_path) if "erratum" in c["kind"]]
    missing = [claim for claim in wrong if claim not in page]
    report(notebook_path, (f"docs/errata.md does not name {c}" for c in missing))
