"""Recover: find the messages of owners that are gone, and put each where it belongs.

Queued ones wait in the store for being claimed. One that was being submitted is in doubt: the carrier's policy says
whether it is sent again or held. Page by page, in bounded memory; before any carrier is connected where one process
has the store for itself.
"""

import asyncio

from heliograph.core.directory import Policy
from heliograph.core.ids import AccountId
from heliograph.core.messages import WHOLE
from heliograph.core.settling import OutcomeKind, SegmentFact
from heliograph.core.standing import Doubted, Fact, Requeued
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.lease import Lease
from heliograph.pipeline.settlement import Settlement
from heliograph.store import owners
from heliograph.store.engine import ask
from heliograph.store.hops.claim import RECOVER, InDoubt, RecoverRequest

PAGE = 1_000


async def recover(settlement: Settlement, lease: Lease) -> int:
    """Recover every account; returns how many messages were found."""
    desk = settlement.desk
    found = 0
    for account_id in list(desk.directory.snapshot.accounts):
        found += await _recover_account(settlement, account_id, lease=lease)
    async with desk.store.writing() as connection:
        await owners.remove_others(connection, lease.owner)
    return found


async def recover_owner(dispatch: Dispatch, dead: int, *, low_water_id: int) -> int:
    """Recover what one owner left that is dead and shut out, beside other work; returns how many messages were found.

    Raises StoreUnavailable half-way: what is left is found again. What is in doubt is ours from when it was read, so no
    beat may raise our low-water id above it before it is settled.
    """
    found = 0
    directory = dispatch.desk.directory
    if await directory.is_stale():
        # An account that was made a moment ago may have been its last.
        await directory.load()
    for account_id in list(directory.snapshot.accounts):
        above: int | None = low_water_id - 1
        while above is not None:
            async with dispatch.claiming:
                request = RecoverRequest(
                    dispatch.desk.owner, account_id, above, dispatch.desk.clock.now_ms(), PAGE, dead
                )
                page = await ask(dispatch.desk.writer, RECOVER, request)
                await _settled_surely(dispatch.settlement, page.in_doubt)
            found += page.put_back + len(page.in_doubt)
            above = page.go_on
    return found


async def _settled_surely(settlement: Settlement, in_doubt: list[InDoubt]) -> None:
    facts = [fact for message in in_doubt for fact in _facts(settlement.desk, message)]
    if facts:
        done = asyncio.Event()
        settlement.settle(list(facts), lambda _: done.set())
        await done.wait()


async def _recover_account(settlement: Settlement, account_id: AccountId, *, lease: Lease) -> int:
    desk = settlement.desk
    above: int | None = lease.low_water_id - 1
    found = 0
    while above is not None:
        request = RecoverRequest(lease.owner, account_id, above, desk.clock.now_ms(), PAGE)
        page = await ask(desk.writer, RECOVER, request)
        facts = [fact for message in page.in_doubt for fact in _facts(desk, message)]
        if facts:
            await settlement.settled(facts)
        found += page.put_back + len(page.in_doubt)
        above = page.go_on
    return found


def _facts(desk: Desk, message: InDoubt) -> list[SegmentFact]:
    """What recovery makes of a message that was being submitted: one fact, or one for each segment in doubt."""
    now_ms = desk.clock.now_ms()
    carrier = desk.directory.snapshot.carriers.get(message.carrier_id)
    fact: Fact = Requeued(message.carrier_id, True, now_ms)
    if carrier is not None and carrier.policy is Policy.HOLD:
        fact = Doubted()
    open_segments = [segment for segment in range(message.segments) if segment not in message.taken_segments]
    if message.segments > 1 and carrier is not None and desk.takes_whole(carrier):
        open_segments = [WHOLE]
    segments = open_segments if type(fact) is Doubted else open_segments[:1]
    return [
        SegmentFact(
            message.account_id, message.message_id, segment, fact, message.carrier_id, message.session_id,
            OutcomeKind.AMBIGUOUS, None, None, "the process ended", message.sender, now_ms,
        )
        for segment in segments
    ]  # fmt: skip
