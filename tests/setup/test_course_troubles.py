"""course.py in trouble: nothing outside .venv, one sentence, and it goes on later."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from types import ModuleType, SimpleNamespace

import pytest

from tests.setup.faked import Windows, load_course

# --- nothing outside .venv -----------------------------------------------------------


def test_a_damaged_environment_is_made_anew_and_its_python_not_used(
    tmp_path, monkeypatch, capsys
):
    """Without pyvenv.cfg, .venv/bin/python is the reader's own Python."""
    course = load_course(tmp_path, monkeypatch)
    run = [sys.executable, "-m", "venv", "--without-pip", str(course.ENV)]
    subprocess.run(run, check=True)
    assert course.is_environment()
    (course.ENV / "pyvenv.cfg").unlink()
    assert not course.is_environment()
    commands = []

    def note(*command, **variables):
        commands.append(command)
        assert "-m" in command and "venv" in command
        raise course.Problem("", "enough seen")

    monkeypatch.setattr(course.installer, "run", note)
    with pytest.raises(course.Problem, match="enough seen"):
        course.setup()
    assert len(commands) == 1 and "making it anew" in capsys.readouterr().out
    assert "half" in course.STAMP.read_text() and not course.PYTHON.exists()


def test_the_environment_of_another_python_stays(course, machine, capsys):
    machine.setup()
    mark = course.ENV / "kept"
    mark.touch()
    machine.python = "Python 3.11.0"
    assert machine.setup() == []
    commands = machine.setup("test")  # with the Python of the environment
    assert len(commands) == 3 and mark.exists()
    assert (
        f"Python 3.11.0 (this is {sys.version.split()[0]})" in capsys.readouterr().out
    )


def test_what_leads_astray_is_dropped(tmp_path, monkeypatch):
    """Every step sees pip's guard, and none of what the reader set for other work."""
    course = load_course(tmp_path, monkeypatch)
    course.ENV.mkdir()
    for name in ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "UV_SYSTEM_PYTHON"):
        monkeypatch.setenv(name, "astray")
    show = "import os; print(sorted(k for k, v in os.environ.items() if v == 'astray'))"
    show += "; print(os.environ['PIP_REQUIRE_VIRTUALENV'], os.environ['PIP_USER'])"
    course.installer.run(sys.executable, "-c", show)
    assert course.installer.LOG.read_text().splitlines() == ["[]", "1 0"]


def test_a_half_made_environment_is_made_anew(course, machine, capsys):
    with pytest.raises(KeyboardInterrupt):
        machine.setup(failures={"lab.txt": KeyboardInterrupt()})
    mark = course.ENV / "half of a package"
    mark.touch()
    assert "-m venv" in machine.setup()[0] and not mark.exists()
    assert "making it anew" in capsys.readouterr().out


@pytest.mark.parametrize("note", ["", "lab", "old hash", "\0"])
def test_a_damaged_stamp_counts_as_half_made(course, machine, note):
    machine.setup()
    course.STAMP.write_text(note)
    assert "-m venv" in machine.setup()[0]


def test_removal_that_is_stopped_leaves_no_environment(course, machine, monkeypatch):
    machine.setup()

    def stop(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(course.shutil, "rmtree", stop)
    assert course.main(["clean"]) == 130
    assert not machine.is_environment()


def test_moved_folder_is_noticed(course, machine, monkeypatch):
    machine.setup()
    monkeypatch.setattr(course.installer, "ROOT", course.ROOT / ".." / course.ROOT.name)
    assert machine.setup()[-1].endswith("-e .")  # it holds the path of the course


# --- two starts at once --------------------------------------------------------------

HOLD = """\
import sys, time
sys.path.insert(0, sys.argv[1])
import course_installer
held = course_installer.lock()
print("held", flush=True)
time.sleep(60)
"""


def test_second_start_says_so(course, machine, monkeypatch, capsys):
    monkeypatch.undo()  # a real program holds the lock
    run = [sys.executable, "-c", HOLD, str(course.ROOT)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert course.main(["setup"]) == 1 and course.main(["clean"]) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 2 and "Another start is setting up" in said[0]
        assert not course.ENV.exists()
        other.kill()
    course.installer.lock().close()


@pytest.mark.skipif(os.name == "nt", reason="Windows frees the lock at once")
def test_an_installer_that_survives_holds_the_lock(tmp_path, monkeypatch):
    course = load_course(tmp_path, monkeypatch)
    course.ENV.mkdir()
    held = course.installer.lock()
    pids = tmp_path / "pid"
    orphan = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); "
    orphan += "os.close(1); os.close(2); time.sleep(60)"
    start = "import subprocess as s, sys; "
    start += "s.Popen([sys.executable, '-c', *sys.argv[1:]], close_fds=False)"
    course.installer.run(sys.executable, "-c", start, orphan, str(pids))
    held.close()
    while not pids.exists() or not pids.read_text():
        time.sleep(0.02)
    try:
        with pytest.raises(course.Problem, match="Another start"):
            course.installer.lock()
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


def test_first_start_may_have_done_it_all(course, machine, monkeypatch):
    """Another start ended between the first look and the lock."""
    machine.setup()
    note = course.STAMP.read_text()
    course.STAMP.write_text("lab half")

    def lock():
        course.STAMP.write_text(note)
        return contextlib.nullcontext()

    monkeypatch.setattr(course.installer, "lock", lock)
    assert machine.setup() == []


@pytest.mark.parametrize("error", [None, PermissionError(13, "x"), OSError(37, "x")])
def test_lock_on_windows(course, monkeypatch, error):
    locks = []

    def locking(number, mode, size):
        locks.append((mode, size, os.lseek(number, 0, os.SEEK_CUR) > 10**6))
        if error:
            raise error

    fake = ModuleType("msvcrt")
    fake.LK_NBLCK, fake.locking = 2, locking
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(course.installer, "os", Windows())
    if isinstance(error, PermissionError):
        with pytest.raises(course.Problem, match="Another start"):
            course.installer.lock()
    else:  # locked, or a file system without locks
        course.installer.lock().close()
    assert locks == [(2, 1, True)]


# --- troubles ------------------------------------------------------------------------


def test_no_room_is_said_before_anything_is_made(course, machine, monkeypatch, capsys):
    room = SimpleNamespace(free=5 * 10**8)
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: room)
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
    def fail(level):
        raise error

    monkeypatch.setattr(course, "setup", fail)
    assert course.main(["test"]) == code
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1


def test_a_step_that_fails_or_is_stopped(tmp_path, monkeypatch, capsys):
    course = load_course(tmp_path, monkeypatch)
    course.ENV.mkdir()
    says = "print('Downloading a-1.whl (3 MB)'); print('Downloading a.whl.metadata');"
    with pytest.raises(course.Problem, match=r"check the network.*install\.log\)"):
        course.installer.run(sys.executable, "-c", says + "raise OSError('timed out')")
    assert capsys.readouterr().out == "  Downloading a-1.whl (3 MB)\n"
    assert "timed out" in course.installer.LOG.read_text()
    monkeypatch.setattr(course.installer.re, "match", lambda *_: exec("raise EOFError"))
    with pytest.raises(EOFError):  # the program is ended, and waited for
        course.installer.run(
            sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"
        )
