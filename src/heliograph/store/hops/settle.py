"""Settle: outcomes and receipts, in the order in which a session heard them, folded over their messages.

Reads the receipt map and the standings of a batch, lets `core.standing` decide, and writes every message once.
Whichever of outcome and receipt comes second finds the row that the first left in the receipt map.
"""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from heliograph.core.events import Event, Told
from heliograph.core.ids import AccountId, CarrierId, MessageId, WebhookId
from heliograph.core.ledger import PostingKind, movements
from heliograph.core.receipts import Receipt, fits
from heliograph.core.standing import Doubted, Fact, Reported, Requeued, Standing, Taken, apply
from heliograph.core.states import Charge, MessageState
from heliograph.store.engine import Hop
from heliograph.store.hops.rows import rows

TOLD_STATES = frozenset({MessageState.SUBMITTED, MessageState.HELD}) | {
    state for state in MessageState if state.is_terminal
}
"""Entering one of these is an event."""

Key = tuple[AccountId, MessageId]
Wanted = Mapping[tuple[AccountId, MessageState], tuple[WebhookId, ...]]


class OutcomeKind:
    """What an attempt row says of itself. Numbers are stored."""

    NONE, SUBMITTED, REFUSED, DEFERRED, AMBIGUOUS = range(5)


class SegmentFact(NamedTuple):
    """What became of one segment (segment -1: of a message that never left).

    match_key, carrier_message_id: of a segment that the carrier took. kind: an `OutcomeKind`.
    """

    account_id: AccountId
    message_id: MessageId
    segment: int
    fact: Fact
    carrier_id: CarrierId
    session_id: int
    kind: int
    match_key: str | None
    carrier_message_id: str | None
    status: str | None
    sender: str
    at_ms: int


class ReceiptFact(NamedTuple):
    """A receipt that a carrier delivered."""

    carrier_id: CarrierId
    receipt: Receipt
    at_ms: int


class SettleRequest(NamedTuple):
    """Facts in order, at least one. wanted: which webhooks want to hear of what (of the snapshot in force)."""

    facts: list[SegmentFact | ReceiptFact]
    wanted: Wanted


class Settled(NamedTuple):
    """What a request led to.

    entered: the states that were events. standings: of every message the batch touched, after it.
    """

    told: list[Told]
    entered: list[MessageState]
    standings: Mapping[Key, Standing]


class MapRow:
    """A row of the receipt map while a batch is folded."""

    __slots__ = ("account_id", "addresses", "at_ms", "error", "is_settled", "message_id", "segment", "state")

    def __init__(self, at_ms: int) -> None:
        self.account_id: AccountId | None = None
        self.message_id: MessageId | None = None
        self.segment: int | None = None
        self.state: MessageState | None = None
        self.error = ""
        self.addresses = ("", "")
        self.at_ms = at_ms
        self.is_settled = False


_MAP = """
select r.carrier_id, r.match_key, r.account_id, r.message_id, r.segment, r.state, r.error, r.addresses, r.at_ms,
       r.is_settled
from json_each(?) j cross join receipt_map r on r.carrier_id = j.value->>0 and r.match_key = j.value->>1
"""
_DOUBTS = """
select d.carrier_id, d.recipient, d.account_id, d.message_id, d.segment, d.sender, d.marked_at_ms
from doubt d where d.carrier_id in (select value from json_each(?))
"""
_STANDINGS = """
select m.account_id, m.id, m.state, m.segments, m.accepted, m.delivered, m.charge, m.attempts, m.carrier_id, m.reason,
       m.price, m.recipient, m.reference
from json_each(?) j cross join message m on m.account_id = j.value->>0 and m.id = j.value->>1
"""
_WRITE_MAP = """
insert into receipt_map(carrier_id, match_key, account_id, message_id, segment, state, error, addresses, at_ms, is_settled)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9
from json_each(?) where true
on conflict do update set account_id = excluded.account_id, message_id = excluded.message_id,
  segment = excluded.segment, state = excluded.state, error = excluded.error, addresses = excluded.addresses,
  at_ms = excluded.at_ms, is_settled = excluded.is_settled
"""
_WRITE_MESSAGES = """
update message set state = new.state, accepted = new.accepted, delivered = new.delivered, charge = new.charge,
  attempts = new.attempts, carrier_id = new.carrier_id, reason = new.reason
from (select value->>0 as account_id, value->>1 as id, value->>2 as state, value->>4 as accepted,
  value->>5 as delivered, value->>6 as charge, value->>7 as attempts, value->>8 as carrier_id, value->>9 as reason
  from json_each(?)) as new
where message.account_id = new.account_id and message.id = new.id
"""
_LET_GO = """
update message set owner = 0 where (account_id, id) in (select value->>1, value->>2 from json_each(?))
"""
_ATTEMPTS = """
insert into attempt(account_id, message_id, segment, at_ms, carrier_id, session, outcome, carrier_message_id, status)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
from json_each(?) where true on conflict do nothing
"""
_EVENTS = """
insert into event(account_id, message_id, at_ms, state, reason, detail)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5
from json_each(?) where true on conflict do nothing
"""
_OUTBOX = """
insert into outbox(webhook_id, account_id, message_id, state, at_ms, recipient, reference)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6
from json_each(?) where true on conflict do nothing
"""
_READY = """
insert into ready(due_at_ms, account_id, message_id)
select value->>0, value->>1, value->>2 from json_each(?) where true on conflict do nothing
"""
_WRITE_DOUBTS = """
insert into doubt(carrier_id, recipient, account_id, message_id, segment, sender, marked_at_ms)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, coalesce(
  (select m.marked_at_ms from message m where m.account_id = value->>2 and m.id = value->>3), value->>6)
from json_each(?) where true on conflict do nothing
"""
_CLEAR_DOUBTS = """
delete from doubt where (carrier_id, recipient, account_id, message_id) in
  (select value->>0, value->>1, value->>2, value->>3 from json_each(?))
"""
_MOVE = {
    PostingKind.HOLD: "update balance set available = available - ?2, held = held + ?2 where account_id = ?1",
    PostingKind.CAPTURE: "update balance set held = held - ?2, captured = captured + ?2 where account_id = ?1",
    PostingKind.RELEASE: "update balance set held = held - ?2, available = available + ?2 where account_id = ?1",
}
_POST = """
insert into posting(account_id, at_ms, kind, amount) values (?, ?, ?, ?)
on conflict do update set amount = amount + excluded.amount
"""


class _Batch:
    """The state of one batch while its facts are folded in order."""

    def __init__(self, connection: sqlite3.Connection, requests: list[SettleRequest]) -> None:
        self._connection = connection
        facts = [fact for request in requests for fact in request.facts]
        self.map = self._read_map(facts)
        self.map_changes: dict[tuple[CarrierId, str], MapRow] = {}
        self.doubts = self._read_doubts(facts)
        self.before = self._read_standings(facts)
        self.standings = dict(self.before)
        self.attempts: list[tuple[object, ...]] = []
        self.events: list[tuple[object, ...]] = []
        self.outbox: list[tuple[object, ...]] = []
        self.ready: list[tuple[int, AccountId, MessageId]] = []
        self.new_doubts: list[tuple[object, ...]] = []
        self.told: list[Told] = []
        self.entered: list[MessageState] = []
        self.wanted: Wanted = {}

    def _read_map(self, facts: list[SegmentFact | ReceiptFact]) -> dict[tuple[CarrierId, str], MapRow]:
        keys = [
            (fact.carrier_id, fact.receipt.key if type(fact) is ReceiptFact else fact.match_key)  # type: ignore[union-attr]
            for fact in facts
            if type(fact) is ReceiptFact or fact.match_key is not None  # type: ignore[union-attr]
        ]
        found: dict[tuple[CarrierId, str], MapRow] = {}
        for carrier_id, key, account_id, message_id, segment, state, error, addresses, at_ms, is_settled in (
            self._connection.execute(_MAP, (rows(keys),)) if keys else ()
        ):
            row = found[carrier_id, key] = MapRow(at_ms)
            row.account_id, row.message_id, row.segment = account_id, message_id, segment
            row.state = None if state is None else MessageState(state)
            row.error = error or ""
            if addresses:
                first, _, second = addresses.partition(" ")
                row.addresses = (first, second)
            row.is_settled = bool(is_settled)
        return found

    def _read_doubts(
        self, facts: list[SegmentFact | ReceiptFact]
    ) -> list[tuple[CarrierId, str, AccountId, MessageId, int, str, int]]:
        carriers = {
            fact.carrier_id
            for fact in facts
            if type(fact) is ReceiptFact and self._is_stray(fact.carrier_id, fact.receipt.key)
        }
        return self._connection.execute(_DOUBTS, (rows(list(carriers)),)).fetchall() if carriers else []

    def _is_stray(self, carrier_id: CarrierId, key: str) -> bool:
        row = self.map.get((carrier_id, key))
        return row is None or row.message_id is None

    def _read_standings(self, facts: list[SegmentFact | ReceiptFact]) -> dict[Key, Standing]:
        keys: set[Key] = {(fact.account_id, fact.message_id) for fact in facts if type(fact) is SegmentFact}
        keys |= {
            (row.account_id, row.message_id)
            for row in self.map.values()
            if row.account_id is not None and row.message_id is not None
        }
        keys |= {(doubt[2], doubt[3]) for doubt in self.doubts}
        return {
            (row[0], row[1]): Standing(
                row[0], row[1], MessageState(row[2]), row[3], row[4], row[5], Charge(row[6]), *row[7:]
            )
            for row in self._connection.execute(_STANDINGS, (rows(list(keys)),))
        }

    # Folding ---------------------------------------------------------------------------------------------------

    def fold(self, request: SettleRequest) -> Settled:
        """Fold one request's facts; its standings are those of the whole batch."""
        self.told, self.entered, self.wanted = [], [], request.wanted
        for fact in request.facts:
            if type(fact) is ReceiptFact:
                self._fold_receipt(fact)
            else:
                self._fold_segment(fact)  # type: ignore[arg-type]
        return Settled(self.told, self.entered, self.standings)

    def _fold_segment(self, fact: SegmentFact) -> None:
        if fact.kind != OutcomeKind.NONE:
            self.attempts.append(
                (
                    fact.account_id,
                    fact.message_id,
                    fact.segment,
                    fact.at_ms,
                    fact.carrier_id,
                    fact.session_id,
                    fact.kind,
                    fact.carrier_message_id,
                    fact.status,
                )
            )
        before = self.standings.get((fact.account_id, fact.message_id))
        if before is None:
            return
        parked = self._bind(fact, before) if fact.match_key is not None else None
        after = self._change(before, fact.fact, fact.at_ms, fact.status)
        if parked is not None and parked.state is not None:
            parked.is_settled = True
            self._change(after, Reported(parked.state), fact.at_ms, parked.error)
        elif type(fact.fact) is Requeued and fact.fact.due_ms and after is not before:
            self.ready.append((fact.fact.due_ms, fact.account_id, fact.message_id))
        elif type(fact.fact) is Doubted and after.state is MessageState.HELD:
            self.new_doubts.append(
                (
                    fact.carrier_id,
                    after.recipient,
                    fact.account_id,
                    fact.message_id,
                    fact.segment,
                    fact.sender,
                    fact.at_ms,
                )
            )

    def _bind(self, fact: SegmentFact, standing: Standing) -> MapRow | None:
        """Note who the carrier's id belongs to; returns the row of a receipt that came before."""
        assert fact.match_key is not None
        place = (fact.carrier_id, fact.match_key)
        row = self.map.get(place)
        parked = row if row is not None and row.message_id is None and fits(standing.recipient, row.addresses) else None
        if parked is None:
            if row is not None and row.message_id == fact.message_id and row.segment == fact.segment:
                return None
            row = self.map[place] = MapRow(fact.at_ms)
        else:
            row = parked
        row.account_id, row.message_id, row.segment = fact.account_id, fact.message_id, fact.segment
        self.map_changes[place] = row
        return parked

    def _fold_receipt(self, fact: ReceiptFact) -> None:
        place = (fact.carrier_id, fact.receipt.key)
        row = self.map.get(place)
        if row is None or row.message_id is None:
            doubt = self._doubted(fact)
            if doubt is None:
                self._park(place, row, fact)
                return
            row = self.map[place] = MapRow(fact.at_ms)
            row.account_id, row.message_id, row.segment = doubt[2], doubt[3], doubt[4]
        state = fact.receipt.state
        standing = self.standings.get((row.account_id, row.message_id))  # type: ignore[arg-type]
        if state is None or standing is None or not fits(standing.recipient, fact.receipt.addresses):
            return
        if row.is_settled and standing.state is not MessageState.UNKNOWN:
            return
        row.is_settled, row.state, row.error = True, state, fact.receipt.error
        self.map_changes[place] = row
        taken = standing.state is MessageState.HELD and standing.accepted < standing.segments
        self._change(standing, Reported(state, taken), fact.at_ms, fact.receipt.error)

    def _park(self, place: tuple[CarrierId, str], row: MapRow | None, fact: ReceiptFact) -> None:
        if row is None:
            row = self.map[place] = MapRow(fact.at_ms)
        if fact.receipt.state is not None or row.state is None:
            row.state, row.error = fact.receipt.state, fact.receipt.error
            row.addresses = fact.receipt.addresses
            self.map_changes[place] = row

    def _doubted(self, fact: ReceiptFact) -> tuple[CarrierId, str, AccountId, MessageId, int, str, int] | None:
        """The one segment in doubt that a stray receipt can be about; None when there is none or more than one."""
        addresses = fact.receipt.addresses
        fitting = [
            doubt
            for doubt in self.doubts
            if doubt[0] == fact.carrier_id
            and doubt[6] <= fact.at_ms
            and any(addresses)
            and fits(doubt[1], addresses)
            and doubt[5].removeprefix("+") in addresses
            and self.standings[doubt[2], doubt[3]].state is MessageState.HELD
        ]
        return fitting[0] if len(fitting) == 1 else None

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
        self.entered.append(state)
        self.events.append((account_id, message_id, at_ms, state, standing.reason, detail or None))
        for webhook_id in self.wanted.get((account_id, state), ()):
            event = Event(account_id, message_id, state, at_ms, standing.recipient, standing.reference)
            self.told.append(Told(webhook_id, event))
            self.outbox.append((webhook_id, *event[:3], at_ms, standing.recipient, standing.reference))

    # Writing ---------------------------------------------------------------------------------------------------

    def write(self, at_ms: int) -> None:
        """Write everything that changed, one statement for each table."""
        changed = [new for key, new in self.standings.items() if new is not self.before[key]]
        self._put(_WRITE_MAP, [_map_columns(place, row) for place, row in self.map_changes.items()])
        self._put(_WRITE_MESSAGES, changed)
        self._put(_ATTEMPTS, self.attempts)
        self._put(_EVENTS, self.events)
        self._put(_OUTBOX, self.outbox)
        self._put(_READY, self.ready)
        self._put(_LET_GO, self.ready)
        self._put(_WRITE_DOUBTS, self.new_doubts)
        left = [
            (old.carrier_id, old.recipient, *key)
            for key, old in self.before.items()
            if old.state is MessageState.HELD and self.standings[key].state is not MessageState.HELD
        ]
        self._put(_CLEAR_DOUBTS, left)
        self._move_money(changed, at_ms)

    def _put(self, statement: str, values: list[object] | list[tuple[object, ...]] | list[Standing] | object) -> None:
        if values:
            self._connection.execute(statement, (rows(values),))  # type: ignore[arg-type]

    def _move_money(self, changed: list[Standing], at_ms: int) -> None:
        sums: dict[tuple[AccountId, PostingKind], int] = {}
        for after in changed:
            before = self.before[after.account_id, after.message_id]
            if after.charge is not before.charge and after.price:
                for kind in movements(before.charge, after.charge):
                    place = (after.account_id, kind)
                    sums[place] = sums.get(place, 0) + after.price
        for (account_id, kind), amount in sums.items():
            self._connection.execute(_MOVE[kind], (account_id, amount))
            self._connection.execute(_POST, (account_id, at_ms, kind, amount))


def _map_columns(place: tuple[CarrierId, str], row: MapRow) -> tuple[object, ...]:
    addresses = " ".join(row.addresses) if row.message_id is None else None
    return (
        *place,
        row.account_id,
        row.message_id,
        row.segment,
        row.state,
        row.error or None,
        addresses,
        row.at_ms,
        row.is_settled,
    )


def _sqlite(connection: sqlite3.Connection, requests: list[SettleRequest]) -> list[Settled]:
    batch = _Batch(connection, requests)
    settled = [batch.fold(request) for request in requests]
    batch.write(requests[-1].facts[-1].at_ms)
    return settled


def _divide(request: SettleRequest) -> list[SettleRequest]:
    return [SettleRequest([fact], request.wanted) for fact in request.facts]


def _join(results: list[Settled]) -> Settled:
    standings: dict[Key, Standing] = {}
    for result in results:
        standings.update(result.standings)
    told = [each for result in results for each in result.told]
    return Settled(told, [state for result in results for state in result.entered], standings)


SETTLE: Hop[SettleRequest, Settled] = Hop("settle", lambda request: len(request.facts), _sqlite, _divide, _join)
