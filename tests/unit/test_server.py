"""The whole server, in this process: one at a time on its data, seen by what it answers."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.config import Settings
from heliograph.net.clock import SystemClock
from heliograph.server import serve, spawning
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.keys import Keys
from heliograph.store.engine import StoreRefused
from heliograph.store.opening import open_sqlite
from heliograph.store.sqlite import SqliteStore

PATIENCE_S = 5.0
SOON_S = 1.0

Story = Callable[[str, SqliteStore], Awaitable[None]]


def settings_for(folder: Path) -> Settings:
    return Settings(data=folder, listen="127.0.0.1:0")


async def served(folder: Path, story: Story) -> None:
    """Tell a story while a server runs; then it ends, quickly and in good order."""
    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(serve(settings_for(folder), started=up.set_result))
    async with asyncio.timeout(4 * PATIENCE_S):
        waiting: list[asyncio.Future[Any]] = [serving, up]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        store = open_sqlite("", folder)
        try:
            await story(up.result(), store)
        finally:
            await store.close()
            began = time.monotonic()
            serving.cancel()
            await asyncio.wait([serving])
    assert serving.cancelled()
    assert time.monotonic() - began < PATIENCE_S


def test_what_is_to_be_started_after_the_end_is_dropped() -> None:
    done: list[str] = []

    async def work(word: str) -> None:
        done.append(word)

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            spawn = spawning(group)
            spawn(work("before"))
        spawn(work("after"))

    asyncio.run(story())
    assert done == ["before"]


async def get(address: str, *, api_key: str | None = None) -> tuple[int, str]:
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as answer:
        return answer.status, await answer.text()


async def soon(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds; it must within a second."""
    async with asyncio.timeout(SOON_S):
        while not await is_so():  # noqa: ASYNC110 (it is asked over a socket)
            await asyncio.sleep(0.02)


def test_the_pages_for_machines(tmp_path: Path) -> None:
    async def story(address: str, _store: SqliteStore) -> None:
        assert await get(f"{address}/livez") == (200, '{"alive":true}')
        assert await get(f"{address}/readyz") == (200, '{"ready":true,"waits_for":[]}')
        status, figures = await get(f"{address}/metrics")
        assert status == 200
        assert "heliograph_" in figures
        status, page = await get(f"{address}/openapi.json")
        assert (status, json.loads(page)["openapi"][:4]) == (200, "3.1.")
        assert "webhooks" in json.loads(page)

    asyncio.run(served(tmp_path, story))


def test_a_second_server_on_the_same_data_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def story(address: str, _store: SqliteStore) -> None:
        with pytest.raises(StoreRefused, match="another process serves the data in"):
            await serve(settings_for(tmp_path), started=lambda _: None)
        assert (await get(f"{address}/livez"))[0] == 200

    asyncio.run(served(tmp_path, story))


def test_the_next_server_finds_what_the_last_one_left(tmp_path: Path) -> None:
    keys: list[str] = []

    async def first(address: str, store: SqliteStore) -> None:
        keys.append((await Accounts(store, SystemClock()).add("acme", amount=1_000_000)).api_key)
        assert (await get(f"{address}/sms/balance", api_key=keys[0]))[0] == 200

    async def second(address: str, _store: SqliteStore) -> None:
        status, page = await get(f"{address}/sms/balance", api_key=keys[0])
        assert (status, json.loads(page)["CreditsAvailable"]) == (200, 1)

    asyncio.run(served(tmp_path, first))
    asyncio.run(served(tmp_path, second))


def test_a_key_works_at_once_and_stops_working_within_a_second(tmp_path: Path) -> None:
    async def story(address: str, store: SqliteStore) -> None:
        api_key = (await Accounts(store, SystemClock()).add("acme")).api_key

        async def is_shut() -> bool:
            return (await get(f"{address}/sms/balance", api_key=api_key))[0] == 401

        assert not await is_shut()
        await Keys(store, SystemClock()).revoke(int(api_key.partition("|")[0]))
        await soon(is_shut)

    asyncio.run(served(tmp_path, story))


def test_a_new_carrier_is_connected_within_a_second(tmp_path: Path) -> None:
    async def story(address: str, store: SqliteStore) -> None:
        carriers = Carriers(store, SystemClock(), kinds=KINDS)
        await carriers.add("loop", CarrierOptions(url="loopback:"))

        async def is_bound() -> bool:
            _, figures = await get(f"{address}/metrics")
            return 'heliograph_carrier_sessions{carrier="loop"} 1.0' in figures.splitlines()

        await soon(is_bound)

    asyncio.run(served(tmp_path, story))
