"""What stands on the wire, with the vendor's names: camel case in the second generation, Pascal case in the first.

Source: the vendor's pages "Sends new SMS messages" and "Create Message Webhook"; public clients for the rest.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

MOST_RECIPIENTS = 10_000
"""Elements of `to` in one request. The vendor names no limit."""
LONGEST_URL = 512
"""Characters of a webhook's address, as the vendor's error 146 says."""
LONGEST_ID = 256
"""Characters of the caller's own id. The vendor names no limit."""

OwnId = Annotated[str, Meta(max_length=LONGEST_ID)]


class SendRequest(Struct, gc=False):
    """One text to many numbers. `id` is our addition: it comes back as `Id` in webhooks."""

    text: str
    to: Annotated[list[int | str], Meta(extra_json_schema={"minItems": 1, "maxItems": MOST_RECIPIENTS})]
    id: OwnId | int | None = None


class SentMessage(Struct, gc=False, rename="camel"):
    """The verdict on one element of `to`, which comes back with the JSON type it had."""

    api_message_id: str | None
    accepted: bool
    to: int | str
    error_code: str | None = None
    error: str | None = None
    error_description: str | None = None


class SendAnswer(Struct, gc=False, rename="camel"):
    """Verdicts in the order of the request. The error members would be about the whole request."""

    messages: list[SentMessage]
    error_code: str | None = None
    error: str | None = None
    error_description: str | None = None


class StatusAnswer(Struct):
    """Where a message stands, in the second generation's words."""

    status: str


class Error(Struct):
    """An error of the second generation."""

    status: int
    message: str


class MessageRequest(Struct, rename="pascal"):
    """One text to one number. `Id` is the caller's own."""

    text: str
    number: str | int
    id: OwnId | int | None = None


class MessageAnswer(Struct, rename="pascal"):
    """A message was taken. `MessageSize` counts fragments."""

    message_id: int
    number: str
    text: str
    status: str
    id: str | None
    date: str
    message_size: int
    remaining_credit_count: int


class MessageRecord(Struct, rename="pascal"):
    """Where a message stands, in the first generation's words."""

    message_id: int
    text: str
    status: str
    id: str | None
    date: str


class BalanceAnswer(Struct, rename="pascal"):
    """Credits that may be spent, and credits held for messages on their way."""

    credits_available: int | float
    credits_reserved: int | float


class WebhookRequest(Struct, rename="pascal"):
    """A webhook to be made; `WebhookType` is `MessageStatusUpdate` or `MessageReply`."""

    url: str | None = None
    webhook_type: str | None = None


class WebhookChange(Struct, rename="pascal"):
    """The two members of a webhook that can change; what is left out stays."""

    is_active: bool | None = None
    url: str | None = None


class WebhookRecord(Struct, rename="pascal"):
    """A webhook. `Note`, why it was switched off, is in the answer to showing one."""

    id: int
    is_active: bool
    url: str
    webhook_type: str
    date_created: str
    note: str | UnsetType | None = UNSET


class CodedError(Struct, rename="pascal"):
    """An error of the first generation."""

    code: int
    message: str


class PushedEvent(Struct, gc=False, rename="pascal"):
    """A number (no plus sign) and the status of a message to it, or what it wrote. `Id`: when the sender gave one."""

    number: str
    status: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Update(Struct, gc=False, rename="pascal"):
    """What a webhook is given: at most 500 events, all of its type."""

    timestamp: str
    type: str
    events: list[PushedEvent]
