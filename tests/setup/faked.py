"""course.py with all that is outside it faked: no network, no installs."""

import importlib.util
import os
import shutil
import sys

from tools import ROOT

PINS_TROUBLE = "ERROR: No matching distribution found for scipy==1.17.1"
OFFLINE = """\
WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/numpy/
ERROR: Could not find a version that satisfies the requirement numpy (from versions: )
ERROR: No matching distribution found for numpy
"""


def load(name, folder, monkeypatch):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def load_course(tmp_path, monkeypatch):
    """course.py as a module in a folder with nothing installed, and a reader's path."""
    folder = tmp_path / "Khoá học của tôi"
    folder.mkdir()
    for name in ("course.py", "course_installer.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("COURSE_NEWEST", "MPLBACKEND", "IPYTHONDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    load("course_installer", folder, monkeypatch)
    return load("course", folder, monkeypatch)


class Machine:
    """What course.py starts: venv, pip and uv that note their commands and do nothing.

    ``failures`` maps words of a command to what it then says, once; ``uvs`` maps the
    paths of uv to versions.
    """

    def __init__(self, course, monkeypatch):
        self.course, self.commands, self.variables = course, [], []
        self.failures, self.uvs, self.settings, self.works = {}, {}, "", True
        self.python = "Python " + sys.version.split()[0]
        for module in (course, course.installer):
            monkeypatch.setattr(module, "ask", self.ask)
        monkeypatch.setattr(course.installer, "run", self.run)

    def is_environment(self):
        env = self.course.ENV
        return (env / "pyvenv.cfg").exists() and self.course.PYTHON.exists()

    def run(self, *command, **variables):
        line = " ".join(command)
        self.commands.append(line)
        self.variables.append(variables)
        if "-m venv" in line:
            self.course.PYTHON.parent.mkdir(parents=True)
            self.course.PYTHON.touch()
            (self.course.ENV / "pyvenv.cfg").touch()
        else:
            assert self.is_environment(), f"no environment, and yet: {line}"
            assert str(self.course.PYTHON) in command
            assert "half" in self.course.STAMP.read_text()
        for words in [words for words in self.failures if words in line]:
            said = self.failures.pop(words)
            raise said if isinstance(said, BaseException) else self.course.Problem(said)
        if f" {self.course.installer.UV}" in line:
            self.uvs[str(self.course.PYTHON.parent / "uv")] = "uv 0.13.9 (some machine)"

    def ask(self, *command):
        if command[0] in self.uvs:
            return self.uvs[command[0]]
        if "sys.prefix" in command[-2]:
            return "" if self.is_environment() else None
        if "runpy" in command[-1]:
            return "READY" if self.works else None
        known = {"--version": self.python, "list": self.settings}
        return known.get(command[-1]) if command[0] == str(self.course.PYTHON) else None

    def setup(self, level="lab", **failures):
        """The commands of one start."""
        self.commands.clear()
        self.variables.clear()
        self.failures = failures.get("failures", {})
        self.course.setup(level)
        return self.commands


class Windows:
    """The module os, with the name of Windows."""

    name = "nt"

    def __getattr__(self, name):
        return getattr(os, name)
