"""course.py and a network that is lost, blocked, busy or behind a log-in page."""

import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.setup.faked import OFFLINE, PINS_TROUBLE, load_course

SLOW = pytest.mark.slow

BLOCKED_PIP = """\
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0
"""  # noqa: E501
NOT_FOUND_UV = """\
error: No solution found when resolving dependencies
  cause: Because torch was not found in the package registry and you require torch,
hint: An index (http://mirror/simple) returned a 403 Forbidden error.
"""
BUSY_UV = """\
error: Failed to fetch: http://mirror/simple/torch/
  cause: HTTP status server error (503 Service Unavailable) for url (http://mirror)
"""
DAMAGED_UV = """\
error: Failed to download `idna==3.20`
  cause: Hash mismatch for `idna==3.20`
"""
EMPTY_PAGE_UV = """\
error: No solution found when resolving dependencies
  cause: Because there are no versions of torch and you require torch
"""
NO_WHEEL_UV = """\
error: No solution found when resolving dependencies
  cause: Because torch==2.13.0 has no wheels with a matching Python ABI tag (`cp315`)
"""


@pytest.mark.parametrize(
    ("text", "kind", "advice"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk", "free about 2 GB"),
        ("failed to write: No space left on device (os error 28)", "disk", "free"),
        ("There is not enough space on the disk. (os error 112)", "disk", "free"),
        ("[Errno 2] No such file\nHINT: ... Long Path support", "path", "too long"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "permission", "move it"),
        ("[WinError 5] Access is denied: 'torch.dll'", "permission", "close what"),
        (OFFLINE, "network", "check the network"),
        ("getaddrinfo failed\nNo matching distribution found", "network", "log-in"),
        (BLOCKED_PIP, "network", "check the network"),
        (NOT_FOUND_UV, "network", "check the network"),
        (BUSY_UV, "network", "check the network"),
        (DAMAGED_UV, "network", "check the network"),
        (EMPTY_PAGE_UV, "network", "check the network"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "network", "check the network"),
        (PINS_TROUBLE, "pins", "does not exist"),
        (NO_WHEEL_UV, "pins", "does not exist"),
        ("error: subprocess-exited-with-error", "pins", "README"),
        ("not created successfully because ensurepip is not", "venv", "python3-venv"),
        ("Segmentation fault", "other", "course.py clean"),
    ],
)
def test_trouble_gets_one_sentence(course, text, kind, advice):
    problem = course.Problem(text)
    assert problem.kind == kind and advice in str(problem)
    assert str(problem).count("\n") == 0 and "run the same command" in str(problem)


@pytest.mark.parametrize(
    "said", [OFFLINE, BLOCKED_PIP, NOT_FOUND_UV, BUSY_UV, DAMAGED_UV]
)
def test_lost_or_blocked_network_keeps_the_pins_and_goes_on(course, machine, said):
    with pytest.raises(course.Problem, match="check the network"):
        machine.setup(failures={"lab.txt": said})
    assert not any(".[lab]" in command for command in machine.commands)
    assert "-m venv" not in " ".join(machine.setup())


def test_a_log_in_page_instead_of_an_index_ends_as_lost_network(course, machine):
    """uv reads an index without torch in it, as if this version alone were missing."""
    this = "No solution found: there is no version of torch==2.13.0"
    said = {"--no-index torch==2.13.0": "torch was not found in the", "torch==": this}
    said |= {
        "--no-index torch ": "torch was not found in the",
        " torch ": EMPTY_PAGE_UV,
    }
    with pytest.raises(course.Problem, match="check the network"):
        machine.setup(failures=said)
    assert not any("-e ." in command for command in machine.commands)
    assert course.STAMP.read_text() == "lab nothing"


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="pip is kept to .venv")
@pytest.mark.parametrize(
    "code", [403, *(pytest.param(n, marks=SLOW) for n in (429, 503))]
)
def test_the_log_says_what_the_index_has_answered(tmp_path, monkeypatch, code):
    """The real pip, which tells readers no more than "from versions: none"."""
    pytest.importorskip("pip")

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(code)

        def log_message(self, *words):
            pass

    course = load_course(tmp_path, monkeypatch)
    course.ENV.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setattr(course.installer, "recent", lambda uv: False)
        monkeypatch.setattr(course.installer, "PYTHON", Path(sys.executable))
        pip, _ = course.installer.installer()  # it has asked for uv, in vain
        with pytest.raises(course.Problem, match="check the network"):
            course.installer.run(*pip, "no-such-package-of-the-course")
        server.shutdown()
    url = f"http://127.0.0.1:{server.server_port}/no-such-package-of-the-course/"
    log = course.installer.LOG.read_text("utf-8")
    assert re.search(rf"Could not fetch URL {url}: .*{code}", log)


def test_after_an_update_the_course_starts_offline(course, machine, capsys):
    machine.setup()
    before = course.STAMP.read_text()
    (course.ROOT / "requirements" / "lab.txt").write_text("numpy==9.9\n")
    machine.setup(failures={"lab.txt": OFFLINE})
    said = capsys.readouterr().err
    assert said.startswith("The update has to wait; the course starts as it is.")
    assert course.STAMP.read_text() == before
    machine.works = False  # the report of course_utils does not say READY
    with pytest.raises(course.Problem, match="check the network"):
        machine.setup(failures={"lab.txt": OFFLINE})
    assert len(machine.setup()) == 3  # with a network again
