"""kill -9 on PostgreSQL: the same stories as on SQLite, and what only a server can do."""

import asyncio
import signal
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.testing.postgres import Server
from heliograph.testing.postgres import server as durable
from tests.faults.rig import WINDOW, live, rig, until

MOST = 200
RESEND, HOLD = Policy.RESEND, Policy.HOLD
POINTS = (
    ("accept.stored", HOLD, 12),
    ("accept.committed", RESEND, 12),
    ("mark.committed", HOLD, 6),
    ("settle.stored", RESEND, 6),
    ("settle.committed", HOLD, 6),
    ("notify.stored", RESEND, 1),
)


async def story(data: Path, database: str, *, point: str, policy: Policy, count: int) -> None:
    async with rig(data, policy, database=database) as it:
        await it.served.start_doomed(point, count)
        await it.customer.load(MOST)
        assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)
        await it.served.start()
        outcome = await it.settle()
        outcome.check(policy, window=WINDOW)


@pytest.mark.parametrize("stories", [POINTS[:3], POINTS[3:]], ids=["accept+mark", "settle+notify"])
@live
async def test_a_kill_costs_no_more_than_promised(
    tmp_path: Path, postgres_server: Server, stories: tuple[tuple[str, Policy, int], ...]
) -> None:
    async with asyncio.TaskGroup() as group:
        for place, (point, policy, count) in enumerate(stories):
            database = await asyncio.to_thread(postgres_server.new_database)
            told = story(tmp_path / str(place), database, point=point, policy=policy, count=count)
            group.create_task(told)


@live
async def test_a_server_that_crashes_under_load_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    with durable() as postgres:
        async with rig(tmp_path, RESEND, database=postgres.address("postgres")) as it:
            await it.served.start()
            load = asyncio.create_task(it.customer.load(2 * MOST))
            await until(lambda: len(it.submits()) >= 40)
            await asyncio.to_thread(postgres.stop, "immediate")
            reply = await it.customer.send(1)
            assert reply.status == 500
            await asyncio.to_thread(postgres.start)
            await load
            outcome = await it.settle()
            outcome.check(RESEND, window=WINDOW)
