"""Broadcasts on every engine: what is kept comes back, and what no longer stands so is left alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, ContactId, first_at
from heliograph.core.messages import Channel, IdempotencyKey, Traits
from heliograph.core.reasons import Reason
from heliograph.store import broadcasts, contacts
from heliograph.store.broadcasts import Begun, GroupSize
from heliograph.store.connection import Connection
from heliograph.testing.stores import NOW_MS, FreshStore

KEY = IdempotencyKey("k1", "digest")


def wanted(engine: FreshStore, groups: Sequence[int] = (5,), **changes: Any) -> Broadcast:
    plain = Broadcast(
        engine.account_id,
        BroadcastId(0),
        "Spring",
        "textboost",
        Channel.VOICE,
        "Crane",
        "Dear {first_name|friend}, 🙂",
        Traits(language="en-gb", gender="female"),
        ("https://files.example/a.png",),
        tuple(map(ContactGroupId, groups)),
        0,
        BroadcastState.RUNNING,
        created_at_ms=NOW_MS,
    )
    return plain._replace(**changes)


def begin(engine: FreshStore, known: Sequence[GroupSize] = (), **changes: Any) -> Broadcast:
    return engine.writing(lambda connection: broadcasts.add(connection, wanted(engine, **changes), known))


def found(engine: FreshStore, begun: Broadcast) -> Broadcast:
    account_id, broadcast_id = begun.account_id, begun.broadcast_id
    there = engine.reading(lambda connection: broadcasts.find(connection, account_id, broadcast_id))
    assert there is not None
    return there


def test_a_broadcast_comes_back_as_it_was(engine: FreshStore) -> None:
    begun = begin(engine)
    assert begun == wanted(engine, broadcast_id=first_at(NOW_MS) + 1)
    assert found(engine, begun) == begun
    paused = begin(engine, state=BroadcastState.PAUSED, reason=Reason.NO_FUNDS, place=(2, 77), sender=None)
    assert found(engine, paused) == paused


def test_the_id_is_above_those_of_the_contacts_and_broadcasts_there_are(engine: FreshStore) -> None:
    first = begin(engine)
    assert begin(engine).broadcast_id == first.broadcast_id + 1
    assert begin(engine, created_at_ms=NOW_MS - 5_000).broadcast_id == first.broadcast_id + 2
    ahead = first_at(NOW_MS + 60_000)
    assert begin(engine, [GroupSize("a", 1, 5), GroupSize("b", 1, ahead)]).broadcast_id == ahead + 1


def test_the_sizes_of_groups_are_those_of_the_account(engine: FreshStore) -> None:
    other = engine.add_account("other", 0)

    async def made(connection: Connection) -> tuple[ContactGroupId, int]:
        group = await contacts.add_group(connection, engine.account_id, name="all", now_ms=NOW_MS)
        one = Contact(engine.account_id, group.group_id, ContactId(0), "+27831234567")
        added = await contacts.add(connection, engine.account_id, group.group_id, made=[one], now_ms=NOW_MS)
        return group.group_id, added[0]

    group_id, last_id = engine.writing(made)

    def sizes(account_id: AccountId) -> dict[ContactGroupId, GroupSize]:
        asked = [group_id, ContactGroupId(group_id + 1)]
        return engine.reading(lambda connection: broadcasts.sizes(connection, account_id, asked))

    assert sizes(engine.account_id) == {group_id: GroupSize("all", 1, last_id)}
    assert sizes(other) == {}


def test_a_key_stands_for_a_broadcast(engine: FreshStore) -> None:
    def before(key: str = "k1") -> Begun | None:
        return engine.reading(lambda connection: broadcasts.begun_with(connection, engine.account_id, key))

    begun = begin(engine)
    assert before() is None
    engine.writing(lambda connection: broadcasts.remember(connection, begun, KEY))
    assert before() == Begun("digest", begun.broadcast_id)
    assert before("k2") is None


def test_a_key_that_stands_for_messages_stands_for_no_broadcast(engine: FreshStore) -> None:
    engine.execute("insert into idempotency values (?, 'k1', 'digest', '[1,[]]', 0, 1)", engine.account_id)
    known = engine.reading(lambda connection: broadcasts.begun_with(connection, engine.account_id, "k1"))
    assert known == Begun("digest", None)


def test_what_is_due(engine: FreshStore) -> None:
    later = begin(engine, state=BroadcastState.SCHEDULED, send_at_ms=NOW_MS + 10)
    running, paused = begin(engine), begin(engine, state=BroadcastState.PAUSED)
    for state in (BroadcastState.DONE, BroadcastState.CANCELLED):
        begin(engine, state=state)

    def due(at_ms: int) -> list[int]:
        rows = engine.reading(lambda connection: broadcasts.due(connection, at_ms=at_ms))
        return [broadcast_id for _, broadcast_id, _ in rows]

    assert due(NOW_MS + 9) == [running.broadcast_id, paused.broadcast_id]
    assert due(NOW_MS + 10) == [later.broadcast_id, running.broadcast_id, paused.broadcast_id]
    assert engine.reading(lambda connection: broadcasts.count_open(connection, engine.account_id)) == 3


def test_the_newest_of_one_account_and_of_all(engine: FreshStore) -> None:
    other = engine.add_account("other", 0)
    ids = [begin(engine, account_id=each).broadcast_id for each in (engine.account_id, other, engine.account_id)]

    def newest(account_id: AccountId | None, most: int = 10) -> list[int]:
        rows = engine.reading(lambda connection: broadcasts.newest(connection, account_id, most=most))
        return [each.broadcast_id for each in rows]

    assert newest(engine.account_id) == [ids[2], ids[0]]
    assert newest(other) == [ids[1]]
    assert sorted(newest(None)) == sorted(ids)
    assert newest(engine.account_id, most=1) == [ids[2]]
    keys = [(engine.account_id, ids[0]), (other, ids[1]), (other, BroadcastId(9))]
    assert len(engine.reading(lambda connection: broadcasts.among(connection, keys))) == 2


def test_a_broadcast_moves_from_where_it_stands_only(engine: FreshStore) -> None:
    begun = begin(engine, state=BroadcastState.PAUSED, reason=Reason.NO_FUNDS)

    def move(upto: tuple[int, int]) -> bool:
        return engine.writing(lambda connection: broadcasts.move(connection, begun, upto=upto))

    assert move((0, 10))
    assert found(engine, begun) == begun._replace(state=BroadcastState.RUNNING, reason=None, place=(0, 10))
    assert not move((0, 20))
    assert found(engine, begun).place == (0, 10)


@pytest.mark.parametrize("state", [BroadcastState.DONE, BroadcastState.CANCELLED])
def test_what_is_over_stays_as_it_is(engine: FreshStore, state: BroadcastState) -> None:
    over = begin(engine, state=state, ended_at_ms=7)

    async def tried(connection: Connection) -> list[bool]:
        return [
            await broadcasts.move(connection, over, upto=(1, 0)),
            await broadcasts.pause(connection, over, reason=Reason.SUSPENDED),
            await broadcasts.finish(connection, over, now_ms=9),
            await broadcasts.cancel(connection, over.account_id, over.broadcast_id, now_ms=9),
        ]

    assert engine.writing(tried) == [False] * 4
    assert found(engine, over) == over


def test_pausing_finishing_and_cancelling(engine: FreshStore) -> None:
    begun = begin(engine)
    assert engine.writing(lambda connection: broadcasts.pause(connection, begun, reason=Reason.NO_FUNDS))
    assert found(engine, begun) == begun._replace(state=BroadcastState.PAUSED, reason=Reason.NO_FUNDS)
    assert engine.writing(lambda connection: broadcasts.finish(connection, begun, now_ms=9))
    assert found(engine, begun) == begun._replace(state=BroadcastState.DONE, ended_at_ms=9)
    other = begin(engine, state=BroadcastState.SCHEDULED)
    moved = other._replace(place=(0, 1))
    assert not engine.writing(lambda connection: broadcasts.finish(connection, moved, now_ms=9))
    account_id, broadcast_id = other.account_id, other.broadcast_id
    assert engine.writing(lambda connection: broadcasts.cancel(connection, account_id, broadcast_id, now_ms=9))
    ended = other._replace(state=BroadcastState.CANCELLED, reason=Reason.CANCELLED, ended_at_ms=9)
    assert found(engine, other) == ended
