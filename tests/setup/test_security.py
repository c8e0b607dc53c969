"""Nothing runs code from a file, nothing asks the network, no stranger gets in."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tools import ROOT, code_cells, load, notebook_paths

# --- no pickle -----------------------------------------------------------------------

CODE = ["course_utils", "tools", "benchmarks", "course.py", "course_installer.py"]
# Modules that make objects, and so run code, out of the bytes of a file
UNPICKLE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal"}
UNPICKLE |= {"shelve", "yaml.load", "yaml.unsafe_load", "torch.load", "torch.save"}
UNPICKLE |= {"torch.hub", "torch.jit.load", "torch.package", "pandas.read_pickle"}
ARRAYS = {"numpy.load", "numpy.save", "numpy.savez", "numpy.savez_compressed"}
ALIASES = {"np": "numpy", "pd": "pandas"}


def used_names(source):
    """Every module that is imported, and every dotted name, such as ``torch.load``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            yield f"{ALIASES.get(first, first)}.{rest}"


def runs_code_of_a_file(source):
    """What in this source makes objects out of a file, in the order of the alphabet."""
    names = set(used_names(source))
    heads = {".".join(name.split(".")[:n]) for name in names for n in (1, 2, 3)}
    return sorted(heads & (UNPICKLE | ARRAYS))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle as p", ["pickle"]),
        ("from torch import load", ["torch.load"]),
        ("import torch\nx = torch.load('a')", ["torch.load"]),
        ("import numpy as np\nnp.load('a', allow_pickle=True)", ["numpy.load"]),
        ("def f():\n    from joblib import load", ["joblib"]),
        ("import torch\nmodel.load('a')\nyaml.safe_load('a')", []),
    ],
)
def test_what_counts_as_running_a_file(source, found):
    assert runs_code_of_a_file(source) == found


def test_no_module_and_no_cell_runs_code_of_a_file():
    sources = {}
    for place in map(ROOT.joinpath, CODE):
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            sources[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
    for path in notebook_paths():
        cells = "\n".join(cell.source for cell in code_cells(load(path)))
        sources[path.name] = cells
    assert len(sources) > 100
    found = {name: runs_code_of_a_file(text) for name, text in sources.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_no_file_of_the_data_can_hold_code():
    kinds = {path.suffix for path in (ROOT / "data").rglob("*") if path.is_file()}
    assert kinds <= {".md", ".csv", ".txt", ".gz", ".safetensors"}


# --- no network ----------------------------------------------------------------------

ALONE = """
import importlib, pkgutil, socket, sys

def refuse(*_, **__):
    raise OSError("the network is closed")

socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = refuse
socket.getaddrinfo = socket.gethostbyname = refuse
import course_utils
from course_utils.training import setup
for module in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from course_utils import data
setup()
for name in data.SHA256:
    data.read_verified(name)
for cell in sys.argv[1:]:
    exec(cell, {})
print("done")
"""


def test_imports_data_and_set_up_cells_need_no_network():
    """The notebooks as a whole run so in ``test_slow`` and ``tests/browser``."""
    cells = [code_cells(load(path))[0].source for path in notebook_paths()]
    run = [sys.executable, "-c", ALONE, *cells]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.endswith("done\n"), done.stderr[-2000:]


# --- JupyterLab ----------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    """What ``course.py lab`` starts: the notes of Jupyter on the server that runs."""
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    settings = {f"JUPYTER_{name}": str(tmp_path / name) for name in folders}
    settings |= {"HOME": str(tmp_path), "MPLBACKEND": "Agg"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    run = [sys.executable, "-m", "tools.lab", "--original", "--no-browser", "--port=0"]
    quiet = dict.fromkeys(["stdout", "stderr"], subprocess.DEVNULL)
    process = subprocess.Popen(run, cwd=ROOT, env=kept | settings, **quiet)
    try:
        end = time.monotonic() + 120
        while not (notes := list(tmp_path.glob("RUNTIME_DIR/jpserver-*.json"))):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.2)  # the file is written in one go, but not at once
        yield json.loads(notes[0].read_text("utf-8"))
    finally:
        process.terminate()
        process.wait()


def listens_at(port):
    """The addresses at which this machine listens on a port, as Linux lists them."""
    lines = Path("/proc/net/tcp").read_text().splitlines()
    lines += Path("/proc/net/tcp6").read_text().splitlines()
    fields = [line.split() for line in lines if line.split()[3] == "0A"]
    return {f[1].split(":")[0] for f in fields if f[1].endswith(f":{port:04X}")}


def test_jupyterlab_is_for_this_machine_and_for_those_with_the_token(server):
    token = server["token"]
    assert re.fullmatch(r"[0-9a-f]{48}", token) and not server["password"]
    assert server["hostname"] == "127.0.0.1"
    assert Path(server["root_dir"]) == ROOT
    if Path("/proc/net/tcp").exists():
        assert listens_at(server["port"]) == {"0100007F"}  # 127.0.0.1 and no other
    address = f"http://127.0.0.1:{server['port']}/api/contents/course.py"
    for wrong in ("", "?token=", f"?token={'0' * 48}"):
        with pytest.raises(HTTPError, match="403"):
            urlopen(address + wrong)
    with urlopen(f"{address}?token={token}") as answer:
        assert json.load(answer)["name"] == "course.py"
