"""A recorded figure on a page: its HTML, and whether its frames are up to date."""

import html
import json
from pathlib import Path

from tools.frames import FRAMES, name_of
from tools.frames.grid import INSTEAD
from tools.frames.sources import committed_picture, fingerprint, widgets_of

HERE = Path(__file__).parent
ASSETS = [HERE / "player.js", HERE / "player.css"]  # beside the pages


def manifest(stem: str) -> dict[str, dict]:
    """What was recorded of a notebook: an entry for each cell."""
    path = FRAMES / stem / "frames.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def write_manifest(stem: str, entries: dict[str, dict]) -> None:
    """Keep the entries, and no script that has none."""
    folder = FRAMES / stem
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
    (folder / "frames.json").write_text(text, encoding="utf-8", newline="\n")
    for script in folder.glob("*.js"):
        if script.stem not in entries:
            script.unlink()


def stale(stem: str, cell: str) -> str:
    """Why the frames of a cell cannot be shown, in words; empty if they can."""
    entry = manifest(stem).get(cell)
    if cell not in widgets_of(stem):
        return f"{stem}, {cell}: this cell shows no figure that moves"
    if entry is None or not (FRAMES / stem / f"{cell}.js").exists():
        return f"{stem}, {cell}: not recorded"
    if entry["hash"] != fingerprint(stem, cell):
        return f"{stem}, {cell}: recorded before the cell or its drawing code changed"
    return ""


def start_of(stem: str, cell: str) -> str:
    """The committed picture of a cell, as an address that holds it."""
    return f"data:image/png;base64,{committed_picture(stem, cell)}"


def figure(stem: str, cell: str, picture_src: str, alt: str) -> str:
    """The HTML of a figure: its first picture, which moves where scripts may run.

    A plain picture where frames are missing or stale, and for a line to type in. The
    page loads ``player.css`` and ``player.js``, and has the scripts of ``FRAMES``
    beside it, in ``frames/``.
    """
    picture = f'<img src="{html.escape(picture_src)}" alt="{html.escape(alt)}"'
    if cell in INSTEAD:
        note = (
            "To type here, run the notebook. On this page, the menus below do the same."
        )
        return f'<figure class="explore">{picture}><p>{note}</p></figure>'
    if stale(stem, cell):
        return f'<figure class="explore">{picture}></figure>'
    entry = manifest(stem)[cell]
    width = entry["width"]
    size = f'width="{width}" height="{entry["height"]}" style="--width:{width}px"'
    note = "<noscript><p>The sliders of this picture need JavaScript.</p></noscript>"
    return (
        f'<figure class="explore" data-frames="{name_of(stem, cell)}" '
        f'data-src="frames/{stem}/{cell}.js"><div class="paper">{picture} {size} '
        f'loading="lazy"></div>{note}</figure>'
    )
