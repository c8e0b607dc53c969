"""course.py, with all that is outside it faked: no network, no installs."""

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import ROOT

COURSE = ROOT / "course.py"
OFFLINE = """\
WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/numpy/
ERROR: Could not find a version that satisfies the requirement numpy (from versions: )
ERROR: No matching distribution found for numpy
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py as a module, at work in an empty folder, with nothing installed."""
    for name in ("course.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    for name in ("01_mle_gaussian", "02_gmm_em"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
    monkeypatch.delenv("COURSE_NEWEST", raising=False)
    spec = importlib.util.spec_from_file_location("course", tmp_path / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**11)
    )
    return module


def install(course, monkeypatch, extras="", failures=None):
    """Set up with a pip that does nothing, or fails where a command holds the words."""
    commands, failures = [], dict(failures or {})

    def run(command):
        commands.append(" ".join(command))
        if "-m venv" in commands[-1]:
            course.PYTHON.parent.mkdir(parents=True)
            course.PYTHON.touch()
        for words in [words for words in failures if words in commands[-1]]:
            raise course.Problem(failures.pop(words))
        course.write_stamp("some")

    monkeypatch.setattr(course, "run", run)
    course.setup(extras)
    return commands


def old_pythons():
    """Those of 2.7 to 3.10 that this machine has, on the path or from pyenv."""
    for version in ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10"):
        folders = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
        for python in filter(None, [*folders, shutil.which(f"python{version}")]):
            run = [python, "-c", "import sys; print(sys.version[:3])"]
            if subprocess.run(run, capture_output=True).returncode == 0:
                yield str(python)


def test_old_python_gets_a_sentence():
    pythons = list(old_pythons())
    for python in pythons:
        run = [python, str(COURSE), "lab"]
        done = subprocess.run(run, capture_output=True, text=True)
        assert done.returncode == 1
        assert re.fullmatch(r"This course needs Python 3\.11 .*\n", done.stderr), python
    assert COURSE.read_text("utf-8").isascii()
    if not pythons:
        pytest.skip("no Python older than 3.11 is here")


def test_too_old_is_refused_before_anything_else(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        runpy.run_path(str(COURSE))


@pytest.mark.parametrize(
    ("text", "kind", "advice"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk", "free about 2 GB"),
        ("[Errno 2] No such file\nHINT: ... Long Path support", "path", "too long"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "permission", "move it"),
        ("[WinError 5] Access is denied: 'torch.dll'", "permission", "close what"),
        (OFFLINE, "network", "check the network"),
        ("getaddrinfo failed\nNo matching distribution found", "network", "log-in"),
        ("No matching distribution found for scipy==1.17.1", "pins", "does not exist"),
        ("error: subprocess-exited-with-error", "pins", "README"),
        ("not created successfully because ensurepip is not", "venv", "python3-venv"),
        ("Segmentation fault", "other", "course.py clean"),
    ],
)
def test_trouble_gets_one_sentence(course, text, kind, advice):
    problem = course.Problem(text)
    assert problem.kind == kind and advice in str(problem)
    assert str(problem).count("\n") == 0 and "run the same command" in str(problem)


def test_first_start_then_nothing_to_do(course, monkeypatch, capsys):
    commands = install(course, monkeypatch)
    assert "300 MB" in capsys.readouterr().out
    assert "-m venv" in commands[0]
    assert commands[1].endswith("--no-index --no-deps torch==2.13.0")
    assert commands[2].endswith("-e . -c " + str(course.PINS))
    overrides = "share/jupyter/lab/settings/overrides.json"
    assert "fetchNews" in (course.ENV / overrides).read_text("utf-8")
    assert install(course, monkeypatch) == []
    assert any(".[test]" in line for line in install(course, monkeypatch, "test"))
    assert install(course, monkeypatch) == []  # what has the test tools has the rest
    assert install(course, monkeypatch, "test") == []


@pytest.mark.parametrize("change", ["pyproject.toml", "constraints.txt"])
def test_other_requirements_install_again(course, monkeypatch, change):
    install(course, monkeypatch)
    path = course.ROOT / change
    path.write_text(path.read_text("utf-8") + "\n# changed\n", "utf-8")
    commands = install(course, monkeypatch)
    assert len(commands) == 2 and "-m venv" not in commands[0]


@pytest.mark.parametrize("key", ["python", "root", "installed"])
def test_moved_or_half_made_is_made_anew(course, monkeypatch, capsys, key):
    install(course, monkeypatch)
    stamp = dict(course.read_stamp(), **{key: "half"})
    course.STAMP.write_text(json.dumps(stamp), "utf-8")
    assert "-m venv" in install(course, monkeypatch)[0]
    assert "making it anew" in capsys.readouterr().out


def test_network_lost_then_goes_on(course, monkeypatch):
    with pytest.raises(course.Problem, match="check the network"):
        install(course, monkeypatch, failures={"-e .": OFFLINE})
    assert "-m venv" not in " ".join(install(course, monkeypatch))


def test_unpacking_marks_the_environment_half_made(course, monkeypatch, capsys):
    install(course, monkeypatch)
    course.show("Downloading numpy-2.4.6-cp311-x.whl.metadata (62 kB)\n")
    course.show("  Downloading numpy-2.4.6-cp311-x.whl (16.9 MB)\n")
    assert capsys.readouterr().out.splitlines()[-1] == "  Downloading numpy (16.9 MB)"
    assert course.usable(course.read_stamp())
    course.show("Installing collected packages: numpy, torch\n")
    assert not course.usable(course.read_stamp())


def test_pins_that_do_not_fit_are_left_out(course, monkeypatch, capsys):
    failure = {" -c ": "No matching distribution found for scipy==1.17.1"}
    commands = install(course, monkeypatch, failures=failure)
    assert commands[-1].endswith("-e .") and commands[-2].endswith("torch")
    assert "Not every tested version exists" in capsys.readouterr().out


@pytest.mark.parametrize("small", [["--index-url", "https://cpu"], []])
def test_torch_comes_from_the_small_index(course, monkeypatch, small):
    monkeypatch.setattr(course, "SMALL", small)
    failure = {"--no-index": "No matching distribution found for torch==2.13.0"}
    torch = install(course, monkeypatch, failures=failure)[2]
    assert torch.endswith(" ".join(["--no-deps", "torch==2.13.0", *small]))


def test_no_room_is_said_before_anything_is_made(course, monkeypatch, capsys):
    monkeypatch.setattr(
        course.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 10**8)
    )
    assert course.main(["setup"]) == 1
    assert "2000 MB of disk and 500 MB are free" in capsys.readouterr().err
    assert not course.ENV.exists()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "Stopped."),
        (PermissionError(13, "Permission denied"), 1, "cannot be written"),
        (OSError(28, "No space left on device"), 1, "is full"),
    ],
)
def test_no_traceback(course, monkeypatch, capsys, error, code, words):
    def fail(extras=""):
        raise error

    monkeypatch.setattr(course, "setup", fail)
    assert course.main(["test"]) == code
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("user", [0, 1000, None])
@pytest.mark.parametrize("number", ["", "02", "2"])
def test_lab_command(course, monkeypatch, user, number):
    calls = []
    monkeypatch.setattr(course, "setup", lambda: None)
    monkeypatch.setattr(course, "call", calls.append)
    if user is None:  # Windows
        monkeypatch.delattr(course.os, "geteuid", raising=False)
    else:
        monkeypatch.setattr(course.os, "geteuid", lambda: user, raising=False)
    course.main(["lab", *([number] if number else []), "--no-browser"])
    command = calls[0]
    name = "02_gmm_em" if number else "01_mle_gaussian"
    assert command[:2] == ["-m", "jupyterlab"] and "--ip=127.0.0.1" in command
    assert f"--LabApp.default_url=/lab/tree/notebooks/{name}.ipynb" in command
    assert ("--allow-root" in command) == (user == 0)
    assert command[-1] == "--no-browser" and "token" not in " ".join(command)


def test_lab_names_a_missing_notebook(course, capsys):
    assert course.main(["lab", "7"]) == 1
    assert "no notebook 07" in capsys.readouterr().err


def test_arguments_go_on(course, monkeypatch):
    calls = []
    monkeypatch.setattr(course, "setup", lambda extras="": calls.append(extras))
    monkeypatch.setattr(course, "call", lambda *a, **k: calls.append((*a, k)) or 5)
    assert course.main(["test", "tests", "--all", "-x"]) == 5
    assert course.main(["notebooks", "01"]) == 5
    pytest_call = (["-m", "pytest", "tests", "--all", "-x"], {"OMP_NUM_THREADS": "1"})
    tool_call = (["-m", "tools.notebooks", "run", "01"], {})
    assert calls == ["test", pytest_call, "test", tool_call]


def test_clean_removes_what_was_made_and_nothing_else(course, monkeypatch):
    before = sorted(course.ROOT.rglob("*"))
    install(course, monkeypatch)
    (course.ROOT / ".pytest_cache").mkdir()
    assert course.main(["clean"]) == 0
    assert sorted(course.ROOT.rglob("*")) == before


@pytest.mark.parametrize(("verb", "code"), [("--help", 0), ("", 0), ("lob", 2)])
def test_help(course, capsys, verb, code):
    assert course.main([verb] if verb else []) == code
    assert "course.py lab" in capsys.readouterr().out
