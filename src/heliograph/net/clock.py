"""Time as the program sees it: the only place that reads the machine's clocks."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What anything that needs the time is given; tests give their own."""

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds since 1970 UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        """Wall-clock milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)
