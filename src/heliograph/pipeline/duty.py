"""Duties: what one of the processes that share a store does for all of them."""

import asyncio
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any

from heliograph.net.clock import Clock
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company

LOOK_S = 1.0


class Duty(IntEnum):
    """Numbers that all processes know; 1 is that of `company.RECOVER`."""

    STRAY_EVENTS = 2
    BROADCASTS = 3
    OVERDUE = 4
    SEGMENTS = 5
    PRUNE = 6


async def on_duty(company: Company, duty: Duty, *, clock: Clock, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do work that goes on for ever, whenever and as long as the duty is ours; for ever."""
    doing: asyncio.Task[None] | None = None
    try:
        while True:
            is_ours = await _is_ours(company, duty)
            if is_ours and doing is None:
                doing = asyncio.ensure_future(work())
            elif not is_ours and doing is not None:
                doing.cancel()
                await asyncio.wait([doing])
                doing = None
            if doing is not None and doing.done():
                doing.result()
            await clock.sleep(LOOK_S)
    finally:
        if doing is not None:
            doing.cancel()
            await asyncio.wait([doing])


async def _is_ours(company: Company, duty: Duty) -> bool:
    try:
        return await company.has_duty(duty)
    except StoreUnavailable:
        return False
