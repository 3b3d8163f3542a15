"""Partial: a long message whose segments stay away is delivered as it is, marked where something is missing.

A small sweep. What it works from is in the store, so that a restart forgets nobody; after one the carriers have a
moment to hand over what they kept for us before we give up.
"""

from contextlib import suppress

from heliograph.core.assembly import PATIENCE_MS
from heliograph.pipeline.settlement import Settlement
from heliograph.store import incoming
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.incoming import GIVE_UP, GiveUp, Waiting

LOOK_S = 5.0
PAGE = 1_000


async def sweep(settlement: Settlement) -> None:
    """Give up what has waited long enough; for ever."""
    while True:
        await settlement.desk.clock.sleep(LOOK_S)
        with suppress(StoreUnavailable):
            await give_up(settlement)


async def give_up(settlement: Settlement) -> None:
    """Store messages whose first segment came ten minutes ago, a page at most, and tell of them."""
    desk = settlement.desk
    now_ms = desk.clock.now_ms()
    async with desk.store.reading() as connection:
        page = await incoming.joining_page(connection, before_ms=now_ms - PATIENCE_MS, most=PAGE)
    if page:
        ids = desk.ids.take(len(page), now_ms)
        waiting = [Waiting(identifier, *each) for identifier, each in zip(ids, page, strict=True)]
        taken = await ask(desk.writer, GIVE_UP, GiveUp(waiting, desk.directory.snapshot.audience, now_ms))
        desk.reach("receive.given_up")
        desk.tally.incoming.update(taken.messages)
        settlement.tell_replies(taken.told)
