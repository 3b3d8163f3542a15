"""Settle: read what a batch of facts touches, let `core.settling` decide, write every message once.

Each table is read and written with one statement for the whole batch.
"""

from typing import NamedTuple

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
from heliograph.store.hop import Hop
from heliograph.store.hops.money import moves
from heliograph.store.hops.outbox import TELL
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.statements import DO_NOTHING, NOTHING, Script, Statement, Step, together


class SettleRequest(NamedTuple):
    """Facts in order, at least one. audience: of the snapshot in force."""

    facts: list[SegmentFact | ReceiptFact]
    audience: Audience


_Maybe = int | None
_MAP = Statement(
    """
from ({rows}) j cross join receipt_map r where r.carrier_id = j.column1 and r.match_key = j.column2
""",
    reads="r.carrier_id, r.match_key, r.account_id, r.message_id, r.segment, r.state, r.error, r.addresses, r.at_ms,"
    " r.is_settled{spot:r}",
    answer=tuple[CarrierId, str, _Maybe, _Maybe, _Maybe, _Maybe, str | None, str | None, int, int],
    columns="int text",
    postgres="""
from ({rows}) j cross join lateral (
  select r.*, r.ctid from receipt_map r where r.carrier_id = j.column1 and r.match_key = j.column2 for update
) r
""",
)
_DOUBTS = Statement(
    """
from ({rows}) j cross join doubt d where d.carrier_id = j.column1
""",
    reads="d.carrier_id, d.recipient, d.account_id, d.message_id, d.segment, d.sender, d.marked_at_ms",
    answer=tuple[CarrierId, str, AccountId, MessageId, int, str, int],
    columns="int",
)
_STANDINGS = Statement(
    """
from ({rows}) j cross join {day:message} m cross join submission s
where m.account_id = j.column1 and m.id = j.column2
  and s.account_id = m.account_id and s.id = m.submission_id
""",
    reads="m.account_id, m.id, m.state, m.segments, m.accepted, m.delivered, m.charge, m.attempts, m.carrier_id,"
    " m.reason, m.price, m.recipient, m.reference, s.sender, s.id{spot:m}",
    answer=tuple[
        AccountId, MessageId, int, int, int, int, int, int, CarrierId, int, int, str, str | None, str, SubmissionId
    ],
    columns="int bigint",
    id_column=2,
    postgres="""
from ({rows}) j cross join lateral (
  select m.*, m.ctid from {day:message} m where m.account_id = j.column1 and m.id = j.column2 for update
) m
cross join lateral (
  select * from submission s where s.account_id = m.account_id and s.id = m.submission_id{near:s.id} limit 1
) s
""",
)
_WRITE_MAP = Statement(
    """
insert into receipt_map(carrier_id, match_key, account_id, message_id, segment, state, error, addresses, at_ms,
                        is_settled)
select * from ({rows}) j where column1 is not null
on conflict (carrier_id, match_key) do update set account_id = excluded.account_id, message_id = excluded.message_id,
  segment = excluded.segment, state = excluded.state, error = excluded.error, addresses = excluded.addresses,
  at_ms = excluded.at_ms, is_settled = excluded.is_settled
""",
    columns="int text int bigint int int text text bigint boolean",
)
_NEW_IN_MAP = Statement(
    _WRITE_MAP.text,
    columns=_WRITE_MAP.columns,
    # Of an answer and its receipt, which two processes settle at once, the second one fails here and is tried again:
    # then it finds the row of the first.
    postgres=_WRITE_MAP.text.partition("on conflict")[0],
)
_WRITE_MESSAGES = Statement(
    """
update {day:message}
set state = ?1, accepted = ?2, delivered = ?3, charge = ?4, attempts = ?5, carrier_id = ?6, reason = ?7
where (account_id, id) in (select * from ({rows}) j)
""",
    columns="int bigint",
    scalars="int int int int int int int",
    id_column=2,
    postgres=NOTHING,
)
_WRITE_AT = Statement(
    "",
    columns="bigint tid",
    scalars="int int int int int int int",
    id_column=1,
    postgres="""
update {day:message}
set state = ?1, accepted = ?2, delivered = ?3, charge = ?4, attempts = ?5, carrier_id = ?6, reason = ?7
where ctid = any(array(select column2 from ({rows}) j))
""",
)
_SETTLE_MAP = Statement(
    """
update receipt_map set state = ?2, error = ?3, is_settled = true where carrier_id = ?1 and match_key in ({rows})
""",
    columns="text",
    scalars="int int text",
    postgres=NOTHING,
)
_SETTLE_AT = Statement(
    "",
    columns="tid",
    scalars="int text",
    postgres="""
update receipt_map set state = ?1, error = ?2, is_settled = true where ctid = any(array(select column1 from ({rows}) j))
""",
)
_LET_GO = Statement(
    """
update {day:message} set owner = 0 where (account_id, id) in (select column2, column3 from ({rows}) j)
""",
    columns="bigint int bigint int",
    id_column=3,
)
_ATTEMPTS = Statement(
    """
insert into {day:attempt}(account_id, message_id, segment, at_ms, carrier_id, session, outcome, carrier_message_id,
                          status)
select * from ({rows}) j where column1 is not null
""",
    columns="int bigint int bigint int bigint int text text",
    id_column=2,
    conflict=DO_NOTHING,
)
_EVENTS = Statement(
    """
insert into {day:event}(account_id, message_id, at_ms, state, reason, detail)
select * from ({rows}) j where column1 is not null
""",
    columns="int bigint bigint int int text",
    id_column=2,
    conflict=DO_NOTHING,
)
_WRITE_DOUBTS = Statement(
    """
insert into doubt(carrier_id, recipient, account_id, message_id, segment, sender, marked_at_ms)
select column1, column2, column3, column4, column5, column6, coalesce(
  (select m.marked_at_ms from {day:message} m where m.account_id = column3 and m.id = column4), column7)
from ({rows}) j where column1 is not null on conflict do nothing
""",
    columns="int text int bigint int text bigint",
    id_column=4,
)
_CLEAR_DOUBTS = Statement(
    """
delete from doubt where (carrier_id, recipient, account_id, message_id) in (select * from ({rows}) j)
""",
    columns="int text int bigint",
)


class _Spots(NamedTuple):
    """Where rows stand that were read: rows of the receipt map, all of them (None on SQLite), and messages."""

    map: dict[Place, str | None]
    messages: dict[Key, str]


def _read(facts: list[SegmentFact | ReceiptFact]) -> Script[tuple[Fold, _Spots]]:
    """Everything that the facts are about."""
    receipt_map, known = yield from _read_map(facts)
    strays = {
        fact.carrier_id
        for fact in facts
        if type(fact) is ReceiptFact and _is_stray(receipt_map.get((fact.carrier_id, fact.receipt.key)))
    }
    doubts = [Doubt(*row) for row in (yield _DOUBTS.about([(carrier_id,) for carrier_id in strays]))]
    keys: set[Key] = {(fact.account_id, fact.message_id) for fact in facts if type(fact) is SegmentFact}
    keys |= {
        (row.account_id, row.message_id)
        for row in receipt_map.values()
        if row.account_id is not None and row.message_id is not None
    }
    keys |= {(doubt.account_id, doubt.message_id) for doubt in doubts}
    standings, spots = yield from _read_standings(keys)
    return Fold(receipt_map, doubts, standings), _Spots(known, spots)


def _is_stray(row: MapRow | None) -> bool:
    return row is None or row.message_id is None


def _read_map(facts: list[SegmentFact | ReceiptFact]) -> Script[tuple[dict[Place, MapRow], dict[Place, str | None]]]:
    places: list[tuple[CarrierId, str]] = []
    for fact in facts:
        if type(fact) is ReceiptFact:
            places.append((fact.carrier_id, fact.receipt.key))
        elif type(fact) is SegmentFact and fact.match_key is not None:
            places.append((fact.carrier_id, fact.match_key))
    found: dict[Place, MapRow] = {}
    spots: dict[Place, str | None] = {}
    stored = yield _MAP.about(places)
    for carrier_id, key, account_id, message_id, segment, state, error, addresses, at_ms, is_settled, *spot in stored:
        spots[carrier_id, key] = spot[0] if spot else None
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
    return found, spots


_STATES = {int(state): state for state in MessageState}
_CHARGES = {int(charge): charge for charge in Charge}


def _read_standings(keys: set[Key]) -> Script[tuple[dict[Key, Standing], dict[Key, str]]]:
    states, charges = _STATES, _CHARGES
    # In order, so that two who lock the same messages cannot wait for each other.
    stored = yield _STANDINGS.about(sorted(keys))
    spots: dict[Key, str] = {}
    if stored and len(stored[0]) > len(Standing._fields):
        spots = {(row[0], row[1]): row[-1] for row in stored}
        stored = [row[:-1] for row in stored]
    standings = {
        (account_id, message_id): Standing._make(
            (account_id, message_id, states[state], segments, accepted, delivered, charges[charge], *rest)
        )
        for account_id, message_id, state, segments, accepted, delivered, charge, *rest in stored
    }
    return standings, spots


def _write(fold: Fold, spots: _Spots, at_ms: int) -> Script[None]:
    changed, changes = fold.changed, fold.changes
    cleared = [
        (old.carrier_id, old.recipient, *key)
        for key, old in fold.before.items()
        if old.state is MessageState.HELD and fold.standings[key].state is not MessageState.HELD
    ]
    known = spots.map
    settled, rest = _by_end(changes.map, known)
    yield together([
        *_messages(changed, spots.messages),
        *settled,
        _WRITE_MAP.about([_map_columns(place, row) for place, row in rest if place in known]),
        _NEW_IN_MAP.about([_map_columns(place, row) for place, row in rest if place not in known]),
        _ATTEMPTS.about(changes.attempts),
        _EVENTS.about(changes.events),
        TELL.about(changes.outbox),
        WAIT.about(changes.ready),
        *_money(fold, changed=changed, at_ms=at_ms),
    ])  # fmt: skip
    yield _LET_GO.about(changes.ready)
    yield _WRITE_DOUBTS.about([each for each in changes.doubts if fold.is_held(each.account_id, each.message_id)])
    yield _CLEAR_DOUBTS.about(cleared)


def _messages(changed: list[Standing], spots: dict[Key, str]) -> list[Step]:
    """One statement for all messages that stand alike now: mostly there are one or two kinds."""
    alike: dict[tuple[int, ...], list[Key]] = {}
    for each in changed:
        # Plain numbers: the driver asks every other kind of number how it wants to be stored.
        state, charge = int(each.state), int(each.charge)
        values = (state, each.accepted, each.delivered, charge, each.attempts, each.carrier_id, each.reason)
        alike.setdefault(values, []).append((each.account_id, each.message_id))
    if spots:
        return [_WRITE_AT.about([(key[1], spots[key]) for key in keys], *values) for values, keys in alike.items()]
    return [_WRITE_MESSAGES.about(keys, *standing) for standing, keys in alike.items()]


def _by_end(
    changed: dict[Place, MapRow], spots: dict[Place, str | None]
) -> tuple[list[Step], list[tuple[Place, MapRow]]]:
    """Settle the rows whose receipt has come, those with the same end together; and the other rows."""
    alike: dict[tuple[CarrierId, int | None, str | None], list[tuple[str]]] = {}
    standing: dict[tuple[int | None, str | None], list[tuple[str]]] = {}
    rest: list[tuple[Place, MapRow]] = []
    for place, row in changed.items():
        carrier_id, match_key = place
        if row.is_stored and row.is_settled:
            state = None if row.state is None else int(row.state)
            spot = spots[place]
            if spot is None:
                alike.setdefault((carrier_id, state, row.error or None), []).append((match_key,))
            else:
                standing.setdefault((state, row.error or None), []).append((spot,))
        else:
            rest.append((place, row))
    steps = [_SETTLE_MAP.about(keys, *end) for end, keys in alike.items()]
    return steps + [_SETTLE_AT.about(found, *end) for end, found in standing.items()], rest


def _money(fold: Fold, *, changed: list[Standing], at_ms: int) -> list[Step]:
    sums: dict[tuple[AccountId, PostingKind], int] = {}
    for after in changed:
        before = fold.before[after.account_id, after.message_id]
        if after.charge is not before.charge and after.price:
            for kind in movements(before.charge, after.charge):
                place = (after.account_id, kind)
                sums[place] = sums.get(place, 0) + after.price
    return moves(sums, at_ms)


def _map_columns(place: Place, row: MapRow) -> tuple[object, ...]:
    addresses = "\n".join(row.addresses) if row.message_id is None else None
    return (
        *place,
        row.account_id,
        row.message_id,
        row.segment,
        None if row.state is None else int(row.state),
        row.error or None,
        addresses,
        row.at_ms,
        row.is_settled,
    )


def _script(requests: list[SettleRequest]) -> Script[list[Settled]]:
    fold, spots = yield from _read([fact for request in requests for fact in request.facts])
    settled = [fold.fold(request.facts, request.audience) for request in requests]
    yield from _write(fold, spots, requests[-1].facts[-1].at_ms)
    if len(requests) == 1:
        return settled
    return [
        each._replace(states=fold.states_of(request.facts)) for each, request in zip(settled, requests, strict=True)
    ]


def _divide(request: SettleRequest) -> list[SettleRequest]:
    return [SettleRequest([fact], request.audience) for fact in request.facts]


def _join(results: list[Settled]) -> Settled:
    states: dict[Key, MessageState] = {}
    for result in results:
        states.update(result.states)
    told = [each for result in results for each in result.told]
    return Settled(told, [state for result in results for state in result.entered], states)


SETTLE: Hop[SettleRequest, Settled] = Hop("settle", lambda request: len(request.facts), _script, _divide, _join)
