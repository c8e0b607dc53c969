"""Why a kernel ended: both versions of control groups, containers, other systems."""

import pytest

from course_utils import memory

V1 = {"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"}
V1 |= {"memory.limit_in_bytes": "3145728000", "memory.stat": "cache 9\ntotal_rss {}\n"}
V2 = {"memory.events": "low 0\noom 7\noom_kill {}\noom_group_kill 0\n"}
V2 |= {"memory.max": "3145728000\n", "memory.stat": "anon {}\nfile 9\n"}
OWN = {V1["memory.stat"]: "4:memory:{}\n0::/\n", V2["memory.stat"]: "0::{}\n"}


@pytest.fixture(params=[V1, V2], ids=["version 1", "version 2"])
def files(request, tmp_path, monkeypatch):
    """A made-up tree of groups; returns a function that writes this process's files."""
    groups, own = tmp_path / "groups", tmp_path / "own"
    tree = groups / "memory" if request.param is V1 else groups
    monkeypatch.setattr(memory, "GROUPS", groups)
    monkeypatch.setattr(memory, "OF_THIS", own)
    (tree / "class" / "an").mkdir(parents=True)
    if request.param is V2:
        (groups / "cgroup.controllers").write_text("memory")

    def write(number, path="/class/an", there="/class/an", **others):
        own.write_text(OWN[request.param["memory.stat"]].format(path))
        for name, text in request.param.items():
            others_text = others.get(name.replace(".", "_"), text)
            (tree / there.lstrip("/") / name).write_text(others_text.format(number))

    return write


def test_the_next_kernel_says_why_the_one_before_has_ended(files, tmp_path):
    note = tmp_path / "note"
    files(2)  # others have been ended before this one began
    assert memory.what_happened(note) == ""
    assert memory.what_happened(note) == ""
    files(3)
    said = memory.what_happened(note)
    assert "memory ran out (3000 MiB for all your processes)" in said
    assert memory.what_happened(note) == ""  # said once
    files(0)  # a new group with an old note
    assert memory.what_happened(note) == ""
    files(1)
    assert memory.what_happened(note)


def test_without_a_limit_none_is_named(files, tmp_path):
    note = tmp_path / "note"
    no_limit = {"memory_max": "max\n", "memory_limit_in_bytes": "9223372036854771712"}
    files(0, **no_limit)
    assert memory.limit_mib() is None
    memory.what_happened(note)
    files(1, **no_limit)
    assert "ran out, probably" in memory.what_happened(note)


def test_a_note_that_cannot_be_read_or_written_stops_nobody(files, tmp_path):
    files(1)
    note = tmp_path / "note"
    note.write_text("no number")
    assert memory.what_happened(note) == ""
    assert note.read_text() == "1"
    assert memory.what_happened(tmp_path / "missing" / "note") == ""
    assert memory.what_happened(tmp_path) == ""  # a folder


def test_what_is_used(files):
    files(700 * 2**20)
    assert (memory.used_mib(), memory.limit_mib()) == (700, 3000)


def test_a_container_sees_its_own_group_at_the_root(files):
    files(5, path="/outside/of/it", there="/")
    assert memory.killed() == 5


@pytest.mark.parametrize("own", [None, "", "9:name=systemd:/\n0::/\n"])
def test_where_nothing_is_known_nothing_is_said(own, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "GROUPS", tmp_path)
    monkeypatch.setattr(memory, "OF_THIS", tmp_path / "own")
    if own is not None:
        (tmp_path / "own").write_text(own)
    assert memory.group() is None and memory.killed() is None
    assert memory.limit_mib() is None and memory.used_mib() is None
    assert memory.what_happened(tmp_path / "note") == ""
    assert not (tmp_path / "note").exists()
