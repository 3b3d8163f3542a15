"""One picture made to fit: a function of octets.

A picture that fits is sent as it came, to the last pixel, but without its metadata: a photograph often says where it
was taken, and whoever sends it as a message means to show it, not that. Every picture is decoded once even so, as one
that is cut short, or claims a size that stops a phone, would fail at the other end, where nobody hears of it.
"""

from typing import Final, NamedTuple

from PIL import ImageFile

from heliograph.services.pictures.bare import BARE
from heliograph.services.pictures.bare.jpeg import bare_jpeg
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.fitting import fitted
from heliograph.services.pictures.opening import distrusting, is_moving, look_through, opened, orientation_of, shown

_PIXELS_AN_OCTET: Final = 24
"""A photograph with more pixels than this would look worse than a smaller one of as many octets."""
_PIXELS_AN_OCTET_OF_PNG: Final = 6
_MOST_WORKED_ON: Final = 16_000_000
_DRAWN: Final = frozenset(("image/png", "image/gif", "image/bmp", "image/tiff"))


class Adapted(NamedTuple):
    """A picture as it is sent."""

    content: bytes
    content_type: str


def adapted(picture: bytes, content_type: str, *, most_octets: int, most_side: int = 0) -> Adapted:
    """Make a picture fit. most_side: pixels that neither side may exceed, 0 for any.

    Raises BadPicture for what is no whole picture of that type, or cannot be made to fit; MemoryError.
    """
    with distrusting():
        image = opened(picture, content_type)
        bare = _bare(image, picture, content_type)
        fits = bare is not None and len(bare) <= most_octets and not 0 < most_side < max(image.size)
        if bare is not None and fits:
            look_through(image)
            return Adapted(bare, content_type)
        if is_moving(image):
            raise BadPicture(_why_not(bare, content_type, most_octets))
        return _smaller(image, content_type, most_octets=most_octets, most_side=most_side)


def _bare(image: ImageFile.ImageFile, picture: bytes, content_type: str) -> bytes | None:
    """The picture without metadata; None when it cannot stay what it is."""
    if content_type not in BARE:
        return None
    bare, orientation = BARE[content_type](picture), orientation_of(image)
    if content_type == "image/jpeg":
        # Few phones know the colours of printers.
        return None if image.mode == "CMYK" else bare_jpeg(picture, orientation=orientation)
    return bare if orientation == 1 else None


def _smaller(image: ImageFile.ImageFile, content_type: str, *, most_octets: int, most_side: int) -> Adapted:
    an_octet = _PIXELS_AN_OCTET_OF_PNG if image.has_transparency_data else _PIXELS_AN_OCTET
    most_pixels = min(max(1, an_octet * most_octets), _MOST_WORKED_ON)
    seen = shown(image, most_pixels=most_pixels, most_side=most_side)
    return Adapted(*fitted(seen, most_octets=most_octets, is_drawn=content_type in _DRAWN))


def _why_not(bare: bytes | None, content_type: str, most_octets: int) -> str:
    if bare is None:
        return f"has several frames or pages, and {content_type} cannot be sent as it is"
    return f"moves and cannot be made smaller: {len(bare):,} octets, and {most_octets:,} are left for it"
