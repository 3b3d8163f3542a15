"""How events are told to webhooks: one object with up to 500 events, members in the order the vendor prints them."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from heliograph.core.directory import Account, Webhook
from heliograph.core.events import Event, EventKind, Reply
from heliograph.core.states import MessageState
from heliograph.dialects.touchbasepro import wire
from heliograph.dialects.touchbasepro.translate import PUSHED, WEBHOOK_TYPES, event_id, timestamp_from

_encode = msgspec.json.Encoder().encode
_HEARD = {EventKind.STATUS: frozenset(PUSHED), EventKind.REPLY: frozenset({MessageState.RECEIVED})}


class Events:
    """The vendor's way of telling events: up to 500 in a call, "a few seconds" after they happened."""

    most_events = 500
    linger_s = 1.5

    def told(self, webhook: Webhook) -> frozenset[MessageState]:
        """Every state that has a word of its own, or else what comes in."""
        return _HEARD[webhook.kind]

    def write(self, events: Sequence[Event | Reply], *, webhook: Webhook, account: Account, at_ms: int) -> bytes:
        """Compact JSON. An `Enroute` that waited until its message came further is left out."""
        is_past = {event.message_id for event in events if event.state is not MessageState.SUBMITTED}
        told = [
            _told(event, account)
            for event in events
            if event.state is not MessageState.SUBMITTED or event.message_id not in is_past
        ]
        return _encode(wire.Update(timestamp_from(at_ms), WEBHOOK_TYPES[webhook.kind], told))


def _told(event: Event | Reply, account: Account) -> wire.PushedEvent:
    if isinstance(event, Reply):
        return wire.PushedEvent(event.sender, message=event.text)
    number = event.recipient.removeprefix("+")
    return wire.PushedEvent(number, PUSHED[event.state], id=event_id(account, event) or UNSET)
