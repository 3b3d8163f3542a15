"""What one end of a call says: frames of speech, numbered and stamped.

Speech that waits is cut into frames; while none waits, silence is sent, so that the way through the network stays open.
Random bits are arguments: sequence and timestamp start anywhere (RFC 3550 §5.1).
"""

from heliograph.rtp.g711 import Law, silence
from heliograph.rtp.packets import FRAME_OCTETS, RtpPacket, encode


class Outgoing:
    """One source of packets. law: of the octets that it is given to play. said: how many of them have been sent.

    payload_type: what the other end calls this law, when it has a number of its own for it.
    """

    def __init__(self, law: Law, *, ssrc: int, sequence: int, timestamp: int, payload_type: int | None = None) -> None:
        self._payload_type = law.value if payload_type is None else payload_type
        self._ssrc = ssrc
        self._sequence = sequence
        self._timestamp = timestamp
        self._speech = b""
        self.said = 0
        self._is_marked = True
        self._silence = silence(FRAME_OCTETS, law)

    @property
    def is_silent(self) -> bool:
        """Whether all speech has been said."""
        return self.said >= len(self._speech)

    def play(self, octets: bytes) -> None:
        """Say this from the next frame on, instead of what may still wait."""
        self._speech, self.said = octets, 0

    def stop(self) -> None:
        """Fall silent."""
        self._speech = b""

    def next_packet(self) -> bytes:
        """The next frame, ready to be sent."""
        frame = self._silence
        if not self.is_silent:
            frame = self._speech[self.said : self.said + FRAME_OCTETS]
            frame += self._silence[len(frame) :]
            self.said += FRAME_OCTETS
        packet = RtpPacket(self._payload_type, self._sequence, self._timestamp, self._ssrc, frame, self._is_marked)
        self._is_marked = False
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + FRAME_OCTETS & 0xFFFFFFFF
        return encode(packet)

    def pause(self, frames: int) -> None:
        """Nothing was said for so many frames; the speech goes on where it was, later."""
        self._timestamp = self._timestamp + frames * FRAME_OCTETS & 0xFFFFFFFF
        self._is_marked = True
