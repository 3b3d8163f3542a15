"""Expire: every message comes to an end and says so.

Small sweeps: messages whose validity passed while they wait for a carrier or a file; submitted ones whose receipt
never came and held ones nobody resolved (`unknown`, 72 h after their validity); stray receipts that fit a message in
doubt.
"""

from contextlib import suppress

from heliograph.core.reasons import Reason
from heliograph.core.settling import ReceiptFact, fact_at_home
from heliograph.core.standing import Ended
from heliograph.core.states import MessageState
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.settlement import Settlement
from heliograph.store import overdue
from heliograph.store.engine import StoreUnavailable

QUEUE_S = 5.0
STORE_S = 60.0
DOUBT_S = 1.0
MARGIN_MS = 72 * 3_600_000
PAGE = 1_000


async def sweep_queues(dispatch: Dispatch) -> None:
    """Expire what waits in memory; for ever."""
    while True:
        await dispatch.desk.clock.sleep(QUEUE_S)
        dispatch.expire(dispatch.desk.clock.now_ms())


async def sweep_store(settlement: Settlement) -> None:
    """Settle doubts that a stray receipt clears up, and end what nobody will report on; for ever."""
    cursor = overdue.START
    while True:
        try:
            await settle_strays(settlement)
            cursor = await end_overdue(settlement, cursor)
        except StoreUnavailable:
            pass
        await settlement.desk.clock.sleep(STORE_S)


async def sweep_doubts(settlement: Settlement) -> None:
    """Give receipts that came before their message was held a second hearing, soon after it was; for ever."""
    while True:
        await settlement.desk.clock.sleep(DOUBT_S)
        if settlement.has_new_doubts:
            settlement.has_new_doubts = False
            with suppress(StoreUnavailable):
                await settle_strays(settlement)


async def settle_strays(settlement: Settlement) -> None:
    """Give receipts that came before their message was held a second hearing."""
    after = (0, "")
    while True:
        async with settlement.desk.store.reading() as connection:
            strays = await overdue.strays(connection, after, most=PAGE)
        if not strays:
            return
        await settlement.settled([ReceiptFact(*stray) for stray in strays])
        after = (strays[-1][0], strays[-1][1].key)


async def end_overdue(settlement: Settlement, cursor: overdue.Cursor) -> overdue.Cursor:
    """End messages that are 72 h past their validity without an end; returns where the next sweep goes on."""
    desk = settlement.desk
    while True:
        now_ms = desk.clock.now_ms()
        async with desk.store.reading() as connection:
            page, cursor = await overdue.page(connection, cursor, before_ms=now_ms - MARGIN_MS, most=PAGE)
        if not page:
            return cursor
        fact = Ended(MessageState.UNKNOWN, Reason.NO_RECEIPT)
        facts = [
            fact_at_home((each.account_id, each.message_id), fact, carrier_id=each.carrier_id, at_ms=now_ms)
            for each in page
        ]
        await settlement.settled(facts)
