"""What people and fate do meanwhile: each kind at its own moments, by its own dice."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from heliograph import server
from heliograph.carriers.kinds import KINDS
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.gsm import segments
from heliograph.gsm.segments import Encoding
from heliograph.pipeline.ports import Incoming
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.messages import RESOLUTIONS, Messages
from heliograph.services.refused import Refused
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.doomed import POINTS
from heliograph.testing.simulation.carriers import Letter
from heliograph.testing.simulation.plan import Plan

if TYPE_CHECKING:
    from heliograph.testing.simulation.run import Simulation

NUMBERS: Final = ("27820000001", "27820000002")
REPLY: Final = "What I wanted to say is a long story, and it does not fit into one segment at all. " * 3
PASSED: Final = tuple(point for point in POINTS if not point.startswith(("broadcast", "fetch", "partial", "keep")))
JUMPS: Final = (-3_600.0, -60.0, -1.0, 1.0, 60.0, 3_600.0)


class Troubles:
    """One task for each kind."""

    def __init__(self, simulation: "Simulation") -> None:
        self._it = simulation
        self._plan: Plan = simulation.plan
        self._replies = itertools.count(1)

    def all(self) -> list[tuple[str, float, Callable[[], Awaitable[None]]]]:
        """Kind, seconds between two of them on average, and what happens."""
        return [
            ("kills", 2_400.0, self._kill),
            ("crash-points", 1_500.0, self._doom),
            ("restarts", 3_600.0, self._restart),
            ("jumps", 2_000.0, self._jump),
            ("disk", 2_400.0, self._fill_disk),
            ("webhooks", 3_000.0, self._break_webhooks),
            ("hurry", 900.0, self._hurry),
            ("handsets", 60.0, self._write_back),
            ("cancels", 90.0, self._cancel_or_resolve),
            ("top-ups", 600.0, self._top_up),
            ("suspensions", 1_800.0, self._suspend),
            ("limits", 1_800.0, self._limit),
        ]

    async def live(self, kind: str, mean_s: float, happen: Callable[[], Awaitable[None]]) -> None:
        """One kind, for ever."""
        dice = self._plan.dice(f"when {kind}")
        while True:
            await asyncio.sleep(dice.expovariate(1 / mean_s))
            # What people want is refused at times, and nobody can write to a full disk.
            with suppress(Refused, StoreUnavailable):
                await happen()

    # The process -----------------------------------------------------------------------------------------------

    async def _kill(self) -> None:
        """`kill -9`."""
        process = self._it.some_process(self._plan.dice(f"kill {self._it.loop.time()}"))
        if process is not None:
            await self._it.fall(process, "killed")

    async def _doom(self) -> None:
        """The process will die at some point of its work."""
        dice = self._plan.dice(f"doom {self._it.loop.time()}")
        process = self._it.some_process(dice)
        if process is not None:
            point, count = dice.choice(PASSED), dice.choice((1, 1, 2, 5, 20))
            self._it.witness.say(f"doomed: dies at passing {count} of {point}")
            process.doom(point, count)

    async def _restart(self) -> None:
        """Ended and started in good order."""
        await self._it.restart(self._it.some_process(self._plan.dice(f"restart {self._it.loop.time()}")))

    async def _jump(self) -> None:
        """The machine's clock is set."""
        seconds = self._plan.dice(f"jump {self._it.loop.time()}").choice(JUMPS)
        self._it.witness.say(f"the clock jumps by {seconds:+g} s")
        self._it.jumped_at = self._it.loop.time()
        self._it.clock.jump(seconds)

    async def _fill_disk(self) -> None:
        """Nothing can be written for a while."""
        self._it.witness.say("the disk is full")
        self._it.has_room = False
        try:
            await asyncio.sleep(self._plan.dice(f"disk {self._it.loop.time()}").choice((0.2, 5.0, 90.0)))
        finally:
            self._it.has_room = True
            self._it.witness.say("the disk has room")

    async def _hurry(self) -> None:
        """The machine is idle for a moment, and sleepers wake at theirs; then it is busier, or less so, than before."""
        self._it.clock.grain_s = 0.0
        await asyncio.sleep(10.0)
        self._it.clock.grain_s = self._plan.dice(f"hurry {self._it.loop.time()}").choice(self._it.ground.grains[1:])

    async def _break_webhooks(self) -> None:
        """Webhooks fail for a while."""
        self._it.witness.say("webhooks fail")
        self._it.web.works = False
        try:
            await asyncio.sleep(self._plan.dice(f"webhooks {self._it.loop.time()}").choice((5.0, 120.0, 1_800.0)))
        finally:
            self._it.web.works = True
            self._it.witness.say("webhooks work")

    # Handsets --------------------------------------------------------------------------------------------------

    async def _write_back(self) -> None:
        """Somebody writes to a customer: segments come in any order, twice, or not all of them."""
        it, number = self._it, next(self._replies)
        dice = self._plan.dice(f"handset {number}")
        text = f"Reply {number}. {REPLY if dice.random() < 0.4 else ''}".strip()
        encoding, cut = segments.split(text, reference=number & 0xFF)
        sender, ours = f"2783{number:07}", dice.choice(NUMBERS)
        upstream = dice.choice(it.upstreams)
        order = list(cut)
        dice.shuffle(order)
        is_whole = dice.random() < 0.8 or len(order) == 1
        missing = set(range(len(order)))

        def done(place: int) -> None:
            missing.discard(place)
            if not missing:
                it.witness.replies.add(text)
                it.witness.say(f"the last segment of {text[:9]!r} is acknowledged")

        for place, (udh, body) in enumerate(order if is_whole else order[1:]):
            incoming = _incoming(sender, ours, (udh, body), encoding)
            letter = Letter(incoming, lambda place=place: done(place))  # type: ignore[misc]
            upstream.put_later(dice.uniform(0.0, 5.0), letter)
            if dice.random() < 0.05:
                upstream.put_later(dice.uniform(0.0, 30.0), letter)

    # People ----------------------------------------------------------------------------------------------------

    async def _cancel_or_resolve(self) -> None:
        """Somebody cancels what waits, or says what became of what is held."""
        found = await self._it.ground.rows(_OPEN_BY.format(self._plan.dice(f"cancel {self._it.loop.time()}").random()))
        if not found:
            return
        messages = Messages(self._it.store, self._it.clock, told=server.told_states)
        (message_id, state) = found[0]
        if state == 4:
            await messages.resolve(str(message_id), RESOLUTIONS[message_id % len(RESOLUTIONS)])
        else:
            await messages.cancel(str(message_id))
        self._it.witness.say(f"people step in for {message_id}")

    async def _top_up(self) -> None:
        """Credits are granted, or some taken back."""
        dice = self._plan.dice(f"topup {self._it.loop.time()}")
        amount = dice.choice((100, 10, -5)) * CREDIT
        await Accounts(self._it.store, self._it.clock).top_up(dice.choice(self._it.names), amount)

    async def _suspend(self) -> None:
        """An account may not send for a while."""
        accounts = Accounts(self._it.store, self._it.clock)
        name = self._plan.dice(f"suspend {self._it.loop.time()}").choice(self._it.names)
        await accounts.suspend(name)
        try:
            await asyncio.sleep(300.0)
        finally:
            await accounts.resume(name)

    async def _limit(self) -> None:
        """A carrier is limited for a while. A limit is kept by sleeping: who oversleeps sends next to nothing."""
        it, dice = self._it, self._plan.dice(f"limit {self._it.loop.time()}")
        carriers, name = Carriers(it.store, it.clock, kinds=KINDS), dice.choice(it.upstreams).name
        await carriers.change(name, CarrierOptions(throughput=dice.choice((2, 5, 20))))
        it.clock.grain_s = 0.2
        try:
            await asyncio.sleep(20.0)
        finally:
            it.clock.grain_s = it.ground.grains[0]
            await carriers.change(name, CarrierOptions(throughput=0))


_OPEN_BY: Final = "select id, state from message where state in (0, 1, 4) order by abs((id * 31 + {}) % 97), id limit 1"


def _incoming(sender: str, recipient: str, cut: Sequence[bytes], encoding: Encoding) -> Incoming:
    udh, body = cut
    text = segments.join((body,), encoding)
    return Incoming(sender, recipient, encoding, udh, body, text, Channel.SMS)
