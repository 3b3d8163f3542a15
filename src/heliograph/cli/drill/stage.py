"""Everything that takes part in a drill, on a folder that is thrown away: each pair of parts with a wire between."""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from heliograph.carriers.kinds import KINDS
from heliograph.core.directory import Policy
from heliograph.core.events import EventKind
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.refused import Refused
from heliograph.services.routes import Routes
from heliograph.services.webhooks import Webhooks
from heliograph.store.opening import open_store
from heliograph.testing import postgres
from heliograph.testing.cut_wire import CutWire
from heliograph.testing.ports import free_ports
from heliograph.testing.receiver import Call, Receiver
from heliograph.testing.served import Requests, Served

WINDOW: Final = 10
GRANT: Final = 10**7
COME_UP_S: Final = 20.0
AGAIN_S: Final = 0.5
ALL_READY_S: Final = 60.0
"""One that was killed often is started later and later."""
LOOK_S: Final = 0.1
READY: Final = 200
POLICIES: Final = {"north": Policy.RESEND, "south": Policy.HOLD}
PREFIXES: Final = {"north": "2783", "south": "4477"}
OWN_SERVER: Final = "postgresql://"
_DELIVERED: Final = re.compile(rb'"Number":"(\d+)","Status":"Delivered"')
_SETTINGS: Final[dict[str, object]] = {"enquire_link_s": 1, "response_s": 2}
"""A wire that went silent is noticed soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """without: faults that do not happen, with commas.

    database: "" for a file, `postgresql://` for a server of the drill's own.

    postgres_bin: the programs of that server; None for any that is found.
    """

    rounds: int
    without: str = ""
    processes: int = 1
    database: str = ""
    postgres_bin: str | None = None


class CarrierSide:
    """What the message centre has taken, though it forgets."""

    def __init__(self, centre: MessageCentre) -> None:
        self._centre = centre
        self._last = 0
        self.copies: Counter[tuple[str, str, bytes]] = Counter()
        self.segments: Counter[str] = Counter()

    def look(self) -> None:
        """Take note of what is new; more often than the centre forgets."""
        for each in self._centre.received:
            if each.number > self._last:
                self._last = each.number
                key = each.system_id, each.pdu.destination_addr, each.pdu.short_message
                self.copies[key] += 1
                if self.copies[key] == 1:
                    self.segments[each.pdu.destination_addr] += 1


@dataclass(slots=True, kw_only=True)
class Stage:
    """wires: to each carrier. callers: between customers and the server. hooks: between it and the webhook.

    base: between it and a database server of the drill's own. process_port: where the first process answers for itself.
    told: recipients whose delivery the webhook heard of.
    accepted, tried: texts by recipient. failed_at: when the last try of a customer began that was not accepted.
    failure: why not. takeovers: seconds until others went on with what a process had.
    findings: what should not have happened.
    """

    plan: Plan
    served: Served
    centre: MessageCentre
    carried: CarrierSide
    wires: dict[str, CutWire]
    callers: CutWire
    hooks: CutWire
    receiver: Receiver
    api_key: str
    database: str
    server: postgres.Server | None
    base: CutWire | None
    process_port: int
    told: set[str] = field(default_factory=set)
    accepted: dict[str, str] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    failed_at: float = 0.0
    failure: str = ""
    takeovers: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    async def start(self) -> None:
        """Serve."""
        await self._started(self.served.start)

    async def start_doomed(self, point: str, count: int) -> None:
        """Serve until a crash point was passed so often: perhaps before anything is served.

        With several processes one of them dies there.
        """
        family = (sys.executable, "-m", "heliograph.cli.drill.doomed_family", point, str(count))
        if self.plan.processes > 1:
            await self._started(lambda: self.served.begin(*family), may_die=True)
        else:
            await self._started(lambda: self.served.start_doomed(point, count), may_die=True)

    async def all_ready(self) -> bool:
        """Wait until each of several processes takes requests and may submit; whether they do."""
        until = time.monotonic() + ALL_READY_S
        ports = range(self.process_port, self.process_port + self.plan.processes)
        while time.monotonic() < until:
            if len(self.served.pids()) == 1 + len(ports) and all([await _is_ready(port) for port in ports]):
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _started(self, start: Callable[[], Awaitable[None]], *, may_die: bool = False) -> None:
        until = time.monotonic() + COME_UP_S
        while True:
            await start()
            self.callers.far_port = self.served.port
            if self.served.port or (may_die and (self.plan.processes > 1 or self.served.was_killed)):
                return
            if time.monotonic() > until:
                raise Refused("The server did not come up: " + " / ".join(self.served.log[-5:]))
            # A database server that has not noticed yet that the process before is gone keeps its rights.
            await asyncio.sleep(AGAIN_S)


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(1.0), Requests(port) as requests:
            return (await requests.ask("GET", "/readyz")).status == READY
    except (OSError, EOFError, TimeoutError):
        return False


@asynccontextmanager
async def stage(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """Everything but a running server. Raises Refused."""
    centre = MessageCentre(SystemClock(), Habits(response_delay_ms=20, receipt_delay_ms=20))
    told: set[str] = set()

    def hear(call: Call) -> None:
        told.update(number.decode() for number in _DELIVERED.findall(call.body))

    far_port = await centre.start("127.0.0.1", 0)
    try:
        async with (
            CutWire(far_port) as north, CutWire(far_port) as south, CutWire(0) as callers,
            Receiver(hear=hear) as receiver, CutWire(receiver.port) as hooks,
            _database(plan) as (database, server, base),
        ):  # fmt: skip
            wires = {"north": north, "south": south}
            api_key = await _set_up(folder, database, wires, hooks.port)
            environ = {"HELIOGRAPH_DATABASE": database, "HELIOGRAPH_DATABASE_UNSAFE": "true"}
            process_port = free_ports(plan.processes)[0]
            environ["HELIOGRAPH_PROCESSES"] = str(plan.processes)
            environ["HELIOGRAPH_PROCESS_LISTEN"] = f"127.0.0.1:{process_port}"
            async with Served(folder, environ) as served:
                yield Stage(
                    plan=plan, served=served, centre=centre, carried=CarrierSide(centre), wires=wires, callers=callers,
                    hooks=hooks, receiver=receiver, api_key=api_key, database=database, server=server, base=base,
                    told=told, process_port=process_port,
                )  # fmt: skip
    finally:
        await centre.stop()


def programs_in(folder: str | None) -> Path | None:
    """Those of a PostgreSQL server, in a folder that somebody named. Raises Refused when there are none."""
    programs = None if folder is None else Path(folder)
    if programs is not None and not (programs / "initdb").exists():
        raise Refused(f"There are no programs of PostgreSQL in {programs}.")
    return programs


@asynccontextmanager
async def _database(plan: Plan) -> AsyncIterator[tuple[str, postgres.Server | None, CutWire | None]]:
    """The address of an empty store; a server of our own is reached over a wire."""
    if plan.database != OWN_SERVER:
        yield plan.database, None, None
        return
    (port,) = free_ports(1)
    try:
        with postgres.server(programs_in(plan.postgres_bin), listen_addresses="'127.0.0.1'", port=str(port)) as running:
            async with CutWire(port) as base:
                yield f"postgresql://heliograph@127.0.0.1:{base.port}/postgres", running, base
    except LookupError as error:
        raise Refused(f"{error}.") from error


async def _set_up(folder: Path, database: str, wires: dict[str, CutWire], hook_port: int) -> str:
    """An account, two carriers and a webhook; the account's API key."""
    store = await open_store(database, folder)
    clock = SystemClock()
    try:
        made = await Accounts(store, clock).add("drill", amount=GRANT * CREDIT)
        for name, wire in wires.items():
            url = f"smpp://{name}:{name}@127.0.0.1:{wire.port}"
            options = CarrierOptions(url=url, window=WINDOW, policy=POLICIES[name], settings=_SETTINGS)
            await Carriers(store, clock, kinds=KINDS).add(name, options)
            await Routes(store, clock).add(name, channel=Channel.SMS, prefix=PREFIXES[name])
        url = f"http://127.0.0.1:{hook_port}/told"
        webhooks = Webhooks(store, clock)
        await webhooks.add(made.account.account_id, dialect="touchbasepro", kind=EventKind.STATUS, url=url)
        return made.api_key
    finally:
        await store.close()
