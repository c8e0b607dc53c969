"""The folder for a USB stick: the course, the website, and the packages it needs.

A room without a network copies this folder and starts it: ``course.py`` takes its
packages from ``wheels/`` where there is such a folder beside it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from course_installer import CPU_INDEX, TORCH, UV
from tools import ROOT, NotebookError

SITE = ROOT / "build/site"
INSTALL = """\
1. Copy this whole folder to the disk of the computer ({system}, Python {python}).
2. To read the course, open site/index.html: nothing is installed for that.
3. To run it, open a terminal in the copied folder and type: python course.py lab
4. The first start installs from the folder wheels/, without a network.
5. For another system or Python, make the folder there: python course.py forms usb
"""


def usb(folder: Path) -> None:
    """Make the folder: what git knows of the course, the website, wheels, INSTALL.txt.

    Raises ``NotebookError`` where there is no website yet, or no network.
    """
    if not (SITE / "index.html").exists():
        raise NotebookError("there is no website yet: python course.py site")
    known = _run("git", "ls-files", "-z").split("\0")
    for name in filter(None, known):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    shutil.copytree(SITE, folder / "site", dirs_exist_ok=True)
    wheels = str(folder / "wheels")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    pip += ["--disable-pip-version-check", "--no-deps", "--dest", wheels]
    cpu = ["--index-url", CPU_INDEX] if sys.platform == "linux" else []
    _run(*pip, *cpu, TORCH)
    _run(*pip, "-r", str(ROOT / "requirements/lab.txt"))
    _run(*pip, "-r", UV)
    python = ".".join(map(str, sys.version_info[:2]))
    text = INSTALL.format(system=sys.platform, python=python)
    (folder / "INSTALL.txt").write_text(text, encoding="utf-8")


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise NotebookError(f"{' '.join(command[:5])} …: {done.stderr[-500:]}")
    return done.stdout
