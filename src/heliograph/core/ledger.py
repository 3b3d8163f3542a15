"""Movements of an account's credits: every change of a balance is a posting, and a balance is their sum.

granted = available + held + captured, always.
"""

from enum import IntEnum
from typing import NamedTuple

from heliograph.core.states import Charge


class PostingKind(IntEnum):
    """Why credits moved. Numbers are stored."""

    GRANT = 1
    HOLD = 2
    CAPTURE = 3
    RELEASE = 4


class Balance(NamedTuple):
    """Where an account's credits are, in micro-credits."""

    available: int = 0
    held: int = 0
    captured: int = 0


def post(balance: Balance, kind: PostingKind, amount: int) -> Balance:
    """The balance after a movement of `amount`.

    >>> post(post(Balance(5, 0, 0), PostingKind.HOLD, 2), PostingKind.CAPTURE, 2)
    Balance(available=3, held=0, captured=2)
    """
    available, held, captured = balance
    match kind:
        case PostingKind.GRANT:
            return Balance(available + amount, held, captured)
        case PostingKind.HOLD:
            return Balance(available - amount, held + amount, captured)
        case PostingKind.CAPTURE:
            return Balance(available, held - amount, captured + amount)
        case PostingKind.RELEASE:
            return Balance(available + amount, held - amount, captured)


_MOVED: dict[tuple[Charge, Charge], tuple[PostingKind, ...]] = {
    (Charge.HELD, Charge.CAPTURED): (PostingKind.CAPTURE,),
    (Charge.HELD, Charge.RELEASED): (PostingKind.RELEASE,),
    # An end that was unknown turned out good: the price is taken again, once.
    (Charge.RELEASED, Charge.CAPTURED): (PostingKind.HOLD, PostingKind.CAPTURE),
}


def movements(old: Charge, new: Charge) -> tuple[PostingKind, ...]:
    """The postings that turn one standing of a message's charge into another."""
    return () if old is new else _MOVED[old, new]
