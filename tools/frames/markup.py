"""Short SVG: paths in steps of a tenth of a point, each definition once, short ids."""

import functools
import re

from matplotlib.path import Path

LETTERS = {Path.MOVETO: "m", Path.LINETO: "l", Path.CURVE3: "q", Path.CURVE4: "c"}


class Markup:
    """What matplotlib's SVG renderer writes to.

    Definitions (clips, glyphs, markers, hatches) are set aside, each once. All ids
    begin with ``prefix``, as several figures stand on one page.
    """

    def __init__(self, prefix: str):
        self.definitions = {}  # an ordered set
        self._prefix, self._names = prefix, {}
        self._parts, self._tags, self._outside = [], [], []

    def take(self) -> str:
        """What was written since the last call, definitions left out."""
        text, self._parts = "".join(self._parts), []
        return text

    def start(self, tag, attrib=(), **extra):
        """Open an element; attributes without a value are left out."""
        if tag == "defs":
            self._outside, self._parts = self._parts, []
        else:
            attributes = dict(attrib, **extra)
            written = [
                f' {key.removeprefix("xlink:")}="{self._short(key, value)}"'
                for key, value in attributes.items()
                if value
            ]
            self._parts.append(f"<{tag}{''.join(written)}>")
        self._tags.append(tag)

    def end(self, tag=None, indent=True):
        """Close the element that was opened last."""
        tag = self._tags.pop()
        if tag == "defs":
            self._parts = self._outside
            return
        before = self._parts[-1]
        if before.startswith(f"<{tag}") and not before.endswith("/>"):  # nothing inside
            self._parts[-1] = before[:-1] + "/>"
        else:
            self._parts.append(f"</{tag}>")
        if self._tags[-1:] == ["defs"]:
            self.definitions[self.take()] = None

    def element(self, tag, text=None, attrib=(), **extra):
        """An element without content."""
        self.start(tag, attrib, **extra)
        self.end()

    def comment(self, comment):
        """Texts are not repeated in comments."""

    def _short(self, key, value):
        """Ids and references (in styles, too) by a short name, numbers by 5 digits."""
        if key == "id":
            return self._name(value)
        if key == "xlink:href":
            return "#" + self._name(value[1:])
        if key in ("d", "href"):
            return value
        value = re.sub(r"url\(#(.*)\)", lambda m: f"url(#{self._name(m[1])})", value)
        value = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.5g}", value)
        return value.replace(": ", ":").replace("; ", ";")

    def _name(self, long):
        return f"{self._prefix}-{self._names.setdefault(long, len(self._names)):x}"


def path_data(segments) -> str:
    """A path as SVG: ``segments`` are (numbers, code) as of ``Path.iter_segments``.

    Relative steps of 0.1 pt; of 0.01 pt where the whole path is below 20 pt, like a
    marker. Places are rounded before they are subtracted: no error adds up on the way.
    """
    segments = [(list(numbers), code) for numbers, code in segments]
    ends = [n for numbers, code in segments if code != Path.CLOSEPOLY for n in numbers]
    small = ends and max(max(ends[i::2]) - min(ends[i::2]) for i in (0, 1)) < 20
    unit = 100 if small else 10
    steps, here, home = [("", [])], [0, 0], [0, 0]
    for numbers, code in segments:
        if code == Path.CLOSEPOLY:
            steps.append(("z", []))
            here = home
            continue
        places = [round(n * unit) for n in numbers]
        step = [n - here[i % 2] for i, n in enumerate(places)]
        here = places[-2:]
        home = here if code == Path.MOVETO else home
        letter, last = steps[-1]
        if code == Path.LINETO and letter == "l" and _goes_on(last, step):
            last[:] = last[0] + step[0], last[1] + step[1]
        else:
            steps.append((LETTERS[code], step))
    words = (
        letter + " ".join(_decimal(n, unit) for n in step) for letter, step in steps
    )
    # an absolute beginning, so that two paths can be joined
    return "".join(words).replace(" -", "-").replace("m", "M", 1)


def _goes_on(last, step):
    """Does a step go on in the direction of the last one, or nowhere?"""
    straight = last[0] * step[1] == last[1] * step[0]
    return straight and last[0] * step[0] + last[1] * step[1] >= 0


@functools.lru_cache(100_000)
def _decimal(number, unit):
    return re.sub(r"^(-?)0\.", r"\1.", f"{number / unit:g}")
