"""User data headers: the elements before the body, above all the one that joins segments.

A header is a length octet, then elements of identifier, length and data. Elements we do not know are kept, not judged.
Source: 3GPP TS 23.040 §9.2.3.24; concatenation §9.2.3.24.1 (8-bit reference) and §9.2.3.24.8 (16-bit reference).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

CONCATENATION: Final = 0x00
"""Identifier of the concatenation element with an 8-bit reference."""
WIDE_CONCATENATION: Final = 0x08
"""Identifier of the concatenation element with a 16-bit reference."""
SINGLE_SHIFT: Final = 0x24
"""Identifier of the element that names a language whose table stands behind escapes (§9.2.3.24.15)."""
LOCKING_SHIFT: Final = 0x25
"""Identifier of the element that names a language whose table replaces the default alphabet (§9.2.3.24.16)."""


class BrokenHeader(ValueError):
    """The header's lengths contradict each other or the octets at hand."""


class Element(NamedTuple):
    """One information element: its identifier (0 to 255) and its data without the two leading octets."""

    iei: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenation:
    """Where a segment stands in its message. Raises ValueError for numbers out of range.

    reference: 0 to 255, or to 65535 when wide; equal in all segments of one message.
    total: 1 to 255 segments. number: 1 to total.
    wide: the reference has 16 bits. A wide reference and a narrow one of the same value are different references.
    """

    reference: int
    total: int
    number: int
    wide: bool = False

    def __post_init__(self) -> None:
        check_reference(self.reference, wide=self.wide)
        if not 1 <= self.number <= self.total <= 0xFF:
            raise ValueError(f"segment {self.number} of {self.total} cannot be: 1 <= number <= total <= 255")


def check_reference(reference: int, *, wide: bool) -> None:
    """Raise ValueError unless the reference fits its 8 bits, or 16 when wide."""
    limit = 0xFFFF if wide else 0xFF
    if not 0 <= reference <= limit:
        raise ValueError(f"the reference is 0 to {limit}, not {reference}")


def concatenation_header(concatenation: Concatenation) -> bytes:
    """A whole header, length octet included: six octets, or seven when wide.

    >>> concatenation_header(Concatenation(reference=0xA7, total=3, number=1)).hex(" ")
    '05 00 03 a7 03 01'
    """
    place = bytes((concatenation.total, concatenation.number))
    if concatenation.wide:
        return bytes((6, WIDE_CONCATENATION, 4)) + concatenation.reference.to_bytes(2, "big") + place
    return bytes((5, CONCATENATION, 3, concatenation.reference)) + place


def header_of(elements: Iterable[Element]) -> bytes:
    """A whole header, length octet included; empty for no elements.

    >>> header_of([Element(SINGLE_SHIFT, b"\\1"), Element(LOCKING_SHIFT, b"\\1")]).hex(" ")
    '06 24 01 01 25 01 01'
    """
    body = b"".join(bytes((iei, len(data))) + data for iei, data in elements)
    return bytes((len(body),)) + body if body else b""


def merged(header: bytes, other: bytes) -> bytes:
    """One header with the elements of two, neither of them empty.

    >>> merged(bytes.fromhex("050003a70301"), bytes.fromhex("03240101")).hex(" ")
    '08 00 03 a7 03 01 24 01 01'
    """
    return bytes((header[0] + other[0],)) + header[1:] + other[1:]


def split_udh(payload: bytes) -> tuple[bytes, bytes]:
    """The header, length octet included, and the body behind it. Raises BrokenHeader when the payload is too short.

    Only for a payload whose carrier said that it begins with a header (in SMPP: esm_class bit 0x40).
    """
    if not payload:
        raise BrokenHeader("no octets where a header was announced")
    end = payload[0] + 1
    if end > len(payload):
        raise BrokenHeader(f"the header claims {end} octets, the payload has {len(payload)}")
    return payload[:end], payload[end:]


def parse_udh(octets: bytes) -> tuple[Element, ...]:
    """The elements of exactly one header, length octet included, in their order. Raises BrokenHeader.

    >>> parse_udh(bytes.fromhex("050003a70301"))
    (Element(iei=0, data=b'\\xa7\\x03\\x01'),)
    """
    udh, rest = split_udh(octets)
    if rest:
        raise BrokenHeader(f"{len(rest)} octets after the end of the header")
    elements = []
    start = 1
    while start < len(udh):
        body = start + 2
        if body > len(udh) or body + udh[start + 1] > len(udh):
            raise BrokenHeader(f"the element at octet {start} runs past the end of the header")
        end = body + udh[start + 1]
        elements.append(Element(udh[start], udh[body:end]))
        start = end
    return tuple(elements)


def concatenation_of(payload: bytes) -> Concatenation | None:
    """Where the segment stands, read from a payload that begins with a header; None when it stands alone.

    An element with impossible numbers (total 0, number 0 or above the total) or of the wrong size is passed over; of
    several good ones the last counts, as the standard says. Raises BrokenHeader.
    """
    udh, _ = split_udh(payload)
    for element in reversed(parse_udh(udh)):
        found = _concatenation_from_element(element)
        if found is not None:
            return found
    return None


def _concatenation_from_element(element: Element) -> Concatenation | None:
    wide = element.iei == WIDE_CONCATENATION
    size_octets = 4 if wide else 3
    if element.iei not in (CONCATENATION, WIDE_CONCATENATION) or len(element.data) != size_octets:
        return None
    reference = int.from_bytes(element.data[:-2], "big")
    total, number = element.data[-2:]
    if not 1 <= number <= total:
        return None
    return Concatenation(reference=reference, total=total, number=number, wide=wide)
