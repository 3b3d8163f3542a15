"""One measurement from beginning to end, with its progress on the terminal."""

import asyncio
import os
import time
from typing import Final

from heliograph.cli.bench import orders, report
from heliograph.cli.bench.children import IDLE_S, Child
from heliograph.cli.bench.costs import Reading, Spent
from heliograph.cli.bench.crew import Crew, measured
from heliograph.cli.bench.database import Database, check, database
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.shares import shares
from heliograph.cli.bench.stage import Plan, Stage, environ_for, stage
from heliograph.services.refused import Refused

_LOOK_S: Final = 0.2


def measure(plan: Plan, *, is_watched: bool) -> report.Report:
    """Run the bench; is_watched: whether to show progress on standard error.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """

    async def measure(crew: Crew) -> report.Report:
        check(plan, cores=crew.cores)
        with database(plan) as store:
            crew.environ = environ_for(crew.folder, os.environ, database=store.address)
            return await _Run(plan, crew, store).measure()

    return measured(measure, is_watched=is_watched)


class _Run:
    """The parts of one measurement."""

    def __init__(self, plan: Plan, crew: Crew, store: Database) -> None:
        self._plan = plan
        self._crew = crew
        self._store = store
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
                with shares(staged.families(), plan.process_share):
                    load, spent = await self._load(staged, far)
            await crew.read(far, records, path=order.records)
        machine = crew.machine(spent.load_cpu_s + spent.far_cpu_s)
        return report.report(plan, load=load, far=records, spent=spent, machine=machine)

    async def _warm_up(self, staged: Stage) -> None:
        plan, standing = self._plan, self._standing
        if not await standing.until(lambda counts: counts.get("sessions", 0) >= plan.processes):
            raise Refused("The server of the bench did not bind to the message centre.")
        await _shared_out(staged)
        order = self._load_order(staged, first=orders.WARM_UP_FIRST, requests=plan.warm_up_requests)
        messages = plan.warm_up_requests * plan.per_request
        async with self._crew.started("load", order) as load:
            is_told = await standing.until(lambda counts: counts["told"] >= messages)
            await self._crew.read(load, LoadRecords(order.requests), path=order.records)
        if not is_told:
            raise Refused("The server of the bench did not deliver the first messages.")

    async def _load(self, staged: Stage, far: Child) -> tuple[LoadRecords, Spent]:
        plan, standing = self._plan, self._standing
        told = standing.counts["told"]
        standing.counts |= {"accepted": 0, "done": 0}
        self._crew.draw(dict.fromkeys(("accepted", "submitted", "told"), plan.sent))
        order = self._load_order(staged, first=orders.FIRST, requests=plan.requests)
        before = await self._read(staged, far)
        async with self._crew.started("load", order) as load:
            await standing.until(lambda counts: bool(counts["done"]) and counts["told"] - told >= counts["accepted"])
            after = await self._read(staged, far)
            spent = Spent(
                before,
                after,
                load_cpu_s=load.cpu_s(),
                peak_memory_mb=staged.server.peak_memory_mb(),
                database_memory_mb=self._store.memory_mb(),
            )
            records = LoadRecords(plan.requests)
            await self._crew.read(load, records, path=order.records)
        return records, spent

    async def _read(self, staged: Stage, far: Child) -> Reading:
        return Reading(
            server_cpu_s=staged.server.cpu_s(),
            far_cpu_s=far.cpu_s(),
            commits=await staged.commits(),
            database_cpu_s=self._store.cpu_s(),
            footprint=await self._store.footprint(),
        )

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


async def _shared_out(staged: Stage) -> None:
    """Wait until every process has a session. The first one takes all, and lets them go one after the other."""
    give_up_at = time.monotonic() + IDLE_S
    while not await staged.is_shared_out():
        if time.monotonic() > give_up_at:
            raise Refused("The processes of the bench's server did not share out the sessions.")
        await asyncio.sleep(_LOOK_S)
