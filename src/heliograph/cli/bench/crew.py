"""The bench's own processes on one throw-away folder: each has an order, is heard, and writes down what it saw."""

import asyncio
import os
import platform
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from heliograph.cli.bench import orders, report
from heliograph.cli.bench.children import Child, Standing, child
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.stage import disk_of, environ_for
from heliograph.services.refused import Refused

T = TypeVar("T")


class Crew:
    """Who takes part in one measurement. progress: to draw on."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.environ = environ_for(folder, os.environ)
        self.standing = Standing()
        self.cores = os.sched_getaffinity(0)

    @asynccontextmanager
    async def started(self, module: str, order: LoadOrder | FarOrder) -> AsyncIterator[Child]:
        """A process of the bench's own, with its order."""
        arguments = ("-m", f"heliograph.cli.bench.{module}")
        hear = self.standing.hear
        async with child(module, arguments, folder=self.folder, environ=self.environ, hear=hear) as started:
            started.order(msgspec.json.encode(order))
            self.standing.watched.append(started)
            try:
                yield started
            finally:
                with suppress(ValueError):
                    self.standing.watched.remove(started)

    async def read(self, child: Child, records: LoadRecords | FarRecords, *, path: str) -> None:
        """Let a process end, and read what it wrote down."""
        self.standing.watched.remove(child)
        await child.finish()
        orders.read(records, path)

    def draw(self, totals: dict[str, int]) -> None:
        """Draw progress from here on, of counts by name; what was counted before is left out."""
        counts, progress = self.standing.counts, self.progress
        begun = dict(counts)
        tasks = {name: progress.add_task(name, total=total) for name, total in totals.items()}

        def show() -> None:
            for name, task in tasks.items():
                progress.update(task, completed=counts.get(name, 0) - begun.get(name, 0))
            progress.refresh()

        self.standing.show = show

    def machine(self, bench_cpu_s: float) -> report.Machine:
        """Where it is measured."""
        return report.Machine(
            cores=len(self.cores),
            python=platform.python_version(),
            disk=disk_of(self.folder.resolve(), Path("/proc/mounts").read_text()),
            bench_cpu_s=round(bench_cpu_s, 2),
        )


def measured(measure: Callable[[Crew], Awaitable[T]], *, is_watched: bool) -> T:
    """Run a measurement on a folder that is thrown away; is_watched: whether to show progress on standard error.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """
    if not Path("/proc/self/stat").exists():
        raise Refused("The bench reads what processes use from /proc, which this system does not have.")
    try:
        return asyncio.run(_measured(measure, is_watched=is_watched))
    except asyncio.CancelledError:
        # SIGTERM; asyncio makes the same of SIGINT.
        raise KeyboardInterrupt from None


async def _measured(measure: Callable[[Crew], Awaitable[T]], *, is_watched: bool) -> T:
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
        return await measure(Crew(Path(made), progress))
