"""How well one source is received: packets lost, and how unevenly they come.

Source: RFC 3550 §6.4.1 and appendices A.1 (sequence numbers), A.3 (loss), A.8 (jitter).
"""

from typing import Final

from heliograph.rtp.g711 import RATE_HZ
from heliograph.rtp.packets import RtpPacket

_TURN: Final = 1 << 16
_HALF_TIMESTAMPS: Final = 1 << 31
_MOST_DROPPED: Final = 3_000
_MOST_MISORDERED: Final = 100


class Reception:
    """Statistics of what comes from one source; another one that speaks in its place starts them anew.

    received: packets. jitter_s: the smoothed difference in spacing, in seconds; worst_s: the largest single one.
    """

    def __init__(self) -> None:
        self.received = 0
        self.jitter_s = 0.0
        self.worst_s = 0.0
        self._ssrc = -1
        self._first = 0
        self._highest = 0
        self._expected_after_jump = -1
        self._transit_s: float | None = None
        self._timestamp = 0

    @property
    def expected(self) -> int:
        """Packets that the source has sent, by its numbers."""
        return self._highest - self._first + 1 if self.received else 0

    @property
    def lost(self) -> int:
        """Packets that did not come; those that came twice are taken off."""
        return max(0, self.expected - self.received)

    def take(self, packet: RtpPacket, at: float) -> bool:
        """Count a packet that came at a moment in monotonic seconds; whether it belongs to the stream."""
        if packet.ssrc != self._ssrc:
            self._begin(packet)
        elif not self._follows(packet.sequence):
            return False
        self.received += 1
        self._measure(packet, at)
        return True

    def _begin(self, packet: RtpPacket) -> None:
        self._ssrc = packet.ssrc
        self._first = self._highest = packet.sequence
        self._expected_after_jump = -1
        self.received = 0
        self._transit_s = None

    def _follows(self, sequence: int) -> bool:
        ahead = (sequence - self._highest) % _TURN
        if ahead < _MOST_DROPPED:
            self._highest += ahead
        elif ahead <= _TURN - _MOST_MISORDERED:
            # Two in a row after a jump are a source that began anew; a single one is somebody else's stray packet.
            if sequence != self._expected_after_jump:
                self._expected_after_jump = (sequence + 1) % _TURN
                return False
            self._first = self._highest = sequence
            self.received = 0
            self._transit_s = None
        return True

    def _measure(self, packet: RtpPacket, at: float) -> None:
        if self._transit_s is not None:
            passed = (packet.timestamp - self._timestamp + _HALF_TIMESTAMPS) % (2 * _HALF_TIMESTAMPS) - _HALF_TIMESTAMPS
            difference = abs(at - self._transit_s - passed / RATE_HZ)
            self.worst_s = max(self.worst_s, difference)
            self.jitter_s += (difference - self.jitter_s) / 16
        self._transit_s = at
        self._timestamp = packet.timestamp
