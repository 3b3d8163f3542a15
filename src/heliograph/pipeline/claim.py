"""Claim: take messages that are due, overflowed or recovered from the store into memory, as far as there is room."""

from heliograph.core.directory import Snapshot
from heliograph.core.ids import SubmissionId, segment_reference
from heliograph.core.messages import Channel, Content, Message, mms_of
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
                dispatch.hand_over(_messages(claimed, desk.directory.snapshot))
                is_due = len(claimed) == request.most
                room = most_in_memory - dispatch.in_memory
        except StoreUnavailable:
            pass
        await desk.clock.sleep(LOOK_S)


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
    if claimed.channel is Channel.MMS:
        return mms_of(claimed.submission_id, sender=claimed.sender, text=claimed.text, media=claimed.media)
    encoding, segments = split(claimed.text, reference=segment_reference(claimed.submission_id))
    return Content(claimed.submission_id, claimed.sender, claimed.text, encoding, segments, claimed.channel)


def _message(claimed: Claimed, content: Content, snapshot: Snapshot) -> Message:
    """A route is decided again, from the carrier the message was at."""
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
