"""Prune: forget what has served its time, in small turns.

Settled rows of the receipt map are tombstones for 72 h against late repetitions, ids that no receipt came for are
kept for 30 days, by when their messages have long become `unknown`; idempotency keys hold for 24 h;
ended deliveries can be replayed for 30 days. Segments of whole incoming messages are tombstones for 72 h as well, and
a conversation over a shared sender lasts seven days. Contacts of groups that were removed are nobody's at once.
"""

import contextlib
from collections.abc import Awaitable, Callable

from heliograph.core.replies import TALK_MS
from heliograph.net.clock import Clock
from heliograph.pipeline.forget import DAY_MS, forget_ended
from heliograph.store import contacts, overdue, retention
from heliograph.store.engine import Store, StoreUnavailable

ROUND_S = 600.0
PAUSE_S = 0.05
PAGE = 500
_HOUR_MS = 3_600_000
RECEIPTS_MS = 72 * _HOUR_MS
UNANSWERED_MS = 30 * 24 * _HOUR_MS
KEYS_MS = 24 * _HOUR_MS
DELIVERIES_MS = 30 * 24 * _HOUR_MS
SEGMENTS_MS = 72 * _HOUR_MS


async def follow(
    store: Store, clock: Clock, *, forget_media: Callable[[], Awaitable[None]], retention_days: int = 0
) -> None:
    """Prune every ten minutes; for ever.

    forget_media: looks after files that nothing refers to any more. retention_days: for how long ended messages are
    kept, 0 for ever.
    """
    while True:
        with contextlib.suppress(StoreUnavailable):
            await prune(store, clock)
            before_ms = clock.now_ms() - retention_days * DAY_MS if retention_days else 0
            if before_ms:
                await forget_ended(store, clock, before_ms=before_ms)
            await store.look_after(clock.now_ms(), forgotten_ms=before_ms)
            await forget_media()
        await clock.sleep(ROUND_S)


async def look_after(store: Store, clock: Clock) -> None:
    """What every process does for itself where one prunes for all of them: it makes and learns the days; for ever."""
    while True:
        await clock.sleep(ROUND_S)
        with contextlib.suppress(StoreUnavailable):
            await store.look_after(clock.now_ms(), forgotten_ms=0)


async def prune(store: Store, clock: Clock) -> None:
    """One round."""
    now_ms = clock.now_ms()
    place: tuple[int, str] | None = (0, "")
    while place is not None:
        async with store.writing() as connection:
            place = await overdue.prune_receipts(
                connection,
                place,
                before_ms=now_ms - RECEIPTS_MS,
                unanswered_before_ms=now_ms - UNANSWERED_MS,
                most=PAGE,
            )
        await clock.sleep(PAUSE_S)
    talk: tuple[str, str] | None = ("", "")
    while talk is not None:
        async with store.writing() as connection:
            talk = await retention.forget_conversations(connection, talk, before_ms=now_ms - TALK_MS, most=PAGE)
        await clock.sleep(PAUSE_S)
    for forget, age_ms in (
        (retention.forget_keys, KEYS_MS),
        (retention.forget_deliveries, DELIVERIES_MS),
        (retention.forget_segments, SEGMENTS_MS),
    ):
        count = PAGE
        while count == PAGE:
            async with store.writing() as connection:
                count = await forget(connection, before_ms=now_ms - age_ms, most=PAGE)
            await clock.sleep(PAUSE_S)
    await _forget_removed_groups(store, clock)


async def _forget_removed_groups(store: Store, clock: Clock) -> None:
    """Remove what is left of contact groups that were removed."""
    while True:
        async with store.writing() as connection:
            group = await contacts.next_removed(connection)
            if group is None:
                return
            await contacts.remove_leftovers(connection, *group, most=PAGE)
        await clock.sleep(PAUSE_S)
