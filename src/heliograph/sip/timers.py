"""The timers of transactions (RFC 3261 table 4), in seconds. All follow from three."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """t1: the round trip assumed; t2: longest pause between repetitions; t4: how long a datagram may be on its way."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def transaction(self) -> float:
        """Timers B, F, H, J, M and the wait for an ACK: 64 × T1, after which the peer is taken for dead."""
        return 64 * self.t1

    @property
    def completed(self) -> float:
        """Timer D: how long answers to an INVITE may be repeated; at least 32 s."""
        return max(32.0, 64 * self.t1)


USUAL_TIMERS: Final = Timers()
"""The standard's values, for networks like the Internet."""
