"""course.py in an empty folder, and a machine on which it does nothing."""

from types import SimpleNamespace

import pytest

from tests.setup.faked import Machine, load_course


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py where no program can be started and the disk has room."""

    def refuse(*command, **options):
        pytest.fail(f"a test would run {command}")

    module = load_course(tmp_path, monkeypatch)
    monkeypatch.setattr(module.subprocess, "Popen", refuse)
    monkeypatch.setattr(module.subprocess, "run", refuse)
    room = SimpleNamespace(free=10**11)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: room)
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    return module


@pytest.fixture
def machine(course, monkeypatch):
    return Machine(course, monkeypatch)
