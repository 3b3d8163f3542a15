"""What every engine does alike with people's data. A new engine is one more opener."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select

from heliograph.core.directory import Number, Policy, Snapshot, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, CarrierId, WebhookId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.messages import Channel
from heliograph.core.pricing import Rate
from heliograph.core.routing import Route
from heliograph.core.states import MessageState
from heliograph.store import (
    accounts,
    campaigns,
    carriers,
    directory,
    keys,
    meta,
    migrations,
    numbers,
    postings,
    rates,
    routes,
    webhooks,
)
from heliograph.store.connection import Connection
from heliograph.store.engine import Store
from heliograph.store.opening import open_store
from heliograph.store.schema import metadata, posting
from heliograph.testing.stores import OneDatabase

Tell = Callable[[Callable[[Store], Awaitable[None]]], None]


@pytest.fixture(params=["sqlite", "postgres"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """Run a story with a new store of each engine."""
    address = f"sqlite:///{tmp_path}/store.sqlite"
    if request.param == "postgres":
        database: OneDatabase = request.getfixturevalue("database")
        database.make_new(is_furnished=False)
        address = database.address

    def run(story: Callable[[Store], Awaitable[None]]) -> None:
        async def go() -> None:
            store = await open_store(address, tmp_path)
            try:
                await story(store)
            finally:
                await store.close()

        asyncio.run(go())

    return run


async def _crane(connection: Connection) -> AccountId:
    return await accounts.add(connection, name="Crane", user="crane", mark="0123456789abcdef", now_ms=5)


def _told(webhook: Webhook) -> frozenset[MessageState]:
    return frozenset({MessageState.DELIVERED}) if webhook.kind is EventKind.STATUS else frozenset()


async def _snapshot(store: Store) -> Snapshot:
    async with store.reading() as connection:
        return await directory.load(connection, _told)


def test_a_new_store_has_an_empty_snapshot(tell: Tell) -> None:
    async def story(store: Store) -> None:
        snapshot = await _snapshot(store)
        assert (snapshot.revision, snapshot.accounts, snapshot.carriers, snapshot.webhooks) == (0, {}, {}, {})
        assert snapshot.routing.plan(Channel.SMS, "+27831234567") == ()

    tell(story)


def test_every_change_of_what_is_set_up_moves_the_revision(tell: Tell) -> None:
    async def changes(connection: Connection) -> list[Awaitable[Any]]:
        crane, stork = await _crane(connection), CarrierId(1)
        return [
            accounts.change(connection, crane, values={"is_suspended": True}),
            keys.add(connection, crane, digest="d", now_ms=1),
            keys.revoke(connection, 1, now_ms=2),
            numbers.add(connection, "+27831234567", account_id=crane, values={"voice": True}, now_ms=1),
            numbers.change(connection, "+27831234567", values={"sms": False}),
            numbers.remove(connection, "+27831234567"),
            campaigns.add(connection, crane, tcr="CW1", brand="b", now_ms=1),
            campaigns.approve(connection, crane, tcr="CW1"),
            campaigns.remove(connection, crane, tcr="CW1"),
            carriers.add(connection, {"name": "stork", "url": "loopback:", "channels": [1]}, now_ms=1),
            carriers.change(connection, stork, values={"window": 3}),
            routes.add(connection, Route(stork, Channel.SMS)),
            routes.remove(connection, 1),
            rates.add(connection, Rate(None, Channel.SMS, "", 1)),
            rates.remove(connection, 1),
            webhooks.add(
                connection, {"account_id": crane, "dialect": "any", "kind": 1, "url": "u", "secret": "s"}, now_ms=1
            ),
            webhooks.change(connection, 1, values={"is_active": False}),  # type: ignore[arg-type]
            webhooks.remove(connection, 1),  # type: ignore[arg-type]
            carriers.remove(connection, stork),
        ]

    async def story(store: Store) -> None:
        async with store.writing() as connection:
            before = 0
            for change in await changes(connection):
                before = max(before, await meta.revision(connection))
                await change
                assert await meta.revision(connection) == before + 1

    tell(story)


def test_what_changed_nothing_does_not_move_the_revision(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane = await _crane(connection)
            await rates.add(connection, Rate(None, Channel.SMS, "27", 1))
            before = await meta.revision(connection)
            assert not await keys.revoke(connection, 9, now_ms=1)
            assert not await routes.remove(connection, 9)
            assert not await rates.remove(connection, 9)
            assert not await campaigns.approve(connection, crane, tcr="CW9")
            assert await rates.add(connection, Rate(None, Channel.SMS, "27", 2)) is None
            assert await meta.revision(connection) == before

    tell(story)


def test_the_snapshot_holds_what_was_set_up(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane = await _crane(connection)
            await accounts.change(
                connection, crane, values={"senders": ["Crane"], "settings": {"any": {"x": 1}}, "is_suspended": True}
            )
            await numbers.add(connection, "+27831234567", account_id=crane, values={}, now_ms=1)
            ids = [
                await carriers.add(
                    connection,
                    {"name": name, "url": "loopback:", "channels": [1, 2], "policy": Policy.HOLD, "settings": {"a": 1}},
                    now_ms=1,
                )
                for name in ("one", "two")
            ]
            await routes.add(connection, Route(ids[1], Channel.SMS, "27"))
            await rates.add(connection, Rate(crane, Channel.SMS, "27", 7))
            hooks = [
                await webhooks.add(
                    connection,
                    {"account_id": crane, "dialect": "any", "kind": kind, "url": "u", "secret": "s"},
                    now_ms=1,
                )
                for kind in (EventKind.STATUS, EventKind.REPLY, EventKind.STATUS)
            ]
            await webhooks.change(connection, hooks[2], values={"is_active": False})
        snapshot = await _snapshot(store)
        account = snapshot.accounts[crane]
        assert account.senders == {"Crane"}
        assert snapshot.numbers == {
            "27831234567": Number(
                msisdn="+27831234567", account_id=crane, channels=frozenset({Channel.SMS, Channel.MMS})
            )
        }
        assert account.is_suspended
        assert account.settings == {"any": {"x": 1}}
        carrier = snapshot.carriers[ids[0]]
        assert carrier.channels == {Channel.SMS, Channel.MMS}
        assert carrier.policy is Policy.HOLD
        assert carrier.settings == {"a": 1}
        assert snapshot.routing.plan(Channel.SMS, "+27831234567") == (ids[1],)
        assert snapshot.rates.price(crane, Channel.SMS, "+27831234567") == 7
        assert set(snapshot.webhooks) == set(hooks)
        assert snapshot.audience.of_account == {(crane, MessageState.DELIVERED): (hooks[0],)}

    tell(story)


async def _add_numbers(connection: Connection, owned: dict[str, tuple[AccountId, str | None]]) -> None:
    for msisdn, (account_id, webhook) in owned.items():
        await numbers.add(connection, msisdn, account_id=account_id, values={"webhook": webhook}, now_ms=1)


async def _add_webhook(connection: Connection, account_id: AccountId, **values: object) -> WebhookId:
    columns = {"account_id": account_id, "dialect": "any", "kind": EventKind.STATUS, "url": "u", "secret": "s"}
    return await webhooks.add(connection, columns | values, now_ms=1)


async def _stork(connection: Connection) -> AccountId:
    return await accounts.add(connection, name="Stork", user="stork", mark="fedcba9876543210", now_ms=6)


def test_a_webhook_with_a_name_hears_of_the_numbers_that_name_it_only(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane, stork = await _crane(connection), await _stork(connection)
            owned = {"+27831": (crane, "default"), "12345": (crane, "DEFAULT"), "+27832": (crane, None)}
            await _add_numbers(connection, owned | {"+27833": (crane, "gone"), "+27834": (stork, "Default")})
            every = await _add_webhook(connection, crane)
            named = await _add_webhook(connection, crane, name="Default")
            other = await _add_webhook(connection, crane, name="Default", dialect="other")
            off = await _add_webhook(connection, crane, name="Default", dialect="third", is_active=False)
            replies = await _add_webhook(connection, crane, name="Default", dialect="fourth", kind=EventKind.REPLY)
            theirs = await _add_webhook(connection, stork, name="Default")
        wanting = (await _snapshot(store)).audience.wanting
        delivered = MessageState.DELIVERED
        for number in ("27831", "12345"):
            assert wanting(crane, number, delivered) == (every, named, other)
        for number in ("27832", "27833", "27834", "Crane", ""):
            assert wanting(crane, number, delivered) == (every,)
        assert wanting(crane, "27831", MessageState.FAILED) == ()
        assert wanting(stork, "27834", delivered) == (theirs,)
        # Numbers of others: messages sent from them before they were given away are still their sender's.
        assert wanting(stork, "27831", delivered) == ()
        assert off not in wanting(crane, "27831", delivered)
        assert replies not in wanting(crane, "27831", delivered)
        async with store.writing() as connection:
            await numbers.remove(connection, "+27831")
            await webhooks.remove(connection, other)
        wanting = (await _snapshot(store)).audience.wanting
        assert wanting(crane, "27831", delivered) == (every,)
        assert wanting(crane, "12345", delivered) == (every, named)

    tell(story)


def test_the_snapshot_knows_every_number_and_the_approved_campaigns(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "PAGE", 3)

    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane, stork = await _crane(connection), await _stork(connection)
            for count in range(7):
                values = {"sms": bool(count & 1), "mms": bool(count & 2), "voice": bool(count & 4), "campaign": "CW1"}
                owner = stork if count == 6 else crane
                await numbers.add(connection, f"+2783{count}", account_id=owner, values=values, now_ms=1)
            for account_id, tcr in ((crane, "CW1"), (crane, "CW2"), (stork, "CW1")):
                await campaigns.add(connection, account_id, tcr=tcr, brand="b", now_ms=1)
            await campaigns.approve(connection, crane, tcr="CW1")
        snapshot = await _snapshot(store)
        assert list(snapshot.numbers) == [f"2783{count}" for count in range(7)]
        for count, number in enumerate(snapshot.numbers.values()):
            assert number.msisdn == f"+2783{count}"
            assert number.account_id == (stork if count == 6 else crane)
            assert number.channels == {channel for channel in Channel if count & 1 << channel - 1}
        assert snapshot.campaigns == {(crane, "CW1")}

    tell(story)


def test_numbers_are_read_again_only_when_one_has_changed(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane = await _crane(connection)
            await _add_numbers(connection, {"+27831": (crane, "Default"), "+27832": (crane, None)})
        before = await _snapshot(store)
        async with store.writing() as connection:
            named = await _add_webhook(connection, crane, name="Default")
        async with store.reading() as connection:
            after = await directory.load(connection, _told, before=before)
        assert after.revision == before.revision + 1
        assert after.numbers is before.numbers
        assert after.audience.wanting(crane, "27831", MessageState.DELIVERED) == (named,)
        for change in (
            lambda connection: numbers.change(connection, "+27831", values={"sms": False}),
            lambda connection: numbers.detach(connection, crane, column="webhook", names=["Default"], most=9),
            lambda connection: numbers.remove(connection, "27831"),
        ):
            async with store.writing() as connection:
                await change(connection)
            async with store.reading() as connection:
                read = await directory.load(connection, _told, before=after)
            assert read.numbers != after.numbers
            after = read
        assert list(after.numbers) == ["27832"]

    tell(story)


def test_a_draining_carrier_is_known_and_gets_nothing_new(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            one = await carriers.add(connection, {"name": "one", "url": "loopback:", "channels": [1]}, now_ms=1)
        assert (await _snapshot(store)).routing.plan(Channel.SMS, "+27831234567") == (one,)
        async with store.writing() as connection:
            await carriers.change(connection, one, values={"is_draining": True})
        snapshot = await _snapshot(store)
        assert one in snapshot.carriers
        assert snapshot.routing.plan(Channel.SMS, "+27831234567") == ()

    tell(story)


def test_a_transaction_that_fails_leaves_nothing(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async def fail() -> None:
            async with store.writing() as connection:
                await _crane(connection)
                raise RuntimeError("half-way")

        with pytest.raises(RuntimeError, match="half-way"):
            await fail()
        assert (await _snapshot(store)).accounts == {}

    tell(story)


def test_movements_of_one_kind_in_one_millisecond_are_one_posting(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane = await _crane(connection)
            for amount in (5, 6):
                await postings.post(connection, crane, kinds=[PostingKind.GRANT], amount=amount, now_ms=1)
            kinds = [PostingKind.HOLD, PostingKind.CAPTURE]
            await postings.post(connection, crane, kinds=kinds, amount=4, now_ms=1)
        async with store.reading() as connection:
            assert await postings.balance_of(connection, crane) == Balance(7, 0, 4)
            rows = await connection.execute(select(posting.c.kind, posting.c.amount).order_by(posting.c.kind))
            assert [tuple(row) for row in rows] == [(1, 11), (2, 4), (3, 4)]

    tell(story)


def test_a_key_opens_one_account_until_it_is_revoked(tell: Tell) -> None:
    async def story(store: Store) -> None:
        async with store.writing() as connection:
            crane = await _crane(connection)
            key_id = await keys.add(connection, crane, digest=keys.digest_of("secret"), now_ms=1)
            assert await keys.account_id_for(connection, key_id, keys.digest_of("secret")) == crane
            assert await keys.account_id_for(connection, key_id, keys.digest_of("Secret")) is None
            assert await keys.account_id_for(connection, key_id + 1, keys.digest_of("secret")) is None
            assert await keys.revoke(connection, key_id, now_ms=2)
            assert await keys.account_id_for(connection, key_id, keys.digest_of("secret")) is None

    tell(story)


def _shape(path: Path) -> dict[str, object]:
    """Every table as the engine sees it."""
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    shape: dict[str, object] = {
        name: (
            {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            },
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(each["column_names"] for each in found.get_unique_constraints(name)),
            found.get_indexes(name),
        )
        for name in metadata.tables
    }
    engine.dispose()
    with sqlite3.connect(path) as connection:
        words = dict(connection.execute("select name, sql from sqlite_master where type = 'table'"))
    connection.close()
    for name in metadata.tables:
        shape[f"{name}: options"] = ("WITHOUT ROWID" in words[name], "AUTOINCREMENT" in words[name])
    return shape


def test_the_revisions_make_what_the_schema_says(tmp_path: Path) -> None:
    assert migrations.upgrade(tmp_path / "revisions.sqlite") is None
    assert migrations.upgrade(tmp_path / "revisions.sqlite") == migrations.HEAD
    engine = create_engine(f"sqlite:///{tmp_path}/schema.sqlite")
    metadata.create_all(engine)
    engine.dispose()
    assert _shape(tmp_path / "revisions.sqlite") == _shape(tmp_path / "schema.sqlite")


def test_a_schema_that_fails_half_way_leaves_no_table(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table webhook (id integer)")
    connection.close()
    with pytest.raises(Exception, match="webhook already exists"):
        migrations.upgrade(path)
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    connection.close()
    assert names == ["webhook"]
