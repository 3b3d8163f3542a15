"""How events are told to webhooks: one object with up to 500 events, members in the order the vendor prints them."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from heliograph.core.directory import Account
from heliograph.core.events import Event, EventKind
from heliograph.core.states import MessageState
from heliograph.dialects.touchbasepro import wire
from heliograph.dialects.touchbasepro.translate import PUSHED, WEBHOOK_TYPES, event_id, timestamp_from

_encode = msgspec.json.Encoder().encode


class Events:
    """The vendor's way of telling events: up to 500 in a call, "a few seconds" after they happened."""

    most_events = 500
    linger_s = 1.5

    def told(self, kind: EventKind) -> frozenset[MessageState]:
        """Every state that has a word of its own; replies are no states."""
        return frozenset(PUSHED) if kind is EventKind.STATUS else frozenset()

    def write(self, account: Account, events: Sequence[Event], at_ms: int) -> bytes:
        """Compact JSON. An `Enroute` that waited until its message came further is left out."""
        further = {event.message_id for event in events if event.state is not MessageState.SUBMITTED}
        told = [
            wire.StatusEvent(
                event.recipient.removeprefix("+"),
                PUSHED[event.state],
                event_id(account, event) or UNSET,
            )
            for event in events
            if event.state is not MessageState.SUBMITTED or event.message_id not in further
        ]
        return _encode(wire.StatusUpdate(timestamp_from(at_ms), WEBHOOK_TYPES[EventKind.STATUS], told))
