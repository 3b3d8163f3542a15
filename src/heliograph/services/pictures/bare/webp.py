"""WebP: chunks in a RIFF container (RFC 9649 §2).

Needed are the pictures, their transparency and colour profile. Exif, XMP and chunks that nobody knows are not; the
flags of the first chunk, if it is an extended one, say so.
"""

from typing import Final

from heliograph.services.pictures.broken import CUT, BadPicture

_HEADER_OCTETS: Final = 12
_EXTENDED: Final = b"VP8X"
_NEEDED: Final = frozenset((b"VP8 ", b"VP8L", _EXTENDED, b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_PICTURES: Final = frozenset((b"VP8 ", b"VP8L", b"ANMF"))
_EXIF_AND_XMP: Final = 0x0C


def bare_webp(octets: bytes) -> bytes:
    """A WebP without metadata."""
    end = 8 + int.from_bytes(octets[4:8], "little")
    if end > len(octets):
        raise BadPicture(CUT)
    kept: list[bytes] = []
    names: set[bytes] = set()
    place = _HEADER_OCTETS
    while place + 8 <= end:
        name, length = octets[place : place + 4], int.from_bytes(octets[place + 4 : place + 8], "little")
        behind = place + 8 + length + length % 2
        # The filling behind the last chunk is left out by some who write them.
        if behind > end + length % 2:
            raise BadPicture(CUT)
        if name in _NEEDED:
            chunk = octets[place : place + 8 + length].ljust(behind - place, b"\0")
            kept.append(_without_flags(chunk) if name == _EXTENDED else chunk)
        names.add(name)
        place = behind
    if not names & _PICTURES:
        raise BadPicture(CUT)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _without_flags(extended: bytes) -> bytes:
    return extended[:8] + bytes(each & ~_EXIF_AND_XMP for each in extended[8:9]) + extended[9:]
