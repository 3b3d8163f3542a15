"""One measurement from beginning to end, with its progress on the terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from heliograph.cli.bench import orders, report
from heliograph.cli.bench.children import Child
from heliograph.cli.bench.crew import Crew, measured
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.stage import Plan, Stage, environ_for, stage
from heliograph.services.refused import Refused
from heliograph.testing import postgres


def measure(plan: Plan, *, is_watched: bool) -> report.Report:
    """Run the bench; is_watched: whether to show progress on standard error.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """

    async def measure(crew: Crew) -> report.Report:
        with _database(plan) as database:
            crew.environ = environ_for(crew.folder, os.environ, database=database)
            return await _Run(plan, crew).measure()

    return measured(measure, is_watched=is_watched)


@contextmanager
def _database(plan: Plan) -> Iterator[str]:
    """The address of an empty store; "" for a file in the folder."""
    if plan.database != "postgresql://":
        yield plan.database
        return
    try:
        with postgres.server(shared_buffers="1GB", max_wal_size="4GB") as running:
            yield running.address("postgres")
    except LookupError as error:
        raise Refused(str(error)) from error


class _Run:
    """The parts of one measurement."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._standing = crew.standing

    async def measure(self) -> report.Report:
        """Set up, warm up, load, wait, take down, and do the sums."""
        plan, crew, standing = self._plan, self._crew, self._standing
        records = FarRecords(plan.sent)
        order = FarOrder(first=orders.FIRST, messages=plan.sent, records=str(crew.folder / "far.records"))
        async with crew.started("far", order) as far:
            await standing.until(lambda counts: "webhook_port" in counts)
            async with stage(plan, crew.folder, environ=crew.environ, standing=standing) as staged:
                await self._warm_up(staged)
                load, server, bench_cpu_s = await self._load(staged, far)
            await crew.read(far, records, path=order.records)
        return report.report(plan, load=load, far=records, server=server, machine=crew.machine(bench_cpu_s))

    async def _warm_up(self, staged: Stage) -> None:
        plan, standing = self._plan, self._standing
        if not await standing.until(lambda counts: counts.get("sessions", 0) > 0):
            raise Refused("The server of the bench did not bind to the message centre.")
        order = self._load_order(staged, first=orders.WARM_UP_FIRST, requests=plan.warm_up_requests)
        messages = plan.warm_up_requests * plan.per_request
        async with self._crew.started("load", order) as load:
            is_told = await standing.until(lambda counts: counts["told"] >= messages)
            await self._crew.read(load, LoadRecords(order.requests), path=order.records)
        if not is_told:
            raise Refused("The server of the bench did not deliver the first messages.")

    async def _load(self, staged: Stage, far: Child) -> tuple[LoadRecords, report.Cost, float]:
        plan, standing = self._plan, self._standing
        told = standing.counts["told"]
        standing.counts |= {"accepted": 0, "done": 0}
        self._crew.draw(dict.fromkeys(("accepted", "submitted", "told"), plan.sent))
        order = self._load_order(staged, first=orders.FIRST, requests=plan.requests)
        used, far_used, commits = staged.server.cpu_s(), far.cpu_s(), await staged.commits()
        async with self._crew.started("load", order) as load:
            await standing.until(lambda counts: bool(counts["done"]) and counts["told"] - told >= counts["accepted"])
            server = report.cost(
                cpu_s=staged.server.cpu_s() - used,
                peak_memory_mb=staged.server.peak_memory_mb(),
                commits=await staged.commits() - commits,
                messages=plan.sent,
            )
            bench_cpu_s = far.cpu_s() - far_used + load.cpu_s()
            records = LoadRecords(plan.requests)
            await self._crew.read(load, records, path=order.records)
        return records, server, bench_cpu_s

    def _load_order(self, staged: Stage, *, first: int, requests: int) -> LoadOrder:
        return LoadOrder(
            port=staged.port,
            api_key=staged.api_key,
            first=first,
            requests=requests,
            per_request=self._plan.per_request,
            connections=self._plan.connections,
            rate=self._plan.rate / self._plan.per_request,
            records=str(self._crew.folder / "load.records"),
        )
