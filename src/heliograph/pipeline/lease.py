"""This process's right to the messages it holds: an owner row with a heartbeat.

A message row carries its owner; below the owner's low-water id nothing of it is unfinished in memory, so that
whoever recovers need not look there.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from heliograph.core.ids import first_at
from heliograph.net.clock import Clock
from heliograph.pipeline.desk import Desk
from heliograph.store import owners
from heliograph.store.engine import Store, StoreUnavailable

BEAT_S = 1.0
MARGIN_MS = 300_000
"""For submissions whose commit is on the way."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The owner number of this process, its node number, and the store's highest id when it started."""

    owner: int
    node: int
    last_id: int
    low_water_id: int


async def acquire(store: Store, clock: Clock, *, is_worker: bool = True) -> Lease:
    """Become an owner. Ids made from now on are above every id in the store.

    is_worker: whether it may hold slots of carriers, where several processes share the store. Raises StoreRefused.
    """
    now_ms = clock.now_ms()
    if store.is_shared:
        async with store.writing() as connection:
            last_id = max(await owners.last_id(connection), first_at(now_ms))
            low_water_id = first_at(now_ms - MARGIN_MS)
            owner, node = await owners.join(connection, low_water_id=low_water_id, is_worker=is_worker)
        return Lease(owner, node, last_id, low_water_id)
    async with store.writing() as connection:
        last_id = await owners.last_id(connection)
        low_water_id = await owners.lowest_water(connection)
        owner = await owners.add(connection, node=0, at_ms=now_ms, low_water_id=low_water_id)
    return Lease(owner, 0, max(last_id, first_at(now_ms)), low_water_id)


async def keep(desk: Desk, low_water: Callable[[], int], *, claiming: asyncio.Lock) -> None:
    """Beat for ever.

    claiming: nothing is claimed between finding the low-water id and storing it. An old message that came in between
    would be below it, and whoever recovers would not look there.
    """
    while True:
        await desk.clock.sleep(BEAT_S)
        with suppress(StoreUnavailable):
            async with claiming, desk.store.writing() as connection:
                await owners.beat(connection, desk.owner, at_ms=desk.clock.now_ms(), low_water_id=low_water())
