"""What stands on the wire, with the vendor's names, blanks in them included; and 3CX's, in snake case.

Source: the vendor's pages "Send an Outbound SMS or MMS Message", "webHooks" and "campaigns" (1.0.05); public
programs that call it for the rest. 3CX speaks as the carrier does whose interface it took over; nobody has shown a
receipt to 3CX, so its form is that carrier's.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

MOST_RECIPIENTS = 10_000
"""Numbers in one request. The vendor names no limit; the most that a program is known to send is 4,000."""
LONGEST_NAME = 64
"""Characters of a webhook's name. The vendor names no limit."""
LONGEST_DESCRIPTION = 255
"""Characters of a webhook's description. The vendor names no limit."""

Written = str | int
"""A telephone number as callers write it."""
Flag = bool | int
"""True or false, or the 1 and 0 that some answers have in their place."""


class MessageSend(Struct, gc=False):
    """One text, media or both, to one number or many. `MediaUrls` and `MediaUrl` are spellings of old programs."""

    sender: Written = field(name="From")
    to: Written | Annotated[list[Written], Meta(extra_json_schema={"maxItems": MOST_RECIPIENTS})] = field(name="To")
    message: str | None = field(name="Message", default=None)
    media_urls: list[str] | str | None = field(name="MediaURLs", default=None)
    media_urls_too: list[str] | str | None = field(name="MediaUrls", default=None)
    media_url: list[str] | str | None = field(name="MediaUrl", default=None)


class Result(Struct, gc=False, rename="pascal", omit_defaults=True):
    """What became of one requested number: `SUCCESS`, or `FAILED` and why."""

    to: str
    status: str
    description: str | UnsetType = UNSET


class MessageSent(Struct, gc=False, rename="pascal", kw_only=True):
    """A message was taken. `Fragments`: segments for each number. `Results`: in the order of the request."""

    ref_id: str
    sender: str = field(name="From")
    message_type: str
    fragments: int
    results: list[Result]


class Failure(Struct, rename="pascal"):
    """An error. `Description` and `Message` say the same: programs look for either."""

    status: str
    code: str
    description: str
    message: str


class WebHookPut(Struct, rename="pascal"):
    """A webhook to be made or changed. `Method` is `POST` or `3CX`."""

    webhook: str | None = None
    description: str | None = None
    url: str | None = None
    dlr: Flag | None = None
    method: str | None = None


class WebHookSaved(Struct, rename="pascal"):
    """A webhook that was made or changed."""

    webhook: str
    description: str
    url: str
    last_modification: str = field(name="Last Modification")


class WebHook(Struct, rename="pascal"):
    """A webhook as it is listed. `Dlr`: whether it is told what became of messages."""

    webhook: str
    description: str
    url: str
    dlr: bool
    method: str
    last_modification: str = field(name="Last Modification")


class CampaignRecord(Struct, rename="pascal"):
    """A registered campaign. `Count`: how many numbers are in it. `Approval`: `Y` or `N`."""

    tcr: str
    brand: str
    count: str
    approval: str
    activation_date: str = field(name="Activation Date")


class TnChange(Struct, rename="pascal"):
    """What of a number is to be changed; what is left out stays. An empty `Webhook` or `Tcr` takes it away."""

    number: Written | None = field(name="TN", default=None)
    sms: Flag | None = None
    mms: Flag | None = None
    webhook: str | None = None
    tcr: str | None = None


class TnMessaging(Struct, rename="pascal"):
    """What a number may send, who hears of what reaches it, and its campaign. `Class`: `A2PLC` or nothing."""

    kind: str = field(name="Class")
    sms: bool
    mms: bool
    webhook: str
    tcr: str


class TnRecord(Struct, rename="pascal"):
    """A number of the account."""

    number: str = field(name="TN")
    status: str
    messaging: TnMessaging


class Removed(Struct, rename="pascal", omit_defaults=True):
    """A webhook is gone, or a number is the account's no more."""

    status: str
    webhook: str | UnsetType = UNSET
    number: str | UnsetType = field(name="TN", default=UNSET)


class MessageIn(Struct, rename="pascal", kw_only=True, omit_defaults=True):
    """A message from a handset, or what became of one to it (then with `RefId` and `DeliveryReceipt`)."""

    ref_id: str | UnsetType = UNSET
    sender: str = field(name="From")
    to: list[str]
    message: str
    media_urls: list[str] | UnsetType = field(name="MediaURLs", default=UNSET)
    delivery_receipt: bool | UnsetType = UNSET


class ThreeCxSend(Struct, gc=False):
    """One text, media or both, to one number."""

    sender: Written = field(name="from")
    to: Written | Annotated[list[Written], Meta(extra_json_schema={"maxItems": MOST_RECIPIENTS})]
    text: str | None = None
    media_urls: list[str] | str | None = None


class Address(Struct, omit_defaults=True):
    """A number with its plus sign. `status`: of a receiver."""

    phone_number: str
    status: str | UnsetType = UNSET


class Medium(Struct):
    """A file, and where to fetch it."""

    url: str
    content_type: str
    size: int


class Payload(Struct, kw_only=True, omit_defaults=True):
    """A message from a handset, or what became of one to it (then with the `id` of the send)."""

    id: str | UnsetType = UNSET
    direction: str
    type: str | UnsetType = UNSET
    record_type: str
    received_at: str | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    sender: Address = field(name="from")
    to: list[Address]
    media: list[Medium] | UnsetType = UNSET


class ThreeCxData(Struct):
    """One event. `event_type` is `message.received` or `message.finalized`."""

    event_type: str
    id: str
    occurred_at: str
    record_type: str
    payload: Payload


class ThreeCxEvent(Struct):
    """What a webhook whose method is `3CX` is given."""

    data: ThreeCxData
