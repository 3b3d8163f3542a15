"""The standings a message can have, and the moves between them, as data.

The picture in the documentation is drawn from `MOVES`.
"""

from enum import IntEnum


class MessageState(IntEnum):
    """Where a message stands. Numbers are stored: they never change their meaning."""

    SCHEDULED = 0
    QUEUED = 1
    SUBMITTING = 2
    SUBMITTED = 3
    HELD = 4
    DELIVERED = 10
    UNDELIVERED = 11
    EXPIRED = 12
    REJECTED = 13
    FAILED = 14
    CANCELLED = 15
    UNKNOWN = 16
    RECEIVED = 20
    """The only state of a message that came in from a handset."""

    @property
    def is_terminal(self) -> bool:
        """True when nothing is left to do (an `UNKNOWN` may still learn its true end)."""
        return self >= MessageState.DELIVERED

    @property
    def word(self) -> str:
        """The state as people read it."""
        return self.name.lower()


class Charge(IntEnum):
    """What became of the price of a message: the sub-ledger of its account."""

    HELD = 1
    CAPTURED = 2
    RELEASED = 3


_S = MessageState
_ENDS_OF_A_SUBMIT = frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.EXPIRED, _S.REJECTED, _S.CANCELLED, _S.UNKNOWN})

MOVES: dict[MessageState, frozenset[MessageState]] = {
    _S.SCHEDULED: frozenset({_S.QUEUED, _S.CANCELLED}),
    # A long message that waits to be tried again may lose a segment that the carrier has already.
    _S.QUEUED: frozenset({_S.SUBMITTING, _S.CANCELLED, _S.EXPIRED, _S.FAILED, _S.UNDELIVERED, _S.REJECTED}),
    _S.SUBMITTING: frozenset({_S.QUEUED, _S.SUBMITTED, _S.HELD, _S.FAILED}) | _ENDS_OF_A_SUBMIT,
    _S.SUBMITTED: _ENDS_OF_A_SUBMIT | {_S.FAILED},
    _S.HELD: _ENDS_OF_A_SUBMIT | {_S.QUEUED, _S.SUBMITTED, _S.FAILED},
    _S.DELIVERED: frozenset(),
    _S.UNDELIVERED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.UNKNOWN: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.EXPIRED, _S.REJECTED}),
    _S.RECEIVED: frozenset(),
}


def may_move(old: MessageState, new: MessageState) -> bool:
    """Whether a message may go from one state to another.

    >>> may_move(MessageState.DELIVERED, MessageState.EXPIRED)
    False
    """
    return new in MOVES[old]
