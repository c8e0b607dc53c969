"""What a teacher may change: variables that stand before ``python course.py hub``.

sudo CLASS_SEATS=40 CLASS_ALL_MIB=2500 python3 course.py hub
"""

import os
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]


def _read(name: str, otherwise: str) -> str:
    return os.environ.get(f"CLASS_{name}", otherwise)


ADDRESS = _read("ADDRESS", "http://127.0.0.1:8000")  # of this machine only
CERTIFICATE, KEY = _read("CERTIFICATE", ""), _read("KEY", "")  # files, for https
SEATS = int(_read("SEATS", "30"))  # servers at once; who comes later waits
TEACHERS = set(_read("TEACHERS", "").split())  # they may stop servers of others
GROUP = _read("GROUP", "dgm")  # the Unix group that may log in
PROCESS_MIB = int(_read("PROCESS_MIB", "2500"))  # memory of one kernel
ALL_MIB = int(_read("ALL_MIB", "3000"))  # memory of one participant
CPUS = float(_read("CPUS", "1"))  # processors of one participant
IDLE_SECONDS = int(_read("IDLE_SECONDS", "3600"))  # then a server is stopped
FOLDER = Path(_read("FOLDER", str(COURSE / "build" / "hub")))  # the hub's own files
