"""Settling: facts about segments and receipts, in the order in which they were heard, folded over their messages.

Whichever of a carrier's answer and its receipt comes second finds what the first left in the receipt map. A receipt
that belongs to no answer may still be about a message in doubt, if it fits exactly one. Pure: the store reads what a
batch touches, lets `Fold` decide, and writes what changed.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from heliograph.core.events import Audience, Event, Told
from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.messages import WHOLE
from heliograph.core.receipts import Receipt, fits
from heliograph.core.standing import Doubted, Fact, Reported, Requeued, Standing, apply
from heliograph.core.states import MessageState

Key = tuple[AccountId, MessageId]
Place = tuple[CarrierId, str]
"""A carrier and the match key of one of its ids."""

TOLD_STATES = frozenset({MessageState.SUBMITTED, MessageState.HELD}) | {
    state for state in MessageState if state.is_terminal
}
"""Entering one of these is an event."""


class OutcomeKind(IntEnum):
    """What an attempt says of itself. Numbers are stored."""

    NONE = 0
    SUBMITTED = 1
    REFUSED = 2
    DEFERRED = 3
    AMBIGUOUS = 4


class SegmentFact(NamedTuple):
    """What became of one segment (segment -1: of a message that never left, or that was taken in one piece).

    match_key, carrier_message_id: of a segment that the carrier took. status: the carrier's own words.
    """

    account_id: AccountId
    message_id: MessageId
    segment: int
    fact: Fact
    carrier_id: CarrierId
    session_id: int
    kind: OutcomeKind
    match_key: str | None
    carrier_message_id: str | None
    status: str | None
    sender: str
    at_ms: int


def fact_at_home(key: Key, fact: Fact, *, carrier_id: CarrierId, at_ms: int) -> SegmentFact:
    """A fact about a message as a whole that no carrier had a part in."""
    return SegmentFact(*key, -1, fact, carrier_id, 0, OutcomeKind.NONE, None, None, None, "", at_ms)


class ReceiptFact(NamedTuple):
    """A receipt that a carrier delivered."""

    carrier_id: CarrierId
    receipt: Receipt
    at_ms: int


class Doubt(NamedTuple):
    """A segment that a carrier may or may not have. Its receipt must be later than the mark."""

    carrier_id: CarrierId
    recipient: str
    account_id: AccountId
    message_id: MessageId
    segment: int
    sender: str
    marked_at_ms: int


class MapRow:
    """A row of the receipt map while a batch is folded: whose segment an id names, and what its receipt said.

    is_stored: the store knows whose it is already, and a change is about the receipt alone.
    """

    __slots__ = (
        "account_id",
        "addresses",
        "at_ms",
        "error",
        "is_settled",
        "is_stored",
        "message_id",
        "segment",
        "state",
    )

    def __init__(self, at_ms: int) -> None:
        self.account_id: AccountId | None = None
        self.message_id: MessageId | None = None
        self.segment: int | None = None
        self.state: MessageState | None = None
        self.error = ""
        self.addresses = ("", "")
        self.at_ms = at_ms
        self.is_settled = False
        self.is_stored = False


class Settled(NamedTuple):
    """What a run of facts led to.

    entered: the states that were events. states: where the messages stand, after the batch, whose segments these were.
    """

    told: list[Told]
    entered: list[MessageState]
    states: Mapping[Key, MessageState]


class Changes:
    """Rows to be written, table by table."""

    __slots__ = ("attempts", "doubts", "events", "map", "outbox", "ready")

    def __init__(self) -> None:
        self.map: dict[Place, MapRow] = {}
        self.attempts: list[tuple[object, ...]] = []
        self.events: list[tuple[object, ...]] = []
        self.outbox: list[tuple[object, ...]] = []
        self.ready: list[tuple[int, AccountId, MessageId, CarrierId]] = []
        self.doubts: list[Doubt] = []


class Fold:
    """One batch. before: the standings as they were read; standings: as they are after the facts folded so far."""

    def __init__(self, receipt_map: dict[Place, MapRow], doubts: list[Doubt], standings: dict[Key, Standing]) -> None:
        self._map = receipt_map
        self._doubts = doubts
        self.before = standings
        self.standings = dict(standings)
        self.changes = Changes()
        self._told: list[Told] = []
        self._entered: list[MessageState] = []
        self._audience = Audience({})

    def fold(self, facts: list[SegmentFact | ReceiptFact], audience: Audience) -> Settled:
        """Fold facts in order."""
        self._told, self._entered, self._audience = [], [], audience
        for fact in facts:
            if type(fact) is ReceiptFact:
                self._fold_receipt(fact)
            else:
                assert type(fact) is SegmentFact
                self._fold_segment(fact)
        return Settled(self._told, self._entered, self.states_of(facts))

    def states_of(self, facts: list[SegmentFact | ReceiptFact]) -> dict[Key, MessageState]:
        """Where the messages of segments stand after the facts folded so far."""
        standings = self.standings
        keys = {(fact.account_id, fact.message_id) for fact in facts if type(fact) is SegmentFact}
        return {key: standings[key].state for key in keys if key in standings}

    @property
    def changed(self) -> list[Standing]:
        """The messages that stand differently than before."""
        before = self.before
        return [new for key, new in self.standings.items() if new is not before[key]]

    def is_held(self, account_id: AccountId, message_id: MessageId) -> bool:
        """Whether a message is in doubt after the facts folded so far."""
        return self.standings[account_id, message_id].state is MessageState.HELD

    def _fold_segment(self, fact: SegmentFact) -> None:
        account_id, message_id, segment, change, carrier_id, session_id, kind, match_key, written, status, _, at_ms = (
            fact
        )
        if kind is not OutcomeKind.NONE:
            self.changes.attempts.append(
                (account_id, message_id, segment, at_ms, carrier_id, session_id, int(kind), written, status)
            )
        before = self.standings.get((account_id, message_id))
        if before is None:
            return
        parked = None if match_key is None else self._bind(fact, before)
        after = self._change(before, change, at_ms, status)
        if parked is not None and parked.state is not None:
            parked.is_settled = True
            self._change(after, Reported(parked.state, is_whole=segment == WHOLE), at_ms, parked.error)
        elif type(change) is Requeued and change.due_ms and after is not before:
            self.changes.ready.append((change.due_ms, account_id, message_id, after.carrier_id))
        elif type(change) is Doubted and after.state is MessageState.HELD:
            self.changes.doubts.append(
                Doubt(carrier_id, after.recipient, account_id, message_id, segment, fact.sender, at_ms)
            )

    def _bind(self, fact: SegmentFact, standing: Standing) -> MapRow | None:
        """Note whose segment the carrier's id names; returns the row of a receipt that came before."""
        assert fact.match_key is not None
        place = (fact.carrier_id, fact.match_key)
        row = self._map.get(place)
        parked = row if row is not None and row.message_id is None and fits(standing.recipient, row.addresses) else None
        if parked is None:
            if row is not None and row.message_id == fact.message_id and row.segment == fact.segment:
                return None
            # Also when the row is another message's: carriers use an id again after a while.
            row = self._map[place] = MapRow(fact.at_ms)
        else:
            row = parked
        row.account_id, row.message_id, row.segment = fact.account_id, fact.message_id, fact.segment
        self.changes.map[place] = row
        return parked

    def _fold_receipt(self, fact: ReceiptFact) -> None:
        carrier_id, receipt, at_ms = fact
        place = (carrier_id, receipt.key)
        row = self._map.get(place)
        doubt: Doubt | None = None
        if row is None or row.message_id is None:
            doubt = self._doubted(fact) if receipt.state is not None else None
            if doubt is None:
                self._park(place, row, fact)
                return
            row = self._map[place] = MapRow(at_ms)
            row.account_id, row.message_id, row.segment = doubt.account_id, doubt.message_id, doubt.segment
        standing = self.standings.get((row.account_id, row.message_id))  # type: ignore[arg-type]
        state = receipt.state
        if state is None or standing is None:
            return
        if not fits(standing.recipient, receipt.addresses):
            if row.is_settled:
                # The carrier uses an id again, and its new receipt is ahead of its new answer.
                self._park(place, None, fact)
            return
        if row.is_settled and row.state is not MessageState.UNKNOWN:
            return
        row.is_settled, row.state, row.error = True, state, receipt.error
        self.changes.map[place] = row
        # A receipt that clears up a doubt is also the first news that the carrier has the segment.
        self._change(standing, Reported(state, doubt is not None, row.segment == WHOLE), at_ms, receipt.error)

    def _park(self, place: Place, row: MapRow | None, fact: ReceiptFact) -> None:
        if row is None:
            row = self._map[place] = MapRow(fact.at_ms)
        state = fact.receipt.state
        if row.state is None or (row.state is MessageState.UNKNOWN and state is not None):
            row.state, row.error, row.addresses = state, fact.receipt.error, fact.receipt.addresses
            self.changes.map[place] = row

    def _doubted(self, fact: ReceiptFact) -> Doubt | None:
        """A segment of the one message in doubt that a stray receipt can be about; None when there is none or more."""
        addresses = fact.receipt.addresses
        fitting = [
            doubt
            for doubt in self._doubts
            if doubt.carrier_id == fact.carrier_id
            and doubt.marked_at_ms <= fact.at_ms
            and any(addresses)
            and fits(doubt.recipient, addresses)
            and doubt.sender.removeprefix("+") in addresses
            and self.standings[doubt.account_id, doubt.message_id].state is MessageState.HELD
        ]
        messages = {(doubt.account_id, doubt.message_id) for doubt in fitting}
        return fitting[0] if len(messages) == 1 else None

    def _change(self, before: Standing, fact: Fact, at_ms: int, detail: str | None) -> Standing:
        after = apply(before, fact)
        if after is before:
            return before
        self.standings[before.account_id, before.message_id] = after
        if after.state is not before.state and after.state in TOLD_STATES:
            self._enter(after, at_ms, detail)
        return after

    def _enter(self, standing: Standing, at_ms: int, detail: str | None) -> None:
        account_id, message_id, state = standing.account_id, standing.message_id, standing.state
        self._entered.append(state)
        self.changes.events.append((account_id, message_id, at_ms, int(state), standing.reason, detail or None))
        wanting = self._audience.wanting(account_id, standing.sender, state)
        if wanting:
            event = Event(
                account_id, message_id, state, at_ms, standing.recipient, standing.reference, standing.sender,
                standing.submission_id, detail or None,
            )  # fmt: skip
            for webhook_id in wanting:
                told = Told(webhook_id, event)
                self._told.append(told)
                self.changes.outbox.append(told.row)
