"""Write docs/licences.md: the licence of every package of the lock, by its own words.

python -m tools.licences [FOLDER]

It asks the packages that are installed here. FOLDER holds those that only another
system installs, as pip unpacks them; it says which, and how, where one is missing.
"""

import re
import sys
from collections import defaultdict
from importlib import metadata

from course_installer import TORCH
from tools import ROOT

TARGET = ROOT / "docs" / "licences.md"
HEAD = """\
# Licences of what is installed

What the packages of `requirements/`, torch and uv say of themselves. None of them is
part of this repository. `python -m tools.licences` writes this file.
"""
PARTS = {
    "For readers": ["uv", "lab"],
    "For tests, website and browser besides": ["browser"],
}
# One name for one licence, where classifiers and older metadata have several
SAME = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class Unknown(Exception):
    """A package that is not here, and how it comes."""


def locked(level: str) -> dict[str, list[str]]:
    """Name -> versions (two where they differ by Python) of one file of the lock."""
    text = (ROOT / "requirements" / f"{level}.txt").read_text("utf-8")
    versions = defaultdict(list)
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.M):
        versions[name].append(version)
    return versions


def licence_of(package: metadata.Distribution) -> str:
    """The SPDX expression, else the classifiers, else the first line of the text."""
    if expression := package.metadata["License-Expression"]:
        return expression
    said = package.metadata.get_all("Classifier") or []
    said = [line.split(" :: ")[-1] for line in said if line.startswith("License ::")]
    said = [line for line in said if line not in ("DFSG approved", "OSI Approved")]
    text = package.metadata["License"] or package.read_text("licenses/LICENSE")
    said = said or (text or "unknown").splitlines()[:1]
    return ", ".join(SAME.get(line, line) for line in said)


def found(folders: list[str]) -> dict[str, metadata.Distribution]:
    """Name, as the lock spells it -> package, of what is installed or unpacked."""
    packages = [*metadata.distributions(path=folders), *metadata.distributions()]
    return {
        re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): package
        for package in reversed(packages)
    }


def render(folders: list[str]) -> str:
    """The whole file. Raises ``Unknown`` for a package that is not here."""
    here, seen, text = found(folders), set(), HEAD
    for title, levels in PARTS.items():
        rows, wanted = defaultdict(list), {"torch": [TORCH.split("==")[1]]}
        for level in levels:
            wanted |= locked(level)
        for name in sorted(wanted.keys() - seen):
            if name not in here:
                pip = f"pip install --no-deps --target FOLDER {name}=={wanted[name][0]}"
                raise Unknown(
                    f"{name} is not here: {pip} (with --platform, if need be)"
                )
            entry = f"{name} {' or '.join(wanted[name])}"
            rows[licence_of(here[name])].append(entry)
        seen |= wanted.keys()
        text += f"\n## {title}\n\n| licence | packages |\n|---|---|\n"
        text += "".join(f"| {k} | {', '.join(rows[k])} |\n" for k in sorted(rows))
    return text


def main() -> None:
    """Write the file."""
    try:
        TARGET.write_text(render(sys.argv[1:]), encoding="utf-8", newline="\n")
    except Unknown as problem:
        raise SystemExit(str(problem)) from None


if __name__ == "__main__":
    main()
