"""The lobby: where submissions wait to be let in while too many are on their way to the store.

They wait for a second and are refused then, so many in each while. Refusing them at once would cost more than it saves:
who is told no comes again, and all that the machine can do would go into saying no. `core.admission` says who may come
in.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from heliograph.core.admission import WAITING_S, Admission, Pass
from heliograph.core.ids import AccountId
from heliograph.net.clock import Clock

LOOK_S: Final = 0.05
AT_ONCE: Final = 200
"""How many are refused at each look: a quarter of what the machine can do, and no more."""


class _Waiting(NamedTuple):
    account_id: AccountId
    messages: int
    since: float
    passed: "asyncio.Future[Pass | None]"


class Lobby:
    """One for each process. spawn: starts the task that looks for those who have waited for too long."""

    def __init__(self, clock: Clock, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._clock = clock
        self._spawn = spawn
        self._admission = Admission()
        self._waiting: deque[_Waiting] = deque()
        self._is_looking = False

    def enter(self, account_id: AccountId, messages: int) -> Pass | None:
        """Come in without waiting; None when that cannot be."""
        admission, now = self._admission, self._clock.monotonic()
        return admission.enter(account_id, messages, now) if admission.has_room(account_id, now) else None

    async def wait(self, account_id: AccountId, messages: int) -> Pass | None:
        """Wait to be let in; None when that would take too long."""
        now = self._clock.monotonic()
        if self._admission.is_stuck(now):
            return None
        place = _Waiting(account_id, messages, now, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        if not self._is_looking:
            self._is_looking = True
            self._spawn(self._look())
        try:
            return await place.passed
        except asyncio.CancelledError:
            passed = None if place.passed.cancelled() else place.passed.result()
            if passed is not None:
                # The caller went in the very moment in which it was let in.
                self.leave(passed)
            raise

    def leave(self, passed: Pass) -> None:
        """A submission is stored, or will not be: others may have room now."""
        now = self._clock.monotonic()
        self._admission.leave(passed, now)
        waiting = self._waiting
        while waiting and self._admission.has_room(waiting[0].account_id, now):
            place = waiting.popleft()
            if not place.passed.done():
                place.passed.set_result(self._admission.enter(place.account_id, place.messages, now))

    async def _look(self) -> None:
        try:
            while self._waiting:
                await self._clock.sleep(LOOK_S)
                too_long = self._clock.monotonic() - WAITING_S
                for _ in range(AT_ONCE):
                    if not self._waiting or self._waiting[0].since > too_long:
                        break
                    place = self._waiting.popleft()
                    if not place.passed.done():
                        place.passed.set_result(None)
        finally:
            self._is_looking = False
