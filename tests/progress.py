"""What a test run says: which files it is at, how far it is, what took longest."""

import time
from collections import Counter

import pytest

EVERY = 15  # seconds between two lines
SLOWEST = 5


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Progress:
    """Counts tests by file; it listens where the results of all workers come in."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.total, self.done, self.seconds = Counter(), Counter(), Counter()
        self.begin = self.said = time.monotonic()

    def pytest_collection_finish(self, session):
        self.total = Counter(file_of(item.nodeid) for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        self.total = Counter(map(file_of, ids))

    def pytest_runtest_logstart(self, nodeid):
        self.done.setdefault(file_of(nodeid), 0)

    def pytest_runtest_logreport(self, report):
        file = file_of(report.nodeid)
        self.seconds[file] += report.duration
        self.done[file] += report.when == "teardown"
        if report.failed:
            self.terminal.write_line(f"FAILED {report.nodeid}", red=True)
        if time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            self.terminal.write_line(self.line())

    def line(self) -> str:
        """Seconds since the start, tests that are done, and the files at work."""
        at_work = ", ".join(
            f"{file} {n}/{self.total[file]}"
            for file, n in self.done.items()
            if n < self.total[file]
        )
        tests = f"{self.done.total()} of {self.total.total()} tests"
        return f"{time.monotonic() - self.begin:4.0f} s  {tests}; at {at_work}"

    def pytest_terminal_summary(self):
        self.terminal.section(f"the {SLOWEST} slowest")
        for file, seconds in self.seconds.most_common(SLOWEST):
            self.terminal.write_line(f"{seconds:6.1f} s  {file}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not hasattr(config, "workerinput") and not config.option.verbose:
        config.pluginmanager.register(Progress(terminal), "course-progress")


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(report, config):
    """No dots: ``Progress`` speaks instead."""
    category, letter, word = yield
    quiet = config.pluginmanager.has_plugin("course-progress")
    return category, "" if quiet else letter, word
