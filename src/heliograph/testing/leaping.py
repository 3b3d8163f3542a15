"""An event loop whose time leaps: when nothing can run, it is at once the moment at which something can.

Nothing waits in earnest, and the order of all that happens is that of its moments: hours pass in seconds. Whoever
waits for the world outside (another process, a socket) says so with `held`; time stands still meanwhile.
"""

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
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
            # Whoever can run does so before the world is looked at: so its speed changes no order.
            return super().select(HELD_S) if timeout is None or timeout > 0 else []
        if timeout is None:
            raise Stalled
        self.now += max(timeout, 0.0)
        return []


class _Numbered(asyncio.Task[Any]):
    """A task whose place in a set does not depend on where it lies in memory, so that sets of tasks repeat."""

    def __init__(self, number: int, work: Coroutine[Any, Any, Any], **about: Any) -> None:
        self._number = number
        super().__init__(work, **about)

    def __hash__(self) -> int:
        return self._number


class _Timer(asyncio.TimerHandle):
    """Of those that are due at one moment, the one that was set first comes first."""

    __slots__ = ("number",)

    def __init__(self, number: int, when: float, callback: Callable[..., object], *about: Any) -> None:
        super().__init__(when, callback, *about)
        self.number = number

    def __lt__(self, other: Any) -> bool:
        mine, theirs = self.when(), other.when()
        return bool(mine < theirs or (mine == theirs and self.number < other.number))


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0, in seconds."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)
        self._timers = itertools.count(1)
        numbers = itertools.count(1)
        self.set_task_factory(lambda loop, work, **about: _Numbered(next(numbers), work, loop=loop, **about))

    def time(self) -> float:
        """Seconds since its beginning."""
        return self._leaping.now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As there, and in order."""
        timer: Any = _Timer(next(self._timers), when, callback, args, self, context)
        itself: Any = self
        heapq.heappush(itself._scheduled, timer)  # noqa: SLF001 (there is no other way in)
        timer._scheduled = True  # noqa: SLF001 (so that it is counted when it is cancelled)
        made: asyncio.TimerHandle = timer
        return made

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
