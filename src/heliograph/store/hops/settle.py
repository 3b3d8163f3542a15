"""Settle: read what a batch of facts touches, let `core.settling` decide, write every message once.

Each table is read and written with one statement for the whole batch.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.ledger import PostingKind, movements
from heliograph.core.settling import (
    Doubt,
    Fold,
    Key,
    MapRow,
    Place,
    ReceiptFact,
    SegmentFact,
    Settled,
)
from heliograph.core.standing import Standing
from heliograph.core.states import Charge, MessageState
from heliograph.store.engine import Hop
from heliograph.store.hops.money import move
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.rows import one, rows


class SettleRequest(NamedTuple):
    """Facts in order, at least one. audience: of the snapshot in force."""

    facts: list[SegmentFact | ReceiptFact]
    audience: Audience


_MAP = """
select json_group_array(json_array(r.carrier_id, r.match_key, r.account_id, r.message_id, r.segment, r.state, r.error,
                                   r.addresses, r.at_ms, r.is_settled))
from json_each(?) j cross join receipt_map r on r.carrier_id = j.value->>0 and r.match_key = j.value->>1
"""
_DOUBTS = """
select d.carrier_id, d.recipient, d.account_id, d.message_id, d.segment, d.sender, d.marked_at_ms
from doubt d where d.carrier_id in (select value from json_each(?))
"""
_STANDINGS = """
select json_group_array(json_array(m.account_id, m.id, m.state, m.segments, m.accepted, m.delivered, m.charge,
                                   m.attempts, m.carrier_id, m.reason, m.price, m.recipient, m.reference,
                                   s.sender, s.id))
from json_each(?) j cross join message m on m.account_id = j.value->>0 and m.id = j.value->>1
cross join submission s on s.account_id = m.account_id and s.id = m.submission_id
"""
_WRITE_MAP = """
insert into receipt_map(carrier_id, match_key, account_id, message_id, segment, state, error, addresses, at_ms,
                        is_settled)
select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9
from json_each(?) where true
on conflict do update set account_id = excluded.account_id, message_id = excluded.message_id,
  segment = excluded.segment, state = excluded.state, error = excluded.error, addresses = excluded.addresses,
  at_ms = excluded.at_ms, is_settled = excluded.is_settled
"""
_WRITE_MESSAGES = """
update message set state = ?2, accepted = ?3, delivered = ?4, charge = ?5, attempts = ?6, carrier_id = ?7, reason = ?8
where (account_id, id) in (select value->>0, value->>1 from json_each(?1))
"""
_SETTLE_MAP = """
update receipt_map set state = ?3, error = ?4, is_settled = 1
where carrier_id = ?2 and match_key in (select value from json_each(?1))
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
insert into outbox(webhook_id, account_id, message_id, state, at_ms)
select value->>0, value->>1, value->>2, value->>3, value->>4
from json_each(?) where true on conflict do nothing
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


def _read(connection: sqlite3.Connection, facts: list[SegmentFact | ReceiptFact]) -> Fold:
    """Everything that the facts are about."""
    receipt_map = _read_map(connection, facts)
    strays = {
        fact.carrier_id
        for fact in facts
        if type(fact) is ReceiptFact and _is_stray(receipt_map.get((fact.carrier_id, fact.receipt.key)))
    }
    doubts = [Doubt(*row) for row in connection.execute(_DOUBTS, (rows(list(strays)),))] if strays else []
    keys: set[Key] = {(fact.account_id, fact.message_id) for fact in facts if type(fact) is SegmentFact}
    keys |= {
        (row.account_id, row.message_id)
        for row in receipt_map.values()
        if row.account_id is not None and row.message_id is not None
    }
    keys |= {(doubt.account_id, doubt.message_id) for doubt in doubts}
    return Fold(receipt_map, doubts, _read_standings(connection, keys))


def _is_stray(row: MapRow | None) -> bool:
    return row is None or row.message_id is None


def _read_map(connection: sqlite3.Connection, facts: list[SegmentFact | ReceiptFact]) -> dict[Place, MapRow]:
    places: list[tuple[CarrierId, str]] = []
    for fact in facts:
        if type(fact) is ReceiptFact:
            places.append((fact.carrier_id, fact.receipt.key))
        elif type(fact) is SegmentFact and fact.match_key is not None:
            places.append((fact.carrier_id, fact.match_key))
    found: dict[Place, MapRow] = {}
    if not places:
        return found
    for carrier_id, key, account_id, message_id, segment, state, error, addresses, at_ms, is_settled in _map_rows(
        one(connection, _MAP, rows(places))
    ):  # fmt: skip
        row = found[carrier_id, key] = MapRow(at_ms)
        if account_id is not None and message_id is not None:
            row.account_id, row.message_id, row.segment = AccountId(account_id), MessageId(message_id), segment
            row.is_stored = True
        row.is_settled = bool(is_settled)
        if state is not None:
            row.state = _STATES[state]
            row.error = error or ""
        if addresses:
            first, _, second = addresses.partition("\n")
            row.addresses = (first, second)
    return found


_Maybe = int | None
_MapColumns = tuple[CarrierId, str, _Maybe, _Maybe, _Maybe, _Maybe, str | None, str | None, int, int]
_StandingColumns = tuple[
    AccountId, MessageId, int, int, int, int, int, int, CarrierId, int, int, str, str | None, str, SubmissionId
]
_map_rows = msgspec.json.Decoder(list[_MapColumns]).decode
_standing_rows = msgspec.json.Decoder(list[_StandingColumns]).decode
_STATES = {int(state): state for state in MessageState}
_CHARGES = {int(charge): charge for charge in Charge}


def _read_standings(connection: sqlite3.Connection, keys: set[Key]) -> dict[Key, Standing]:
    states, charges = _STATES, _CHARGES
    return {
        (account_id, message_id): Standing._make(
            (account_id, message_id, states[state], segments, accepted, delivered, charges[charge], *rest)
        )
        for account_id, message_id, state, segments, accepted, delivered, charge, *rest in _standing_rows(
            one(connection, _STANDINGS, rows(list(keys)))
        )
    }


def _write(connection: sqlite3.Connection, fold: Fold, at_ms: int) -> None:
    changed, changes = fold.changed, fold.changes
    cleared = [
        (old.carrier_id, old.recipient, *key)
        for key, old in fold.before.items()
        if old.state is MessageState.HELD and fold.standings[key].state is not MessageState.HELD
    ]
    _write_messages(connection, changed)
    rest = _settle_map(connection, changes.map)
    for statement, values in (
        (_WRITE_MAP, rest),
        (_ATTEMPTS, changes.attempts),
        (_EVENTS, changes.events),
        (_OUTBOX, changes.outbox),
        (WAIT, changes.ready),
        (_LET_GO, changes.ready),
        (_WRITE_DOUBTS, [each for each in changes.doubts if fold.is_held(each.account_id, each.message_id)]),
        (_CLEAR_DOUBTS, cleared),
    ):
        if values:
            connection.execute(statement, (rows(values),))
    _move_money(connection, fold, changed=changed, at_ms=at_ms)


def _write_messages(connection: sqlite3.Connection, changed: list[Standing]) -> None:
    """One statement for all messages that stand alike now: mostly there are one or two kinds."""
    alike: dict[tuple[object, ...], list[Key]] = {}
    for each in changed:
        values = (each.state, each.accepted, each.delivered, each.charge, each.attempts, each.carrier_id, each.reason)
        alike.setdefault(values, []).append((each.account_id, each.message_id))
    for standing, keys in alike.items():
        connection.execute(_WRITE_MESSAGES, (rows(keys), *standing))


def _settle_map(connection: sqlite3.Connection, changed: dict[Place, MapRow]) -> list[tuple[object, ...]]:
    """Settle the rows whose receipt has come, those with the same end together; returns the other rows."""
    alike: dict[tuple[CarrierId, MessageState | None, str | None], list[str]] = {}
    rest: list[tuple[object, ...]] = []
    for (carrier_id, match_key), row in changed.items():
        if row.is_stored and row.is_settled:
            alike.setdefault((carrier_id, row.state, row.error or None), []).append(match_key)
        else:
            rest.append(_map_columns((carrier_id, match_key), row))
    for (carrier_id, state, error), keys in alike.items():
        connection.execute(_SETTLE_MAP, (rows(keys), carrier_id, state, error))
    return rest


def _move_money(connection: sqlite3.Connection, fold: Fold, *, changed: list[Standing], at_ms: int) -> None:
    sums: dict[tuple[AccountId, PostingKind], int] = {}
    for after in changed:
        before = fold.before[after.account_id, after.message_id]
        if after.charge is not before.charge and after.price:
            for kind in movements(before.charge, after.charge):
                place = (after.account_id, kind)
                sums[place] = sums.get(place, 0) + after.price
    move(connection, sums, at_ms)


def _map_columns(place: Place, row: MapRow) -> tuple[object, ...]:
    addresses = "\n".join(row.addresses) if row.message_id is None else None
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
    fold = _read(connection, [fact for request in requests for fact in request.facts])
    settled = [fold.fold(request.facts, request.audience) for request in requests]
    _write(connection, fold, requests[-1].facts[-1].at_ms)
    return settled


def _divide(request: SettleRequest) -> list[SettleRequest]:
    return [SettleRequest([fact], request.audience) for fact in request.facts]


def _join(results: list[Settled]) -> Settled:
    standings: dict[Key, Standing] = {}
    for result in results:
        standings.update(result.standings)
    told = [each for result in results for each in result.told]
    return Settled(told, [state for result in results for state in result.entered], standings)


SETTLE: Hop[SettleRequest, Settled] = Hop("settle", lambda request: len(request.facts), _sqlite, _divide, _join)
