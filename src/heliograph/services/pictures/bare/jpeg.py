"""JPEG: a row of marked segments, and coded data behind some of them (ITU-T T.81 Annex B).

Metadata stand in the application segments (Exif and XMP in APP1, IPTC in APP13, further pictures behind the end) and in
comments. Of these the header (JFIF), the colour profile and Adobe's mark of the colours are needed to show the picture.
"""

import re
from typing import Final

from heliograph.services.pictures.broken import CUT, BadPicture

_START: Final = b"\xff\xd8"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_COMMENT: Final = 0xFE
_APPLICATIONS: Final = range(0xE0, 0xF0)
_NEEDED: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_ALONE: Final = (0x01, *range(0xD0, 0xD8))
# In coded data 0xFF stands for itself before 0, restarts a scan with a number, and fills before another 0xFF.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_ANY_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")
_ORIENTATION: Final = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"


def bare_jpeg(octets: bytes, *, orientation: int = 1) -> bytes:
    """A JPEG without metadata. orientation: which way to show it (Exif 2.32 §4.6.5), the one thing said again."""
    kept = [_START]
    if orientation != 1:
        kept.append(_ORIENTATION + bytes((0, orientation)) + bytes(6))
    place = len(_START)
    while True:
        marker, place = _marker_at(octets, place)
        if marker == _END:
            return b"".join((*kept, bytes((0xFF, _END))))
        if marker in _ALONE:
            continue
        end = place + int.from_bytes(octets[place : place + 2], "big")
        if end < place + 2 or end > len(octets):
            raise BadPicture(CUT)
        if marker == _SCAN:
            found = _MARKER.search(octets, end)
            if found is None:
                raise BadPicture(CUT)
            end = found.start()
        if _is_needed(marker, octets[place + 2 : place + 16]):
            segment = bytes((0xFF, marker)) + octets[place:end]
            # The JFIF header comes first of all.
            kept.insert(1 if marker == 0xE0 else len(kept), segment)
        place = end


def _marker_at(octets: bytes, place: int) -> tuple[int, int]:
    """The next marker, and the place behind it. What fills the way to it is passed over, as decoders do."""
    found = _ANY_MARKER.search(octets, place)
    if found is None:
        raise BadPicture(CUT)
    return octets[found.end() - 1], found.end()


def _is_needed(marker: int, start: bytes) -> bool:
    if marker in _APPLICATIONS:
        return marker in _NEEDED and start.startswith(_NEEDED[marker])
    return marker != _COMMENT
