"""Matplotlib's SVG renderer, one artist at a time, with the text lengths of Agg."""

import io

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import rgb2hex
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from tools.frames.markup import Markup, path_data
from tools.frames.pixels import Pictures

# lines are simplified by at most 0.15 pt; texts become outlines, as fonts differ
SETTINGS = {"path.simplify_threshold": 0.15, "svg.fonttype": "path"}
POINTS, DPI = 72, 100  # per inch: here, and in the figures of the notebooks
SQUARES = 3  # enlarged more than this, "auto" shows a picture's pixels as squares


class Renderer(RendererSVG):
    """Draws artists of a figure of ``width`` by ``height`` points as pieces of SVG.

    ``piece(artist)`` is its SVG; what the pieces refer to is in ``definitions()``, and
    the pictures in ``pictures``. Hinted letters are 1 to 2 % narrower than outlines,
    and the layout was made for them: texts are measured by Agg, and set as long.
    """

    def __init__(self, width: float, height: float, prefix: str, quality: int = 90):
        super().__init__(width, height, io.StringIO())
        self.writer = Markup(prefix)  # the head of a file and its style are dropped
        self.pictures = Pictures(quality)
        self._agg = RendererAgg(16, 16, DPI)
        self._squares = False

    def piece(self, artist) -> str:
        """The artist as SVG; its definitions and pictures are set aside."""
        self._path_collection_id = 0  # so equal markers have equal ids in all frames
        self._squares = False
        kind = isinstance(artist, AxesImage) and self._prepare(artist)
        artist.draw(self)
        if kind:
            artist.set_interpolation(kind)
        return self.writer.take()

    def definitions(self) -> str:
        """Clips, glyphs, markers and hatches of all pieces so far."""
        self._write_clips()
        self._write_hatches()
        return "".join(self.writer.definitions)

    def _prepare(self, image):
        """Let the browser enlarge a picture where that looks the same; its own kind.

        It does not where a coarse, smooth picture has few colours: matplotlib enlarges
        the numbers and colours them then, in bands; a browser enlarges the colours.
        """
        kind, data = image.get_interpolation(), image.get_array()
        extent = image.get_window_extent(self).width
        coarse = extent * DPI / POINTS > SQUARES * data.shape[1]
        smooth = kind not in ("auto", "antialiased", "nearest", "none")
        self._squares = coarse if kind in ("auto", "antialiased") else not smooth
        banded = coarse and not self._squares and data.ndim == 2 and image.cmap.N < 64
        if not banded and np.ndim(image.get_alpha()) == 0:
            image.set_interpolation("none")  # the picture keeps its own pixels
        return kind

    # --- what RendererSVG does otherwise ---------------------------------------------

    def open_group(self, s, gid=None):
        """No group with an id around every artist."""

    def close_group(self, s):
        """Nor its end."""

    def draw_gouraud_triangles(self, *arguments):
        raise NotImplementedError("Gouraud shading is not recorded")

    def get_text_width_height_descent(self, s, prop, ismath):
        measured = self._agg.get_text_width_height_descent(s, prop, ismath)
        return tuple(length * POINTS / DPI for length in measured)

    def _make_id(self, type, content):
        return f"{type}:{content}"  # Markup makes a short name of it

    def _get_style_dict(self, gc, rgbFace):
        """Opacity of face and edge apart, as Agg draws them: such styles are shared."""
        style = super()._get_style_dict(gc, rgbFace)
        opacity = style.pop("opacity", None)
        both = {"fill-opacity": opacity, "stroke-opacity": opacity} if opacity else {}
        return style | both

    def _convert_path(
        self, path, transform=None, clip=None, simplify=None, sketch=None
    ):
        clip = (0, 0, self.width, self.height) if clip else None
        options = {"clip": clip, "simplify": simplify, "sketch": sketch}
        segments = path.iter_segments(transform, **options)
        return path_data([(numbers.tolist(), code) for numbers, code in segments])

    def _draw_text_as_path(self, gc, x, y, s, prop, angle, ismath, mtext=None):
        source, known = self._text2path, {"glyph_map": self._glyph_map}
        known["return_new_glyphs_only"] = True
        if ismath:
            glyphs, new, boxes = source.get_glyphs_mathtext(prop, s, **known)
        else:
            font = source._get_font(prop)
            glyphs, new, boxes = source.get_glyphs_with_font(font, s, **known)
        self._update_glyph_map_defs(new)
        scale = prop.get_size_in_points() / source.FONT_SCALE
        natural = source.get_text_width_height_descent(s, prop, ismath)[0]
        wanted = self.get_text_width_height_descent(s, prop, ismath)[0]
        across = scale * wanted / natural if natural else scale
        colour, alpha = rgb2hex(gc.get_rgb()), gc.get_rgb()[3]
        style = f"fill:{colour}" if colour != "#000000" else ""
        turn = f" rotate({-angle:g})" if angle else ""
        size = f" scale({across:.4f} {-scale:g})"
        self.writer.start(
            "g",
            style=style + (f";opacity:{alpha:g}" if alpha != 1 else ""),
            transform=f"translate({x:.2f} {y:.2f}){turn}{size}",
        )
        for name, left, up, size in glyphs:
            place = {"x": f"{left:.1f}".removesuffix(".0")}
            if up or size != 1:
                place = {"transform": f"translate({left:.1f} {up:.1f}) scale({size:g})"}
            reference = {"xlink:href": f"#{self._adjust_glyph_repr(name)}"}
            self.writer.element("use", attrib=reference | place)
        for vertices, codes in boxes:  # the bar of a fraction
            path = self._convert_path(Path(vertices, codes), simplify=False)
            self.writer.element("path", d=path)
        self.writer.end("g")

    def draw_image(self, gc, x, y, im, transform=None):
        height, width = im.shape[:2]
        if not im.size:
            return
        opacity = gc.get_alpha()
        if transform is None:  # pixels that were made for the page, with their opacity
            transform = Affine2D().scale(width, height).scale(POINTS / self.image_dpi)
            opacity = 1
        place = Affine2D().scale(1 / width, 1 / height) + transform
        place += Affine2D().translate(x, y).scale(1, -1).translate(0, self.height)
        numbers = " ".join(f"{n:g}" for n in Affine2D(place.get_matrix()).to_values())
        self.writer.start("g", self._get_clip_attrs(gc))  # it would be transformed, too
        self.writer.element(
            "image",
            width=str(width),
            height=str(height),
            transform=f"matrix({numbers})",
            opacity="" if opacity in (None, 1) else f"{opacity:g}",
            style="image-rendering:pixelated" if self._squares else "",
            href=self.pictures.add(np.asarray(im)),
        )
        self.writer.end("g")
