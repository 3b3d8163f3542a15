"""What was heard, put together by the packets' timestamps: lost packets are silence, late ones find their place."""

from typing import Final

from heliograph.rtp.g711 import RATE_HZ, Law, decode, silence
from heliograph.rtp.packets import RtpPacket

_TURN: Final = 1 << 32


class Recording:
    """Collects one source's speech in either law. most_s: seconds that are kept; later ones are dropped."""

    def __init__(self, *, most_s: int = 600) -> None:
        self._most_octets = most_s * RATE_HZ
        self._octets = bytearray()
        self._law: Law | None = None
        self._ssrc = -1
        self._first = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self._octets) / RATE_HZ

    def take(self, packet: RtpPacket) -> None:
        """Put a packet in its place; one of another source, law or time is passed over."""
        if self._law is None:
            if packet.payload_type not in (Law.PCMU.value, Law.PCMA.value):
                return
            self._law, self._ssrc, self._first = Law(packet.payload_type), packet.ssrc, packet.timestamp
        if packet.ssrc != self._ssrc or packet.payload_type != self._law.value:
            return
        start = (packet.timestamp - self._first) % _TURN
        end = start + len(packet.payload)
        if end > self._most_octets:
            return
        if start > len(self._octets):
            self._octets += silence(start - len(self._octets), self._law)
        self._octets[start:end] = packet.payload

    def samples(self) -> bytes:
        """Signed 16-bit samples, little-endian, 8,000 in a second."""
        return decode(bytes(self._octets), self._law) if self._law is not None else b""
