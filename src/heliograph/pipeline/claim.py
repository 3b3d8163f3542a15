"""Claim: take messages that are due, overflowed or recovered from the store into memory, as far as there is room."""

from heliograph.core.directory import Snapshot
from heliograph.core.messages import Content, Message
from heliograph.gsm.segments import split
from heliograph.pipeline.dispatch import Dispatch
from heliograph.store import ready
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.claim import CLAIM, Claimed, ClaimRequest

LOOK_S = 0.2
MOST = 1_000


async def follow(dispatch: Dispatch, *, most_in_memory: int) -> None:
    """Claim what is due while there is room; for ever."""
    desk = dispatch.desk
    while True:
        try:
            async with desk.store.reading() as connection:
                dispatch.waiting = await ready.count(connection)
                is_due = dispatch.waiting and await ready.is_due(connection, at_ms=desk.clock.now_ms())
            room = most_in_memory - dispatch.in_memory
            while is_due and room > 0:
                request = ClaimRequest(desk.owner, desk.clock.now_ms(), min(room, MOST))
                claimed = await ask(desk.writer, CLAIM, request)
                dispatch.hand_over([_message(each, desk.directory.snapshot) for each in claimed])
                is_due = len(claimed) == request.most
                room = most_in_memory - dispatch.in_memory
        except StoreUnavailable:
            pass
        await desk.clock.sleep(LOOK_S)


def _message(claimed: Claimed, snapshot: Snapshot) -> Message:
    """The message as dispatch knows it; its route is decided again, from the carrier it was at."""
    encoding, segments = split(claimed.text, reference=claimed.submission_id >> 6 & 0xFF)
    content = Content(claimed.submission_id, claimed.sender, claimed.text, encoding, segments)
    plan = snapshot.routing.plan(claimed.channel, claimed.recipient)
    if claimed.carrier_id in plan:
        plan = plan[plan.index(claimed.carrier_id) :]
    elif claimed.accepted or not plan:
        plan = (claimed.carrier_id,)
    return Message(
        claimed.account_id,
        claimed.message_id,
        claimed.recipient,
        content,
        plan,
        claimed.expires_at_ms,
        claimed.attempts,
        claimed.taken_segments,
    )
