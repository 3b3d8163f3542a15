"""Beside other processes: what one has that shares its store, and how it leaves."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from heliograph.pipeline.calls import Calls
from heliograph.pipeline.company import Right
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.slots import Slots
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company

LEAVE_S = 10.0
"""So long giving everything away may take, when a process stops."""
CALLS_END_S = 8.0
LOOK_S = 0.05


class Others(NamedTuple):
    """What a process has that shares its store with others."""

    company: Company
    slots: Slots
    right: Right


async def emptied(dispatch: Dispatch, calls: Calls, others: Others | None) -> bool:
    """Give everything that this process holds to the others, once its drivers have ended; whether it was done."""
    if others is None:
        return False
    try:
        async with asyncio.timeout(LEAVE_S):
            await others.slots.give_up()
            dispatch.give_up_files()
            await calls.stop(CALLS_END_S)
            while dispatch.in_memory:
                await dispatch.desk.clock.sleep(LOOK_S)
    except (TimeoutError, StoreUnavailable):
        return False
    return True


async def gone(others: Others | None, *, is_empty: bool) -> None:
    """Say good-bye when nothing is left; else the others find this process dead, and recover what it had."""
    if others is None:
        return
    if is_empty:
        with suppress(StoreUnavailable):
            await others.company.forget(others.company.owner)
    await others.company.close()
