"""Pictures inside a figure: as small as they can be, and each one once."""

import base64
import io

import numpy as np
from PIL import Image

EXACT_UP_TO = 2000  # bytes; a larger picture may lose what nobody sees


class Pictures:
    """The pictures of a widget: ``add`` gives the name of one, "@5;" for the sixth.

    ``quality`` is AVIF's, for pictures that are large when nothing is lost.
    """

    def __init__(self, quality: int = 90):
        self.quality = quality
        self._names, self.addresses = {}, []

    def add(self, pixels: np.ndarray) -> str:
        """The name of a picture ``(height, width, 4)``, uint8 with opacity last."""
        key = pixels.shape, pixels.tobytes()
        if key not in self._names:
            address = address_of(pixels, self.quality)
            if address not in self.addresses:
                self.addresses.append(address)
            self._names[key] = f"@{self.addresses.index(address)};"
        return self._names[key]


def address_of(pixels: np.ndarray, quality: int = 90) -> str:
    """A data URI: WebP without loss if that is small, else AVIF with full colour."""
    image = Image.fromarray(pixels)
    if pixels[..., 3].min() == 255:
        grey = (pixels[..., 0] == pixels[..., 1]) & (pixels[..., 1] == pixels[..., 2])
        image = image.convert("L" if grey.all() else "RGB")
    exact, lossy = io.BytesIO(), io.BytesIO()
    exactly = image.convert("RGB") if image.mode == "L" else image
    exactly.save(exact, "webp", lossless=True, method=6)
    if exact.tell() > EXACT_UP_TO:
        image.save(lossy, "avif", quality=quality, subsampling="4:4:4")
    small = lossy.tell() and lossy.tell() < exact.tell()
    kind, stream = ("avif", lossy) if small else ("webp", exact)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
