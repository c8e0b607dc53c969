"""The doctor, ``python -m course_utils``: what spoils the first hour, produced here."""

import errno
import importlib
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from course_utils import __main__ as doctor
from course_utils import memory as own
from tools import ROOT


def said(check):
    """The lines of a check."""
    return "\n".join(check())


def elsewhere(folder):
    """The last line of the doctor, started in another folder."""
    run = [sys.executable, "-m", "course_utils"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()[-1]


def test_old_python(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 1))
    with pytest.raises(doctor.NotReady, match=r"3\.11 or newer .* this is 3\.9\.1"):
        said(doctor.check_python)


def test_another_python_than_that_of_the_course(tmp_path):
    """The course is there, its packages are not: `python` instead of .venv's."""
    copy = tmp_path / "course_utils"
    copy.mkdir()
    for name in ("__init__.py", "__main__.py"):
        source = (ROOT / "course_utils" / name).read_text("utf-8")
        (copy / name).write_text(source, "utf-8")
    run = [sys.executable, "-I", "-S", "-c"]  # a Python without our packages
    code = "import sys; sys.path.insert(0, '.'); import runpy; "
    code += "runpy.run_module('course_utils', run_name='__main__')"
    done = subprocess.run([*run, code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("course_utils is not installed here: run `python course.py")


@pytest.mark.parametrize("name", ["torch", "random", "matplotlib"])
def test_a_file_of_the_reader_hides_a_module(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("mine = 1", "utf-8")
    last = elsewhere(tmp_path)
    assert f"rename {(tmp_path / name).resolve()}.py" in last


@pytest.mark.skipif(sys.platform == "win32", reason="other rights there")
def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    if os.geteuid() == 0:  # root may write anywhere
        refusal = PermissionError(errno.EACCES, "Permission denied")
        monkeypatch.setattr(doctor.Path, "write_bytes", _raise(refusal))
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o500)
    with pytest.raises(doctor.NotReady, match=r"saved in .* own, on a disk with"):
        said(doctor.check_folder)


def _raise(error):
    def call(*arguments, **options):
        raise error

    return call


def test_a_full_disk(monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(doctor.Path, "write_bytes", _raise(full))
    with pytest.raises(doctor.NotReady, match=r"\(OSError: .*No space left on device"):
        said(doctor.check_folder)


@pytest.mark.parametrize(("free", "words"), [(700, "only 700 MiB"), (5000, "at least")])
def test_memory(monkeypatch, free, words):
    memory = SimpleNamespace(available=free * 2**20)
    psutil = SimpleNamespace(virtual_memory=lambda: memory)
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setattr(own, "limit_mib", lambda: None)
    assert words in said(doctor.check_memory)
    assert ("close other programs" in said(doctor.check_memory)) == (free == 700)


@pytest.mark.parametrize(("used", "words"), [(2100, "only 400 MiB"), (300, "at least")])
def test_memory_of_a_participant_on_a_server(monkeypatch, used, words):
    machine = SimpleNamespace(available=60_000 * 2**20)
    psutil = SimpleNamespace(virtual_memory=lambda: machine)
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setattr(own, "limit_mib", lambda: 2500)
    monkeypatch.setattr(own, "used_mib", lambda: used)
    assert words in said(doctor.check_memory)


def test_memory_where_nothing_measures_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert said(doctor.check_memory) == ""


def test_a_proxy_is_named_without_its_password(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert said(doctor.check_proxy) == ""
    monkeypatch.setenv("https_proxy", "http://an:secret@proxy.example.org:3128")
    line = said(doctor.check_proxy)
    assert line.startswith("proxy for https: http://***@proxy.example.org:3128. ")
    assert "secret" not in line


def test_the_list_of_causes_names_tests_that_exist():
    page = (ROOT / "docs" / "classroom.md").read_text("utf-8")
    named = re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", page)
    assert len(named) >= 20
    for file, name in named:
        source = (ROOT / "tests" / file).read_text("utf-8")
        assert f"\ndef {name}(" in source, f"{file} has no {name}"


def test_every_check_is_made():
    names = {name for name in vars(doctor) if name.startswith("check_")}
    assert names == {check.__name__ for check in doctor.CHECKS}


def test_the_doctor_needs_no_package_to_speak():
    """Only the standard library is imported before the first line."""
    source = (ROOT / "course_utils" / "__main__.py").read_text("utf-8")
    lines = [x for x in source.splitlines() if x.startswith(("import ", "from "))]
    names = {line.split()[1].split(".")[0] for line in lines}
    assert names <= sys.stdlib_module_names
    assert importlib.util.find_spec("course_utils.__main__")
