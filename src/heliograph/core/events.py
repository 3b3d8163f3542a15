"""Facts in a message's history that customers are told, and how they are grouped into deliveries."""

from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState


class EventKind(IntEnum):
    """What a webhook is told of. Numbers are stored."""

    STATUS = 1
    REPLY = 2


class Event(NamedTuple):
    """A message entered a state. reference: see `Submission.reference`."""

    account_id: AccountId
    message_id: MessageId
    state: MessageState
    at_ms: int
    recipient: str
    reference: str | None


_RANKS = {MessageState.HELD: 0, MessageState.SUBMITTED: 1, MessageState.UNKNOWN: 2}


def told_order(event: Event) -> tuple[int, int]:
    """Sorts events as they happened; of one millisecond, in the order in which a message can enter states."""
    return event.at_ms, _RANKS.get(event.state, len(_RANKS))


class Told(NamedTuple):
    """An event that a webhook is to be told: one row of the outbox."""

    webhook_id: WebhookId
    event: Event
