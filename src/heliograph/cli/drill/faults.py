"""The faults of a drill: each breaks something while customers send, and leaves everything mended."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from heliograph.cli.drill.stage import PREFIXES, WINDOW, Stage
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
TAKEN_OVER_S: Final = 10.0
"""So soon others go on with what a process had that was killed or hangs."""
REPLACED_S: Final = 60.0


class Fault(NamedTuple):
    """about: what happens, for people. breaks: sessions to carriers that it ends. happen: does it, and mends it."""

    about: str
    breaks: int
    happen: Callable[[Stage, random.Random], Awaitable[None]]


async def kill(it: Stage, dice: random.Random) -> None:
    """`kill -9` of the server, or of one of its processes."""
    await asyncio.sleep(dice.uniform(*SHORT_S))
    if it.plan.processes > 1:
        await _all_ready(it)
        _send(dice.choice(it.served.pids()[1:]), signal.SIGKILL)
        await _taken_over(it)
        return
    await it.served.kill()
    await it.start()


async def crash_point(it: Stage, dice: random.Random) -> None:
    """The server dies at a named point of a hop, or one of its processes."""
    point, count = dice.choice(PASSED), dice.choice((1, 2, 4, 9))
    await it.served.kill()
    await it.start_doomed(point, count)
    if it.plan.processes > 1:
        await _one_dies(it)
        return
    try:
        async with asyncio.timeout(DEATH_S):
            await it.served.died()
    except TimeoutError:
        await it.served.kill()
    await it.start()


async def _one_dies(it: Stage) -> None:
    """One of the processes dies, perhaps before it is up; then there is no server yet."""
    if it.served.port:
        known = set(it.served.pids())
        await _until(lambda: not known <= set(it.served.pids()), 2 * DEATH_S)
        await _taken_over(it)
    else:
        await it.served.died()
        await it.start()


async def hung(it: Stage, dice: random.Random) -> None:
    """One of the processes stands still, until the others have gone on with what it had, and wakes up."""
    await _all_ready(it)
    await asyncio.sleep(dice.uniform(*SHORT_S))
    victim = dice.choice(it.served.pids()[1:])
    _send(victim, signal.SIGSTOP)
    try:
        await _taken_over(it)
    finally:
        _send(victim, signal.SIGCONT)


async def rolling_restart(it: Stage, _dice: random.Random) -> None:
    """SIGHUP: each process is replaced, and no request is refused."""
    await _all_ready(it)
    known = set(it.served.pids()[1:])
    await _until(lambda: it.failed_at < time.monotonic() - 1.0, TAKEN_OVER_S)
    began = time.monotonic()
    it.served.send(signal.SIGHUP)
    await _until(lambda: _is_replaced(it, known), REPLACED_S)
    if not _is_replaced(it, known):
        it.findings.append("a rolling restart did not replace every process")
    if it.failed_at >= began:
        said = " / ".join(it.served.log[-5:])
        it.findings.append(f"a request got no answer, or a refusal, during a rolling restart: {it.failure}; {said}")


async def _all_ready(it: Stage) -> None:
    """Somebody has to be there who can go on."""
    if not await it.all_ready():
        it.findings.append("a process did not come up again: " + " / ".join(it.served.log[-3:]))


def _is_replaced(it: Stage, known: set[int]) -> bool:
    now = set(it.served.pids()[1:])
    return len(now) == it.plan.processes and not now & known


async def _taken_over(it: Stage) -> None:
    """Wait until others go on: each carrier gets what nobody had asked for yet, and what was accepted arrives."""
    began = time.monotonic()
    it.carried.look()
    known = set(it.tried)
    carried = it.carried.segments
    waiting = [each for each in it.accepted if each.startswith(PREFIXES["north"]) and not carried[each]]

    def goes_on() -> bool:
        it.carried.look()
        fresh = [each for each in it.accepted if each not in known and carried[each]]
        is_new = all(any(each.startswith(prefix) for each in fresh) for prefix in PREFIXES.values())
        return is_new and all(carried[each] for each in waiting)

    await _until(goes_on, 2 * TAKEN_OVER_S)
    taken_s = time.monotonic() - began
    it.takeovers.append(taken_s)
    if taken_s > TAKEN_OVER_S:
        it.findings.append(f"what a process had was taken over after {taken_s:.1f} s")


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


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
OF_A_FAMILY: Final = {
    "hung": Fault("SIGSTOP of one process", 2, hung),
    "rolling-restart": Fault("SIGHUP", 0, rolling_restart),
}
"""What only several processes have."""

OF_THE_SERVER: Final = {
    "database": Fault("pg_ctl stop -m immediate", 0, database),
    "database-wire": Fault("connections to the database reset", 0, database_wire),
}


def allowed(fault: Fault) -> int:
    """Segments that a fault may have sent twice."""
    return fault.breaks * WINDOW
