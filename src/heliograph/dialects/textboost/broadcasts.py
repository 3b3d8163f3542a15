"""Sending to contact groups: what the product calls a campaign, and we a broadcast."""

from heliograph.core.broadcasts import NAME_CHARS, Broadcast, BroadcastState
from heliograph.core.ids import BroadcastId, ContactGroupId, id_from_uid, uid_from
from heliograph.core.messages import Channel
from heliograph.core.reasons import Reason
from heliograph.dialects.dialect import Answer, Call
from heliograph.dialects.fields import FieldFault, bag_of, date_from, line_of, read
from heliograph.dialects.textboost import wire
from heliograph.dialects.textboost.answers import done
from heliograph.dialects.textboost.errors import UNKNOWN, Fault
from heliograph.dialects.textboost.messages import SCHEDULED, items_of, refused, submission_from
from heliograph.services.broadcasts import MOST_GROUPS

WORDS = {state: state.name.lower() for state in BroadcastState} | {BroadcastState.RUNNING: "processing"}


async def send(call: Call) -> Answer:
    """Send a message, which may hold merge fields, to all contacts of groups."""
    given = read(bag_of(call), wire.SmsSend)
    uids = list(dict.fromkeys(filter(None, items_of(given.contact_list_id))))
    if not uids:
        raise FieldFault("contact_list_id", "field is required")
    if len(uids) > MOST_GROUPS:
        raise FieldFault("contact_list_id", f"may not be greater than {MOST_GROUPS} groups")
    submission, name = submission_from(call, given), line_of("name", given.name, most=NAME_CHARS)
    groups = [ContactGroupId(id_from_uid(uid, call.account.mark) or 0) for uid in uids]
    begun = await call.services.broadcasts.start(submission, groups, name=name)
    if isinstance(begun, Broadcast):
        return done(_row(begun, call.account.mark), SCHEDULED)
    if begun.reason is Reason.NOT_FOUND:
        raise Fault(UNKNOWN)
    return await refused(call, begun, given)


async def show(call: Call) -> Answer:
    """How far a message to contact groups has come."""
    found = id_from_uid(call.places["uid"], call.account.mark)
    broadcast = found and await call.services.broadcasts.show(call.account.account_id, BroadcastId(found))
    if not broadcast:
        raise Fault(UNKNOWN)
    return done(_row(broadcast, call.account.mark))


def _row(broadcast: Broadcast, mark: str) -> wire.Campaign:
    uid = uid_from(broadcast.broadcast_id, mark)
    came, got, failed = broadcast.accepted + broadcast.refused, broadcast.accepted, broadcast.refused
    return wire.Campaign(
        id=uid,
        uid=uid,
        name=broadcast.name,
        message=broadcast.text,
        status=WORDS[broadcast.state],
        type="plain" if broadcast.channel is Channel.SMS else broadcast.channel.name.lower(),
        created_at=date_from(broadcast.created_at_ms),
        start_at=date_from(broadcast.send_at_ms) if broadcast.send_at_ms else None,
        delivery_at=date_from(broadcast.ended_at_ms) if broadcast.ended_at_ms else None,
        reason=broadcast.reason.sentence if broadcast.reason else None,
        stats={"contact_count": came, "accepted_count": got, "failed_count": failed},
    )
