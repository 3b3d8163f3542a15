"""What follows from a carrier's word: try again, try another carrier, wait in doubt, or end."""

from heliograph.core.directory import Policy
from heliograph.core.ids import CarrierId
from heliograph.core.messages import WHOLE, Message
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.standing import Doubted, Ended, Fact, Requeued, Taken
from heliograph.core.states import MessageState

LONGEST_WAIT_MS = 30 * 60_000
DOUBT_MS = 500


def decide(outcome: SubmitOutcome, *, carrier_id: CarrierId, policy: Policy, now_ms: int) -> Fact:
    """The fact that an outcome amounts to for its message.

    A message changes carrier only while no carrier has taken a segment of it, and only after the tries that the
    answer deserved; it is never tried past its validity.
    """
    message = outcome.parcel.message
    match outcome:
        case Submitted(parcel=parcel):
            return Taken(parcel.segment == WHOLE)
        case Refused(reason=reason):
            return Ended(MessageState.REJECTED, reason)
        case Ambiguous():
            if policy is Policy.HOLD:
                return Doubted()
            return _again(message, carrier_id, counts=True, due_ms=_after_doubt_ms(message, now_ms), now_ms=now_ms)
        case Deferred(counts=False, after_ms=after_ms):
            return _again(message, carrier_id, counts=False, due_ms=now_ms + after_ms, now_ms=now_ms)
        case Deferred():
            return _deferred(outcome, carrier_id, now_ms)


def _after_doubt_ms(message: Message, now_ms: int) -> int:
    """At once the first time. One that is in doubt again and again may itself be what ends the sessions."""
    return now_ms + min(DOUBT_MS << min(message.attempts, 16), LONGEST_WAIT_MS) if message.attempts else 0


def _deferred(outcome: Deferred, carrier_id: CarrierId, now_ms: int) -> Fact:
    message = outcome.parcel.message
    wait_ms = max(outcome.after_ms, min(outcome.after_ms << min(message.attempts, 16), LONGEST_WAIT_MS))
    if message.attempts + 1 < outcome.tries:
        return _again(message, carrier_id, counts=True, due_ms=now_ms + wait_ms, now_ms=now_ms)
    following = next_carrier(message, carrier_id)
    if following is None or message.accepted:
        return Ended(MessageState.FAILED, Reason.RETRIES_EXHAUSTED)
    return _again(message, following, counts=True, due_ms=0, now_ms=now_ms)


def next_carrier(message: Message, carrier_id: CarrierId) -> CarrierId | None:
    """The carrier after `carrier_id` in the message's plan, or None when it was the last."""
    after = message.plan.index(carrier_id) + 1 if carrier_id in message.plan else len(message.plan)
    return message.plan[after] if after < len(message.plan) else None


def _again(message: Message, carrier_id: CarrierId, *, counts: bool, due_ms: int, now_ms: int) -> Fact:
    if max(due_ms, now_ms) >= message.expires_at_ms:
        return Ended(MessageState.EXPIRED, Reason.VALIDITY_PASSED)
    return Requeued(carrier_id, counts, due_ms if due_ms > now_ms else 0)
