"""What starts for a participant, as that Unix user: fresh copies, then JupyterLab.

``python -m classroom.seat`` is the command that the hub runs. It copies the notebooks
that the participant lacks into ``my_notebooks/``, says in the log which copies have a
newer original, and becomes ``jupyterhub-singleuser``. A copy is never overwritten.
"""

import os
import sys
from pathlib import Path

from tools.lab import NEWER, ROOT, copy_missing


def is_full(folder: Path) -> bool:
    """Whether nothing more can be written into a folder."""
    probe = folder / ".is_there_room"
    try:
        probe.write_bytes(bytes(2**16))
        return False
    except OSError:
        return True
    finally:
        probe.unlink(missing_ok=True)


def main() -> None:
    """Copy what is missing, then become the participant's JupyterLab."""
    home = Path.home()
    os.chdir(home)
    if is_full(home):  # the lab must open, or nobody could delete a file
        print("The home is full: no notebooks were copied.", flush=True)
        elsewhere = os.environ["JUPYTER_RUNTIME_DIR"]
        os.environ |= dict.fromkeys(
            ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"), elsewhere
        )
    elif newer := copy_missing(ROOT / "notebooks", home / "my_notebooks"):
        print(NEWER.format(", ".join(newer)), flush=True)
    os.environ.pop("PYTHONPATH", None)  # the kernels find the course as it is installed
    server = Path(sys.executable).with_name("jupyterhub-singleuser")
    os.execv(server, [str(server), *sys.argv[1:]])


if __name__ == "__main__":
    main()
