"""Choosing an encoding for a text and cutting it into segments.

A segment has 140 octets on the air: 160 septets, 70 UTF-16 units or 140 octets of data; when there are several, each
spends six or seven octets on a header. An escape pair or a surrogate pair is never cut in two, so a text can need more
segments than its length divided by the room of one: count with `count_segments`, never by division.

A text of the default alphabet is written in it. Any other is UCS2, unless the tables of a language make fewer segments;
they too are GSM7, and each segment spends three octets of header on each table.
Source: 3GPP TS 23.038 §6.2.1 and §6.2.3, TS 23.040 §9.2.3.24.1, §9.2.3.24.15 and §9.2.3.24.16.
"""

from collections.abc import Iterable
from enum import IntEnum
from functools import cache
from typing import Final, NamedTuple

from heliograph.gsm import alphabet, national, packing, udh
from heliograph.gsm.national import NO_TABLES, Language, Tables

MOST_SEGMENTS: Final = 255
"""The segment total is one octet of the header."""


class Encoding(IntEnum):
    """How a body is represented."""

    GSM7 = 0
    """Septets: the GSM 7-bit default alphabet with its extension table, or what a header puts in their places."""
    UCS2 = 1
    """UTF-16 big-endian without a byte order mark; surrogate pairs are used in practice."""
    BINARY = 2
    """Octets that are no text."""


class TooLong(ValueError):
    """More than 255 segments would be needed."""


class Segment(NamedTuple):
    """One short message on the air.

    udh: the user data header, length octet included; empty when the segment stands alone.
    body: septets one to an octet (GSM7), UTF-16 big-endian (UCS2) or octets (BINARY).
    """

    udh: bytes
    body: bytes

    @property
    def payload(self) -> bytes:
        """Header and body, as SMPP carries them."""
        return self.udh + self.body


class _Room(NamedTuple):
    """What one segment holds, in octets of its body: alone, behind a 6-octet and behind a 7-octet header.

    step: octets of one unit. leads: the values of a unit's first octet that must not end a segment.
    shifts: the header of a segment that stands alone, and what the others' has beside the place.
    """

    alone: int
    narrow: int
    wide: int
    step: int
    leads: frozenset[int]
    shifts: bytes = b""


_AIR_OCTETS: Final = 140

# 66 units, not 66.5, fit behind the seven-octet header; both headers take the room of 7 and 8 septets.
_GSM7: Final = _Room(alone=160, narrow=153, wide=152, step=1, leads=frozenset({alphabet.ESCAPE}))
_UCS2: Final = _Room(alone=140, narrow=134, wide=132, step=2, leads=frozenset(range(0xD8, 0xDC)))
_BINARY: Final = _Room(alone=140, narrow=134, wide=133, step=1, leads=frozenset())


@cache
def _room_behind(tables: Tables) -> _Room:
    """What a segment holds whose header names tables."""
    shifts = national.header_of(tables)
    elements = len(shifts) - 1
    alone, narrow, wide = (_septets_behind(octets) for octets in (len(shifts), 6 + elements, 7 + elements))
    return _GSM7._replace(alone=alone, narrow=narrow, wide=wide, shifts=shifts)


def _septets_behind(udh_octets: int) -> int:
    """Septets that fit behind a header of so many octets; they start on a septet boundary."""
    return (_AIR_OCTETS * 8 - udh_octets * 8 - packing.fill_bits_after(udh_octets)) // 7


def encoding_of(text: str) -> Encoding:
    """GSM7 when the default alphabet has every character, else UCS2. Raises NotInAlphabet for a lone surrogate.

    >>> encoding_of("it's"), encoding_of("it’s")
    (<Encoding.GSM7: 0>, <Encoding.UCS2: 1>)
    """
    if alphabet.is_encodable(text):
        return Encoding.GSM7
    _utf16(text)
    return Encoding.UCS2


def count_segments(
    text: str, *, wide_reference: bool = False, language: Language = Language.NONE
) -> tuple[Encoding, int]:
    """The encoding and number of segments that `split` would give, without making them.

    Raises NotInAlphabet for a lone surrogate and TooLong.

    >>> count_segments("a" * 152 + "€" + "a" * 152)
    (<Encoding.GSM7: 0>, 3)
    """
    if alphabet.is_plain(text):
        return Encoding.GSM7, _count_plain(len(text), wide=wide_reference)
    encoding, body, room = _encoded(text, language, wide=wide_reference)
    if len(body) <= room.alone:
        return encoding, 1
    count = _count(body, room, wide=wide_reference)
    if count > MOST_SEGMENTS:
        raise _too_long()
    return encoding, count


def split(
    text: str, *, reference: int, wide_reference: bool = False, language: Language = Language.NONE
) -> tuple[Encoding, tuple[Segment, ...]]:
    """Cut a text into as few segments as its encoding allows; empty text is one empty segment.

    A lone segment holds 160 septets or 70 UTF-16 units; joined ones 153 or 67, with a wide reference 152 or 66.
    reference: 0 to 255, or to 65535 when wide; equal in all segments of one message.
    language: whose tables may be used. A text outside the default alphabet takes what makes the fewest segments, and
    among equals the fewest tables: so UCS2, single shift, locking shift, both. Their segments are GSM7 and all have a
    header, behind which a lone one holds 155 septets, with both tables 152; joined ones 149 or 146, wide 148 or 145.
    Raises NotInAlphabet for a lone surrogate, TooLong, ValueError for a reference out of range.

    >>> encoding, segments = split("я" * 71, reference=7)
    >>> [(segment.udh.hex(), len(segment.body)) for segment in segments]
    [('050003070201', 134), ('050003070202', 8)]
    """
    encoding, body, room = _encoded(text, language, wide=wide_reference)
    return encoding, _segments(body, room, reference=reference, wide=wide_reference)


def split_octets(octets: bytes, *, reference: int, wide_reference: bool = False) -> tuple[Segment, ...]:
    """Cut octets that are no text: 140 alone, 134 joined, 133 with a wide reference.

    reference, empty octets and errors: as in `split`.
    """
    return _segments(octets, _BINARY, reference=reference, wide=wide_reference)


def join(bodies: Iterable[bytes], encoding: Encoding, *, tables: Tables = NO_TABLES) -> str:
    """Text of the bodies of one message, given in their order and without their headers.

    tables: those that their headers name (`national.tables_in`), for GSM7.

    They are joined before decoding, so pairs that a careless sender cut in two are whole again. What cannot be
    decoded becomes U+FFFD; the result never holds a lone surrogate. Raises ValueError for BINARY, which has no text.
    """
    octets = b"".join(bodies)
    match encoding:
        case Encoding.GSM7:
            return national.alphabet_of(tables).decode(octets)
        case Encoding.UCS2:
            return octets.decode("utf-16-be", "replace")
        case Encoding.BINARY:
            raise ValueError("binary bodies have no text")


def _encoded(text: str, language: Language, *, wide: bool) -> tuple[Encoding, bytes, _Room]:
    if len(text) > MOST_SEGMENTS * _GSM7.narrow:
        raise _too_long()  # before megabytes are encoded only to be refused
    septets = alphabet.septets_of(text)
    if septets is not None:
        return Encoding.GSM7, septets, _GSM7
    if language:
        return _shortest(text, language, wide=wide)
    return Encoding.UCS2, _utf16(text), _UCS2


def _shortest(text: str, language: Language, *, wide: bool) -> tuple[Encoding, bytes, _Room]:
    """What makes the fewest segments: UCS2, or else the first of the language's ways."""
    ways = [(Encoding.UCS2, _utf16(text), _UCS2)]
    for tables in national.choices(language):
        septets = national.alphabet_of(tables).septets_of(text)
        if septets is not None:
            ways.append((Encoding.GSM7, septets, _room_behind(tables)))
    return min(ways, key=lambda way: _count(way[1], way[2], wide=wide))


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise alphabet.NotInAlphabet(text[error.start], error.start) from None


def _too_long() -> TooLong:
    return TooLong(f"more than {MOST_SEGMENTS} segments would be needed")


def _count_plain(septets: int, *, wide: bool) -> int:
    """Segments of a text without extension characters, where nothing keeps a segment from being filled."""
    if septets <= _GSM7.alone:
        return 1
    count = -(-septets // (_GSM7.wide if wide else _GSM7.narrow))
    if count > MOST_SEGMENTS:
        raise _too_long()
    return count


def _count(body: bytes, room: _Room, *, wide: bool) -> int:
    """Segments of a body; 256 stands for any number above 255."""
    return 1 if len(body) <= room.alone else len(_slices(body, room, wide=wide))


def _segments(body: bytes, room: _Room, *, reference: int, wide: bool) -> tuple[Segment, ...]:
    udh.check_reference(reference, wide=wide)
    shifts = room.shifts
    if len(body) <= room.alone:
        return (Segment(shifts, body),)
    slices = _slices(body, room, wide=wide)
    total = len(slices)
    if total > MOST_SEGMENTS:
        raise _too_long()
    places = (_joining_udh(reference, total, number, wide=wide) for number in range(1, total + 1))
    headers = (udh.merged(place, shifts) for place in places) if shifts else places
    return tuple(map(Segment, headers, slices))


def _joining_udh(reference: int, total: int, number: int, *, wide: bool) -> bytes:
    return udh.concatenation_header(udh.Concatenation(reference=reference, total=total, number=number, wide=wide))


def _slices(body: bytes, room: _Room, *, wide: bool) -> list[bytes]:
    """The bodies of joined segments, 256 when there would be more."""
    limit = room.wide if wide else room.narrow
    slices: list[bytes] = []
    start = 0
    # One slice too many is enough to know: a huge body is not walked to its end.
    while start < len(body) and len(slices) <= MOST_SEGMENTS:
        end = start + limit
        if end < len(body) and body[end - room.step] in room.leads:
            end -= room.step
        slices.append(body[start:end])
        start = end
    return slices
