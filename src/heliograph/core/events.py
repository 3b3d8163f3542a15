"""Facts in a message's history that customers are told, and how they are grouped into deliveries."""

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from heliograph.core.ids import AccountId, MessageId, SubmissionId, WebhookId
from heliograph.core.states import MessageState

if TYPE_CHECKING:
    from heliograph.core.directory import Number


class EventKind(IntEnum):
    """What a webhook is told of. Numbers are stored."""

    STATUS = 1
    REPLY = 2


class Event(NamedTuple):
    """A message entered a state. reference: see `Submission.reference`. detail: the carrier's words, if it had any."""

    account_id: AccountId
    message_id: MessageId
    state: MessageState
    at_ms: int
    recipient: str
    reference: str | None
    sender: str = ""
    submission_id: SubmissionId = SubmissionId(0)
    detail: str | None = None


class MediaLink(NamedTuple):
    """Where a receiver may fetch a file for a while, and what it will find.

    digest: of the file. url: "" until the moment it is told, as links end some time after they were made.
    """

    url: str
    content_type: str
    octets: int
    digest: str = ""


class Reply(NamedTuple):
    """A message came in from a handset. sender: the handset; recipient: our number; both without plus.

    The first four members are an `Event`'s, so that both wait for company in the same lanes.
    """

    account_id: AccountId
    message_id: MessageId
    state: MessageState
    at_ms: int
    sender: str
    recipient: str
    text: str
    media: tuple[MediaLink, ...] = ()


_RANKS = {MessageState.HELD: 0, MessageState.SUBMITTED: 1, MessageState.UNKNOWN: 2}


def told_order(event: Event | Reply) -> tuple[int, int]:
    """Sorts events as they happened; of one millisecond, in the order in which a message can enter states."""
    return event.at_ms, _RANKS.get(event.state, len(_RANKS))


class Told(NamedTuple):
    """An event that a webhook is to be told: one row of the outbox."""

    webhook_id: WebhookId
    event: Event | Reply

    @property
    def row(self) -> tuple[WebhookId, AccountId, MessageId, int, int]:
        """What the outbox keeps of it; the rest is found with the message."""
        event = self.event
        return self.webhook_id, event.account_id, event.message_id, int(event.state), event.at_ms


class Audience(NamedTuple):
    """Which webhooks hear of what. A webhook with a name hears only of the numbers that name it.

    of_account: by account and state. of_name: by account, the webhook's name (case folded) and state.
    numbers: by their digits; those that are nobody's are not in it.
    """

    of_account: Mapping[tuple[AccountId, MessageState], tuple[WebhookId, ...]]
    of_name: Mapping[tuple[AccountId, str, MessageState], tuple[WebhookId, ...]] = {}
    numbers: Mapping[str, "Number"] = {}

    def wanting(self, account_id: AccountId, number: str, state: MessageState) -> tuple[WebhookId, ...]:
        """The webhooks that want to hear that a message from or to a number (no plus) entered a state."""
        of_account = self.of_account.get((account_id, state), ())
        if not self.of_name:
            return of_account
        ours = self.numbers.get(number)
        if ours is None or ours.webhook is None or ours.account_id != account_id:
            return of_account
        return of_account + self.of_name.get((account_id, ours.webhook.casefold(), state), ())
