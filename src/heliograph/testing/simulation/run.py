"""One simulation from beginning to end."""

import asyncio
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
from heliograph.store.inline import InlineStore
from heliograph.store.opening import open_sqlite
from heliograph.testing.leaping import LeapingClock, LeapingLoop
from heliograph.testing.life import MemoryBlobs
from heliograph.testing.simulation import troubles
from heliograph.testing.simulation.carriers import StrangeDriver, Upstream
from heliograph.testing.simulation.customers import Customers, Web
from heliograph.testing.simulation.plan import Plan
from heliograph.testing.simulation.process import PowerCut, Process
from heliograph.testing.simulation.verdict import broken
from heliograph.testing.simulation.witness import Line, Witness

WINDOW: Final = 8
VALIDITY_HOURS: Final = 2
AUDIT_S: Final = 3_600.0
REST_S: Final = 600.0
REST_GRAIN_S: Final = 1_800.0
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

    GRAIN_S: Final = 10.0

    def __init__(self, plan: Plan, folder: Path, loop: LeapingLoop) -> None:
        self.plan = plan
        self.loop = loop
        self.clock = LeapingClock(loop)
        self.clock.grain_s = self.GRAIN_S
        self.witness = Witness(loop.time)
        self.web = Web(plan, self.witness)
        self.blobs = MemoryBlobs()
        self.store = InlineStore(open_sqlite("", folder).path)
        self.settings = Settings(data=folder, validity_hours=VALIDITY_HOURS, memory_limit=200)
        self.process: Process | None = None
        self.has_room = True
        self.jumped_at = 0.0
        self.names = ["acme", "bravo", "cedar"]
        self.accounts: list[AccountId] = []
        self.upstreams: list[Upstream] = []
        self._commits = plan.dice("commits")
        self._pauses = plan.dice("pauses")
        self._starting: asyncio.Task[None] | None = None
        self._is_turning = asyncio.Lock()

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

    def _driver(self, carrier: Carrier, feed: Feed) -> StrangeDriver:
        (upstream,) = [each for each in self.upstreams if each.carrier_id == carrier.carrier_id]
        return StrangeDriver(carrier, feed, upstream)

    async def start(self) -> None:
        """Start a process; whatever happens to it meanwhile, one runs in the end."""
        while self.process is None:
            made = Process(
                self.store, self.clock, settings=self.settings, commit_s=lambda: self._commits.uniform(0.002, 0.06),
                has_room=lambda: self.has_room, fell=self._fell,
            )  # fmt: skip
            started = made.spawn(made.start(self.web, {"loopback": self._driver}, self.blobs))
            await asyncio.wait([started])
            if started.cancelled() or started.exception() is not None:
                await made.kill()
                await asyncio.sleep(1.0)
                continue
            self.witness.say("a process serves")
            self.process = made

    def _fell(self, process: Process) -> None:
        if process is self.process:
            self._falling = asyncio.ensure_future(self.fall("died at a crash point"))

    async def fall(self, why: str) -> None:
        """The process is gone, and another comes after a while."""
        async with self._is_turning:
            process = self.process
            if process is None:
                return
            self.process = None
            self.witness.say(why)
            self.witness.counts["kills"] += 1
            process.is_dead = True
            self._cut_all()
            await process.kill()
            self.collect(process)
            await asyncio.sleep(self._pauses.choice((0.5, 3.0, 60.0)))
            await self.start()

    async def restart(self) -> None:
        """The process ends in good order, and another comes."""
        async with self._is_turning:
            process, self.process = self.process, None
            if process is None:
                return
            self.witness.say("stopping in good order")
            await process.stop()
            self._cut_all()
            self.collect(process)
            await asyncio.sleep(self._pauses.uniform(0.5, 5.0))
            await self.start()

    def _cut_all(self) -> None:
        for upstream in self.upstreams:
            for wire in list(upstream.wires):
                upstream.drop(wire, "the process ended")

    def collect(self, process: Process | None) -> None:
        """What broke inside of a process breaks the simulation."""
        for error in process.errors if process else ():
            if not isinstance(error, PowerCut):
                self.witness.find(f"a task failed: {''.join(traceback.format_exception(error)[-6:])}")
        if process:
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
            self.plan, self.clock, witness=self.witness, accounts=self.accounts, process=lambda: self.process
        )
        works = [customers.live(), *(upstream.live() for upstream in self.upstreams)]
        works += [happening.live(*each) for each in happening.all() if self.plan.has(each[0])]
        tasks = [asyncio.ensure_future(work) for work in works]
        until = self.plan.hours * 3600
        while self.loop.time() < until and not self.witness.findings:
            await asyncio.sleep(min(AUDIT_S, until - self.loop.time()))
            await self.audit()
            show(self.loop.time())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._mend()
        await customers.end()

    async def audit(self) -> None:
        """The product's own search for rows that do not fit."""
        self.collect(self.process)
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
        async with self._is_turning:
            await self.start()

    async def rest(self) -> None:
        """Let everything come to its end."""
        await asyncio.sleep(REST_S)
        self.clock.grain_s = REST_GRAIN_S
        until = self.loop.time() + LONGEST_REST_S
        while self.loop.time() < until and not self.witness.findings and self._is_busy():  # noqa: ASYNC110 (only time brings an end)
            await asyncio.sleep(6 * 3_600.0)
        self.clock.grain_s = self.GRAIN_S
        await asyncio.sleep(REST_S)

    def _is_busy(self) -> bool:
        asked = (
            "select 1 from message where state < 10", "select 1 from outbox",
            "select 1 from delivery where state = 1", "select 1 from joining",
        )  # fmt: skip
        return any(self.store.rows(f"{question} limit 1") for question in asked)

    async def judge(self) -> None:
        """What must be so in the end."""
        await self.audit()
        policies = {upstream.carrier_id: _POLICIES[upstream.name] for upstream in self.upstreams}
        for finding in broken(self.store, self.witness, policies):
            self.witness.find(finding)
        if waiting := sum(len(upstream.letters) + upstream.untold for upstream in self.upstreams):
            self.witness.find(f"carriers still wait for {waiting} acknowledgements")

    def verdict(self) -> Verdict:
        """All in all."""
        witness = self.witness
        counts = self.store.rows("select state, count(*) from message group by state")
        states = {MessageState(number).word: count for number, count in counts}
        kept = {"accepted": len(witness.accepted), **witness.counts}
        return Verdict(self.plan, tuple(witness.findings), kept, states, self.loop.time(), tuple(witness.story))


def simulate(plan: Plan, *, show: Callable[[float], None] = lambda _: None) -> Verdict:
    """Live through a plan. show: told how many seconds have been simulated."""
    before = random.getstate()
    logging.getLogger("heliograph").setLevel(logging.CRITICAL)
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    random.seed(plan.seed)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="heliograph-simulated-", dir=place) as folder,
            asyncio.Runner(loop_factory=LeapingLoop) as runner,
        ):
            loop = runner.get_loop()
            assert isinstance(loop, LeapingLoop)
            return runner.run(_simulated(Simulation(plan, Path(folder), loop), show))
    finally:
        random.setstate(before)
        logging.getLogger("heliograph").setLevel(logging.NOTSET)


async def _simulated(it: Simulation, show: Callable[[float], None]) -> Verdict:
    it.loop.set_exception_handler(it.on_error)
    await it.set_up()
    await it.start()
    await it.live(show)
    if not it.witness.findings:
        await it.rest()
    if not it.witness.findings:
        await it.judge()
    verdict = it.verdict()
    if it.process is not None:
        await it.process.kill()
    await it.store.close()
    return verdict
