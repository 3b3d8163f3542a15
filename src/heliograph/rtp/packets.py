"""RTP packets: read whatever a peer may send, written in their shortest form.

What is left out on writing (contributing sources, extension, padding) is passed over on reading.
Source: RFC 3550 §5.1 and §5.3.1.
"""

from struct import Struct
from typing import Final, NamedTuple

FRAME_MS: Final = 20
"""Speech in one packet."""

FRAME_OCTETS: Final = 160
"""The same in octets of G.711, each of which is a sample."""

_HEADER: Final = Struct(">BBHII")
_HEADER_OCTETS: Final = 12
_VERSION: Final = 0x80
_VERSION_BITS: Final = 0xC0
_PADDED: Final = 0x20
_EXTENDED: Final = 0x10
_SOURCES: Final = 0x0F
_MARKER: Final = 0x80
_WORD_OCTETS: Final = 4


class RtpPacket(NamedTuple):
    """One packet. timestamp: of its first sample. is_marked: the first one after silence that was not sent."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    is_marked: bool = False


def encode(packet: RtpPacket) -> bytes:
    """The packet's octets.

    >>> encode(RtpPacket(0, 1, 160, 0xCAFE, b"..")).hex()
    '80000001000000a00000cafe2e2e'
    """
    payload_type, sequence, timestamp, ssrc, payload, is_marked = packet
    second = payload_type | _MARKER if is_marked else payload_type
    return _HEADER.pack(_VERSION, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def decode(octets: bytes) -> RtpPacket | None:
    """The packet in a datagram; None when it holds none, or RTCP.

    >>> decode(bytes.fromhex("80000001000000a00000cafe2e2e")).payload
    b'..'
    """
    if len(octets) < _HEADER_OCTETS:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(octets)
    # Packet types of RTCP, whether it comes to its own port or to this one (RFC 5761 §4).
    if first & _VERSION_BITS != _VERSION or 192 <= second <= 223:
        return None
    start = _HEADER_OCTETS + _WORD_OCTETS * (first & _SOURCES)
    end = len(octets)
    if first & _EXTENDED:
        words = int.from_bytes(octets[start + 2 : start + 4], "big")
        start += _WORD_OCTETS * (1 + words)
    if first & _PADDED:
        end -= octets[-1]
        if end == len(octets):
            return None
    if start > end:
        return None
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, octets[start:end], second >= _MARKER)
