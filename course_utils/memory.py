"""Was it memory? Linux counts the processes that it ends for want of it; this asks.

A kernel that takes too much is killed without a word, and JupyterLab can only say that
it has died. But Linux keeps processes in control groups (a participant of a class, a
login, a container) and counts for each group how many it has killed for that reason. So
the next kernel can say why the one before it is gone. Elsewhere nothing is known, and
nothing is said.
"""

from contextlib import suppress
from pathlib import Path

GROUPS, OF_THIS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
ENDED = (
    "The system has ended a process of yours because memory ran out{limit}, probably "
    "the kernel before this one. What it had not saved is lost; your notebook is as "
    "you saved it. Shut down the kernels that you do not need (in JupyterLab: "
    "Kernel > Shut Down All Kernels), then run this notebook from the top."
)


def group() -> Path | None:
    """The folder of this process's control group; ``None`` where there is none."""
    try:
        lines = OF_THIS.read_text("utf-8").splitlines()
    except OSError:
        return None  # not Linux
    for line in lines:  # number:controllers:path
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):  # version 1: one tree for each
            tree = GROUPS / "memory"
        elif controllers == "" and (GROUPS / "cgroup.controllers").exists():
            tree = GROUPS
        else:
            continue
        own = tree / path.lstrip("/")
        return own if own.exists() else tree  # a container sees its own group as root
    return None


def killed() -> int | None:
    """How many processes of this group the system has ended for want of memory."""
    if folder := group():
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError):
                lines = (folder / name).read_text("utf-8").splitlines()
                counts = dict(line.split(" ", 1) for line in lines)
                with suppress(KeyError):
                    return int(counts["oom_kill"])
    return None


def limit_mib() -> int | None:
    """MiB that the processes of this group may take together; ``None``: no limit."""
    if folder := group():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):  # "max" is no limit either
                mib = int((folder / name).read_text("utf-8")) // 2**20
                return mib if mib < 2**40 else None
    return None


def used_mib() -> int | None:
    """MiB that the processes of this group take now, without files kept for speed."""
    if folder := group():
        with suppress(OSError, ValueError, KeyError):
            lines = (folder / "memory.stat").read_text("utf-8").splitlines()
            parts = dict(line.split(" ", 1) for line in lines)
            return int(parts.get("anon") or parts["total_rss"]) // 2**20
    return None


def what_happened(note: Path) -> str:
    """Why an earlier kernel ended, or "". ``note`` holds the count of the last call."""
    now = killed()
    if now is None:
        return ""
    before = now
    with suppress(OSError, ValueError):
        before = int(note.read_text("utf-8"))
    with suppress(OSError):
        note.write_text(str(now), "utf-8")
    if now <= before:
        return ""
    most = limit_mib()
    return ENDED.format(limit=f" ({most} MiB for all your processes)" if most else "")
