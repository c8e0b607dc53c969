"""JupyterLab on the reader's own copy of a notebook.

python -m tools.lab [NN] [--original] [options of JupyterLab]

JupyterLab writes into a file that was only looked at, and then an update of the course
would refuse. So each notebook is copied into ``my_notebooks/``, once; a copy is never
overwritten. All seven are copied, because they link to each other.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path, PurePath

from tools import NAMES, ROOT

NEWER = (
    "Newer than your copy: {}. Rename or remove that file in my_notebooks/, and the "
    "next start puts the new one there."
)


def copy_missing(origin: Path, mine: Path) -> list[str]:
    """Copy from ``origin`` what ``mine`` lacks; name the copies whose origin changed.

    A small file holds the hash of the original that each copy was made from. A copy
    without one (the file is lost) counts as made from what is there now.
    """
    mine.mkdir(exist_ok=True)
    notes = mine / ".made_from.json"
    try:
        made_from = dict(json.loads(notes.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        made_from = {}
    newer = []
    for name in NAMES:
        original, copy = origin / f"{name}.ipynb", mine / f"{name}.ipynb"
        if not original.exists():
            continue
        digest = hashlib.sha256(original.read_bytes()).hexdigest()
        if not copy.exists():
            part = copy.with_suffix(".part")  # never half a copy
            shutil.copyfile(original, part)
            part.replace(copy)
            made_from[name] = digest
        if made_from.setdefault(name, digest) != digest:
            newer.append(name)
    notes.write_text(json.dumps(made_from, indent=1), encoding="utf-8")
    return newer


def find(wish: str) -> str:
    """The notebook that is meant by 2, 02, 02_gmm_em or a path to it."""
    stem = PurePath(wish).stem
    for name in NAMES:
        if stem in (name, name[:2], str(int(name[:2]))):
            return name
    raise SystemExit(f"There is no notebook {wish}; there are: {', '.join(NAMES)}.")


def be_quiet(prefix: Path) -> None:
    """No pop-up of JupyterLab that asks about news, and no look for updates."""
    settings = prefix / "share" / "jupyter" / "lab" / "settings"
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    text = json.dumps({"@jupyterlab/apputils-extension:notification": quiet})
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(text, encoding="utf-8")


def options(path: str, given: list[str]) -> list[str]:
    """What JupyterLab is started with; what the reader gives counts."""
    ours = {
        "--ip": "--ip=127.0.0.1",
        "--Application.log_level": "--Application.log_level=WARN",
        "--ServerApp.root_dir": f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url": f"--LabApp.default_url=/lab/tree/{path}",
    }
    if getattr(os, "geteuid", lambda: 1)() == 0:  # in a container
        ours["--allow-root"] = "--allow-root"
    names = {option.split("=")[0].replace("--ServerApp.ip", "--ip") for option in given}
    return [ours[name] for name in ours if name not in names] + given


def main(arguments: list[str]) -> None:
    """Copy what is missing, say what is newer, start JupyterLab."""
    given = [argument for argument in arguments if argument != "--original"]
    named = bool(given) and not given[0].startswith("-")
    name = find(given.pop(0) if named else "01")
    folder = "notebooks"
    if "--original" not in arguments:
        folder = "my_notebooks"
        newer = copy_missing(ROOT / "notebooks", ROOT / folder)
        if newer:
            print(NEWER.format(", ".join(newer)))
    be_quiet(Path(sys.prefix))
    os.environ.pop("MPLBACKEND", None)  # or no figure would be shown
    print("JupyterLab starts. If no browser opens, open the address that it prints.")
    print("Ctrl-C in this window stops it.", flush=True)
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(options(f"{folder}/{name}.ipynb", given))


if __name__ == "__main__":
    main(sys.argv[1:])
