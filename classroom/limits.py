"""How much memory and processor one participant may use, and who sees to it.

Two fences. The inner one, of every process (``RLIMIT_DATA``), is the smaller: a cell
that wants too much gets Python's own error in the notebook, and the kernel lives on.
The outer one, of all processes of a participant together (a control group), stops
several kernels that are large together: the system kills the largest, and JupyterLab
says that the kernel has died. Where the system lets no control groups be made, the
inner fence stands alone.
"""

import os
import pwd
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
NAME = "dgm-class"
PERIOD = 100_000  # microseconds
DESKS = Path("/run/dgm-class")  # in memory


def desk(participant: str) -> Path:
    """A folder of the participant alone for the sockets of server and kernels; as root.

    In the home they would stop the server from starting where the disk is full.
    """
    DESKS.mkdir(mode=0o711, exist_ok=True)
    own = DESKS / participant
    own.mkdir(mode=0o700, exist_ok=True)
    user = pwd.getpwnam(participant)
    os.chown(own, user.pw_uid, user.pw_gid)
    return own


@dataclass(frozen=True)
class Limits:
    """What one participant may use: MiB for a process and for all, and processors."""

    process_mib: int = 2500
    all_mib: int = 3000
    cpus: float = 1.0

    def prepare(self, participant: str) -> list[Path]:
        """Make the control groups of a participant, as root; returns those that hold.

        An empty list means that this system lets none be made.
        """
        holding = []
        for group, files in self._groups(participant):
            try:
                group.mkdir(parents=True, exist_ok=True)
                for name, value in files.items():
                    (group / name).write_text(value)
            except OSError:
                continue  # no such controller here, or it may not be used
            holding.append(group)
        return holding

    def enter(self, groups: list[Path]) -> None:
        """Put this process, and what it will start, behind the fences, as root."""
        for group in groups:
            with suppress(OSError):
                (group / "cgroup.procs").write_text(str(os.getpid()))
        size = self.process_mib * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))

    def _groups(self, participant: str) -> list[tuple[Path, dict[str, str]]]:
        """The control groups of a participant, with what stands in their files."""
        memory, quota = str(self.all_mib * 2**20), str(int(PERIOD * self.cpus))
        if not (GROUPS / "cgroup.controllers").exists():  # version 1: one tree for each
            trees = {
                "memory": {"memory.limit_in_bytes": memory},
                "cpu": {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": quota},
            }
            return [
                (GROUPS / tree / NAME / participant, files)
                for tree, files in trees.items()
            ]
        for parent in (
            GROUPS,
            GROUPS / NAME,
        ):  # version 2: handed down, folder by folder
            with suppress(OSError):
                parent.mkdir(exist_ok=True)
                (parent / "cgroup.subtree_control").write_text("+memory +cpu")
        files = {"memory.max": memory, "cpu.max": f"{quota} {PERIOD}"}
        return [(GROUPS / NAME / participant, files)]
