"""Several processes on one store: one is killed, hangs, stops or is replaced under load, and the others go on."""

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.testing.postgres import Server
from heliograph.testing.postgres import server as durable
from heliograph.testing.served import Reply, Requests, Served
from tests.faults.rig import SHORT, WINDOW, Rig, live, rig, until

MOST = 200
TAKEN_OVER_S = 10.0
SILENT_S, AWAY_S = 4.0, 2.0
"""Everybody is refused after a second at most, and what this machine takes for it besides."""

SECOND_S = 1.0
RESEND, HOLD = Policy.RESEND, Policy.HOLD


@asynccontextmanager
async def beside(it: Rig, **settings: str) -> AsyncIterator[Served]:
    """One more process on the store of a rig, that has not started yet."""
    environ = {"HELIOGRAPH_DATABASE": it.database, "HELIOGRAPH_DATABASE_UNSAFE": "true", **settings}
    async with Served(it.served.data, environ) as other:
        yield other


@contextmanager
def hanging(postgres: Server) -> Iterator[None]:
    """The server answers nobody."""
    postgres.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        postgres.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("policy", "how"),
    [(RESEND, signal.SIGKILL), pytest.param(HOLD, signal.SIGSTOP, marks=pytest.mark.long)],
    ids=["kill", "hang"],
)
@live
async def test_what_a_worker_leaves_goes_on_within_ten_seconds(
    tmp_path: Path, postgres_server: Server, policy: Policy, how: signal.Signals
) -> None:
    database = await asyncio.to_thread(postgres_server.new_database)
    async with rig(tmp_path, policy, database=database) as it, beside(it) as worker:
        await worker.start()
        await until(lambda: it.centre.sessions == 1)
        await it.served.start()
        load = asyncio.create_task(it.customer.load(MOST))
        await until(lambda: len(it.submits()) >= 40)
        before = len(it.submits())
        worker.send(how)
        began = time.monotonic()
        await until(lambda: len(it.submits()) > before + WINDOW)
        assert time.monotonic() - began < TAKEN_OVER_S
        await load
        worker.send(signal.SIGCONT)
        outcome = await it.settle()
        outcome.check(policy)
        assert await worker.died() != 0


@pytest.mark.long
@live
async def test_every_process_is_replaced_under_load_and_nobody_is_refused(
    tmp_path: Path, postgres_server: Server
) -> None:
    database = await asyncio.to_thread(postgres_server.new_database)
    two = {"HELIOGRAPH_PROCESSES": "2"}
    async with rig(tmp_path, HOLD, database=database, environ=two, sessions=2) as it:
        await it.served.start()
        await until(lambda: it.centre.sessions == 2)
        children = it.served.pids()[1:]
        over = asyncio.Event()

        async def load() -> None:
            while not over.is_set():
                assert (await it.customer.send(1)).status == 202

        async def keep() -> None:
            """The same on a connection that is kept as long as the server says nothing else."""
            while not over.is_set():
                async with Requests(it.served.port, it.api_key) as requests:
                    headers: Mapping[str, str] = {}
                    while not ("connection" in headers or over.is_set()):
                        reply = await it.customer.request(requests, it.customer.fresh(SHORT, 1), SHORT)
                        assert reply.status == 202
                        headers = reply.headers
                        await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(each()) for each in (load, load, load, keep, keep, keep)]
            await until(lambda: len(it.submits()) >= 20)
            it.served.send(signal.SIGHUP)
            await until(lambda: len(set(it.served.pids()[1:]) - set(children)) == 2 and len(it.served.pids()) == 3)
            before = len(it.submits())
            await until(lambda: len(it.submits()) >= before + 20)
            over.set()
            await asyncio.wait(callers)
        outcome = await it.settle()
        outcome.check(HOLD, window=0)


@live
async def test_a_server_that_hangs_is_away_within_a_second_and_work_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with durable() as postgres:
        async with rig(tmp_path, HOLD, database=postgres.address("postgres")) as it, beside(it) as other:
            await it.served.start()
            await other.start()
            await until(lambda: it.centre.sessions == 1)
            assert (await it.customer.send(1)).status == 202
            connections = it.wire.connections
            with hanging(postgres):
                silent_until = time.monotonic() + SILENT_S
                while time.monotonic() < silent_until:
                    began = time.monotonic()
                    assert (await it.customer.send(1)).status == 500
                    assert time.monotonic() - began < AWAY_S
            load = asyncio.create_task(it.customer.load(MOST))
            await until(lambda: len(it.submits()) >= 20)
            await load
            assert it.wire.connections == connections, "the session was given up"
            outcome = await it.settle()
            outcome.check(HOLD, window=0)
            assert await other.stop() == 0


@live
async def test_processes_reach_each_other_at_once(tmp_path: Path, postgres_server: Server) -> None:
    database = await asyncio.to_thread(postgres_server.new_database)
    api = {"HELIOGRAPH_ROLE": "api", "HELIOGRAPH_RATE_LIMIT": "120"}
    async with (
        rig(tmp_path, RESEND, database=database, environ=api) as it,
        beside(it, **api) as second,
        beside(it, HELIOGRAPH_ROLE="worker") as worker,
    ):
        for each in (worker, it.served, second):
            await each.start()
        await until(lambda: it.centre.sessions == 1)
        it.customer.writes_long = False
        began = time.monotonic()
        took = [await _way_to_the_carrier(it) for _ in range(40)]
        # 5 ms at the median where nothing else runs; where tests run side by side, some are late.
        assert statistics.quantiles(took)[0] < 0.05, took
        await asyncio.sleep(SECOND_S)
        statuses = [(await _send(it, second)).status for _ in range(100)]
        # Two a second come to the hundred and twenty, and what the processes had not told each other yet.
        most = 120 + 2 * (time.monotonic() - began) + 10
        assert 110 <= 40 + statuses.count(202) <= most, statuses
        await it.commands.run("account", "suspend", "acme")
        await asyncio.sleep(SECOND_S)
        assert [(await _send(it, each)).status for each in (it.served, second)] == [403, 403]
        outcome = await it.settle()
        outcome.check(RESEND, window=0)
        assert await second.stop() == 0
        assert await worker.stop() == 0


async def _send(it: Rig, served: Served) -> Reply:
    """One message by way of a process."""
    async with Requests(served.port, it.api_key) as requests:
        return await it.customer.request(requests, it.customer.fresh(SHORT, 1), SHORT)


async def _way_to_the_carrier(it: Rig) -> float:
    """Seconds from the answer to a request until the carrier has the message."""
    before = len(it.centre.received)
    assert (await it.customer.send(1)).status == 202
    began = time.monotonic()
    while len(it.centre.received) == before:  # noqa: ASYNC110 (another process sets no event of ours)
        await asyncio.sleep(0.0005)
    return time.monotonic() - began


@pytest.mark.long
@live
async def test_children_end_with_their_parent(tmp_path: Path, postgres_server: Server) -> None:
    database = await asyncio.to_thread(postgres_server.new_database)
    async with rig(tmp_path, RESEND, database=database, environ={"HELIOGRAPH_PROCESSES": "2"}) as it:
        await it.served.start()
        children = it.served.pids()[1:]
        await it.served.kill()
        await until(lambda: not any(Path(f"/proc/{child}/stat").exists() for child in children))
