"""Between the vendor's wire and our words: ids, states, times, credits, verdicts."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from heliograph.core.directory import Account, Webhook
from heliograph.core.events import Event, EventKind
from heliograph.core.ids import MessageId, id_and_mark, made_at_ms, shown_id
from heliograph.core.messages import Accepted, Verdict
from heliograph.core.money import CREDIT
from heliograph.core.states import MessageState
from heliograph.dialects.dialect import MessageView
from heliograph.dialects.touchbasepro import NAME, wire
from heliograph.dialects.touchbasepro.errors import fault

_S = MessageState
PUSHED = {
    _S.SUBMITTED: "Enroute",
    _S.DELIVERED: "Delivered",
    _S.UNDELIVERED: "Undelivered",
    _S.EXPIRED: "Expired",
    _S.REJECTED: "Rejected",
    _S.FAILED: "Undelivered",
    _S.CANCELLED: "Deleted",
    _S.UNKNOWN: "Unknown",
}
"""States that webhooks hear of, in the words of the push."""

OLDER_WORDS = {state: PUSHED.get(state, "Accepted") for state in MessageState}
"""States in the first generation's words."""

NEWER_WORDS = {
    _S.SCHEDULED: "SCHEDULED",
    _S.QUEUED: "QUEUED",
    _S.SUBMITTING: "QUEUED",
    _S.HELD: "QUEUED",
    _S.SUBMITTED: "SENT_TO_SUPPLIER",
    _S.DELIVERED: "DEVICE_ACK",
    _S.UNDELIVERED: "DELIVERY_FAILURE",
    _S.EXPIRED: "EXPIRED",
    _S.REJECTED: "ROUTING_ERROR",
    _S.FAILED: "DELIVERY_FAILURE",
    _S.CANCELLED: "DELIVERY_FAILURE",
    _S.UNKNOWN: "UNKNOWN",
}
"""States in the second generation's words, which are Clickatell's."""

WEBHOOK_TYPES = {EventKind.STATUS: "MessageStatusUpdate", EventKind.REPLY: "MessageReply"}
KINDS = {name: kind for kind, name in WEBHOOK_TYPES.items()}

_LARGEST_ID = 2**53 - 1


def message_id_from_api_id(written: str, mark: str) -> MessageId | None:
    """The message that the second generation's id names; None when the account with this mark never saw it."""
    shown = id_and_mark(written)
    return MessageId(shown[0]) if shown is not None and shown[1] == mark else None


def message_id_from_number(written: str) -> MessageId | None:
    """The message that the first generation's whole number names; None when it is no such number."""
    if len(written) > 16 or not (written.isascii() and written.isdecimal()):
        return None
    number = int(written)
    return MessageId(number) if number <= _LARGEST_ID else None


def own_id(given: str | int | None) -> str:
    """The caller's own id; "" for none."""
    return "" if given is None else str(given)


def date_from(at_ms: int) -> str:
    """A time to the second.

    >>> date_from(1_635_161_357_123)
    '2021-10-25T11:29:17Z'
    """
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timestamp_from(at_ms: int) -> str:
    """A time with seven digits after the point, as .NET counts.

    >>> timestamp_from(1_638_976_164_972)
    '2021-12-08T15:09:24.9720000Z'
    """
    return f"{date_from(at_ms)[:-1]}.{at_ms % 1000:03d}0000Z"


def credits_from(amount: int) -> int | float:
    """An amount as a JSON number of credits.

    >>> credits_from(2_000_000), credits_from(1_500_000)
    (2, 1.5)
    """
    whole, rest = divmod(amount, CREDIT)
    return amount / CREDIT if rest else whole


_encode = msgspec.json.Encoder().encode


def sent_body(given: Sequence[str | int], verdicts: Sequence[Verdict], *, mark: str) -> bytes:
    """The second generation's answer to a sending call: one element for each requested one, in order."""
    sent = wire.SentMessage
    return _encode(
        wire.SendAnswer(
            [
                sent(shown_id(message_id or 0, mark), True, to)
                if reason is None
                else sent(None, False, to, *fault(reason))
                for to, (_, message_id, reason, _, _) in zip(given, verdicts, strict=True)
            ]
        )
    )


def accepted_body(request: wire.MessageRequest, accepted: Accepted) -> bytes:
    """The first generation's answer to a sending call that was good."""
    verdict = accepted.verdicts[0]
    message_id = verdict.message_id or 0
    answer = wire.MessageAnswer(
        message_id=message_id,
        number=(verdict.recipient or "").removeprefix("+"),
        text=request.text,
        status=OLDER_WORDS[MessageState.QUEUED],
        id=own_id(request.id) or None,
        date=date_from(made_at_ms(message_id)),
        message_size=verdict.segments,
        # Callers read a whole number here, so a rest of a credit is not counted.
        remaining_credit_count=accepted.available // CREDIT,
    )
    return _encode(answer)


def record_body(message: MessageView) -> bytes:
    """The first generation's record of a message."""
    record = wire.MessageRecord(
        message_id=message.message_id,
        text=message.text,
        status=OLDER_WORDS[message.state],
        id=message.reference or None,
        date=date_from(made_at_ms(message.message_id)),
    )
    return _encode(record)


def webhook_record(webhook: Webhook) -> wire.WebhookRecord:
    """A webhook as the vendor lists it."""
    return wire.WebhookRecord(
        id=webhook.webhook_id,
        is_active=webhook.is_active,
        url=webhook.url,
        webhook_type=WEBHOOK_TYPES[webhook.kind],
        date_created=date_from(webhook.created_at_ms),
    )


def event_id(account: Account, event: Event) -> str | None:
    """What stands in an event's `Id`: the caller's own id, or else, unless the account has it off, our id.

    A caller whose interface has an id of its own and who gave none expects none.
    """
    if event.reference is not None:
        return event.reference or None
    if account.settings.get(NAME, {}).get("message_id_in_events", True):
        return shown_id(event.message_id, account.mark)
    return None
