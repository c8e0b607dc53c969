"""The lock: exact, with hashes, for three systems, and in agreement with the rest."""

import re
import tomllib

import pytest

from tools import ROOT

LEVELS = ("lab", "test", "site", "browser")
PACKAGE = re.compile(
    r"^(\S+)==(\S+)(?: ; (.+?))? \\\n((?: +--hash=\S+(?: \\)?\n)+)", re.M
)


def entries(level):
    """Name, version, marker and hashes of each package."""
    text = (ROOT / "requirements" / f"{level}.txt").read_text("utf-8")
    found = PACKAGE.findall(text)
    lines = [line for line in text.splitlines() if re.match("[a-z]", line)]
    assert len(found) == len(lines), "an entry without an exact version or a hash"
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_it_names_no_index_and_no_cuda(level):
    text = (ROOT / "requirements" / f"{level}.txt").read_text("utf-8")
    assert "://" not in text and not re.search(r"(?m)^--|^(torch|nvidia|triton)", text)
    hashes = " ".join(found[3] for found in entries(level))
    assert set(re.findall(r"--hash=(\w+):", hashes)) == {"sha256"}


def test_each_level_holds_those_before_it():
    lab, test, site, browser = (set(entries(level)) for level in LEVELS)
    assert lab < test < site < browser
    systems = {name: marker for name, _, marker, _ in lab if marker}
    assert systems["colorama"] == "sys_platform == 'win32'"
    assert systems["appnope"] == "sys_platform == 'darwin'"


def test_what_is_asked_for_is_in_its_level():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"]
    for level in LEVELS:
        asked = asked + project["optional-dependencies"][level]
        names = {re.match(r"[\w-]+", requirement)[0] for requirement in asked}
        assert names - {"torch"} <= {name for name, *_ in entries(level)}


def test_torch_has_one_version():
    code = (ROOT / "course_installer.py").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    versions = re.findall(r"\btorch==([\d.]*\d)", code + readme)
    assert len(versions) > 1 and len(set(versions)) == 1, versions


def test_uv_is_exact_and_has_its_hashes():
    ((name, _, marker, _),) = entries("uv")
    assert (name, marker) == ("uv", "")


def test_the_commands_of_the_lock_are_those_written_down():
    guide = (ROOT / "docs" / "authoring.md").read_text("utf-8")
    for level in LEVELS:
        text = (ROOT / "requirements" / f"{level}.txt").read_text("utf-8")
        assert text.splitlines()[1].removeprefix("#    ") in guide
