"""In the kernel of a notebook: go through all positions of a figure, and write them.

``record`` comes right after a cell with a figure, while the names that its ``draw``
reads still mean what they meant.
"""

import io
import json
import random
import time
import zlib

import numpy as np
from PIL import Image

from course_utils.interactive import LiveFigure
from tools import NotebookError
from tools.frames import CHECKS, FRAMES, name_of
from tools.frames.grid import QUALITY, Control, combinations, controls_of
from tools.frames.recorder import Recorder

FIRST = 0x5800  # from here on 2**15 letters, one for each 15 bits; none is a surrogate
CHECKED = 4  # positions at which everything is drawn again, and by matplotlib's Agg


class Still(LiveFigure):
    """The same figure at ``wanted`` values, without controls and without a picture."""

    def __init__(self, live: LiveFigure, wanted: dict):
        self.wanted = wanted
        size = tuple(live._figure.get_size_inches())
        super().__init__(live.draw, {}, len(live._own_axes), size)

    @property
    def values(self):
        return self.wanted

    @property
    def figure(self):
        """The figure of matplotlib."""
        return self._figure

    @property
    def panels(self):
        """The axes that ``draw`` got."""
        return self._own_axes

    def png(self):
        return b""

    def _replace_earlier_run(self):
        pass

    def move(self, values) -> bool:
        """Change the artists, without a drawing; True if the axes were cleared."""
        fresh = self._update is None
        if fresh:
            self._clear()
            self.draw(self._ax, **values)
        else:
            self._update(**values)
        return fresh

    def pixels(self) -> bytes:
        """The present look as matplotlib's Agg draws it in the notebook: PNG."""
        points, self._figure.dpi = self._figure.dpi, 100
        self._figure.canvas.draw()
        stream = io.BytesIO()
        shown = np.asarray(self._figure.canvas.buffer_rgba())
        Image.fromarray(shown).convert("RGB").save(stream, "png")
        self._figure.dpi = points
        return stream.getvalue()


def record(live: LiveFigure, stem: str, cell: str) -> None:
    """Write the frames of the figure that a cell has shown, and print its entry."""
    begin, name = time.process_time(), name_of(stem, cell)
    controls = controls_of(name, live.controls)
    data, checks = frames_of(live, controls, name, QUALITY.get(name, 90))
    script = packed_script(name, data)
    entry = {key: data[key] for key in ("controls", "interval", "width", "height")}
    entry |= {"frames": len(data["rows"]), "bytes": len(script)}
    entry["seconds"] = round(time.process_time() - begin, 1)
    for folder in (FRAMES / stem, CHECKS / stem):
        folder.mkdir(parents=True, exist_ok=True)
    (FRAMES / stem / f"{cell}.js").write_bytes(script)
    for old in (CHECKS / stem).glob(f"{cell}.*"):
        old.unlink()
    for k, picture in checks.items():
        (CHECKS / stem / f"{cell}.{k}.png").write_bytes(picture)
    print(json.dumps(entry, ensure_ascii=False))


def packed_script(name: str, data: dict) -> bytes:
    """A classic script that hands deflated JSON over: it loads from a folder, too.

    In UTF-16 a letter holds 15 of 16 bits, in base64 12 of 16. The mark with which the
    file begins tells a browser so, whatever a server says.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    packed = np.frombuffer(zlib.compress(text.encode(), 9), np.uint8)
    bits = np.unpackbits(packed)
    rows = np.pad(bits, (0, -len(bits) % 15)).reshape(-1, 15)
    numbers = FIRST + rows @ (1 << np.arange(14, -1, -1))
    letters = numbers.astype("<u2").tobytes().decode("utf-16-le")
    return f'courseFrames("{name}",{len(packed)},"{letters}")\n'.encode("utf-16")


def frames_of(live: LiveFigure, controls: list[Control], prefix: str, quality=90):
    """What the script holds, and Agg's pictures of a few positions (number → PNG).

    ``NotebookError`` if an artist changed without becoming stale.
    """
    wanted = combinations(controls)
    start = {control.name: control.values[control.start] for control in controls}
    still = Still(live, start)
    recorder, titles = Recorder(prefix, quality), []
    recorder.start(still.figure, still.panels)
    for values in wanted:
        recorder.add(fresh=still.move(values))
        titles.append(titles_of(still.figure))
    checks = {}
    few = min(CHECKED, len(wanted))
    for k in sorted(random.Random(prefix).sample(range(len(wanted)), few)):
        if not still.move(wanted[k]) and not recorder.agrees(k):
            raise NotebookError(f"{prefix}: an artist at {wanted[k]} changed unnoticed")
        checks[k] = still.pixels()
    still.close_all()
    width, height = (round(side * 100) for side in live._figure.get_size_inches())
    shown = {
        "controls": [control.shown for control in controls],
        "interval": getattr(live.children[0], "interval", 0),  # of a film
        "width": width,
        "height": height,
    }
    return recorder.finish() | shown | {"titles": titles}, checks


def titles_of(figure) -> str:
    """The titles of the panels, which hold the numbers, as one text to be read out."""
    titles = [ax.get_title(loc) for ax in figure.axes for loc in ("left", "center")]
    text = "; ".join(title for title in titles if title)
    return text.replace("$", "").replace("\n", " ")
