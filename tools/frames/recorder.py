"""A figure at many positions: each look of an artist once, a frame a row of numbers.

    recorder = Recorder("bumps-slider")   # the beginning of ids: unique on the page
    recorder.start(figure, panels)        # after the first layout, which is kept
    recorder.add()                        # a position: artists that changed are drawn
    recorder.add(fresh=True)              # the axes were cleared: all are drawn
    recorder.agrees(7)                    # is the eighth frame what is drawn now?
    recorder.finish()                     # a dictionary for JSON

The dictionary holds ``table``, pieces of SVG; ``base``, the numbers of the pieces of
the first frame in drawing order; ``slots``, the places in it that ever change;
``rows``, what each frame has there; ``panels``, the panel of each place; ``defs`` and
``images``, what pieces refer to; ``box`` (width, height) and ``cuts`` between the
panels, in points.
"""

import itertools
from collections.abc import Iterator
from operator import attrgetter

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.spines import Spine
from matplotlib.text import Annotation

from tools.frames.dots import circled, joined, markers
from tools.frames.renderer import POINTS, SETTINGS, Renderer


class Recorder:
    """The frames of one figure; ``quality`` is that of large pictures (``pixels``)."""

    def __init__(self, prefix: str, quality: int = 90):
        self._prefix, self._quality = prefix, quality
        self._table = {"": 0}  # a piece of SVG → its number
        self._looks = {}  # artist → the number of its present look
        self._views = {}  # axes → limits and place at their last drawing
        self._frames = []  # one list of looks for each panel

    def start(self, figure: Figure, panels: list[Axes]) -> None:
        """Keep the layout, made for the figure's own dpi; count in points from now."""
        figure.set_layout_engine("none")
        figure.dpi = POINTS  # else texts and line widths would be scaled once more
        self._figure = figure
        size = figure.get_size_inches() * POINTS
        self._renderer = Renderer(*size, self._prefix, self._quality)
        figure.draw_without_rendering()
        boxes = [ax.get_tightbbox(self._renderer) for ax in panels]
        pairs = itertools.pairwise(boxes)
        self._cuts = [round((left.x1 + right.x0) / 2, 1) for left, right in pairs]

    def add(self, fresh: bool = False) -> None:
        """The present look of the figure is the next frame.

        It does not matter which artists are ``animated``: ``LiveFigure`` sets that, and
        a usual drawing would leave them out.
        """
        if fresh:
            self._looks.clear()
            self._figure.draw_without_rendering()  # limits, aspect, places of titles
        artists = list(drawing_order(self._figure))
        moved = {one for one in self._figure.axes if self._has_moved(one)}
        frame = [[] for _ in range(len(self._cuts) + 1)]
        with rc_context(SETTINGS):
            for artist in artists:
                frame[self._panel(artist)].append(self._look(artist, moved))
        self._frames.append(frame)

    def agrees(self, k: int) -> bool:
        """Is frame k what a drawing of all artists gives? Did ``stale`` tell all?"""
        self._looks.clear()
        self.add()
        return self._frames.pop() == self._frames[k]

    def finish(self) -> dict:
        """All frames; where one has fewer artists, empty pieces take their place."""
        longest = [max(map(len, looks)) for looks in zip(*self._frames, strict=True)]
        frames = [
            [
                n
                for looks, size in zip(frame, longest, strict=True)
                for n in looks + [0] * (size - len(looks))
            ]
            for frame in self._frames
        ]
        places = list(zip(*frames, strict=True))
        slots = [place for place, looks in enumerate(places) if len(set(looks)) > 1]
        definitions = self._renderer.definitions()
        shapes = markers(self._renderer.writer.definitions)
        return {
            "box": [self._renderer.width, self._renderer.height],
            "cuts": self._cuts,
            "defs": definitions,
            "base": frames[0],
            "panels": [p for p, size in enumerate(longest) for _ in range(size)],
            "slots": slots,
            "rows": [[frame[place] for place in slots] for frame in frames],
            "table": [circled(joined(piece), shapes) for piece in self._table],
            "images": self._renderer.pictures.addresses,
        }

    def _panel(self, artist: Artist) -> int:
        """The panel of an artist; what stands in none belongs to the first."""
        box = artist.axes.bbox if artist.axes else None
        return sum(cut < (box.x0 + box.x1) / 2 for cut in self._cuts) if box else 0

    def _has_moved(self, axes: Axes) -> bool:
        """Have limits or place changed? Then all artists in there look different."""
        locator = axes.get_axes_locator()  # as Axes.draw begins
        axes.apply_aspect(locator and locator(axes, self._renderer))
        view = (*axes.viewLim.bounds, *axes.bbox.bounds)
        before, self._views[axes] = self._views.get(axes), view
        if view != before:
            axes._update_title_position(self._renderer)
        return view != before

    def _look(self, artist: Artist, moved: set[Axes]) -> int:
        """The number of an artist's look; drawn only where it may have changed."""
        if (
            artist not in self._looks
            or artist.axes in moved
            or isinstance(artist, Annotation)  # a new .xy does not make it stale
            or any(part.stale for part in artist.findobj())
        ):
            piece = self._renderer.piece(artist)
            self._looks[artist] = self._table.setdefault(piece, len(self._table))
            for part in artist.findobj():  # hidden or empty parts would stay stale
                part.stale = False
        return self._looks[artist]


def drawing_order(parent: Figure | Axes) -> Iterator[Artist]:
    """The artists of a figure in the order in which matplotlib draws them.

    Axes are taken apart (twins and insets, too); a legend or an axis stays one artist.
    The background of the figure is left out: the page is white there.
    """
    if isinstance(parent, Axes):
        framed = parent.axison and parent.get_frame_on()
        hidden = (() if framed else (Spine,)) + (() if parent.axison else (Axis,))
        if not hidden:
            yield parent.patch
    else:
        hidden = ()
    for child in sorted(parent.get_children(), key=attrgetter("zorder")):
        if type(child).draw is Axes.draw:
            if child.get_visible():
                yield from drawing_order(child)
        elif child is not parent.patch and not isinstance(child, hidden):
            yield child
