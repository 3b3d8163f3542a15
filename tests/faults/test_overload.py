"""More than can be carried, and more than can be stored: refused soon and in the caller's words, and over at once."""

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.sandbox.habits import Habits
from heliograph.testing.postgres import Server
from heliograph.testing.served import Reply, Requests
from tests.faults.pressure import Pressure, memory_mb, offered_by_another, percentile, touchbasepro
from tests.faults.rig import Rig, live, rig
from tests.stories import lasting

CARRIED = 60
"""Messages a second that the carrier takes."""

TENFOLD = 10 * CARRIED
MEMORY, STORE = 100, 300
"""As few as the limits may be, so that they are reached in a second."""

GROWTH_MB = 40
QUICK_S = 1.0

MINUTES_S = 150

FLOOD = 80_000
"""Requests a second: some ten times what two cores store."""

FLOOD_CALLERS = 8_000
FLOOD_ANSWER_S = 5.0
FLOOD_MB = 400

SMALL = {"HELIOGRAPH_MEMORY_LIMIT": str(MEMORY), "HELIOGRAPH_MESSAGE_LIMIT": str(STORE)}


@asynccontextmanager
async def slow_carrier(data: Path, database: str = "", **environ: str) -> AsyncIterator[Rig]:
    """A carrier that takes what it can, of a server with small limits."""
    async with rig(data, Policy.RESEND, habits=Habits(), database=database, environ=SMALL | environ) as it:
        await it.commands.run("carrier", "set", "north", "--throughput", str(CARRIED))
        await it.served.start()
        assert (await it.customer.send(1)).status == 202
        yield it


async def in_every_dialect(it: Rig) -> dict[str, Reply]:
    """The same message in each of them."""
    user = (await it.commands.run("account", "show", "acme"))["user"]
    basic = base64.b64encode(f"{user}:{it.api_key}".encode()).decode()
    async with Requests(it.served.port, it.api_key) as requests:
        bulkvs = b'{"From": "13109060901", "To": "13105551212", "Message": "Hello"}'
        textboost = b'{"recipient": "31612345678", "sender_id": "YourName", "message": "Hello"}'
        return {
            "touchbasepro": await requests.send(["27831234567"], "Hello"),
            "bulkvs": await requests.ask("POST", "/messageSend", bulkvs, headers={"Authorization": f"Basic {basic}"}),
            "textboost": await requests.ask("POST", "/api/v3/sms/send", textboost),
        }


async def back_to_normal(it: Rig, *, seconds: float) -> None:
    """Wait until a message is accepted at once, three times in a row."""
    good = 0
    async with asyncio.timeout(seconds):
        while good < 3:
            asked = time.monotonic()
            reply = await it.customer.send(1)
            good = good + 1 if reply.status == 202 and time.monotonic() - asked < QUICK_S else 0
            await asyncio.sleep(0.1)


async def story(it: Rig, *, rate: float, seconds: float, most_open: int, growth_mb: float = GROWTH_MB) -> None:
    """An overload, what is said of it, and its end."""
    before, most = memory_mb(it.served.pids()), 0.0
    pressure = Pressure(it.served.port, touchbasepro(it.api_key), most_open=most_open)
    offering = asyncio.create_task(pressure.offer(rate, seconds))
    told: dict[str, Reply] = {}
    while not offering.done():
        await asyncio.wait([offering], timeout=0.2)
        most = max(most, memory_mb(it.served.pids()))
        if 429 in pressure.record.shown and not told:
            told = await in_every_dialect(it)
    record = await offering
    statuses = record.statuses()
    assert set(statuses) == {202, 429}, statuses
    assert statuses[429] > statuses[202] / 2, statuses
    assert percentile(record.seconds(202), 99) < QUICK_S
    assert percentile(record.seconds(429), 99) < QUICK_S
    assert most - before < growth_mb, (before, most)
    assert {name: reply.status for name, reply in told.items()} == {
        "touchbasepro": 429,
        "bulkvs": 503,
        "textboost": 503,
    }
    for reply in told.values():
        assert int(reply.headers["retry-after"]) > 0
        assert reply.json()
    await back_to_normal(it, seconds=60)


@live
async def test_ten_times_what_the_carrier_takes_is_refused_soon_and_is_over_soon(tmp_path: Path) -> None:
    async with slow_carrier(tmp_path) as it:
        await story(it, rate=TENFOLD, seconds=2.5, most_open=200)


@live
async def test_the_same_on_postgresql(tmp_path: Path, postgres_server: Server) -> None:
    database = await asyncio.to_thread(postgres_server.new_database)
    async with slow_carrier(tmp_path, database) as it:
        await story(it, rate=TENFOLD, seconds=2.5, most_open=200)


@pytest.mark.long
@pytest.mark.parametrize("on_server", [False, True], ids=["sqlite", "postgresql"])
@lasting(MINUTES_S + 90)
async def test_minutes_of_it(tmp_path: Path, postgres_server: Server, on_server: bool) -> None:
    database = await asyncio.to_thread(postgres_server.new_database) if on_server else ""
    async with slow_carrier(tmp_path, database) as it:
        await story(it, rate=TENFOLD, seconds=MINUTES_S, most_open=500)


@pytest.mark.long
@pytest.mark.parametrize("on_server", [False, True], ids=["sqlite", "postgresql"])
@lasting(MINUTES_S + 180)
async def test_minutes_of_ten_times_what_can_be_stored(
    tmp_path: Path, postgres_server: Server, on_server: bool
) -> None:
    """`pytest -rP` shows the figures."""
    database = await asyncio.to_thread(postgres_server.new_database) if on_server else ""
    async with rig(tmp_path, Policy.RESEND, habits=Habits(), database=database) as it:
        await it.commands.run("account", "topup", "acme", "10000000")
        await it.commands.run("carrier", "set", "north", "--throughput", str(CARRIED))
        await it.served.start()
        assert (await it.customer.send(1)).status == 202
        before, most = memory_mb(it.served.pids()), 0.0
        flood = offered_by_another(it.served.port, it.api_key, rate=FLOOD, seconds=MINUTES_S, most_open=FLOOD_CALLERS)
        offering = asyncio.create_task(flood)
        while not offering.done():
            await asyncio.wait([offering], timeout=1)
            most = max(most, memory_mb(it.served.pids()))
        told = await offering
        sys.stdout.write(f"{told}; memory {before:.0f} MB before, {most:.0f} MB at most\n")
        assert set(told.statuses) <= {202, 429, 503}, told
        assert all(most_s < FLOOD_ANSWER_S for _, most_s in told.seconds.values()), told
        assert most < FLOOD_MB, (before, most)
        await back_to_normal(it, seconds=60)
        stored = told.statuses[202] + len(it.customer.accepted)
        assert await it.served.stop() == 0
        account, audit = await asyncio.gather(it.account(), it.commands.run("audit"))
        assert audit["is_clean"], audit["findings"]
        assert account.held + account.captured == stored


async def hung(it: Rig) -> tuple[list[asyncio.Task[Reply]], Reply]:
    """Send until somebody is refused; those who wait for an answer, and the refusal."""
    waiting: list[asyncio.Task[Reply]] = []
    async with asyncio.timeout(20):
        while True:
            sent = asyncio.create_task(it.customer.send(1))
            await asyncio.wait([sent], timeout=0.5)
            if sent.done() and (reply := sent.result()).status == 429:
                return waiting, reply
            waiting.append(sent)


@live
async def test_a_store_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND, habits=Habits()) as it:
        await it.served.start()
        assert (await it.customer.send(1)).status == 202
        _, writer = it.served.pids()
        os.kill(writer, signal.SIGSTOP)
        try:
            waiting, refused = await hung(it)
            assert int(refused.headers["retry-after"]) > 0
        finally:
            os.kill(writer, signal.SIGCONT)
        # Who waited was not told that it failed, and it did not.
        assert {reply.status for reply in await asyncio.gather(*waiting)} == {202}
        await back_to_normal(it, seconds=10)
