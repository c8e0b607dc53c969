#!/usr/bin/env python3
"""Everything you do with this course, in one command (Windows, macOS and Linux).

    python course.py lab [NN] [...]         open notebook 01, or NN, in JupyterLab
    python course.py test [...]             run the tests; options go on to pytest
    python course.py notebooks [names ...]  execute all notebooks, or these, afresh
    python course.py setup                  only install what the course needs
    python course.py clean                  remove what was installed, and caches

The first start installs what the course needs into the folder .venv beside this
file; later starts find it there. With COURSE_NEWEST=1 in the environment it takes
the newest packages instead of the tested ones.
"""

# Old Pythons must be able to read this file, so that they can say that they are too
# old: no f-strings, no annotations, no keyword-only arguments.
from __future__ import print_function

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "This course needs Python 3.11 or newer, and this is Python %s: install a "
        "newer one (https://www.python.org/downloads/) and start course.py with it."
        % sys.version.split()[0]
    )

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent
ENV = ROOT / ".venv"
PYTHON = ENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = ENV / "course-stamp.json"
LOG = ENV / "install.log"
PINS = ROOT / "constraints.txt"
NEWEST = bool(os.environ.get("COURSE_NEWEST"))
GPU = sys.platform == "linux" and shutil.which("nvidia-smi") is not None
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# PyPI's torch for Linux brings several GB of CUDA, of no use without such a GPU
SMALL = ["--index-url", CPU_INDEX] if sys.platform == "linux" and not GPU else []
LEFTOVERS = ".venv course_utils.egg-info .pytest_cache .ruff_cache .hypothesis"

# How pip or the system words a trouble. The order matters: a full disk or a lost
# network also makes pip say what comes further down.
WORDS = {
    "disk": "No space left|Errno 28|WinError 112|Disk quota exceeded",
    "path": "Long Path support",
    "permission": "Permission denied|Access is denied|WinError 32|Read-only file",
    "network": "connection broken|Connection refused|Max retries|name resolution"
    "|getaddrinfo|unreachable|timed out|IncompleteRead|(HTTP|Proxy|SSL) ?error",
    "pins": "No matching distribution|ResolutionImpossible|conflicting dependencies"
    "|requires a different Python|Failed (to build|building)|error: subprocess",
    "venv": "ensurepip|No module named '?venv",
    "other": "",
}
REMEDY = {
    "disk": "The disk, or the temporary folder, is full: free about 2 GB",
    "path": "This path is too long for Windows: move the course to C:\\course",
    "permission": "This folder cannot be written: close what uses it, or move it",
    "network": "The download failed: check the network (a log-in page, or a proxy?)",
    "pins": "A package does not exist for this Python or system: take one of README.md",
    "venv": "This Python makes no environments: install python3-venv, or python.org's",
    "other": "The set-up failed: run `python course.py clean`",
}


class Problem(Exception):
    """What happened and what the reader can do, in one sentence."""

    def __init__(self, text, sentence=""):
        self.kind = next(k for k in WORDS if re.search(WORDS[k], text, re.IGNORECASE))
        more = " (Details: %s)" % LOG if LOG.exists() else ""
        remedy = REMEDY[self.kind] + ", then run the same command again." + more
        Exception.__init__(self, sentence or remedy)


def read_stamp():
    """What an earlier start noted in .venv; empty where nothing can be read."""
    try:
        return json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def write_stamp(installed, extras=""):
    """Note the state: "half" (being changed), "some" (in order so far) or a hash."""
    note = {"python": sys.version, "root": str(ROOT), "extras": extras}
    STAMP.write_text(json.dumps(dict(note, installed=installed)), "utf-8")


def usable(stamp):
    """Whether work can go on in .venv: it is there, not half made and not moved."""
    same = (stamp.get("python"), stamp.get("root")) == (sys.version, str(ROOT))
    whole = stamp.get("installed") != "half"
    return PYTHON.exists() and (not stamp or (same and whole))


def show(line):
    """Of pip's hundreds of lines show the downloads, and note when it unpacks."""
    found = re.match(r"\s*(Downloading|Using cached) ([^-\s]+)-\S+ (\(.*\))", line)
    if found and ".metadata" not in line:
        print("  %s %s %s" % found.groups(), flush=True)
    if line.startswith("Installing collected packages"):
        write_stamp("half")
        print("  Unpacking (packages: %d) ..." % (line.count(",") + 1), flush=True)


def run(command):
    """Run a step of the set-up; all that it says goes to the log."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "cwd": ROOT}
    options.update(stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
    options["env"] = dict(os.environ, PYTHONUTF8="1", PIP_USER="0", PIP_NO_COLOR="1")
    lines = []
    with LOG.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, **options)
        try:
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                show(line)
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
    if process.returncode:
        raise Problem("".join(lines[-60:]))
    write_stamp("some")


def install(extras, pinned):
    """torch first, from where it is small; then the course with all that it needs."""
    pin = re.search(r"^torch==\S+", PINS.read_text("utf-8"), re.MULTILINE)
    torch = ["--no-deps", pin.group() if pinned else "torch"]
    pip = [str(PYTHON), "-m", "pip", "install", "--progress-bar=off", "--no-input"]
    pip += ["--prefer-binary", "--disable-pip-version-check"]
    print("Installing PyTorch ...", flush=True)
    try:  # a wheel that pip is told to find on this machine
        run(pip + ["--no-index"] + torch)
    except Problem as problem:
        if problem.kind != "pins":
            raise
        run(pip + torch + SMALL)
    print("Installing JupyterLab and the other packages ...", flush=True)
    course = ".[%s]" % extras if extras else "."
    run(pip + ["-e", course] + (["-c", str(PINS)] if pinned else []))
    settings = ENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)  # no pop-up that asks about news
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    text = json.dumps({"@jupyterlab/apputils-extension:notification": quiet})
    (settings / "overrides.json").write_text(text, "utf-8")


def check_disk(extras):
    """Raise Problem where the disk has no room; say what to expect at first."""
    first = not any(ENV.glob("**/site-packages/torch/__init__.py"))
    need = (9000 if GPU else 2000) if first else 400  # MB, measured, with a margin
    free = shutil.disk_usage(ROOT).free // 10**6
    if free < need:
        sentence = "The set-up needs %d MB of disk and %d MB are free: make room, then "
        raise Problem("", sentence % (need, free) + "run the same command again.")
    if first:
        sizes = ("360 MB", "1.6 GB") if extras else ("300 MB", "1.3 GB")
        sizes = ("several GB", "several GB") if GPU else sizes
        print("First start: about %s to download and %s of disk in .venv." % sizes)
        print("It takes some minutes. Ctrl-C stops it; the next start goes on.")


def setup(extras=""):
    """Make .venv ready, with the test tools where extras is "test"."""
    stamp = read_stamp()
    extras = extras or stamp.get("extras", "")
    parts = [(ROOT / "pyproject.toml").read_bytes(), PINS.read_bytes(), bytes(NEWEST)]
    wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
    ready = usable(stamp)
    if ready and (stamp.get("installed"), stamp.get("extras")) == (wanted, extras):
        return
    if ENV.exists() and not ready:
        print("The environment .venv is half made or was moved: making it anew.")
        shutil.rmtree(ENV)
    check_disk(extras)
    if not ready:
        print("Making the environment .venv ...", flush=True)
        ENV.mkdir()
        write_stamp("half")
        base = getattr(sys, "_base_executable", sys.executable)  # outside any .venv
        run([base, "-m", "venv", str(ENV)])
    try:
        install(extras, pinned=not NEWEST)
    except Problem as problem:
        if problem.kind != "pins" or NEWEST:
            raise
        print("Not every tested version exists here: taking the newest that do.")
        install(extras, pinned=False)
    write_stamp(wanted, extras)
    print("The course is installed.", flush=True)


def call(arguments, **variables):
    """Run Python from .venv in the foreground; return its exit code."""
    environment = dict(os.environ, PYTHONUTF8="1", **variables)
    sys.stdout.flush()
    if os.name != "nt":  # become that program, so that every signal reaches it
        os.chdir(ROOT)
        os.execve(str(PYTHON), [str(PYTHON)] + arguments, environment)
    process = subprocess.Popen([str(PYTHON)] + arguments, cwd=ROOT, env=environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for that program
    return process.wait()


def lab(arguments):
    named = arguments and arguments[0].isdigit()
    number = arguments[0].zfill(2) if named else "01"
    found = sorted((ROOT / "notebooks").glob(number + "_*.ipynb"))
    if not found:
        raise Problem("", "There is no notebook %s in notebooks/." % number)
    setup()
    print("JupyterLab starts. If no browser opens, open the address that it prints.")
    print("Ctrl-C in this window stops it.")
    options = ["--ip=127.0.0.1", "--Application.log_level=WARN"]
    options.append("--ServerApp.root_dir=%s" % ROOT)
    options.append("--LabApp.default_url=/lab/tree/notebooks/" + found[0].name)
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.append("--allow-root")  # in a container
    return call(["-m", "jupyterlab"] + options + arguments[bool(named) :])


def test(arguments):
    setup("test")
    return call(["-m", "pytest"] + arguments, OMP_NUM_THREADS="1")


def notebooks(arguments):
    setup("test")
    return call(["-m", "tools.notebooks", "run"] + arguments)


def clean(arguments):
    for path in (ROOT / name for name in LEFTOVERS.split()):
        if path.exists():
            shutil.rmtree(path)
            print("removed", path.name)


def main(arguments):
    verbs = {"lab": lab, "test": test, "notebooks": notebooks, "clean": clean}
    verbs["setup"] = lambda rest: setup()
    verb = arguments[0] if arguments else "--help"
    if verb not in verbs:
        print(__doc__)
        return 0 if verb in ("-h", "--help", "help") else 2
    try:
        return verbs[verb](arguments[1:]) or 0
    except (Problem, OSError) as error:
        problem = error if isinstance(error, Problem) else Problem(str(error))
        print(problem, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
