"""The folder for a USB stick: it is made, and the course is installed from it alone."""

import os
import subprocess
import sys

import pytest

from tools import NotebookError
from tools.forms import usb

NOBODY = "http://127.0.0.1:9"  # a proxy that does not answer: no network for pip and uv
CLOSED = {name: NOBODY for name in ("http_proxy", "https_proxy", "all_proxy")}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A website of one page."""
    monkeypatch.setattr(usb, "SITE", tmp_path / "site")
    return tmp_path / "site"


def test_without_a_website_it_says_how_to_make_one(site, tmp_path):
    with pytest.raises(NotebookError, match=r"python course\.py site"):
        usb.usb(tmp_path / "stick")


@pytest.mark.slow
def test_the_course_is_installed_from_the_folder_alone(site, tmp_path):
    site.mkdir()
    (site / "index.html").touch()
    folder = tmp_path / "Khoá học sâu"
    usb.usb(folder)
    assert len((folder / "INSTALL.txt").read_text("utf-8").splitlines()) == 5
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    own |= CLOSED | {"PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(tmp_path)}

    def start(*command):
        options = {"cwd": folder, "env": own, "encoding": "utf-8"}
        done = subprocess.run(command, capture_output=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "is installed" in start(sys._base_executable, "course.py", "setup")
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    assert "READY" in start(str(folder / ".venv" / inside), "-m", "course_utils")
