"""What starts for a participant, as that Unix user: fresh copies, then JupyterLab.

``python -m classroom.seat`` is the command that the hub runs. It copies the notebooks
that the participant lacks into ``my_notebooks/``, says in the log which copies have a
newer original, and becomes ``jupyterhub-singleuser``. A copy is never overwritten.
"""

import os
import sys
from pathlib import Path

from tools.lab import NEWER, ROOT, copy_missing


def main() -> None:
    """Copy what is missing, then become the participant's JupyterLab."""
    home = Path.home()
    os.chdir(home)
    try:
        newer = copy_missing(ROOT / "notebooks", home / "my_notebooks")
        if newer:
            print(NEWER.format(", ".join(newer)), flush=True)
    except OSError as error:  # a full disk: what is there can still be opened
        print(f"The notebooks were not copied: {error}", flush=True)
    os.environ.pop("PYTHONPATH", None)  # the kernels find the course as it is installed
    server = Path(sys.executable).with_name("jupyterhub-singleuser")
    os.execv(server, [str(server), *sys.argv[1:]])


if __name__ == "__main__":
    main()
