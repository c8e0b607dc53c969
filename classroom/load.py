"""How many participants does this server carry? Simulated ones open a notebook at once.

sudo .venv/bin/python -m classroom.load cards.txt [--take 8] [--notebook 01]
     [--until CELL]

``cards.txt`` is what ``classroom.users`` printed. All log in at once, start their
servers, open the notebook and run its code cells from top to bottom (or to the cell of
that name). As root it also adds up the memory of each: shared pages are divided among
those who share them (PSS).
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from classroom import settings
from classroom.visitor import Visitor
from tools import NOTEBOOKS
from tools.lab import find


@dataclass
class Visit:
    """The seconds from the common start, the largest memory, and what went wrong."""

    name: str
    server: float = 0.0
    first: float = 0.0
    end: float = 0.0
    slowest: tuple[float, int] = (0.0, 0)
    mib: float = 0.0
    errors: list[str] = field(default_factory=list)


def cards(text: str) -> list[tuple[str, str]]:
    """The names and passwords in what ``classroom.users`` printed."""
    pairs = (line.split(": ", 1) for line in text.splitlines() if ": " in line)
    return [(name, word) for name, word in pairs if " " not in word]


def place(notebook: str, until: str) -> int:
    """How many code cells to run: up to the cell of that name, or all."""
    cells = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    ids = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
    if until and until not in ids:
        raise SystemExit(f"{notebook} has no code cell {until}")
    return ids.index(until) + 1 if until else len(ids)


def memory(name: str) -> float:
    """MiB of all processes of a Unix user, shared pages divided among the sharers."""
    import pwd  # Unix only

    kib, owner = 0, pwd.getpwnam(name).pw_uid
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == owner:
                lines = (process / "smaps_rollup").read_text().splitlines()
                kib += sum(int(x.split()[1]) for x in lines if x.startswith("Pss:"))
        except OSError:
            continue  # it has just ended
    return kib / 1024


async def watch(visits: list[Visit]) -> None:
    """Note the largest memory of each participant, every three seconds."""
    while True:
        for visit in visits:
            visit.mib = max(visit.mib, await asyncio.to_thread(memory, visit.name))
        await asyncio.sleep(3)


async def visit(one: Visit, guest: Visitor, path: str, cells: int) -> None:
    """One participant from the login to the last cell; what goes wrong is noted."""
    began = time.monotonic()
    try:
        if not await guest.log_in():
            raise PermissionError(f"{guest.name} was not let in")
        await guest.start_server()
        one.server = time.monotonic() - began
        for number, source in enumerate((await guest.open(path))[:cells], start=1):
            answer = await guest.run(source)
            one.slowest = max(one.slowest, (answer.seconds, number))
            if answer.error:
                one.errors.append(f"cell {number}: {answer.error}")
            if number == 1:
                one.first = time.monotonic() - began
        one.end = time.monotonic() - began
    except Exception as error:
        one.errors.append(f"{type(error).__name__}: {error}")


async def together(guests: list[Visitor], path: str, cells: int) -> list[Visit]:
    """All participants at once; returns their visits."""
    visits = [Visit(guest.name) for guest in guests]
    watching = asyncio.create_task(watch(visits)) if os.geteuid() == 0 else None
    tasks = zip(visits, guests, strict=True)
    await asyncio.gather(*(visit(one, guest, path, cells) for one, guest in tasks))
    if watching:
        watching.cancel()
    for guest in guests:
        await guest.leave()
    return visits


def report(visits: list[Visit]) -> str:
    """A table of medians and worst cases; errors below it."""
    rows = [f"{'':28}{'median':>8}{'worst':>8}"]
    for label, values in {
        "seconds to the server": [one.server for one in visits],
        "seconds to the first cell": [one.first for one in visits],
        "seconds to the last cell": [one.end for one in visits],
        "slowest cell, seconds": [one.slowest[0] for one in visits],
        "memory of a participant, MiB": [one.mib for one in visits],
    }.items():
        rows.append(f"{label:28}{statistics.median(values):8.0f}{max(values):8.0f}")
    rows += [f"{one.name}: {error}" for one in visits for error in one.errors]
    rows.append(f"errors: {sum(len(one.errors) for one in visits)}")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the visits and print the table; returns 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cards", type=Path, help="what classroom.users printed")
    parser.add_argument("--take", type=int, help="how many of them (default: all)")
    parser.add_argument("--notebook", default="01")
    parser.add_argument("--until", default="", help="the name of the last cell to run")
    parser.add_argument("--address", default=settings.ADDRESS)
    options = parser.parse_args(arguments)
    name = find(options.notebook)
    cells = place(name, options.until)
    given = cards(options.cards.read_text("utf-8"))[: options.take]
    guests = [Visitor(options.address, *card) for card in given]
    load = os.getloadavg()[0]
    print(f"{len(guests)} participants, {name}, {cells} cells, {os.cpu_count()} cores")
    path = f"my_notebooks/{name}.ipynb"
    visits = asyncio.run(together(guests, path, cells))
    print(report(visits))
    print(f"load of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    return int(any(one.errors for one in visits))


if __name__ == "__main__":
    sys.exit(main())
