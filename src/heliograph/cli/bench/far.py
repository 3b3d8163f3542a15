"""The far side: a process with the message centre that messages are submitted to and the webhook that hears of them.

It sees each message twice, and writes down when: as a submit, and in a call that says it is delivered. Submits are
timed to the millisecond, by the middle of it.
"""

import asyncio
import time
from itertools import takewhile
from typing import Final

import msgspec
import uvloop

from heliograph.cli.bench.orders import TELL_S, FarOrder, FarRecords, say, standard_input, write
from heliograph.dialects.touchbasepro.wire import Update
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.testing.receiver import Call, Receiver

_LOOK_S: Final = 0.02
"""How often the message centre is asked what it took: far more often than it forgets."""

_NS_IN_MS: Final = 1_000_000
_calls = msgspec.json.Decoder(Update)


class SteadyClock:
    """A wall clock that never jumps, so that its times can be turned into the monotonic clock's."""

    def __init__(self) -> None:
        self._ahead_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return (time.monotonic_ns() + self._ahead_ns) // _NS_IN_MS

    def monotonic(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)

    def monotonic_ns_from(self, at_ms: int) -> int:
        """The middle of a millisecond on the monotonic clock."""
        return at_ms * _NS_IN_MS + _NS_IN_MS // 2 - self._ahead_ns


class Watch:
    """Writes down what the message centre took and what the webhook was told.

    submitted: segments it took. carried: messages of those that are written down.
    """

    def __init__(self, order: FarOrder, *, clock: SteadyClock, centre: MessageCentre) -> None:
        self.records = FarRecords(order.messages)
        self.submitted = 0
        self.carried = 0
        self.told = 0
        self._first = order.first
        self._clock = clock
        self._centre = centre
        self._last = -1

    def look(self) -> None:
        """Take in what the message centre took since the last look."""
        last = self._last
        for each in takewhile(lambda received: received.number > last, reversed(self._centre.received)):
            self._last = max(self._last, each.number)
            self.submitted += 1
            index = int(each.pdu.destination_addr) - self._first
            self.carried += self.records.submit(index, self._clock.monotonic_ns_from(each.at_ms))

    def hear(self, call: Call) -> None:
        """Take in one call of the webhook."""
        at_ns = int(call.at * 1e9)
        for event in _calls.decode(call.body).events:
            if event.status == "Delivered":
                index = int(event.number) - self._first
                # Repeated calls must not end the measurement early; those of the warm-up are not written down.
                self.told += self.records.tell(index, at_ns) or index < 0

    def say(self) -> None:
        """How far it is."""
        say(submitted=self.submitted, carried=self.carried, told=self.told, sessions=self._centre.sessions)

    @property
    def missed(self) -> int:
        """Submits that the message centre forgot before they were looked at."""
        return self._centre.counts["accepted"] - self.submitted


async def main() -> None:
    """Serve until the bench has heard enough, then write the records."""
    bench = await standard_input()
    order = msgspec.json.decode(await bench.readline(), type=FarOrder)
    clock = SteadyClock()
    centre = MessageCentre(clock, Habits(has_fates=False))
    watch = Watch(order, clock=clock, centre=centre)
    async with Receiver(hear=watch.hear) as receiver:
        say(smpp_port=await centre.start("127.0.0.1", 0), webhook_port=receiver.port)
        await _watch(watch, asyncio.ensure_future(bench.read()))
        await centre.stop()
    if watch.missed:
        raise SystemExit(f"{watch.missed} submits were too quick to be counted")
    write(watch.records, order.records)


async def _watch(watch: Watch, over: "asyncio.Future[bytes]") -> None:
    said_at = 0.0
    while not over.done():
        watch.look()
        if time.monotonic() - said_at >= TELL_S:
            said_at = time.monotonic()
            watch.say()
        await asyncio.wait([over], timeout=_LOOK_S)
    watch.look()


if __name__ == "__main__":
    uvloop.run(main())
