"""The test run itself: a cell that hangs, a kernel that dies, a reader's copy."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import ROOT

pytestmark = pytest.mark.slow
HANG = "import time; time.sleep(100)"
DIE = "import os; os._exit(1)"
PROFILE = "import os; print('course-ipython-' in os.environ['IPYTHONDIR'])"


@pytest.fixture
def run(tmp_path):
    """Test a course of one notebook with these cells; returns what pytest prints."""
    for name in ("tools/__init__.py", "tests/progress.py", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    conftest = (ROOT / "conftest.py").read_text("utf-8")
    short = conftest.replace("SECONDS_TO_TRAIN = 300, 3600", "SECONDS_TO_TRAIN = 1, 60")
    assert short != conftest
    (tmp_path / "conftest.py").write_text(short, "utf-8")
    (tmp_path / "notebooks").mkdir()

    def write(name, *cells):
        written = []
        for number, (source, printed, tags) in enumerate(cells, 1):
            outputs = [new_output("stream", text=printed)] if printed else []
            cell = new_code_cell(source, outputs=outputs, execution_count=number)
            cell.metadata.update(name=f"cell-{number}", tags=tags)
            written.append(cell)
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=written), path)

    def go(*cells):
        write("01_mle_gaussian", *cells)
        write("my_01", ("1 / 0", "", []))
        environment = {k: v for k, v in os.environ.items() if "PYTEST" not in k}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    return go


@pytest.mark.parametrize(("trouble", "how"), [(HANG, "hung"), (DIE, "killed its kern")])
def test_a_notebook_stops_at_a_cell_that_hangs_or_kills(run, trouble, how):
    said = run(("x = 1", "", []), (trouble, "", []), ("x", "1", []), ("x", "1", []))
    assert "1 failed, 1 passed, 2 skipped" in said
    assert f"01_mle_gaussian: cell 'cell-2' {how}" in said
    assert "the rest of the notebook was not run" in said
    assert "xfailed" not in said and "Traceback" not in said


def test_a_cell_that_trains_may_take_long(run):
    slow = "import time; time.sleep(2)"
    said = run((slow, "", ["trains", "nbval-ignore-output"]), (PROFILE, "True\n", []))
    assert "2 passed" in said


def test_a_run_says_where_it_is_and_what_was_slow(run):
    said = run(("x = 1", "", []), ("print(2)", "3\n", []))
    assert "1 failed, 1 passed" in said
    assert "FAILED notebooks/01_mle_gaussian.ipynb::Cell 1" in said
    assert "the 5 slowest" in said and "s  notebooks/01_mle_gaussian.ipynb" in said
