"""A long queue at start: it begins to move at once, in bounded memory, and nobody else waits for its end."""

import asyncio
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.sandbox.habits import Habits
from heliograph.testing.postgres import Server
from tests.faults.backlog import FIRST, fill
from tests.faults.pressure import memory_mb
from tests.faults.rig import live, rig, until

FIRST_S = 30.0
"""After the start of the server the first of them is at the carrier."""

FRESH_S = 5.0
MOST_MB = 200
"""Of the server with the process that writes for it, each with what they share."""


async def story(data: Path, database: str, *, count: int, moved: int) -> None:
    async with rig(data, Policy.RESEND, habits=Habits(has_fates=False), database=database) as it:
        await it.commands.run("account", "add", "hoarder", "--credits", "1")
        # It takes long enough that the queue is still long when somebody else comes.
        await it.commands.run("carrier", "set", "north", "--throughput", "300")
        await fill(data, database, count=count, account=2)
        starting = asyncio.create_task(it.served.start())
        await until(lambda: len(it.centre.received) > 0, seconds=FIRST_S)
        await starting
        await until(lambda: len(it.centre.received) >= moved, seconds=FIRST_S + moved / 30)
        reply = await it.customer.send(1)
        assert reply.status == 202
        (fresh,) = it.customer.tried
        await until(lambda: any(each.pdu.destination_addr == fresh for each in it.centre.received), seconds=FRESH_S)
        assert memory_mb(it.served.pids()) < MOST_MB
        others = [each.pdu.destination_addr for each in it.centre.received if each.pdu.destination_addr != fresh]
        assert {int(each) for each in others} <= set(range(FIRST, FIRST + count))
        assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("count", "moved"), [pytest.param(100_000, 100), pytest.param(1_000_000, 5_000, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("on_server", [False, True], ids=["sqlite", "postgresql"])
@live
async def test_a_long_queue_moves_at_once_and_nobody_else_waits_for_it(
    tmp_path: Path, postgres_server: Server, on_server: bool, count: int, moved: int
) -> None:
    database = await asyncio.to_thread(postgres_server.new_database) if on_server else ""
    await story(tmp_path, database, count=count, moved=moved)
