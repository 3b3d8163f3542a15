"""Identifiers that sort by time and fit a JSON number.

An id counts milliseconds since 2026-01-01 UTC (41 bits), the node that made it (6 bits) and a counter (6 bits):
53 bits, so that every JSON reader keeps it exact. A node that needs more than 64 ids in a millisecond borrows
from the ones to come; an id is never below the last one of the store, whatever the clock does.
"""

from typing import NewType

AccountId = NewType("AccountId", int)
MessageId = NewType("MessageId", int)
SubmissionId = NewType("SubmissionId", int)
CarrierId = NewType("CarrierId", int)
WebhookId = NewType("WebhookId", int)

EPOCH_MS = 1_767_225_600_000
NODES = 64
_COUNTER_BITS = 6
_NODE_BITS = 6
_COUNTERS = 1 << _COUNTER_BITS
_TIME_SHIFT = _COUNTER_BITS + _NODE_BITS


class IdSource:
    """Makes ids for one node; `last` is the highest id that the store holds."""

    __slots__ = ("_node", "_tick")

    def __init__(self, node: int, *, last: int = 0) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"a node is numbered 0 to {NODES - 1}, not {node}")
        self._node = node << _COUNTER_BITS
        self._tick = ((last >> _TIME_SHIFT) + 1) << _COUNTER_BITS if last else 0

    def next(self, now_ms: int) -> int:
        """One new id, above every id this source made before."""
        tick = (now_ms - EPOCH_MS) << _COUNTER_BITS
        if tick <= self._tick:
            tick = self._tick + 1
        self._tick = tick
        return tick >> _COUNTER_BITS << _TIME_SHIFT | self._node | tick & (_COUNTERS - 1)

    def take(self, count: int, now_ms: int) -> list[int]:
        """`count` new ids in rising order."""
        start = max((now_ms - EPOCH_MS) << _COUNTER_BITS, self._tick + 1)
        self._tick = start + count - 1
        node = self._node
        return [
            tick >> _COUNTER_BITS << _TIME_SHIFT | node | tick & (_COUNTERS - 1) for tick in range(start, start + count)
        ]


def made_at_ms(identifier: int) -> int:
    """When an id was made (a node that borrowed from the future dates it that far ahead).

    >>> made_at_ms(first_at(1_767_225_601_500))
    1767225601500
    """
    return (identifier >> _TIME_SHIFT) + EPOCH_MS


def first_at(at_ms: int) -> int:
    """The lowest id that can be made at or after a time: the bound for searching by time."""
    return max(0, at_ms - EPOCH_MS) << _TIME_SHIFT
