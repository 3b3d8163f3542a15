"""Pictures made for tests, good ones and bad ones."""

import zlib
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
HUGE = 50_000


def photo(width: int = 320, height: int = 240) -> Image.Image:
    """Something with slopes and grain, as photographs have."""
    grain = Image.frombytes("L", (width, height), Random(1).randbytes(width * height))
    slope = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (Image.blend(slope, grain, 0.3), slope, Image.blend(slope, grain, 0.1)))


def written(image: Image.Image, content_type: str, **options: Any) -> bytes:
    """A file of a picture."""
    file = BytesIO()
    image.save(file, FORMATS[content_type], **options)
    return file.getvalue()


def seen(octets: bytes) -> Image.Image:
    """A file as whoever gets it sees it."""
    image = Image.open(BytesIO(octets))
    image.load()
    return image


def moving(content_type: str = "image/gif", size: tuple[int, int] = (40, 30)) -> bytes:
    """Three frames."""
    first, *others = (Image.new("RGB", size, colour) for colour in ("red", "green", "blue"))
    return written(first, content_type, save_all=True, append_images=others, duration=100, loop=0)


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def _png_bomb() -> bytes:
    head = HUGE.to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0))
    rows = zlib.compress(bytes(HUGE // 8 + 1) * 300)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _gif_bomb() -> bytes:
    side = HUGE.to_bytes(2, "little")
    one = written(Image.new("P", (8, 8)), "image/gif")
    frame = one.index(b",")
    return one[:6] + side * 2 + one[10 : frame + 5] + side * 2 + one[frame + 9 :]


def _webp_bomb() -> bytes:
    side = (HUGE - 1).to_bytes(3, "little")
    one = moving("image/webp")
    start = one.index(b"VP8X") + 12
    return one[:start] + side * 2 + one[start + 6 :]


def _bmp_bomb() -> bytes:
    one = written(Image.new("L", (8, 8)), "image/bmp")
    return one[:18] + HUGE.to_bytes(4, "little") * 2 + one[26:]


BOMBS = {
    "image/png": _png_bomb(),
    "image/gif": _gif_bomb(),
    "image/webp": _webp_bomb(),
    "image/bmp": _bmp_bomb(),
}
