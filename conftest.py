"""What every test run of the course needs: one thread, `--all`, and nbval made safe."""

import os
import time
from queue import Empty

import pytest

# Two processes that each spin OpenMP threads on two cores can be ten times slower than
# one thread each. The kernels inherit these settings.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
os.environ.pop("MPLBACKEND", None)  # kernels choose their own


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the slow tests, too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--all"):
        return
    skip = pytest.mark.skip(reason="slow: run it with `python course.py test --all`")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def _notice_dead_kernels():
    """Let nbval see within a second that a kernel has died.

    It would wait for the whole time limit of the cell (300 s) otherwise.
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
                    raise RuntimeError("the kernel died in this cell") from None
                if time.monotonic() >= end:
                    raise

    RunningKernel.get_message = get_message_or_notice


_notice_dead_kernels()
