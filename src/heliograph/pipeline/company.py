"""Keep company: beat, look at the other processes once a second, and go on with what a dead one leaves.

Only where several processes share a store. What is dead is decided by `core.liveness`.
"""

import asyncio
import logging
from contextlib import suppress

from heliograph.core.ids import CarrierId
from heliograph.core.liveness import Watch
from heliograph.net.clock import Clock
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.recover import recover_owner
from heliograph.pipeline.share import nap
from heliograph.pipeline.slots import Slots
from heliograph.store import ready
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company, OwnerRow

BEAT_S = 1.0
LOOK_S = 1.0
RIGHT_S = 5.0
"""After a beat that was answered this process may submit for so long: others find it dead after six."""
CLAIM_S = 0.3
GONE_S = 10.0
RECOVER = 1
"""The duty."""
_log = logging.getLogger(__name__)


class Right:
    """Until when this process may submit, as far as it knows itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + RIGHT_S

    def __call__(self) -> bool:
        """Whether it may."""
        return self._clock.monotonic() < self._until

    def renew(self, began: float) -> None:
        """A beat that began then was answered."""
        self._until = began + RIGHT_S


async def beat_at_start(company: Company, right: Right, clock: Clock) -> None:
    """Beat while there is nothing to lose yet; for ever."""
    while True:
        began = clock.monotonic()
        with suppress(StoreUnavailable):
            await company.beat(low_water_id=None, sessions=())
            right.renew(began)
        await clock.sleep(BEAT_S)


async def beat(dispatch: Dispatch, company: Company, right: Right) -> None:
    """Beat for ever."""
    clock = dispatch.desk.clock
    while True:
        began, may = clock.monotonic(), right()
        with suppress(StoreUnavailable):
            await _beat_once(dispatch, company)
            right.renew(began)
            if not may:
                dispatch.wake()
        await clock.sleep(BEAT_S)


async def _beat_once(dispatch: Dispatch, company: Company) -> None:
    sessions = dispatch.live_sessions()
    try:
        # Nothing is claimed between finding the low-water id and storing it; but no slow claim may make us look dead.
        async with asyncio.timeout(CLAIM_S):
            await dispatch.claiming.acquire()
    except TimeoutError:
        await company.beat(low_water_id=None, sessions=sessions)
        return
    try:
        low_water_id = dispatch.low_water(dispatch.desk.clock.now_ms())
        await company.beat(low_water_id=low_water_id, sessions=sessions)
    finally:
        dispatch.claiming.release()


class Lookout:
    """Looks at the others. heard: they have something to tell, so that the next look comes at once."""

    def __init__(self, dispatch: Dispatch, company: Company, slots: Slots) -> None:
        self._dispatch = dispatch
        self._desk = dispatch.desk
        self._company = company
        self._slots = slots
        self._watch = Watch()
        self._is_worth_it = asyncio.Event()
        self._recovering: asyncio.Task[None] | None = None
        self._gone: list[CarrierId] = []
        self._gone_at = -GONE_S
        company.heard = self._hear

    def _hear(self, carriers: frozenset[CarrierId] | None) -> None:
        if carriers is None:
            self._is_worth_it.set()
        else:
            self._slots.heard(carriers)

    async def follow(self) -> None:
        """Look for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                with suppress(StoreUnavailable):
                    await self.look(group)
                await nap(self._desk.clock, LOOK_S, self._is_worth_it)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """One look, and what follows from it; raises StoreUnavailable."""
        picture = await self._company.look()
        now = self._desk.clock.monotonic()
        if now - self._gone_at >= GONE_S:
            self._gone_at = now
            async with self._desk.store.reading() as connection:
                self._gone = await ready.carriers(connection)
        await self._slots.look(picture, gone=self._gone)
        rows = {each.owner: each for each in picture.owners if each.owner != self._company.owner}
        connected = {each.owner for each in rows.values() if each.is_connected}
        dead = self._watch.look({each.owner: each.beat_at_ms for each in rows.values()}, connected=connected, now=now)
        is_idle = self._recovering is None or self._recovering.done()
        if dead and is_idle:
            self._recovering = group.create_task(self._take_over([rows[owner] for owner in dead]), name="take over")

    async def _take_over(self, dead: list[OwnerRow]) -> None:
        with suppress(StoreUnavailable):
            for each in dead:
                if not await self._company.shut_out(each.owner, each.beat_at_ms):
                    continue
                if await self._company.has_duty(RECOVER):
                    found = await recover_owner(self._dispatch, each.owner, low_water_id=each.low_water_id)
                    await self._company.forget(each.owner)
                    if each.beat_at_ms or found:
                        _log.warning("owner %d was found dead: %d of its messages go on", each.owner, found)
            self._company.tell(self._desk.directory.snapshot.carriers)
