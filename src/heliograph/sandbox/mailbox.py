"""What waits for one system_id: receipts and messages from handsets, delivered until they are acknowledged.

Everything goes out in the order in which it came, over any of the sessions that take deliver_sm. What a session left
unacknowledged goes to the head of the line again; what was refused for now waits a while before it is tried again.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from heliograph.net.clock import Clock
from heliograph.net.smpp import Connection
from heliograph.sandbox.delays import DelayLine
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.pdus import DeliverSm

REFUSED_WAIT_S: Final = 1.0
"""How long something that was refused waits."""

MOST_WAITING: Final = 200_000
"""Past this the oldest are forgotten: a sandbox's memory is worth more than its receipts."""


class Mailbox:
    """One system_id's. delivered: how many were acknowledged; refused: how often a delivery was turned down."""

    def __init__(self, clock: Clock) -> None:
        self._waiting: deque[DeliverSm] = deque(maxlen=MOST_WAITING)
        self._out: dict[Connection, dict[int, DeliverSm]] = {}
        self._again: DelayLine[DeliverSm] = DelayLine(REFUSED_WAIT_S, clock, self.put)
        self.delivered = 0
        self.refused = 0

    def __len__(self) -> int:
        """How many are not acknowledged yet."""
        return len(self._waiting) + len(self._again) + sum(map(len, self._out.values()))

    def open(self, connection: Connection) -> None:
        """A session that takes deliver_sm was bound."""
        self._out[connection] = {}
        self._send()

    def close(self, connection: Connection) -> None:
        """The session is gone; what it had is sent again, over another one or the next one."""
        left = self._out.pop(connection, {})
        self._waiting.extendleft(reversed(left.values()))
        self._send()

    def put(self, delivers: Iterable[DeliverSm]) -> None:
        """Deliver these as soon as a session and its window allow."""
        self._waiting.extend(delivers)
        self._send()

    def answered(self, connection: Connection, answers: list[tuple[int, bool]]) -> None:
        """The peer answered these sequences: true when it took the delivery."""
        out = self._out.get(connection)
        if out is None:
            return
        refused: list[DeliverSm] = []
        for sequence, is_taken in answers:
            deliver = out.pop(sequence, None)
            if deliver is None:
                continue
            if is_taken:
                self.delivered += 1
            else:
                refused.append(deliver)
        self.refused += len(refused)
        self._again.add(refused)
        self._send()

    def stop(self) -> None:
        """Forget everything."""
        self._again.close()
        self._waiting.clear()
        self._out.clear()

    def _send(self) -> None:
        for connection, out in self._out.items():
            if not self._waiting:
                return
            if not connection.is_closed and not connection.is_paused:
                self._send_over(connection, out)

    def _send_over(self, connection: Connection, out: dict[int, DeliverSm]) -> None:
        request, now, waiting = connection.session.request, connection.now(), self._waiting
        try:
            for _ in range(min(connection.session.outstanding.free_slots, len(waiting))):
                deliver = waiting[0]
                out[request(deliver, now=now)] = deliver
                waiting.popleft()
        except LocalProtocolError:
            # The session is ending; the next one gets what is left.
            pass
        connection.flush()
