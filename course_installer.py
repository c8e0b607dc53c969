"""How course.py installs: by uv, or by pip where no uv runs; nothing outside .venv.

It runs before anything is installed, so it needs the standard library only.
"""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.request import getproxies

ROOT = Path(__file__).resolve().parent
ENV = ROOT / ".venv"
PYTHON = ENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = ENV / "install.log"
LEVELS = ("lab", "test", "site", "browser")  # extras; each needs those before it
TORCH, OLDEST_UV = "torch==2.13.0", (0, 11)
UV = str(ROOT / "requirements" / "uv.txt")
NEWEST = bool(os.environ.get("COURSE_NEWEST"))
GPU = sys.platform == "linux" and shutil.which("nvidia-smi") is not None
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# PyPI's torch for Linux brings several GB of CUDA, of no use without such a GPU
SMALL = {"PIP_INDEX_URL": CPU_INDEX, "UV_DEFAULT_INDEX": CPU_INDEX}
SMALL = SMALL if sys.platform == "linux" and not GPU else {}
# What leads Python, pip or uv astray: away from .venv, or past the hashes; and what
# takes the pictures away
ASTRAY = """PYTHONHOME PYTHONPATH MPLBACKEND PIP_TARGET PIP_PREFIX PIP_ROOT UV_PROJECT
    UV_PYTHON UV_SYSTEM_PYTHON UV_WORKING_DIR UV_NO_VERIFY_HASHES VIRTUAL_ENV
    CONDA_PREFIX"""
# The lock is exact: a constraint of the reader has no hash, and uv would stop at it
UNBOUND = {"UV_CONSTRAINT": "", "PIP_CONSTRAINT": ""}
# What pip is told about its sources, and the variables that tell uv the same
HANDED_ON = """index-url=UV_DEFAULT_INDEX extra-index-url=UV_INDEX no-index=NO_INDEX
    find-links=UV_FIND_LINKS constraint=UV_CONSTRAINT trusted-host=UV_INSECURE_HOST
    cert=SSL_CERT_FILE client-cert=SSL_CLIENT_CERT proxy=ALL_PROXY
    timeout=UV_HTTP_TIMEOUT default-timeout=UV_HTTP_TIMEOUT"""
HANDED_ON = dict(pair.split("=") for pair in HANDED_ON.split())

# How pip, uv or the system words a trouble. The order matters: a full disk or a lost
# network also makes them say what comes further down.
WORDS = {
    "disk": r"no space left|(winerror|os error) 112\b|quota exceeded",
    "path": r"long path support|(winerror|os error) 206\b",
    "network": "connection (broken|refused|reset)|max retries|name resolution|timed out"
    "|getaddrinfo|incompleteread|http error|failed to (fetch|download)|not match the "
    "hashes|was not found in|no versions of|from versions: none",
    "permission": r"permission denied|access is denied|winerror 32\b|read-only file",
    "pins": "no matching distribution|no solution found|resolutionimpossible"
    "|conflicting|requires a different python|failed to build|error: subprocess",
    "venv": r"ensurepip|no module named '?(venv|pip)\b",
    "other": "",
}
REMEDY = {
    "disk": "The disk, or the temporary folder, is full: free about 2 GB",
    "path": "This path is too long for Windows: move the course to C:\\course",
    "network": "The download failed: check the network (a log-in page, or a proxy?)",
    "permission": "This folder cannot be written: close what uses it, or move it",
    "pins": "A package does not exist for this Python or system: take one of README.md",
    "venv": "This Python makes no environments: install python3-venv, or python.org's",
    "other": "The set-up failed: run `python course.py clean`",
}


class Problem(Exception):
    """What happened and what the reader can do, in one sentence."""

    def __init__(self, text: str, sentence: str = ""):
        self.kind = next(k for k in WORDS if re.search(WORDS[k], text, re.IGNORECASE))
        more = f" (Details: {LOG})" if LOG.exists() else ""
        remedy = f"{REMEDY[self.kind]}, then run the same command again.{more}"
        super().__init__(sentence or remedy)


def environment(**variables: str) -> dict[str, str]:
    """The reader's variables, for a program that works in .venv and only there.

    From a folder ``wheels`` beside this file (a USB stick) comes all that is installed.
    """
    kept = {name: os.environ[name] for name in os.environ if name not in ASTRAY.split()}
    if (ROOT / "wheels").is_dir():
        kept |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (ROOT / "wheels").as_uri()}
    return {**kept, "PYTHONUTF8": "1", **variables}


def ask(*command: str) -> str | None:
    """What a program prints; None where it does not run, or fails."""
    options = {"env": environment(), "encoding": "utf-8", "errors": "replace"}
    with suppress(OSError):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, **options)
        return done.stdout if done.returncode == 0 else None


def run(*command: str, **variables: str) -> None:
    """A step of the set-up: what it says goes to the log, what is long is shown."""
    guard = {"PIP_REQUIRE_VIRTUALENV": "1", "PIP_USER": "0", "UV_NO_CONFIG": "1"}
    options = {"env": environment(**guard, **variables), "stdin": subprocess.DEVNULL}
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": ROOT}
    options |= {"encoding": "utf-8", "errors": "replace"}
    options |= {"close_fds": False}  # it holds the lock of course.py, should that die
    lines = []
    with (
        LOG.open("a", encoding="utf-8") as log,
        subprocess.Popen(command, **options) as process,
    ):
        try:
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                if re.match(r"\s*(Download|Install|Prepared)(?!.*\.metadata)", line):
                    print("  " + line.strip()[:72], flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        raise Problem("".join(lines[-60:]))


def lock() -> IO[bytes]:
    """Be the only start that changes .venv, until this file is closed everywhere."""
    file = (ROOT / "course.py").open("r+b", buffering=0)
    os.set_inheritable(file.fileno(), True)
    os.lseek(file.fileno(), 2**30, os.SEEK_SET)  # a byte that nobody reads
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        sentence = (
            "Another start is setting up the course: wait until it is done, then "
        )
        raise Problem("", sentence + "run the same command again.") from None
    except OSError:
        pass  # this file system has no locks
    return file


def check_disk(level: str) -> None:
    """Raise Problem where the disk has no room; say what to expect at first."""
    first = not any(ENV.glob("**/site-packages/torch/__init__.py"))
    need = (9000 if GPU else 2000) if first else 400  # MB, measured, with a margin
    free = shutil.disk_usage(ROOT).free // 10**6
    if free < need:
        sentence = (
            f"The set-up needs {need} MB of disk and {free} MB are free: make room"
        )
        raise Problem("", sentence + ", then run the same command again.")
    if first:
        sizes = ("300 MB", "1.3 GB") if level == "lab" else ("360 MB", "1.6 GB")
        download, room = ("several GB", "several GB") if GPU else sizes
        do = "unpack" if (ROOT / "wheels").is_dir() else "download"
        print(f"First start: about {download} to {do} and {room} of disk in .venv.")
        print("Ctrl-C stops it; the next start goes on.")


def fingerprint() -> str:
    """A hash of all that decides what is installed."""
    paths = [ROOT / "pyproject.toml", *sorted((ROOT / "requirements").glob("*.txt"))]
    parts = [path.read_bytes() for path in paths]
    parts.append(str((TORCH, NEWEST, str(ROOT))).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def sources(settings: str) -> dict[str, str]:
    """What ``pip config list`` says about pip's sources, as variables for uv."""
    told = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "1"}
    for scheme, proxy in getproxies().items():  # on Windows and macOS the system's, too
        told[f"{scheme.upper()}_PROXY"] = proxy
    for section in ("global", "install", ":env:"):  # the last one counts
        for key, value in re.findall(rf"^{section}\.(\S+?)=(.+)$", settings, re.M):
            if key in HANDED_ON:
                values = map(os.path.expanduser, ast.literal_eval(value).split())
                told[HANDED_ON[key]] = ("," if key == "find-links" else " ").join(
                    values
                )
    every = told.get("ALL_PROXY")
    return told | ({"HTTP_PROXY": every, "HTTPS_PROXY": every} if every else {})


def recent(uv: str | None) -> bool:
    """Whether this uv runs here, with its cache, and knows what we ask of it."""
    version = re.match(r"uv (\d+)\.(\d+)", (uv and ask(uv, "--version")) or "")
    new = version and tuple(map(int, version.groups())) >= OLDEST_UV
    return bool(new) and ask(uv, "pip", "list", "--python", str(PYTHON)) is not None


def installer() -> tuple[list[str], dict[str, str]]:
    """The command that installs here, and its variables: the reader's uv or our own."""
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    pip.append(f"--log={LOG}")  # there it says which answer of a server it passed over
    own, inside = shutil.which("uv"), str(PYTHON.with_name("uv" + PYTHON.suffix))
    if not recent(own) and not recent(inside):
        with suppress(Problem):
            run(*pip, "--only-binary=:all:", "--require-hashes", "-r", UV, **UNBOUND)
        if not recent(inside):
            return pip, {}
    uv = own if recent(own) else inside
    command = [uv, "pip", "install", "--python", str(PYTHON)]
    told = sources(ask(*pip[:3], "config", "list") or "")
    if told.pop("NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        command.append("--no-index")
    if sys.dont_write_bytecode:  # or each start would compile everything again
        command.append("--compile-bytecode")
    return command, told


def install_as(level: str, pinned: bool) -> None:
    """torch first, from where it is small; then the rest, with its hashes checked."""
    command, variables = installer()
    torch = [TORCH if pinned else "torch", *([] if GPU else ["--no-deps"])]
    print("Installing PyTorch ...", flush=True)
    try:  # a wheel that pip is told to find on this machine
        run(*dict.fromkeys([*command, "--no-index"]), *torch, **variables)
    except Problem:
        run(*command, *torch, **{**variables, **SMALL})
    print("Installing JupyterLab and the other packages ...", flush=True)
    if pinned:
        lock = str(ROOT / "requirements" / f"{level}.txt")
        exact = ["--no-deps", "--require-hashes", "-r", lock]
        run(*command, *exact, **{**variables, **UNBOUND})
        run(*command, "--no-deps", "--no-build-isolation", "-e", ".", **variables)
    else:
        extras = ",".join(LEVELS[: LEVELS.index(level) + 1])
        run(*command, "-e", f".[{extras}]", **variables)


def install(level: str) -> None:
    """All that a level needs: the tested versions, or where they do not exist newer."""
    try:
        install_as(level, pinned=not NEWEST)
    except Problem as problem:
        if problem.kind != "pins" or NEWEST:
            raise
        print("Not every tested version was found here: trying the newest.")
        install_as(level, pinned=False)
