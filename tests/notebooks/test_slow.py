"""Each notebook under hard conditions, and once more from the start (`--all`).

Three executions per notebook: by a stranger (from another working directory, without
network, in a checkout that cannot be written); with every code cell run twice in a row;
and a fresh one whose pictures are compared with the committed ones. The long trainings
are short here: nbval runs the notebooks as they are.
"""

import base64
import copy
import io
import math
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from nbformat.v4 import new_code_cell
from PIL import Image

from tests.performing import report, shorter
from tools import ROOT, code_cells, label, load, notebooks, tags
from tools.normalise import clean, dumps

pytestmark = pytest.mark.slow

PIXELS_THAT_MAY_DIFFER = 0.002
PEAK_MIB = {"06_divergences": 700}  # of the kernel; the others:
# (04 took 862 on one processor and 972 on another, whose libraries take more; 828 now)
PEAK_MIB_OTHERS = 1024
AWAY = {".git", ".venv", "build", "__pycache__", ".ipynb_checkpoints"}

OFFLINE = '''
"""Python reads this file at its start: no connection leaves the machine."""
import socket

connect, look_up = socket.socket.connect, socket.getaddrinfo
LOCAL = ("127.0.0.1", "::1", "localhost", None, "", b"127.0.0.1")


def connect_locally(self, address):
    if isinstance(address, tuple) and address[0] not in LOCAL:
        raise OSError(f"the network is blocked: {address[0]}")
    return connect(self, address)


def look_up_locally(host, *arguments, **options):
    if host not in LOCAL:
        raise OSError(f"the network is blocked: {host}")
    return look_up(host, *arguments, **options)


socket.socket.connect, socket.getaddrinfo = connect_locally, look_up_locally
'''

STRANGER = """
import sys
from pathlib import Path
from tools import load, notebooks
from tools.normalise import clean, dumps
source, elsewhere, target = map(Path, sys.argv[1:])
notebook = load(source)
notebooks.execute(notebook, source.stem, elsewhere)
target.write_text(dumps(clean(notebook)), encoding="utf-8")
"""

CONTROL = """
import os
import socket
import course_utils

try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    assert "blocked" in str(error), error
else:
    raise AssertionError("the network is not blocked")
assert os.environ["COURSE_COPY"] in course_utils.__file__, course_utils.__file__
"""


@pytest.fixture(scope="module")
def fresh():
    """Path -> the notebook after a fresh execution, and its cost; run once for each."""
    done = {}

    def run(path):
        if path not in done:
            notebook = shorter(load(path))
            cost = notebooks.execute(notebook, path.stem)
            done[path] = clean(notebook), cost
        return done[path]

    return run


def _checkout(place):
    """A copy of the repository that its user cannot write, and a home that it can."""
    copy_ = place / "checkout"
    shutil.copytree(ROOT, copy_, ignore=lambda _, names: AWAY & set(names))
    for path in [copy_, *copy_.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for name in ("home", "elsewhere", "site"):
        (place / name).mkdir()
    (place / "site" / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    return copy_


def _as_stranger(checkout):
    """The start of a command that cannot write the checkout; None if there is none.

    Root writes where it likes, unless it gives up the capability to do so.
    """
    drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    write = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')"]
    probe = str(checkout / "probe")
    for start in ([], drop if shutil.which("setpriv") else []):
        if subprocess.run([*start, *write, probe], capture_output=True).returncode:
            return start
        Path(probe).unlink()
    return None


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_by_a_stranger_without_network(notebook_path, tmp_path, fresh):
    place = tmp_path
    copy_ = _checkout(place)
    stranger = _as_stranger(copy_)
    before = _files(copy_)
    notebook = shorter(load(notebook_path))
    notebook.cells.insert(0, new_code_cell(CONTROL, metadata={"name": "control"}))
    source, target = place / notebook_path.name, place / "home" / "after.ipynb"
    source.write_text(dumps(clean(notebook)), encoding="utf-8")
    home = str(place / "home")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "XDG"))},
        **dict.fromkeys(["HOME", "USERPROFILE", "TMPDIR"], home),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # the list of fonts takes 20 s
        "PYTHONPATH": os.pathsep.join([str(place / "site"), str(copy_)]),
        "COURSE_COPY": str(copy_),
    }
    paths = map(str, (source, place / "elsewhere", target))
    done = subprocess.run(
        [*(stranger or []), sys.executable, "-c", STRANGER, *paths],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert _files(copy_) == before, "the notebook has written into the checkout"
    after = load(target)
    del after.cells[0]
    same = dumps(clean(after)) == dumps(fresh(notebook_path)[0])
    report(notebook_path, [] if same else ["two executions differ: see its outputs"])
    if stranger is None:
        pytest.skip("passed, but nothing keeps this user from writing files")


def _sections(notebook):
    """The code cells of each section, the set-up first."""
    parts = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts[-1].append(cell)
        elif re.search(r"^## ", cell.source, re.MULTILINE):
            parts.append([])
    return parts


def test_every_cell_twice_in_a_row_and_then_the_last_section_first(notebook_path):
    """Who goes back finds the names as they were: each means one thing."""
    notebook, kept = shorter(load(notebook_path)), []

    def copied(cell, how):
        kept.append(copy.deepcopy(cell))
        kept[-1].id += f"-{len(kept)}"
        kept[-1].metadata["name"] = f"{label(cell)} ({how})"

    for cell in code_cells(notebook):
        copied(cell, "first")
        copied(cell, "run again")
    for section in reversed(_sections(notebook)):
        for cell in section:
            copied(cell, "back from the end")
    notebook.cells = kept
    notebooks.execute(notebook, notebook_path.stem)


def test_the_kernel_stays_small(notebook_path, fresh):
    """Shorter trainings take the same memory: same data, same networks."""
    _, cost = fresh(notebook_path)
    if math.isnan(cost.peak_mib):
        pytest.skip("this system does not tell how large a process has been")
    assert cost.peak_mib <= PEAK_MIB.get(notebook_path.stem, PEAK_MIB_OTHERS), cost


def _pictures(cell):
    encoded = (output.get("data", {}).get("image/png") for output in cell.outputs)
    return [base64.b64decode(picture) for picture in encoded if picture]


def _difference(one, other):
    """The share of pixels that visibly differ; 1 for another size."""
    a, b = (
        np.asarray(Image.open(io.BytesIO(p)).convert("L"), int) for p in (one, other)
    )
    return float((abs(a - b) > 16).mean()) if a.shape == b.shape else 1.0


def _pinned(package):
    pins = (ROOT / "requirements" / "lab.txt").read_text("utf-8")
    found = re.search(rf"^{package}==([^\s;+]+)", pins, re.MULTILINE)
    return found and found[1]


def test_pictures_are_those_committed(notebook_path, notebook, fresh):
    if version("matplotlib") != _pinned("matplotlib"):
        pytest.skip("another matplotlib than in requirements/ lays text out anew")
    faults = []
    again, _ = fresh(notebook_path)
    for old, new in zip(code_cells(notebook), code_cells(again), strict=True):
        if "trains" in tags(old):
            continue
        before, after = _pictures(old), _pictures(new)
        if len(before) != len(after):
            faults.append(f"{label(old)}: {len(before)} pictures, now {len(after)}")
            continue
        for one, other in zip(before, after, strict=True):
            if (share := _difference(one, other)) > PIXELS_THAT_MAY_DIFFER:
                faults.append(f"{label(old)}: {share:.1%} of a picture has changed")
    report(notebook_path, faults)
