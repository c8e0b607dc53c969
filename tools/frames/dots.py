"""The same picture from fewer elements, so that a browser moves thousands of dots.

The text is what ``Markup`` writes: tags only, attributes in a fixed order, an absolute
"M" at the beginning of a path and relative steps after it.
"""

import functools
import itertools
import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

TAG = re.compile("<[^>]+>")
USE = re.compile(r'<use href="#([^"]+)" x="([^"]+)" y="([^"]+)"(?: style="([^"]*)")?/>')
PATH = re.compile(r'<path d="([^"]*)"(.*)/>')
MARKER = re.compile(r'<path id="([^"]+)" d="([^"]*)"(?: style="[^"]*")?/>')
FEW = 8  # fewer dots stay single elements


def joined(text: str) -> str:
    """Neighbours as one: groups with equal attributes, paths of one opaque colour.

    Translucent paths stay apart: where they cross, they darken each other.
    """
    done, opened, closed = [], [], None
    for tag in TAG.findall(text):
        before = done[-1] if done else ""
        path, earlier = PATH.fullmatch(tag), PATH.fullmatch(before)
        if tag == "</g>":
            closed = opened.pop()
        elif tag.startswith("<g") and tag.endswith("/>"):
            continue  # an empty group
        elif tag.startswith("<g"):
            opened.append(tag)
            if before == "</g>" and closed == tag:
                done.pop()  # go on with the group before
                continue
        elif path and earlier and path[2] == earlier[2] and _opaque(path[2]):
            done[-1] = f'<path d="{earlier[1]}{path[1]}"{path[2]}/>'
            continue
        done.append(tag)
    return "".join(done)


class Marker(NamedTuple):
    """A marker at a place in points; ``radius`` is None if it is not round."""

    x: float
    y: float
    path: str
    radius: float | None
    style: str
    tag: str

    @property
    def kind(self):
        """Thick dots go together, whatever their colour; others by shape and style."""
        is_dot = _dot(self.radius, self.style)
        return "dots" if is_dot else (self.path, self.style)


def markers(definitions: Iterable[str]) -> dict:
    """The markers among the definitions: name → (path, radius). Glyphs are none."""
    found = (MARKER.fullmatch(definition) for definition in definitions)
    return {m[1]: (m[2], _radius_of(m[2])) for m in found if m}


def circled(text: str, shapes: dict) -> str:
    """Runs of markers by few elements: ``<circle>``, or one path for many dots."""
    done, run = [], []
    for tag in [*TAG.findall(text), ""]:
        use = USE.fullmatch(tag)
        if use and use[1] in shapes:
            place = float(use[2]), float(use[3])
            run.append(Marker(*place, *shapes[use[1]], use[4] or "", tag))
            continue
        for kind, same in itertools.groupby(run, key=lambda marker: marker.kind):
            done += _drawn(kind, list(same))
        run = []
        done.append(tag)
    return "".join(done)


def _drawn(kind, run: list[Marker]) -> Iterator[str]:
    """The elements for a run of markers of one kind."""
    if kind == "dots" and len(run) >= FEW:
        yield from _strokes(run)
    elif run[0].radius:
        looks = itertools.groupby(run, key=lambda m: (m.radius, m.style))
        for (radius, style), same in looks:
            each = (f'<circle cx="{m.x:g}" cy="{m.y:g}" r="{radius:g}"/>' for m in same)
            yield f'<g style="{style}">{"".join(each)}</g>'
    elif _opaque(run[0].style):
        x, y, rest = re.fullmatch(r"M(-?[\d.]+) ?(-?[\d.]+)(.*)", run[0].path).groups()
        stamps = (f"M{m.x + float(x):.5g} {m.y + float(y):.5g}{rest}" for m in run)
        yield f'<path d="{"".join(stamps)}" style="{run[0].style}"/>'
    else:
        yield from (marker.tag for marker in run)


def _strokes(run: list[Marker]) -> Iterator[str]:
    """Dots as strokes of no length with round ends: few paths, and the same picture.

    In one path overlapping dots do not darken each other: translucent dots that touch
    need different paths. And a dot comes in a later path than the dots of another
    colour that it covers. The first path that allows it takes the dot.
    """
    paths, cells = [], {}  # (look, places); cell of a grid → its (x, y, number of path)
    wide = 2 * max(_dot(m.radius, m.style)[0] for m in run)
    for m in run:
        look = size, _, opacity = _dot(m.radius, m.style)
        lowest, taken = 0, set()
        for right, down in itertools.product((-1, 0, 1), repeat=2):
            cell = m.x // wide + right, m.y // wide + down
            for x, y, number in cells.get(cell, ()):
                other = paths[number][0]
                if math.hypot(m.x - x, m.y - y) >= size + other[0]:
                    continue
                if other != look:
                    lowest = max(lowest, number + 1)
                elif opacity != "1":
                    taken.add(number)
        free = (
            number
            for number in range(lowest, len(paths))
            if paths[number][0] == look and number not in taken
        )
        chosen = next(free, len(paths))
        if chosen == len(paths):
            paths.append((look, []))
        paths[chosen][1].append((round(10 * m.x), round(10 * m.y)))
        cells.setdefault((m.x // wide, m.y // wide), []).append((m.x, m.y, chosen))
    yield from (_stroke(*path) for path in paths)


def _stroke(look, places) -> str:
    """One path of dots; ``places`` are in tenths of a point."""
    size, colour, opacity = look
    places.sort()  # short steps
    pairs = zip(places, [(0, 0), *places], strict=False)
    steps = (f"m{(x - x0) / 10:g} {(y - y0) / 10:g}h0" for (x, y), (x0, y0) in pairs)
    path = "".join(steps).replace(" -", "-")
    faint = "" if opacity == "1" else f";stroke-opacity:{opacity}"
    ends = f"stroke-width:{2 * size:g};stroke-linecap:round{faint}"
    return f'<path d="M{path[1:]}" style="fill:none;stroke:{colour};{ends}"/>'


def _parsed(style: str) -> dict:
    """Fill, stroke and all else that a style sets."""
    own = dict(re.findall(r"([\w-]+):([^;\"]+)", style))
    return {"fill": "#000000", "stroke": "none"} | own


def _opaque(style: str) -> str | None:
    """The one opaque colour of a style (or of attributes with a style), if any."""
    look = _parsed(style)
    colours = {look["fill"], look["stroke"]} - {"none"}
    faint = look.keys() & {"fill-opacity", "stroke-opacity"} or "url" in look["fill"]
    return colours.pop() if not faint and len(colours) == 1 else None


@functools.lru_cache
def _dot(radius, style):
    """(size, colour, opacity) of a thick dot that looks like this round marker."""
    look = _parsed(style)
    if not radius or look["fill"] == "none" or "url" in look["fill"]:
        return None
    if look["stroke"] == "none":
        return radius, look["fill"], look.get("fill-opacity", "1")
    size = radius + float(look.get("stroke-width", 1)) / 2
    return (size, look["fill"], "1") if _opaque(style) else None


def _radius_of(path: str) -> float | None:
    """The radius, if the path is matplotlib's circle around 0: eight curves."""
    match = re.fullmatch(r"M0 ([\d.]+)((?:c[^a-z]*){8})z", path)
    if match is None:
        return None
    x, y, radius = 0, float(match[1]), float(match[1])
    for curve in match[2].split("c")[1:]:
        *_, dx, dy = map(float, re.findall(r"-?(?:\d+\.?\d*|\.\d+)", curve))
        x, y = x + dx, y + dy
        if abs(math.hypot(x, y) - radius) > 0.02 + 0.01 * radius:
            return None
    return radius
