"""What every test run of the course needs: one thread, quiet kernels, two workers."""

import contextlib
import os
import re
import tempfile
import time
from queue import Empty

import pytest
from hypothesis import settings

from tools import NOTEBOOKS, notebook_paths

pytest_plugins = ["tests.progress"]

# Two processes that each spin OpenMP threads on two cores can be ten times slower than
# one thread each. The kernels and the workers inherit these settings.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
os.environ["COURSE_UNTOUCHED"] = "1"  # an author's my_models.py stays out
os.environ.pop("MPLBACKEND", None)  # kernels choose their own
if "PYTEST_XDIST_WORKER" not in os.environ:  # the reader's IPython profile stays out
    _profile = tempfile.TemporaryDirectory(prefix="course-ipython-")
    os.environ["IPYTHONDIR"] = _profile.name

# Random cases are the same in every run, and a slow machine is no fault of theirs.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")

# A hung cell is found soon; a training may take long on a slow and busy laptop.
SECONDS, SECONDS_TO_TRAIN = 300, 3600

# What takes longest comes first, so that no worker ends with it alone (measured).
NOTEBOOK = re.compile(r"\[(\d\d_[a-z_]+)")  # in the name of a test
FIRST = ["notebooks/05", "notebooks/04", "tests/notebooks/test_performed", "notebooks/"]


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the slow tests, too")


def pytest_ignore_collect(collection_path):
    """Notebooks of the course only: a reader's copy beside them is no test of ours."""
    is_notebook = collection_path.suffix == ".ipynb"
    if is_notebook and collection_path.parent == NOTEBOOKS:
        return collection_path not in notebook_paths() or None
    return is_notebook or None


def pytest_collection_modifyitems(config, items):
    def rank(item):
        starts = [item.nodeid.startswith(start) for start in FIRST]
        place = starts.index(True) if any(starts) else len(FIRST)
        notebook = "test_performed" in item.nodeid and NOTEBOOK.search(item.nodeid)
        return place, notebook[1] if notebook else ""  # a notebook's tests together

    items.sort(key=rank)
    skip = pytest.mark.skip(reason="slow: run it with `python course.py test --all`")
    for item in items:
        if "slow" in item.keywords and not config.getoption("--all"):
            item.add_marker(skip)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByFileAndNotebook(LoadScopeScheduling):
        """A worker takes a whole file; of the tests of notebooks, one notebook."""

        def _split_scope(self, nodeid):
            file, _, name = nodeid.partition("::")
            found = NOTEBOOK.search(name)
            return f"{file} {found[1]}" if found else file

    return ByFileAndNotebook(config, log)


def _is_cell(item):
    return type(item).__name__ == "IPyNbCell"


def pytest_runtest_setup(item):
    """A notebook stops at a cell that hung or killed its kernel; nbval would go on."""
    if _is_cell(item) and (reason := getattr(item.parent, "stopped", None)):
        pytest.skip(f"not run: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if not _is_cell(item):
        return (yield)
    name = f"{item.path.stem}: cell {item.cell.metadata.get('name', item.cell.id)!r}"
    trains = "trains" in item.cell.metadata.get("tags", [])
    item.config.option.nbval_cell_timeout = SECONDS_TO_TRAIN if trains else SECONDS
    begin = time.monotonic()
    try:
        return (yield)
    except Exception as error:
        died = isinstance(error, KernelDiedError)
        if died or item.parent.timed_out:
            how = "killed its kernel" if died else "hung"
            item.parent.stopped = f"{name} {how} after {time.monotonic() - begin:.0f} s"
            with contextlib.suppress(Exception):
                item.parent.kernel.stop()
            reason = f"{item.parent.stopped}; the rest of the notebook was not run"
            pytest.fail(reason, pytrace=False)
        raise


class KernelDiedError(RuntimeError):
    """The kernel of a notebook is gone."""


def _notice_dead_kernels():
    """Let nbval see within a second that a kernel has died.

    It would wait for the whole time limit of the cell otherwise.
    """
    try:
        from nbval.kernel import RunningKernel
    except ImportError:  # the tests that need no notebook still run
        return
    get_message = RunningKernel.get_message

    def get_message_or_notice(self, stream, timeout=None):
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                wait = max(0, min(1, end - time.monotonic()))
                return get_message(self, stream, timeout=wait)
            except Empty:
                if not self.is_alive():
                    raise KernelDiedError from None
                if time.monotonic() >= end:
                    raise

    RunningKernel.get_message = get_message_or_notice


_notice_dead_kernels()
