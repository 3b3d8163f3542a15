"""Things that must happen a fixed time after something else, many at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from heliograph.net.clock import Clock

T = TypeVar("T")

_SLACK_S: Final = 0.001
"""What is due within a millisecond goes along: one timer then serves many."""


class DelayLine(Generic[T]):
    """Hands things on, in order and together, once each has waited `delay_s` seconds; 0 is the loop's next turn."""

    __slots__ = ("_clock", "_delay_s", "_due", "_timer", "_waiting")

    def __init__(self, delay_s: float, clock: Clock, due: Callable[[list[T]], None]) -> None:
        self._delay_s = delay_s
        self._clock = clock
        self._due = due
        self._waiting: deque[tuple[float, T]] = deque()
        self._timer: asyncio.Handle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, things: Iterable[T]) -> None:
        """Start the wait of these."""
        due_at = self._clock.monotonic() + self._delay_s
        self._waiting.extend((due_at, thing) for thing in things)
        if self._timer is None and self._waiting:
            self._arm()

    def close(self) -> None:
        """Forget all that waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = self._waiting[0][0] - self._clock.monotonic()
        self._timer = loop.call_soon(self._ring) if wait_s <= 0 else loop.call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        waiting = self._waiting
        until = self._clock.monotonic() + _SLACK_S
        due = []
        while waiting and waiting[0][0] <= until:
            due.append(waiting.popleft()[1])
        if due:
            self._due(due)
        if waiting and self._timer is None:
            self._arm()
