"""An event loop whose time leaps: when nothing can run, it is at once the moment at which something can.

Nothing waits in earnest, and the order of all that happens is that of its moments: hours pass in seconds. Whoever
waits for the world outside (another process, a socket) says so with `held`; time stands still meanwhile.
"""

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from heliograph.testing.clock import START_MS

HELD_S = 5.0
"""How long the world outside may be silent in one look, while somebody waits for it."""


class Stalled(Exception):
    """Nothing can run, now or later: everybody waits for somebody."""


class _Leaping(selectors.DefaultSelector):
    """Asked to wait, it moves the time instead. holders: how many wait for the world."""

    now = 0.0
    holders = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        """What has come; the time moves only when nobody waits for the world."""
        if self.holders:
            return super().select(HELD_S if timeout is None or timeout > 0 else 0)
        if timeout is None:
            raise Stalled
        self.now += max(timeout, 0.0)
        return []


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0, in seconds."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since its beginning."""
        return self._leaping.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 (asyncio has it)
        """Wait for threads, which no time can leap over. timeout: as later versions of Python have it."""
        with self.held():
            await super().shutdown_default_executor(*(() if timeout is None else (timeout,)))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Time stands still while the world outside works."""
        self._leaping.holders += 1
        try:
            yield
        finally:
            self._leaping.holders -= 1


class LeapingClock:
    """Implements `net.clock.Clock` on a leaping loop.

    grain_s: sleepers wake at whole multiples of it, as on a machine that is busy; 0 wakes each at its moment.
    """

    def __init__(self, loop: LeapingLoop) -> None:
        self._loop = loop
        self._ahead_ms = 0.0
        self.grain_s = 0.0

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return int(START_MS + self._ahead_ms + self._loop.time() * 1000)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        grain_s = self.grain_s
        if grain_s and seconds > 0:
            now = self._loop.time()
            seconds = -(-(now + seconds) // grain_s) * grain_s - now
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the machine's clock; what `monotonic` says goes on as before."""
        self._ahead_ms += seconds * 1000
