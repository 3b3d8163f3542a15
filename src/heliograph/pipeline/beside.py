"""Beside other processes: what one has that shares its store, and how it leaves."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from heliograph.core.ids import first_at
from heliograph.net.clock import Clock
from heliograph.pipeline.calls import Calls
from heliograph.pipeline.company import Right, beat_at_start
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.slots import Slots
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company

LEAVE_S = 10.0
"""So long giving everything away may take, when a process stops."""
CALLS_END_S = 8.0
LOOK_S = 0.05
LAST_MS = 60_000
"""A request that was cut short at the end had begun by then."""


class Others(NamedTuple):
    """What a process has that shares its store with others."""

    company: Company
    slots: Slots
    right: Right


async def started(others: Others | None, clock: Clock) -> None:
    """Show the others that this process lives while it starts; until cancelled."""
    if others is not None:
        await beat_at_start(others.company, others.right, clock)


async def emptied(dispatch: Dispatch, calls: Calls, others: Others | None) -> bool:
    """Give everything that this process holds to the others, once its drivers have ended; whether it was done."""
    if others is None:
        return False
    try:
        async with asyncio.timeout(LEAVE_S):
            await others.slots.give_up()
            async with dispatch.claiming:
                # What was being claimed is here now, and nothing will be claimed any more.
                pass
            dispatch.give_up_files()
            await calls.stop(CALLS_END_S)
            while dispatch.in_memory:
                await dispatch.desk.clock.sleep(LOOK_S)
    except (TimeoutError, StoreUnavailable):
        return False
    return True


async def gone(others: Others | None, now_ms: int, *, is_empty: bool) -> None:
    """Say good-bye when the writer has ended. A request that was cut short may have left something all the same.

    Who had no time to give everything away is found dead, and what it had is recovered.
    """
    if others is None:
        return
    if is_empty:
        with suppress(StoreUnavailable):
            await others.company.resign(first_at(now_ms - LAST_MS))
    await others.company.close()
