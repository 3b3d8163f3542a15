"""Submit: turn a carrier's words on taken parcels into facts.

The only place that decides retry, failover and the release of credits. A long message is decided on when none of
its segments is on the way any more, so that a segment that was taken is never sent again.
"""

from typing import NamedTuple

from heliograph.core.directory import Policy
from heliograph.core.ids import CarrierId, MessageId
from heliograph.core.messages import WHOLE, Message, Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.receipts import match_key
from heliograph.core.retry import decide
from heliograph.core.settling import OutcomeKind, SegmentFact
from heliograph.core.standing import Requeued


class Departed(NamedTuple):
    """A fact about to be committed, and the message as it goes on if the fact is a `Requeued` that is applied."""

    fact: SegmentFact
    message: Message


class _Long:
    """A message of which several segments are on the way."""

    __slots__ = ("failure", "out", "taken")

    def __init__(self, message: Message) -> None:
        self.out = len(message.content.segments) - len(message.accepted)
        self.taken = set(message.accepted)
        self.failure: SubmitOutcome | None = None


class Judge:
    """Decides on the outcomes of one session."""

    def __init__(self, carrier_id: CarrierId, session_id: int) -> None:
        self._carrier_id = carrier_id
        self._session_id = session_id
        self._long: dict[MessageId, _Long] = {}

    def judge(self, outcome: SubmitOutcome, departed: list[Departed], *, policy: Policy, now_ms: int) -> None:
        """Append the facts that an outcome amounts to: none while other segments of a failed message are out."""
        message = outcome.parcel.message
        if len(message.content.segments) == 1 or outcome.parcel.segment == WHOLE:
            departed.append(self._departed(outcome, message, policy, now_ms))
            return
        long = self._long.get(message.message_id)
        if long is None:
            long = self._long[message.message_id] = _Long(message)
        long.out -= 1
        if type(outcome) is Submitted:
            long.taken.add(outcome.parcel.segment)
            departed.append(self._departed(outcome, message, policy, now_ms))
        elif long.failure is None or _weight(outcome) > _weight(long.failure):
            long.failure = outcome
        self._close(message, long, departed, policy, now_ms)

    def _close(self, message: Message, long: _Long, departed: list[Departed], policy: Policy, now_ms: int) -> None:
        if long.out:
            return
        del self._long[message.message_id]
        if long.failure is not None:
            back = message._replace(accepted=frozenset(long.taken))
            departed.append(self._departed(long.failure, back, policy, now_ms))

    def knows(self, message_id: MessageId) -> bool:
        """Whether an outcome of a long message was judged while others were still to come."""
        return message_id in self._long

    def is_failing(self, message_id: MessageId) -> bool:
        """Whether a segment of a long message has failed already, so that no more of them should leave."""
        long = self._long.get(message_id)
        return long is not None and long.failure is not None

    def spare(self, parcel: Parcel, departed: list[Departed], *, policy: Policy, now_ms: int) -> None:
        """A segment of a failing message stays here."""
        long = self._long[parcel.message.message_id]
        long.out -= 1
        self._close(parcel.message, long, departed, policy, now_ms)

    def _departed(self, outcome: SubmitOutcome, message: Message, policy: Policy, now_ms: int) -> Departed:
        kind, key, written, status = _described(outcome)
        parcel = outcome.parcel
        if parcel.message is not message:
            outcome = outcome._replace(parcel=Parcel(message, parcel.segment))
        fact = decide(outcome, carrier_id=self._carrier_id, policy=policy, now_ms=now_ms)
        return Departed(
            SegmentFact(
                message.account_id,
                message.message_id,
                parcel.segment,
                fact,
                self._carrier_id,
                self._session_id,
                kind,
                key,
                written,
                status,
                message.content.sender,
                now_ms,
            ),
            onward(message, fact) if type(fact) is Requeued else message,
        )


def _weight(outcome: SubmitOutcome) -> int:
    """Which of several bad outcomes decides: a refusal is final, a doubt must not be forgotten."""
    match outcome:
        case Refused():
            return 3
        case Ambiguous():
            return 2
        case _:
            return int(type(outcome) is Deferred and outcome.counts)


def _described(outcome: SubmitOutcome) -> tuple[OutcomeKind, str | None, str | None, str | None]:
    """(kind, match key, the carrier's id, status) for the attempt's row."""
    match outcome:
        case Submitted(carrier_message_id=written):
            # A carrier that names nothing can report on nothing.
            return OutcomeKind.SUBMITTED, match_key(written, is_hex=False) if written else None, written, None
        case Refused(status=status):
            return OutcomeKind.REFUSED, None, None, status
        case Deferred(status=status):
            return OutcomeKind.DEFERRED, None, None, status
        case Ambiguous(why=why):
            return OutcomeKind.AMBIGUOUS, None, None, why


def onward(message: Message, fact: Requeued) -> Message:
    """The message as it goes back to a queue: the next carrier starts counting tries anew."""
    if fact.carrier_id == message.plan[0]:
        return message._replace(attempts=message.attempts + fact.counts)
    start = message.plan.index(fact.carrier_id)
    return message._replace(plan=message.plan[start:], attempts=0)
