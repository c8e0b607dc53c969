"""The files of a release: ``python -m tools.forms.release [--address URL]``.

In build/release: the wheel, the website, each form as a ZIP. ``--address`` is where
they will lie: the notebooks that come alone fetch the wheel from there.
"""

import shutil
import sys

from course_utils import __version__
from tools import ROOT
from tools.forms.__main__ import main as make_forms
from tools.forms.wheel import build_wheel

BUILD = ROOT / "build"
FORMS = ("live", "student", "instructor", "alone")


def release(arguments: list[str]) -> int:
    """Make the forms anew and pack them; returns the exit status."""
    site, out = BUILD / "site", BUILD / "release"
    if not (site / "index.html").exists():
        print("There is no website yet: python course.py site", file=sys.stderr)
        return 1
    if status := make_forms([*FORMS, *arguments]):
        return status
    shutil.rmtree(out, ignore_errors=True)
    build_wheel(out)
    for folder in (site, *(BUILD / name for name in FORMS)):
        name = f"dgm-course-{__version__}-{folder.name}"
        shutil.make_archive(str(out / name), "zip", folder.parent, folder.name)
    for path in sorted(out.iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(release(sys.argv[1:]))
