"""The first cell of a notebook that came alone, run by a Python without the course."""

import os
import re
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from tools import code_cells, load, notebook_paths
from tools.forms.alone import alone
from tools.forms.wheel import build_wheel, wheel_name

pytestmark = pytest.mark.slow
if os.name == "nt":
    pytest.skip("links to packages need rights there", allow_module_level=True)


class Host:
    """A Python that has what ours has, but not the course; no network."""

    def __init__(self, folder: Path):
        venv.create(folder / "host", symlinks=True)
        self.python, self.folder = folder / "host/bin/python", folder / "alone"
        (self.site,) = (folder / "host/lib").glob("python*/site-packages")
        for entry in Path(pytest.__file__).parents[1].iterdir():
            if "course_utils" not in entry.name and entry.suffix != ".pth":
                (self.site / entry.name).symlink_to(entry)
        self.folder.mkdir()

    def run(self, code):
        own = {
            k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))
        }
        own |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        options = {"cwd": self.folder, "env": own, "encoding": "utf-8"}
        run = [self.python, "-c", code]
        return subprocess.run(run, capture_output=True, **options)

    def added(self):
        """What is in its own folder, and no link to ours."""
        return {p.name for p in self.site.iterdir() if not p.is_symlink()}


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def first_cell(extra=""):
    """The cell that installs; ``extra`` is one more package that is needed."""
    cell = code_cells(alone(load(notebook_paths(["01"])[0]), ""))[0]
    return cell.source.replace(' safetensors"', f' safetensors {extra}"')


def small_wheel(folder, needs):
    """A package named ``kem`` that needs another one."""
    text = f"Metadata-Version: 2.1\nName: kem\nVersion: 1\nRequires-Dist: {needs}\n"
    with zipfile.ZipFile(folder / "kem-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("kem.py", "")
        wheel.writestr("kem-1.dist-info/METADATA", text)
        wheel.writestr("kem-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        wheel.writestr("kem-1.dist-info/RECORD", "")


def test_it_adds_the_course_and_what_is_missing_and_replaces_nothing(host):
    build_wheel(host.folder)
    small_wheel(host.folder, "numpy>=1")
    before = host.added()
    done = host.run(first_cell("kem") + "\nimport course_utils, course_utils.data, kem")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"ready:\n{wheel_name()}\n"
    new = {name.split("-")[0].removesuffix(".py") for name in host.added() - before}
    assert new - {"__pycache__"} == {"course_utils", "kem"}


def test_a_host_that_is_older_than_the_course_is_told_so(host):
    build_wheel(host.folder)
    old = host.site / "tqdm-4.1.dist-info"
    (link,) = host.site.glob("tqdm-*.dist-info")
    link.unlink()
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: tqdm\nVersion: 4.1\n")
    done = host.run(first_cell())
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert re.fullmatch(r"tqdm 4\.1 is too old, 4\.[\d.]+ is needed", said[-1]), said


def test_what_needs_another_version_of_what_is_there_is_refused_by_name(host):
    build_wheel(host.folder)
    small_wheel(host.folder, "numpy>=999")
    done = host.run(first_cell("kem"))
    assert "Not added: kem. Without a network" in done.stderr.splitlines()[-1]


def test_without_network_and_wheel_it_says_what_to_do(host):
    done = host.run(first_cell())
    sentence = f"Not added: {wheel_name()}. Without a network, put its wheel beside"
    assert sentence in done.stderr.splitlines()[-1]
    assert not any("course" in name for name in host.added())
