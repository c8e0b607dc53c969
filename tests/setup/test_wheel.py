"""The built wheel is all that a notebook needs: it runs alone in an empty folder."""

import zipfile

import pytest

from course_utils.data import SHA256
from tests.performing import shortened
from tools import ROOT, code_cells, load, notebook_paths, notebooks, tags
from tools.forms.wheel import build_wheel

BLOCKED = """
import socket

def refuse(*_, **__):
    raise OSError("the network is blocked")

socket.socket.connect = socket.getaddrinfo = refuse
"""
CONTROL = """
import socket
import course_utils.data
for place in (course_utils.__file__, str(course_utils.data.DATA_DIR)):
    assert place.startswith({site!r}), place
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    assert "blocked" in str(error), error
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    modules = {
        p.relative_to(ROOT).as_posix() for p in ROOT.glob("course_utils/**/*.py")
    }
    files = {f"course_utils/shipped/{name}" for name in SHA256}
    other = {"course_utils/course.mplstyle"}
    other |= {p.relative_to(ROOT).as_posix() for p in ROOT.glob("course_utils/**/*.mo")}
    other |= {f"course_utils/shipped/{name}" for name in ("README.md", "glossary.csv")}
    assert inside == modules | files | other
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < 13e6


@pytest.mark.slow
@pytest.mark.parametrize("number", ["01", "04"])
def test_a_notebook_runs_from_the_wheel_alone(wheel, number, tmp_path, monkeypatch):
    """No clone, no network. The folder has Vietnamese letters, as many a home has."""
    site, folder = tmp_path / "thư viện", tmp_path / "bài học"
    folder.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    (site / "sitecustomize.py").write_text(BLOCKED, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))
    (path,) = notebook_paths([number])
    notebook = load(path)
    for cell in code_cells(notebook):
        if "setup" in tags(cell):
            cell.source = CONTROL.format(site=str(site)) + shortened(cell.source)
    notebooks.execute(notebook, path.stem, folder)
    assert list(folder.iterdir()) == []
