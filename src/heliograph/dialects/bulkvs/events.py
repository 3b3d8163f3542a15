"""How messages and receipts are told to webhooks: one a call, at once, in the vendor's form or in 3CX's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote_plus

import msgspec
from msgspec import UNSET

from heliograph.core.directory import Account, Webhook
from heliograph.core.events import Event, Reply
from heliograph.core.ids import made_at_ms, shown_id, uuid_from
from heliograph.core.states import MessageState
from heliograph.dialects.bulkvs import wire
from heliograph.dialects.bulkvs.translate import POST, THREE_CX, is_on, method_of

_S = MessageState
RECEIPT_WORDS = {
    _S.DELIVERED: ("DELIVRD", "delivered"),
    _S.UNDELIVERED: ("UNDELIV", "delivery_failed"),
    _S.EXPIRED: ("EXPIRED", "delivery_failed"),
    _S.REJECTED: ("REJECTD", "sending_failed"),
    _S.FAILED: ("UNDELIV", "sending_failed"),
    _S.CANCELLED: ("DELETED", "sending_failed"),
    _S.UNKNOWN: ("UNKNOWN", "delivery_unconfirmed"),
}
"""Ends of messages in the words of a receipt's `stat`, and in 3CX's."""

_SWITCH = (True, False)
SETTINGS: Mapping[str, tuple[object, ...]] = {
    "description": (),
    "receipts": _SWITCH,
    "method": (POST, THREE_CX),
    "plain": _SWITCH,
    "receipts_3cx": _SWITCH,
}
"""What can be set of a webhook, and to what; nothing says that any text will do."""

_encode = msgspec.json.Encoder().encode


class Events:
    """The vendor's way of telling events."""

    most_events = 1
    linger_s = 0.0

    def told(self, webhook: Webhook) -> frozenset[MessageState]:
        """What comes in; and ends of messages, for one that asked for receipts (for 3CX the operator must agree)."""
        is_told = is_on(webhook, "receipts") and (method_of(webhook) != THREE_CX or is_on(webhook, "receipts_3cx"))
        return frozenset({_S.RECEIVED, *RECEIPT_WORDS}) if is_told else frozenset({_S.RECEIVED})

    def write(self, events: Sequence[Event | Reply], *, webhook: Webhook, account: Account, at_ms: int) -> bytes:  # noqa: ARG002
        """Compact JSON."""
        (event,) = events
        if method_of(webhook) == THREE_CX:
            return _encode(wire.ThreeCxEvent(_told_3cx(event, account)))
        return _encode(_told(event, account, is_plain=is_on(webhook, "plain")))


def _told(event: Event | Reply, account: Account, *, is_plain: bool) -> wire.MessageIn:
    text = event.text if isinstance(event, Reply) else receipt_text(event, account.mark)
    # Programs decode the text as a form's: a plain "+" or "%" would come out as something else.
    message = text if is_plain else quote_plus(text)
    if isinstance(event, Reply):
        return wire.MessageIn(
            sender=_bare(event.sender),
            to=[_bare(event.recipient)],
            message=message,
            media_urls=[each.url for each in event.media] or UNSET,
        )
    return wire.MessageIn(
        ref_id=uuid_from(event.submission_id, account.mark),
        sender=_bare(event.recipient),
        to=[_bare(event.sender)],
        message=message,
        delivery_receipt=True,
    )


def _bare(number: str) -> str:
    return number.removeprefix("+")


def receipt_text(event: Event, mark: str) -> str:
    """The text of a receipt as message centres write it (SMPP 3.4 appendix B); none of the message's own text."""
    count = int(event.state is _S.DELIVERED)
    return (
        f"id:{shown_id(event.message_id, mark)} sub:001 dlvrd:{count:03d}"
        f" submit date:{_minute(made_at_ms(event.message_id))} done date:{_minute(event.at_ms)}"
        f" stat:{RECEIPT_WORDS[event.state][0]} err:{0 if count else 255:03d} text:"
    )


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%y%m%d%H%M")


def _told_3cx(event: Event | Reply, account: Account) -> wire.ThreeCxData:
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{event.at_ms % 1000:03d}Z"
    payload = _received(event, at) if isinstance(event, Reply) else _finalized(event, account, at=at)
    kind = "message.received" if isinstance(event, Reply) else "message.finalized"
    return wire.ThreeCxData(kind, uuid_from(event.message_id, account.mark), at, "event", payload)


def _received(reply: Reply, at: str) -> wire.Payload:
    return wire.Payload(
        direction="inbound",
        type="MMS" if reply.media else "SMS",
        record_type="message",
        received_at=at,
        text=reply.text,
        sender=wire.Address(f"+{_bare(reply.sender)}"),
        to=[wire.Address(f"+{_bare(reply.recipient)}", "webhook_delivered")],
        media=[wire.Medium(each.url, each.content_type, each.octets) for each in reply.media],
    )


def _finalized(event: Event, account: Account, *, at: str) -> wire.Payload:
    return wire.Payload(
        id=uuid_from(event.submission_id, account.mark),
        direction="outbound",
        record_type="message",
        completed_at=at,
        sender=wire.Address(f"+{_bare(event.sender)}"),
        to=[wire.Address(f"+{_bare(event.recipient)}", RECEIPT_WORDS[event.state][1])],
    )
