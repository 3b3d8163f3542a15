"""The faults of a drill: each breaks something while customers send, and leaves everything mended."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from heliograph.cli.drill.stage import WINDOW, Stage
from heliograph.services.refused import Refused
from heliograph.testing.cut_wire import CutWire
from heliograph.testing.doomed import POINTS
from heliograph.testing.receiver import Answer

ELSEWHERE: Final = ("broadcast", "fetch", "fetched", "keep", "partial", "incoming", "claim")
"""Hops that the messages of a drill do not pass."""

PASSED: Final = tuple(
    point for point in POINTS if point.partition(".")[0] not in ELSEWHERE and point != "receive.given_up"
)
DEATH_S: Final = 4.0
SILENCE_S: Final = 3.5
SHORT_S: Final = (0.1, 0.8)


class Fault(NamedTuple):
    """about: what happens, for people. breaks: sessions to carriers that it ends. happen: does it, and mends it."""

    about: str
    breaks: int
    happen: Callable[[Stage, random.Random], Awaitable[None]]


async def kill(it: Stage, dice: random.Random) -> None:
    """`kill -9` of the server, or of one of its processes."""
    await asyncio.sleep(dice.uniform(*SHORT_S))
    if it.plan.processes > 1:
        victim = dice.choice(it.served.pids()[1:])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        return
    await it.served.kill()
    await it.start()


async def crash_point(it: Stage, dice: random.Random) -> None:
    """The server dies at a named point of a hop."""
    if it.plan.processes > 1:
        await kill(it, dice)
        return
    await it.served.kill()
    await it.start_doomed(dice.choice(PASSED), dice.choice((1, 2, 4, 9)))
    try:
        async with asyncio.timeout(DEATH_S):
            await it.served.died()
    except TimeoutError:
        await it.served.kill()
    await it.start()


async def restart(it: Stage, dice: random.Random) -> None:
    """SIGTERM."""
    await asyncio.sleep(dice.uniform(*SHORT_S))
    if status := await it.served.stop():
        raise Refused(f"The server ended with status {status}: " + " / ".join(it.served.log[-5:]))
    await it.start()


async def cut_wire(it: Stage, dice: random.Random) -> None:
    """Resets between the server and a carrier."""
    wire = it.wires[dice.choice(sorted(it.wires))]
    await asyncio.sleep(dice.uniform(*SHORT_S))
    wire.cut()
    await _connected_again(wire)


async def cut_within(it: Stage, dice: random.Random) -> None:
    """A reset in the middle of a frame."""
    wire = it.wires[dice.choice(sorted(it.wires))]
    before = wire.connections
    wire.cut_after = dice.randrange(1, 2_000)
    await _until(lambda: wire.connections > before, DEATH_S)
    wire.cut_after = None


async def half_open(it: Stage, dice: random.Random) -> None:
    """Nothing arrives, in either direction, and nobody says so."""
    wire = it.wires[dice.choice(sorted(it.wires))]
    wire.is_silent = True
    await asyncio.sleep(SILENCE_S)
    wire.is_silent = False
    wire.cut()
    await _connected_again(wire)


async def hung_carrier(it: Stage, dice: random.Random) -> None:
    """A carrier takes everything and answers nothing."""
    wire = it.wires[dice.choice(sorted(it.wires))]
    wire.is_mute = True
    await asyncio.sleep(SILENCE_S)
    wire.is_mute = False
    wire.cut()
    await _connected_again(wire)


async def trickle(it: Stage, dice: random.Random) -> None:
    """Octets travel alone, and late."""
    wires = (*it.wires.values(), it.callers, it.hooks)
    for wire in wires:
        wire.slices, wire.delay_s = dice.random() < 0.5, dice.uniform(0.0, 0.1)
    await asyncio.sleep(1.5)
    for wire in wires:
        wire.slices, wire.delay_s = False, 0.0


async def callers(it: Stage, dice: random.Random) -> None:
    """Connections of customers are cut, again and again."""
    for _ in range(6):
        await asyncio.sleep(dice.uniform(0.05, 0.3))
        it.callers.cut()


async def webhook(it: Stage, dice: random.Random) -> None:
    """A webhook fails, hangs, or cannot be reached."""
    kind = dice.randrange(3)
    it.receiver.answer = (Answer(503), Answer(hangs=True), Answer())[kind]
    it.hooks.is_cut = kind == 2
    await asyncio.sleep(1.5)
    it.receiver.answer, it.hooks.is_cut = Answer(), False
    it.hooks.cut()


async def database(it: Stage, dice: random.Random) -> None:
    """The database server crashes and comes back."""
    assert it.server is not None
    await asyncio.sleep(dice.uniform(*SHORT_S))
    await asyncio.to_thread(it.server.stop, "immediate")
    await asyncio.sleep(dice.uniform(*SHORT_S))
    await asyncio.to_thread(it.server.start)


async def database_wire(it: Stage, dice: random.Random) -> None:
    """Connections to the database are cut, and for a moment refused."""
    assert it.base is not None
    await asyncio.sleep(dice.uniform(*SHORT_S))
    it.base.is_cut = True
    it.base.cut()
    await asyncio.sleep(dice.uniform(*SHORT_S))
    it.base.is_cut = False


async def _connected_again(wire: CutWire) -> None:
    before = wire.connections
    await _until(lambda: wire.connections > before, 2 * DEATH_S)


async def _until(is_so: Callable[[], bool], seconds: float) -> None:
    """Wait for something, but not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110 (another process sets no event of ours)
                await asyncio.sleep(0.05)


FAULTS: Final = {
    "kill": Fault("kill -9", 2, kill),
    "crash-point": Fault("kill -9 at a named point of a hop", 4, crash_point),
    "restart": Fault("SIGTERM", 0, restart),
    "cut-wire": Fault("a carrier's wire reset", 1, cut_wire),
    "cut-within": Fault("a carrier's wire reset within a frame", 1, cut_within),
    "half-open": Fault("a carrier's wire silent", 3, half_open),
    "hung-carrier": Fault("a carrier that takes and never answers", 3, hung_carrier),
    "trickle": Fault("single octets, and late", 2, trickle),
    "callers": Fault("customers' connections reset", 0, callers),
    "webhook": Fault("a webhook that fails, hangs or is away", 0, webhook),
}
OF_THE_SERVER: Final = {
    "database": Fault("pg_ctl stop -m immediate", 0, database),
    "database-wire": Fault("connections to the database reset", 0, database_wire),
}


def allowed(fault: Fault) -> int:
    """Segments that a fault may have sent twice."""
    return fault.breaks * WINDOW
