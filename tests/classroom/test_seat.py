"""What starts for a participant: the copies, then the server; none is started."""

import json
import os
import sys

import pytest

from classroom import seat
from tools import NAMES


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A course and an empty home; the server that would start is noted."""
    (tmp_path / "notebooks").mkdir()
    for name in NAMES:
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))  # Windows
    monkeypatch.setenv("PYTHONPATH", "/srv/dgm")
    monkeypatch.setattr(seat, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["seat", "--debug"])
    started = []
    monkeypatch.setattr(os, "execv", lambda program, given: started.append(given))
    yield home
    ((program, *given),) = started  # whatever happened, the server was started
    assert program.endswith("jupyterhub-singleuser") and given == ["--debug"]
    assert "PYTHONPATH" not in os.environ  # or the kernels would find tools and tests


def test_the_notebooks_lie_in_the_home(home):
    seat.main()
    found = {path.stem for path in (home / "my_notebooks").glob("*.ipynb")}
    assert found == set(NAMES)


def test_an_update_overwrites_nothing_and_is_named(home, capsys):
    seat.main.__globals__["copy_missing"](
        seat.ROOT / "notebooks", home / "my_notebooks"
    )
    mine = home / "my_notebooks" / "02_gmm_em.ipynb"
    mine.write_text("my answers")
    (seat.ROOT / "notebooks" / "02_gmm_em.ipynb").write_text("newer")
    seat.main()
    assert mine.read_text() == "my answers"
    assert "Newer than your copy: 02_gmm_em." in capsys.readouterr().out


def test_a_full_disk_stops_nobody(home, monkeypatch, capsys):
    def full(path, data):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/run/dgm-class/an")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, "in the home")
    monkeypatch.setattr(seat.Path, "write_bytes", full)
    seat.main()
    assert "The home is full" in capsys.readouterr().out
    assert os.environ["JUPYTER_CONFIG_DIR"] == "/run/dgm-class/an"
    assert os.environ["JUPYTER_DATA_DIR"] == "/run/dgm-class/an"
    assert list(home.iterdir()) == []


def test_what_was_copied_is_known(home):
    seat.main()
    note = json.loads((home / "my_notebooks" / ".made_from.json").read_text())
    assert set(note) == set(NAMES)
