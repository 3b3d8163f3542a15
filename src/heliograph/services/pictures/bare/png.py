"""PNG: chunks with a name, a length and a checksum (W3C PNG, third edition, §5).

Needed are the chunks without which the picture would look different, those of moving ones (APNG) among them. Texts,
Exif and the time are not.
"""

from binascii import crc32
from typing import Final

from heliograph.services.pictures.broken import CUT, BadPicture

_SIGNATURE_OCTETS: Final = 8
_AROUND: Final = 12
_NEEDED: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)


def bare_png(octets: bytes) -> bytes:
    """A PNG without metadata."""
    kept = [octets[:_SIGNATURE_OCTETS]]
    place, name = _SIGNATURE_OCTETS, b""
    while name != b"IEND":
        end = place + _AROUND + int.from_bytes(octets[place : place + 4], "big")
        if place + _AROUND > len(octets) or end > len(octets):
            raise BadPicture(CUT)
        name = octets[place + 4 : place + 8]
        if name in _NEEDED:
            if crc32(memoryview(octets)[place + 4 : end - 4]) != int.from_bytes(octets[end - 4 : end], "big"):
                raise BadPicture(CUT)
            kept.append(octets[place:end])
        place = end
    return b"".join(kept)
