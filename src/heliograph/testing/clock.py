"""Time that stands still until a test moves it: a day passes at once, and nothing waits in earnest."""

import asyncio
import heapq
import itertools

from heliograph.core.ids import EPOCH_MS

TURNS = 20
"""Turns of the event loop that tasks get to react: enough for a chain of callbacks, nothing on the wall."""

SHORTEST_MS = 0.01
START_MS = EPOCH_MS + 300 * 24 * 3_600_000


async def turns(count: int = TURNS) -> None:
    """Let every task go on as far as it comes without waiting for the world."""
    for _ in range(count):
        await asyncio.sleep(0)


class VirtualClock:
    """Implements `net.clock.Clock`. Both clocks move together, by `advance` alone."""

    def __init__(self, at_ms: int = START_MS) -> None:
        self._at_ms = float(at_ms)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.naps = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return int(self._at_ms)

    def monotonic(self) -> float:
        """The same in seconds."""
        return self._at_ms / 1000

    @property
    def sleepers(self) -> int:
        """How many are asleep now; `naps` counts those who ever lay down."""
        return sum(not asleep.done() for _, _, asleep in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody advances the time far enough."""
        asleep: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A nap shorter than what a float of today's milliseconds can tell apart would never end.
        due_ms = self._at_ms + max(seconds * 1000, SHORTEST_MS)
        heapq.heappush(self._sleepers, (due_ms, next(self._numbers), asleep))
        self.naps += 1
        await asleep

    async def advance(self, seconds: float) -> None:
        """Let time pass: every sleeper wakes at its moment, and goes on before the next one wakes."""
        await turns()
        until = self._at_ms + seconds * 1000
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, asleep = heapq.heappop(self._sleepers)
            self._at_ms = max(self._at_ms, due)
            if not asleep.done():
                asleep.set_result(None)
                await turns()
        self._at_ms = until
        await turns()

    def skip(self, seconds: float) -> None:
        """Move the time on and wake nobody."""
        self._at_ms += seconds * 1000
