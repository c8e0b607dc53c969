"""Results as files: rows that are read, and written in an order of their own."""

import csv
from collections.abc import Callable
from pathlib import Path


def read(path: Path) -> list[dict]:
    """The rows of a results file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict], head: list[str], order: Callable) -> None:
    """Write ``rows`` under ``head``, sorted by ``order``; numbers have five digits."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        writer = csv.DictWriter(file, head, lineterminator="\n")
        writer.writeheader()
        for row in sorted(rows, key=order):
            short = {k: f"{v:.5g}" for k, v in row.items() if isinstance(v, float)}
            writer.writerow(row | short)
