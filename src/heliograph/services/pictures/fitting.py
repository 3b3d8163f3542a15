"""Looking for the size and the quality at which a picture fits.

Size is given up before quality: on a phone a smaller sharp picture looks better than a large one with blocks. From the
first try's octets follows the next size, so that three or four tries are enough.
"""

import math
from io import BytesIO
from typing import Final

from PIL import Image

from heliograph.services.pictures.broken import BadPicture

LEAST_QUALITY: Final = 60
MOST_QUALITY: Final = 90
_NEAR_QUALITY: Final = 4
_FULL_SHARE: Final = 0.85
"""A file that takes so much of what is allowed needs no better quality."""
LEAST_SIDE: Final = 48
_COLOURS: Final = 256
_DRAWN_PIXELS_AN_OCTET: Final = 8
"""What has more pixels could only fit as PNG if it were almost empty, and trying that takes seconds."""
_LIKELY_SHARE: Final = 0.5
"""All its colours take a picture at least twice the octets of few."""


def fitted(image: Image.Image, *, most_octets: int, is_drawn: bool) -> tuple[bytes, str]:
    """A file of a picture, and its type. is_drawn: it may be a drawing, which is to stay one if it can.

    What is transparent stays so, as PNG. Raises BadPicture when nothing helps.
    """
    if image.mode == "RGBA":
        return _png_within(image, most_octets), "image/png"
    if is_drawn and image.width * image.height <= _DRAWN_PIXELS_AN_OCTET * most_octets:
        # Few colours are all kept.
        has_few = image.getcolors(_COLOURS) is not None
        written = _png(image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT) if has_few else image)
        if len(written) <= most_octets:
            return written, "image/png"
    return _jpeg_within(image, most_octets), "image/jpeg"


def _jpeg_within(image: Image.Image, most_octets: int) -> bytes:
    scaled, scale = image, 1.0
    while len(written := _jpeg(scaled, LEAST_QUALITY)) > most_octets:
        scale *= _step(most_octets / len(written))
        scaled = _scaled(image, scale)
    low, high = LEAST_QUALITY, MOST_QUALITY + 1
    while high - low > _NEAR_QUALITY and len(written) < _FULL_SHARE * most_octets:
        quality = (low + high) // 2
        better = _jpeg(scaled, quality)
        if len(better) <= most_octets:
            low, written = quality, better
        else:
            high = quality
    return written


def _png_within(image: Image.Image, most_octets: int) -> bytes:
    scaled, scale = image, 1.0
    while len(few := _png(scaled.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE))) > most_octets:
        scale *= _step(most_octets / len(few))
        scaled = _scaled(image, scale)
    every = _png(scaled) if len(few) < _LIKELY_SHARE * most_octets else few
    return every if len(every) <= most_octets else few


def _step(share: float) -> float:
    """How much smaller the sides must become, for this share of the octets."""
    return min(math.sqrt(share) * 0.97, 0.9)


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    if max(size) < LEAST_SIDE:
        raise BadPicture("cannot be made so small that it fits")
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
