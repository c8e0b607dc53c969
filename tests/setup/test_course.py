"""course.py where all goes well: what it installs, and what its commands start."""

import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.setup.faked import PINS_TROUBLE, Windows, load_course
from tools import ROOT

COURSE = ROOT / "course.py"


# --- old Pythons ---------------------------------------------------------------------


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


# --- the usual way -------------------------------------------------------------------


def test_first_start_then_nothing_to_do(course, machine, capsys):
    commands = machine.setup()
    assert "300 MB" in capsys.readouterr().out
    venv, uv, torch, rest, own = commands
    assert "-m venv" in venv
    assert uv.endswith(f"--only-binary=:all: --require-hashes -r {course.installer.UV}")
    assert torch.endswith("--no-index torch==2.13.0 --no-deps")
    lock = course.ROOT / "requirements" / "lab.txt"
    assert rest.endswith(f"--no-deps --require-hashes -r {lock}")
    assert own.endswith("--no-deps --no-build-isolation -e .")
    assert all(f"uv pip install --python {course.PYTHON}" in c for c in commands[2:])
    assert machine.setup() == []
    assert machine.setup("test")[-2].endswith("requirements/test.txt")
    assert machine.setup() == []  # what has the test tools has the rest
    assert machine.setup("test") == []
    with pytest.raises(course.Problem, match="one of: lab, test, site, browser"):
        course.setup("tests")


def test_the_readers_own_uv_is_taken_if_it_is_recent(course, machine, monkeypatch):
    monkeypatch.setattr(course.shutil, "which", {"uv": "/usr/bin/uv"}.get)
    machine.uvs["/usr/bin/uv"] = "uv 0.12.1"
    assert machine.setup()[1].startswith("/usr/bin/uv pip install --python")
    shutil.rmtree(course.ENV)
    machine.uvs["/usr/bin/uv"] = "uv 0.10.12"
    assert machine.setup()[2].startswith(str(course.PYTHON.parent / "uv"))


def test_pip_does_it_where_no_uv_comes(course, machine):
    commands = machine.setup(
        failures={"uv.txt": "No matching distribution found for uv"}
    )
    assert len(commands) == 5
    pip = f"{course.PYTHON} -m pip install "
    assert all(command.startswith(pip) for command in commands[1:])
    assert "--require-hashes" in commands[-2]
    assert commands[-2].endswith("requirements/lab.txt")


def test_newest(course, machine, monkeypatch):
    monkeypatch.setattr(course.installer, "NEWEST", True)
    commands = machine.setup("test")
    assert commands[-2].endswith("--no-index torch --no-deps")
    assert (
        commands[-1].endswith("-e .[lab,test]") and "requirements" not in commands[-1]
    )


@pytest.mark.parametrize("small", [{"PIP_INDEX_URL": "a", "UV_DEFAULT_INDEX": "a"}, {}])
def test_torch_comes_from_the_small_index(course, machine, monkeypatch, small):
    monkeypatch.setattr(course.installer, "SMALL", small)
    machine.settings = "global.index-url='mirror'\n"
    trouble = "torch was not found in the provided package locations"
    machine.setup(failures={"--no-index": trouble})
    index = [v.get("UV_DEFAULT_INDEX") for v in machine.variables[2:]]
    assert index == ["mirror", "a" if small else "mirror", "mirror", "mirror"]


def test_pins_that_do_not_fit_are_left_out(course, machine, capsys):
    commands = machine.setup(failures={"lab.txt": PINS_TROUBLE})
    assert commands[-1].endswith("-e .[lab]") and commands[-2].endswith(
        "torch --no-deps"
    )
    assert "Not every tested version was found" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["pyproject.toml", "requirements/test.txt"])
def test_other_requirements_install_again(course, machine, change):
    machine.setup()
    with (course.ROOT / change).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert len(machine.setup()) == 3  # neither the environment nor uv


def test_bytecode_is_compiled_where_the_first_import_could_not(machine, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "--compile-bytecode" in machine.setup()[-1]


# --- what pip is told, uv is told ----------------------------------------------------

PIP_SAYS = r"""
:env:.find-links='/usb/wheels https://mirror/wheels'
:env:.default-timeout='180'
global.cert='/etc/c\xe1.pem'
global.extra-index-url='\nfile:///a\nfile:///b'
global.find-links='/elsewhere'
global.index-url='https://mirror/simple'
global.constraint='c.txt'
global.proxy='http://me:secret@proxy:3128'
install.index-url='https://mirror/newer'
global.trusted-host='mirror'
freeze.timeout='10'
"""


def test_uv_is_told_what_pip_is_told(course, monkeypatch):
    proxies = {"http": "http://old", "no": "localhost"}
    monkeypatch.setattr(course.installer, "getproxies", lambda: proxies)
    assert course.installer.sources(PIP_SAYS) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "1",
        "UV_FIND_LINKS": "/usb/wheels,https://mirror/wheels",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/cá.pem",
        "UV_INDEX": "file:///a file:///b",
        "UV_DEFAULT_INDEX": "https://mirror/newer",
        "UV_CONSTRAINT": "c.txt",
        "UV_INSECURE_HOST": "mirror",
        "ALL_PROXY": "http://me:secret@proxy:3128",
        "HTTP_PROXY": "http://me:secret@proxy:3128",
        "HTTPS_PROXY": "http://me:secret@proxy:3128",
        "NO_PROXY": "localhost",
    }


def test_pip_prints_its_settings_as_we_read_them(tmp_path, monkeypatch):
    pytest.importorskip("pip")
    module = load_course(tmp_path, monkeypatch)
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nfind_links =\n  ~/a\n  /b\n[install]\nno-index = yes\n")
    variables = {"PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://mirror"}
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = module.ask(sys.executable, "-m", "pip", "config", "list")
    told = module.installer.sources(said)
    assert told["UV_FIND_LINKS"] == f"{Path.home()}/a,/b" and told["NO_INDEX"] == "yes"
    assert told["UV_DEFAULT_INDEX"] == "https://mirror"


def test_a_folder_of_wheels_is_the_only_source(tmp_path, monkeypatch):
    """A USB stick: neither the network nor what the reader has set is asked."""
    pytest.importorskip("pip")
    module = load_course(tmp_path, monkeypatch)
    monkeypatch.setenv("PIP_FIND_LINKS", "/elsewhere")
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    ask = [sys.executable, "-m", "pip", "config", "list"]
    wheels = module.ROOT / "wheels"
    assert module.installer.sources(module.ask(*ask)).get("NO_INDEX") is None
    wheels.mkdir()
    told = module.installer.sources(module.ask(*ask))
    assert told["NO_INDEX"] == "1" and told["UV_FIND_LINKS"] == wheels.as_uri()
    assert " " in str(wheels) and " " not in told["UV_FIND_LINKS"]  # pip splits there


def test_a_constraint_does_not_stop_the_lock(course, machine):
    """In real life ``torch<3``: uv wants hashes of constraints, too, or stops."""
    machine.settings = "global.constraint='c.txt'\n"
    machine.setup()
    bounds = [v.get("UV_CONSTRAINT") for v in machine.variables]
    assert bounds == [None, "", "c.txt", "", "c.txt"]  # venv, uv, torch, the rest, ours


@pytest.mark.parametrize(("value", "times"), [("1", 1), ("true", 1), ("0", 0)])
def test_no_index(machine, value, times):
    machine.settings = f":env:.no-index='{value}'\n"
    torch, rest, _ = machine.setup()[2:]
    assert torch.count("--no-index") == 1 and rest.count("--no-index") == times


# --- the commands --------------------------------------------------------------------


def test_arguments_go_on(course, monkeypatch):
    calls = []
    monkeypatch.setattr(course, "setup", lambda level="lab": calls.append(level))
    monkeypatch.setattr(course, "call", lambda *a, **k: calls.append((a, k)) or 5)
    assert course.main(["lab", "2", "--no-browser"]) == 5
    assert course.main(["test", "tests", "--all", "-x"]) == 5
    assert course.main(["notebooks", "01"]) == 5
    assert course.main(["record", "01"]) == 5
    assert course.main(["site"]) == 5
    assert course.main(["forms", "live"]) == 5
    assert course.main(["hub", "--debug"]) == 5
    assert course.main(["setup", "browser"]) == 0
    alone = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(course.ENV / "ipython")}
    assert calls == [
        "lab",
        (("-m", "tools.lab", "2", "--no-browser"), {}),
        "site",
        (("-m", "pytest", "tests", "--all", "-x"), alone),
        "test",
        (("-m", "tools.notebooks", "run", "01"), alone),
        "test",
        (("-m", "tools.frames", "record", "01"), alone),
        "site",
        (("-m", "tools.site"), alone),
        "site",
        (("-m", "tools.forms", "live"), alone),
        "lab",
        (("-m", "classroom.start", "--debug"), {}),
        "browser",
    ]


def test_call_becomes_the_program(course, monkeypatch):
    seen = []
    for name in ("MPLBACKEND", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, "astray")
    monkeypatch.setattr(course.os, "chdir", seen.append)
    monkeypatch.setattr(course.os, "execve", lambda *a: seen.append(a) or exit(0))
    with pytest.raises(SystemExit):
        course.call("-m", "tools.lab", A="b")
    folder, (program, command, variables) = seen
    assert folder == str(course.ROOT) and program == str(course.PYTHON)
    assert command == (program, "-m", "tools.lab")
    assert variables["A"] == "b" and "astray" not in variables.values()


def test_call_on_windows_waits_for_the_program(course, monkeypatch):
    started, signals = [], []

    def popen(command, cwd, env):
        started.append((command, cwd, env["A"]))
        return SimpleNamespace(wait=lambda: 7)

    monkeypatch.setattr(course, "os", Windows())
    monkeypatch.setattr(course.subprocess, "Popen", popen)
    monkeypatch.setattr(course.signal, "signal", lambda *a: signals.append(a))
    assert course.call("-m", "pytest", A="b") == 7
    assert started == [((str(course.PYTHON), "-m", "pytest"), str(course.ROOT), "b")]
    assert signals == [(signal.SIGINT, signal.SIG_IGN)]


def test_python_of_the_environment_on_windows(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "os", Windows())
    course = load_course(tmp_path, monkeypatch)
    assert course.PYTHON == course.ENV / "Scripts" / "python.exe"
    asked = []
    monkeypatch.setattr(course.installer, "run", lambda *command, **variables: None)
    monkeypatch.setattr(course.installer, "ask", lambda *command: asked.append(command))
    monkeypatch.setattr(course.installer.shutil, "which", lambda name: None)
    course.installer.installer()
    assert (str(course.ENV / "Scripts" / "uv.exe"), "--version") in asked


def test_clean_removes_what_was_made_and_nothing_else(course, machine):
    (course.ROOT / "my_notebooks").mkdir()
    before = sorted(course.ROOT.rglob("*"))
    machine.setup()
    (course.ROOT / ".pytest_cache").mkdir()
    assert course.main(["clean"]) == 0
    assert sorted(course.ROOT.rglob("*")) == before


@pytest.mark.parametrize(("verb", "code"), [("--help", 0), ("", 0), ("lob", 2)])
def test_help(course, capsys, verb, code):
    assert course.main([verb] if verb else []) == code
    assert "course.py lab" in capsys.readouterr().out
