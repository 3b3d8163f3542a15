"""What the conformance tests do to a store, in the words of the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, CarrierId, IdSource, MessageId, SubmissionId
from heliograph.core.messages import Channel, IdempotencyKey
from heliograph.core.money import CREDIT
from heliograph.core.receipts import Receipt
from heliograph.core.settling import OutcomeKind, ReceiptFact, SegmentFact, Settled
from heliograph.core.standing import Fact, Standing, Taken
from heliograph.core.states import MessageState
from heliograph.store.audit import Searches, found
from heliograph.store.hops.accept import ACCEPT, AcceptRequest, NewBody, NewMessage, Stored
from heliograph.store.hops.mark import MARK, MarkRequest
from heliograph.store.hops.settle import SETTLE, SettleRequest
from heliograph.testing.stores import NOW_MS, FreshStore

OWNER = 7
SESSION = 3
SENDER = "+27820000001"
NOBODY = Audience({})
RECIPIENT = "+27831234567"
VALID_MS = 3_600_000


def faults(engine: FreshStore, searches: Searches) -> set[str]:
    """The words of those searches of the audit that find something."""
    return {words for words, wanted in searches.items() if engine.reading(partial(found, wanted=wanted))}


@dataclass
class Steps:
    """A store, ids, and a time that tests move."""

    engine: FreshStore
    now_ms: int = NOW_MS
    audience: Audience = NOBODY
    ids: IdSource = field(default_factory=lambda: IdSource(1))

    def request(
        self,
        recipients: Sequence[str],
        *,
        price: int = CREDIT,
        segments: int = 1,
        account_id: AccountId | None = None,
        waits: bool = False,
        idempotency: IdempotencyKey | None = None,
        media: tuple[str, ...] = (),
    ) -> AcceptRequest:
        """A submission to recipients."""
        account = account_id or self.engine.account_id
        submission_id = SubmissionId(self.ids.next(self.now_ms))
        messages = [
            NewMessage(
                account,
                MessageId(identifier),
                submission_id,
                recipient,
                segments,
                self.engine.carrier_id,
                price,
                self.now_ms + VALID_MS,
                None,
                0 if waits else OWNER,
            )
            for identifier, recipient in zip(self.ids.take(len(recipients), self.now_ms), recipients, strict=True)
        ]
        return AcceptRequest(
            account,
            [NewBody(submission_id, "Hello")],
            "touchbasepro",
            Channel.MMS if media else Channel.SMS,
            SENDER,
            price * len(recipients),
            messages,
            self.now_ms,
            waits,
            idempotency,
            f"answer {submission_id}",
            media=media,
        )

    def accept(
        self, count: int = 1, *, segments: int = 1, price: int = CREDIT, recipient: str = RECIPIENT
    ) -> list[MessageId]:
        """Messages that stand in memory's queue."""
        request = self.request([recipient] * count, segments=segments, price=price)
        assert isinstance(self.engine.do(ACCEPT, request), Stored)
        return [message.message_id for message in request.messages]

    def mark(self, messages: Sequence[MessageId], *, owner: int = OWNER) -> set[MessageId]:
        """Mark messages of the account."""
        keys = [(self.engine.account_id, message_id) for message_id in messages]
        return self.engine.do(MARK, MarkRequest(owner, self.engine.carrier_id, SESSION, keys, self.now_ms))

    def leaving(self, *, segments: int = 1, price: int = CREDIT, recipient: str = RECIPIENT) -> MessageId:
        """A message that is being submitted."""
        (message_id,) = self.accept(segments=segments, price=price, recipient=recipient)
        assert self.mark([message_id]) == {message_id}
        return message_id

    def submission_of(self, message_id: MessageId) -> SubmissionId:
        """The submission that a message belongs to."""
        ((found,),) = self.engine.rows("select submission_id from message where id = ?", message_id)
        assert isinstance(found, int)
        return SubmissionId(found)

    def outcome(
        self, message_id: MessageId, fact: Fact, segment: int = 0, *, kind: OutcomeKind = OutcomeKind.NONE
    ) -> SegmentFact:
        """A fact without a carrier's id."""
        return SegmentFact(
            self.engine.account_id,
            message_id,
            segment,
            fact,
            self.engine.carrier_id,
            SESSION,
            kind,
            None,
            None,
            None,
            SENDER,
            self.now_ms,
        )

    def answer(
        self, message_id: MessageId, key: str, segment: int = 0, *, carrier_id: CarrierId | None = None
    ) -> SegmentFact:
        """The carrier took a segment and called it `key`."""
        fact = self.outcome(message_id, Taken(), segment, kind=OutcomeKind.SUBMITTED)
        return fact._replace(
            match_key=key, carrier_message_id=f"id-{key}", carrier_id=carrier_id or self.engine.carrier_id
        )

    def receipt(
        self,
        key: str,
        state: MessageState | None = MessageState.DELIVERED,
        *,
        recipient: str = RECIPIENT,
        carrier_id: CarrierId | None = None,
    ) -> ReceiptFact:
        """The carrier tells the end of `key`."""
        addresses = (SENDER.removeprefix("+"), recipient.removeprefix("+"))
        return ReceiptFact(
            carrier_id or self.engine.carrier_id,
            Receipt(key, state, addresses, state.word if state else ""),
            self.now_ms,
        )

    def settle(self, *facts: SegmentFact | ReceiptFact) -> Settled:
        """Commit facts in one batch; a millisecond passes."""
        settled = self.engine.do(SETTLE, SettleRequest(list(facts), self.audience))
        self.now_ms += 1
        return settled

    def standing(self, message_id: MessageId) -> Standing:
        """The message's row."""
        (row,) = self.engine.rows(
            "select account_id, id, state, segments, accepted, delivered, charge, attempts, carrier_id, reason, price,"
            " recipient, reference, '', 0 from message where id = ?",
            message_id,
        )
        return Standing._make(row)

    def state(self, message_id: MessageId) -> MessageState:
        """Where a message stands."""
        return MessageState(self.standing(message_id).state)

    def events(self, message_id: MessageId) -> list[MessageState]:
        """What a message's history tells, in order."""
        rows = self.engine.rows("select state from event where message_id = ? order by at_ms, state", message_id)
        return [MessageState(int(str(row[0]))) for row in rows]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(str(self.engine.rows(f"select count(*) from {table}")[0][0]))
