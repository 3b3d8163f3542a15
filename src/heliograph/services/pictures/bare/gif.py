"""GIF: blocks of sub-blocks (GIF89a §12-26).

Needed are pictures, how long each stays, and how often they begin again. Comments and what applications add (XMP,
colour profiles) are not.
"""

from typing import Final

from heliograph.services.pictures.broken import CUT, BadPicture

_HEADER_OCTETS: Final = 13
_PICTURE: Final = 0x2C
_EXTENSION: Final = 0x21
_TRAILER: Final = 0x3B
_CONTROL: Final = 0xF9
_TEXT: Final = 0x01
_APPLICATION: Final = 0xFF
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def bare_gif(octets: bytes) -> bytes:
    """A GIF without metadata."""
    place = _behind_colours(octets, flags_at=10, place=_HEADER_OCTETS)
    kept = [octets[:place]]
    while (introducer := _octet(octets, place)) != _TRAILER:
        if introducer == _PICTURE:
            # One octet more: the least size of a code.
            end = _behind_blocks(octets, _behind_colours(octets, flags_at=place + 9, place=place + 10) + 1)
        elif introducer == _EXTENSION:
            end = _behind_blocks(octets, place + 2)
        else:
            raise BadPicture(CUT)
        if introducer == _PICTURE or _is_needed(octets, place):
            kept.append(octets[place:end])
        place = end
    return b"".join((*kept, bytes((_TRAILER,))))


def _is_needed(octets: bytes, place: int) -> bool:
    label = octets[place + 1]
    return label in (_CONTROL, _TEXT) or (label == _APPLICATION and octets[place + 3 : place + 14] in _LOOPS)


def _behind_colours(octets: bytes, *, flags_at: int, place: int) -> int:
    flags = _octet(octets, flags_at)
    return place + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def _behind_blocks(octets: bytes, place: int) -> int:
    while length := _octet(octets, place):
        place += 1 + length
    return place + 1


def _octet(octets: bytes, place: int) -> int:
    if place >= len(octets):
        raise BadPicture(CUT)
    return octets[place]
