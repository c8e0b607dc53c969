"""The list of licences is that of today's lock, and says what the packages say."""

import re
from email.message import Message
from types import SimpleNamespace

import pytest

from tools import ROOT
from tools.licences import __main__ as licences

LISTED = licences.TARGET.read_text("utf-8")


def listed():
    """Licence of each entry, such as ``"numpy 2.4.6"``."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", LISTED, re.M)
    rows = [row for row in rows if row != ("licence", "packages")]
    return {entry: licence for licence, every in rows for entry in every.split(", ")}


def test_the_list_is_of_todays_lock():
    wanted = {"torch": [licences.TORCH.removeprefix("torch==")]}
    wanted |= licences.locked("uv") | licences.locked("browser")
    assert len(wanted) > 100
    assert listed().keys() == {f"{n} {' or '.join(v)}" for n, v in wanted.items()}
    assert LISTED.startswith(licences.HEAD)


def test_what_is_installed_says_what_is_listed():
    here, seen = licences.found([]), 0
    for entry, licence in listed().items():
        name, versions = entry.split(" ", 1)
        if name in here and here[name].version in versions.split(" or "):
            assert licences.licence_of(here[name]) == licence, name
            seen += 1
    assert seen > 50


def test_every_licence_is_known_and_free():
    free = "Apache|BSD|MIT|ISC|MPL|PSF|CC0|0BSD|BSL-1.0|Zlib|HPND|Public Domain"
    for licence in set(listed().values()):
        parts = re.split(r" AND | OR |, ", licence.replace(" WITH LLVM-exception", ""))
        also = (
            {"GNU General Public License (GPL)"} if "Public Domain" in parts else set()
        )
        assert all(re.match(free, part) for part in set(parts) - also), licence


def package(text, **fields):
    said = Message()
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            said[name.replace("_", "-")] = each
    return SimpleNamespace(metadata=said, read_text=lambda name: text)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (
            {"License_Expression": "MIT AND PSF-2.0", "License": "MIT"},
            "MIT AND PSF-2.0",
        ),
        ({"Classifier": ["License :: OSI Approved :: BSD License"]}, "BSD"),
        ({"License": "Apache 2.0\n\nlong text"}, "Apache-2.0"),
        ({"text": "MIT License\n\nCopyright"}, "MIT"),
        ({"Classifier": ["Topic :: Software"]}, "unknown"),
    ],
)
def test_what_a_package_says(fields, licence):
    assert licences.licence_of(package(**{"text": None} | fields)) == licence


def test_a_package_that_is_not_here_is_named(monkeypatch):
    monkeypatch.setattr(licences, "found", lambda folders: {})
    with pytest.raises(licences.Unknown, match=r"\w+ is not here: pip install .*=="):
        licences.render([])


def test_readme_names_the_list():
    assert "docs/licences.md" in (ROOT / "README.md").read_text("utf-8")
