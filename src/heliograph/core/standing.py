"""What each fact does to a message: the one place where a message changes state and its price changes hands.

The store reads standings, folds the facts of a batch over them in the order they came, and writes each message
once. A fact that no longer fits (the message has ended, the receipt is a repetition) changes nothing.
"""

from typing import NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.reasons import Reason
from heliograph.core.states import Charge, MessageState, may_move


class Standing(NamedTuple):
    """The changing part of a message, as its row holds it.

    segments: how many it has; accepted: how many a carrier took; delivered: how many a receipt settled well.
    price: micro-credits for all segments. reason: number of the `Reason` of a bad end, 0 for none.
    """

    account_id: AccountId
    message_id: MessageId
    state: MessageState
    segments: int
    accepted: int
    delivered: int
    charge: Charge
    attempts: int
    carrier_id: CarrierId
    reason: int
    price: int
    recipient: str
    reference: str | None
    sender: str = ""
    submission_id: SubmissionId = SubmissionId(0)


class Taken(NamedTuple):
    """The carrier took one segment. is_whole: it took all of them, in one piece."""

    is_whole: bool = False


class Ended(NamedTuple):
    """The message came to an end before a carrier had all of it."""

    state: MessageState
    reason: Reason


class Requeued(NamedTuple):
    """The message goes back to its queue. counts: whether the try counted. due_ms: not before, 0 for at once."""

    carrier_id: CarrierId
    counts: bool
    due_ms: int


class Doubted(NamedTuple):
    """Nobody knows whether the carrier has the segment, and the policy is to wait."""


class Reported(NamedTuple):
    """A receipt told the end of one segment. taken: whether it is also the first news that the carrier has it.

    is_whole: it told the end of all of them, which the carrier has in one piece.
    """

    state: MessageState
    taken: bool = False
    is_whole: bool = False


Fact = Taken | Ended | Requeued | Doubted | Reported

_S = MessageState
_REASONS = {
    _S.UNDELIVERED: Reason.NOT_DELIVERED,
    _S.REJECTED: Reason.CARRIER_REFUSED,
    _S.EXPIRED: Reason.NOT_DELIVERED,
    _S.UNKNOWN: Reason.NO_RECEIPT,
}


def apply(old: Standing, fact: Fact) -> Standing:
    """The standing after a fact; the very same object when the fact changes nothing."""
    match fact:
        case Taken(is_whole=is_whole):
            return _taken(old, is_whole)
        case Reported():
            if old.state.is_terminal and old.state is not _S.UNKNOWN:
                return old
            return _reported(_taken(old, fact.is_whole) if fact.taken else old, fact.state, fact.is_whole)
        case Ended(state=state, reason=reason):
            return _ended(old, state, reason.number)
        case Requeued():
            return _requeued(old, fact)
        case Doubted():
            if not may_move(old.state, _S.HELD):
                return old
            return old._replace(state=_S.HELD, reason=Reason.IN_DOUBT.number)


def _taken(old: Standing, is_whole: bool) -> Standing:
    if old.accepted == old.segments and old.charge is not Charge.HELD and not may_move(old.state, _S.SUBMITTED):
        return old
    accepted = old.segments if is_whole else min(old.accepted + 1, old.segments)
    state, charge = old.state, old.charge
    if accepted == old.segments and may_move(state, _S.SUBMITTED):
        state = _S.SUBMITTED
    if charge is Charge.HELD:
        charge = Charge.CAPTURED
    return Standing(
        old.account_id,
        old.message_id,
        state,
        old.segments,
        accepted,
        old.delivered,
        charge,
        old.attempts,
        old.carrier_id,
        0 if state is _S.SUBMITTED else old.reason,
        old.price,
        old.recipient,
        old.reference,
        old.sender,
        old.submission_id,
    )


def _reported(old: Standing, end: MessageState, is_whole: bool) -> Standing:
    if end is not _S.DELIVERED:
        return _ended(old, end, _REASONS.get(end, Reason.NOT_DELIVERED).number)
    delivered = old.segments if is_whole else min(old.delivered + 1, old.segments)
    state, reason, charge = old.state, old.reason, old.charge
    if delivered >= old.segments and may_move(state, _S.DELIVERED):
        state, reason = _S.DELIVERED, 0
        charge = Charge.CAPTURED
    return Standing(
        old.account_id,
        old.message_id,
        state,
        old.segments,
        old.accepted,
        delivered,
        charge,
        old.attempts,
        old.carrier_id,
        reason,
        old.price,
        old.recipient,
        old.reference,
        old.sender,
        old.submission_id,
    )


def _ended(old: Standing, state: MessageState, reason: int) -> Standing:
    if not may_move(old.state, state):
        return old
    charge = Charge.RELEASED if old.charge is Charge.HELD else old.charge
    return old._replace(state=state, charge=charge, reason=reason)


def _requeued(old: Standing, fact: Requeued) -> Standing:
    if not may_move(old.state, _S.QUEUED):
        return old
    # Tries are counted per carrier: the next one gets its own.
    same = fact.carrier_id == old.carrier_id
    attempts = old.attempts + fact.counts if same else 0
    return old._replace(state=_S.QUEUED, attempts=attempts, carrier_id=fact.carrier_id)
