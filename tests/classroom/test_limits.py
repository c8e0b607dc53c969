"""The fences around a participant, in a folder that stands for the control groups."""

import os
import subprocess
import sys

import pytest

from tools import ROOT

pytest.importorskip("resource", reason="Windows has no such limits")
from classroom import limits
from classroom.limits import Limits

FENCES = Limits(process_mib=600, all_mib=700, cpus=0.5)


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "GROUPS", tmp_path)
    return tmp_path


def test_version_one(groups):
    for tree in ("memory", "cpu"):
        (groups / tree).mkdir()
    memory, cpu = FENCES.prepare("an")
    assert memory == groups / "memory" / "dgm-class" / "an"
    assert (memory / "memory.limit_in_bytes").read_text() == str(700 * 2**20)
    period, quota = (cpu / f"cpu.cfs_{x}_us" for x in ("period", "quota"))
    assert int(quota.read_text()) / int(period.read_text()) == 0.5


def test_version_two(groups):
    (groups / "cgroup.controllers").write_text("cpu memory")
    (group,) = FENCES.prepare("an")
    assert group == groups / "dgm-class" / "an"
    assert (group / "memory.max").read_text() == str(700 * 2**20)
    assert (group / "cpu.max").read_text() == "50000 100000"
    for parent in (groups, groups / "dgm-class"):  # or the children have no such files
        assert (parent / "cgroup.subtree_control").read_text() == "+memory +cpu"


def test_a_desk_is_closed_to_others(tmp_path, monkeypatch):
    me = limits.pwd.getpwuid(os.getuid())
    monkeypatch.setattr(limits, "DESKS", tmp_path / "desks")
    monkeypatch.setattr(limits.pwd, "getpwnam", lambda name: me)
    for _ in range(2):  # a second start finds it there
        own = limits.desk("an")
    assert own.stat().st_mode & 0o777 == 0o700
    assert own.parent.stat().st_mode & 0o777 == 0o711
    assert own.stat().st_uid == os.getuid()


def test_two_participants_have_two_groups(groups):
    assert not set(FENCES.prepare("an")) & set(FENCES.prepare("binh"))


def test_where_no_groups_can_be_made(groups, monkeypatch):
    monkeypatch.setattr(limits, "GROUPS", groups / "a file")
    (groups / "a file").touch()
    assert FENCES.prepare("an") == []


def test_one_controller_is_better_than_none(groups):
    (groups / "cpu").touch()  # cannot be a folder
    assert [group.parts[-3] for group in FENCES.prepare("an")] == ["memory"]


def in_a_process(code, folder):
    """Run code behind the fences, in a process of its own."""
    begin = (
        "from pathlib import Path; from classroom.limits import Limits; "
        f"Limits(process_mib=300).enter([Path({str(folder)!r}), Path('/none')]); "
    )
    run = [sys.executable, "-c", begin + code]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts all on Linux")
def test_who_wants_too_much_gets_an_error_and_lives_on(tmp_path):
    small = in_a_process("x = bytearray(100 * 2**20); print(len(x))", tmp_path)
    assert small.stdout == "104857600\n"
    code = (
        "import os\n"
        "try:\n    bytearray(400 * 2**20)\n"
        "except MemoryError:\n    print('MemoryError', os.getpid())"
    )
    done = in_a_process("exec(" + repr(code) + ")", tmp_path)
    assert done.stdout.startswith("MemoryError ") and done.returncode == 0
    assert done.stdout.split()[1] == (tmp_path / "cgroup.procs").read_text()


def test_a_participant_may_not_have_more_than_all():
    assert Limits().process_mib < Limits().all_mib


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Unix only")
def test_limits_pass_on_to_children(tmp_path):
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[1])'])"
    )
    assert in_a_process(code, tmp_path).stdout == f"{300 * 2**20}\n"
