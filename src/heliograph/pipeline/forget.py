"""Forget: ended messages that have been kept as long as the operator wants, with all that belongs to them.

In small turns of a reader that looks and a short transaction that looks again: a stop between any two leaves nothing
half done.
"""

import logging

from heliograph.core.ids import AccountId, MessageId
from heliograph.net.clock import Clock
from heliograph.store import ended
from heliograph.store.engine import Store

DAY_MS = 24 * 3_600_000
YOUNG_MS = 3 * DAY_MS
"""For so long a carrier may repeat itself."""
PAGE = 120
"""Messages at once: with events, tries and submissions that is fewer than a thousand rows."""
RECEIPTS = 500
MOST_KEPT = 100_000
PAUSE_S = 0.05
_log = logging.getLogger(__name__)


async def forget_ended(store: Store, clock: Clock, *, before_ms: int) -> int:
    """One round over everything that ended before a time; returns how many messages were forgotten."""
    kept = await _settle_receipts(store, clock, before_ms=before_ms)
    async with store.reading() as connection:
        kept.update(await ended.untold(connection, before_ms=before_ms, most=MOST_KEPT))
        delivering = await ended.delivering_since(connection)
    if len(kept) >= MOST_KEPT:
        _log.warning("too many old messages are still waited for; nothing is forgotten now")
        return 0
    count = 0
    for account_id, since_ms in delivering.items():
        # What a webhook has not taken yet happened in the day before its delivery was made.
        until_ms = before_ms if since_ms is None else min(before_ms, since_ms - DAY_MS)
        needed = {message_id for owner, message_id in kept if owner == account_id}
        count += await _forget_of(store, clock, account_id, until_ms=until_ms, needed=needed)
    return count


async def _settle_receipts(store: Store, clock: Clock, *, before_ms: int) -> set[ended.MessageKey]:
    """Forget what carriers called old messages; returns the messages whose ids or receipts are young."""
    young_ms = clock.now_ms() - YOUNG_MS
    kept: set[ended.MessageKey] = set()
    place: ended.ReceiptKey | None = (0, "")
    while place is not None and len(kept) < MOST_KEPT:
        async with store.reading() as connection:
            page = await ended.receipts(connection, place, before_ms=before_ms, young_ms=young_ms, most=RECEIPTS)
        kept.update(page.kept)
        if page.old:
            async with store.writing() as connection:
                await ended.forget_receipts(connection, page.old, young_ms=young_ms)
        place = page.place
        await clock.sleep(PAUSE_S)
    return kept


async def _forget_of(
    store: Store, clock: Clock, account_id: AccountId, *, until_ms: int, needed: set[MessageId]
) -> int:
    """Messages of one account."""
    count, after = 0, MessageId(0)
    while True:
        async with store.reading() as connection:
            page = await ended.page(connection, account_id, after, before_ms=until_ms, most=PAGE)
        if wanted := [message_id for message_id in page if message_id not in needed]:
            async with store.writing() as connection:
                count += await ended.forget(connection, account_id, wanted, before_ms=until_ms)
        if len(page) < PAGE:
            return count
        after = page[-1]
        await clock.sleep(PAUSE_S)
