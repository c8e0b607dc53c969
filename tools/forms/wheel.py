"""The wheel of ``course_utils``: package and data in one file."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path

from course_utils import __version__
from tools import ROOT, NotebookError

PARTS = ["pyproject.toml", "README.md", "LICENSE", "course_utils", "data"]
BUILD = "import sys; from setuptools.build_meta import build_wheel as b; b(sys.argv[1])"


@cache
def project() -> dict:
    """The table ``project`` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def wheel_name() -> str:
    """The file name of the wheel."""
    return f"course_utils-{__version__}-py3-none-any.whl"


def build_wheel(folder: Path) -> Path:
    """Build the wheel into ``folder``, without network, from a copy of its parts.

    (A build leaves files behind: so it runs somewhere else.)
    """
    away = shutil.ignore_patterns("__pycache__", "shipped")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, place / part, ignore=away)
            else:
                shutil.copy(ROOT / part, place)
        run = [sys.executable, "-c", BUILD, str(place)]
        done = subprocess.run(run, cwd=place, capture_output=True, text=True)
        if done.returncode:
            raise NotebookError(f"the wheel could not be built:\n{done.stderr}")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(place / wheel_name(), folder))
