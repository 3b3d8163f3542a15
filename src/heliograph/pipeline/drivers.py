"""Drivers: one for each carrier that is set up, or for each of its slots that is ours.

They are started, restarted and stopped as the set-up changes.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.ports import Driver, DriverMaker

LOOK_S = 0.25
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
_log = logging.getLogger(__name__)


class Drivers:
    """The drivers of this process. makers: by scheme of a carrier's address."""

    def __init__(self, dispatch: Dispatch, *, makers: Mapping[str, DriverMaker]) -> None:
        self._directory = dispatch.desk.directory
        self._dispatch = dispatch
        self._clock = dispatch.desk.clock
        self._makers = makers
        self._running: dict[Slot, tuple[Carrier, asyncio.Task[None]]] = {}
        self._drivers: dict[Slot, Driver] = {}

    def is_bound(self, carrier_id: CarrierId) -> bool:
        """Whether a carrier has a session up."""
        return any(slot[0] == carrier_id and driver.is_bound() for slot, driver in self._drivers.items())

    def is_running(self, slot: Slot) -> bool:
        """Whether a driver has not ended yet."""
        return slot in self._running and not self._running[slot][1].done()

    async def follow(self) -> None:
        """Keep a driver running for each carrier; for ever. Cancelled, it ends their sessions in good order."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._compare(group)
                await self._clock.sleep(LOOK_S)

    def _compare(self, group: asyncio.TaskGroup) -> None:
        carriers = self._dispatch.share.wanted(self._directory.snapshot.carriers)
        for slot, (running, task) in list(self._running.items()):
            wanted = carriers.get(slot)
            if task.done():
                del self._running[slot]
            elif (wanted is None or _essence(wanted) != _essence(running)) and not task.cancelling():
                task.cancel()
        for slot, carrier in carriers.items():
            if slot not in self._running:
                task = group.create_task(self._keep_running(slot, carrier), name=f"carrier {carrier.name}")
                self._running[slot] = carrier, task

    async def _keep_running(self, slot: Slot, carrier: Carrier) -> None:
        pause_s = SHORTEST_PAUSE_S
        while True:
            started = self._clock.monotonic()
            try:
                maker = self._makers[urlsplit(carrier.url).scheme]
                driver = self._drivers[slot] = maker(carrier, self._dispatch.line(carrier.carrier_id))
                await driver.run()
            except Exception:
                if _is_cancelled():
                    raise
                _log.exception("carrier %s failed and is started again in %.0f s", carrier.name, pause_s)
            finally:
                self._drivers.pop(slot, None)
            if self._clock.monotonic() - started > LONGEST_PAUSE_S:
                pause_s = SHORTEST_PAUSE_S
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _essence(carrier: Carrier) -> Carrier:
    """What a running driver depends on; policy, throughput and draining are looked up as they are needed."""
    return replace(carrier, is_draining=False, policy=carrier.policy.RESEND, throughput=0, name="")
