"""Claim: take messages that are due, overflowed or recovered from the store into memory, as far as there is room."""

from contextlib import suppress

from heliograph.core.directory import Snapshot
from heliograph.core.ids import SubmissionId, segment_reference
from heliograph.core.messages import Channel, Content, Message, whole_of
from heliograph.core.room import for_waiting
from heliograph.gsm.national import Language
from heliograph.gsm.segments import split
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.share import nap
from heliograph.store import ready
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.claim import CLAIM, Claimed, ClaimRequest

LOOK_S = 0.2
COUNT_S = 1.0
COUNT_SHARE = 50
"""Counting the waiting messages takes one of so many parts of the time at most."""
SOON_MS = 30 * 60_000
"""Messages that are due within so long count as load: as long as a carrier's word may put one off at most."""
MOST = 1_000


async def follow(dispatch: Dispatch, *, most_in_memory: int, most_in_store: int) -> None:
    """Claim what is due while there is room; for ever."""
    clock = dispatch.desk.clock
    count_at = 0.0
    while True:
        wait_s = LOOK_S
        with suppress(StoreUnavailable):
            if clock.monotonic() >= count_at:
                count_at = await _count(dispatch, most_in_store)
            wait_s = await _look(dispatch, most_in_memory)
        news = dispatch.share.news
        if news is None:
            await clock.sleep(wait_s)
        else:
            await nap(clock, wait_s, news)


async def _count(dispatch: Dispatch, most: int) -> float:
    """Count what waits and is due soon; returns when to count again."""
    clock = dispatch.desk.clock
    begun = clock.monotonic()
    async with dispatch.desk.store.reading() as connection:
        dispatch.waiting = await ready.count(connection, before_ms=clock.now_ms() + SOON_MS, most=most)
    return begun + max(COUNT_S, COUNT_SHARE * (clock.monotonic() - begun))


async def _look(dispatch: Dispatch, most_in_memory: int) -> float:
    """Claim what is due as far as there is room; returns when to look again, in seconds."""
    desk = dispatch.desk
    most = for_waiting(most_in_memory)
    carriers = dispatch.share.claimed()
    async with desk.store.reading() as connection:
        next_ms = await ready.next_due(connection, carriers)
    if next_ms is None:
        return LOOK_S
    is_due = next_ms <= desk.clock.now_ms()
    while is_due and (room := most - dispatch.in_memory) > 0:
        async with dispatch.claiming:
            # They may have changed since we looked.
            carriers = dispatch.share.claimed()
            request = ClaimRequest(desk.owner, desk.clock.now_ms(), min(room, MOST), carriers)
            claims = await ask(desk.writer, CLAIM, request)
            desk.reach("claim.taken")
            dispatch.hand_over(_messages(claims.messages, desk.directory.snapshot))
        is_due = claims.looked >= request.most
    return min(LOOK_S, max(next_ms - desk.clock.now_ms(), 0) / 1000 or LOOK_S)


def _messages(claimed: list[Claimed], snapshot: Snapshot) -> list[Message]:
    """The messages as dispatch knows them; the body of a submission is encoded once for all that were claimed."""
    contents: dict[SubmissionId, Content] = {}
    messages = []
    for each in claimed:
        content = contents.get(each.submission_id)
        if content is None:
            content = contents[each.submission_id] = _content(each)
        messages.append(_message(each, content, snapshot))
    return messages


def _content(claimed: Claimed) -> Content:
    if claimed.channel is not Channel.SMS:
        return whole_of(
            claimed.submission_id,
            channel=claimed.channel,
            sender=claimed.sender,
            text=claimed.text,
            media=claimed.media,
            traits=claimed.traits,
        )
    language = Language(claimed.traits.alphabet)
    encoding, segments = split(claimed.text, reference=segment_reference(claimed.submission_id), language=language)
    return Content(
        claimed.submission_id, claimed.sender, claimed.text, encoding, segments, claimed.channel, (), claimed.traits
    )


def _message(claimed: Claimed, content: Content, snapshot: Snapshot) -> Message:
    """A route is decided again: of what was scheduled altogether, else from the carrier the message was at.

    Where there is no route any more, a message waits for its carrier to come back, as long as it is valid.
    """
    plan = snapshot.routing.plan(claimed.channel, claimed.recipient)
    if claimed.was_scheduled and plan:
        pass
    elif claimed.carrier_id in plan:
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
