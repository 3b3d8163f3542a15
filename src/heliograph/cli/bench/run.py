"""One measurement from beginning to end, with its progress on the terminal."""

import asyncio
import os
import platform
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from heliograph.cli.bench import orders, report
from heliograph.cli.bench.children import Child, Standing, child
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.stage import Plan, Stage, disk_of, environ_for, stage
from heliograph.services.refused import Refused


def measure(plan: Plan, *, is_watched: bool) -> report.Report:
    """Run the bench; is_watched: whether to show progress on standard error.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """
    if not Path("/proc/self/stat").exists():
        raise Refused("The bench reads what processes use from /proc, which this system does not have.")
    try:
        return asyncio.run(_measure(plan, is_watched=is_watched))
    except asyncio.CancelledError:
        # SIGTERM; asyncio makes the same of SIGINT.
        raise KeyboardInterrupt from None


async def _measure(plan: Plan, *, is_watched: bool) -> report.Report:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    progress = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        disable=not is_watched,
        transient=True,
    )
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as made, progress:
        return await _Run(plan, folder=Path(made), progress=progress).measure()


class _Run:
    """The parts of one measurement."""

    def __init__(self, plan: Plan, *, folder: Path, progress: Progress) -> None:
        self._plan = plan
        self._folder = folder
        self._environ = environ_for(folder, os.environ)
        self._progress = progress
        self._standing = Standing()

    async def measure(self) -> report.Report:
        """Set up, warm up, load, wait, take down, and do the sums."""
        plan, standing = self._plan, self._standing
        records = FarRecords(plan.sent)
        order = FarOrder(first=orders.FIRST, messages=plan.sent, records=str(self._folder / "far.records"))
        async with self._started("far", order) as far:
            await standing.until(lambda counts: "webhook_port" in counts)
            async with stage(plan, self._folder, environ=self._environ, standing=standing) as staged:
                await self._warm_up(staged)
                load, server, bench_cpu_s = await self._load(staged, far)
            await self._read(far, records, path=order.records)
        return report.report(plan, load=load, far=records, server=server, machine=self._machine(bench_cpu_s))

    async def _warm_up(self, staged: Stage) -> None:
        plan, standing = self._plan, self._standing
        if not await standing.until(lambda counts: counts.get("sessions", 0) > 0):
            raise Refused("The server of the bench did not bind to the message centre.")
        order = self._load_order(staged, first=orders.WARM_UP_FIRST, requests=plan.warm_up_requests)
        messages = plan.warm_up_requests * plan.per_request
        async with self._started("load", order) as load:
            is_told = await standing.until(lambda counts: counts["told"] >= messages)
            await self._read(load, LoadRecords(order.requests), path=order.records)
        if not is_told:
            raise Refused("The server of the bench did not deliver the first messages.")

    async def _load(self, staged: Stage, far: Child) -> tuple[LoadRecords, report.Cost, float]:
        plan, standing = self._plan, self._standing
        told = standing.counts["told"]
        standing.counts |= {"accepted": 0, "done": 0}
        self._show()
        order = self._load_order(staged, first=orders.FIRST, requests=plan.requests)
        used, far_used, commits = staged.server.cpu_s(), far.cpu_s(), await staged.commits()
        async with self._started("load", order) as load:
            await standing.until(lambda counts: bool(counts["done"]) and counts["told"] - told >= counts["accepted"])
            server = report.cost(
                cpu_s=staged.server.cpu_s() - used,
                peak_memory_mb=staged.server.peak_memory_mb(),
                commits=await staged.commits() - commits,
                messages=plan.sent,
            )
            bench_cpu_s = far.cpu_s() - far_used + load.cpu_s()
            records = LoadRecords(plan.requests)
            await self._read(load, records, path=order.records)
        return records, server, bench_cpu_s

    def _show(self) -> None:
        """Draw progress from here on; what was counted before, the warm-up, is left out."""
        counts, progress = self._standing.counts, self._progress
        begun = dict(counts)
        tasks = {name: progress.add_task(name, total=self._plan.sent) for name in ("accepted", "submitted", "told")}

        def show() -> None:
            for name, task in tasks.items():
                progress.update(task, completed=counts[name] - begun[name])
            progress.refresh()

        self._standing.show = show

    def _load_order(self, staged: Stage, *, first: int, requests: int) -> LoadOrder:
        return LoadOrder(
            port=staged.port,
            api_key=staged.api_key,
            first=first,
            requests=requests,
            per_request=self._plan.per_request,
            connections=self._plan.connections,
            rate=self._plan.rate / self._plan.per_request,
            records=str(self._folder / "load.records"),
        )

    @asynccontextmanager
    async def _started(self, module: str, order: LoadOrder | FarOrder) -> AsyncIterator[Child]:
        """A process of the bench's own, with its order."""
        arguments = ("-m", f"heliograph.cli.bench.{module}")
        hear = self._standing.hear
        async with child(module, arguments, folder=self._folder, environ=self._environ, hear=hear) as started:
            started.order(msgspec.json.encode(order))
            self._standing.watched.append(started)
            try:
                yield started
            finally:
                with suppress(ValueError):
                    self._standing.watched.remove(started)

    async def _read(self, child: Child, records: LoadRecords | FarRecords, *, path: str) -> None:
        """Let a process end, and read what it wrote down."""
        self._standing.watched.remove(child)
        await child.finish()
        orders.read(records, path)

    def _machine(self, bench_cpu_s: float) -> report.Machine:
        return report.Machine(
            cores=len(os.sched_getaffinity(0)),
            python=platform.python_version(),
            disk=disk_of(self._folder.resolve(), Path("/proc/mounts").read_text()),
            bench_cpu_s=round(bench_cpu_s, 2),
        )
