"""Reading a picture that nobody trusts: how large it says it is before it is decoded, and how it is meant to be seen.

One decoder alone looks at it, that of the kind which its first octets say.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from PIL import AvifImagePlugin, Image, ImageCms, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from heliograph.core.media_types import sniffed
from heliograph.services.pictures.broken import CUT, BadPicture

MOST_PIXELS: Final = 50_000_000
"""What the largest cameras of phones take."""

_READERS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/gif": GifImageFile,
    "image/webp": WebPImageFile,
    "image/bmp": BmpImageFile,
    "image/tiff": TiffImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
}
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SMALL: Final = ("L", "RGB", "RGBA", "CMYK")
"""The modes in which a picture can be resized and its colours be converted."""
_SRGB: Final = ImageCms.createProfile("sRGB")

# Each thread of a decoder takes memory of its own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@contextmanager
def distrusting() -> Iterator[None]:
    """Whatever the library raises over a picture is the picture's fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (BadPicture, MemoryError):
        raise
    except (Image.DecompressionBombError, OverflowError) as error:
        raise BadPicture("claims too many pixels") from error
    except Exception as error:
        raise BadPicture(CUT) from error


def opened(octets: bytes, content_type: str) -> ImageFile.ImageFile:
    """A picture of which only the head has been read. Raises BadPicture when it is none, or claims too many pixels."""
    reader = _READERS.get(content_type)
    if reader is None:
        raise BadPicture(f"is of a kind that cannot be looked into ({content_type}); JPEG, PNG and GIF can")
    if sniffed(octets) != content_type:
        raise BadPicture(f"is called {content_type} and is none")
    image = reader(BytesIO(octets))
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise BadPicture(f"claims {width:,} by {height:,} pixels; at most {MOST_PIXELS:,} in all are looked at")
    return image


def is_moving(image: ImageFile.ImageFile) -> bool:
    """Whether there is more than one picture in it."""
    return bool(getattr(image, "is_animated", False))


def orientation_of(image: Image.Image) -> int:
    """Which way it is to be shown, 1 to 8 (Exif 2.32 §4.6.5); 1 is as it stands."""
    try:
        written = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 (what is beside a picture may be broken as it likes)
        return 1
    return written if written in _TURNS else 1


def look_through(image: ImageFile.ImageFile) -> None:
    """Decode it all, at little cost, to see that it is whole."""
    width, height = image.size
    image.draft(None, (width // 8, height // 8))
    image.load()


def shown(image: ImageFile.ImageFile, *, most_pixels: int, most_side: int) -> Image.Image:
    """The picture as it is to be seen: upright, within a size, in L, RGB or RGBA of the common colours, and bare."""
    profile = image.info.get("icc_profile")
    size = size_within(image.size, most_pixels=most_pixels, most_side=most_side)
    image.draft(None, size)
    image.load()
    orientation = orientation_of(image)
    seen = _plain(image)
    if seen.size != size and (seen.width > size[0] or seen.height > size[1]):
        seen = seen.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if orientation in _TURNS:
        seen = seen.transpose(_TURNS[orientation])
    seen = _in_common_colours(seen, profile)
    if seen.mode == "RGBA" and seen.getchannel("A").getextrema() == (255, 255):
        seen = seen.convert("RGB")
    # What is left here would be written with it.
    seen.info = {}
    return seen


def size_within(size: tuple[int, int], *, most_pixels: int, most_side: int) -> tuple[int, int]:
    """The largest size of the same shape with at most so many pixels and no longer side. most_side: 0 for any.

    >>> size_within((4000, 3000), most_pixels=3_000_000, most_side=1000)
    (1000, 750)
    """
    width, height = size
    scale = min(1.0, (most_pixels / (width * height)) ** 0.5, (most_side or width + height) / max(size))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _plain(image: Image.Image) -> Image.Image:
    """The same in a mode that can be worked with."""
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode.startswith("I"):
        # Sixteen bits of grey; the library would cut what is above eight.
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("1", "F"):
        return image.convert("L")
    return image if image.mode in _SMALL else image.convert("RGB")


def _in_common_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A profile that is broken, or of another kind of picture, says nothing.
            converted = None
        if converted is not None:
            return converted
    return image if image.mode in ("L", mode) else image.convert(mode)
