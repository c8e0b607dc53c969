#!/usr/bin/env python3
"""Everything you do with this course, in one command (Windows, macOS and Linux).

    python course.py lab [NN] [...]         open your copy of notebook 01, or of NN
    python course.py test [...]             run the tests; options go on to pytest
    python course.py setup [LEVEL]          only install: lab, test, site or browser
    python course.py forms [names ...]      make copies to teach from, in build/
    python course.py record [names ...]     record every slider, for the website
    python course.py site                   make the website in build/site
    python course.py hub [...]              a class on this server: docs/classroom.md
    python course.py notebooks [names ...]  execute all notebooks, or these, afresh
    python course.py clean                  remove what was installed, and caches

The first start installs what the course needs into the folder .venv beside this
file; later starts find it there. With COURSE_NEWEST=1 in the environment it takes
the newest packages instead of the tested ones. `lab --original` is for authors.
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

import os
import shutil
import signal
import subprocess

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import course_installer as installer
from course_installer import ENV, LEVELS, PYTHON, ROOT, Problem, ask

STAMP = ENV / "course-installed.txt"
LEFTOVERS = ".venv course_utils.egg-info .pytest_cache .ruff_cache .hypothesis"
TESTING = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(ENV / "ipython")}  # no profile


def is_environment():
    """Whether .venv is one: without pyvenv.cfg its Python is the reader's own."""
    inside = "import os, sys; sys.exit(not os.path.samefile(sys.prefix, sys.argv[1]))"
    runs = ask(str(PYTHON), "-c", inside, str(ENV)) is not None
    return runs and (ENV / "pyvenv.cfg").exists()


def stamp():
    """What an earlier start noted in .venv: a level, and a hash or "half"."""
    note = STAMP.read_text("utf-8").split() if STAMP.exists() else ["lab", "nothing"]
    return note if len(note) == 2 and note[0] in LEVELS else ["lab", "half"]


def ready(level):
    """Whether all is there that this level needs, as far as the stamp knows."""
    has, state = stamp()
    enough = LEVELS.index(has) >= LEVELS.index(level)
    return enough and state == installer.fingerprint() and is_environment()


def works(level):
    """Whether the course runs with what is installed, and has what a level needs."""
    needed = {"lab": "jupyterlab", "test": "pytest, nbval"}
    needed |= {"site": "myst_nb, py_mini_racer", "browser": "playwright"}
    code = "import runpy, %s; runpy.run_module('course_utils', run_name='__main__')"
    return ask(str(PYTHON), "-c", code % needed[level]) is not None


def remove(folder):
    """Remove a folder; an environment that is left in the middle is none any more."""
    (folder / "pyvenv.cfg").unlink(missing_ok=True)
    shutil.rmtree(str(folder))


def setup(level="lab"):
    """Make .venv ready for this level, in one start at a time."""
    if level not in LEVELS:
        raise Problem("", "What can be set up is one of: %s." % ", ".join(LEVELS))
    if not ready(level):
        with installer.lock():
            if not ready(level):  # else another start has just done it
                fill(max(level, stamp()[0], key=LEVELS.index))


def fill(level):
    """Install into .venv, which is made (anew) where it is none or half made."""
    whole = is_environment() and stamp()[1] != "half"
    before = stamp() if whole else ["lab", "nothing"]
    if ENV.exists() and not whole:
        print("The environment .venv is damaged or half made: making it anew.")
        remove(ENV)
    installer.check_disk(level)
    ENV.mkdir(exist_ok=True)
    STAMP.write_text(level + " half", "utf-8")
    if whole:
        own, this = ask(str(PYTHON), "--version").split()[1], sys.version.split()[0]
        other = (
            " with its own Python %s (this is %s)" % (own, this) if own != this else ""
        )
        print("Updating the environment .venv" + other + " ...", flush=True)
    else:
        print("Making the environment .venv ...", flush=True)
        base = getattr(sys, "_base_executable", sys.executable)  # outside any .venv
        installer.run(base, "-m", "venv", str(ENV))
    try:
        installer.install(level)
        STAMP.write_text(level + " " + installer.fingerprint(), "utf-8")
        print("The course is installed.", flush=True)
    except Problem as problem:
        if problem.kind != "network":
            raise
        STAMP.write_text(" ".join(before), "utf-8")  # nothing was changed yet
        if not (whole and works(level)):
            raise
        sentence = "The update has to wait; the course starts as it is. %s"
        print(sentence % problem, file=sys.stderr)


def call(*arguments, **variables):
    """Run Python from .venv in the foreground; return its exit code."""
    command, variables = (str(PYTHON),) + arguments, installer.environment(**variables)
    sys.stdout.flush()
    if os.name != "nt":  # become that program, so that every signal reaches it
        os.chdir(str(ROOT))
        os.execve(command[0], command, variables)
    process = subprocess.Popen(command, cwd=str(ROOT), env=variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for that program
    return process.wait()


def lab(arguments):
    setup()
    return call("-m", "tools.lab", *arguments)


def test(arguments):
    setup("site")
    return call("-m", "pytest", *arguments, **TESTING)


def notebooks(arguments):
    setup("test")
    return call("-m", "tools.notebooks", "run", *arguments, **TESTING)


def record(arguments):
    setup("test")
    return call("-m", "tools.frames", "record", *arguments, **TESTING)


def site(arguments):
    setup("site")
    return call("-m", "tools.site", *arguments, **TESTING)


def forms(arguments):
    setup("site")
    return call("-m", "tools.forms", *arguments, **TESTING)


def hub(arguments):
    setup()
    return call("-m", "classroom.start", *arguments)


def clean(arguments):
    with installer.lock():
        for folder in (ROOT / name for name in LEFTOVERS.split()):
            if folder.exists():
                remove(folder)
                print("removed", folder.name)


def main(arguments):
    verbs = {"lab": lab, "test": test, "notebooks": notebooks, "clean": clean}
    verbs |= {"record": record, "site": site, "forms": forms, "hub": hub}
    verbs["setup"] = lambda levels: setup(*levels[:1])
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
