"""``python course.py hub``: JupyterHub for the class, on this machine.

It needs root, because each participant is a Unix user; without root it says so. The
first start adds JupyterHub to the course's environment, and its proxy by npm. The
address is of this machine only (127.0.0.1) until ``CLASS_ADDRESS`` says otherwise.
"""

import os
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from classroom import settings
from tools.lab import be_quiet

HERE = Path(__file__).resolve().parent
PROXY = "configurable-http-proxy@5.3.0"
HUB_PORT = 8081  # where JupyterHub itself listens, behind its proxy
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotReady(Exception):
    """What is missing, and what to do, in one sentence."""


def run(*command: str) -> None:
    """Run a step of the set-up; raises NotReady with the last line that it printed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NotReady(f"{' '.join(command[:4])} failed: {' '.join(last)}")


def install() -> Path:
    """Add what is missing; returns the folder of the proxy's program."""
    if not find_spec("jupyterhub") or not find_spec("jupyterhub_idle_culler"):
        print("Adding JupyterHub ...", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        run(*pip, "-r", str(HERE / "requirements.txt"))
    programs = settings.FOLDER / "node_modules" / ".bin"
    if not (programs / "configurable-http-proxy").exists():
        if not shutil.which("npm"):
            raise NotReady(
                "The hub's proxy needs node: `sudo apt install nodejs npm`, then again."
            )
        print("Adding the proxy ...", flush=True)
        run("npm", "install", "--silent", "--prefix", str(settings.FOLDER), PROXY)
    return programs


def check_user() -> None:
    """Raise NotReady where participants cannot be Unix users."""
    if os.name == "nt" or os.geteuid() != 0:
        raise NotReady(
            "Each participant is a Unix user: start the hub on Linux, with sudo."
        )


def check_places(*places: Path) -> None:
    """Raise NotReady where participants cannot enter a folder, or could write in it."""
    for place in places:
        for folder in (place, *place.parents):
            if not folder.stat().st_mode & 0o001:
                raise NotReady(
                    f"Participants cannot enter {folder}: put the course in /srv/dgm, "
                    "and start it with the system's python3."
                )
        if place.stat().st_mode & 0o002:
            raise NotReady(f"Anybody can write in {place}: run `chmod o-w {place}`.")


def check_address(address: str, certificate: str) -> None:
    """Raise NotReady where passwords would travel readable."""
    if urlsplit(address).hostname not in LOOPBACK and not certificate:
        raise NotReady(
            f"At {address} passwords would travel readable: give CLASS_CERTIFICATE and "
            "CLASS_KEY, or leave the hub at 127.0.0.1 behind a server with https."
        )


def check_port() -> None:
    """Raise NotReady where a hub runs already, or ends just now."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", HUB_PORT)) == 0:
            raise NotReady(
                f"Port {HUB_PORT} of this machine is in use, by another hub or another "
                "program: stop that one, wait ten seconds, then start again."
            )


def main(arguments: list[str]) -> int:
    """Check, install, and become the hub; returns 1 where something is missing."""
    try:
        check_user()
        check_places(settings.COURSE, Path(sys.base_prefix))
        check_address(settings.ADDRESS, settings.CERTIFICATE)
        check_port()
        settings.FOLDER.mkdir(parents=True, exist_ok=True)
        settings.FOLDER.chmod(0o700)  # the hub's secrets lie there
        programs = install()
    except NotReady as missing:
        print(missing, file=sys.stderr)
        return 1
    be_quiet(Path(sys.prefix))
    own = [str(Path(sys.executable).parent), str(programs)]
    os.environ["PATH"] = os.pathsep.join([*own, os.environ["PATH"]])
    os.chdir(settings.FOLDER)
    print(f"The hub starts at {settings.ADDRESS}; Ctrl-C stops it.", flush=True)
    hub = [sys.executable, "-m", "jupyterhub", "-f", str(HERE / "jupyterhub_config.py")]
    os.execv(sys.executable, [*hub, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
