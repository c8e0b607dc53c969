"""What ``python course.py hub`` checks and starts; no hub is started here."""

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from classroom import settings, start
from tools import ROOT


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A machine on which all is ready; what would run is noted."""
    noted = []
    monkeypatch.setattr(settings, "FOLDER", tmp_path / "hub")
    monkeypatch.setattr(settings, "COURSE", tmp_path)
    monkeypatch.setattr(start.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(start, "find_spec", lambda name: True)
    monkeypatch.setattr(start, "check_places", lambda *places: None)
    monkeypatch.setattr(start, "HUB_PORT", 1)  # nobody listens there
    monkeypatch.setattr(start, "be_quiet", lambda prefix: None)
    monkeypatch.setattr(start.os, "chdir", lambda folder: None)
    monkeypatch.setattr(start.os, "execv", lambda *command: noted.append(command))
    monkeypatch.setenv("PATH", "/bin")
    done = SimpleNamespace(returncode=0, stderr="", stdout="")

    def run(command, **options):
        noted.append(command)
        return done

    monkeypatch.setattr(start.subprocess, "run", run)
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/bin/{name}")
    return SimpleNamespace(noted=noted, done=done)


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_it_becomes_the_hub(server, capsys):
    start.main(["--debug"])
    npm, (program, hub) = server.noted
    assert npm[:2] == ("npm", "install") and npm[-1] == start.PROXY
    assert program == sys.executable and hub[1:3] == ["-m", "jupyterhub"]
    assert hub[-1] == "--debug" and Path(hub[-2]).is_file()
    assert "The hub starts at http://127.0.0.1:8000" in capsys.readouterr().out
    assert settings.FOLDER.stat().st_mode & 0o077 == 0  # secrets lie there


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_what_is_there_is_not_installed_again(server):
    program = settings.FOLDER / "node_modules/.bin/configurable-http-proxy"
    program.parent.mkdir(parents=True)
    program.touch()
    start.main([])
    assert len(server.noted) == 1
    assert str(program.parent) in start.os.environ["PATH"]


def refused(capsys):
    """The one sentence with which the start ends."""
    assert start.main([]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


def test_without_root(server, monkeypatch, capsys):
    monkeypatch.setattr(start.os, "geteuid", lambda: 1000, raising=False)
    assert "start the hub on Linux, with sudo" in refused(capsys)


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_without_node(server, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    assert "needs node: `sudo apt install nodejs npm`" in refused(capsys)


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_without_a_network(server, monkeypatch, capsys):
    monkeypatch.setattr(start, "find_spec", lambda name: None)
    server.done.returncode = 1
    server.done.stderr = "WARNING: x\nERROR: No matching distribution found\n"
    sentence = refused(capsys)
    assert sentence.endswith("failed: ERROR: No matching distribution found")
    assert "pip install" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_two_hubs(server, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(start, "HUB_PORT", other.getsockname()[1])
        assert "is in use, by another hub" in refused(capsys)
    assert server.noted == []


@pytest.mark.parametrize(
    ("address", "certificate", "fine"),
    [
        ("http://127.0.0.1:8000", "", True),
        ("http://localhost:80", "", True),
        ("http://[::1]:8000", "", True),
        ("http://0.0.0.0:8000", "", False),
        ("http://192.168.1.2:8000", "", False),
        ("https://class.example.org", "", False),
        ("https://0.0.0.0:443", "/etc/ssl/class.pem", True),
    ],
)
def test_no_password_travels_readable(address, certificate, fine):
    if fine:
        start.check_address(address, certificate)
    else:
        with pytest.raises(start.NotReady, match="passwords would travel readable"):
            start.check_address(address, certificate)


@pytest.mark.skipif(sys.platform == "win32", reason="the hub is for Unix")
def test_participants_must_enter_and_must_not_write(tmp_path, monkeypatch):
    course = tmp_path / "course"
    course.mkdir()
    for folder in (course, *course.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o711)
    start.check_places(course)
    course.chmod(0o777)
    with pytest.raises(start.NotReady, match=r"Anybody can write in .*course"):
        start.check_places(course)
    course.chmod(0o755)
    tmp_path.chmod(0o700)
    with pytest.raises(start.NotReady, match=r"cannot enter .* in /srv/dgm"):
        start.check_places(course)


def test_the_configuration_can_be_read():
    """Its options are those of the lab; it turns no authentication off."""
    text = (ROOT / "classroom" / "jupyterhub_config.py").read_text("utf-8")
    compile(text, "jupyterhub_config.py", "exec")
    assert 'authenticator_class = "pam"' in text
    assert "allow_all" not in text and "dummy" not in text.lower()
