"""A broadcast from beginning to end: contacts are imported, and one text with merge fields goes to all of them.

Meanwhile another account sends single messages over HTTP, whose answers must not come later for it.
"""

import asyncio
import csv
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from heliograph.cli.bench import orders
from heliograph.cli.bench.broadcast_report import Report, Seen, Usage, report
from heliograph.cli.bench.children import END_S, IDLE_S, Child
from heliograph.cli.bench.crew import Crew, measured
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.stage import Stage, command, serving
from heliograph.core.broadcasts import Broadcast
from heliograph.core.messages import Channel, Refusal, Submission
from heliograph.net.clock import SystemClock
from heliograph.services.address_book import find_group, granted
from heliograph.services.broadcasts import Broadcasts
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from heliograph.store.opening import open_store

TEXT: Final = "Dear {first_name|friend}, your order {order no} waits for you at {shop|our shop}."
WINDOW: Final = 500
QUIET_S: Final = 5
"""How long the other account sends before the broadcast begins, to compare with."""

IMPORT_S: Final = 900.0
"""How long the import may take."""

LOOK_S: Final = 0.1
_MOST_S: Final = 3_600
_CONNECTIONS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured. beside: messages a second that another account sends meanwhile."""

    contacts: int
    beside: float


def measure(plan: Plan, *, is_watched: bool) -> Report:
    """Run the bench; is_watched: whether to show progress on standard error.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """
    return measured(lambda crew: _Run(plan, crew).measure(), is_watched=is_watched)


class _Run:
    """The parts of one measurement."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._standing = crew.standing

    async def measure(self) -> Report:
        """Set up, import, send, wait, take down, and do the sums."""
        plan, crew, standing = self._plan, self._crew, self._standing
        far_records = FarRecords(plan.contacts)
        order = FarOrder(first=orders.FIRST, messages=plan.contacts, records=str(crew.folder / "far.records"))
        async with crew.started("far", order) as far:
            await standing.until(lambda counts: "webhook_port" in counts)
            api_key = await self._set_up()
            imported = await self._import()
            environ, folder = crew.environ, crew.folder
            async with serving(folder, environ=environ, standing=standing, api_key=api_key) as staged:
                if not await standing.until(lambda counts: counts.get("sessions", 0) > 0):
                    raise Refused("The server of the bench did not bind to the message centre.")
                async with self._beside(staged) as beside:
                    seen = await self._broadcast(staged, far)
            await crew.read(far, far_records, path=order.records)
        machine = crew.machine(seen.bench_cpu_s)
        return report(plan.contacts, imported=imported, seen=seen, far=far_records, beside=beside, machine=machine)

    async def _set_up(self) -> str:
        """Two accounts, a carrier and a group; the API key of the one that sends beside."""
        credits = str(20 * self._plan.contacts)
        await self._command("account", "add", "bench", "--credits", credits)
        await self._command("group", "add", "bench", "all")
        other = await self._command("account", "add", "other", "--credits", "10000000")
        url = f"smpp://bench:bench@127.0.0.1:{self._standing.counts['smpp_port']}"
        await self._command("carrier", "add", "message-centre", "--url", url, "--window", str(WINDOW))
        return str(other["api_key"])

    async def _command(self, *arguments: str, within_s: float = END_S) -> dict[str, object]:
        folder, environ = self._crew.folder, self._crew.environ
        answer: dict[str, object] = await command(folder, environ, *arguments, within_s=within_s)
        return answer

    async def _import(self) -> Usage:
        """Contacts from a file, as people import them."""
        path = self._crew.folder / "contacts.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows_of(self._plan.contacts))
        begin = time.monotonic()
        await self._command("contact", "import", "bench", "all", str(path), within_s=IMPORT_S)
        seconds = time.monotonic() - begin
        return Usage(seconds=seconds, peak_memory_mb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)

    @asynccontextmanager
    async def _beside(self, staged: Stage) -> AsyncIterator[LoadRecords]:
        """Another account's single messages, for the length of the block and a while before it."""
        requests = max(1, int(self._plan.beside * _MOST_S))
        records = LoadRecords(requests)
        order = LoadOrder(
            port=staged.port,
            api_key=staged.api_key,
            first=orders.WARM_UP_FIRST,
            requests=requests,
            per_request=1,
            connections=_CONNECTIONS,
            rate=self._plan.beside,
            records=str(self._crew.folder / "load.records"),
        )
        if not self._plan.beside:
            yield records
            return
        async with self._crew.started("load", order) as load:
            await asyncio.sleep(QUIET_S)
            yield records
            await self._crew.read(load, records, path=order.records)

    async def _broadcast(self, staged: Stage, far: Child) -> Seen:
        server = staged.server
        self._crew.draw({"carried": self._plan.contacts})
        used, far_used = server.cpu_s(), far.cpu_s()
        store = await open_store("", self._crew.folder / "data")
        try:
            service = Broadcasts(store, SystemClock(), check=_nothing_against)
            begun = await _begin(store, service)
            begin_ns = time.monotonic_ns()
            ended, expanded_ns = await self._followed(service, begun)
        finally:
            await store.close()
        return Seen(
            begin_ns=begin_ns,
            expanded_ns=expanded_ns,
            accepted=ended.accepted,
            refused=ended.refused,
            cpu_s=server.cpu_s() - used,
            peak_memory_mb=server.peak_memory_mb(),
            bench_cpu_s=far.cpu_s() - far_used,
        )

    async def _followed(self, service: Broadcasts, begun: Broadcast) -> tuple[Broadcast, int]:
        """The broadcast when all its messages are carried, or nothing moves any more; and when it was expanded."""
        counts, broadcast = self._standing.counts, begun
        expanded_ns = 0
        moved_at, before = time.monotonic(), (0, 0)
        while not (expanded_ns and counts["carried"] >= broadcast.accepted):
            await asyncio.sleep(LOOK_S)
            for each in self._standing.watched:
                if each.has_ended:
                    raise each.failure()
            if not expanded_ns:
                broadcast = await service.show(begun.account_id, begun.broadcast_id) or begun
                expanded_ns = time.monotonic_ns() if broadcast.state.is_over else 0
            standing = (broadcast.accepted + broadcast.refused, counts["carried"])
            if standing != before:
                moved_at, before = time.monotonic(), standing
            elif time.monotonic() - moved_at > IDLE_S:
                break
        return broadcast, expanded_ns


def rows_of(contacts: int) -> Iterator[tuple[str, ...]]:
    """A file of contacts, of whom every third has no first name and every fourth no shop."""
    yield "phone", "first_name", "last_name", "order no", "shop"
    for index in range(contacts):
        name = f"Person {index}" if index % 3 else ""
        yield f"+{orders.FIRST + index}", name, "Example", str(100_000 + index), "Main Street" if index % 4 else ""


async def _nothing_against(_: Submission) -> Refusal | None:
    return None


async def _begin(store: Store, service: Broadcasts) -> Broadcast:
    found = await find_group(store, "bench", "all")
    submission = Submission(found.account.account_id, "cli", Channel.SMS, TEXT, ())
    return granted(await service.start(submission, [found.group.group_id], name="bench"))
