"""What processes that share a store see of each other, on a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from heliograph.core.ids import AccountId, CarrierId
from heliograph.store import owners
from heliograph.store.engine import StoreUnavailable
from heliograph.store.opening import open_store
from heliograph.store.postgres.company import Company, Picture, Spent
from heliograph.store.postgres.owning import OwnerGone
from heliograph.store.postgres.store import PostgresStore
from heliograph.testing.postgres import Server

PATIENCE_S = 20.0
NORTH = CarrierId(1)


@dataclass
class Two:
    """Two processes on a store."""

    store: PostgresStore
    first: Company
    second: Company
    died: list[BaseException] = field(default_factory=list)

    async def alive(self) -> set[int]:
        picture = await self.second.look()
        return {each.owner for each in picture.owners if each.beat_at_ms}

    async def picture(self) -> Picture:
        return await self.second.look()


async def join(store: PostgresStore, died: list[BaseException]) -> Company:
    async with store.writing() as connection:
        owner, _ = await owners.join(connection, low_water_id=1, is_worker=True)
    return store.company(owner, died.append)


def tell(server: Server, story: Callable[[Two], Awaitable[None]]) -> None:
    address = server.new_database()

    async def told() -> None:
        store = await open_store(address, Path())
        assert isinstance(store, PostgresStore)
        died: list[BaseException] = []
        two = Two(store, await join(store, died), await join(store, died), died)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await story(two)
        finally:
            for company in (two.first, two.second):
                await company.close()
            await store.close()

    asyncio.run(told())


def test_a_beat_moves_by_the_servers_clock_and_everybody_sees_it(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        before = {each.owner: each for each in (await two.picture()).owners}
        await two.first.beat(low_water_id=77, sessions={5, 4})
        after = {each.owner: each for each in (await two.picture()).owners}
        first, second = two.first.owner, two.second.owner
        assert second > first
        assert before[first].node != before[second].node
        assert after[first].beat_at_ms > before[first].beat_at_ms
        assert (after[first].low_water_id, after[first].sessions) == (77, frozenset({4, 5}))
        assert (before[first].is_connected, after[first].is_connected) == (False, True)
        await two.first.beat(low_water_id=None, sessions=())
        assert {each.owner: each.low_water_id for each in (await two.picture()).owners}[first] == 77

    tell(postgres_server, story)


def test_a_dead_owner_is_shut_out_for_good(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        owner = two.first.owner
        writer = await two.store.serving_writer(owner, two.died.append)
        await two.first.take([(NORTH, 0)])
        await two.first.beat(low_water_id=1, sessions=())
        row = next(each for each in (await two.picture()).owners if each.owner == owner)
        assert await two.second.shut_out(owner, row.beat_at_ms)
        assert await two.alive() == {two.second.owner}
        assert (await two.picture()).slots == {}
        with pytest.raises(StoreUnavailable):
            await two.first.beat(low_water_id=1, sessions=())
        with pytest.raises(StoreUnavailable):
            await two.first.take([(NORTH, 0)])
        assert isinstance(two.died[0], OwnerGone)
        await writer.stop(patience_s=1)
        await two.second.forget(owner)
        assert [each.owner for each in (await two.picture()).owners] == [two.second.owner]
        assert (await join(two.store, [])).owner > two.second.owner

    tell(postgres_server, story)


def test_a_connection_whose_driver_has_lost_its_place_is_given_up(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does when the server ends a connection while a statement is prepared."""

    async def lost(*_: object) -> object:
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    async def story(two: Two) -> None:
        await two.first.beat(low_water_id=1, sessions=())
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "fetchval", lost)
            with pytest.raises(StoreUnavailable):
                await two.first.beat(low_water_id=1, sessions=())
        await two.first.beat(low_water_id=1, sessions=())
        assert not two.died

    tell(postgres_server, story)


def test_an_owner_that_has_beaten_since_is_not_shut_out(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        row = next(each for each in (await two.picture()).owners if each.owner == two.first.owner)
        await two.first.beat(low_water_id=1, sessions=())
        assert not await two.second.shut_out(two.first.owner, row.beat_at_ms)
        # Its connection was ended; the next one is as good.
        await two.first.beat(low_water_id=1, sessions=())
        assert not two.died

    tell(postgres_server, story)


def test_a_slot_has_one_owner(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        assert await two.first.take([(NORTH, 0), (NORTH, 1)]) == [(NORTH, 0), (NORTH, 1)]
        assert await two.second.take([(NORTH, 1), (NORTH, 2)]) == [(NORTH, 2)]
        await two.second.let_go([(NORTH, 0), (NORTH, 2)])
        assert (await two.picture()).slots == {(NORTH, 0): two.first.owner, (NORTH, 1): two.first.owner}

    tell(postgres_server, story)


def test_a_duty_is_one_process_s_until_its_connection_ends(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        assert await two.first.has_duty(4)
        assert not await two.second.has_duty(4)
        assert await two.second.has_duty(5)
        await two.first.close()
        assert await two.second.has_duty(4)
        assert not await two.first.has_duty(4)

    tell(postgres_server, story)


def test_what_one_says_the_others_hear(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        heard: asyncio.Queue[frozenset[CarrierId] | None] = asyncio.Queue()
        two.second.heard = heard.put_nowait
        await two.second.look()
        two.first.tell([NORTH, CarrierId(7)])
        assert await heard.get() == frozenset({NORTH, CarrierId(7)})
        await two.first.take([(NORTH, 0)])
        await two.first.let_go([(NORTH, 0)])
        assert await heard.get() is None

    tell(postgres_server, story)


def test_requests_of_all_processes_count_against_one_limit(postgres_server: Server) -> None:
    async def story(two: Two) -> None:
        account = AccountId(9)
        assert round((await two.first.spend([Spent(account, 60, 10)]))[account].left) == 50
        assert round((await two.second.spend([]))[account].left) == 50
        assert round((await two.second.spend([Spent(account, 60, 55)]))[account].left) in (-5, -4)
        assert round((await two.second.spend([Spent(account, 60, 1_000)]))[account].left) == -60

    tell(postgres_server, story)
