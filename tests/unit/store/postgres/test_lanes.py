"""Hops with a lane of their own do not wait for others, and each lane keeps its order."""

import asyncio
from typing import Any

import asyncpg

from heliograph.store.hop import Hop
from heliograph.store.hops.statements import Script, Statement
from heliograph.store.postgres.lanes import APART, Lanes
from heliograph.store.postgres.writer import PostgresWriter
from heliograph.testing.postgres import Server

_NOTE = Statement("select count(*) from ({rows}) j", columns="int")
_SLEEP = Statement("select pg_sleep(0.2)", returns=True)


def _quick(requests: list[int]) -> Script[list[int]]:
    yield _NOTE.about([(each,) for each in requests])
    return requests


def _slow(requests: list[int]) -> Script[list[int]]:
    yield _SLEEP.alone()
    return requests


def test_what_is_settled_does_not_wait_for_what_is_grouped(postgres_server: Server) -> None:
    told: list[tuple[str, int]] = []

    address = postgres_server.new_database()

    async def story() -> None:
        def make() -> PostgresWriter:
            return PostgresWriter(lambda: asyncpg.connect(address))

        lanes = Lanes(make(), make)
        await lanes.open()
        ended = asyncio.Event()

        def put(hop: Hop[int, int], number: int) -> None:
            def done(result: Any) -> None:
                told.append((hop.name, result))
                if len(told) == len(APART) + 3:
                    ended.set()

            lanes.put(hop, number, done)

        put(Hop("notify", lambda _: 1, _slow), 1)
        put(Hop("notify", lambda _: 1, _quick), 2)
        for number, name in enumerate((*APART, APART[0])):
            put(Hop(name, lambda _: 1, _quick), number)
        await asyncio.wait_for(ended.wait(), 10)
        assert lanes.commits >= len(APART) + 1
        await lanes.stop(patience_s=5)

    asyncio.run(story())
    assert [name for name, _ in told[-2:]] == ["notify", "notify"]
    assert [number for name, number in told if name == "notify"] == [1, 2]
    assert [number for name, number in told if name == APART[0]] == [0, len(APART)]
