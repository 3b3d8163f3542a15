"""One simulation from beginning to end."""

import asyncio
import gc
import logging
import random
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from heliograph.carriers.kinds import KINDS
from heliograph.config import Settings
from heliograph.core.directory import Carrier, Policy
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.core.states import MessageState
from heliograph.pipeline.ports import Feed
from heliograph.services.accounts import Accounts
from heliograph.services.audit import Audit
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.routes import Routes
from heliograph.services.webhooks import Webhooks
from heliograph.testing.leaping import LeapingClock, LeapingLoop
from heliograph.testing.life import MemoryBlobs
from heliograph.testing.simulation import troubles
from heliograph.testing.simulation.carriers import StrangeDriver, Upstream
from heliograph.testing.simulation.customers import Customers, Web
from heliograph.testing.simulation.ground import FileGround, Ground, PowerCut
from heliograph.testing.simulation.plan import Plan
from heliograph.testing.simulation.process import Process
from heliograph.testing.simulation.server import ServerGround
from heliograph.testing.simulation.verdict import broken
from heliograph.testing.simulation.witness import Line, Witness

WINDOW: Final = 8
VALIDITY_HOURS: Final = 2
AUDIT_S: Final = 3_600.0
SETTLE_S: Final = 60.0
"""Who was found dead is recovered by then."""
REST_S: Final = 600.0
REST_GRAIN_S: Final = 10_800.0
SELDOM: Final = (50_000, 20, 50)
"""Collection of reference cycles, as the server has it."""
LONGEST_REST_S: Final = 12 * 24 * 3_600.0
_POLICIES: Final = {"north": Policy.RESEND, "south": Policy.HOLD, "east": Policy.RESEND}
_ROUTES: Final = (("north", "27", 0), ("east", "27", 1), ("east", "2772", 0), ("north", "2772", 1), ("south", "44", 0))


class Verdict(NamedTuple):
    """What came of a simulation. findings: promises that were broken. seconds: simulated, with the rest at the end."""

    plan: Plan
    findings: tuple[str, ...]
    counts: Mapping[str, int]
    states: Mapping[str, int]
    seconds: float
    story: tuple[Line, ...]


class Simulation:
    """The world of one plan."""

    def __init__(self, plan: Plan, folder: Path, *, loop: LeapingLoop, ground: Ground) -> None:
        self.plan = plan
        self.loop = loop
        self.clock = LeapingClock(loop)
        self.ground = ground
        self.clock.grain_s = ground.grains[0]
        self.witness = Witness(loop.time)
        self.web = Web(plan, self.witness)
        self.blobs = MemoryBlobs()
        self.store = ground.store
        self.settings = Settings(data=folder, validity_hours=VALIDITY_HOURS, memory_limit=200)
        self.processes: dict[int, Process] = {}
        self.has_room = True
        self.jumped_at = 0.0
        self.names = ["acme", "bravo", "cedar"]
        self.accounts: list[AccountId] = []
        self.upstreams: list[Upstream] = []
        self._commits = plan.dice("commits")
        self._pauses = plan.dice("pauses")
        self._turning = [asyncio.Lock() for _ in range(ground.processes)]
        self._asked = plan.dice("who is asked")
        self._falling: set[asyncio.Task[None]] = set()

    # The product -----------------------------------------------------------------------------------------------

    async def set_up(self) -> None:
        """Accounts with credits and webhooks, carriers and routes."""
        store, clock = self.store, self.clock
        for name in self.names:
            made = await Accounts(store, clock).add(name, amount=10**7 * CREDIT)
            self.accounts.append(made.account.account_id)
            for kind in (EventKind.STATUS, EventKind.REPLY):
                webhooks = Webhooks(store, clock)
                url = f"http://127.0.0.1/{name}/{kind.name}"
                await webhooks.add(made.account.account_id, dialect="touchbasepro", kind=kind, url=url)
        for place, number in enumerate(troubles.NUMBERS):
            await Numbers(store, clock).add(self.names[place], f"+{number}", options=NumberOptions())
        carriers = Carriers(store, clock, kinds=KINDS)
        for name, policy in _POLICIES.items():
            options = CarrierOptions(url="loopback:", window=WINDOW, sessions=2, policy=policy)
            carrier = await carriers.add(name, options)
            upstream = Upstream(name, carrier.carrier_id, plan=self.plan, witness=self.witness, window=WINDOW)
            upstream.now_ms = clock.now_ms
            self.upstreams.append(upstream)
        for name, prefix, priority in _ROUTES:
            for channel in (Channel.SMS, Channel.MMS):
                await Routes(store, clock).add(name, prefix=prefix, channel=channel, priority=priority)

    def _driver(self, carrier: Carrier, feed: Feed, place: int) -> StrangeDriver:
        (upstream,) = [each for each in self.upstreams if each.carrier_id == carrier.carrier_id]
        return StrangeDriver(carrier, feed, upstream, place=place)

    def some_process(self, dice: random.Random) -> Process | None:
        """One of those that serve."""
        return dice.choice(list(self.processes.values())) if self.processes else None

    async def start(self, place: int) -> None:
        """Start a process; whatever happens to it meanwhile, one runs in the end."""
        while place not in self.processes:
            made = Process(
                self.ground, self.clock, settings=self.settings, commit_s=lambda: self._commits.uniform(0.002, 0.06),
                has_room=lambda: self.has_room, fell=self._fell,
            )  # fmt: skip
            makers = {"loopback": lambda carrier, feed: self._driver(carrier, feed, place)}
            started = made.spawn(made.start(self.web, makers, self.blobs))
            await asyncio.wait([started])
            if started.cancelled() or started.exception() is not None or made.is_dead:
                await made.kill()
                await asyncio.sleep(1.0)
                continue
            self.witness.say(f"process {place} serves")
            self.processes[place] = made

    def _fell(self, process: Process, why: str) -> None:
        falling = asyncio.ensure_future(self.fall(process, why))
        self._falling.add(falling)
        falling.add_done_callback(self._falling.discard)

    def _taken_out(self, process: Process) -> int | None:
        """The place of a process that serves, which it has no more."""
        place = next((place for place, known in self.processes.items() if known is process), None)
        if place is not None:
            del self.processes[place]
        return place

    async def fall(self, process: Process, why: str) -> None:
        """A process is gone, and another comes after a while."""
        place = self._taken_out(process)
        if place is None:
            return
        async with self._turning[place]:
            self.witness.say(f"process {place} {why}")
            self.witness.counts["kills"] += 1
            process.is_dead = True
            self._cut_all(place)
            await process.kill()
            self.collect(process)
            await asyncio.sleep(self._pauses.choice((0.5, 3.0, 60.0)))
            await self.start(place)

    async def restart(self, process: Process | None) -> None:
        """A process ends in good order, and another comes."""
        place = self._taken_out(process) if process else None
        if process is None or place is None:
            return
        async with self._turning[place]:
            self.witness.say(f"process {place} stops in good order")
            await process.stop()
            self._cut_all(place)
            self.collect(process)
            await asyncio.sleep(self._pauses.uniform(0.5, 5.0))
            await self.start(place)

    def _cut_all(self, place: int) -> None:
        for upstream in self.upstreams:
            for wire in [wire for wire in upstream.wires if wire.place == place]:
                upstream.drop(wire, "the process ended")

    def collect(self, process: Process) -> None:
        """What broke inside of a process breaks the simulation."""
        for error in process.errors:
            if not isinstance(error, PowerCut):
                self.witness.find(f"a task failed: {''.join(traceback.format_exception(error)[-6:])}")
        process.errors.clear()

    def on_error(self, _loop: object, context: dict[str, Any]) -> None:
        """What a callback raised."""
        error = context.get("exception")
        if not isinstance(error, PowerCut):
            self.witness.find(f"{context.get('message')}: {error!r}")

    # The lives -------------------------------------------------------------------------------------------------

    async def live(self, show: Callable[[float], None]) -> None:
        """So many hours, with an audit each hour."""
        happening = troubles.Troubles(self)
        customers = Customers(
            self.plan, self.clock, witness=self.witness, accounts=self.accounts,
            process=lambda: self.some_process(self._asked),
        )  # fmt: skip
        works = [customers.live(), *(upstream.live() for upstream in self.upstreams)]
        works += [happening.live(*each) for each in happening.all() if self.plan.has(each[0])]
        tasks = [asyncio.ensure_future(work) for work in works]
        until = self.plan.hours * 3600
        while self.loop.time() < until and not self.witness.findings:
            await asyncio.sleep(min(AUDIT_S, until - self.loop.time()))
            await self.audit()
            await self.ground.tidy()
            show(self.loop.time())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._mend()
        await customers.end()

    async def audit(self) -> None:
        """The product's own search for rows that do not fit."""
        for process in self.processes.values():
            self.collect(process)
        for finding in await Audit(self.store, self.clock).check():
            if "too long" not in finding or self.loop.time() - self.jumped_at > 2 * 3_600:
                self.witness.find(finding)

    async def _mend(self) -> None:
        """Whatever was wrong is so no more."""
        self.web.works = self.has_room = True
        for upstream in self.upstreams:
            upstream.calm_down()
            with suppress(Exception):
                await Carriers(self.store, self.clock, kinds=KINDS).change(upstream.name, CarrierOptions(throughput=0))
        for name in self.names:
            await Accounts(self.store, self.clock).resume(name)
        await asyncio.gather(*self._falling)
        for place, turning in enumerate(self._turning):
            async with turning:
                await self.start(place)

    async def rest(self) -> None:
        """Let everything come to its end."""
        await asyncio.sleep(SETTLE_S)
        self.clock.grain_s = SETTLE_S
        await asyncio.sleep(REST_S)
        self.clock.grain_s = REST_GRAIN_S
        until = self.loop.time() + LONGEST_REST_S
        while self.loop.time() < until and not self.witness.findings and await _is_busy(self.ground):  # noqa: ASYNC110 (only time brings an end)
            await asyncio.sleep(6 * 3_600.0)
        self.clock.grain_s = SETTLE_S
        await asyncio.sleep(REST_S)

    async def judge(self) -> None:
        """What must be so in the end."""
        await self.audit()
        policies = {upstream.carrier_id: _POLICIES[upstream.name] for upstream in self.upstreams}
        async for finding in broken(self.ground, self.witness, policies):
            self.witness.find(finding)
        if waiting := sum(len(upstream.letters) + upstream.untold for upstream in self.upstreams):
            self.witness.find(f"carriers still wait for {waiting} acknowledgements")


async def _is_busy(ground: Ground) -> bool:
    asked = (
        "select 1 from message where state < 10", "select 1 from outbox",
        "select 1 from delivery where state = 1", "select 1 from joining",
    )  # fmt: skip
    return any([await ground.rows(f"{question} limit 1") for question in asked])


async def _verdict(it: Simulation) -> Verdict:
    """All in all."""
    witness = it.witness
    counts = await it.ground.rows("select state, count(*) from message group by state order by state")
    states = {MessageState(number).word: count for number, count in counts}
    kept = {"accepted": len(witness.accepted), **witness.counts}
    return Verdict(it.plan, tuple(witness.findings), kept, states, it.loop.time(), tuple(witness.story))


def simulate(
    plan: Plan, *, new_database: Callable[[], str] | None = None, show: Callable[[float], None] = lambda _: None
) -> Verdict:
    """Live through a plan. show: told how many seconds have been simulated.

    new_database: makes one on a server, without a schema, to store in, and tells its address; None for a file.
    """
    address = new_database() if new_database else ""
    before = random.getstate()
    logging.getLogger("heliograph").setLevel(logging.CRITICAL)
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    random.seed(plan.seed)
    collections = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="heliograph-simulated-", dir=place) as folder,
            asyncio.Runner(loop_factory=LeapingLoop) as runner,
        ):
            return runner.run(_simulated(plan, Path(folder), address=address, show=show))
    finally:
        gc.set_threshold(*collections)
        random.setstate(before)
        logging.getLogger("heliograph").setLevel(logging.NOTSET)


async def _simulated(plan: Plan, folder: Path, *, address: str, show: Callable[[float], None]) -> Verdict:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    ground: Ground = FileGround(folder)
    if address:
        notices = plan.dice("notices")
        ground = on_server = ServerGround(address, loop, notice_s=lambda: notices.uniform(0.001, 0.05))
        await on_server.open()
    it = Simulation(plan, folder, loop=loop, ground=ground)
    loop.set_exception_handler(it.on_error)
    await it.set_up()
    for place in range(ground.processes):
        await it.start(place)
    await it.live(show)
    if not it.witness.findings:
        await it.rest()
    if not it.witness.findings:
        await it.judge()
    verdict = await _verdict(it)
    for process in it.processes.values():
        await process.kill()
    await ground.close()
    return verdict
